"""An order: claims, models, sheets, seats, settlement, as the contracts keep them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from eth_typing import ChecksumAddress

from offchain.chain.enums import Outcome
from offchain.chain.views import Order
from offchain.dispute.state import NOBODY
from offchain.explorer.index.rows import EventRow
from offchain.protocol.lifecycle import Facts
from offchain.protocol.scores import ABSTAIN
from offchain.protocol.settlement import Entrant, Payout, Place, SettlementTerms, Sheet, Tally, tally
from offchain.types import CidDigest, OrderId, Root, Seconds, Wei


@dataclass(frozen=True, slots=True)
class ClaimState:
    """A provider's claim."""

    provider: ChecksumAddress
    at: Seconds
    sequence: int
    commitment: bytes
    revealed: bool = False
    slashed: bool = False


@dataclass(frozen=True, slots=True)
class ModelState:
    """A revealed model."""

    provider: ChecksumAddress
    sequence: int
    root: Root
    cid: CidDigest
    at: Seconds
    voided: bool = False


@dataclass(frozen=True, slots=True)
class TakenState:
    """Who has taken the place of a validation; the score is ABSTAIN once it was removed in its turn."""

    model: int
    holder: ChecksumAddress
    score: int


@dataclass(frozen=True, slots=True)
class SheetState:
    """A validator's sheet. `removed`: models whose validation, the validator's own, was removed."""

    validator: ChecksumAddress
    v_stake: Wei
    commitment: bytes
    at: Seconds
    revealed_at: Seconds | None = None
    slashed: bool = False
    scores: tuple[int, ...] = ()
    removed: tuple[int, ...] = ()
    taken: tuple[TakenState, ...] = ()

    def holder_of(self, model: int) -> ChecksumAddress:
        """Whose the validation of a model is now."""
        return next((one.holder for one in self.taken if one.model == model), self.validator)

    def live_score(self, model: int) -> int | None:
        """What it says of a model, None where nothing counts."""
        return self.sheet(Wei(0)).live_score(model) if model < len(self.scores) else None

    def sheet(self, challenge_stake: Wei) -> Sheet:
        """As the rules of settlement want it."""
        places = {one.model: Place(one.holder, challenge_stake, one.score) for one in self.taken}
        return Sheet(self.validator, self.v_stake, self.scores, frozenset(self.removed), places)


@dataclass(frozen=True, slots=True)
class TestState:
    """The released test set."""

    __test__ = False

    root: Root
    cid: CidDigest
    samples: int
    at: Seconds


@dataclass(frozen=True, slots=True)
class SealedState:
    """How it ended. `sequence`: its place among held orders, 0 for a refund; `settled`: "", "direct" or "multisig"."""

    outcome: Outcome
    model: int
    winner: ChecksumAddress
    score: int
    at: Seconds
    payouts: tuple[Payout, ...]
    tax: Wei
    sequence: int = 0
    settled: str = ""


@dataclass(frozen=True, slots=True)
class OrderState:
    """All that its events say. `sheets` in the contract's order of validators."""

    oid: OrderId
    order: Order
    cancelled: bool = False
    test: TestState | None = None
    test_voided: bool = False
    claims: tuple[ClaimState, ...] = ()
    models: tuple[ModelState, ...] = ()
    sheets: tuple[SheetState, ...] = ()
    displaced: tuple[ChecksumAddress, ...] = ()
    open_disputes: int = 0
    challenge_until: int = 0
    seal: SealedState | None = None

    @property
    def facts(self) -> Facts:
        """What besides the clock decides the phase."""
        return Facts(
            cancelled=self.cancelled,
            is_sealed=self.seal is not None,
            test_released=self.test is not None and not self.test_voided,
            claims=len(self.claims),
            reveals=len(self.models),
            score_commits=len(self.sheets),
            score_reveals=sum(sheet.revealed_at is not None for sheet in self.sheets),
            open_disputes=self.open_disputes,
            challenge_until=self.challenge_until,
        )

    @property
    def ended(self) -> bool:
        """Whether it is sealed or cancelled."""
        return self.cancelled or self.seal is not None

    @property
    def samples(self) -> int:
        """Of the test set; 0 while there is none, and when it is void."""
        return 0 if self.test is None or self.test_voided else self.test.samples

    def tally(self, model: int) -> Tally:
        """What the live validations of a model say."""
        terms = self.order.terms
        rules = SettlementTerms(
            self.order.client,
            terms.reward,
            terms.minimum_score_ppm,
            terms.minimum_validators,
            self.order.validator_share_ppm,
            self.order.aggregator_tax_ppm,
        )
        sheets = [sheet.sheet(self.order.challenge_stake) for sheet in self.sheets if sheet.scores]
        return tally(rules, self.samples, sheets, model, void=self.models[model].voided)

    def entrants(self) -> tuple[Entrant, ...]:
        """The models as the rules of settlement want them."""
        return tuple(Entrant(model.provider, model.sequence, model.voided) for model in self.models)


