"""Jobs of the desk: progress, ends, and those that nobody wants any more."""

import threading
from collections.abc import Iterator

import pytest

from offchain.errors import Rejected, Retryable
from offchain.explorer.desk.jobs import Job, Jobs, Progress
from offchain.explorer.desk.refusals import Faulty, NotKnown

SECONDS = 30.0
INTEREST = 60.0


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def jobs(clock: Clock) -> Iterator[Jobs[int]]:
    made: Jobs[int] = Jobs(1, most=3, interest=INTEREST, scrub=lambda text: text.replace("/secret/", ""), clock=clock)
    yield made
    made.close()


def ended(job: Job[int]) -> Job[int]:
    assert job.over.wait(SECONDS)
    return job


def fail(error: Exception) -> int:
    raise error


def test_a_job_gives_its_result_and_says_what_it_does(jobs: Jobs[int]) -> None:
    steps: list[str] = []

    def work(progress: Progress) -> int:
        progress.say("counting")
        steps.append(next(iter(jobs._jobs.values())).step)
        return 7

    ends: list[int] = []
    job = ended(jobs.start(work, on_end=lambda: ends.append(1)))
    assert (job.state, job.result, steps, ends) == ("done", 7, ["counting"], [1])
    assert jobs.find(job.id) is job
    with pytest.raises(NotKnown, match="no such job"):
        jobs.find("0123")


@pytest.mark.parametrize(
    ("error", "field", "words"),
    [
        (Rejected("--spec /secret/a.json: no\nlayers"), "spec", "spec a.json: no layers"),
        (Faulty("train", "too small"), "train", "train: too small"),
        (Retryable("the store is down"), None, "the store is down"),
        (MemoryError(), None, "this machine has too little memory for it; give less data"),
        (ZeroDivisionError("inside"), None, "the desk has a bug; the server's log has the trace"),
    ],
)
def test_what_goes_wrong_is_one_line(jobs: Jobs[int], error: Exception, field: str | None, words: str) -> None:
    job = ended(jobs.start(lambda _: fail(error)))
    assert (job.state, job.error, job.fault) == ("failed", words, field)


def test_who_does_not_ask_has_lost_interest(jobs: Jobs[int], clock: Clock) -> None:
    """The running one is told to stop, the one behind it never begins."""
    begun, go_on = threading.Event(), threading.Event()

    def work(progress: Progress) -> int:
        begun.set()
        assert go_on.wait(SECONDS)
        progress.say("the next step")
        return 1

    first, second = jobs.start(work), jobs.start(work)
    assert begun.wait(SECONDS)
    clock.now += INTEREST + 1
    third = jobs.start(lambda _: 3)
    go_on.set()
    assert [ended(job).state for job in (first, second, third)] == ["cancelled", "cancelled", "done"]


def test_asking_keeps_a_job_going_and_stopping_ends_it(jobs: Jobs[int], clock: Clock) -> None:
    go_on = threading.Event()

    def work(progress: Progress) -> int:
        assert go_on.wait(SECONDS)
        progress.say("the next step")
        return 1

    kept, stopped = jobs.start(work), jobs.start(work)
    for _ in range(3):
        clock.now += INTEREST - 1
        jobs.find(kept.id)
        jobs.find(stopped.id)
    jobs.stop(stopped.id)
    go_on.set()
    assert [ended(job).state for job in (kept, stopped)] == ["done", "cancelled"]


def test_the_same_work_is_done_once_and_too_much_is_refused(jobs: Jobs[int]) -> None:
    go_on = threading.Event()
    first = jobs.start(lambda _: int(go_on.wait(SECONDS)), name="order 1")
    freed: list[int] = []
    assert jobs.start(lambda _: 2, name="order 1", on_end=lambda: freed.append(1)) is first
    assert freed == [1]
    others = [jobs.start(lambda _: 2) for _ in range(2)]
    with pytest.raises(Retryable, match="too much to do"):
        jobs.start(lambda _: 3)
    go_on.set()
    for job in (first, *others):
        ended(job)
    assert ended(jobs.start(lambda _: 4)).result == 4
    with pytest.raises(NotKnown):
        jobs.find(first.id)
