"""Replicas that lie: real servers before the real application, whose answers somebody changes on the way out."""

import json
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Lie = Callable[[str, Any], Any]
"""From path and answer to another answer."""


class Liar:
    """An ASGI app that tells `lie` instead of what `app` answers."""

    def __init__(self, app: ASGIApp, lie: Lie) -> None:
        self._app = app
        self._lie = lie

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, body = 200, bytearray()

        async def collect(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            body.extend(message.get("body", b""))

        await self._app(scope, receive, collect)
        told = self._lie(Request(scope).url.path, json.loads(body))
        await Response(json.dumps(told), status, media_type="application/json")(scope, receive, send)


class Garbage:
    """Answers anything with the same bytes, `times` over."""

    def __init__(self, data: bytes, times: int = 1, status: int = 200) -> None:
        self._data = data
        self._times = times
        self._status = status

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"application/json"), (b"location", b"http://127.0.0.1:1/")]
        await send({"type": "http.response.start", "status": self._status, "headers": headers})
        for _ in range(self._times):
            await send({"type": "http.response.body", "body": self._data, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


class Swallower:
    """Lets the application do it and then says nothing of it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def drop(message: Message) -> None:
            del message

        await self._app(scope, receive, drop)
        raise ConnectionAbortedError
