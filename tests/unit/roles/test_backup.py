"""Backups of a home: complete, checked, and refused where they could do harm."""

import json
import sqlite3
import threading
from pathlib import Path

import pytest
from eth_account import Account

from offchain.chain.journal import Intent, Journal
from offchain.chain.transactions import Fees, TxCall, sign
from offchain.errors import Rejected
from offchain.roles.backup import back_up, prune, require_no_signatures_forgotten, restore, restored_at
from offchain.types import Seconds, Wei

ACCOUNT = Account.create()
GENESIS = bytes(32)
NOW = Seconds(1_000_000)


def opened(home: Path) -> Journal:
    return Journal.open(
        home / "journals" / "97-00000000-sender.sqlite", chain_id=97, genesis=GENESIS, account=ACCOUNT.address
    )


def intent(nonce: int) -> Intent:
    call = TxCall(ACCOUNT.address, b"", Wei(nonce), "payment")
    attempt = sign(ACCOUNT, call, chain_id=97, nonce=nonce, gas=21_000, fees=Fees(10**8, None))
    return Intent(f"pay {nonce}", nonce, call, 21_000, (attempt,))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    for name in (
        "keys/me.json",
        "deployments/97.json",
        "archive/blocks/aa",
        "store/blocks/bb",
        "explorer/index.sqlite",
    ):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(name)
    (home / "journals").mkdir()
    (home / "journals" / "ledger-0123-0xA.journal").write_text("votes")
    return home


def test_a_journal_that_is_being_written_is_copied_whole(home: Path, tmp_path: Path) -> None:
    journal = opened(home)
    stop = threading.Event()
    written = 0

    def write() -> None:
        nonlocal written
        while not stop.is_set():
            journal.add([intent(written), intent(written + 1)])
            written += 2

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            before = written
            back_up(home, tmp_path / "backups" / str(number), now=NOW)
            restore(tmp_path / "backups" / str(number), tmp_path / f"again{number}", now=NOW)
            copy = opened(tmp_path / f"again{number}")
            found = [found.nonce for found in copy.all()]
            assert found == list(range(len(found))), "without a gap"
            assert before <= len(found) <= written + 2
            assert len(found) % 2 == 0, "both of a pair, or none"
            copy.close()
    finally:
        stop.set()
        writer.join()
        journal.close()


def test_what_is_in_a_backup(home: Path, tmp_path: Path) -> None:
    opened(home).close()
    made = back_up(home, tmp_path / "backups" / "1", now=NOW)
    names = {"keys/me.json", "deployments/97.json", "archive/blocks/aa", "store/blocks/bb"}
    assert set(made.files) == {*names, "journals/97-00000000-sender.sqlite"}, "no votes, nothing that is made anew"
    assert not list((tmp_path / "backups").glob(".*"))
    assert (tmp_path / "backups" / "1").stat().st_mode & 0o077 == 0
    small = back_up(home, tmp_path / "backups" / "2", now=NOW, with_store=False)
    assert set(made.files) - set(small.files) == {"store/blocks/bb"}
    first, second = (tmp_path / "backups" / n / "home" / "archive" / "blocks" / "aa" for n in "12")
    assert first.stat().st_ino == second.stat().st_ino, "content that is there already is linked"
    assert [path.name for path in prune(tmp_path / "backups", 1)] == ["1"]
    assert second.read_text() == "archive/blocks/aa"


def test_a_restored_home_knows_what_it_is(home: Path, tmp_path: Path) -> None:
    opened(home).close()
    back_up(home, tmp_path / "backups" / "1", now=NOW)
    again = tmp_path / "again"
    restore(tmp_path / "backups" / "1", again, now=Seconds(NOW + 60))
    assert (again / "keys" / "me.json").read_text() == "keys/me.json"
    assert restored_at(again / "journals") == NOW + 60
    assert restored_at(home / "journals") is None
    with sqlite3.connect(again / "journals" / "97-00000000-sender.sqlite") as database:
        assert database.execute("SELECT value FROM meta WHERE name = 'restored'").fetchone() == (str(NOW + 60),)
    original, copy = opened(home), opened(again)
    assert (original.is_restored, copy.is_restored) == (False, True)
    original.close()
    copy.close()


def test_an_aggregator_waits_until_the_epoch_of_the_restoration_is_over(home: Path, tmp_path: Path) -> None:
    back_up(home, tmp_path / "backups" / "1", now=NOW)
    restore(tmp_path / "backups" / "1", tmp_path / "again", now=NOW)
    journals = tmp_path / "again" / "journals"
    ends = Seconds(NOW + 100)
    with pytest.raises(Rejected, match=r"Start it in 90 s"):
        require_no_signatures_forgotten(journals, now=Seconds(NOW + 10), ends_at=ends, length=3600)
    require_no_signatures_forgotten(journals, now=ends, ends_at=ends, length=3600)
    require_no_signatures_forgotten(journals, now=Seconds(ends + 10), ends_at=Seconds(ends + 3600), length=3600)
    require_no_signatures_forgotten(home / "journals", now=NOW, ends_at=ends, length=3600)


@pytest.mark.parametrize("harm", ["changed", "missing", "link", "outside", "manifest", "format"])
def test_a_damaged_backup_is_refused(home: Path, tmp_path: Path, harm: str) -> None:
    folder = tmp_path / "backups" / "1"
    back_up(home, folder, now=NOW)
    key, manifest = folder / "home" / "keys" / "me.json", folder / "backup.json"
    fields = json.loads(manifest.read_text())
    if harm == "changed":
        key.write_text("another key")
    elif harm == "missing":
        key.unlink()
    elif harm == "link":
        key.unlink()
        key.symlink_to(home / "keys" / "me.json")
    elif harm == "outside":
        fields["files"]["../../../home/keys/me.json"] = fields["files"]["keys/me.json"]
        manifest.write_text(json.dumps(fields))
    elif harm == "manifest":
        manifest.write_text("{")
    else:
        manifest.write_text(json.dumps({**fields, "format": "other"}))
    with pytest.raises(Rejected, match=r"backup|format"):
        restore(folder, tmp_path / "again", now=NOW)
    assert not (tmp_path / "again").exists()


def test_nothing_is_overwritten(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "backups" / "1"
    back_up(home, folder, now=NOW)
    for bad in (folder, home / "backups"):
        with pytest.raises(Rejected, match="give a directory that is not there yet"):
            back_up(home, bad, now=NOW)
    with pytest.raises(Rejected, match="never merged into a home"):
        restore(folder, home, now=NOW)
    with pytest.raises(Rejected, match="there are no keys in it"):
        back_up(tmp_path / "nowhere", tmp_path / "backups" / "2", now=NOW)
