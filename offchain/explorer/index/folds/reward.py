"""Roots of rewards, and the aggregators who sign them."""

from dataclasses import dataclass, replace

from eth_typing import ChecksumAddress

from offchain.explorer.index.rows import EventRow
from offchain.types import Root, Seconds, Wei

ZERO = Wei(0)


@dataclass(frozen=True, slots=True)
class PostingState:
    """One root that was posted under a cycle's number. `accounts`: leaves of its tree, leaf 0 not counted."""

    seq: int
    root: Root
    epoch: int
    signers: int
    up_to: int
    settled_otherwise: int
    total: Wei
    accounts: int
    posted_at: Seconds
    effective_at: Seconds
    tx: bytes
    refuter: ChecksumAddress | None = None
    refuted_at: Seconds | None = None
    wrong_step: int | None = None
    claims: int = 0
    claimed: Wei = ZERO


@dataclass(frozen=True, slots=True)
class CycleState:
    """A cycle: all roots that were posted under its number; only the last can stand."""

    cycle: int
    postings: tuple[PostingState, ...]

    @property
    def standing(self) -> PostingState | None:
        """The root in force, if any."""
        last = self.postings[-1]
        return last if last.refuter is None else None


def fold_cycle(cycle: int, state: CycleState | None, event: EventRow) -> CycleState | None:
    """The cycle with that number after an event of RewardTreasury about it, or one that takes it down."""
    said = event.arguments
    if event.name == "RootPosted":
        before = () if state is None else state.postings
        return CycleState(cycle, (*before, _posting(event)))
    if state is None:
        return None
    last = state.postings[-1]
    match event.name:
        case "RootRefuted":
            # Those that stood on the wrong one fall with it.
            step = said["step"] if said["cycle"] == cycle else None
            last = replace(last, refuter=said["refuter"], refuted_at=event.at, wrong_step=step)
        case "RootClaimed":
            last = replace(last, claims=last.claims + 1, claimed=Wei(last.claimed + said["amount"]))
    return CycleState(cycle, (*state.postings[:-1], last))


def _posting(event: EventRow) -> PostingState:
    said = event.arguments
    statement, tree = said["statement"], said["state"]
    return PostingState(
        seq=event.seq,
        root=Root(statement.root),
        epoch=statement.epoch,
        signers=said["signers"],
        up_to=statement.up_to,
        settled_otherwise=statement.settled_otherwise,
        total=Wei(tree.total),
        accounts=max(tree.count - 1, 0),
        posted_at=event.at,
        effective_at=Seconds(said["effectiveAt"]),
        tx=event.tx,
    )


@dataclass(frozen=True, slots=True)
class EpochState:
    """A committee."""

    number: int
    members: tuple[ChecksumAddress, ...]
    threshold: int
    started_at: Seconds
    ends_at: Seconds
    suspended: bool = False
    slashed: tuple[ChecksumAddress, ...] = ()


def fold_epoch(state: EpochState | None, event: EventRow) -> EpochState | None:
    """The epoch after an event of AggregatorCommittee that names it."""
    said = event.arguments
    if event.name == "EpochStarted":
        ends = Seconds(said["endsAt"])
        return EpochState(said["epoch"], tuple(said["members"]), said["threshold"], event.at, ends)
    if state is None:
        return None
    match event.name:
        case "EpochSuspended":
            # the next epoch may start at once
            return replace(state, suspended=True, ends_at=Seconds(min(state.ends_at, event.at)))
        case "MemberSlashed":
            return replace(state, slashed=(*state.slashed, said["account"]))
        case _:
            return state


@dataclass(frozen=True, slots=True)
class CandidateState:
    """An account that offers, or offered, to be an aggregator. `stake`: locked by the committee, also after it left."""

    account: ChecksumAddress
    stake: Wei = ZERO
    listed: bool = False
    endpoint: str | None = None


def fold_candidate(account: ChecksumAddress, state: CandidateState | None, event: EventRow) -> CandidateState:
    """The candidate after an event of AggregatorCommittee that names the account."""
    mine, said = state or CandidateState(account), event.arguments
    match event.name:
        case "CandidateJoined":
            return replace(mine, stake=Wei(said["stake"]), listed=True)
        case "CandidateLeft":
            return replace(mine, listed=False)
        case "StakeReleased" | "MemberSlashed":
            return replace(mine, stake=Wei(0), listed=False)
        case "EndpointAnnounced":
            return replace(mine, endpoint=said["endpoint"])
        case _:
            return mine
