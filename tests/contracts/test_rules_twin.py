"""The pure libraries of the contracts and their Python twins: commitments, settlement, score ranges, quorum."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.protocol import commitments, quorum, settlement
from offchain.protocol.scores import ABSTAIN, PPM, ScoreFunction, best_ppm, in_range, reaches
from offchain.protocol.settlement import Entrant, Payout, SettlementTerms, Sheet
from offchain.types import CidDigest, OrderId, Root, Salt, Wei
from tests.contracts.support.solidity import compile_harness
from tests.simulation.evm import Abi, Contract, account
from tests.simulation.revm import FastEvm

ACCOUNTS = [account(index) for index in range(6)]
addresses = st.sampled_from(ACCOUNTS)
words = st.binary(min_size=32, max_size=32)
oids = st.integers(0, 2**256 - 1)
int64s = st.integers(-(2**63), 2**63 - 1)
amounts = st.integers(0, 2**128 - 1)
EXAMPLES = settings(max_examples=150, deadline=None)


@pytest.fixture(scope="module")
def rules() -> Contract:
    harness = compile_harness("RulesHarness")
    return FastEvm.empty(now=1).create(ACCOUNTS[0], harness.creation, Abi(harness.abi))


@EXAMPLES
@given(oid=oids, who=addresses, first=words, second=words, salt=words, count=st.integers(0, 2**32 - 1))
def test_commitments(rules: Contract, oid: int, who: str, first: bytes, second: bytes, salt: bytes, count: int) -> None:
    opening = (Root(first), CidDigest(second), Salt(salt))
    assert rules.read("model", oid, who, *opening) == commitments.claim_commitment(OrderId(oid), who, *opening)
    expected = commitments.client_commitment(who, Root(first), count, CidDigest(second), Salt(salt))
    assert rules.read("testSet", who, first, count, second, salt) == expected


@EXAMPLES
@given(oid=oids, who=addresses, scores=st.lists(int64s, max_size=5), salt=words)
def test_scores_commitment(rules: Contract, oid: int, who: str, scores: list[int], salt: bytes) -> None:
    expected = commitments.scores_commitment(OrderId(oid), who, scores, Salt(salt))
    assert rules.read("scores", oid, who, scores, salt) == expected


@EXAMPLES
@given(oid=oids, rows=st.lists(st.tuples(addresses, amounts), max_size=5), tax=amounts)
def test_payouts_hash(rules: Contract, oid: int, rows: list[tuple[str, int]], tax: int) -> None:
    payouts = [Payout(who, Wei(amount)) for who, amount in rows]
    assert rules.read("payouts", oid, rows, tax) == settlement.payouts_hash(OrderId(oid), payouts, Wei(tax))


def terms(reward: int, share: int, tax: int) -> SettlementTerms:
    return SettlementTerms(ACCOUNTS[0], Wei(reward), -(2**63), 1, share, tax)


@EXAMPLES
@given(
    reward=st.one_of(amounts, st.integers(1, 1000)),
    share=st.integers(0, 500_000),
    tax=st.integers(0, 200_000),
    stakes=st.lists(st.one_of(st.integers(1, 2**120), st.integers(1, 50)), min_size=1, max_size=5),
)
def test_won_split(rules: Contract, reward: int, share: int, tax: int, stakes: list[int]) -> None:
    validators = ACCOUNTS[1 : 1 + len(stakes)]
    sheets = [Sheet(who, Wei(stake), (7,)) for who, stake in zip(validators, stakes, strict=True)]
    settled = settlement.settle(terms(reward, share, tax), 10, [Entrant(ACCOUNTS[0], 1)], sheets)
    assert rules.read("taxOf", reward, tax) == settled.tax
    found = rules.read("won", reward, settled.tax, share, ACCOUNTS[0], validators, stakes)
    assert found == tuple((payout.account, payout.amount) for payout in settled.payouts)
    assert sum(amount for _, amount in found) + settled.tax == reward


@EXAMPLES
@given(reward=st.one_of(amounts, st.integers(1, 1000)), tax=st.integers(0, 200_000), count=st.integers(1, 6))
def test_shared_split(rules: Contract, reward: int, tax: int, count: int) -> None:
    void = Entrant(ACCOUNTS[5], 9, void=True)
    entrants = [void, *(Entrant(who, place) for place, who in enumerate(ACCOUNTS[:count]))]
    settled = settlement.settle(terms(reward, 100_000, tax), 0, entrants, [])
    found = rules.read("shared", reward, settled.tax, ACCOUNTS[:count])
    assert found == tuple((payout.account, payout.amount) for payout in settled.payouts)
    assert sum(amount for _, amount in found) + settled.tax == reward


@EXAMPLES
@given(
    function=st.sampled_from(list(ScoreFunction)),
    samples=st.integers(0, 2**32 - 1),
    data=st.data(),
)
def test_ranges(rules: Contract, function: ScoreFunction, samples: int, data: st.DataObject) -> None:
    worst = (-samples * 2**24, max(-samples * 2**40, ABSTAIN + 1))
    near = st.sampled_from([*worst, *(edge - 1 for edge in worst), -1, 0, 1, samples, samples + 1, ABSTAIN])
    score = data.draw(st.one_of(near, int64s))
    assert rules.read("inRange", int(function), score, samples) == in_range(function, score, samples)


@EXAMPLES
@given(samples=st.integers(0, 2**32 - 1), minimum=int64s, offset=st.sampled_from([-1, 0, 1]))
def test_least_scores(rules: Contract, samples: int, minimum: int, offset: int) -> None:
    score = min(max(minimum * samples // PPM + offset, -(2**63)), 2**63 - 1)
    assert rules.read("reaches", score, samples, minimum) == reaches(score, samples, minimum)


@pytest.mark.parametrize("function", [item for item in ScoreFunction if item is not ScoreFunction.NONE])
def test_the_best_score_is_reached_by_a_perfect_model_and_nothing_above_it_by_any(
    rules: Contract, function: ScoreFunction
) -> None:
    perfect = 360 if function.is_top_k else 0
    assert rules.read("bestPpm", int(function)) == best_ppm(function)
    assert in_range(function, perfect, 360)
    assert not in_range(function, perfect + 1, 360)
    assert reaches(perfect, 360, best_ppm(function))
    assert not reaches(perfect, 360, best_ppm(function) + 1)


def test_quorums(rules: Contract) -> None:
    for members in range(65):
        k = quorum.threshold(members)
        assert rules.read("threshold", members) == k
        faulty = (members - 1) // 3 if members else 0
        assert members == 0 or (2 * k - members > faulty and k <= members - faulty)
        if members % 3 == 1:
            assert k == 2 * faulty + 1
