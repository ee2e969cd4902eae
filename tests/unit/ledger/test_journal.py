import errno
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.errors import Bug, Rejected
from offchain.ledger.disk import RealDisk, RealFile
from offchain.ledger.journal import Journal, JournalInUse
from tests.unit.ledger.crash_disk import CrashDisk, PowerLossError

OWNER = bytes(range(32))
PATH = Path("/disk/replica.journal")
GUARD = PATH.with_name("replica.journal.guard")

Step = tuple[str, list[bytes]]
"""append, write (without a sync) or restart, and the records."""

STEPS: list[Step] = [
    ("append", [b"entered view 0"]),
    ("append", [b"accepted 1", b"", b"prepared 1" * 30]),
    ("restart", [b"snapshot" * 100, b"accepted 2"]),
    ("append", [b"prepared 2"]),
    ("append", [b"committed 2", b"accepted 3"]),
]


def expected_after(steps: list[Step]) -> list[bytes]:
    records: list[bytes] = []
    for kind, more in steps:
        records = list(more) if kind == "restart" else [*records, *more]
    return records


def take(journal: Journal, step: Step) -> None:
    kind, records = step
    if kind == "append":
        journal.append(records)
    elif kind == "write":
        journal.write(records)
    else:
        journal.restart(records)


def written(steps: list[Step]) -> dict[Path, bytes]:
    """The files after these steps, all synced."""
    disk = CrashDisk()
    journal, records = Journal.open(PATH, OWNER, disk)
    assert records == ()
    for step in steps:
        take(journal, step)
    return {path: bytes(inode.now) for path, inode in disk.names.items()}


def reopen(files: dict[Path, bytes]) -> list[bytes]:
    journal, records = Journal.open(PATH, OWNER, CrashDisk(files))
    journal.append([b"goes on"])
    return list(records)


@pytest.mark.parametrize("count", range(len(STEPS) + 1))
def test_reopened_it_gives_its_records(count: int) -> None:
    assert reopen(written(STEPS[:count])) == expected_after(STEPS[:count])


@pytest.mark.parametrize("count", range(len(STEPS) + 1))
def test_no_cut_is_accepted(count: int) -> None:
    files = written(STEPS[:count])
    for length in range(len(files[PATH])):
        with pytest.raises(Rejected, match=r"replica\.journal: .*(end|restore)"):
            reopen({**files, PATH: files[PATH][:length]})


@pytest.mark.parametrize("tail", [b"\0", b"\xff" * 40, bytes(4096), (20).to_bytes(4, "big") + bytes(36)])
def test_a_tail_that_was_never_synced_is_cut(tail: bytes) -> None:
    files = written(STEPS)
    disk = CrashDisk({**files, PATH: files[PATH] + tail})
    _, records = Journal.open(PATH, OWNER, disk)
    assert list(records) == expected_after(STEPS)
    assert bytes(disk.names[PATH].now) == files[PATH]


def test_records_after_the_guard_count_when_whole() -> None:
    """Written and perhaps synced, but nobody was told of them: to keep them harms nothing."""
    before, after = written(STEPS[:4]), written(STEPS)
    mixed = {PATH: after[PATH], GUARD: before[GUARD]}
    assert reopen(mixed) == expected_after(STEPS)
    for length in range(len(before[PATH]), len(after[PATH])):
        records = reopen({PATH: after[PATH][:length], GUARD: before[GUARD]})
        assert records in (expected_after(STEPS)[:3], expected_after(STEPS)[:4])


@pytest.mark.parametrize("count", [1, 3, 5])
def test_a_flipped_bit_is_refused_or_changes_nothing(count: int) -> None:
    files = written(STEPS[:count])
    for path, data in files.items():
        for position in range(len(data)):
            flipped = bytearray(data)
            flipped[position] ^= 1 << position % 8
            try:
                records = reopen({**files, path: bytes(flipped)})
            except Rejected:
                continue
            assert path == GUARD, f"a changed journal was accepted (byte {position})"
            assert records == expected_after(STEPS[:count])


def test_an_older_journal_is_refused() -> None:
    now = written(STEPS)
    for count in range(len(STEPS)):
        older = written(STEPS[:count])
        with pytest.raises(Rejected, match="restore the file"):
            reopen({PATH: older[PATH], GUARD: now[GUARD]})


@pytest.mark.parametrize("missing", [PATH, GUARD])
def test_one_file_alone_is_refused(missing: Path) -> None:
    files = written(STEPS)
    del files[missing]
    with pytest.raises(Rejected, match="is missing"):
        reopen(files)


def test_another_members_journal_is_refused() -> None:
    with pytest.raises(Rejected, match="another member"):
        Journal.open(PATH, bytes(32), CrashDisk(written(STEPS)))


