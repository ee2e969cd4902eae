"""Asking for what cannot be had, and drawing the consequences: a part of the verifier."""

from collections.abc import Iterable, Sequence
from functools import partial

from offchain.chain.availability import Asked, Availability, of_order
from offchain.chain.client import BlockRef
from offchain.chain.enums import Role
from offchain.chain.views import Model
from offchain.dispute.locating import Shown
from offchain.dispute.requests import RequestStatus, Target, describe_target, is_of_test
from offchain.errors import Retryable
from offchain.roles.asking_rules import Absence, is_time_to_ask, may_end, next_target, voided_by
from offchain.roles.casebook import Casebook
from offchain.roles.context import RoleContext
from offchain.roles.order_view import OrderView
from offchain.roles.verifier_rules import SlashVoid, Validation, void_slashes
from offchain.roles.worker import Hands
from offchain.types import OrderId


class Asking:
    """In the worker: `look` before the orders; for each order `ask` while it can be studied, and `end` always."""

    def __init__(
        self, context: RoleContext, hands: Hands, court: Availability, casebook: Casebook, *, budget: int
    ) -> None:
        """`budget`: requests for one order at most."""
        self._context = context
        self._hands = hands
        self._court = court
        self._casebook = casebook
        self._budget = budget
        self._asked: tuple[Asked, ...] = ()

    def look(self, head: BlockRef) -> None:
        """Reads what is asked for, by anybody, as of `head`, the latest block. Raises Retryable."""
        self._asked = self._court.look(head)

    def orders(self) -> frozenset[OrderId]:
        """Orders about which this account has an open request."""
        me = self._context.account
        return frozenset(one.request.target.oid for one in self._asked if one.is_open and one.request.asker == me)

    def ask(self, view: OrderView, models: Sequence[Model], validations: Sequence[Validation], samples: int) -> None:
        """Asks for leaves of what is missing, and has the validations of void models slashed."""
        asked, me = of_order(self._asked, view.oid), self._context.account
        scored = {item.model_index for item in validations if item.live}
        for absence in self._absences(view.oid, len(models)):
            index = absence.model_index
            claimed = bool(scored) if index is None else index in scored
            if is_time_to_ask(view, absence, scored=claimed, thin=self._is_thin(view)):
                act = partial(self._ask_about, view, absence, asked, samples)
                self._hands.attempt(view.oid, f"request {index}", act, obligation=True)
        for slash in void_slashes(validations, voided_by(asked, me)):
            self._hands.attempt(view.oid, f"slash {slash}", partial(self._slash, view, slash))

    def end(self, view: OrderView) -> None:
        """Expires what nobody has shown in time, and dismisses what is void already."""
        open_ones = [one for one in of_order(self._asked, view.oid) if one.is_open]
        for one, void in zip(open_ones, self._are_void(open_ones), strict=True):
            if void or may_end(one, self._context.account, view.now):
                self._hands.attempt(view.oid, f"request {one.id}", partial(self._end, view, one, void), obligation=True)

    def _is_thin(self, view: OrderView) -> bool:
        """Whether losing one more bond would leave less than a verifier must have."""
        contracts = self._context.contracts
        bonded = contracts.bond(self._context.account, Role.VERIFIER).bonded
        return bonded - view.order.request_bond < contracts.protocol_parameters().verifier_minimum

    def _absences(self, oid: OrderId, models: int) -> Iterable[Absence]:
        for index in (None, *range(models)):
            trouble = self._casebook.trouble(oid, index)
            if trouble is not None:
                final = not isinstance(trouble.error, Retryable)
                yield Absence(index, self._casebook.tries(oid, index), final, trouble.fault, trouble.files)

    def _ask_about(self, view: OrderView, absence: Absence, asked: Sequence[Asked], samples: int) -> None:
        target = next_target(
            view,
            absence,
            asked,
            self._context.account,
            samples=samples,
            budget=self._budget,
            shown=self._shown(absence, asked),
        )
        if target is not None:
            self._request(view, target)

    def _shown(self, absence: Absence, asked: Sequence[Asked]) -> list[Shown]:
        """What answers have shown of a model whose files are of another one."""
        if absence.files is None:
            return []
        about = [one for one in asked if one.request.target.model_index == absence.model_index]
        answered = [one for one in about if one.request.status is RequestStatus.ANSWERED]
        found = [self._court.shown(one) for one in answered if not is_of_test(one.request.target)]
        return [shown for shown in found if shown is not None]

    def _request(self, view: OrderView, target: Target) -> None:
        place = f"{target.model_index}:{target.node}:{target.unit}:{target.chunk}"
        self._hands.send(f"request:{view.oid}:{target.item}:{place}", self._court.request(target))
        self._hands.say_once(view.oid, f"asking for {describe_target(target)}")

    def _slash(self, view: OrderView, slash: SlashVoid) -> None:
        function = self._context.contracts.proof.functions.slashVoidValidation
        key = f"slash-void:{view.oid}:{slash.validator}:{slash.model_index}"
        self._hands.send(key, function(view.oid, slash.validator, slash.model_index))

    def _end(self, view: OrderView, one: Asked, void: bool) -> None:
        if not void:
            self._hands.send(f"expire:{view.oid}:{one.key}", self._court.expire(one.id))
        elif one.request.asker == self._context.account:
            self._hands.send(f"dismiss-request:{view.oid}:{one.key}", self._court.dismiss(one.id))

    def _are_void(self, asked: Sequence[Asked]) -> list[bool]:
        functions = self._context.contracts.proof.functions
        targets = [one.request.target for one in asked]
        return self._context.contracts.read_many(
            [
                functions.isTestVoid(target.oid)
                if is_of_test(target)
                else functions.isVoid(target.oid, target.model_index)
                for target in targets
            ]
        )
