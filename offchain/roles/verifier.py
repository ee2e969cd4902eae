"""The verifier: scores every revealed model anew, challenges what is false, and plays every dispute to its end.

It refutes false roots of rewards, too.
"""

from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from eth_typing import ChecksumAddress

from offchain.chain.enums import Role
from offchain.chain.rewards import Rewards
from offchain.dispute.gain import Prices
from offchain.protocol.lifecycle import ENDED, Phase
from offchain.roles.answering_rules import AnsweringOptions
from offchain.roles.asking import Asking
from offchain.roles.context import RoleContext
from offchain.roles.courtroom import Courtroom
from offchain.roles.order_view import OrderView
from offchain.roles.reward_watch import RewardWatch
from offchain.roles.validations import read_validations, taken_places
from offchain.roles.verifier_rules import (
    Challenge,
    affordable,
    can_be_studied,
    challenges,
    is_undecided,
    study_order,
)
from offchain.roles.worker import Worker
from offchain.types import OrderId, Ppm, Wei

AT_PAR = Ppm(1_000_000)


@dataclass(frozen=True, slots=True)
class VerifierOptions:
    """What a verifier can and wants. Sizes in bytes.

    `slots`: models it examines at once. `requests`: leaves it asks for in one order at most. `always`: to challenge
    what is false even where it doesn't pay. `coin_price_ppm`: wei of the token that one wei of the chain's coin is
    worth, in millionths.
    """

    slots: int = 2
    requests: int = 8
    always: bool = False
    coin_price_ppm: Ppm = AT_PAR
    max_test_bytes: int = 2**29
    poll_seconds: float | None = None


