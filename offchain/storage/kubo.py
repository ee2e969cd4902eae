"""A Kubo node over its RPC API.

Adding goes through `ipfshttpclient`, whose `connect()` refuses daemons newer than 0.8, so `Client` is built directly.
Every add states the whole profile, because the node's defaults differ between versions and can be configured, and the
CID it answers is compared with our own. Reading doesn't go through that client: it would hold a whole unchunked body in
memory and let a trickle last forever (`http.py` bounds both).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

import ipfshttpclient
from ipfshttpclient import exceptions

from offchain.errors import Rejected, Retryable
from offchain.storage.bounds import Clock, Deadline, Limits, WrongContent
from offchain.storage.cid import Cid
from offchain.storage.http import HttpSource
from offchain.storage.unixfs import (
    CANONICAL,
    MAX_BLOCK_BYTES,
    Importer,
    file_chunks,
    read_tree,
    root_size,
    verify_block,
)
from offchain.storage.verified import VerifiedStore, open_for_reading

PROFILE = {
    "cid-version": "0",
    "hash": "sha2-256",
    "chunker": f"size-{CANONICAL.chunk}",
    "raw-leaves": "false",
    "trickle": "false",
    "max-file-links": str(CANONICAL.links),
    "inline": "false",
    "nocopy": "false",
    "wrap-with-directory": "false",
    "pin": "true",
    "progress": "false",
}
"""Options of `/api/v0/add` that fix the CID. Nodes older than 0.35 know no `max-file-links` and use 174 anyway."""

_MAX_ANSWER = 64 * 1024
_ADD_SILENCE = 60.0


class KuboStore(VerifiedStore):
    """Content on a Kubo node that belongs to the user; `url` is the address of its RPC API."""

    def __init__(self, url: str, *, seconds: float, clock: Clock) -> None:
        location = f"kubo:{url}"
        super().__init__(location, seconds=seconds, clock=clock)
        self._advice = f"start the node (`ipfs daemon`) or correct the address {url}"
        self._http = HttpSource(url, location=location, advice=self._advice)
        self._client = ipfshttpclient.Client(multiaddr_of(url, location), timeout=_ADD_SILENCE)

    def add(self, data: bytes) -> Cid:
        """See `Store`. The node pins what is added."""
        return self._upload([data])

    def add_file(self, path: Path) -> Cid:
        """See `Store`. The node pins what is added."""
        open_for_reading(path)
        return self._upload(file_chunks(path))

    def has(self, cid: Cid) -> bool:
        """Whether the node has pinned the content."""
        try:
            answer = self._call("pin/ls", {"arg": str(cid), "type": "recursive"})
        except Retryable as error:
            if "not pinned" in str(error):
                return False
            raise
        return str(cid) in answer.decode(errors="replace")

    def probe(self) -> str:
        """See `Store`."""
        try:
            answer = json.loads(self._call("version", {}))
        except ValueError:
            answer = None
        version = answer.get("Version") if isinstance(answer, dict) else None
        if not isinstance(version, str) or not version.isprintable():
            raise Rejected(f"{self.location}: something answers, but not a Kubo node; {self._advice}")
        return f"{self.location}: Kubo {version[:40]}"

    def close(self) -> None:
        """See `Store`."""
        self._http.close()
        self._client.close()

    def _upload(self, pieces: Iterable[bytes]) -> Cid:
        importer = Importer()

        def counted() -> Iterator[bytes]:
            for piece in pieces:
                importer.update(piece)
                yield piece

        try:
            theirs = self._client.add_bytes(counted(), opts=PROFILE)
        except exceptions.ErrorResponse as error:
            raise Retryable(f"{self.location}: could not add: {error}") from None
        except (exceptions.Error, KeyError, AssertionError) as error:
            raise Retryable(f"{self.location}: {type(error).__name__} while adding; {self._advice}") from None
        ours = importer.finish()
        if theirs != str(ours):
            raise Rejected(
                f"{self.location}: made {theirs!r} of content that is {ours}; update the node, its profile differs"
            )
        return ours

    def _pieces(self, limits: Limits) -> Iterator[bytes]:
        """The root block proves the size; then the node sends the file as a stream, fetching ahead by itself."""
        root = self._block(limits.cid, limits.deadline)
        if not verify_block(limits.cid, root):
            raise WrongContent(f"{self.location}: gave wrong bytes for block {limits.cid}; check the node's disk")
        size = root_size(limits.cid, root, source=self.location)
        limits.admit(size, self.location)
        yield from self._http.stream(
            "POST", "api/v0/cat", {"arg": str(limits.cid)}, max_bytes=size, deadline=limits.deadline
        )

    def _refuse(self, limits: Limits) -> NoReturn:
        """A stream says nothing about which block is wrong; the blocks tell a lie from content in another form."""

        def fetch(cids: Sequence[Cid]) -> Iterator[bytes]:
            for cid in cids:
                yield self._block(cid, limits.deadline)

        for _ in read_tree(limits.cid, fetch, admit=limits.admit, source=self.location):
            pass
        super()._refuse(limits)

    def _block(self, cid: Cid, deadline: Deadline) -> bytes:
        return self._http.body(
            "POST", "api/v0/block/get", {"arg": str(cid)}, max_bytes=MAX_BLOCK_BYTES, deadline=deadline
        )

    def _call(self, command: str, params: dict[str, str]) -> bytes:
        deadline = Deadline.after(self._seconds, self._clock, self._location)
        return self._http.body("POST", f"api/v0/{command}", params, max_bytes=_MAX_ANSWER, deadline=deadline)


def multiaddr_of(url: str, location: str) -> str:
    """The multiaddr of an RPC address, which is what `ipfshttpclient` wants. Raises Rejected."""
    parts = urlsplit(url)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise Rejected(f"{location}: bad port; use http://HOST:PORT") from None
    if parts.path not in {"", "/"} or parts.username is not None:
        raise Rejected(f"{location}: give the address only, without path or password; use http://HOST:PORT")
    host = parts.hostname or ""
    try:
        kind = f"ip{ip_address(host).version}"
    except ValueError:
        kind = "dns"
    return f"/{kind}/{host}/tcp/{port}/{parts.scheme}"
