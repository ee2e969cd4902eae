"""Nodes in threads of one process, as a worker has them; and what a replica may import."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from offchain.errors import Rejected, Retryable
from offchain.ledger.identity import Identity
from offchain.ledger.local_group import LocalGroup
from offchain.ledger.node import LedgerNode
from offchain.ledger.node_config import NodeConfig
from offchain.ledger.node_thread import NodeThread
from offchain.ledger.pbft.application import GroupConfig
from offchain.ledger.submissions import SubmissionLimits
from offchain.ledger.types import ReplicaId, Sequence
from tests.integration.ledger.counter import Counter


def make(files: LocalGroup, me: int, limits: SubmissionLimits | None = None) -> NodeThread:
    group = GroupConfig(4, ReplicaId(0), timeout=1_000, status_every=200)
    config = NodeConfig(
        files.membership,
        Identity(files.keys[me]),
        files.folder / f"{me}.journal",
        group,
        submissions=limits or SubmissionLimits(),
    )
    return NodeThread(LedgerNode(config, Counter()))


@pytest.fixture
def threads(tmp_path: Path) -> Iterator[list[NodeThread]]:
    files = LocalGroup(tmp_path, 4)
    threads = [make(files, me) for me in range(4)]
    for thread in threads:
        thread.start()
    until(lambda: all(all(thread.status().connected) for thread in threads))
    yield threads
    for thread in threads:
        thread.stop()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_worker_submits_reads_and_gossips(threads: list[NodeThread]) -> None:
    receipts = threads[1].submit([b"ok one", b"ok two", b"ok one"])
    assert [r.result for r in receipts] == [b"new" + bytes(7) + b"\1", b"new" + bytes(7) + b"\2", receipts[0].result]
    last = receipts[-1].sequence
    until(lambda: all(thread.status().executed == last for thread in threads))
    for thread in threads:
        batches, complete = thread.executed_since(Sequence(0))
        assert complete
        assert [request for batch in batches for request in batch.requests] == [b"ok one", b"ok two"]
        assert thread.executed_since(last) == ([], True)

    threads[0].gossip(b"to all")
    threads[0].gossip(b"to one", ReplicaId(3))
    until(lambda: threads[0].status().links.queued_bytes == 0)
    found: list[tuple[ReplicaId, bytes]] = []
    until(lambda: bool(found.extend(threads[3].inbox())) or len(found) == 2)
    assert found == [(0, b"to all"), (0, b"to one")]
    until(lambda: threads[2].inbox() == [(0, b"to all")])
    assert threads[0].inbox() == []


def test_gossip_is_kept_within_bounds(threads: list[NodeThread]) -> None:
    for number in range(400):
        threads[2].gossip(number.to_bytes(2, "big"), ReplicaId(1))
    until(lambda: threads[2].status().links.queued_bytes == 0)
    time.sleep(0.5)  # for what is on its way
    inbox = threads[1].inbox()
    assert len(inbox) <= 256
    assert inbox[-1] == (2, (399).to_bytes(2, "big"))


def test_who_waits_longer_than_it_wants_may_ask_again(threads: list[NodeThread]) -> None:
    for thread in threads[2:]:
        thread.stop()
    with pytest.raises(Retryable, match=r"did not answer within 0.3 s"):
        threads[0].submit([b"ok alone"], timeout=0.3)
    assert threads[0].status().waiting == 0, "who gave up takes no room"
    with pytest.raises(Rejected, match="not valid"):
        threads[0].submit([b"no"])


def test_when_too_much_waits_the_next_are_turned_away(tmp_path: Path) -> None:
    alone = make(LocalGroup(tmp_path, 4), 0, SubmissionLimits(waiting=3))
    alone.start()
    with pytest.raises(Retryable):
        alone.submit([b"ok 1", b"ok 2", b"ok 3", b"ok 4"])
    assert alone.status().waiting == 0
    alone.stop()
    with pytest.raises(Retryable, match="stopped"):
        alone.submit([b"ok 1"])


def test_an_address_in_use_leaves_nothing_behind(threads: list[NodeThread], tmp_path: Path) -> None:
    files = LocalGroup(tmp_path / "others", 4)
    config = NodeConfig(
        files.membership,
        Identity(files.keys[0]),
        files.folder / "0.journal",
        listen=(files.membership.members[0].host, threads[0].node.listens_at[1]),
    )
    thread = NodeThread(LedgerNode(config, Counter()))
    with pytest.raises(Rejected, match="is another process there"):
        thread.start()
    # The journal was let go.
    again = make(files, 0)
    again.start()
    again.check()
    again.stop()


def test_a_replica_imports_nothing_heavy() -> None:
    """A hundred of them fit on a machine: 37 MB each, of which 17 are its own."""
    script = (
        "import sys, offchain.ledger.process, offchain.ledger.records.application;"
        "heavy = {'torch', 'numba', 'numpy', 'pandas', 'sklearn', 'web3', 'eth_account', 'fastapi', 'pydantic'};"
        "print(sorted(heavy & {name.split('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "[]"
