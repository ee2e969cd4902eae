"""What the sender promises on a chain that works."""

import sqlite3
import threading
from pathlib import Path

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount

from offchain.chain.client import ChainClient
from offchain.chain.errors import ContractRejected
from offchain.chain.sender import Intended, Sender, SendPolicy, open_sender
from offchain.chain.transactions import TxCall
from offchain.errors import Bug, Rejected
from offchain.types import Wei
from tests.integration.chain.conftest import funded, new_token

SOMEONE = "0x000000000000000000000000000000000000bEEF"


@pytest.fixture
def sender(either: ChainClient, account: LocalAccount, tmp_path: Path) -> Sender:
    return open_sender(either, account, tmp_path)


def pay(amount: int) -> TxCall:
    return TxCall(SOMEONE, b"", Wei(amount), "payment")


def test_sends_a_transaction_and_returns_its_receipt(sender: Sender, either: ChainClient) -> None:
    before = either.balance(SOMEONE)
    receipt = sender.send("pay", pay(7))
    assert receipt.succeeded
    assert receipt.gas_used == 21_000
    assert either.balance(SOMEONE) == before + 7
    assert either.nonce(sender.address) == 1


def test_one_key_is_one_transaction(sender: Sender, either: ChainClient) -> None:
    first = sender.send("pay", pay(7))
    again = sender.send("pay", pay(7))
    assert again == first
    assert either.nonce(sender.address) == 1


def test_a_key_cannot_be_used_for_another_call(sender: Sender) -> None:
    sender.send("pay", pay(7))
    with pytest.raises(Bug, match="used for another call"):
        sender.submit("pay", pay(8))
    with pytest.raises(Bug, match="twice in one list"):
        sender.submit_many([Intended("new", pay(1)), Intended("new", pay(1))])


def test_many_in_flight_come_out_in_order(sender: Sender, either: ChainClient) -> None:
    tickets = sender.submit_many([Intended(f"pay {n}", pay(n)) for n in range(40)])
    assert [ticket.nonce for ticket in tickets] == list(range(40))
    receipts = sender.wait_all(tickets)
    blocks = [receipt.block_number for receipt in receipts]
    assert blocks == sorted(blocks)
    assert either.nonce(sender.address) == 40
    assert sender.in_flight() == 0


def test_a_call_may_depend_on_one_before_it_in_the_same_list(
    sender: Sender, either: ChainClient, account: LocalAccount, tmp_path: Path
) -> None:
    token = new_token(either, account, tmp_path)
    calls = [
        Intended("approve", token.functions.approve(account.address, 5)),
        Intended("take", token.functions.transferFrom(account.address, SOMEONE, 5)),
    ]
    receipts = sender.wait_all(sender.submit_many(calls))
    assert all(receipt.succeeded for receipt in receipts)
    assert either.call(token.functions.balanceOf(SOMEONE)) == 5


def test_a_call_that_would_revert_costs_nothing_and_leaves_no_trace(
    sender: Sender, either: ChainClient, account: LocalAccount, tmp_path: Path
) -> None:
    token = new_token(either, account, tmp_path)
    with pytest.raises(ContractRejected, match=r"transferFrom: UtilityToken\.ERC20InsufficientAllowance\(") as caught:
        sender.send("take", token.functions.transferFrom(account.address, SOMEONE, 5))
    assert caught.value.name == "ERC20InsufficientAllowance"
    assert caught.value.arguments["needed"] == 5
    assert sender.nonce_of("take") is None
    assert either.nonce(account.address, "pending") == 1


def test_a_reverted_transaction_is_rejected_in_words_now_and_ever_after(
    sender: Sender, either: ChainClient, account: LocalAccount, tmp_path: Path
) -> None:
    token = new_token(either, account, tmp_path)
    call = token.functions.transferFrom(account.address, SOMEONE, 5)
    for _ in range(2):
        with pytest.raises(ContractRejected, match=r"ERC20InsufficientAllowance\(.*needed=5\)") as caught:
            sender.send("take", call, gas=100_000)
        assert caught.value.name == "ERC20InsufficientAllowance"
    assert either.nonce(account.address) == 2
    assert sender.send("next", pay(1)).succeeded


def test_out_of_gas_is_said(sender: Sender, either: ChainClient, account: LocalAccount, tmp_path: Path) -> None:
    token = new_token(either, account, tmp_path)
    with pytest.raises(ContractRejected, match=r"ran out of gas \(limit 30000\)"):
        sender.send("pay", token.functions.transfer(SOMEONE, 5), gas=30_000)


def test_without_coins_nothing_is_journalled(either: ChainClient, tmp_path: Path) -> None:
    sender = open_sender(either, Account.create(), tmp_path)
    with pytest.raises(Rejected, match="fund it"):
        sender.submit("pay", pay(0), gas=21_000)
    assert sender.nonce_of("pay") is None
    assert sender.in_flight() == 0


def test_what_is_in_flight_counts_as_spent(manual: ChainClient, tmp_path: Path) -> None:
    account = funded(manual, tmp_path, ether=1)
    manual.request("evm_mine")
    sender = open_sender(manual, account, tmp_path)
    sender.submit("most", pay(9 * 10**17))
    with pytest.raises(Rejected, match="fund it"):
        sender.submit("too much", pay(9 * 10**17), gas=21_000)
    manual.request("evm_mine")
    sender.step()
    assert sender.in_flight() == 0
    assert sender.submit("the rest", pay(9 * 10**16)).nonce == 1


def test_more_gas_than_the_cap_is_refused(either: ChainClient, account: LocalAccount, tmp_path: Path) -> None:
    sender = open_sender(either, account, tmp_path, policy=SendPolicy(gas_cap=20_000))
    with pytest.raises(Rejected, match="more than the cap of 20000"):
        sender.submit("pay", pay(1))


def test_a_second_process_with_the_same_journal_is_refused(
    sender: Sender, either: ChainClient, account: LocalAccount, tmp_path: Path
) -> None:
    (journal,) = tmp_path.glob("*.sqlite")
    sender.send("pay", pay(1))
    with sqlite3.connect(journal, timeout=0) as other:
        assert other.execute("SELECT key FROM intents").fetchall() == [("pay",)], "a backup may read it"
    with (
        sqlite3.connect(f"{journal}.lock", timeout=0) as other,
        pytest.raises(sqlite3.OperationalError, match="locked"),
    ):
        other.execute("BEGIN EXCLUSIVE")
    # Within one process the lock works the same way, through another connection.
    with pytest.raises(Rejected, match="one process per key"):
        open_sender(either, account, tmp_path)


def test_threads_share_one_sender(sender: Sender, either: ChainClient) -> None:
    receipts = {}

    def work(number: int) -> None:
        receipts[number] = sender.send(f"pay {number}", pay(number))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(receipts) == 8
    assert len({receipt.tx_hash for receipt in receipts.values()}) == 8
    assert either.nonce(sender.address) == 8


def test_many_keys_in_parallel(either: ChainClient, tmp_path: Path) -> None:
    senders = [open_sender(either, funded(either, tmp_path), tmp_path) for _ in range(5)]
    failures = []

    def work(sender: Sender) -> None:
        try:
            sender.wait_all(sender.submit_many([Intended(f"pay {n}", pay(n)) for n in range(15)]))
        except Exception as error:  # noqa: BLE001 - reported by the assertion below
            failures.append(error)

    threads = [threading.Thread(target=work, args=(sender,)) for sender in senders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert [either.nonce(sender.address) for sender in senders] == [15] * 5
