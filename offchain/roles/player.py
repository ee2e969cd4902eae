"""Playing disputes, as challenger and as defendant alike: a part of verifiers and validators.

A move follows from the chain and from what the casebook says of the model; nothing is remembered between two moves.
"""

from collections.abc import Callable
from functools import partial

from offchain.chain.client import BlockRef
from offchain.chain.court import Case, Court, in_play, of_order
from offchain.dispute.evidence import Evidence
from offchain.dispute.moves import Move, call_of
from offchain.dispute.solver import next_move
from offchain.dispute.state import Dispute, Posted, Side, Verdict
from offchain.roles.casebook import Casebook
from offchain.roles.context import RoleContext
from offchain.roles.order_view import OrderView
from offchain.roles.player_rules import Dismiss, MakeMove, TimeOut, dispute_action, side_of
from offchain.roles.worker import Hands
from offchain.types import OrderId

Strategy = Callable[[Dispute, Posted, Evidence, Side], Move | None]
"""How one plays: the next move, None for none."""


class Player:
    """One account's disputes. In the worker: `look` before the orders, `play` for each order."""

    def __init__(
        self, context: RoleContext, hands: Hands, casebook: Casebook, *, strategy: Strategy = next_move
    ) -> None:
        """`strategy`: how it plays; honestly unless somebody wants to see what happens to those who do not."""
        self._context = context
        self._hands = hands
        self._casebook = casebook
        self._strategy = strategy
        self._cases: tuple[Case, ...] = ()
        self.court = Court(context.contracts)

    def look(self, head: BlockRef) -> None:
        """Reads the disputes as of `head`, the latest block. Raises Retryable."""
        self._cases = self.court.look(head)

    def cases(self, oid: OrderId) -> tuple[Case, ...]:
        """The disputes of an order, open and closed."""
        return of_order(self._cases, oid)

    @property
    def open_cases(self) -> int:
        """How many disputes are open, whoever plays them."""
        return sum(case.is_open for case in self._cases)

    def orders(self) -> frozenset[OrderId]:
        """Orders with an open dispute in which this account plays."""
        me = self._context.account
        return frozenset(case.dispute.oid for case in self._cases if case.is_open and side_of(case, me) is not None)

    def models(self, oid: OrderId) -> tuple[int, ...]:
        """Models of the order about which this account has to know all, the most urgent first."""
        me = self._context.account
        mine = [case for case in self.cases(oid) if case.is_open and side_of(case, me) is not None]
        mine.sort(key=lambda case: (case.dispute.on_turn is not side_of(case, me), case.dispute.deadline))
        return tuple(dict.fromkeys(case.dispute.model_index for case in mine))

    def has_proven_any(self, oid: OrderId) -> bool:
        """Whether any score of the order was proven false, so that places have become free."""
        return any(case.dispute.verdict is Verdict.FALSE for case in self.cases(oid))

    def play(self, view: OrderView) -> None:
        """Makes the moves that are this account's to make, and ends what can be ended."""
        # the most urgent first: somebody may have opened many at once, and a trace of a large model takes seconds
        cases = sorted((case for case in self.cases(view.oid) if case.is_open), key=lambda case: case.dispute.deadline)
        for case, live in zip(cases, self.court.are_live(cases), strict=True):
            act = partial(self._act, view, case, live)
            self._hands.attempt(view.oid, f"dispute {case.id}", act, obligation=True)

    def _act(self, view: OrderView, case: Case, live: bool) -> None:
        match dispute_action(case, self._context.account, view.now, live=live):
            case MakeMove(side):
                self._move(view, case, side)
            case TimeOut():
                self._hands.send(f"time-out:{view.oid}:{case.id}", self.court.time_out(case.id))
            case Dismiss():
                self._hands.send(f"dismiss:{view.oid}:{case.id}", self.court.dismiss(case.id))

    def _move(self, view: OrderView, case: Case, side: Side) -> None:
        found = self._casebook.found(view.oid, case.dispute.model_index)
        if found is None:
            return  # being looked at
        # A defendant answers what the state says; only a challenger picks from what was posted.
        posted = self.court.posted(case) if side is Side.CHALLENGER else Posted()
        move = self._strategy(case.dispute, posted, found.evidence, side)
        if move is None:
            self._hands.say_once(view.oid, f"gave-up-{case.id}", side=side.name.lower())
            return
        word = call_of(move)[0]
        self._hands.send(
            f"{_hyphened(word)}:{view.oid}:{case.id}:{in_play(case.dispute)}", self.court.move(case.id, move)
        )


def _hyphened(word: str) -> str:
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in word)
