"""How what goes wrong becomes an answer: a status and one line of JSON."""

import math
from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from offchain.errors import Rejected, Retryable
from offchain.ledger.api.refusals import Forbidden, NotKnown, TooMany

RETRY_SECONDS = 1


def problem(status: int, message: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """An answer that is no success."""
    return JSONResponse({"error": " ".join(message.split())}, status, dict(headers or {}))


def handle_problems(app: FastAPI) -> None:
    """Makes `app` answer our errors, and its own, in one line."""
    app.add_exception_handler(Exception, _bug)
    for kind in (Rejected, Retryable, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, _known)


async def _known(request: Request, error: Exception) -> JSONResponse:
    del request
    match error:
        case TooMany(seconds=seconds):
            return problem(429, str(error), {"Retry-After": str(math.ceil(seconds))})
        case Retryable():
            return problem(503, str(error), {"Retry-After": str(RETRY_SECONDS)})
        case NotKnown():
            return problem(404, str(error))
        case Forbidden():
            return problem(403, str(error))
        case RequestValidationError():
            return problem(422, first_problem(error))
        case HTTPException():
            return problem(error.status_code, f"{error.detail}; see /openapi.json", error.headers)
        case _:
            return problem(400, str(error))


async def _bug(request: Request, error: Exception) -> JSONResponse:
    """The trace is in the log of the server, which raises the error again; the client is told nothing of it."""
    del request, error
    return problem(500, "this replica has a bug; ask another one, and tell its operator")


def first_problem(error: RequestValidationError) -> str:
    """The first thing that is wrong with a request, and where."""
    found = error.errors()[0]
    where = ".".join(str(part) for part in found["loc"] if part not in ("body", "query", "path"))
    return f"{where}: {found['msg']}" if where else str(found["msg"])
