"""What the contracts' read functions return, as frozen dataclasses. Fields are in the order of the Solidity structs.

Amounts in wei, times in seconds, shares in parts per million. `decode` and `encode` go between these and the tuples of
web3; a test holds the fields against the ABI.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from eth_typing import ChecksumAddress

from offchain.chain.enums import Outcome, Role, ScoreFunction
from offchain.dispute.requests import Request, Target
from offchain.dispute.state import Dispute
from offchain.errors import Bug
from offchain.protocol.lifecycle import Facts, Windows
from offchain.protocol.reward_root import RewardRoot
from offchain.protocol.reward_tree import State
from offchain.protocol.settlement import Payout, Tally
from offchain.types import CidDigest, Commitment, Ppm, Root, Seconds, Wei

__all__ = [
    "STRUCTS",
    "Bond",
    "Claim",
    "Dispute",
    "Facts",
    "Holding",
    "Model",
    "Order",
    "OrderTerms",
    "Payout",
    "PostedRoot",
    "Proposal",
    "ProtocolParameters",
    "Request",
    "Role",
    "ScoreSheet",
    "Seat",
    "Settlement",
    "Tally",
    "Target",
    "TestSet",
    "Windows",
    "decode",
    "encode",
]

View = TypeVar("View")


@dataclass(frozen=True, slots=True)
class OrderTerms:
    """What a client asks for; see `IOrderBook.sol`. Limits in bytes; `input_size` and `output_size` in elements of a
    sample and of a model's output."""

    reward: Wei
    manifest_cid: CidDigest
    test_commitment: Commitment
    score_function: ScoreFunction
    minimum_score_ppm: int
    train_seconds: int
    reveal_seconds: int
    validate_seconds: int
    challenge_seconds: int
    minimum_validators: int
    max_model_bytes: int
    max_tensor_bytes: int
    input_size: int
    output_size: int


@dataclass(frozen=True, slots=True)
class Order:
    """An order as put: the terms, and the parameters that held then."""

    client: ChecksumAddress
    put_at: Seconds
    terms: OrderTerms
    claim_bond: Wei
    minimum_v_stake: Wei
    challenge_stake: Wei
    request_bond: Wei
    validator_share_ppm: Ppm
    aggregator_tax_ppm: Ppm
    reporter_share_ppm: Ppm
    dispute_share_ppm: Ppm
    move_seconds: int
    max_claims: int
    max_validators: int

    @property
    def windows(self) -> Windows:
        """The order's times."""
        terms = self.terms
        return Windows(
            start=self.put_at,
            train=terms.train_seconds,
            reveal=terms.reveal_seconds,
            validate=terms.validate_seconds,
            challenge=terms.challenge_seconds,
        )


@dataclass(frozen=True, slots=True)
class TestSet:
    """The released test set; `sample_count` is 0 until then."""

    __test__ = False  # not a test class, whatever pytest thinks of the name

    root: Root
    cid: CidDigest
    sample_count: int


@dataclass(frozen=True, slots=True)
class Claim:
    """A provider's claim; the commitment is 32 zero bytes when there is none."""

    commitment: Commitment
    sequence: int
    revealed: bool
    slashed: bool
    model_index: int


@dataclass(frozen=True, slots=True)
class Model:
    """A revealed model; its MID is `model_root`, `cid` that of its manifest."""

    provider: ChecksumAddress
    sequence: int
    model_root: Root
    cid: CidDigest


@dataclass(frozen=True, slots=True)
class ScoreSheet:
    """A validator's sheet for all models of an order."""

    commitment: Commitment
    v_stake: Wei
    locked: Wei
    revealed: bool
    slashed: bool


@dataclass(frozen=True, slots=True)
class Seat:
    """One validation as it stands: whose it is, what it says, what is behind it; `version` counts who took it over."""

    holder: ChecksumAddress
    score: int
    stake: Wei
    version: int
    live: bool


@dataclass(frozen=True, slots=True)
class Settlement:
    """How an order was settled; the outcome is NONE until then."""

    outcome: Outcome
    model_index: int
    score: int
    sealed_at: Seconds
    winner: ChecksumAddress
    payouts_hash: bytes


