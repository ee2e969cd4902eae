"""What is deployed on a network and who governs it: one reviewed JSON file for each.

`networks/parameters/NAME.json` holds the token's supply, the governance of the parameters, the faucet, and every
protocol parameter. Amounts are in whole or decimal tokens (as text), times in seconds, shares in parts per million: the
keys say so. `notes` says why, for who reviews it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

from eth_typing import ChecksumAddress
from eth_utils.address import is_checksum_address, to_checksum_address
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from offchain.amounts import parse_wei
from offchain.chain.networks import Network, network_for
from offchain.chain.views import ProtocolParameters
from offchain.errors import Rejected
from offchain.types import Wei

DEPLOYER, ANYONE = "deployer", "anyone"
NOBODY = to_checksum_address("0x" + "00" * 20)
MAX_FILE_BYTES = 65_536
MAX_BRACKETS = 100
MINIMUM_DELAY = {"test": 3600, "main": 2 * 24 * 3600}
"""Least delay of the timelock in seconds, by kind of network; elsewhere the owner may be an account."""


@dataclass(frozen=True, slots=True)
class Governance:
    """Who changes the parameters.

    With a delay (seconds) a timelock does: `proposers` schedule and cancel, `cancellers` cancel, `executors` execute.
    Without one `owner` does. Accounts are addresses or the word `deployer`; among executors also `anyone`.
    """

    delay_seconds: int
    owner: str | None
    proposers: tuple[str, ...]
    cancellers: tuple[str, ...]
    executors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FaucetTerms:
    """What the faucet gives: `drip` wei to an account and `limit` wei to all of them in `period_seconds`.

    `funding` wei of the supply fill it at deployment.
    """

    drip: Wei
    period_seconds: int
    limit: Wei
    funding: Wei


@dataclass(frozen=True, slots=True)
class DeploymentTerms:
    """One network's file. `holder` receives the `supply` (wei); None: left open, so that nothing can be deployed."""

    network: str
    chain_id: int
    supply: Wei
    holder: str | None
    governance: Governance
    faucet: FaucetTerms | None
    protocol: ProtocolParameters

    @property
    def has_timelock(self) -> bool:
        """Whether a timelock owns the parameters."""
        return self.governance.delay_seconds > 0


def account_of(word: str, deployer: ChecksumAddress) -> ChecksumAddress:
    """The account that a word of the file means; the zero address for `anyone`."""
    return {DEPLOYER: deployer, ANYONE: NOBODY}.get(word) or to_checksum_address(word)


@cache
def load_terms(chain_id: int) -> DeploymentTerms:
    """The reviewed terms of a network that we know. Raises Rejected for another."""
    folder = resources.files("offchain.chain") / "networks" / "parameters"
    entry = folder / f"{network_for(chain_id).name}.json"
    if not entry.is_file():
        raise Rejected(
            f"chain {chain_id} has no reviewed parameters: write a file like {folder / 'bsc-testnet.json'} "
            "and give it with --parameters FILE"
        )
    return parse_terms(entry.read_text(encoding="utf-8"), entry.name)


def read_terms(path: Path) -> DeploymentTerms:
    """The terms in a file of the user's own. Raises Rejected with what is wrong in it."""
    if not path.is_file():
        raise Rejected(f"{path}: no such file; give a file of parameters")
    if path.stat().st_size > MAX_FILE_BYTES:
        raise Rejected(f"{path}: larger than {MAX_FILE_BYTES} bytes; give a file of parameters")
    try:
        return parse_terms(path.read_text(encoding="utf-8"), str(path))
    except UnicodeDecodeError as error:
        raise Rejected(f"{path}: not UTF-8; give a file of parameters") from error


def parse_terms(text: str, source: str) -> DeploymentTerms:
    """The terms that a JSON text holds. Raises Rejected, which names `source` and the first wrong key."""
    if len(text) > MAX_FILE_BYTES or text.count("[") + text.count("{") > MAX_BRACKETS:
        raise Rejected(f"{source}: too large or too deep for a file of parameters")
    try:
        return _terms(_File.model_validate(json.loads(text)))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise Rejected(f"{source}: {place}: {first['msg'].removeprefix('Value error, ')}") from error
    except ValueError as error:
        raise Rejected(f"{source}: not JSON ({error})") from error


def check_terms(terms: DeploymentTerms, network: Network, source: str) -> None:
    """Checks that these terms may be deployed on `network`. Raises Rejected with everything that speaks against it."""
    found = [*_open_ends(terms), *_of_any(terms, network), *_of_public(terms, network), *_of_main(terms, network)]
    if found:
        raise Rejected(f"{source}: {'; '.join(found)}")


def _open_ends(terms: DeploymentTerms) -> list[str]:
    rules = terms.governance
    open_ends = [
        key
        for key, is_open in (
            ("token.holder", terms.holder is None),
            ("governance.owner", not terms.has_timelock and rules.owner is None),
            ("governance.proposers", terms.has_timelock and not rules.proposers),
            ("governance.executors", terms.has_timelock and not rules.executors),
        )
        if is_open
    ]
    if not open_ends:
        return []
    return [f"{', '.join(open_ends)} left open: copy the file, name the accounts, give it with --parameters FILE"]


