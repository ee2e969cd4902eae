"""Moves a development chain's clock on as soon as all that is expected in an order's window has happened.

So windows can be as long as a busy machine may need, and nobody waits for their ends.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from offchain.chain.contracts import AssayContracts
from offchain.errors import Retryable
from offchain.protocol.lifecycle import ENDED, Facts, Phase, phase_end
from offchain.types import OrderId

PAUSE = 0.2


@dataclass(frozen=True)
class Expected:
    """What happens in each window of an order; `also`: what must be true before the clock leaves a phase."""

    claims: int
    reveals: int
    score_commits: int
    score_reveals: int
    also: Mapping[Phase, Callable[[], bool]] = field(default_factory=dict)

    def is_done(self, phase: Phase, facts: Facts) -> bool:
        done = {
            Phase.TRAINING: facts.claims >= self.claims,
            Phase.REVEAL: facts.reveals >= self.reveals and facts.test_released,
            Phase.SCORE_COMMIT: facts.score_commits >= self.score_commits,
            Phase.SCORE_REVEAL: facts.score_reveals >= self.score_reveals,
            Phase.CHALLENGE: facts.open_disputes == 0,
        }
        return done.get(phase, False) and self.also.get(phase, lambda: True)()


@contextmanager
def hurry(contracts: AssayContracts, expected: Expected) -> Iterator[None]:
    """Somebody who watches the latest order and the clock, for the length of a `with`."""
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(PAUSE):
            try:
                _hurry_latest(contracts, expected)
            except Retryable:
                continue  # a chain that is busy for a moment

    thread = threading.Thread(target=watch, name="hurry")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _hurry_latest(contracts: AssayContracts, expected: Expected) -> None:
    count = contracts.order_count()
    if count == 0:
        return
    oid, client = OrderId(count), contracts.client
    phase, facts = contracts.phase(oid), contracts.facts(oid)
    if phase in ENDED or not expected.is_done(phase, facts):
        return
    end = phase_end(phase, contracts.windows(oid), facts.challenge_until)
    if end is not None:
        client.request("evm_increaseTime", max(end - client.now(), 0))
        client.request("evm_mine")
