"""Roots of rewards, claims, and the committee."""

from eth_utils.address import to_checksum_address

from offchain.explorer.index.folds.reward import CandidateState, CycleState, EpochState, PostingState
from offchain.explorer.index.reads import ALL, Reads
from offchain.explorer.index.rows import ClaimedRow, Committee, EpochRow, EventRow, Page, Rewards, RootRow
from offchain.explorer.index.things import CANDIDATE, CYCLE, EPOCH
from offchain.types import Wei

MOST = 200
"""Roots and epochs that are shown, the newest."""


def read_rewards(reads: Reads, before: int | None, limit: int) -> Rewards:
    """Everything about rewards."""
    epochs = dict(reads.states(EPOCH, limit=MOST, newest_first=True))
    cycles: list[tuple[int, CycleState]] = reads.states(CYCLE, limit=MOST, newest_first=True)
    roots = [
        _root(cycle, posting, epochs.get(posting.epoch)) for _, cycle in cycles for posting in reversed(cycle.postings)
    ]
    roots.sort(key=lambda root: (root.posted_at, root.cycle), reverse=True)
    return Rewards(
        roots=tuple(roots),
        claims=_claims(reads, before, limit),
        committee=_committee(reads, epochs),
        held=_held(reads),
    )


def _root(cycle: CycleState, posting: PostingState, epoch: EpochState | None) -> RootRow:
    members = () if epoch is None else epoch.members
    return RootRow(
        cycle=cycle.cycle,
        root=posting.root,
        epoch=posting.epoch,
        signers=tuple(member for seat, member in enumerate(members) if posting.signers >> seat & 1),
        up_to=posting.up_to,
        settled_otherwise=posting.settled_otherwise,
        total=posting.total,
        accounts=posting.accounts,
        posted_at=posting.posted_at,
        effective_at=posting.effective_at,
        tx=posting.tx,
        refuter=posting.refuter,
        refuted_at=posting.refuted_at,
        wrong_step=posting.wrong_step,
        claims=posting.claims,
        claimed=posting.claimed,
    )


def _claims(reads: Reads, before: int | None, limit: int) -> Page[ClaimedRow]:
    kinds = [reads.decoder.kind_of["RewardTreasury", name] for name in ("RootClaimed", "RewardsClaimed")]
    values = (*kinds, ALL if before is None else before)
    found = list(reads.events("e.kind IN (?, ?) AND e.seq < ?", values, limit=limit + 1, newest_first=True))
    rows = tuple(_claim(event) for event in found[:limit])
    return Page(rows, rows[-1].seq if len(found) > limit else None)


def _claim(event: EventRow) -> ClaimedRow:
    said = event.arguments
    return ClaimedRow(event.seq, event.at, event.tx, said["account"], said.get("cycle"), Wei(said["amount"]))


def _committee(reads: Reads, epochs: dict[int, EpochState]) -> Committee:
    candidates: list[CandidateState] = [state for _, state in reads.states(CANDIDATE)]
    return Committee(
        candidates={one.account: one.stake for one in candidates if one.listed},
        endpoints={one.account: one.endpoint for one in candidates if one.endpoint},
        epochs=tuple(
            EpochRow(
                each.number, each.members, each.threshold, each.started_at, each.ends_at, each.suspended, each.slashed
            )
            for each in epochs.values()
        ),
    )


def _held(reads: Reads) -> Wei:
    number = reads.number_of(to_checksum_address(reads.decoder.address_of["RewardTreasury"]))
    return Wei(0 if number is None else reads.sums(number).get("balance", 0))
