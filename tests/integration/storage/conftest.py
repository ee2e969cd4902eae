"""Real Kubo nodes for the tests of this room."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from offchain.storage.embedded import EmbeddedStore
from offchain.storage.store import open_store

Launch = Callable[..., EmbeddedStore]


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    """Starts a node of the real engine that knows only the peers it is given; all are stopped at the end."""
    running: list[EmbeddedStore] = []

    def start(name: str, *peers: EmbeddedStore, seconds: float = 30) -> EmbeddedStore:
        query = "".join(f"&peer={peer.addresses[0]}" for peer in peers)
        store = open_store(f"embedded:{tmp_path / name}?network=local{query}", seconds=seconds)
        assert isinstance(store, EmbeddedStore)
        running.append(store)
        return store

    yield start
    for store in running:
        store.close()