def test_power_fails_at_every_write() -> None:
    """What was appended is there, what was being appended is there up to some record, and it always opens again."""
    dies_at, died = 0, True
    while died:
        died = False
        done: list[Step] = []
        attempted = None
        disk = CrashDisk(dies_at=dies_at)
        try:
            journal, _ = Journal.open(PATH, OWNER, disk)
            for step in STEPS:
                attempted = step
                take(journal, step)
                done.append(step)
        except PowerLossError:
            died = True
        for seed in range(12):
            found = reopen(disk.after_loss(seed))
            sure = expected_after(done)
            allowed = [sure]
            if attempted is not None and attempted[0] == "append":
                allowed += [sure + attempted[1][:count] for count in range(len(attempted[1]) + 1)]
            elif attempted is not None:
                allowed.append(list(attempted[1]))
            assert found in allowed, f"died at change {dies_at}, seed {seed}"
        dies_at += 1
    assert dies_at > 20


def test_power_fails_again_while_it_opens() -> None:
    """Opening repairs, and a crash within the repair is no worse."""
    torn = {**written(STEPS), PATH: written(STEPS)[PATH] + b"torn"}
    lagging = {**written(STEPS), GUARD: written(STEPS[:4])[GUARD]}
    begun = {**written(STEPS[:3]), GUARD: written(STEPS[:2])[GUARD]}
    for files, records in ((torn, STEPS), (lagging, STEPS), (begun, STEPS[:3])):
        for dies_at in range(8):
            disk = CrashDisk(files, dies_at)
            with suppress(PowerLossError):
                Journal.open(PATH, OWNER, disk)
            for seed in range(8):
                assert reopen(disk.after_loss(seed)) == expected_after(records)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["append", "write", "restart"]), st.lists(st.binary(max_size=60), max_size=4)),
        max_size=8,
    ),
    st.integers(0, 80),
    st.integers(0, 1000),
)
def test_any_history_survives_power_loss(steps: list[Step], dies_at: int, seed: int) -> None:
    done: list[Step] = []
    disk = CrashDisk(dies_at=dies_at)
    attempted: Step = ("append", [])
    try:
        journal, _ = Journal.open(PATH, OWNER, disk)
        for attempted in steps:
            take(journal, attempted)
            done.append(attempted)
    except PowerLossError:
        pass
    found = reopen(disk.after_loss(seed))
    synced = len(done)
    while synced and done[synced - 1][0] == "write":
        synced -= 1
    sure, most = expected_after(done[:synced]), expected_after([*done, attempted])
    if attempted[0] != "restart" or found != attempted[1]:
        assert found[: len(sure)] == sure
        assert found == (most if attempted[0] != "restart" else expected_after(done))[: len(found)]


def test_what_was_written_becomes_durable_with_the_next_append() -> None:
    disk = CrashDisk()
    journal, _ = Journal.open(PATH, OWNER, disk)
    journal.write([b"decided 1"])
    journal.write([b"decided 2"])
    assert {tuple(reopen(disk.after_loss(seed))) for seed in range(20)} >= {(), (b"decided 1", b"decided 2")}
    journal.append([b"accepted 3"])
    assert reopen(disk.after_loss(0)) == [b"decided 1", b"decided 2", b"accepted 3"]
    journal.write([b"decided 3"])
    journal.append([])
    assert reopen(disk.after_loss(0)) == [b"decided 1", b"decided 2", b"accepted 3", b"decided 3"]


def test_a_journal_that_began_anew_is_not_cut_below_its_beginning() -> None:
    """Also while the guard still speaks of the former one."""
    before, after = written(STEPS[:2]), written(STEPS[:3])
    for length in range(len(after[PATH])):
        with pytest.raises(Rejected):
            reopen({PATH: after[PATH][:length], GUARD: before[GUARD]})
    assert reopen({PATH: after[PATH], GUARD: before[GUARD]}) == expected_after(STEPS[:3])


# The real disk


def test_on_a_real_disk(tmp_path: Path) -> None:
    path = tmp_path / "new" / "replica.journal"
    journal, records = Journal.open(path, OWNER)
    assert records == ()
    for step in STEPS:
        take(journal, step)
    assert journal.length == path.stat().st_size
    journal.close()
    with pytest.raises(Bug):
        journal.append([b"too late"])
    journal, records = Journal.open(path, OWNER)
    assert list(records) == expected_after(STEPS)
    journal.close()


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    journal, _ = Journal.open(tmp_path / "replica.journal", OWNER)
    with pytest.raises(JournalInUse, match="one process per replica"):
        Journal.open(tmp_path / "replica.journal", OWNER)
    journal.close()
    Journal.open(tmp_path / "replica.journal", OWNER)[0].close()


def test_after_a_failed_sync_nothing_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal, _ = Journal.open(tmp_path / "replica.journal", OWNER, RealDisk())

    def fail(self: RealFile) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(RealFile, "sync", fail)
        with pytest.raises(Rejected, match="check the disk"):
            journal.append([b"vote"])
    with pytest.raises(Bug):
        journal.append([b"vote"])
