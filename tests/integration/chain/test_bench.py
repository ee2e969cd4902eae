"""The benchmark counts what really arrived."""

from offchain.bench.chain import run, table


def test_the_benchmark_loses_and_doubles_nothing() -> None:
    rows = run(transactions=30, keys=2)
    assert [row.transactions for row in rows] == [30, 30, 30, 30]
    assert {(row.lost, row.doubled, row.disordered) for row in rows} == {(0, 0, 0)}
    assert all(row.per_second > 0 for row in rows)
    assert len(table(rows).splitlines()) == 5
