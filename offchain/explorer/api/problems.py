"""How what goes wrong becomes an answer: a status and one line of JSON."""

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from offchain.errors import Rejected, Retryable
from offchain.explorer.api.refusals import NotKnown
from offchain.explorer.api.schema import Problem
from offchain.ledger.api.problems import RETRY_SECONDS, first_problem, problem

logger = logging.getLogger(__name__)

RESPONSES: dict[int | str, dict[str, object]] = {
    code: {"model": Problem, "description": text}
    for code, text in {
        404: "There is no such thing.",
        422: "A parameter is wrong.",
        429: "Too many requests; see Retry-After.",
        503: "The node or the store does not answer; see Retry-After.",
    }.items()
}


def handle_problems(app: FastAPI) -> None:
    """Makes `app` answer our errors, and its own, in one line."""
    app.add_exception_handler(Exception, _bug)
    for kind in (Rejected, Retryable, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, _known)


async def _known(request: Request, error: Exception) -> JSONResponse:
    del request
    match error:
        case NotKnown():
            return problem(404, str(error))
        case Retryable():
            return problem(503, str(error), {"Retry-After": str(RETRY_SECONDS)})
        case RequestValidationError():
            return problem(422, first_problem(error))
        case HTTPException():
            return problem(error.status_code, f"{error.detail}; see /openapi.json", error.headers)
        case _:
            return problem(422, str(error))


async def _bug(request: Request, error: Exception) -> JSONResponse:
    """The trace is in the server's log; the client is told nothing of it."""
    del request, error
    return problem(500, "the explorer has a bug; its log has more")
