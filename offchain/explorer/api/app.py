"""The explorer's HTTP API. `create_app` makes it, `serving.py` serves it."""

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from offchain.explorer.api.guard import Guard
from offchain.explorer.api.parts import Parts
from offchain.explorer.api.problems import handle_problems
from offchain.explorer.api.routes_chain import chain_router
from offchain.explorer.api.routes_content import content_router
from offchain.explorer.api.routes_server import server_router

DESCRIPTION = """
A deployment of a decentralised training network as its events tell it: orders, models, scores, disputes, stakes,
rewards and federated tasks. Everything is read from the chain, or is content that was verified against hashes there.

Amounts in wei and other large integers are decimal text, hashes and bytes `0x…`, addresses checksummed, times seconds
of the chain's clock. Lists are paged: give a page's `next` as `before` (or `after`). Answers carry an ETag. What is
wrong comes as `{"error": "one line that says what to do"}`.

`/api/stream` tells what changes: open it first, then read.
"""


def create_app(parts: Parts, desk: APIRouter | None = None) -> FastAPI:
    """The API, the page, and with `desk` what prepares calls for a wallet."""
    app = FastAPI(
        title="Assay explorer",
        version=parts.deployment.version,
        summary="A decentralised training network, live.",
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=_operation,
    )
    handle_problems(app)
    app.include_router(server_router(parts, desk=desk is not None))
    app.include_router(chain_router(parts))
    app.include_router(content_router(parts))
    if desk is not None:
        app.include_router(desk)
    app.include_router(parts.page.router())
    app.add_middleware(Guard, door=parts.door, answered=parts.meters.answered)
    return app


def _operation(route: APIRoute) -> str:
    """`get_order`: what generated clients call it."""
    return route.name
