"""Gas figures against the snapshot: what fails the check and what does not."""

from pathlib import Path

import pytest

from offchain.bench.gas import (
    ARTIFACTS,
    ROOT,
    SNAPSHOT,
    Setting,
    Snapshot,
    compare,
    differences,
    measure,
    read_artifacts,
    read_snapshot,
    write_snapshot,
)
from offchain.errors import Rejected

SETTING = Setting("0.8.30", "cancun", 1000)


def snapshot(**actions: int) -> Snapshot:
    return Snapshot(SETTING, "because", actions, {"Token": 10})


@pytest.mark.parametrize(("gas", "moved"), [(1000, False), (1020, False), (980, False), (1021, True), (979, True)])
def test_two_percent_is_the_limit(gas: int, moved: bool) -> None:
    assert bool(differences(snapshot(put=gas), snapshot(put=1000))) is moved


def test_new_and_vanished_actions_are_differences() -> None:
    lines = differences(snapshot(put=1), snapshot(seal=1))
    assert lines == ["put: new, 1 gas", "seal: no longer measured"]


def test_another_compiler_is_a_difference() -> None:
    other = Snapshot(Setting("0.8.31", "cancun", 1000), "", {"put": 1}, {})
    assert len(differences(other, snapshot(put=1))) == 1


def test_no_snapshot_is_a_difference() -> None:
    assert differences(snapshot(put=1), None) == [f"{SNAPSHOT} is missing: renew it with a reason"]


def test_rows_show_the_change_and_the_paper() -> None:
    measured = snapshot(**{"confirm, to one account": 110, "put": 7})
    rows = compare(measured, snapshot(**{"confirm, to one account": 100}))
    assert [(row.snapshot, row.change_percent, row.paper) for row in rows] == [(100, 10.0, 45_371), (None, None, None)]


def test_a_snapshot_survives_the_disk_with_its_reason(tmp_path: Path) -> None:
    path = tmp_path / "snapshot.json"
    assert read_snapshot(path) is None
    write_snapshot(path, snapshot(put=5), " cheaper storage ")
    kept = read_snapshot(path)
    assert kept is not None
    assert (kept.reason, kept.actions, kept.setting) == ("cheaper storage", {"put": 5}, SETTING)


def test_a_snapshot_is_not_renewed_without_a_reason(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="reason"):
        write_snapshot(tmp_path / "snapshot.json", snapshot(put=5), " ")
    assert not (tmp_path / "snapshot.json").exists()


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"setting": {"compiler": 1}}'])
def test_what_is_no_snapshot_is_rejected(tmp_path: Path, text: str) -> None:
    path = tmp_path / "snapshot.json"
    path.write_text(text)
    with pytest.raises(Rejected, match="not a gas snapshot"):
        read_snapshot(path)


def test_without_sources_nothing_is_measured(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="clone of the repository"):
        measure(tmp_path)


def test_the_snapshot_in_the_repository_belongs_to_the_artifacts() -> None:
    kept = read_snapshot(ROOT / SNAPSHOT)
    assert kept is not None
    setting, sizes = read_artifacts(ROOT / ARTIFACTS)
    assert kept.setting == setting
    assert kept.sizes == pytest.approx(sizes, rel=0.02)
    assert max(gas for action, gas in kept.actions.items() if action.startswith("seal")) < 10_000_000
