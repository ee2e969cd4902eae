import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.errors import AssayError, Bug, Retryable
from offchain.ledger.submissions import Call, Receipt, SubmissionLimits, Submissions
from offchain.ledger.types import Millis, Sequence

LIMITS = SubmissionLimits(
    bundle_bytes=30,
    delay=1.0,
    bundles_under_way=3,
    bytes_under_way=60,
    waiting=8,
    waiting_bytes=100,
    give_up_after=50.0,
)


class Caller:
    """Notes how its call ended."""

    def __init__(self, *requests: bytes) -> None:
        self.ends: list[AssayError | None] = []
        self.call = Call(requests, lambda call, error: self.ends.append(error))

    @property
    def results(self) -> list[bytes | None]:
        return [receipt and receipt.result for receipt in self.call.receipts]


def execute(submissions: Submissions, *requests: bytes, sequence: int = 1) -> None:
    submissions.executed(Sequence(sequence), Millis(5), [(request, b"did " + request) for request in requests])


def test_the_first_bundle_leaves_at_once_the_next_when_full_or_old() -> None:
    submissions = Submissions(LIMITS)
    submissions.add(Caller(b"first").call, 0.0)
    assert submissions.next_bundle(0.0) == (b"first",)
    submissions.add(Caller(b"second").call, 0.1)
    assert submissions.next_bundle(0.9) == ()
    assert submissions.has_queue
    submissions.add(Caller(b"third").call, 1.0)
    assert submissions.next_bundle(1.1) == (b"second", b"third")
    submissions.add(Caller(b"x" * 16, b"y" * 14, b"z").call, 2.0)
    assert submissions.next_bundle(2.0) == (b"x" * 16, b"y" * 14)
    assert submissions.next_bundle(2.0) == ()


def test_a_request_larger_than_a_bundle_goes_alone() -> None:
    submissions = Submissions(LIMITS)
    submissions.add(Caller(b"x" * 40, b"y").call, 0.0)
    assert submissions.next_bundle(0.0) == (b"x" * 40,)


def test_every_caller_gets_its_receipts_in_order() -> None:
    submissions = Submissions(LIMITS)
    one, two = Caller(b"a", b"b"), Caller(b"b", b"c", b"b")
    submissions.add(one.call, 0.0)
    submissions.add(two.call, 0.0)
    assert submissions.next_bundle(0.0) == (b"a", b"b", b"c")
    execute(submissions, b"b", b"stranger", b"c")
    assert (one.ends, two.ends) == ([], [None])
    assert two.results == [b"did b", b"did c", b"did b"]
    execute(submissions, b"a", sequence=2)
    assert one.ends == [None]
    assert one.call.receipts == [Receipt(Sequence(2), Millis(5), b"did a"), Receipt(Sequence(1), Millis(5), b"did b")]
    assert (submissions.waiting, submissions.waiting_bytes, submissions.bundles_under_way) == (0, 0, 0)


def test_executed_from_anothers_bundle_before_ours_left() -> None:
    submissions = Submissions(LIMITS)
    caller = Caller(b"a", b"b")
    submissions.add(caller.call, 0.0)
    execute(submissions, b"a")
    assert submissions.next_bundle(0.0) == (b"b",)
    execute(submissions, b"b")
    assert caller.ends == [None]


def test_what_waits_is_bounded_and_a_refused_call_leaves_nothing() -> None:
    submissions = Submissions(LIMITS)
    submissions.add(Caller(*(bytes([i]) for i in range(7))).call, 0.0)
    with pytest.raises(Retryable, match="try again"):
        submissions.add(Caller(b"new", b"newer").call, 0.0)
    with pytest.raises(Retryable):
        submissions.add(Caller(b"x" * 99).call, 0.0)
    assert submissions.waiting == 7
    submissions.add(Caller(b"\0", b"\1").call, 0.0)
    assert submissions.waiting == 7, "what is on its way already takes no more room"


def test_bundles_under_way_are_bounded() -> None:
    submissions = Submissions(LIMITS)
    for number in range(4):
        submissions.add(Caller(bytes([number]) * 15, bytes([100 + number]) * 5).call, 0.0)
    sent = [submissions.next_bundle(2.0) for _ in range(4)]
    assert [len(bundle) for bundle in sent] == [3, 3, 2, 0] or sum(map(bool, sent)) == 3
    execute(submissions, *sent[0])
    assert submissions.bundles_under_way == sum(map(bool, sent)) - 1


def test_a_bundle_that_is_never_executed_does_not_block_for_ever() -> None:
    submissions = Submissions(LIMITS)
    for number in range(4):
        submissions.add(Caller(bytes([number])).call, 0.0)
        submissions.next_bundle(10.0)
    assert submissions.next_bundle(49.0) == ()
    assert submissions.next_bundle(61.0) == (b"\3",)


def test_who_gives_up_leaves_room_and_may_send_again() -> None:
    submissions = Submissions(LIMITS)
    one, two = Caller(b"a", b"b"), Caller(b"b")
    submissions.add(one.call, 0.0)
    submissions.add(two.call, 0.0)
    submissions.next_bundle(0.0)
    submissions.abandon(one.call)
    assert submissions.waiting == 1
    execute(submissions, b"a", b"b")
    assert (one.ends, two.ends) == ([], [None])
    submissions.add(one.call, 0.0)
    assert submissions.next_bundle(0.0) == (b"a", b"b")


def test_all_fail_together() -> None:
    submissions = Submissions(LIMITS)
    callers = [Caller(b"a"), Caller(b"a", b"b")]
    for caller in callers:
        submissions.add(caller.call, 0.0)
    submissions.next_bundle(0.0)
    error = Retryable("stopped")
    submissions.fail_all(error)
    assert [caller.ends for caller in callers] == [[error], [error]]
    assert (submissions.waiting, submissions.waiting_bytes, submissions.has_queue) == (0, 0, False)
    execute(submissions, b"a")
    assert [caller.ends for caller in callers] == [[error], [error]]


@given(
    st.lists(st.tuples(st.sampled_from(["add", "take", "execute", "abandon"]), st.sets(st.integers(0, 9))), max_size=40)
)
def test_the_books_balance(steps: list[tuple[str, set[int]]]) -> None:
    """Whatever happens in whatever order: what waits is what was added and neither executed nor given up."""
    submissions = Submissions(LIMITS)
    callers: list[Caller] = []
    for now, (step, numbers) in enumerate(steps):
        requests = [bytes([65 + number]) * (number + 1) for number in sorted(numbers)]
        if step == "add" and requests:
            caller = Caller(*requests)
            try:
                submissions.add(caller.call, float(now))
            except Retryable:
                continue
            callers.append(caller)
        elif step == "take":
            bundle = submissions.next_bundle(float(now))
            assert sum(map(len, bundle)) <= LIMITS.bundle_bytes
        elif step == "execute":
            execute(submissions, *requests)
        elif callers:
            submissions.abandon(callers.pop().call)
        wanted = {
            request
            for caller in callers
            for request, receipt in zip(caller.call.requests, caller.call.receipts, strict=True)
            if receipt is None
        }
        assert submissions.waiting == len(wanted)
        assert submissions.waiting_bytes == sum(map(len, wanted))
        assert all((caller.ends == [None]) == (None not in caller.call.receipts) for caller in callers)


def test_a_call_tells_once() -> None:
    caller = Caller(b"a")
    caller.call.answer(0, Receipt(Sequence(1), Millis(1), b""))
    caller.call.finish(Bug("too late"))
    assert caller.ends == [None]
