"""The split against a second, naive telling of `docs/protocol.md`, and its rules by example."""

from collections import defaultdict
from dataclasses import replace
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.protocol.scores import ABSTAIN, NO_MINIMUM
from offchain.protocol.settlement import (
    Entrant,
    Outcome,
    Payout,
    Place,
    SettlementTerms,
    Sheet,
    divide_tax,
    settle,
    tally,
)
from offchain.types import Wei
from tests.simulation.evm import account

CLIENT = account(0)
PROVIDERS = [account(index) for index in range(1, 5)]
VALIDATORS = [account(index) for index in range(10, 15)]
SAMPLES = 10


def terms(**changes: int) -> SettlementTerms:
    fields = {
        "reward": 1000,
        "minimum_score_ppm": NO_MINIMUM,
        "minimum_validators": 1,
        "validator_share_ppm": 150_000,
        "aggregator_tax_ppm": 20_000,
    }
    return SettlementTerms(client=CLIENT, **{**fields, **changes})  # type: ignore[arg-type]


def sheet(place: int, *scores: int, vstake: int = 10, removed: tuple[int, ...] = ()) -> Sheet:
    return Sheet(VALIDATORS[place], Wei(vstake), scores, frozenset(removed))


def entrants(*sequences: int) -> list[Entrant]:
    return [Entrant(provider, sequence) for provider, sequence in zip(PROVIDERS, sequences, strict=False)]


def test_the_highest_score_wins_and_everyone_has_a_share() -> None:
    settled = settle(terms(), SAMPLES, entrants(1, 2), [sheet(0, 7, 8), sheet(1, 7, 8, vstake=30)])
    assert (settled.outcome, settled.model, settled.winner, settled.score) == (Outcome.WON, 1, PROVIDERS[1], 8)
    assert settled.tax == 20
    assert settled.payouts == (
        Payout(PROVIDERS[1], Wei(1000 - 20 - 37 - 112)),
        Payout(VALIDATORS[0], Wei(37)),
        Payout(VALIDATORS[1], Wei(112)),
    )


def test_a_tie_goes_to_the_earlier_claim() -> None:
    assert settle(terms(), SAMPLES, entrants(5, 2, 9), [sheet(0, 7, 7, 7)]).model == 1


def test_conflict_makes_a_model_ineligible_until_the_court_removes_it() -> None:
    models = entrants(1, 2)
    liar = sheet(1, 10, 5)
    assert settle(terms(), SAMPLES, models, [sheet(0, 9, 5), liar]).model == 1
    removed = sheet(1, 10, 5, removed=(0,))
    settled = settle(terms(), SAMPLES, models, [sheet(0, 9, 5), removed])
    assert settled.model == 0
    assert [payout.account for payout in settled.payouts] == [PROVIDERS[0], VALIDATORS[0]]


def test_abstentions_neither_count_nor_pay() -> None:
    settled = settle(terms(minimum_validators=2), SAMPLES, entrants(1), [sheet(0, 9), sheet(1, ABSTAIN)])
    assert settled.outcome == Outcome.REFUNDED
    settled = settle(terms(), SAMPLES, entrants(1), [sheet(0, 9), sheet(1, ABSTAIN)])
    assert [payout.account for payout in settled.payouts] == [PROVIDERS[0], VALIDATORS[0]]
    assert tally(terms(), SAMPLES, [sheet(0, ABSTAIN)], 0).live == 0


def test_a_least_score_is_a_mean() -> None:
    assert settle(terms(minimum_score_ppm=700_000), SAMPLES, entrants(1), [sheet(0, 7)]).outcome == Outcome.WON
    assert settle(terms(minimum_score_ppm=700_001), SAMPLES, entrants(1), [sheet(0, 7)]).outcome == Outcome.REFUNDED


def test_withheld_data_pays_the_providers() -> None:
    settled = settle(terms(), 0, entrants(1, 2, 3), [])
    assert settled.outcome == Outcome.SHARED
    assert [payout.amount for payout in settled.payouts] == [328, 326, 326]
    assert settle(terms(), 0, [], []).payouts == (Payout(CLIENT, Wei(1000)),)


