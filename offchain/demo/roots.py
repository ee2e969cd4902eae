"""Rewards by root as they came: what each root paid, and who pulled what with a proof. From the contracts' events."""

from collections.abc import Sequence
from dataclasses import dataclass

from eth_typing import ChecksumAddress

from offchain.chain.client import ChainClient
from offchain.chain.event_decoder import Event
from offchain.types import OrderId, Wei


@dataclass(frozen=True, slots=True)
class PaidRoot:
    """One root that stands: the orders that it pays, how many members signed it, and the gas of its transaction."""

    cycle: int
    oids: tuple[OrderId, ...]
    accounts: int
    signatures: int
    gas: int


@dataclass(frozen=True, slots=True)
class RootClaim:
    """What an account has pulled with a proof, in wei, and the gas of that."""

    account: ChecksumAddress
    cycle: int
    amount: Wei
    gas: int


@dataclass(frozen=True, slots=True)
class Roots:
    """All of both, and how many roots were refuted."""

    posted: tuple[PaidRoot, ...]
    claims: tuple[RootClaim, ...]
    refuted: int


def read_roots(client: ChainClient, events: Sequence[Event]) -> Roots:
    """From all events since the deployment, in the chain's order. Raises Retryable."""
    held: list[OrderId] = []
    otherwise: set[OrderId] = set()
    posted, claims, covered, refuted = [], [], 0, 0
    for event in events:
        arguments = event.arguments
        match event.name:
            case "Held":
                held.append(OrderId(arguments["oid"]))
            case "RewardExecuted" | "RewardPaidDirectly":
                otherwise.add(OrderId(arguments["oid"]))
            case "RootPosted":
                up_to = arguments["statement"].up_to
                posted.append(
                    PaidRoot(
                        cycle=arguments["cycle"],
                        oids=tuple(oid for oid in held[covered:up_to] if oid not in otherwise),
                        accounts=arguments["state"].count - 1,
                        signatures=arguments["signers"].bit_count(),
                        gas=_gas(client, event),
                    )
                )
                covered = up_to
            case "RootRefuted":
                refuted += 1
            case "RootClaimed":
                amount = Wei(arguments["amount"])
                claims.append(RootClaim(arguments["account"], arguments["cycle"], amount, _gas(client, event)))
    return Roots(tuple(posted), tuple(claims), refuted)


def _gas(client: ChainClient, event: Event) -> int:
    return int(client.request("eth_getTransactionReceipt", "0x" + event.tx_hash.hex())["gasUsed"], 16)
