"""Bounds each HTTP request before anything reads it: size of the body, time, and how many from one address."""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from offchain.ledger.api.buckets import Buckets, Rate
from offchain.ledger.api.problems import problem


@dataclass(frozen=True, slots=True)
class ApiLimits:
    """Bounds of one replica's API. Sizes in bytes, times in seconds.

    `addresses`: HTTP requests of one address; `unchecked`: messages of one address whose signatures are checked;
    `accounts`: messages of one account that are ordered. `seconds`: for one HTTP request, waiting included.
    """

    body_bytes: int = 512 << 10
    seconds: float = 60.0
    addresses: Rate = field(default_factory=lambda: Rate(200.0, 1_000.0))
    unchecked: Rate = field(default_factory=lambda: Rate(5_000.0, 20_000.0))
    accounts: Rate = field(default_factory=lambda: Rate(1_000.0, 5_000.0))


class _TooLargeError(Exception):
    pass


class Guard:
    """ASGI middleware. Answers 413, 429 or 504 itself."""

    def __init__(self, app: ASGIApp, limits: ApiLimits, clock: Callable[[], float] = monotonic) -> None:
        self._app = app
        self._limits = limits
        self._clock = clock
        self._buckets = Buckets(limits.addresses)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one HTTP request; other scopes pass."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        wait = self._buckets.take(address_of(scope), 1, self._clock())
        if wait:
            answer = problem(
                429, "too many requests from this address; slow down", {"Retry-After": str(math.ceil(wait))}
            )
            await answer(scope, receive, send)
            return
        await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        left, started = self._limits.body_bytes, False

        async def bounded_receive() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise _TooLargeError
            return message

        async def noted_send(message: Message) -> None:
            nonlocal started
            # What the application makes of a body that was cut off is not what we answer.
            if left >= 0:
                started = True
                await send(message)

        answer = problem(413, f"the body is larger than {self._limits.body_bytes} bytes", {"Connection": "close"})
        try:
            async with asyncio.timeout(self._limits.seconds):
                if _declared(scope) > left:
                    raise _TooLargeError
                await self._app(scope, bounded_receive, noted_send)
        except _TooLargeError:
            left = -1
        except TimeoutError:
            left, answer = -1, problem(504, "this took too long; ask again", {"Connection": "close"})
        if left < 0 and not started:
            await answer(scope, receive, send)


def address_of(scope: Scope) -> str:
    """Where a request comes from, or nothing where that is not known."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def _declared(scope: Scope) -> int:
    """The body's length as its header says; the server has checked that it is a number."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value[:20])
    return 0
