"""Threads that somebody else can hold: names that are looked up for ever, a chain that does not answer."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from offchain.ledger import node as node_module
from offchain.ledger.records.bodies import Node, Role
from offchain.ledger.records.request import sign
from tests.integration.ledger.served import DOMAIN, Served
from tests.unit.ledger.records.samples import KEYS


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path)
    yield served
    served.close()


def test_a_journal_is_written_though_every_thread_of_the_loop_is_held(
    group: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Members announce hosts whose names nobody ever resolves: look-ups block the loop's threads, not the disk."""
    monkeypatch.setattr(node_module, "SLOW_SYNC", -1.0)  # each write in a thread, as with a disk that is slow
    released = threading.Event()

    async def hold() -> None:
        for _ in range(64):
            asyncio.get_running_loop().run_in_executor(None, released.wait, 20.0)

    try:
        for thread in group.threads:
            assert thread is not None
            thread.run(hold())
        request = sign(DOMAIN, KEYS[0], 1, Node(Role.PROVIDER, "", "")).encode()
        assert group.threads[0] is not None
        (receipt,) = group.threads[0].submit([request], 8.0)
        assert receipt.sequence == 1
    finally:
        released.set()
