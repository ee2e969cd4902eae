"""`assay bench ledger` with real processes, as small as it gets."""

from offchain.bench import ledger_failover, ledger_sync, ledger_throughput
from offchain.bench.ledger_load import Payload


def test_synchronisation() -> None:
    (row,) = ledger_sync.measure(4, [Payload(1, 10, 3_432)], rounds=1, seed=0)
    assert 0 < row.quorum <= row.once
    assert row.each > 0
    assert row.bytes_each > 10 * 150


def test_throughput() -> None:
    row = ledger_throughput.measure(4, 300, seed=0)
    assert row.accepted == row.transactions == 300
    assert 0 < row.check_percent < 100
    assert row.check_microseconds > 0


def test_a_killed_primary_costs_nothing_but_time() -> None:
    row = ledger_failover.run(timeout=500)
    assert (row.lost, row.doubled, row.differing) == (0, 0, 0)
    assert row.view >= 1
    assert row.answered_by_killed > 0
    assert row.answered > row.answered_by_killed
