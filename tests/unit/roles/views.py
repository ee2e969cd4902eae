"""Orders as the rules see them, for tests."""

from dataclasses import replace
from typing import Any

from offchain.chain.enums import ScoreFunction
from offchain.chain.views import Claim, Order, OrderTerms, ScoreSheet
from offchain.protocol.lifecycle import Facts, phase_at
from offchain.protocol.scores import NO_MINIMUM
from offchain.roles.order_view import NO_COMMITMENT, OrderView
from offchain.roles.records import CandidateRecord, ScoresRecord, TestSetRecord
from offchain.types import CidDigest, Commitment, OrderId, Ppm, Root, Salt, Seconds, Wei
from tests.simulation.evm import account

START = 1000
CLIENT, ME, OTHER, THIRD = (account(index) for index in range(4))

TERMS = OrderTerms(
    reward=Wei(1000),
    manifest_cid=CidDigest(b"m" * 32),
    test_commitment=Commitment(b"t" * 32),
    score_function=ScoreFunction.ACCURACY,
    minimum_score_ppm=NO_MINIMUM,
    train_seconds=100,
    reveal_seconds=50,
    validate_seconds=40,
    challenge_seconds=30,
    minimum_validators=1,
    max_model_bytes=100,
    max_tensor_bytes=100,
    input_size=64,
    output_size=10,
)
ORDER = Order(
    client=CLIENT,
    put_at=Seconds(START),
    terms=TERMS,
    claim_bond=Wei(70),
    minimum_v_stake=Wei(10),
    challenge_stake=Wei(20),
    request_bond=Wei(3),
    validator_share_ppm=Ppm(150_000),
    aggregator_tax_ppm=Ppm(20_000),
    reporter_share_ppm=Ppm(100_000),
    dispute_share_ppm=Ppm(500_000),
    move_seconds=5,
    max_claims=3,
    max_validators=3,
)
NO_CLAIM = Claim(Commitment(NO_COMMITMENT), 0, False, False, 0)
NO_SHEET = ScoreSheet(Commitment(NO_COMMITMENT), Wei(0), Wei(0), False, False)


def view(now: int, **facts: Any) -> OrderView:
    """The order at `now`, with one claim, revealed, and one validator unless `facts` say otherwise."""
    usual = Facts(test_released=True, claims=1, reveals=1, score_commits=1, score_reveals=1)
    given = replace(usual, **facts)
    return OrderView(OrderId(1), ORDER, given, phase_at(ORDER.windows, given, now), Seconds(now))


def candidate(name: str, score: int, loss: float = 0.5) -> CandidateRecord:
    """A journalled model whose commitment is made of `name`."""
    word = name.encode().ljust(32, b"_")
    return CandidateRecord(OrderId(1), Commitment(word), Root(word), CidDigest(word), Salt(word), score, 10, 3, loss)


def claimed(record: CandidateRecord, **changes: Any) -> Claim:
    """The claim on chain that commits to the record."""
    return replace(Claim(record.commitment, 1, False, False, 0), **changes)


def scores(name: str, *, vstake: int = 10) -> ScoresRecord:
    """Journalled scores whose commitment is made of `name`."""
    word = name.encode().ljust(32, b"_")
    return ScoresRecord(OrderId(1), Commitment(word), (7, -(2**63)), Salt(word), Wei(vstake))


def test_set() -> TestSetRecord:
    """A client's journalled test set."""
    word = b"s" * 32
    return TestSetRecord(TERMS.test_commitment, Root(word), 9, CidDigest(word), Salt(word), "digits", TERMS, True)


test_set.__test__ = False  # type: ignore[attr-defined]  # a maker of records, not a test