@dataclass(frozen=True, slots=True)
class Holding:
    """What the treasury holds for a sealed order; from `direct_at` on anyone may settle it.

    `sequence`: its place among the orders sealed with payouts, from 1; 0 for a refund. `paid`: it was settled by
    itself, not by a root.
    """

    payouts_hash: bytes
    amount: Wei
    tax: Wei
    sealed_at: Seconds
    direct_at: Seconds
    client: ChecksumAddress
    paid: bool
    sequence: int


@dataclass(frozen=True, slots=True)
class PostedRoot:
    """A root of rewards that stands: it covers orders up to `up_to`; bit i of `signers` is the i-th member of `epoch`.

    All zero when none stands. Accounts claim from `effective_at` on.
    """

    root: Root
    up_to: int
    epoch: int
    signers: int
    effective_at: Seconds


@dataclass(frozen=True, slots=True)
class Proposal:
    """Where the multisig on a sealed order stands."""

    epoch: int
    confirmations: int


@dataclass(frozen=True, slots=True)
class Bond:
    """The bond of one account in one role."""

    bonded: Wei
    locked: Wei
    exiting: Wei
    exit_at: Seconds

    @property
    def free(self) -> Wei:
        """What is bonded and not locked."""
        return Wei(self.bonded - self.locked)


@dataclass(frozen=True, slots=True)
class ProtocolParameters:
    """Every number that governance may change; see `IParameters.sol`."""

    provider_minimum: Wei
    validator_minimum: Wei
    verifier_minimum: Wei
    aggregator_minimum: Wei
    claim_bond: Wei
    minimum_v_stake: Wei
    challenge_stake: Wei
    request_bond: Wei
    exit_delay: int
    validator_share_ppm: Ppm
    aggregator_tax_ppm: Ppm
    reporter_share_ppm: Ppm
    dispute_share_ppm: Ppm
    move_seconds: int
    stall_delay: int
    fraud_seconds: int
    update_seconds: int
    epoch_seconds: int
    max_members: int
    max_claims: int
    max_validators: int
    minimum_window: int
    maximum_window: int
    minimum_reward: Wei
    max_model_bytes: int
    max_tensor_bytes: int


STRUCTS: dict[str, type] = {
    "Bond": Bond,
    "Claim": Claim,
    "Dispute": Dispute,
    "Facts": Facts,
    "Holding": Holding,
    "Model": Model,
    "Order": Order,
    "OrderTerms": OrderTerms,
    "Payout": Payout,
    "PostedRoot": PostedRoot,
    "Proposal": Proposal,
    "ProtocolParameters": ProtocolParameters,
    "Request": Request,
    "RewardRoot": RewardRoot,
    "RewardState": State,
    "ScoreSheet": ScoreSheet,
    "Seat": Seat,
    "Settlement": Settlement,
    "Tally": Tally,
    "Target": Target,
    "TestSet": TestSet,
    "Windows": Windows,
}
"""What reads and events give, by the name that the ABI's `internalType` gives them."""


def decode(view: type[View], values: Any) -> View:
    """The view that web3's `values` (a tuple in ABI order, or a mapping by ABI name) hold."""
    items = list(values.values()) if isinstance(values, Mapping) else list(values)
    hints = _hints(view)  # type: ignore[arg-type]  # classes are hashable
    if len(items) != len(hints):
        raise Bug(f"{view.__name__} has {len(hints)} fields, the contract returned {len(items)}")
    return view(*(_converted(hint, item) for hint, item in zip(hints, items, strict=True)))


def encode(view: Any) -> tuple[Any, ...]:
    """The tuple in ABI order that web3 wants for the struct."""
    values = (getattr(view, field.name) for field in dataclasses.fields(view))
    return tuple(encode(value) if dataclasses.is_dataclass(value) else _plain(value) for value in values)


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, IntEnum) else value


@cache
def _hints(view: type[Any]) -> tuple[Any, ...]:
    by_name = get_type_hints(view)
    return tuple(by_name[field.name] for field in dataclasses.fields(view))


def _converted(hint: Any, value: Any) -> Any:
    if get_origin(hint) is tuple:
        return tuple(_converted(get_args(hint)[0], item) for item in value)
    base = getattr(hint, "__supertype__", hint)  # a NewType's own type
    if isinstance(base, type):
        if dataclasses.is_dataclass(base):
            return value if isinstance(value, base) else decode(base, value)
        if issubclass(base, IntEnum):
            return base(value)
        if base is bytes:
            return bytes(value)
    return value