def test_a_void_model_neither_wins_nor_shares() -> None:
    models = [Entrant(PROVIDERS[0], 1, void=True), Entrant(PROVIDERS[1], 2)]
    assert settle(terms(), SAMPLES, models, [sheet(0, 9, 5)]).winner == PROVIDERS[1]
    assert [payout.account for payout in settle(terms(), 0, models, []).payouts] == [PROVIDERS[1]]
    assert settle(terms(), 0, models[:1], []).outcome == Outcome.REFUNDED
    assert not tally(terms(), SAMPLES, [sheet(0, 9)], 0, void=True).eligible
    assert not tally(terms(), 0, [sheet(0, 9)], 0).eligible


def test_whoever_took_a_place_is_paid_for_it() -> None:
    verifier = account(20)
    liar = replace(sheet(0, 5, 5, vstake=90, removed=(1,)), places={1: Place(verifier, Wei(30), 9)})
    settled = settle(terms(), SAMPLES, entrants(1, 2), [liar, sheet(1, 5, 9, vstake=120)])
    assert (settled.model, settled.score) == (1, 9)
    assert settled.payouts[1:] == (Payout(verifier, Wei(30)), Payout(VALIDATORS[1], Wei(120)))
    false_too = replace(liar, places={1: Place(verifier, Wei(30), ABSTAIN)})
    assert settle(terms(), SAMPLES, entrants(1, 2), [false_too, sheet(1, 5, 9)]).payouts[1].account == VALIDATORS[1]


def test_the_tax_goes_to_those_who_confirmed() -> None:
    assert divide_tax(Wei(20), []) == ()
    assert [payout.amount for payout in divide_tax(Wei(20), PROVIDERS[:3])] == [8, 6, 6]


scores = st.sampled_from([ABSTAIN, 0, 5, 5, 7, 7, 10])
sheets_of = st.integers(1, 3).flatmap(
    lambda models: st.tuples(
        st.permutations([3, 1, 2]).map(lambda order: order[:models]),
        st.lists(
            st.tuples(
                st.lists(scores, min_size=models, max_size=models),
                st.integers(1, 10**20),
                st.sets(st.integers(0, models - 1)),
            ),
            max_size=5,
        ),
    )
)


@settings(max_examples=300)
@given(
    case=sheets_of,
    reward=st.integers(1, 10**24),
    share=st.integers(0, 500_000),
    tax=st.integers(0, 200_000),
    needed=st.integers(1, 3),
    minimum=st.sampled_from([NO_MINIMUM, 500_000, 500_001]),
)
def test_against_a_naive_telling(
    case: tuple[list[int], list[tuple[list[int], int, set[int]]]],
    reward: int,
    share: int,
    tax: int,
    needed: int,
    minimum: int,
) -> None:
    sequences, rows = case
    sheets = [sheet(i, *row[0], vstake=row[1], removed=tuple(row[2])) for i, row in enumerate(rows)]
    the_terms = terms(
        reward=reward,
        validator_share_ppm=share,
        aggregator_tax_ppm=tax,
        minimum_validators=needed,
        minimum_score_ppm=minimum,
    )
    settled = settle(the_terms, SAMPLES, entrants(*sequences), sheets)
    assert sum(payout.amount for payout in settled.payouts) + settled.tax == reward
    winner = naive_winner(sequences, rows, needed, minimum)
    assert settled.model == winner
    if winner is None:
        assert settled.payouts == (Payout(CLIENT, Wei(reward)),)
        return
    live = {i: row[1] for i, row in enumerate(rows) if winner not in row[2] and row[0][winner] != ABSTAIN}
    for payout, (place, stake) in zip(settled.payouts[1:], live.items(), strict=True):
        exact = Fraction(reward * share // 1_000_000 * stake, sum(live.values()))
        assert payout.account == VALIDATORS[place]
        assert 0 <= exact - payout.amount < 1
    assert settled.payouts[0].account == PROVIDERS[winner]


def naive_winner(
    sequences: list[int], rows: list[tuple[list[int], int, set[int]]], needed: int, minimum: int
) -> int | None:
    said: dict[int, list[int]] = defaultdict(list)
    for values, _, removed in rows:
        for model, score in enumerate(values):
            if score != ABSTAIN and model not in removed:
                said[model].append(score)
    eligible = {
        model: values[0]
        for model, values in said.items()
        if len(values) >= needed and len(set(values)) == 1 and Fraction(values[0], SAMPLES) >= Fraction(minimum, 10**6)
    }
    best = max(eligible.values(), default=None)
    return min((m for m, score in eligible.items() if score == best), key=lambda m: sequences[m], default=None)
