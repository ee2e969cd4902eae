"""The outbox on a chain that drops, replaces and rolls back what a wallet has sent, or says that it has."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount
from web3.contract import Contract

from offchain.chain.client import ChainClient
from offchain.chain.devnet import Anvil, AnvilOptions, dev_accounts
from offchain.chain.errors import ContractRejected
from offchain.chain.sending import Intended
from offchain.chain.transactions import TxCall, as_call
from offchain.errors import Bug, Rejected, Retryable
from offchain.explorer.desk.outbox import MOST_UNKNOWN, Outbox, OutboxPolicy
from offchain.explorer.desk.outbox_journal import OutboxJournal, State
from offchain.explorer.desk.outbox_watch import MOST_LOST
from tests.integration.chain.conftest import funded, new_token
from tests.integration.chain.support import mine, with_confirmations

SOMEONE = "0x000000000000000000000000000000000000bEEF"
PATIENCE = 60.0
CONFIRMATIONS = 4


class Clock:
    """A clock that tests move."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Desk:
    """An account with a token, its outbox, and a wallet that signs what it is told to."""

    def __init__(self, client: ChainClient, key: LocalAccount, token: Contract, folder: Path) -> None:
        self.client, self.key, self.token, self.folder = client, key, token, folder
        self.clock = Clock()
        self.outbox = self.open()

    def open(self) -> Outbox:
        """As after a restart, but for the clock."""
        journal = OutboxJournal(self.folder / "outbox.sqlite", {"account": self.key.address})
        return Outbox(
            self.client,
            self.key.address,
            journal,
            policy=OutboxPolicy(patience=PATIENCE, rest=0.0),
            clock=self.clock,
            sleep=lambda _seconds: mine(self.client),
            contract_name=lambda address: "UtilityToken" if address == self.token.address else None,
        )

    def restart(self) -> None:
        self.outbox.close()
        self.outbox = self.open()

    def pay(self, amount: int) -> TxCall:
        return as_call(self.token.functions.transfer(SOMEONE, amount))

    def paid(self) -> int:
        return int(self.client.call(self.token.functions.balanceOf(SOMEONE)))

    def sign(self, call: TxCall, *, nonce: int | None = None, gwei: int = 50, key: LocalAccount | None = None) -> bytes:
        """Signs and sends; the hash."""
        signer = key or self.key
        fields: dict[str, Any] = {
            "to": call.to,
            "data": call.data,
            "value": call.value,
            "gas": 100_000,
            "gasPrice": gwei * 10**9,
            "nonce": self.client.nonce(signer.address, "pending") if nonce is None else nonce,
            "chainId": self.client.chain_id,
        }
        raw = signer.sign_transaction(fields).raw_transaction.to_0x_hex()
        return bytes.fromhex(str(self.client.request("eth_sendRawTransaction", raw))[2:])

    def state(self, name: str) -> State:
        entry = self.outbox.entry(name)
        assert entry is not None
        return entry.state

    def finish(self) -> None:
        """Mines until all is final."""
        mine(self.client, CONFIRMATIONS)
        self.outbox.step()


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ChainClient, Contract]]:
    """A token on an Anvil that mines when it is told."""
    with Anvil.start(AnvilOptions()) as process:
        client = process.client()
        token = new_token(client, dev_accounts(1)[0], tmp_path_factory.mktemp("token"))
        client.request("evm_setAutomine", False)
        yield with_confirmations(client, CONFIRMATIONS), token


@pytest.fixture
def desk(chain: tuple[ChainClient, Contract], tmp_path: Path) -> Desk:
    """A fresh account with coins and 1,000 wei of the token."""
    client, token = chain
    key = funded(client, tmp_path)
    rich = dev_accounts(1)[0]
    fresh = Desk(client, key, token, tmp_path)
    fresh.sign(as_call(token.functions.transfer(key.address, 1000)), key=rich)
    mine(client, CONFIRMATIONS)
    return fresh


def test_what_is_signed_and_reported_ends_when_it_is_final(desk: Desk) -> None:
    before = desk.paid()
    desk.outbox.submit("pay", desk.pay(3))
    assert desk.outbox.submit("pay", desk.pay(3)).key == "pay"
    with pytest.raises(Bug, match="used for another call"):
        desk.outbox.submit("pay", desk.pay(4))
    assert (desk.state("pay"), desk.outbox.in_flight()) == (State.OFFERED, 1)
    tx_hash = desk.sign(desk.pay(3))
    desk.outbox.report("pay", tx_hash)
    mine(desk.client)
    desk.outbox.step()
    assert desk.state("pay") is State.SENT
    assert desk.outbox.outcome("pay") is None
    desk.finish()
    receipt = desk.outbox.outcome("pay")
    assert receipt is not None
    assert (receipt.tx_hash, desk.paid() - before) == (tx_hash, 3)
    desk.outbox.report("pay", tx_hash)  # the page says it once more


