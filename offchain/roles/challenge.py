"""A challenge made by hand: is a validator's score true, and if not, a dispute about it, played to its end."""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from eth_typing import ChecksumAddress
from web3.contract.contract import ContractFunction

from offchain.chain.contracts import AssayContracts
from offchain.chain.court import Court, of_order
from offchain.chain.event_decoder import EventDecoder
from offchain.errors import Bug, Rejected
from offchain.protocol.lifecycle import Phase, phase_at
from offchain.protocol.scores import ABSTAIN
from offchain.roles.context import RoleContext
from offchain.roles.courtroom import Courtroom
from offchain.roles.examination import (
    Examination,
    Finding,
    ModelFiles,
    ModelFound,
    TestData,
    Trouble,
    examine,
    fetch_model,
    fetch_test,
)
from offchain.roles.funding import require_verifier_bond
from offchain.roles.jobs import ShouldStop
from offchain.roles.order_view import OrderView, order_limits
from offchain.roles.validations import read_validations
from offchain.roles.verifier_rules import Challenge, Validation, is_about
from offchain.roles.worker import Worker
from offchain.storage.store import Store
from offchain.types import OrderId

MAX_TEST_BYTES = 2**29

Wanted = TypeVar("Wanted")


@dataclass(frozen=True, slots=True)
class Judgement:
    """A revealed score held against the true one."""

    validation: Validation
    true: int

    @property
    def is_false(self) -> bool:
        """Whether a challenge would win."""
        return self.validation.score != self.true


def view_order(contracts: AssayContracts, oid: OrderId) -> OrderView:
    """The order as it stands. Raises ContractRejected when there is none."""
    now = contracts.client.now()
    order, facts = contracts.order(oid), contracts.facts(oid)
    return OrderView(oid, order, facts, phase_at(order.windows, facts, now), now)


def judge(context: RoleContext, view: OrderView, validator: ChecksumAddress, only: int | None) -> list[Judgement]:
    """Scores the models that `validator` has scored (or `only` that one) and compares.

    Raises Rejected when there is nothing to challenge, or a model or the test set is no good; Retryable when they
    cannot be had now.
    """
    disputable = _disputable(context, view, validator, only)
    scorer = Scorer(context.contracts, context.store, view)
    return [Judgement(validation, scorer.score(validation.model_index)) for validation in disputable]


class Scorer:
    """Scores an order's models anew, from what the store has of them."""

    def __init__(
        self, contracts: AssayContracts, store: Store, view: OrderView, should_stop: ShouldStop = lambda: False
    ) -> None:
        """Fetches the test set. Raises Rejected when it is no good, or not released; Retryable when it is not there."""
        self._store = store
        self._view = view
        self._should_stop = should_stop
        self.models = contracts.models(view.oid)
        found: list[Finding] = []
        size = view.order.terms.input_size
        fetch_test(store, contracts.test_set(view.oid), size, MAX_TEST_BYTES, found.append, should_stop)
        self._test = _last(found, TestData)

    def score(self, index: int) -> int:
        """The true sum of a model. Raises Rejected when it is no good, or told to stop; Retryable."""
        found: list[Finding] = []
        model, limits = self.models[index], order_limits(self._view)
        fetch_model(self._store, index, model, limits, found.append, self._should_stop)
        parcel = _last(found, ModelFiles).parcel
        task = Examination(index, parcel, model.model_root, limits, self._view.order.terms.score_function, self._test)
        examine(task, found.append, self._should_stop)
        if isinstance(found[-1], ModelFiles):
            raise Rejected(f"model {index}: stopped before its score was known")
        return _last(found, ModelFound).score


def _disputable(
    context: RoleContext, view: OrderView, validator: ChecksumAddress, only: int | None
) -> tuple[Validation, ...]:
    """What stands in the validator's places and can be challenged now. Raises Rejected when there is nothing."""
    oid = view.oid
    if view.phase != Phase.CHALLENGE:
        raise Rejected(f"order {oid} is {view.phase.label}; scores can be challenged in its challenge window only")
    said = [item for item in read_validations(context.contracts, oid) if item.validator == validator]
    if not said:
        raise Rejected(f"VALIDATOR {validator}: has revealed no scores of order {oid}; see `assay show {oid}`")
    if only is not None and only >= len(said):
        raise Rejected(f"--model {only}: order {oid} has models 0 to {len(said) - 1}")
    found = tuple(item for item in said if item.live and only in (None, item.model_index))
    if not found:
        which = "" if only is None else f" of model {only}"
        raise Rejected(f"VALIDATOR {validator}: no score{which} that counts in order {oid}; see `assay show {oid}`")
    return found


