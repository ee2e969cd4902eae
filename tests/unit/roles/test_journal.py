"""The workers' journal: durable, bound to one chain, private."""

from dataclasses import replace
from pathlib import Path

import pytest

from offchain.errors import Rejected
from offchain.roles.journal import Journal, chain_key
from offchain.roles.records import CandidateRecord, ScoresRecord, TestSetRecord
from offchain.types import Commitment, OrderId, Wei
from tests.unit.roles.views import candidate, scores, test_set

HERE = chain_key(31337, b"g" * 32, "0xAbC")


def test_records_come_back_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "journals" / "me.sqlite"
    kept = (candidate("one", 5), candidate("two", -7))
    with Journal(path, chain=HERE) as journal:
        for record in (*kept, scores("three"), test_set()):
            journal.write(record)
    with Journal(path, chain=HERE) as journal:
        assert journal.of_order(CandidateRecord, OrderId(1)) == kept
        assert journal.of_order(CandidateRecord, OrderId(2)) == ()
        assert journal.all(ScoresRecord) == (scores("three"),)
        assert journal.all(TestSetRecord) == (test_set(),)
        assert journal.find(CandidateRecord, kept[1].commitment) == kept[1]
        assert journal.find(CandidateRecord, Commitment(b"?" * 32)) is None


def test_a_record_can_be_changed_in_its_place(tmp_path: Path) -> None:
    with Journal(tmp_path / "j", chain=HERE) as journal:
        journal.write(scores("one", vstake=0))
        journal.write(scores("two"))
        journal.write(replace(scores("one"), vstake=Wei(10**30)))
        assert [record.vstake for record in journal.all(ScoresRecord)] == [10**30, 10]


def test_a_chain_that_was_started_anew_sees_nothing_of_the_old_one(tmp_path: Path) -> None:
    with Journal(tmp_path / "j", chain=HERE) as journal:
        journal.write(candidate("one", 5))
    with Journal(tmp_path / "j", chain=chain_key(31337, b"h" * 32, "0xAbC")) as journal:
        assert journal.all(CandidateRecord) == ()


def test_salts_are_for_the_owners_eyes(tmp_path: Path) -> None:
    with Journal(tmp_path / "j", chain=HERE):
        assert (tmp_path / "j").stat().st_mode & 0o077 == 0


def test_what_is_no_journal_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "j").write_bytes(b"not a database, but long enough to look at" * 100)
    with pytest.raises(Rejected, match="move it away"):
        Journal(tmp_path / "j", chain=HERE)


def test_boundaries_lie_before_and_after_each_write(tmp_path: Path) -> None:
    seen: list[tuple[str, int]] = []
    journal: Journal
    with Journal(tmp_path / "j", chain=HERE, boundary=lambda name: seen.append((name, count()))) as journal:

        def count() -> int:
            return len(journal.all(CandidateRecord))

        journal.write(candidate("one", 5))
    assert seen == [("record:candidate", 0), ("recorded:candidate", 1)]