def test_what_nobody_reports_is_found_also_after_a_restart(desk: Desk) -> None:
    """Among other transactions of the account, before and after it, two of them in one block."""
    desk.outbox.submit("pay", desk.pay(5))
    desk.restart()
    desk.sign(desk.pay(1))
    mine(desk.client)
    tx_hash = desk.sign(desk.pay(5))
    desk.sign(desk.pay(2))
    mine(desk.client)
    desk.outbox.step()
    assert desk.state("pay") is State.SENT
    desk.restart()
    desk.finish()
    receipt = desk.outbox.outcome("pay")
    assert receipt is not None
    assert receipt.tx_hash == tx_hash


def test_a_hash_that_is_a_lie_is_refused(desk: Desk) -> None:
    call = desk.pay(7)
    desk.outbox.submit("pay", call)
    other_key: LocalAccount = Account.create()
    desk.sign(TxCall(other_key.address, b"", 10**18), key=dev_accounts(2)[1])  # type: ignore[arg-type]  # wei
    mine(desk.client)
    lies = {
        "sent by": desk.sign(call, key=other_key),
        "its calldata": desk.sign(desk.pay(8)),
        "its value": desk.sign(TxCall(call.to, call.data, 1), nonce=desk.client.nonce(desk.key.address) + 1),  # type: ignore[arg-type]
        "it goes to": desk.sign(TxCall(SOMEONE, call.data), nonce=desk.client.nonce(desk.key.address) + 2),  # type: ignore[arg-type]
    }
    for words, tx_hash in lies.items():
        with pytest.raises(Rejected, match=rf"^tx_hash: 0x{tx_hash.hex()} is not this call: .*{words}"):
            desk.outbox.report("pay", tx_hash)
    with pytest.raises(KeyError):
        desk.outbox.report("another", bytes(32))
    desk.finish()
    assert desk.state("pay") is State.OFFERED
    assert desk.outbox.outcome("pay") is None


def test_a_hash_that_never_comes_true_is_forgotten_and_one_that_turns_out_another_too(desk: Desk) -> None:
    desk.outbox.submit("pay", desk.pay(9))
    desk.outbox.report("pay", b"\x11" * 32)
    desk.outbox.step()
    assert desk.state("pay") is State.SENT
    desk.clock.now += PATIENCE
    desk.outbox.step()
    assert desk.state("pay") is State.OFFERED
    # The wallet reports before its node has told ours; what comes then is something else.
    fields: dict[str, Any] = {
        "to": SOMEONE,
        "value": 1,
        "gas": 21_000,
        "gasPrice": 10**11,
        "chainId": desk.client.chain_id,
    }
    signed = desk.key.sign_transaction({**fields, "nonce": desk.client.nonce(desk.key.address)})
    desk.outbox.report("pay", bytes(signed.hash))
    desk.client.request("eth_sendRawTransaction", signed.raw_transaction.to_0x_hex())
    desk.outbox.step()
    entry = desk.outbox.entry("pay")
    assert entry is not None
    assert entry.state is State.OFFERED
    assert entry.note is not None
    assert "is not this call: it goes to" in entry.note
    tx_hash = desk.sign(desk.pay(9))
    desk.outbox.report("pay", tx_hash)
    desk.finish()
    assert desk.state("pay") is State.DONE


def test_invented_hashes_do_not_hide_what_is_due_for_ever(desk: Desk) -> None:
    """Another program of this machine talks to the desk: it can lie, but not in the place of the wallet."""
    desk.outbox.submit("pay", desk.pay(9))
    hidden, said = 0.0, 0
    for number in range(64):
        with suppress(Rejected):
            desk.outbox.report("pay", bytes([number + 1]) * 32)
            said += 1
        desk.outbox.step()
        hidden += PATIENCE / 2 if desk.state("pay") is State.SENT else 0
        desk.clock.now += PATIENCE / 2
    assert said == MOST_UNKNOWN
    assert hidden <= MOST_LOST * PATIENCE
    assert desk.state("pay") is State.OFFERED
    desk.outbox.report("pay", desk.sign(desk.pay(9)))
    assert desk.state("pay") is State.SENT
    desk.finish()
    assert desk.state("pay") is State.DONE