class VerifierWorker(Worker):
    """One verifier. See `verifier_rules` for what it challenges, `player_rules` for how disputes go on."""

    role: ClassVar[str] = "verifier"

    def __init__(
        self, context: RoleContext, options: VerifierOptions | None = None, *, executor: Executor | None = None
    ) -> None:
        """`executor` runs downloads and examinations; by default threads of the worker's own."""
        self._options = options or VerifierOptions()
        super().__init__(context, poll_seconds=self._options.poll_seconds)
        self._courtroom = Courtroom(
            context,
            self._hands,
            slots=self._options.slots,
            executor=executor,
            max_test_bytes=self._options.max_test_bytes,
            answering=AnsweringOptions(gas_value=self._options.coin_price_ppm / AT_PAR, for_bond=True),
        )
        requests, casebook, budget = self._courtroom.requests, self._courtroom.casebook, self._options.requests
        self._asking = Asking(context, self._hands, requests, casebook, budget=budget)
        self._rewards = RewardWatch(context, self._hands, Rewards(context.contracts))
        self._wanted: list[Challenge] = []
        self._prices: Prices | None = None

    def standing(self) -> dict[str, float]:
        """See Loop."""
        return {**super().standing(), **self._courtroom.standing(), "jobs_running": self._courtroom.jobs}

    def close(self) -> None:
        """Ends what runs in the background."""
        self._courtroom.close()

    # The loop

    def _has_news(self) -> bool:
        return self._courtroom.has_news() or self._rewards.is_waiting or super()._has_news()

    def _obligations(self) -> frozenset[OrderId]:
        return self._courtroom.orders() | self._asking.orders()

    def _prepare(self) -> None:
        self._wanted.clear()
        self._courtroom.collect()
        self._courtroom.begin(self._board.head)
        self._attempt(None, "asked", partial(self._asking.look, self._board.head), obligation=True)
        self._attempt(None, "rewards", partial(self._rewards.look, self._now), obligation=True)
        self._attempt(None, "prices", self._read_prices, obligation=True)

    def _is_over(self, view: OrderView) -> bool:
        # A test set that turns out void ends the order at once, and leaves disputes and requests to be dismissed.
        ended = view.phase in ENDED and view.oid not in self._obligations()
        over = ended and (view.phase != Phase.SEALED or self._has_released(view.oid))
        if over:
            self._courtroom.forget(view.oid)
        return over

    def _advance(self, view: OrderView) -> None:
        if can_be_studied(view):
            self._attempt(view.oid, "verify", partial(self._verify, view), obligation=True)
        if view.phase == Phase.SEALED:
            self._release(view)
        self._courtroom.advance(view)
        self._attempt(view.oid, "end requests", partial(self._asking.end, view), obligation=True)

    def _verify(self, view: OrderView) -> None:
        contracts, oid = self.context.contracts, view.oid
        casebook, player = self._courtroom.casebook, self._courtroom.player
        models = contracts.models(oid)
        validations = read_validations(contracts, oid)
        void = contracts.read_many([contracts.proof.functions.isVoid(oid, index) for index in range(len(models))])
        found = {index: casebook.found(oid, index) for index in range(len(models))}
        unknown = [index for index, item in found.items() if item is None and not void[index]]
        first = [index for index in player.models(oid) if index in unknown]
        order = study_order(validations, unknown, partial(casebook.size, oid))
        self._courtroom.study(view, {index: models[index] for index in dict.fromkeys([*first, *order])})
        samples = contracts.test_set(oid).sample_count
        self._asking.ask(view, models, validations, samples)
        if self._prices is None and not self._options.always:
            return
        truth = {index: item.score for index, item in found.items() if item is not None}
        hopeless = {index for index in found if casebook.trouble(oid, index) is not None}
        self._wanted += challenges(
            view,
            validations,
            truth,
            player.cases(oid),
            self.context.account,
            samples=samples,
            prices=self._prices,
            undecided=is_undecided(view, validations, truth, hopeless),
        )

    def _conclude(self) -> None:
        if not self._wanted:
            return
        free = self.context.contracts.bond(self.context.account, Role.VERIFIER).free
        for challenge in affordable(self._wanted, free):
            topic = f"challenge {challenge.validation.validator} {challenge.validation.model_index}"
            self._attempt(challenge.oid, topic, partial(self._challenge, challenge), obligation=True)

    def _challenge(self, challenge: Challenge) -> None:
        accused, (key, other) = challenge.validation, challenge.keys
        # One that is on its way does not show yet, and it may have been decided otherwise.
        if other is None or not self._transactions.is_under_way(other):
            court, place = self._courtroom.player.court, (challenge.oid, accused.validator, accused.model_index)
            call = court.fill if accused.emptied else court.challenge
            self._send(key, call(*place, challenge.counter))

    def _release(self, view: OrderView) -> None:
        """Frees what is locked behind the places that it took in an order, once the order is sealed."""
        release = self.context.contracts.proof.functions.releaseSeat
        for validator, index in self._taken(view.oid):
            key = release_key(view.oid, validator, index)
            self._attempt(view.oid, key, partial(self._send, key, release(view.oid, validator, index)))

    def _has_released(self, oid: OrderId) -> bool:
        keys = [release_key(oid, *place) for place in self._taken(oid)]
        return all(self._transactions.is_done(key) or self._has_given_up(oid, key) for key in keys)

    def _taken(self, oid: OrderId) -> tuple[tuple[ChecksumAddress, int], ...]:
        if not self._courtroom.player.has_proven_any(oid):
            return ()
        taken = taken_places(self.context.contracts, oid, self.context.account)
        return tuple((item.validator, item.model_index) for item in taken)

    def _read_prices(self) -> None:
        if not self._options.always:
            gas_price = Wei(int(self.context.client.request("eth_gasPrice"), 16))
            self._prices = Prices(gas_price, self._options.coin_price_ppm)


def release_key(oid: OrderId, validator: ChecksumAddress, index: int) -> str:
    """Idempotency key of freeing the stake behind a place that was taken."""
    return f"release-seat:{oid}:{validator}:{index}"