@dataclass(frozen=True, slots=True)
class Opening:
    """A challenge that can be made: its key, the same as a verifier's, so that whichever comes first there is one
    dispute; and its call."""

    key: str
    call: ContractFunction


def prepare_challenge(
    contracts: AssayContracts, view: OrderView, me: ChecksumAddress, judged: Judgement, *, take_place: bool
) -> Opening | int:
    """How to open a dispute; or the number of the one that `me` has open about this score.

    `take_place`: whether the true score takes the place of the false one. Raises Rejected when the bond does not
    suffice, Retryable when the node is down.
    """
    court, accused = Court(contracts), judged.validation
    cases = of_order(court.look(contracts.client.head()), view.oid)
    mine = [case for case in cases if is_about(case, accused) and case.dispute.challenger == me]
    if mine and mine[-1].is_open:
        return mine[-1].id
    stake = view.order.challenge_stake
    require_verifier_bond(contracts, me, stake, "a challenge")
    counter = judged.true if take_place else ABSTAIN
    wanted = Challenge(view.oid, accused, counter, stake, view.now, len(mine) + 1)
    return Opening(wanted.keys[0], court.challenge(view.oid, accused.validator, accused.model_index, counter))


def open_challenge(context: RoleContext, view: OrderView, judged: Judgement, *, take_place: bool) -> int:
    """Opens a dispute and waits until it is final; its number, also if this account has opened it before.

    Raises like `prepare_challenge`, and ContractRejected when the court refuses.
    """
    opening = prepare_challenge(context.contracts, view, context.account, judged, take_place=take_place)
    if isinstance(opening, int):
        return opening
    receipt = context.sender.send(opening.key, opening.call)
    decoder = EventDecoder.of(context.contracts.addresses)
    events = [decoder.decode(log) for log in receipt.logs]
    opened = next((event for event in events if event is not None and event.name == "Opened"), None)
    if opened is None:
        raise Bug("a dispute was opened without its event")
    return int(opened.arguments["id"])


class DisputePlayer(Worker):
    """Plays the disputes of one account in one order until one of them is decided, and does nothing else."""

    role: ClassVar[str] = "verifier"

    def __init__(self, context: RoleContext, oid: OrderId, number: int, *, executor: Executor | None = None) -> None:
        """`executor` runs downloads and examinations; by default threads of the worker's own."""
        super().__init__(context)
        self._oid = oid
        self._number = number
        self._courtroom = Courtroom(context, self._hands, executor=executor, max_test_bytes=MAX_TEST_BYTES)

    def close(self) -> None:
        """Ends what runs in the background."""
        self._courtroom.close()

    @property
    def is_done(self) -> bool:
        """Whether the dispute is decided, and nothing is on its way."""
        cases = self._courtroom.player.cases(self._oid)
        return any(case.id == self._number and not case.is_open for case in cases) and not self.in_flight

    def _has_news(self) -> bool:
        return self._courtroom.has_news() or super()._has_news()

    def _obligations(self) -> frozenset[OrderId]:
        return frozenset({self._oid})

    def _prepare(self) -> None:
        self._courtroom.collect()
        self._courtroom.begin(self._board.head)

    def _is_over(self, view: OrderView) -> bool:
        return view.oid != self._oid

    def _advance(self, view: OrderView) -> None:
        self._courtroom.advance(view)


def _last(found: Sequence[Finding], kind: type[Wanted]) -> Wanted:
    """What the last job has found; raises what was in its way."""
    finding = found[-1]
    if isinstance(finding, Trouble):
        raise finding.error
    if not isinstance(finding, kind):
        raise Bug(f"a {type(finding).__name__} where a {kind.__name__} was expected")
    return finding
