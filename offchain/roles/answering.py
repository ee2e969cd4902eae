"""Answering requests for data (docs/dispute.md, withheld and malformed data): a part of a worker that holds some.

A provider holds its models, a validator what it has scored, a client its test set, and all of them what their store
gives. Fetching and hashing run in the background; only calls and what is said happen in the worker's thread.
"""

from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from threading import Lock

from offchain.chain.availability import Asked, Availability, answerable, of_order
from offchain.chain.views import Model, TestSet
from offchain.dispute.answers import Answer, answer_from_model, answer_from_test
from offchain.dispute.requests import Target, describe_target, is_of_test
from offchain.errors import Rejected, Retryable
from offchain.model.limits import ModelLimits
from offchain.model.roots import ModelTree, SampleTree
from offchain.roles.answering_rules import AnsweringOptions, Interest, is_worth, turn
from offchain.roles.context import RoleContext
from offchain.roles.order_view import OrderView, order_limits
from offchain.roles.package import unpack
from offchain.roles.scoring import fetch_test_set
from offchain.roles.worker import Hands
from offchain.storage.store import Store
from offchain.types import OrderId, Root, Wei

MAX_TEST_BYTES = 2**29
"""The largest test set that is fetched to answer from."""


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where an order's data is, as the chain says: `model` that a target names, or the `test` set."""

    model: Model | None
    test: TestSet
    limits: ModelLimits
    input_size: int


class Library:
    """What a store holds of models and test sets, as trees. Keeps the last of each: requests come in bunches."""

    def __init__(self, store: Store, *, max_test_bytes: int = MAX_TEST_BYTES) -> None:
        self._store = store
        self._max_test_bytes = max_test_bytes
        self._lock = Lock()
        self._model: tuple[Root, ModelTree] | None = None
        self._test: tuple[Root, int, SampleTree] | None = None

    def answer(self, target: Target, where: Whereabouts) -> Answer:
        """The answer to a request for `target`.

        Raises Retryable when the store cannot give the data now, Rejected when what it gives is malformed or another.
        """
        with self._lock:
            if is_of_test(target):
                tree = self._test_tree(where.test, where.input_size)
                return answer_from_test(target, tree, samples=where.test.sample_count, input_size=where.input_size)
            if where.model is None:
                raise Rejected(f"order {target.oid} has no model {target.model_index}")
            return answer_from_model(target, self._model_tree(where.model, where.limits))

    def _model_tree(self, model: Model, limits: ModelLimits) -> ModelTree:
        if self._model is None or self._model[0] != model.model_root:
            self._model = None
            network = unpack(self._store, model.cid, model.model_root, limits)
            self._model = (model.model_root, ModelTree(network))
        return self._model[1]

    def _test_tree(self, test: TestSet, input_size: int) -> SampleTree:
        # A client may commit to samples of another size than it says; those have no chunks where one is asked for.
        if self._test is None or self._test[:2] != (test.root, input_size):
            self._test = None
            data = fetch_test_set(self._store, test, max_bytes=self._max_test_bytes, input_size=input_size)
            self._test = (test.root, input_size, SampleTree(data.inputs, data.labels))
        return self._test[2]


class Answering:
    """Answers open requests of the orders that a worker looks at.

    In the worker: `begin()` in `_prepare`, `advance(view)` in `_advance`, `or has_news()` in `_has_news`, `close()` in
    `close`. All but `close` raise Retryable when the node is down.
    """

    def __init__(
        self,
        context: RoleContext,
        hands: Hands,
        options: AnsweringOptions | None = None,
        *,
        court: Availability | None = None,
        store: Store | None = None,
        executor: Executor | None = None,
    ) -> None:
        """`court`: if the worker reads it anyway. `store`: what is answered from; by default that of `context`.

        `executor` fetches and hashes; by default a thread of its own.
        """
        self._context = context
        self._hands = hands
        self._options = options or AnsweringOptions()
        self._court = court or Availability(context.contracts)
        self._library = Library(store or context.store)
        self._owned: ThreadPoolExecutor | None = None
        if executor is None:
            executor = self._owned = ThreadPoolExecutor(1, "answer")
        self._executor = executor
        self._work: dict[str, Future[Answer]] = {}
        self._asked: tuple[Asked, ...] = ()
        self._gas_price = Wei(0)

    def begin(self) -> None:
        """Reads what is asked for."""
        self._asked = tuple(one for one in self._court.look() if one.is_open)
        if self._asked:
            self._gas_price = Wei(int(self._context.client.request("eth_gasPrice"), 16))
        keys = {one.key for one in self._asked}
        for key in [key for key in self._work if key not in keys]:
            self._work.pop(key).cancel()

    def concerns(self, oid: OrderId) -> bool:
        """Whether anything of the order is asked for."""
        return bool(of_order(self._asked, oid))

    def has_news(self) -> bool:
        """Whether an answer is ready to be sent."""
        return any(future.done() for future in self._work.values())

    def advance(self, view: OrderView) -> None:
        """Prepares the answers that are this participant's to give, and sends those that are ready."""
        for one in answerable(of_order(self._asked, view.oid), view.now):
            topic = f"answer {one.id}"
            self._hands.attempt(view.oid, topic, partial(self._answer, view, one), obligation=True)

    def close(self) -> None:
        """Ends what runs in the background."""
        for future in self._work.values():
            future.cancel()
        if self._owned is not None:
            self._owned.shutdown()

    def _answer(self, view: OrderView, one: Asked) -> None:
        if one.key not in self._work:
            if self._is_mine_now(view, one):
                where = self._whereabouts(view, one.request.target)
                self._work[one.key] = self._executor.submit(self._library.answer, one.request.target, where)
                self._hands.note_action()
            return
        future = self._work[one.key]
        if not future.done():
            return
        try:
            answer = future.result()
        except (Retryable, Rejected):
            # asked for again after a pause; what is malformed now may have been half there
            del self._work[one.key]
            raise
        self._hands.send(f"answer:{view.oid}:{one.key}", self._court.answer(one.id, answer))
        self._hands.say_once(view.oid, f"answering {one.id}", leaf=describe_target(one.request.target))

    def _is_mine_now(self, view: OrderView, one: Asked) -> bool:
        interest = self._interest(view, one.request.target)
        if view.now < turn(interest, one.request, view.order.move_seconds):
            return False
        return is_worth(interest, one.request.bond, self._gas_price, self._options)

    def _interest(self, view: OrderView, target: Target) -> Interest:
        contracts, me = self._context.contracts, self._context.account
        if is_of_test(target):
            if view.order.client == me:
                return Interest.OWN
            plays = contracts.sheet(view.oid, me).locked or contracts.claim(view.oid, me).revealed
            return Interest.STAKED if plays else Interest.BOND
        models = contracts.models(view.oid)
        if target.model_index < len(models) and models[target.model_index].provider == me:
            return Interest.OWN
        return Interest.STAKED if contracts.sheet(view.oid, me).locked else Interest.BOND

    def _whereabouts(self, view: OrderView, target: Target) -> Whereabouts:
        contracts = self._context.contracts
        models = () if is_of_test(target) else contracts.models(view.oid)
        model = models[target.model_index] if target.model_index < len(models) else None
        return Whereabouts(model, contracts.test_set(view.oid), order_limits(view), view.order.terms.input_size)
