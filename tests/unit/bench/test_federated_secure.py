"""The bench of secure aggregation: sums equal the plain ones (it says Bug otherwise), sizes are those of real files."""

from rich.console import Console

from offchain.bench.federated_secure import Options, Row, bytes_table, cpu_table, line, run


def test_a_small_run_and_its_tables() -> None:
    told: list[Row] = []
    rows = run(Options(layouts=((6, 3), (4, 4)), dimensions=(40,), dropouts=(0, 380_000)), told.append)
    assert told == rows
    assert [(row.participants, row.group_size, row.dropped) for row in rows] == [
        (6, 3, 0),
        (6, 3, 2),
        (4, 4, 0),
        (4, 4, 1),
    ]
    whole, some = rows[:2]
    assert whole.sent == 1058 == (98 + 32 * 3) + (34 + 178 * 3) + 4 * 40 + (34 + 34 * 3)
    assert whole.fetched == 2 * ((98 + 32 * 3) + (34 + 178 * 3))
    assert whole.leader_fetched - some.leader_fetched == 2 * (4 * 40 + 34 + 34 * 3)
    assert all(row.times > 0 for row in rows)
    console = Console(width=80, record=True)
    console.print(cpu_table(rows), bytes_table(rows), line(rows[0]))
    text = console.export_text()
    assert "…" not in text
    assert "1.06 kB" in text
