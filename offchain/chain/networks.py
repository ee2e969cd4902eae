"""What differs between chains: identity, finality, fees, block time, limits of log queries."""

import json
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal

from offchain.errors import Bug
from offchain.types import Wei


@dataclass(frozen=True, slots=True)
class Finality:
    """When a block counts as final.

    `confirmations`: a block is final once `blocks` blocks, itself included, stand on it (1: as soon as it is mined).
    `tag`: the node says so itself with the block tag `tag` (BSC's fast finality: `finalized`).
    """

    kind: Literal["confirmations", "tag"]
    blocks: int = 1
    tag: str = "finalized"


@dataclass(frozen=True, slots=True)
class FeePolicy:
    """How to price gas, all in wei per unit of gas.

    `priority_fee` is the least tip (the least gas price for `legacy`), `maximum_fee` what is never exceeded, and
    `bump_percent` by how much a resend raises the fee (nodes demand 10 to 12.5).
    """

    kind: Literal["eip1559", "legacy"]
    priority_fee: Wei
    maximum_fee: Wei
    bump_percent: int


@dataclass(frozen=True, slots=True)
class Network:
    """One chain. `block_seconds`, `poll_seconds` in seconds; `log_range` is the most blocks of one log query.

    `kind` says what is at stake there (`other`: a chain that we do not know).
    """

    name: str
    chain_id: int
    kind: Literal["development", "test", "main", "other"]
    block_seconds: float
    poll_seconds: float
    log_range: int
    proof_of_authority: bool
    finality: Finality
    fees: FeePolicy


def parse_network(fields: dict[str, Any]) -> Network:
    """The network that one of the JSON files in `networks/` describes."""
    plain = {key: value for key, value in fields.items() if key not in ("finality", "fees")}
    return Network(**plain, finality=Finality(**fields["finality"]), fees=FeePolicy(**fields["fees"]))


def known_networks() -> dict[int, Network]:
    """All networks that come with the package, by chain id."""
    folder = resources.files("offchain.chain") / "networks"
    networks = [
        parse_network(json.loads(entry.read_text(encoding="utf-8")))
        for entry in folder.iterdir()
        if entry.name.endswith(".json")
    ]
    by_id = {network.chain_id: network for network in networks}
    if len(by_id) != len(networks):
        raise Bug("two network files share a chain id")
    return by_id


def network_for(chain_id: int) -> Network:
    """The network of `chain_id`; for one we do not know, cautious values: 12 confirmations, short log ranges."""
    known = known_networks().get(chain_id)
    if known is not None:
        return known
    return Network(
        name=f"chain-{chain_id}",
        chain_id=chain_id,
        kind="other",
        block_seconds=3.0,
        poll_seconds=1.0,
        log_range=1000,
        proof_of_authority=True,
        finality=Finality("confirmations", blocks=12),
        fees=FeePolicy("eip1559", Wei(10**9), Wei(500 * 10**9), 25),
    )
