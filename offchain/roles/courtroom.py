"""What validators and verifiers share before the courts: knowing the models, playing disputes, answering requests."""

from collections.abc import Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial

from offchain.chain.availability import Availability
from offchain.chain.client import BlockRef
from offchain.chain.views import Model
from offchain.dispute.solver import next_move
from offchain.roles.answering import Answering
from offchain.roles.answering_rules import AnsweringOptions
from offchain.roles.casebook import Casebook
from offchain.roles.context import RoleContext
from offchain.roles.examination import Finding, ModelFound, Trouble
from offchain.roles.order_view import OrderView
from offchain.roles.player import Player, Strategy
from offchain.roles.worker import Hands
from offchain.types import OrderId


class Courtroom:
    """A part of a worker: `collect` and `begin` before the orders, `advance` for each, `forget` when one is over."""

    def __init__(
        self,
        context: RoleContext,
        hands: Hands,
        *,
        slots: int = 1,
        executor: Executor | None = None,
        max_test_bytes: int,
        answering: AnsweringOptions | None = None,
        strategy: Strategy = next_move,
    ) -> None:
        """`executor` runs examinations and downloads; by default `slots` threads, and one for each download."""
        self._context = context
        self._hands = hands
        self._told: dict[tuple[OrderId, int | None], str] = {}
        self._owned: ThreadPoolExecutor | None = None
        fetcher = executor
        if executor is None:
            executor = self._owned = ThreadPoolExecutor(slots, "examine")
        self.casebook = Casebook(context, executor, fetcher=fetcher, max_test_bytes=max_test_bytes)
        self.player = Player(context, hands, self.casebook, strategy=strategy)
        self.requests = Availability(context.contracts)
        self.answering = Answering(context, hands, answering, court=self.requests, executor=fetcher)

    def begin(self, head: BlockRef) -> None:
        """Reads what is in dispute and what is asked for, as of `head`, the latest block."""
        self._hands.attempt(None, "disputes", partial(self.player.look, head), obligation=True)
        self._hands.attempt(None, "requests", self.answering.begin, obligation=True)

    def collect(self) -> None:
        """Takes what has been found out about models."""
        for oid, finding in self.casebook.collect():
            self._hands.note_action()
            self._report(oid, finding)

    def advance(self, view: OrderView) -> None:
        """Moves, and answers, in one order."""
        self._hands.attempt(view.oid, "defence", partial(self._study, view), obligation=True)
        self._hands.attempt(view.oid, "play", partial(self.player.play, view), obligation=True)
        self._hands.attempt(view.oid, "answers", partial(self.answering.advance, view), obligation=True)

    def has_news(self) -> bool:
        """Whether there is something to do although the chain stands where it stood."""
        return self.casebook.has_news() or self.answering.has_news()

    def orders(self) -> frozenset[OrderId]:
        """Orders with a clock of this participant's running."""
        return self.player.orders()

    def standing(self) -> dict[str, float]:
        """See `Loop.standing`."""
        return {"disputes_open": self.player.open_cases}

    @property
    def jobs(self) -> int:
        """Downloads and evaluations in the background."""
        return self.casebook.jobs

    def forget(self, oid: OrderId) -> None:
        """The order is over."""
        self.casebook.forget(oid)

    def close(self) -> None:
        """Ends what runs in the background."""
        self.casebook.close()
        self.answering.close()
        if self._owned is not None:
            self._owned.shutdown()

    def study(self, view: OrderView, models: Mapping[int, Model]) -> None:
        """See `Casebook.study`."""
        if self.casebook.study(view, models):
            self._hands.note_action()

    def _study(self, view: OrderView) -> None:
        """Looks at the models of the disputes in which it plays."""
        wanted = [index for index in self.player.models(view.oid) if self.casebook.found(view.oid, index) is None]
        if wanted:
            models = self._context.contracts.models(view.oid)
            self.study(view, {index: models[index] for index in wanted})

    def _report(self, oid: OrderId, finding: Finding) -> None:
        match finding:
            case ModelFound(index, _, score):
                self._hands.say(oid, "examined", model=index, score=score)
            case Trouble(index, error):
                if self._told.get((oid, index)) != str(error):
                    self._told[oid, index] = str(error)
                    about = "test set" if index is None else f"model {index}"
                    self._hands.say(oid, "trouble", topic=about, message=str(error))
