"""A challenge made by hand: is a validator's score true, and if not, a dispute about it, played to its end."""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from eth_typing import ChecksumAddress

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
from offchain.roles.order_view import OrderView, order_limits
from offchain.roles.validations import read_validations
from offchain.roles.verifier_rules import Challenge, Validation, is_about
from offchain.roles.worker import Worker
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


def view_order(context: RoleContext, oid: OrderId) -> OrderView:
    """The order as it stands. Raises ContractRejected when there is none."""
    contracts, now = context.contracts, context.client.now()
    order, facts = contracts.order(oid), contracts.facts(oid)
    return OrderView(oid, order, facts, phase_at(order.windows, facts, now), now)


def judge(context: RoleContext, view: OrderView, validator: ChecksumAddress, only: int | None) -> list[Judgement]:
    """Scores the models that `validator` has scored (or `only` that one) and compares.

    Raises Rejected when there is nothing to challenge, or a model or the test set is no good; Retryable when they
    cannot be had now.
    """
    disputable = _disputable(context, view, validator, only)
    contracts, oid = context.contracts, view.oid
    models, limits = contracts.models(oid), order_limits(view)
    found: list[Finding] = []
    size = view.order.terms.input_size
    fetch_test(context.store, contracts.test_set(oid), size, MAX_TEST_BYTES, found.append, _never)
    test = _last(found, TestData)
    judged: list[Judgement] = []
    for validation in disputable:
        index = validation.model_index
        model = models[index]
        fetch_model(context.store, index, model, limits, found.append, _never)
        parcel = _last(found, ModelFiles).parcel
        task = Examination(index, parcel, model.model_root, limits, view.order.terms.score_function, test)
        examine(task, found.append, _never)
        judged.append(Judgement(validation, _last(found, ModelFound).score))
    return judged


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


def open_challenge(context: RoleContext, view: OrderView, judged: Judgement, *, take_place: bool) -> int:
    """Opens a dispute and waits until it is final; its number, also if this account has opened it before.

    `take_place`: whether the true score takes the place of the false one. Raises Rejected when the bond does not
    suffice, ContractRejected when the court refuses.
    """
    contracts, me, accused = context.contracts, context.account, judged.validation
    court = Court(contracts)
    cases = of_order(court.look(context.client.head()), view.oid)
    mine = [case for case in cases if is_about(case, accused) and case.dispute.challenger == me]
    if mine and mine[-1].is_open:
        return mine[-1].id
    stake = view.order.challenge_stake
    require_verifier_bond(contracts, me, stake, "a challenge")
    counter = judged.true if take_place else ABSTAIN
    wanted = Challenge(view.oid, accused, counter, stake, view.now, len(mine) + 1)
    # The same key as a verifier's: whichever of the two comes first, there is one dispute.
    call = court.challenge(view.oid, accused.validator, accused.model_index, counter)
    receipt = context.sender.send(wanted.keys[0], call)
    decoder = EventDecoder.of(contracts.addresses)
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


def _never() -> bool:
    return False


def _last(found: Sequence[Finding], kind: type[Wanted]) -> Wanted:
    """What the last job has found; raises what was in its way."""
    finding = found[-1]
    if isinstance(finding, Trouble):
        raise finding.error
    if not isinstance(finding, kind):
        raise Bug(f"a {type(finding).__name__} where a {kind.__name__} was expected")
    return finding
