"""What holds for every request: who may ask under which name, how often, and what browsers are told of the answer."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from offchain.ledger.api.buckets import Buckets, Rate
from offchain.ledger.api.guard import address_of
from offchain.ledger.api.problems import problem

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
MAX_QUERY = 4_096
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin-allow-popups",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


@dataclass(frozen=True, slots=True)
class Door:
    """Who may come in. `local`: only browsers that asked for a loopback name, and then as often as they like.

    A site that has its own name point at this machine (DNS rebinding) would otherwise read and act as this page.
    """

    local: bool
    rate: Rate = field(default_factory=lambda: Rate(50.0, 500.0))


class Guard:
    """ASGI middleware around everything. Answers 400, 403 and 429 itself."""

    def __init__(
        self, app: ASGIApp, door: Door, answered: Callable[[int], None], clock: Callable[[], float] = monotonic
    ) -> None:
        """`answered` is told the status of every answer."""
        self._app = app
        self._door = door
        self._answered = answered
        self._clock = clock
        self._buckets = Buckets(door.rate)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one HTTP request; other scopes pass."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._answered(message["status"])
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await (self._refusal(scope) or self._app)(scope, receive, dressed)

    def _refusal(self, scope: Scope) -> ASGIApp | None:
        if self._door.local and not is_loopback(_header(scope, b"host")):
            return problem(403, "this explorer is local: open it as http://127.0.0.1 or http://localhost")
        if len(scope["query_string"]) > MAX_QUERY:
            return problem(400, f"the query is longer than {MAX_QUERY} characters")
        wait = 0.0 if self._door.local else self._buckets.take(address_of(scope), 1, self._clock())
        if wait:
            headers = {"Retry-After": str(math.ceil(wait))}
            return problem(429, "too many requests from this address; slow down", headers)
        return None


def is_loopback(host: str) -> bool:
    """Whether a Host header, or a host, names this machine for itself."""
    name = host.strip()
    if name.startswith("["):
        name = name[1:].partition("]")[0]
    elif name.count(":") == 1:
        name = name.partition(":")[0]
    return name.lower().rstrip(".") in LOOPBACK_NAMES


def _header(scope: Scope, wanted: bytes) -> str:
    found = [value for name, value in scope["headers"] if name == wanted]
    return found[0].decode("latin-1") if len(found) == 1 else ""
