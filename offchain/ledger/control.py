"""A node's local door for tests, benchmarks and its operator: a Unix socket that only its owner can open.

One JSON object a line, one answer a line:

    {"op": "submit", "requests": [hex, …]}     → {"receipts": [[sequence, time, result in hex], …]}
    {"op": "status"}                           → {"status": {…}}
    {"op": "wait", "requests": n}              → {"at": seconds of CLOCK_MONOTONIC} once n requests were executed in all
    {"op": "executed", "since": sequence}      → {"batches": [[sequence, time, [request, …], [result, …]], …], "all": …}
    {"op": "digest"}                           → {"executed": sequence, "digest": hex}, the application's
    {"op": "gossip", "payload": hex}           → {}

and `{"error": line, "kind": "Rejected" or "Retryable"}` when it cannot be done.
"""

import asyncio
import json
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from offchain.errors import Rejected, Retryable
from offchain.ledger.node import LedgerNode
from offchain.ledger.pbft.effects import Executed
from offchain.ledger.types import Sequence as SequenceNumber

MAX_LINE_BYTES = 64 << 20


class ControlServer:
    """See the module."""

    def __init__(self, node: LedgerNode, path: Path) -> None:
        self._node = node
        self._path = path
        self._server: asyncio.Server | None = None
        self._executed = 0
        self._waiting: list[tuple[int, asyncio.Future[float]]] = []
        self._reached: list[tuple[int, float]] = [(0, time.monotonic())]
        node.on_executed(self._count)

    async def start(self) -> None:
        """Listens; a socket that a former process left is replaced."""
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, self._path, limit=MAX_LINE_BYTES)
        self._path.chmod(0o600)

    async def stop(self) -> None:
        """Stops listening."""
        if self._server is not None:
            self._server.close()
        self._path.unlink(missing_ok=True)

    def _count(self, executed: Executed) -> None:
        if not executed.requests:
            return
        self._executed += len(executed.requests)
        now = time.monotonic()
        self._reached.append((self._executed, now))
        del self._reached[:-4096]
        waiting, self._waiting = self._waiting, []
        for number, future in waiting:
            if number > self._executed:
                self._waiting.append((number, future))
            elif not future.done():
                future.set_result(now)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            while line := await reader.readline():
                writer.write(json.dumps(await self._answer(line)).encode() + b"\n")
                await writer.drain()
        writer.close()

    async def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            fields = json.loads(line)
            return await self._do(fields)
        except (Rejected, Retryable) as error:
            return {"error": str(error), "kind": type(error).__name__}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return {"error": f"not understood: {error}", "kind": "Rejected"}

    async def _do(self, fields: dict[str, Any]) -> dict[str, Any]:
        match fields["op"]:
            case "submit":
                receipts = await self._node.submit([bytes.fromhex(request) for request in fields["requests"]])
                return {"receipts": [[r.sequence, r.time, r.result.hex()] for r in receipts]}
            case "status":
                return {"status": asdict(self._node.status())}
            case "wait":
                return {"at": await self._wait_for(int(fields["requests"]))}
            case "executed":
                found, complete = self._node.executed_since(SequenceNumber(int(fields["since"])))
                batches = [
                    [e.sequence, e.time, [r.hex() for r in e.requests], [r.hex() for r in e.results]] for e in found
                ]
                return {"batches": batches, "all": complete}
            case "digest":
                return {"executed": self._node.replica.executed, "digest": self._node.application.digest().hex()}
            case "gossip":
                self._node.gossip(bytes.fromhex(fields["payload"]))
                return {}
            case other:
                raise Rejected(f"no such operation: {other!r}")

    async def _wait_for(self, number: int) -> float:
        if number <= self._executed:
            return next((at for reached, at in self._reached if reached >= number), time.monotonic())
        future: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._waiting.append((number, future))
        return await future
