"""Routes about the server itself: which deployment, ABIs, the event stream, metrics."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import StreamingResponse

from offchain.chain.artifacts import load_artifact
from offchain.explorer.api import parameters as given
from offchain.explorer.api import schema
from offchain.explorer.api.answers import Answer
from offchain.explorer.api.hub import Message
from offchain.explorer.api.metrics import CONTENT_TYPE
from offchain.explorer.api.parts import Parts
from offchain.explorer.api.problems import RESPONSES
from offchain.explorer.api.stream import missed, reset_message, stream
from offchain.ledger.api.guard import address_of

STREAM_ANSWERS: dict[int | str, dict[str, Any]] = {
    **RESPONSES,
    200: {
        "description": "Server-sent events: `head`, `event`, `rollback`, `reset`, and comments.",
        "content": {
            "text/event-stream": {
                "schema": {"type": "string"},
                "example": 'id: 17\nevent: event\ndata: {"contract":"OrderBook","name":"OrderPut","oid":3,'
                '"dispute":null,"task":null,"accounts":["0x70997970C51812dc3A010C7d01b50e0d17dc79C8"]}\n\n',
            }
        },
    },
}
LastId = Annotated[
    str | None,
    Header(alias="Last-Event-ID", max_length=32, description="The id of the last message that was seen."),
]


def server_router(parts: Parts, *, desk: bool) -> APIRouter:
    """All of them."""
    router = APIRouter(responses=RESPONSES)
    router.include_router(_about(parts, desk))
    router.include_router(_streaming(parts))
    return router


def about(parts: Parts, *, desk: bool) -> schema.About:
    """How it all stands now."""
    found, standing, health = parts.deployment, parts.live.standing, parts.health()
    down = health.problem is not None
    head = {"number": standing.head, "hash": standing.head_hash, "timestamp": standing.head_at}
    return schema.About.model_validate(
        {
            "chain_id": found.chain_id,
            "network": found.network,
            "genesis": found.genesis,
            "version": found.version,
            "desk": desk,
            "development": found.development,
            "endpoint": found.endpoint,
            "contracts": found.contracts,
            "faucet": found.faucet,
            "token": {"address": found.token, "symbol": found.symbol, "decimals": found.decimals},
            "head": head if standing.head_hash else None,
            "indexed": standing,
            "final_block": standing.final_block,
            "node": {
                "answers": not down,
                "silent_seconds": int(parts.seconds() - health.since) if down else 0,
                "problem": health.problem,
            },
            "now": standing.head_at,
        }
    )


def _about(parts: Parts, desk: bool) -> APIRouter:
    router = APIRouter(tags=["server"])
    abis: list[Answer] = []

    @router.get("/api/about", response_model=schema.About, summary="Which deployment, and how far the index is")
    async def get_about(request: Request) -> Response:
        """Also what this server can do, and whether the node answers."""
        body = about(parts, desk=desk).model_dump_json().encode()
        return Answer.of(None, body).respond(request, "no-cache")

    @router.get("/api/abi", response_model=dict[str, list[dict[str, Any]]], summary="ABIs by contract name")
    async def get_abi(request: Request) -> Response:
        """For decoding what a wallet is to sign."""
        if not abis:
            abis.append(Answer.of(None, _abi_json(parts)))
        return abis[0].respond(request, "no-cache")

    @router.get(
        "/metrics",
        summary="Metrics for Prometheus",
        response_class=Response,
        responses={200: {"description": "Text format.", "content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    async def get_metrics() -> Response:
        """docs/metrics.md says what they mean."""
        body = await asyncio.to_thread(parts.meters.page)
        return Response(body, headers={"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"})

    return router


def _streaming(parts: Parts) -> APIRouter:
    router = APIRouter(tags=["stream"])

    @router.get("/api/stream", summary="What happens, as it happens", responses=STREAM_ANSWERS)
    async def get_stream(
        request: Request, last_event_id: LastId = None, after: given.After = None
    ) -> StreamingResponse:
        """Open it first and read then: nothing is missed. With an id (or `after`, where headers cannot be set) it goes
        on after that; who is too far behind, or knows of what was rolled back, gets `reset` and reads anew."""
        reader = parts.hub.join(address_of(request.scope))
        try:
            last = last_id(last_event_id, after)
            past = await parts.answers.run(lambda: _past(parts, last))
        except BaseException:
            parts.hub.leave(reader)
            raise
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(stream(parts.hub, reader, past), media_type="text/event-stream", headers=headers)

    return router


def _past(parts: Parts, last: int | None) -> list[Message]:
    """What a reader gets before it goes live."""
    head = [] if parts.live.head is None else [parts.live.head]
    if last is None:
        return head
    found = missed(parts.index, last)
    return [reset_message(parts.live.standing.seq), *head] if found is None else [*found, *head]


def last_id(header: str | None, after: int | None) -> int | None:
    """The id that a reader has; one that is no number was not ours, and is as good as one that is too old."""
    if header is None or not header.strip():
        return after
    text = header.strip()
    number = int(text) if text.isascii() and text.isdigit() else -1
    return number if number < given.MOST else -1


def _abi_json(parts: Parts) -> bytes:
    abis = {name: [*load_artifact(name).abi] for name in parts.deployment.contracts}
    return schema.Abis(abis).model_dump_json().encode()
