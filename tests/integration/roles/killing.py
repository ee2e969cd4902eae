"""Killing a worker at a write or send, and starting it again: the tools of the kill tests."""

import gc
import hashlib
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Any

from eth_account.signers.local import LocalAccount

from offchain.errors import AssayError
from offchain.roles.context import RoleContext
from offchain.roles.worker import Worker
from tests.integration.roles.stage import Stage

MOST_TICKS = 1000

Build = Callable[[RoleContext], Worker]


class Killed(BaseException):
    """The process dies here."""


class Inline(Executor):
    """Runs each job at once, in the thread that submits it: no race, no waiting."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except AssayError as error:
            future.set_exception(error)
        return future


@dataclass
class Killer:
    """Counts every boundary by name, and kills once, at the boundary with the name and occurrence (from 1) `at`."""

    at: tuple[str, int] | None = None
    seen: Counter[str] = field(default_factory=Counter)
    killed: bool = False

    def __call__(self, name: str) -> None:
        self.seen[name] += 1
        if not self.killed and (name, self.seen[name]) == self.at:
            self.killed = True
            raise Killed(name)


def fixed_rng() -> Callable[[int], bytes]:
    """Bytes that are the same in every process: seeds drawn again after a restart are those drawn before."""
    drawn = 0

    def draw(count: int) -> bytes:
        nonlocal drawn
        drawn += 1
        return hashlib.sha256(drawn.to_bytes(4, "big")).digest()[:count]

    return draw


@dataclass
class Mortal:
    """A participant whose process may be killed; it is started again at once, from what it left on disk."""

    stage: Stage
    account: LocalAccount
    name: str
    killer: Killer
    deaths: int = 0

    def alive(self, act: Callable[[RoleContext], None]) -> None:
        """A process that does `act`, and is started again to do it if it was killed."""
        while True:
            context: RoleContext | None = None
            try:
                context = self.stage.context(self.account, self.name, boundary=self.killer, rng=fixed_rng())
                act(context)
            except Killed:
                self.deaths += 1
            else:
                return
            finally:
                if context is not None:
                    self.stage.close(context)
            if context is None:
                gc.collect()  # a process that dies while it starts lets go of its files too

    def work(self, build: Build) -> None:
        """A worker that ticks until there is nothing left to do."""
        self.alive(lambda context: settle_down(build(context)))


def settle_down(worker: Worker) -> None:
    """Ticks until nothing happens any more."""
    for _ in range(MOST_TICKS):
        if not worker.tick() and not worker.in_flight:
            worker.close()
            return
    raise AssertionError(f"{worker.role} does not come to rest")
