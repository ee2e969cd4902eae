"""Verified content for download. No open proxy: only what an event that stands, or a verified manifest, names."""

from collections.abc import AsyncIterator
from io import BytesIO
from typing import IO, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from offchain.explorer.api import parameters as given
from offchain.explorer.api.answers import has
from offchain.explorer.api.fields import parse_cid
from offchain.explorer.api.parts import Parts
from offchain.explorer.api.problems import RESPONSES
from offchain.explorer.api.refusals import NotKnown
from offchain.explorer.api.stream import event_at
from offchain.explorer.content.book import Naming
from offchain.storage.cid import Cid

PIECE = 256 << 10
ANSWERS: dict[int | str, dict[str, Any]] = {
    **RESPONSES,
    200: {
        "description": "The bytes, verified against the CID.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    },
}


def content_router(parts: Parts) -> APIRouter:
    """One route."""
    router = APIRouter(prefix="/api", tags=["content"])

    @router.get(
        "/content/{cid}",
        response_class=Response,
        responses=ANSWERS,
        summary="A file that the chain, or a manifest, names",
    )
    async def get_content(cid: given.CidPath, request: Request) -> Response:
        """As an attachment; at most 512 MiB. Anything that no event of this deployment leads to is 404."""
        name = parse_cid(cid)
        naming = await parts.answers.run(lambda: _naming(parts, name))
        if naming is None:
            raise NotKnown(f"{name}: no event of this deployment names it, nor a manifest that one names")
        etag = f'"{name}"'
        headers = {
            "ETag": etag,
            "Cache-Control": "public, max-age=31536000, immutable",
            "Content-Disposition": f'attachment; filename="{str(name)[:12]}-{naming.name}"',
        }
        if has(request, etag):
            return Response(status_code=304, headers=headers)
        body = await parts.answers.run(lambda: parts.reading.book.body(name.digest))
        file = await parts.downloads.fetch(name, naming.size) if body is None else BytesIO(body)
        length = file.seek(0, 2)
        file.seek(0)
        headers["Content-Length"] = str(length)
        return StreamingResponse(_pieces(file), media_type="application/octet-stream", headers=headers)

    return router


def _naming(parts: Parts, cid: Cid) -> Naming | None:
    """By what it may be asked for: the first naming whose event still stands."""
    for naming in parts.reading.book.namings(cid.digest):
        if event_at(parts.index, naming.seq) is not None:
            return naming
    return None


async def _pieces(file: IO[bytes]) -> AsyncIterator[bytes]:
    try:
        while piece := file.read(PIECE):  # from the page cache: it has just been written
            yield piece
    finally:
        file.close()
