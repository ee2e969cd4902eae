"""The built page: files with hashed names for ever, `index.html` anew and for every path that the page routes."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from offchain.explorer.api.answers import Answer, has, takes_gzip
from offchain.explorer.api.refusals import NotKnown

STATIC = Path(__file__).resolve().parent.parent / "static"
FOREVER = "public, max-age=31536000, immutable"
NOT_BUILT = "the page is not built: run `make page`; the API is at /api, its description at /openapi.json"
KINDS = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
MOST_FILES = 1_000
RESERVED = ("api", "desk", "assets", "metrics", "openapi.json")


@dataclass(frozen=True, slots=True)
class _File:
    kind: str
    forever: bool
    answer: Answer


class Page:
    """The files as they were when the server started, in memory: nothing that is asked for becomes a path."""

    def __init__(self, folder: Path = STATIC) -> None:
        self._files = _read(folder)

    @property
    def built(self) -> bool:
        """Whether there is a page."""
        return "index.html" in self._files

    def router(self) -> APIRouter:
        """To be included last: it answers every path that nothing else does."""
        router = APIRouter(include_in_schema=False)

        @router.api_route("/{path:path}", methods=["GET", "HEAD"])
        async def get_page(path: str, request: Request) -> Response:
            """A file, or the page."""
            return self._give(path, request)

        return router

    def _give(self, path: str, request: Request) -> Response:
        found = self._files.get(path)
        if found is None:
            if path.partition("/")[0] in RESERVED:
                raise NotKnown(f"/{path[:100]}: there is no such thing; see /openapi.json")
            found = self._files.get("index.html")
        if found is None:
            return PlainTextResponse(NOT_BUILT + "\n", 503)
        headers = {"ETag": found.answer.etag, "Vary": "Accept-Encoding"}
        headers["Cache-Control"] = FOREVER if found.forever else "no-cache"
        if has(request, found.answer.etag):
            return Response(status_code=304, headers=headers)
        body = found.answer.body
        if found.answer.zipped and takes_gzip(request):
            headers["Content-Encoding"] = "gzip"
            body = found.answer.zipped
        return Response(body, media_type=found.kind, headers=headers)


def _read(folder: Path) -> Mapping[str, _File]:
    if not folder.is_dir():
        return {}
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix in KINDS][:MOST_FILES]
    return {path.relative_to(folder).as_posix(): _file(folder, path) for path in paths}


def _file(folder: Path, path: Path) -> _File:
    forever = path.relative_to(folder).parts[0] == "assets"
    return _File(KINDS[path.suffix], forever, Answer.of(None, path.read_bytes()))