def test_what_the_wallet_replaces_under_the_same_nonce_is_recognised(desk: Desk) -> None:
    """It raises the fee, or sends nothing in its place: then it is offered again."""
    desk.outbox.submit_many([Intended("pay", desk.pay(11)), Intended("other", desk.pay(12))])
    nonce = desk.client.nonce(desk.key.address)
    slow = [desk.sign(desk.pay(11)), desk.sign(desk.pay(12))]
    desk.outbox.report("pay", slow[0])
    desk.outbox.report("other", slow[1])
    fast = desk.sign(desk.pay(11), nonce=nonce, gwei=100)
    desk.sign(TxCall(desk.key.address, b""), nonce=nonce + 1, gwei=100)
    desk.finish()
    receipt = desk.outbox.outcome("pay")
    assert receipt is not None
    assert receipt.tx_hash == fast != slow[0]
    desk.clock.now += PATIENCE
    desk.outbox.step()
    assert desk.state("other") is State.OFFERED
    desk.sign(desk.pay(12))
    desk.finish()
    assert desk.state("other") is State.DONE


def test_what_is_dropped_is_offered_again(desk: Desk) -> None:
    desk.outbox.submit("pay", desk.pay(13))
    tx_hash = desk.sign(desk.pay(13))
    desk.outbox.report("pay", tx_hash)
    desk.outbox.step()
    desk.client.request("anvil_dropTransaction", "0x" + tx_hash.hex())
    desk.outbox.step()
    assert desk.state("pay") is State.SENT
    desk.clock.now += PATIENCE
    desk.outbox.step()
    assert desk.state("pay") is State.OFFERED
    desk.sign(desk.pay(13))
    desk.finish()
    assert desk.state("pay") is State.DONE


@pytest.mark.parametrize("depth", [CONFIRMATIONS - 1, CONFIRMATIONS + 2])
def test_what_a_reorganisation_rolls_back_is_offered_again(desk: Desk, depth: int) -> None:
    """Also when it was final by the network's policy."""
    before = desk.paid()
    desk.outbox.submit("pay", desk.pay(17))
    desk.outbox.report("pay", desk.sign(desk.pay(17)))
    mine(desk.client, depth)
    desk.outbox.step()
    assert desk.state("pay") is (State.SENT if depth < CONFIRMATIONS else State.DONE)
    desk.client.request("anvil_reorg", depth, [])
    assert desk.paid() == before
    desk.outbox.step()
    desk.clock.now += PATIENCE
    desk.outbox.step()
    assert desk.state("pay") is State.OFFERED
    desk.outbox.report("pay", desk.sign(desk.pay(17)))
    desk.finish()
    assert desk.state("pay") is State.DONE
    assert desk.paid() == before + 17


def test_what_reverts_says_so_in_words_and_what_would_revert_is_withdrawn(desk: Desk) -> None:
    with pytest.raises(ContractRejected, match="ERC20InsufficientBalance"):
        desk.outbox.submit("too much", desk.pay(2000))
    assert not desk.outbox.knows("too much")
    for key, amount in (("first", 600), ("second", 601), ("third", 602)):
        desk.outbox.submit(key, desk.pay(amount))
    for amount in (600, 601):
        desk.sign(desk.pay(amount))
    desk.finish()
    desk.outbox.step()
    assert [desk.state(key) for key in ("first", "second", "third")] == [State.DONE, State.REVERTED, State.WITHDRAWN]
    with pytest.raises(ContractRejected, match=r"transfer: UtilityToken\.ERC20InsufficientBalance\(.*needed=601\)"):
        desk.outbox.outcome("second")
    with pytest.raises(Rejected, match=r"transfer was withdrawn: UtilityToken\.ERC20InsufficientBalance"):
        desk.outbox.outcome("third")
    desk.sign(as_call(desk.token.functions.transfer(desk.key.address, 500)), key=dev_accounts(1)[0])
    mine(desk.client)
    desk.outbox.submit("third", desk.pay(602))
    assert desk.state("third") is State.OFFERED


def test_one_that_depends_on_another_is_offered_after_it(desk: Desk) -> None:
    rich = dev_accounts(1)[0].address
    functions = desk.token.functions
    calls = [
        Intended("approve", functions.approve(desk.key.address, 10)),
        Intended("take", functions.transferFrom(desk.key.address, rich, 10)),
    ]
    with pytest.raises(Retryable, match="take waits until approve is signed"):
        desk.outbox.submit_many(calls)
    assert [entry.key for entry in desk.outbox.entries()] == ["approve"]
    desk.sign(as_call(functions.approve(desk.key.address, 10)))
    desk.finish()
    assert [ticket.key for ticket in desk.outbox.submit_many(calls)] == ["approve", "take"]
    with pytest.raises(Retryable, match="is not signed and final after 0 s; it stays in the outbox"):
        desk.outbox.send("take", calls[1].call, seconds=0)
    desk.sign(as_call(functions.transferFrom(desk.key.address, rich, 10)))
    assert desk.outbox.send("take", calls[1].call, seconds=PATIENCE).succeeded


def test_two_processes_do_not_share_an_outbox(desk: Desk) -> None:
    with pytest.raises(Rejected, match="another process is using this journal, another explorer perhaps"):
        desk.open()