Fold = Callable[[OrderState, EventRow, dict[str, Any]], OrderState]


def fold_order(state: OrderState | None, event: EventRow) -> OrderState | None:
    """The order after an event of OrderBook, ProofOfTraining or RewardTreasury that names it."""
    said = event.arguments
    if event.name == "OrderPut":
        return OrderState(OrderId(said["oid"]), said["order"])
    found = FOLDS.get(event.name)
    return state if state is None or found is None else found(state, event, said)


def _cancelled(state: OrderState, _event: EventRow, _said: dict[str, Any]) -> OrderState:
    return replace(state, cancelled=True)


def _released(state: OrderState, event: EventRow, said: dict[str, Any]) -> OrderState:
    test = TestState(Root(said["testRoot"]), CidDigest(said["testCid"]), said["sampleCount"], event.at)
    return replace(state, test=test)


def _claimed(state: OrderState, event: EventRow, said: dict[str, Any]) -> OrderState:
    mine = ClaimState(said["provider"], event.at, said["sequence"], said["commitment"])
    if any(claim.provider == mine.provider for claim in state.claims):
        return _with_claim(state, mine.provider, lambda _old: mine)
    return replace(state, claims=(*state.claims, mine))


def _revealed(state: OrderState, event: EventRow, said: dict[str, Any]) -> OrderState:
    provider = said["provider"]
    sequence = next((claim.sequence for claim in state.claims if claim.provider == provider), 0)
    model = ModelState(provider, sequence, Root(said["modelRoot"]), CidDigest(said["cid"]), event.at)
    state = replace(state, models=(*state.models, model))
    return _with_claim(state, provider, lambda claim: replace(claim, revealed=True))


def _claim_slashed(state: OrderState, _event: EventRow, said: dict[str, Any]) -> OrderState:
    return _with_claim(state, said["provider"], lambda claim: replace(claim, slashed=True))


def _scores_committed(state: OrderState, event: EventRow, said: dict[str, Any]) -> OrderState:
    sheet = SheetState(said["validator"], Wei(said["vStake"]), said["commitment"], event.at)
    # The place that a displaced validator left is marked by ValidatorDisplaced just before, with who takes it.
    places = [one.validator for one in state.sheets]
    if sheet.validator in places:
        return _with_sheet(state, sheet.validator, lambda _old: sheet)
    return replace(state, sheets=(*state.sheets, sheet))


def _displaced(state: OrderState, event: EventRow, said: dict[str, Any]) -> OrderState:
    seat = SheetState(said["by"], Wei(0), bytes(32), event.at)
    gone = said["validator"]
    if gone not in state.displaced:  # two accounts can displace each other as often as they like
        state = replace(state, displaced=(*state.displaced, gone))
    return _with_sheet(state, gone, lambda _old: seat)


def _scores_revealed(state: OrderState, event: EventRow, said: dict[str, Any]) -> OrderState:
    scores = tuple(said["scores"])
    return _with_sheet(state, said["validator"], lambda old: replace(old, revealed_at=event.at, scores=scores))


def _scores_slashed(state: OrderState, _event: EventRow, said: dict[str, Any]) -> OrderState:
    return _with_sheet(state, said["validator"], lambda old: replace(old, slashed=True))


def _opened(state: OrderState, _event: EventRow, said: dict[str, Any]) -> OrderState:
    return replace(state, open_disputes=said["openDisputes"])


def _closed(state: OrderState, _event: EventRow, said: dict[str, Any]) -> OrderState:
    return replace(state, open_disputes=said["openDisputes"], challenge_until=said["challengeUntil"])


def _voided(state: OrderState, _event: EventRow, said: dict[str, Any]) -> OrderState:
    index = said["modelIndex"]
    models = tuple(replace(model, voided=True) if place == index else model for place, model in enumerate(state.models))
    return _with_claim(replace(state, models=models), said["provider"], lambda claim: replace(claim, slashed=True))


