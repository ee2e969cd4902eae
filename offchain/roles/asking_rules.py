"""Which leaf a verifier asks for when a model or a test set cannot be had, or is malformed, and when. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from eth_typing import ChecksumAddress
from eth_utils.crypto import keccak

from offchain.chain.availability import Asked
from offchain.dispute.locating import Shown, next_leaves
from offchain.dispute.requests import Item, RequestStatus, Target, is_of_test
from offchain.model.blobs import chunk_count
from offchain.model.roots import ModelTree
from offchain.model.validation import Fault
from offchain.protocol.lifecycle import Phase
from offchain.roles.order_view import OrderView
from offchain.types import OrderId

PATIENT_TRIES = 3
"""How often something is looked for in the store before it is asked for on chain."""

BYSTANDERS_PATIENCE = 120
"""Seconds for which those who did not ask leave it to the asker to end a request."""

_ITEMS = {"header": Item.HEADER, "node": Item.NODE, "unit": Item.UNIT}


@dataclass(frozen=True, slots=True)
class Absence:
    """What is missing or no good: a model, or the test set (None).

    tries: how often it was looked for. final: looking again is of no use. fault: the leaf that breaks a rule, if found.
    files: the tree of the files that are there, if they are of another model.
    """

    model_index: int | None
    tries: int
    final: bool
    fault: Fault | None = None
    files: ModelTree | None = None


def is_time_to_ask(view: OrderView, absence: Absence, *, scored: bool, thin: bool = False) -> bool:
    """Whether to ask about it now. `scored`: somebody claims to have evaluated the model, or any for the test set.

    A model that nobody has scored cannot win. A test set that nobody can have makes its providers' work worthless, so
    that is not left until there are scores. Nothing is asked for in a window that was stretched.

    `thin`: an answer, which costs the bond, would leave too little to challenge anything; so challenges come first, but
    for a leaf that nobody can show.
    """
    windows = view.order.windows
    if (not absence.final and absence.tries < PATIENT_TRIES) or view.now >= windows.challenge_end:
        return False
    if absence.model_index is None and view.phase in (Phase.SCORE_COMMIT, Phase.SCORE_REVEAL):
        return view.now >= windows.reveal_end + (windows.score_commit_end - windows.reveal_end) // 4
    if thin and absence.fault is None and view.now < (windows.score_reveal_end + windows.challenge_end) // 2:
        return False
    return view.phase == Phase.CHALLENGE and scored


def next_target(
    view: OrderView,
    absence: Absence,
    asked: Sequence[Asked],
    me: ChecksumAddress,
    *,
    samples: int,
    budget: int,
    shown: Sequence[Shown] = (),
) -> Target | None:
    """The leaf to ask for now, if any.

    asked: all requests about the order; budget: how many may be mine; shown: what was answered about the model so far.
    """
    about = [one for one in asked if _model_of(one.request.target) == absence.model_index]
    if any(one.request.status is not RequestStatus.ANSWERED for one in about):
        return None  # a clock is running, or it is void already
    if sum(one.request.asker == me for one in asked) >= budget:
        return None
    known = {one.request.target for one in about}
    wanted = chain(
        _exactly(view.oid, absence),
        _different(view.oid, absence, shown),
        _somewhere(view, absence.model_index, me, samples),
    )
    return next((target for target in wanted if target not in known), None)


def _model_of(target: Target) -> int | None:
    return None if is_of_test(target) else target.model_index


def _exactly(oid: OrderId, absence: Absence) -> Iterator[Target]:
    """The leaf that is known to be at fault."""
    index, fault = absence.model_index, absence.fault
    if index is not None and fault is not None:
        yield Target(oid, _ITEMS[fault.leaf], index, fault.node, fault.unit)


def _different(oid: OrderId, absence: Absence, shown: Sequence[Shown]) -> Iterator[Target]:
    """Where the committed model differs from the files that are there."""
    if absence.model_index is not None and absence.files is not None:
        yield from next_leaves(oid, absence.model_index, absence.files, shown)


def _somewhere(view: OrderView, index: int | None, me: ChecksumAddress, samples: int) -> Iterator[Target]:
    """Leaves that whoever holds the data can show; of a test set, anywhere in it."""
    oid = view.oid
    if index is not None:
        yield Target(oid, Item.HEADER, index)
        yield Target(oid, Item.NODE, index)
        yield Target(oid, Item.UNIT, index)
        yield Target(oid, Item.WEIGHTS, index)
        return
    last = chunk_count(view.order.terms.input_size) - 1
    # A sample of another size fits at one end of its chunks at most.
    for chunk in dict.fromkeys((last, 0)):
        yield Target(oid, Item.SAMPLE, unit=_drawn(me, oid, 0, samples), chunk=chunk)
    for turn in range(1, samples):
        yield Target(oid, Item.SAMPLE, unit=_drawn(me, oid, turn, samples), chunk=last)


def _drawn(me: ChecksumAddress, oid: OrderId, turn: int, count: int) -> int:
    """One of `count` that nobody else chooses; the same after a restart."""
    return int.from_bytes(keccak(text=f"{me}:{oid}:{turn}"), "big") % max(count, 1)


def voided_by(asked: Iterable[Asked], me: ChecksumAddress) -> frozenset[int]:
    """Models that are void because this account's request was not answered: it has a share of their validations."""
    return frozenset(
        one.request.target.model_index
        for one in asked
        if one.request.asker == me
        and one.request.status is RequestStatus.EXPIRED
        and not is_of_test(one.request.target)
    )


def may_end(one: Asked, me: ChecksumAddress, now: int) -> bool:
    """Whether `me` ends a request that nobody has answered in time: the asker at once, others after a while."""
    patience = 0 if one.request.asker == me else BYSTANDERS_PATIENCE
    return one.is_open and now >= one.request.deadline + patience