def _of_any(terms: DeploymentTerms, network: Network) -> list[str]:
    rules, faucet, found = terms.governance, terms.faucet, []
    if terms.chain_id != network.chain_id:
        found.append(f"chain_id is {terms.chain_id}, but the node is on chain {network.chain_id}")
    if terms.has_timelock and rules.owner is not None:
        found.append("governance.owner stands beside a delay: the timelock is the owner, leave it out")
    if not terms.has_timelock and (rules.proposers or rules.cancellers or rules.executors):
        found.append("governance names proposers, cancellers or executors of a timelock that has no delay")
    if ANYONE in (terms.holder, rules.owner, *rules.proposers, *rules.cancellers):
        found.append(f"only an executor can be {ANYONE!r}")
    if faucet is not None and faucet.limit < faucet.drip:
        found.append("faucet.limit_tokens is less than one drip")
    if faucet is not None and faucet.funding > terms.supply:
        found.append("faucet.funding_tokens is more than the supply")
    if faucet is not None and faucet.funding and terms.holder != DEPLOYER:
        found.append("faucet.funding_tokens: only a deployer that holds the supply can fund it; set 0")
    return found


def _of_public(terms: DeploymentTerms, network: Network) -> list[str]:
    least = MINIMUM_DELAY.get(network.kind, 0)
    delay = terms.governance.delay_seconds
    return [f"governance.delay_seconds is {delay}, on {network.name} it is {least} at least"] if delay < least else []


def _of_main(terms: DeploymentTerms, network: Network) -> list[str]:
    if network.kind != "main":
        return []
    rules, found = terms.governance, []
    if terms.faucet is not None:
        found.append("a faucet gives tokens away: never on a main network")
    if rules.delay_seconds <= terms.protocol.exit_delay:
        found.append("governance.delay_seconds must exceed protocol.exit_delay_seconds, so that stakes can leave first")
    if DEPLOYER in (terms.holder, *rules.proposers):
        found.append("the deployer's key must neither hold the supply nor propose: name a multisig")
    return found


# The file


def _wei(value: object) -> int:
    if not isinstance(value, str):
        raise ValueError('an amount of tokens is written as text, such as "100" or "0.5"')
    return parse_wei(value)


def _account(value: str) -> str:
    if value not in (DEPLOYER, ANYONE) and not is_checksum_address(value):
        raise ValueError(f"{value!r} is neither a checksummed address nor {DEPLOYER!r} nor {ANYONE!r}")
    return value


_Tokens = Annotated[int, BeforeValidator(_wei)]
_Seconds = Annotated[int, Field(ge=0, lt=2**32, strict=True)]
_Ppm = Annotated[int, Field(ge=0, le=1_000_000, strict=True)]
_Count = Annotated[int, Field(ge=1, lt=2**16, strict=True)]
_Bytes = Annotated[int, Field(ge=1, lt=2**64, strict=True)]
_Account = Annotated[str, AfterValidator(_account)]
_Accounts = Annotated[tuple[_Account, ...], Field(max_length=16)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Token(_Part):
    supply_tokens: _Tokens
    holder: _Account | None


class _Governance(_Part):
    delay_seconds: _Seconds
    owner: _Account | None = None
    proposers: _Accounts = ()
    cancellers: _Accounts = ()
    executors: _Accounts = ()


class _Faucet(_Part):
    drip_tokens: _Tokens
    period_seconds: _Seconds
    limit_tokens: _Tokens
    funding_tokens: _Tokens


class _Protocol(_Part):
    """The fields of `ProtocolParameters`, with units; the bounds are the contract's own."""

    provider_minimum_tokens: _Tokens
    validator_minimum_tokens: _Tokens
    verifier_minimum_tokens: _Tokens
    aggregator_minimum_tokens: _Tokens
    claim_bond_tokens: _Tokens
    minimum_v_stake_tokens: _Tokens
    challenge_stake_tokens: _Tokens
    request_bond_tokens: _Tokens
    exit_delay_seconds: _Seconds
    validator_share_ppm: _Ppm
    aggregator_tax_ppm: _Ppm
    reporter_share_ppm: _Ppm
    dispute_share_ppm: _Ppm
    move_seconds: _Seconds
    stall_delay_seconds: _Seconds
    fraud_seconds: _Seconds
    update_seconds: _Seconds
    epoch_seconds: _Seconds
    max_members: _Count
    max_claims: _Count
    max_validators: _Count
    minimum_window_seconds: _Seconds
    maximum_window_seconds: _Seconds
    minimum_reward_tokens: _Tokens
    max_model_bytes: _Bytes
    max_tensor_bytes: _Bytes


class _File(_Part):
    network: str
    chain_id: Annotated[int, Field(ge=1, strict=True)]
    notes: Mapping[str, str] = {}
    token: _Token
    governance: _Governance
    faucet: _Faucet | None
    protocol: _Protocol


def key_of(field: str) -> str:
    """The key in the file, which names the unit, of a field of `ProtocolParameters`."""
    return next(key for key in (field, f"{field}_tokens", f"{field}_seconds") if key in _Protocol.model_fields)


def _terms(file: _File) -> DeploymentTerms:
    faucet, protocol = file.faucet, file.protocol
    values: dict[str, Any] = {field.name: getattr(protocol, key_of(field.name)) for field in fields(ProtocolParameters)}
    return DeploymentTerms(
        network=file.network,
        chain_id=file.chain_id,
        supply=Wei(file.token.supply_tokens),
        holder=file.token.holder,
        governance=Governance(**dict(file.governance)),
        faucet=None
        if faucet is None
        else FaucetTerms(
            drip=Wei(faucet.drip_tokens),
            period_seconds=faucet.period_seconds,
            limit=Wei(faucet.limit_tokens),
            funding=Wei(faucet.funding_tokens),
        ),
        protocol=ProtocolParameters(**values),
    )
