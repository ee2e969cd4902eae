"""The journal on disk."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.chain.journal import Finished, Intent, Journal, State
from offchain.chain.transactions import Attempt, Fees, Receipt, TxCall, parse_receipt
from offchain.errors import Bug, Rejected
from offchain.types import Wei

ACCOUNT = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
GENESIS = b"\x07" * 32
RECEIPT = Receipt(b"\x01" * 32, 5, b"\x02" * 32, True, 21_000, 10**9, None, ({"address": ACCOUNT, "topics": []},))


def opened(path: Path, *, chain_id: int = 56, genesis: bytes = GENESIS, account: str = ACCOUNT) -> Journal:
    return Journal.open(path, chain_id=chain_id, genesis=genesis, account=account)  # type: ignore[arg-type]


def intent(key: str, nonce: int) -> Intent:
    attempt = Attempt(key.encode().rjust(32, b"\0"), b"raw" + key.encode(), Fees(10**30, 7))
    return Intent(key, nonce, TxCall(ACCOUNT, b"\x01\x02", Wei(10**40), "call"), 21_000, (attempt,))


def test_intents_survive_a_restart(tmp_path: Path) -> None:
    journal = opened(tmp_path / "j.sqlite")
    intents = [intent(f"k{nonce}", nonce) for nonce in range(3)]
    journal.add(intents)
    journal.add_attempt("k1", Attempt(b"\x09" * 32, b"more", Fees(11, None)))
    journal.finish([Finished("k0", State.DONE, RECEIPT, None), Finished("k2", State.REVERTED, RECEIPT, "why")])
    journal.close()
    journal = opened(tmp_path / "j.sqlite")
    assert journal.intent("k0") == replace(intents[0], state=State.DONE, receipt=RECEIPT)
    unfinished = journal.unfinished()
    assert [item.key for item in unfinished] == ["k1"]
    assert [attempt.raw for attempt in unfinished[0].attempts] == [b"rawk1", b"more"]
    assert journal.at_nonce(2) == replace(intents[2], state=State.REVERTED, receipt=RECEIPT, error="why")
    assert [item.key for item in journal.all()] == ["k0", "k1", "k2"]
    assert journal.next_nonce() == 3
    assert journal.intent("unknown") is None


def test_all_intents_of_a_list_are_written_or_none(tmp_path: Path) -> None:
    journal = opened(tmp_path / "j.sqlite")
    with pytest.raises(sqlite3.IntegrityError):
        journal.add([intent("a", 1), intent("b", 1)])
    assert journal.all() == []
    assert journal.next_nonce() == 0


def test_only_what_was_displaced_is_issued_again(tmp_path: Path) -> None:
    journal = opened(tmp_path / "j.sqlite")
    journal.add([intent("a", 0)])
    with pytest.raises(Bug, match="not displaced"):
        journal.reissue(intent("a", 1))
    journal.finish([Finished("a", State.DISPLACED, None, "stranger")])
    again = replace(intent("a", 4), attempts=(Attempt(b"\x0a" * 32, b"new", Fees(1, 1)),))
    journal.reissue(again)
    assert journal.intent("a") == again


def test_a_revived_intent_is_pending(tmp_path: Path) -> None:
    journal = opened(tmp_path / "j.sqlite")
    journal.add([intent("a", 0)])
    journal.finish([Finished("a", State.DONE, RECEIPT, None)])
    journal.revive("a")
    assert journal.unfinished() == [intent("a", 0)]


@pytest.mark.parametrize("change", [{"chain_id": 97}, {"genesis": b"\x08" * 32}, {"account": "0x" + "00" * 20}])
def test_a_journal_of_another_chain_or_account_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    opened(tmp_path / "j.sqlite").close()
    with pytest.raises(Rejected, match="this journal has"):
        opened(tmp_path / "j.sqlite", **change)  # type: ignore[arg-type]


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "j.sqlite").write_text("not a database, but long enough to be looked at by SQLite " * 20)
    with pytest.raises(Rejected, match="not a journal"):
        opened(tmp_path / "j.sqlite")


def test_it_is_written_through_to_the_disk(tmp_path: Path) -> None:
    journal = opened(tmp_path / "j.sqlite")
    assert journal._connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert journal._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


@given(
    st.builds(
        Receipt,
        tx_hash=st.binary(min_size=32, max_size=32),
        block_number=st.integers(0, 2**64),
        block_hash=st.binary(min_size=32, max_size=32),
        succeeded=st.booleans(),
        gas_used=st.integers(0, 2**64),
        gas_price=st.integers(0, 2**128),
        contract_address=st.sampled_from([None, ACCOUNT]),
        logs=st.lists(st.dictionaries(st.text(), st.text())).map(tuple),
    )
)
def test_receipts_keep_everything_in_the_journal(receipt: Receipt) -> None:
    import json

    assert parse_receipt(json.loads(receipt.to_json())) == receipt
