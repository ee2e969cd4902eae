"""A Python model of the whole system, in plain sets and integers: what the contracts must do, said a second time.

Every method is one transaction: it changes the model, or raises `Reverted` with the custom error the contract must give
and changes nothing. The checks stand in the contracts' order. Phases and splits come from `offchain.protocol`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from offchain.protocol import commitments, settlement
from offchain.protocol.lifecycle import Phase, Windows, phase_at
from offchain.protocol.quorum import threshold
from offchain.protocol.scores import ABSTAIN, PPM, ScoreFunction, best_ppm, in_range
from offchain.protocol.settlement import Entrant, Outcome, Payout, SettlementTerms
from offchain.types import CidDigest, OrderId, Root, Salt, Wei
from tests.simulation.evm import Reverted
from tests.simulation.lifecycle_state import (
    AGGREGATOR,
    NONE,
    PROVIDER,
    VALIDATOR,
    VERIFIER,
    Account,
    Bond,
    Claim,
    Order,
    Parameters,
    ScoreSheet,
    Taken,
)

ZERO = bytes(32)


class Model:
    """The whole system at `now`."""

    def __init__(self, balances: dict[Account, int], court: Account, availability: Account, now: int) -> None:
        self.now = now
        self.court = court
        self.availability = availability
        self.parameters = Parameters()
        self.balances = Counter(balances)
        self.burned = 0
        self.bonds: dict[tuple[Account, int], Bond] = {}
        self.orders: dict[int, Order] = {}
        self.owed: Counter[Account] = Counter()
        self.epoch = 0
        self.epoch_ends_at = 0
        self.members: list[Account] = []
        self.candidates: dict[Account, int] = {}  # in order of joining
        self.stakes: dict[Account, int] = {}

    # Stakes

    def bond_of(self, who: Account, role: int) -> Bond:
        return self.bonds.setdefault((who, role), Bond())

    def bond(self, who: Account, role: int, amount: int) -> None:
        self._require_stake(role, amount)
        self._spend(who, amount)
        self.bond_of(who, role).bonded += amount

    def request_exit(self, who: Account, role: int, amount: int) -> None:
        self._require_stake(role, amount)
        bond = self.bond_of(who, role)
        self._require_free(who, role, amount)
        bond.bonded -= amount
        bond.exiting += amount
        bond.exit_at = self.now + self.parameters.exit_delay

    def cancel_exit(self, who: Account, role: int) -> None:
        bond = self.bond_of(who, role)
        if bond.exiting == 0:
            raise Reverted("NothingExiting", who, role)
        bond.bonded += bond.exiting
        bond.exiting = bond.exit_at = 0

    def withdraw(self, who: Account, role: int) -> None:
        bond = self.bond_of(who, role)
        if bond.exiting == 0:
            raise Reverted("NothingExiting", who, role)
        if self.now < bond.exit_at:
            raise Reverted("StillExiting", bond.exit_at, self.now)
        self.balances[who] += bond.exiting
        bond.exiting = bond.exit_at = 0

    def _require_stake(self, role: int, amount: int) -> None:
        if role == NONE:
            raise Reverted("RoleRequired")
        if amount == 0:
            raise Reverted("AmountRequired")

    def _require_free(self, who: Account, role: int, amount: int) -> None:
        bond = self.bond_of(who, role)
        free = bond.bonded - bond.locked
        if amount > free:
            raise Reverted("InsufficientFreeBond", who, role, amount, free)

    def _require_active(self, who: Account, role: int) -> None:
        least, bonded = self.parameters.minimum(role), self.bond_of(who, role).bonded
        if bonded < least:
            raise Reverted("NotActive", who, least, bonded)

    def _lock(self, who: Account, role: int, amount: int) -> None:
        self._require_free(who, role, amount)
        self.bond_of(who, role).locked += amount

    def _unlock(self, who: Account, role: int, amount: int) -> None:
        self.bond_of(who, role).locked -= amount

    def _slash(self, who: Account, role: int, amount: int, beneficiary: Account, share_ppm: int) -> None:
        bond = self.bond_of(who, role)
        bond.locked -= amount
        bond.bonded -= amount
        assert bond.locked >= 0
        paid = amount * share_ppm // PPM
        self.balances[beneficiary] += paid
        self.burned += amount - paid

    def _spend(self, who: Account, amount: int) -> None:
        if self.balances[who] < amount:
            raise Reverted("ERC20InsufficientBalance", who, self.balances[who], amount)
        self.balances[who] -= amount

    # Orders

    def put(
        self,
        who: Account,
        reward: int,
        times: tuple[int, int, int, int],
        test_commitment: bytes,
        function: ScoreFunction,
        minimum_score_ppm: int,
        minimum_validators: int,
    ) -> int:
        p = self.parameters
        if function == ScoreFunction.NONE:
            raise Reverted("ScoreFunctionRequired")
        if test_commitment == ZERO:
            raise Reverted("CommitmentRequired", "testCommitment")
        if reward < p.minimum_reward:
            raise Reverted("RewardTooSmall", p.minimum_reward, reward)
        best = best_ppm(function)
        if minimum_score_ppm > best:
            raise Reverted("UnattainableScore", best, minimum_score_ppm)
        for name, seconds in zip(("train", "reveal", "validate", "challenge"), times, strict=True):
            least = p.minimum_window * (2 if name == "validate" else 1)
            if not least <= seconds <= p.maximum_window:
                raise Reverted("WindowOutOfBounds", f"{name}Seconds", seconds, least, p.maximum_window)
        if not 1 <= minimum_validators <= p.max_validators:
            raise Reverted("LimitOutOfBounds", "minimumValidators", minimum_validators, 1, p.max_validators)
        self._spend(who, reward)
        oid = len(self.orders) + 1
        self.orders[oid] = Order(
            client=who,
            reward=reward,
            windows=Windows(self.now, *times),
            test_commitment=test_commitment,
            function=function,
            minimum_score_ppm=minimum_score_ppm,
            minimum_validators=minimum_validators,
            escrow=reward,
        )
        return oid

    def cancel(self, who: Account, oid: int) -> None:
        order = self._own(who, oid)
        self._require_phase(oid, Phase.TRAINING)
        if order.claims:
            raise Reverted("OrderHasClaims", oid, len(order.claims))
        order.cancelled = True
        self.balances[who] += order.escrow
        order.escrow = 0

    def release_test(self, who: Account, oid: int, root: bytes, samples: int, cid: bytes, salt: bytes) -> None:
        order = self._own(who, oid)
        if order.samples:
            raise Reverted("TestAlreadyReleased", oid)
        self._require_phase(oid, Phase.REVEAL)
        if samples == 0:
            raise Reverted("EmptyTestSet")
        actual = commitments.client_commitment(who, Root(root), samples, CidDigest(cid), Salt(salt))
        if actual != order.test_commitment:
            raise Reverted("WrongTestSet", oid, order.test_commitment, actual)
        order.samples = samples

    def phase(self, oid: int) -> Phase:
        order = self.orders.get(oid)
        return Phase.NONE if order is None else phase_at(order.windows, order.facts(), self.now)

    def _own(self, who: Account, oid: int) -> Order:
        if oid not in self.orders:
            raise Reverted("UnknownOrder", oid)
        order = self.orders[oid]
        if who != order.client:
            raise Reverted("NotTheClient", oid, order.client, who)
        return order

    def _require_phase(self, oid: int, expected: Phase) -> Order:
        actual = self.phase(oid)
        if actual != expected:
            raise Reverted("WrongPhase", oid, int(expected), int(actual))
        return self.orders[oid]

    # Claims

    def claim(self, who: Account, oid: int, commitment: bytes) -> None:
        order = self._require_phase(oid, Phase.TRAINING)
        if commitment == ZERO:
            raise Reverted("CommitmentRequired")
        first = who not in order.claims
        if first:
            if len(order.claims) >= self.parameters.max_claims:
                raise Reverted("TooManyClaims", oid, self.parameters.max_claims)
            self._require_active(who, PROVIDER)
            self._lock(who, PROVIDER, self.parameters.claim_bond)
        order.sequence += 1
        order.claims[who] = Claim(commitment, order.sequence)

    def reveal(self, who: Account, oid: int, root: bytes, cid: bytes, salt: bytes) -> None:
        order = self._require_phase(oid, Phase.REVEAL)
        claim = order.claims.get(who)
        if claim is None:
            raise Reverted("NothingCommitted", oid, who)
        if claim.revealed:
            raise Reverted("AlreadyRevealed", oid, who)
        actual = commitments.claim_commitment(OrderId(oid), who, Root(root), CidDigest(cid), Salt(salt))
        if actual != claim.commitment:
            raise Reverted("WrongOpening", claim.commitment, actual)
        claim.revealed = True
        order.models.append(who)

    def slash_claim(self, who: Account, oid: int, provider: Account) -> None:
        phase = self.phase(oid)
        claim = self.orders[oid].claims.get(provider) if oid in self.orders else None
        late = Phase.REVEAL < phase < Phase.SEALED
        if not late or claim is None or claim.revealed or claim.slashed:
            raise Reverted("NotSlashable", oid, provider)
        self._slash_claim(who, provider, claim)

    def _slash_claim(self, reporter: Account, provider: Account, claim: Claim) -> None:
        claim.slashed = True
        p = self.parameters
        self._slash(provider, PROVIDER, p.claim_bond, reporter, p.reporter_share_ppm)

    # Scores

    def commit_scores(self, who: Account, oid: int, commitment: bytes, v_stake: int) -> None:
        order = self._require_phase(oid, Phase.SCORE_COMMIT)
        if commitment == ZERO:
            raise Reverted("CommitmentRequired")
        if who in order.sheets:
            raise Reverted("AlreadyCommitted", oid, who)
        if v_stake < self.parameters.minimum_v_stake:
            raise Reverted("VStakeTooSmall", self.parameters.minimum_v_stake, v_stake)
        self._require_active(who, VALIDATOR)
        self._require_free(who, VALIDATOR, v_stake * len(order.models))
        self._seat(who, oid, order, v_stake)
        self._lock(who, VALIDATOR, v_stake * len(order.models))
        order.sequence += 1
        order.sheets[who] = ScoreSheet(commitment, v_stake, order.sequence)

    def _seat(self, who: Account, oid: int, order: Order, v_stake: int) -> None:
        if len(order.seats) < self.parameters.max_validators:
            order.seats.append(who)
            return
        worst = min(order.seats, key=lambda seated: (order.sheets[seated].v_stake, -order.sheets[seated].sequence))
        lowest = order.sheets[worst].v_stake
        if v_stake <= lowest:
            raise Reverted("TooManyValidators", oid, lowest, v_stake)
        self._unlock(worst, VALIDATOR, lowest * len(order.models))
        del order.sheets[worst]
        order.seats[order.seats.index(worst)] = who

    def reveal_scores(self, who: Account, oid: int, scores: tuple[int, ...], salt: bytes) -> None:
        order = self._require_phase(oid, Phase.SCORE_REVEAL)
        sheet = order.sheets.get(who)
        if sheet is None:
            raise Reverted("NothingCommitted", oid, who)
        if sheet.revealed:
            raise Reverted("AlreadyRevealed", oid, who)
        if len(scores) != len(order.models):
            raise Reverted("WrongScoreCount", len(order.models), len(scores))
        actual = commitments.scores_commitment(OrderId(oid), who, scores, Salt(salt))
        if actual != sheet.commitment:
            raise Reverted("WrongOpening", sheet.commitment, actual)
        for index, score in enumerate(scores):
            if score != ABSTAIN and not in_range(order.function, score, order.samples):
                raise Reverted("ScoreOutOfRange", index, score)
        sheet.revealed = True
        sheet.scores = scores
        sheet.removed = {index for index in order.voided if scores[index] != ABSTAIN}

    def slash_scores(self, who: Account, oid: int, validator: Account) -> None:
        phase = self.phase(oid)
        sheet = self.orders[oid].sheets.get(validator) if oid in self.orders else None
        late = Phase.SCORE_REVEAL < phase < Phase.SEALED
        if not late or sheet is None or sheet.revealed or sheet.slashed or self.orders[oid].test_void:
            raise Reverted("NotSlashable", oid, validator)
        self._slash_sheet(who, self.orders[oid], validator)

    def _slash_sheet(self, reporter: Account, order: Order, validator: Account) -> None:
        sheet = order.sheets[validator]
        sheet.slashed = True
        self._slash(validator, VALIDATOR, order.locked_by(sheet), reporter, self.parameters.reporter_share_ppm)

    # The courts

    def dispute_opened(self, who: Account, oid: int) -> None:
        self._only_courts(who)
        phase = self.phase(oid)
        if not Phase.SCORE_COMMIT <= phase <= Phase.CHALLENGE:
            raise Reverted("NotContestable", oid, int(phase))
        self.orders[oid].open_disputes += 1

    def dispute_closed(self, who: Account, oid: int, challenge_until: int) -> None:
        self._only_courts(who)
        order = self._disputed(oid)
        order.open_disputes -= 1
        order.challenge_until = max(order.challenge_until, challenge_until)

    def lock_challenge(self, who: Account) -> bool:
        """What the court locks when a dispute is opened."""
        self._lock(who, VERIFIER, self.parameters.challenge_stake)
        return True

    def unlock_challenge(self, who: Account) -> None:
        self._unlock(who, VERIFIER, self.parameters.challenge_stake)

    def replace_validation(
        self, who: Account, oid: int, validator: Account, index: int, challenger: Account, score: int
    ) -> bool:
        """Whether the challenger's score took the place."""
        if who != self.court:
            raise Reverted("OnlyCourt", self.court, who)
        order = self._disputed(oid)
        if index >= len(order.models):
            raise Reverted("UnknownModel", oid, index)
        live = order.is_live(validator, index)
        if not live and not order.is_vacant(validator, index):
            raise Reverted("NoSuchValidation", oid, validator, index)
        if live:
            self._take(order, validator, index, challenger)
        if not in_range(order.function, score, order.scored_samples):
            return False
        before = order.places.get((validator, index))
        order.places[(validator, index)] = Taken(challenger, score, before.version + 1 if before else 1)
        return True

    def release_seat(self, oid: int, validator: Account, index: int) -> None:
        order = self._require_phase(oid, Phase.SEALED)
        taken = order.places.get((validator, index))
        if taken is None or taken.released or taken.score == ABSTAIN:
            raise Reverted("NoSuchValidation", oid, validator, index)
        taken.released = True
        self._unlock(taken.holder, VERIFIER, self.parameters.challenge_stake)

    def void_model(self, who: Account, oid: int, index: int, reporter: Account) -> None:
        self._only_availability(who)
        order = self._disputed(oid)
        if index >= len(order.models):
            raise Reverted("UnknownModel", oid, index)
        if index in order.voided:
            raise Reverted("ModelAlreadyVoid", oid, index)
        order.voided[index] = reporter
        provider, p = order.models[index], self.parameters
        order.claims[provider].slashed = True
        self._slash(provider, PROVIDER, p.claim_bond, reporter, p.dispute_share_ppm)

    def void_test(self, who: Account, oid: int) -> None:
        self._only_availability(who)
        order = self._disputed(oid)
        if order.test_void:
            raise Reverted("TestAlreadyVoid", oid)
        order.test_void = True

    def slash_void_validation(self, oid: int, validator: Account, index: int) -> None:
        order = self.orders.get(oid)
        bound = order is not None and order.settled is None and not order.test_void
        if order is None or not bound or index not in order.voided or not order.counts(validator, index):
            raise Reverted("NotSlashable", oid, validator)
        self._take(order, validator, index, order.voided[index])

    def _take(self, order: Order, validator: Account, index: int, beneficiary: Account) -> None:
        sheet, share = order.sheets[validator], self.parameters.dispute_share_ppm
        place = order.places.get((validator, index))
        if place is not None:
            place.score = ABSTAIN
            self._slash(place.holder, VERIFIER, self.parameters.challenge_stake, beneficiary, share)
            return
        sheet.removed.add(index)
        sheet.taken.add(index)
        self._slash(validator, VALIDATOR, sheet.v_stake, beneficiary, share)

    def _only_courts(self, who: Account) -> None:
        if who not in (self.court, self.availability):
            raise Reverted("NotACourt", who)

    def _only_availability(self, who: Account) -> None:
        if who != self.availability:
            raise Reverted("OnlyAvailability", self.availability, who)

    def _disputed(self, oid: int) -> Order:
        if oid not in self.orders or self.orders[oid].open_disputes == 0:
            raise Reverted("NoOpenDispute", oid)
        return self.orders[oid]

    # The end

    def terms(self, oid: int) -> SettlementTerms:
        order = self.orders[oid]
        return SettlementTerms(
            client=order.client,
            reward=Wei(order.reward),
            minimum_score_ppm=order.minimum_score_ppm,
            minimum_validators=order.minimum_validators,
            validator_share_ppm=self.parameters.validator_share_ppm,
            aggregator_tax_ppm=self.parameters.aggregator_tax_ppm,
        )

    def tally(self, oid: int, index: int) -> settlement.Tally:
        order, terms = self.orders[oid], self.terms(oid)
        sheets, void = order.revealed_sheets(self.parameters.challenge_stake), index in order.voided
        return settlement.tally(terms, order.scored_samples, sheets, index, void=void)

    def seal(self, who: Account, oid: int) -> None:
        order = self._require_phase(oid, Phase.SEALABLE)
        entrants = [
            Entrant(provider, order.claims[provider].sequence, void=index in order.voided)
            for index, provider in enumerate(order.models)
        ]
        sheets = order.revealed_sheets(self.parameters.challenge_stake)
        settled = settlement.settle(self.terms(oid), order.scored_samples, entrants, sheets)
        for provider, claim in order.claims.items():
            if claim.slashed:
                continue
            if claim.revealed:
                self._unlock(provider, PROVIDER, self.parameters.claim_bond)
            else:
                self._slash_claim(who, provider, claim)
        for validator in order.seats:
            sheet = order.sheets[validator]
            if sheet.slashed:
                continue
            if sheet.revealed or order.test_void:
                self._unlock(validator, VALIDATOR, order.locked_by(sheet))
            else:
                self._slash_sheet(who, order, validator)
        order.settled = settled
        order.sealed_at = self.now
        order.escrow = 0
        if settled.outcome == Outcome.REFUNDED:
            order.paid = True
            self.owed[order.client] += order.reward

    # The committee

    def join(self, who: Account, stake: int) -> None:
        if who in self.stakes:
            raise Reverted("AlreadyCandidate", who)
        if stake < self.parameters.aggregator_minimum:
            raise Reverted("StakeTooSmall", self.parameters.aggregator_minimum, stake)
        self._lock(who, AGGREGATOR, stake)
        self.candidates[who] = stake
        self.stakes[who] = stake

    def leave(self, who: Account) -> None:
        if who not in self.candidates:
            raise Reverted("NotACandidate", who)
        del self.candidates[who]
        if who not in self.members:
            self._release_stake(who)

    def release_stake(self, who: Account) -> None:
        if who not in self.stakes or who in self.candidates:
            raise Reverted("NotACandidate", who)
        if who in self.members:
            raise Reverted("StakeStillBound", self.epoch + 1, self.epoch)
        self._release_stake(who)

    def _release_stake(self, who: Account) -> None:
        self._unlock(who, AGGREGATOR, self.stakes.pop(who))

    def advance_epoch(self) -> None:
        if self.now < self.epoch_ends_at:
            raise Reverted("EpochNotOver", self.epoch_ends_at, self.now)
        if not self.candidates and not self.members:
            raise Reverted("NoCandidates")
        self.epoch += 1
        self.epoch_ends_at = self.now + self.parameters.epoch_seconds
        ranked = sorted(self.candidates, key=lambda who: -self.candidates[who])  # stable: the earlier one on a tie
        self.members = ranked[: self.parameters.max_members]

    # Payment

    def propose(self, who: Account, oid: int, payouts: tuple[Payout, ...]) -> None:
        order = self._payable(oid, payouts)
        self._require_member(who)
        if self._open(order):
            raise Reverted("AlreadyProposed", oid)
        order.proposer, order.proposal_epoch, order.confirmed = who, self.epoch, [who]

    def confirm(self, who: Account, oid: int) -> None:
        order = self._held(oid)
        self._require_member(who)
        if not self._open(order):
            raise Reverted("NotProposed", oid)
        if who in order.confirmed:
            raise Reverted("AlreadyConfirmed", oid, who)
        order.confirmed.append(who)

    def execute(self, who: Account, oid: int, payouts: tuple[Payout, ...]) -> None:
        order = self._payable(oid, payouts)
        self._require_member(who)
        if not self._open(order):
            raise Reverted("NotProposed", oid)
        needed = threshold(len(self.members))
        if len(order.confirmed) < needed:
            raise Reverted("ThresholdNotReached", needed, len(order.confirmed))
        order.paid = True
        self._credit(payouts)
        assert order.settled is not None
        signers = [member for member in self.members if member in order.confirmed]
        self._credit(settlement.divide_tax(order.settled.tax, signers))

    def pay_direct(self, oid: int, payouts: tuple[Payout, ...]) -> None:
        order = self._payable(oid, payouts)
        direct_at = order.sealed_at + self.parameters.stall_delay
        if self.now < direct_at:
            raise Reverted("NotStalled", direct_at, self.now)
        assert order.settled is not None
        order.paid = True
        self._credit(payouts)
        self.owed[order.client] += order.settled.tax

    def claim_rewards(self, who: Account) -> None:
        if self.owed[who] == 0:
            raise Reverted("NothingToClaim", who)
        self.balances[who] += self.owed.pop(who)

    def _held(self, oid: int) -> Order:
        order = self.orders.get(oid)
        if order is None or order.settled is None:
            raise Reverted("NothingHeld", oid)
        if order.paid:
            raise Reverted("AlreadyPaid", oid)
        return order

    def _payable(self, oid: int, payouts: tuple[Payout, ...]) -> Order:
        order = self._held(oid)
        assert order.settled is not None
        expected = settlement.payouts_hash(OrderId(oid), order.settled.payouts, order.settled.tax)
        actual = settlement.payouts_hash(OrderId(oid), payouts, order.settled.tax)
        if actual != expected:
            raise Reverted("PayoutsMismatch", expected, actual)
        return order

    def _require_member(self, who: Account) -> None:
        if who not in self.members:
            raise Reverted("NotAMember", who)

    def _open(self, order: Order) -> bool:
        return order.proposer is not None and order.proposal_epoch == self.epoch

    def _credit(self, payouts: tuple[Payout, ...]) -> None:
        for payout in payouts:
            self.owed[payout.account] += payout.amount

    # Totals

    def system_total(self) -> int:
        """What the contracts together must hold: stakes, escrow, what waits for the committee, and what is owed."""
        stakes = sum(bond.bonded + bond.exiting for bond in self.bonds.values())
        escrow = sum(order.escrow for order in self.orders.values())
        held = sum(order.reward for order in self.orders.values() if order.settled and not order.paid)
        return stakes + escrow + held + self.owed.total()


Step = Callable[[], Any]
