"""The local directory: round trips, damage, limits, and many writers at once."""

import multiprocessing
import os
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from offchain.errors import Rejected, Retryable
from offchain.storage.bounds import Missing
from offchain.storage.cid import Cid
from offchain.storage.local import LocalStore
from offchain.storage.store import open_store
from offchain.storage.unixfs import cid_of

BIG = 10**9


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store", seconds=60, clock=time.monotonic)


def the_file(store: LocalStore, cid: Cid) -> Path:
    path = store.path_of(cid)
    assert path is not None
    return path


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(st.binary(max_size=2000))
def test_what_was_added_reads_back(store: LocalStore, data: bytes) -> None:
    cid = store.add(data)
    assert cid == cid_of(data)
    assert store.has(cid)
    assert store.read(cid, max_bytes=len(data), size=len(data)) == data


def test_a_file_is_added_and_saved_as_a_stream(store: LocalStore, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "deep" / "target"
    source.write_bytes(os.urandom(3_000_001))
    cid = store.add_file(source)
    assert store.save(cid, target, max_bytes=BIG) == 3_000_001
    assert target.read_bytes() == source.read_bytes()


def test_progress_is_reported(store: LocalStore) -> None:
    cid = store.add(bytes(2_500_000))
    seen: list[tuple[int, int | None]] = []
    store.read(cid, max_bytes=BIG, size=2_500_000, progress=lambda done, whole: seen.append((done, whole)))
    assert seen[-1] == (2_500_000, 2_500_000)
    assert seen == sorted(seen)
    assert len(seen) > 1


def test_what_is_not_there_is_missing(store: LocalStore) -> None:
    with pytest.raises(Missing, match="not there"):
        store.read(cid_of(b"nobody added this"), max_bytes=BIG)
    assert not store.has(cid_of(b"nobody added this"))


def test_content_larger_than_allowed_is_rejected(store: LocalStore, tmp_path: Path) -> None:
    cid = store.add(bytes(1000))
    with pytest.raises(Rejected, match="1000 bytes; at most 999"):
        store.read(cid, max_bytes=999)
    with pytest.raises(Rejected, match="at most 999"):
        store.save(cid, tmp_path / "target", max_bytes=999)
    assert not (tmp_path / "target").exists()


def test_a_promise_beyond_the_limit_is_rejected_before_looking(store: LocalStore) -> None:
    with pytest.raises(Rejected, match="said to have 1000 bytes"):
        store.read(cid_of(b"never added"), max_bytes=999, size=1000)


@pytest.mark.parametrize("promised", [0, 999, 1001])
def test_content_of_another_size_than_promised_is_rejected(store: LocalStore, promised: int) -> None:
    cid = store.add(bytes(1000))
    with pytest.raises(Rejected, match=f"1000 bytes, not {promised}"):
        store.read(cid, max_bytes=BIG, size=promised)


@pytest.mark.parametrize("damage", [b"", b"x", bytes(999), bytes(1001), b"\x01" + bytes(999), bytes(5000)])
def test_a_damaged_file_is_moved_aside_and_adding_again_heals_it(store: LocalStore, damage: bytes) -> None:
    cid = store.add(bytes(1000))
    the_file(store, cid).write_bytes(damage)
    with pytest.raises(Missing, match="damaged"):
        store.read(cid, max_bytes=2000)
    assert not store.has(cid)
    assert store.add(bytes(1000)) == cid
    assert store.read(cid, max_bytes=2000) == bytes(1000)


def test_a_damaged_file_is_never_saved_under_the_target(store: LocalStore, tmp_path: Path) -> None:
    cid = store.add(bytes(1000))
    the_file(store, cid).write_bytes(b"\x01" + bytes(999))
    with pytest.raises(Missing):
        store.save(cid, tmp_path / "target", max_bytes=2000)
    assert list(tmp_path.glob("*target*")) == []
    assert list(tmp_path.glob(".incoming-*")) == []


def test_a_writer_that_fails_leaves_nothing_behind(store: LocalStore, tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="no-such-file"):
        store.add_file(tmp_path / "no-such-file")
    blocked = tmp_path / "file"
    blocked.write_bytes(b"in the way")
    with pytest.raises(Retryable):
        LocalStore(blocked, seconds=1, clock=time.monotonic).add(b"x")


def test_a_download_that_takes_too_long_ends(tmp_path: Path) -> None:
    ticks = iter(range(1000))
    store = LocalStore(tmp_path, seconds=2, clock=lambda: float(next(ticks)))
    cid = store.add(bytes(10_000_000))
    with pytest.raises(Retryable, match="too slow"):
        store.read(cid, max_bytes=BIG)


def add_many(location: str, seed: int, count: int) -> list[str]:
    """Runs in a process of its own: adds the same contents as everybody, in an order of its own."""
    with open_store(location) as store:
        contents = [bytes([number]) * 70_000 for number in range(count)]
        order = sorted(range(count), key=lambda number: (number * 7919 + seed * 104729) % 1009)
        cids = [store.add(contents[number]) for number in order]
        return [str(cid) for cid in cids if store.read(cid, max_bytes=70_000) is not None]


def test_many_processes_may_add_the_same_content_at_once(tmp_path: Path) -> None:
    location, count = f"local:{tmp_path / 'shared'}", 20
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        results = pool.starmap(add_many, [(location, seed, count) for seed in range(3)])
    assert all(sorted(cids) == sorted(results[0]) for cids in results)
    with open_store(location) as store:
        for number in range(count):
            content = bytes([number]) * 70_000
            assert store.read(cid_of(content), max_bytes=70_000) == content
    assert [path for path in (tmp_path / "shared").rglob("*") if path.name.startswith(".incoming-")] == []


def test_probe_says_whether_it_can_be_written(store: LocalStore, tmp_path: Path) -> None:
    assert "writable" in store.probe()
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    with pytest.raises(Rejected, match="can be written"):
        LocalStore(blocked, seconds=1, clock=time.monotonic).probe()
