"""What may ask the desk: a page of this very server, on this very machine, in bodies of known kinds and sizes.

The desk keeps secrets and spends this machine's time, so other sites' pages must not reach it: not by requests of
theirs that a browser would send (their Origin is another), nor under a name of theirs that resolves to a loopback
address (their Host is another).
"""

from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import urlsplit

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Message

from offchain.errors import Rejected, Retryable
from offchain.explorer.desk.refusals import Faulty, Forbidden, NotKnown, TooLarge, WrongKind
from offchain.explorer.desk.words import field_of, in_fields

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
SAME_SITE = frozenset({"same-origin", "none"})
JSON_BYTES = 16 << 10
FILE_BYTES = 256 << 20
"""The largest file; a form has at most five."""
FORM_BYTES = 2 * FILE_BYTES + JSON_BYTES

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class GuardedRoute(APIRoute):
    """A route of the desk: nothing of a request is read before the guard has seen it."""

    def get_route_handler(self) -> Handler:
        """The handler with the guard before it, and errors as one line of JSON after it."""
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            try:
                require_own_page(request)
                return await handle(Request(request.scope, _bounded(request, require_kind(request))))
            except (Rejected, Retryable, RequestValidationError, HTTPException, ClientDisconnect) as error:
                return problem(error)

        return guarded


def require_own_page(request: Request) -> None:
    """Raises Forbidden unless the request is of a page of this server, or of a program."""
    host = request.headers.get("host", "")
    if not _is_loopback(host) or _port_of(host) != (request.scope.get("server") or ("", None))[1]:
        raise Forbidden(f"Host {host[:80]!r}: the desk answers on this machine's own addresses only")
    origin = request.headers.get("origin")
    if origin is None and request.method not in ("GET", "HEAD"):
        raise Forbidden("a request without Origin; send it from the page, or say Origin: http://" + host)
    if origin is not None and origin != f"http://{host}":
        raise Forbidden(f"Origin {origin[:80]!r}: the desk answers its own page only")
    if request.headers.get("sec-fetch-site", "none") not in SAME_SITE:
        raise Forbidden("the desk answers its own page only")


def require_kind(request: Request) -> int:
    """The most bytes that the body may have. Raises WrongKind or TooLarge by what the headers say."""
    if request.method in ("GET", "HEAD", "DELETE"):
        return 0
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    form = request.url.path.rstrip("/").endswith("/desk/orders")
    wanted, most = ("multipart/form-data", FORM_BYTES) if form else ("application/json", JSON_BYTES)
    if kind != wanted:
        raise WrongKind(f"a body of kind {kind[:40]!r}; send {wanted}")
    declared = request.headers.get("content-length", "0")
    if not declared.isdigit() or int(declared[:20]) > most:
        raise TooLarge(f"the body is larger than {most} bytes")
    return most


def problem(error: Exception) -> JSONResponse:
    """The answer to what went wrong: one line, and the field at fault."""
    match error:
        case RequestValidationError():
            first = error.errors()[0]
            place = [str(part) for part in first["loc"] if part not in ("body", "query", "path")]
            field = place[0] if place else None
            return _answer(422, f"{'.'.join(place) or 'request'}: {first['msg']}", field)
        case HTTPException(__cause__=Rejected() as cause):
            return problem(cause)  # what was raised while the body was read
        case HTTPException():
            return _answer(error.status_code, str(error.detail), None)
        case Retryable():
            return _answer(503, str(error), None)
        case Rejected():
            field = error.field if isinstance(error, Faulty) else field_of(str(error))
            return _answer(next((code for kind, code in _CODES.items() if isinstance(error, kind)), 422), error, field)
        case _:
            return _answer(400, "the request broke off", None)


_CODES = {NotKnown: 404, Forbidden: 403, TooLarge: 413, WrongKind: 415}


def _answer(status: int, message: object, field: str | None) -> JSONResponse:
    return JSONResponse({"error": in_fields(str(message)), "field": field}, status)


def _bounded(request: Request, most: int) -> Callable[[], Coroutine[Any, Any, Message]]:
    left = most

    async def receive() -> Message:
        nonlocal left
        message = await request.receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise TooLarge(f"the body is larger than {most} bytes")
        return message

    return receive


def _is_loopback(host: str) -> bool:
    try:
        return urlsplit(f"//{host}").hostname in LOOPBACK and "@" not in host and "/" not in host
    except ValueError:
        return False


def _port_of(host: str) -> int | None:
    try:
        return urlsplit(f"//{host}").port or 80
    except ValueError:
        return None