def _test_voided(state: OrderState, _event: EventRow, _said: dict[str, Any]) -> OrderState:
    return replace(state, test_voided=True)


def _removed(state: OrderState, _event: EventRow, said: dict[str, Any]) -> OrderState:
    """The event names who held the validation, not whose place it was in."""
    model, holder = said["modelIndex"], said["validator"]
    if said["challenger"] == NOBODY:  # of a void model, at the reveal
        return _with_sheet(state, holder, lambda old: _struck(old, model))
    held = [sheet for sheet in state.sheets if sheet.holder_of(model) == holder]
    # Who holds several of one model has different stakes behind its own and those it took; the stake tells which. Of
    # several that it took (each of the same stake) no event says which it was unless somebody takes the place next.
    live = [sheet for sheet in held if sheet.live_score(model) is not None]
    of_stake = [sheet for sheet in live if _stake_of(state, sheet, model) == said["slashed"]]
    for sheet in (*of_stake, *live, *held):
        return _with_sheet(state, sheet.validator, lambda old: _struck(old, model))
    return state


def _stake_of(state: OrderState, sheet: SheetState, model: int) -> Wei:
    taken = any(one.model == model for one in sheet.taken)
    return state.order.challenge_stake if taken else sheet.v_stake


def _struck(sheet: SheetState, model: int) -> SheetState:
    if any(one.model == model for one in sheet.taken):
        taken = tuple(replace(one, score=ABSTAIN) if one.model == model else one for one in sheet.taken)
        return replace(sheet, taken=taken)
    return replace(sheet, removed=tuple(sorted({*sheet.removed, model})))


def _seat_taken(state: OrderState, _event: EventRow, said: dict[str, Any]) -> OrderState:
    mine = TakenState(said["modelIndex"], said["holder"], said["score"])

    def take(sheet: SheetState) -> SheetState:
        others = tuple(one for one in sheet.taken if one.model != mine.model)
        removed = tuple(sorted({*sheet.removed, mine.model}))
        return replace(sheet, taken=(*others, mine), removed=removed)

    return _with_sheet(state, said["validator"], take)


def _sealed(state: OrderState, _event: EventRow, said: dict[str, Any]) -> OrderState:
    ended = said["settlement"]
    seal = SealedState(
        ended.outcome,
        ended.model_index,
        ended.winner,
        ended.score,
        ended.sealed_at,
        tuple(said["payouts"]),
        Wei(said["tax"]),
    )
    return replace(state, seal=seal)


def _held(state: OrderState, _event: EventRow, said: dict[str, Any]) -> OrderState:
    seal = state.seal
    return state if seal is None else replace(state, seal=replace(seal, sequence=said["sequence"]))


def _settled(how: str) -> Fold:
    def settle(state: OrderState, _event: EventRow, _said: dict[str, Any]) -> OrderState:
        return state if state.seal is None else replace(state, seal=replace(state.seal, settled=how))

    return settle


def _with_claim(state: OrderState, provider: ChecksumAddress, change: Callable[[ClaimState], ClaimState]) -> OrderState:
    claims = tuple(change(claim) if claim.provider == provider else claim for claim in state.claims)
    return replace(state, claims=claims)


def _with_sheet(
    state: OrderState, validator: ChecksumAddress, change: Callable[[SheetState], SheetState]
) -> OrderState:
    sheets = tuple(change(sheet) if sheet.validator == validator else sheet for sheet in state.sheets)
    return replace(state, sheets=sheets)


FOLDS: dict[str, Fold] = {
    "OrderCancelled": _cancelled,
    "TestReleased": _released,
    "Claimed": _claimed,
    "Revealed": _revealed,
    "ClaimSlashed": _claim_slashed,
    "ScoresCommitted": _scores_committed,
    "ValidatorDisplaced": _displaced,
    "ScoresRevealed": _scores_revealed,
    "ScoresSlashed": _scores_slashed,
    "DisputeOpened": _opened,
    "DisputeClosed": _closed,
    "ModelVoided": _voided,
    "TestVoided": _test_voided,
    "ValidationRemoved": _removed,
    "SeatTaken": _seat_taken,
    "OrderSealed": _sealed,
    "Held": _held,
    "RewardExecuted": _settled("multisig"),
    "RewardPaidDirectly": _settled("direct"),
}
"""By the event's name, which is one among the contracts that tell of orders."""
