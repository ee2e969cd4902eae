"""Reading through an IPFS gateway that nobody has to trust: raw blocks, each verified against its CID.

Specification: https://specs.ipfs.tech/http-gateways/trustless-gateway/
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from offchain.errors import Rejected
from offchain.storage.bounds import Clock, Limits
from offchain.storage.cid import Cid
from offchain.storage.http import HttpSource
from offchain.storage.unixfs import MAX_BLOCK_BYTES, read_tree
from offchain.storage.verified import VerifiedStore

_RAW = "application/vnd.ipld.raw"
_ELSEWHERE = "use local:, kubo: or embedded: (--store)"
_AHEAD = 8
"""Blocks asked for at the same time; bounds memory to a few MiB."""


class GatewayStore(VerifiedStore):
    """Read-only: any gateway that serves raw blocks at `/ipfs/CID?format=raw`."""

    def __init__(self, base: str, *, seconds: float, clock: Clock) -> None:
        location = f"gateway:{base}"
        super().__init__(location, seconds=seconds, clock=clock)
        self._http = HttpSource(base, location=location, advice="try another gateway or a node of your own")

    def add(self, data: bytes) -> Cid:
        """Raises Rejected: nothing can be added through a gateway."""
        raise Rejected(f"{self.location}: gateways only read; {_ELSEWHERE} for these {len(data)} bytes")

    def add_file(self, path: Path) -> Cid:
        """Raises Rejected: nothing can be added through a gateway."""
        raise Rejected(f"{self.location}: gateways only read; {_ELSEWHERE} for {path}")

    @property
    def writable(self) -> bool:
        """See `Store`."""
        return False

    def has(self, cid: Cid) -> bool:  # noqa: ARG002
        """False: what a gateway serves today it does not promise to keep."""
        return False

    def probe(self) -> str:
        """See `Store`. Asks for the empty file, which every gateway can make up itself."""
        empty = Cid.parse("QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH")
        self.read(empty, max_bytes=0)
        return f"{self.location}: serves verified blocks (read only)"

    def close(self) -> None:
        """See `Store`."""
        self._http.close()

    def _pieces(self, limits: Limits) -> Iterator[bytes]:
        with ThreadPoolExecutor(_AHEAD, thread_name_prefix="gateway") as pool:

            def fetch(cids: Sequence[Cid]) -> Iterator[bytes]:
                queue = iter(cids)
                waiting: list[Future[bytes]] = [pool.submit(self._block, cid, limits) for cid in islice(queue, _AHEAD)]
                try:
                    while waiting:
                        block = waiting.pop(0).result()
                        waiting += [pool.submit(self._block, cid, limits) for cid in islice(queue, 1)]
                        yield block
                finally:
                    for future in waiting:
                        future.cancel()

            yield from read_tree(limits.cid, fetch, admit=limits.admit, source=self.location)

    def _block(self, cid: Cid, limits: Limits) -> bytes:
        return self._http.body(
            "GET",
            f"ipfs/{cid.v1}",
            {"format": "raw"},
            max_bytes=MAX_BLOCK_BYTES,
            deadline=limits.deadline,
            accept=_RAW,
        )
