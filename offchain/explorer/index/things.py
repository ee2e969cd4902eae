"""The kinds of things that events are folded into, and what of each is kept beside its state to find and count it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from eth_typing import ChecksumAddress

from offchain.chain.enums import Role
from offchain.explorer.index.folds.court import fold_dispute, fold_request
from offchain.explorer.index.folds.order import OrderState, fold_order
from offchain.explorer.index.folds.reward import (
    CandidateState,
    CycleState,
    EpochState,
    fold_candidate,
    fold_cycle,
    fold_epoch,
)
from offchain.explorer.index.folds.stake import BondState, ParametersState, fold_bond, fold_parameters
from offchain.explorer.index.folds.task import TaskState, fold_game, fold_task
from offchain.explorer.index.rows import EventRow, GameRow
from offchain.explorer.index.rows_orders import DisputeRow, RequestRow

Key = int | ChecksumAddress | tuple[ChecksumAddress, Role]
Sums = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Shelf:
    """`parent`: the order of a dispute, say. `open`: whether anything can still happen to it. `brief`: as JSON values,
    what a list needs, where the state is large."""

    parent: int | None = None
    open: bool = False
    brief: list[Any] | None = None


PLAIN = Shelf()
NOTHING: Sums = {}


@dataclass(frozen=True, slots=True)
class Thing:
    """A kind of thing. `fold` gets its key, its state (None before its first event) and an event about it.

    `sums`: what it adds to the network's sums while its state is this one.
    """

    table: str
    state: type
    fold: Callable[[Any, Any, EventRow], Any]
    shelf: Callable[[Any], Shelf] = lambda _state: PLAIN
    sums: Callable[[Any, Any], Sums] = lambda _key, _state: NOTHING


def _order_shelf(state: OrderState) -> Shelf:
    order, facts, seal = state.order, state.facts, state.seal
    windows = order.windows
    won = seal is not None and seal.outcome.name == "WON"
    brief = [
        [order.client, order.terms.reward, int(order.terms.score_function), order.terms.manifest_cid.hex()],
        [windows.start, windows.train, windows.reveal, windows.validate, windows.challenge],
        [
            facts.cancelled,
            facts.is_sealed,
            facts.test_released,
            facts.claims,
            facts.reveals,
            facts.score_commits,
            facts.score_reveals,
            facts.open_disputes,
            facts.challenge_until,
        ],
        None if seal is None else int(seal.outcome),
        [seal.winner, seal.score, state.samples] if seal is not None and won else None,
    ]
    return Shelf(None if seal is None or not seal.sequence else seal.sequence, not state.ended, brief)


def _order_sums(_key: Key, state: OrderState) -> Sums:
    seal = state.seal
    reward = state.order.terms.reward
    sums = {"orders": 1, "rewards put": reward}
    if not state.ended:
        sums["escrow"] = reward
    if seal is not None:
        sums[f"outcome {int(seal.outcome)}"] = 1
        sums["tax"] = seal.tax
    if state.cancelled:
        sums["cancelled"] = 1
    return sums


def _dispute_sums(_key: Key, state: DisputeRow) -> Sums:
    return {"disputes": 1, "open disputes" if state.closed_at is None else f"verdict {int(state.verdict)}": 1}


def _request_sums(_key: Key, state: RequestRow) -> Sums:
    return {"requests": 1, "open requests": int(state.ended_at is None)}


def _bond_shelf(state: BondState) -> Shelf:
    return Shelf(None, state.bonded > 0)


def _bond_sums(key: tuple[ChecksumAddress, Role], state: BondState) -> Sums:
    return {f"bonded {int(key[1])}": state.bonded, f"locked {int(key[1])}": state.locked}


def _task_sums(_key: Key, state: TaskState) -> Sums:
    return {"tasks": 1, "open tasks": int(not state.over), "federated paid": state.paid}


def _cycle_shelf(state: CycleState) -> Shelf:
    standing = state.standing
    if standing is None:
        return PLAIN
    return Shelf(standing.up_to, True, [standing.effective_at])


ORDER = Thing("orders", OrderState, lambda _key, state, event: fold_order(state, event), _order_shelf, _order_sums)
DISPUTE = Thing(
    "disputes",
    DisputeRow,
    lambda _key, state, event: fold_dispute(state, event),
    lambda state: Shelf(state.oid, state.closed_at is None),
    _dispute_sums,
)
REQUEST = Thing(
    "requests",
    RequestRow,
    lambda _key, state, event: fold_request(state, event),
    lambda state: Shelf(state.oid, state.ended_at is None),
    _request_sums,
)
BOND = Thing("bonds", BondState, lambda _key, state, event: fold_bond(state, event), _bond_shelf, _bond_sums)
CYCLE = Thing("cycles", CycleState, fold_cycle, _cycle_shelf)
EPOCH = Thing("epochs", EpochState, lambda _key, state, event: fold_epoch(state, event))
CANDIDATE = Thing("candidates", CandidateState, fold_candidate, lambda state: Shelf(None, state.stake > 0))
PARAMETERS = Thing("parameters", ParametersState, lambda _key, state, event: fold_parameters(state, event))
TASK = Thing(
    "tasks",
    TaskState,
    lambda _key, state, event: fold_task(state, event),
    lambda state: Shelf(None, not state.over),
    _task_sums,
)
GAME = Thing(
    "games",
    GameRow,
    lambda _key, state, event: fold_game(state, event),
    lambda state: Shelf(state.task, state.closed_at is None),
    lambda _key, _state: {"games": 1},
)
THINGS = (ORDER, DISPUTE, REQUEST, BOND, CYCLE, EPOCH, CANDIDATE, PARAMETERS, TASK, GAME)
"""All of them."""
