"""The bench of the three modes: sums equal the plain ones (it says Bug otherwise), sizes are those of real files."""

from rich.console import Console

from offchain.bench.federated_homomorphic import Options, Row, line, run, table


def test_a_small_run_and_its_table() -> None:
    told: list[Row] = []
    rows = run(Options(layouts=((4, 2),), dimensions=(50,)), told.append)
    assert told == rows
    plain, masked, homomorphic = rows
    assert [row.mode for row in rows] == ["plain", "masking", "homomorphic"]
    block, boxes = 2 * 2048 * 6, 34 + 48 * 2 + 32
    assert homomorphic.sent == (34 + 32) + boxes + (34 + 3 * 48 + block + 16) + (48 + 4 * 50)
    assert homomorphic.fetched == 3 * (34 + 32 + boxes) + 48 + block
    assert plain.sent < masked.sent < homomorphic.sent
    assert plain.error == masked.error == 0 < homomorphic.error < 0.5
    assert 0 < plain.overheads[0] < homomorphic.overheads[0]
    console = Console(width=200, record=True)
    console.print(table(rows), line(homomorphic))
    text = console.export_text()
    assert "…" not in text
    assert "25.2 kB" in text
