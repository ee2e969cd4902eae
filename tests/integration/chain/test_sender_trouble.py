"""The sender on a chain that drops, replaces and rolls back its transactions."""

from dataclasses import replace
from pathlib import Path

import pytest
from eth_account.signers.local import LocalAccount

from offchain.chain.client import ChainClient
from offchain.chain.devnet import Anvil, AnvilOptions
from offchain.chain.networks import FeePolicy
from offchain.chain.sender import Intended, Sender, SendPolicy, open_sender
from offchain.chain.transactions import TxCall
from offchain.errors import Rejected, Retryable
from offchain.types import Wei
from tests.integration.chain.conftest import funded
from tests.integration.chain.support import mine, with_confirmations, with_tag

SOMEONE = "0x000000000000000000000000000000000000bEEF"
RESEND = 30.0


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def account(manual: ChainClient, tmp_path: Path) -> LocalAccount:
    account = funded(manual, tmp_path)
    mine(manual, 8)
    return account


def opened(client: ChainClient, account: LocalAccount, folder: Path, clock: Clock) -> Sender:
    return open_sender(client, account, folder, policy=SendPolicy(resend_seconds=RESEND), clock=clock)


@pytest.fixture
def sender(manual: ChainClient, account: LocalAccount, tmp_path: Path, clock: Clock) -> Sender:
    return opened(manual, account, tmp_path, clock)


def pay(amount: int) -> TxCall:
    return TxCall(SOMEONE, b"", Wei(amount), "payment")


def attempts(sender: Sender, key: str) -> list[str]:
    intent = sender._journal.intent(key)
    assert intent is not None
    return ["0x" + attempt.tx_hash.hex() for attempt in intent.attempts]


def by_stranger(client: ChainClient, account: LocalAccount, nonce: int, gwei: int = 50) -> str:
    """A transaction signed with the same key by another program."""
    fields = {
        "to": account.address,
        "value": 0,
        "gas": 21_000,
        "gasPrice": gwei * 10**9,
        "nonce": nonce,
        "chainId": client.chain_id,
    }
    raw = account.sign_transaction(fields).raw_transaction.to_0x_hex()
    return str(client.request("eth_sendRawTransaction", raw))


def test_a_dropped_transaction_is_sent_again(sender: Sender, manual: ChainClient, clock: Clock) -> None:
    sender.submit_many([Intended(f"pay {n}", pay(n)) for n in range(3)])
    (dropped,) = attempts(sender, "pay 1")
    manual.request("anvil_dropTransaction", dropped)
    mine(manual)
    sender.step()
    assert manual.nonce(sender.address) == 1
    clock.now += RESEND
    sender.step()
    mine(manual)
    sender.step()
    assert sender.in_flight() == 0
    assert attempts(sender, "pay 1") == [dropped]
    assert manual.nonce(sender.address) == 3


def test_a_stuck_transaction_is_replaced_at_a_higher_fee(sender: Sender, manual: ChainClient, clock: Clock) -> None:
    sender.submit_many([Intended("first", pay(1)), Intended("second", pay(2))])
    clock.now += RESEND
    sender.step()
    old, new = attempts(sender, "first")
    assert manual.request("eth_getTransactionByHash", old) is None
    assert manual.request("eth_getTransactionByHash", new) is not None
    assert len(attempts(sender, "second")) == 1, "only the first in line is worth a higher fee"
    mine(manual)
    sender.step()
    receipt = sender.outcome("first")
    assert receipt is not None
    assert "0x" + receipt.tx_hash.hex() == new
    assert manual.nonce(sender.address) == 2


def test_the_older_attempt_may_be_the_one_that_is_mined(
    manual: ChainClient, account: LocalAccount, tmp_path: Path, clock: Clock
) -> None:
    sender = opened(with_confirmations(manual, 3), account, tmp_path, clock)
    sender.submit("pay", pay(1))
    old_raw = "0x" + sender._flights.all()[0].latest.raw.hex()
    clock.now += RESEND
    sender.step()
    old, new = attempts(sender, "pay")
    manual.request("anvil_dropTransaction", new)
    manual.request("eth_sendRawTransaction", old_raw)
    mine(manual, 3)
    sender.step()
    receipt = sender.outcome("pay")
    assert receipt is not None
    assert "0x" + receipt.tx_hash.hex() == old


def test_a_rising_base_fee_is_followed(sender: Sender, manual: ChainClient, clock: Clock) -> None:
    sender.submit("pay", pay(1))
    manual.request("anvil_setNextBlockBaseFeePerGas", hex(50 * 10**9))
    mine(manual, 2)
    assert manual.nonce(sender.address) == 0
    clock.now += RESEND
    sender.step()
    mine(manual)
    sender.step()
    assert sender.in_flight() == 0


def test_the_maximum_fee_is_never_exceeded(
    manual: ChainClient, account: LocalAccount, tmp_path: Path, clock: Clock
) -> None:
    fees = FeePolicy("eip1559", Wei(10**9), Wei(4 * 10**9), 25)
    capped = ChainClient(manual.provider, replace(manual.network, fees=fees), manual.endpoint, manual.errors)
    sender = opened(capped, account, tmp_path, clock)
    sender.submit("pay", pay(1))
    for _ in range(8):
        clock.now += RESEND
        sender.step()
    prices = [flight.fees.maximum for flight in sender._flights.all()[0].intent.attempts]
    assert len(prices) > 1
    assert max(prices) <= 4 * 10**9
    manual.request("anvil_setNextBlockBaseFeePerGas", hex(50 * 10**9))
    mine(manual)
    with pytest.raises(Retryable, match="above the network's maximum"):
        sender.submit("more", pay(2))


def test_legacy_fees_are_bumped_too(manual: ChainClient, account: LocalAccount, tmp_path: Path, clock: Clock) -> None:
    fees = FeePolicy("legacy", Wei(10**9), Wei(10**12), 25)
    legacy = ChainClient(manual.provider, replace(manual.network, fees=fees), manual.endpoint, manual.errors)
    sender = opened(legacy, account, tmp_path, clock)
    sender.submit("pay", pay(1))
    clock.now += RESEND
    sender.step()
    _, new = attempts(sender, "pay")
    assert int(manual.request("eth_getTransactionByHash", new)["type"], 16) == 0
    mine(manual)
    sender.step()
    assert sender.in_flight() == 0


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5])
def test_what_a_reorganisation_rolls_back_is_sent_again(
    manual: ChainClient, account: LocalAccount, tmp_path: Path, clock: Clock, depth: int
) -> None:
    sender = opened(with_confirmations(manual, 6), account, tmp_path, clock)
    before = manual.balance(SOMEONE)
    for number in range(5):
        sender.submit(f"pay {number}", pay(10**number))
        mine(manual)
        sender.step()
    assert manual.nonce(sender.address) == 5
    manual.request("anvil_reorg", depth, [])
    assert manual.nonce(sender.address) == 5 - depth
    sender.step()
    mine(manual, 6)
    sender.step()
    assert sender.in_flight() == 0
    assert manual.nonce(sender.address) == 5
    assert manual.balance(SOMEONE) == before + 11111
    receipts = [sender.outcome(f"pay {number}") for number in range(5)]
    assert all(receipt is not None and receipt.succeeded for receipt in receipts)
    for receipt in receipts:
        assert receipt is not None
        assert manual.block(receipt.block_number).hash == receipt.block_hash, "of the chain that stayed"


def test_where_the_node_says_what_is_final_it_is_believed(tmp_path: Path, clock: Clock) -> None:
    with Anvil.start(AnvilOptions(extra=("--no-mining", "--slots-in-an-epoch", "1"))) as anvil:
        client = with_tag(anvil.client())
        account = funded(client, tmp_path)
        mine(client, 4)
        sender = opened(client, account, tmp_path, clock)
        sender.submit("pay", pay(1))
        mine(client, 2)
        assert client.final_block() == client.head().number - 2
        sender.step()
        assert sender.outcome("pay") is None, "mined, not final"
        manual_nonce = client.nonce(sender.address)
        client.request("anvil_reorg", 2, [])
        assert (manual_nonce, client.nonce(sender.address)) == (1, 0)
        sender.step()
        mine(client, 3)
        sender.step()
        assert sender.outcome("pay") is not None


def test_a_reorganisation_below_finality_is_survived(
    manual: ChainClient, account: LocalAccount, tmp_path: Path, clock: Clock
) -> None:
    """One confirmation is too few for a reorganisation of three: what was called final is done again, once."""
    sender = opened(manual, account, tmp_path, clock)
    before = manual.balance(SOMEONE)
    for number in range(3):
        sender.submit(f"pay {number}", pay(10**number))
        mine(manual)
        sender.step()
    assert sender.in_flight() == 0
    manual.request("anvil_reorg", 3, [])
    assert manual.nonce(sender.address) == 0
    sender.submit("pay 3", pay(1000))
    sender.step()
    sender.step()
    mine(manual)
    sender.step()
    assert sender.in_flight() == 0
    assert manual.balance(SOMEONE) == before + 1111
    assert manual.nonce(sender.address) == 4


def test_a_stranger_with_the_same_key_is_detected(
    sender: Sender, manual: ChainClient, account: LocalAccount, clock: Clock
) -> None:
    sender.submit("pay", pay(7))
    by_stranger(manual, account, nonce=0)
    mine(manual)
    sender.step()
    assert sender.outcome("pay") is None, "a node that lags knows no receipt either"
    clock.now += RESEND
    sender.step()
    with pytest.raises(Rejected, match=r"another program used nonce 0 .* nobody else may sign with this key"):
        sender.outcome("pay")


def test_what_a_stranger_displaced_can_be_done_again_once(
    sender: Sender, manual: ChainClient, account: LocalAccount, clock: Clock
) -> None:
    before = manual.balance(SOMEONE)
    sender.submit("pay", pay(7))
    by_stranger(manual, account, nonce=0)
    mine(manual)
    sender.step()
    clock.now += RESEND
    sender.step()
    assert sender.submit("pay", pay(7)).nonce == 1
    mine(manual)
    sender.step()
    assert sender.outcome("pay") is not None
    assert manual.balance(SOMEONE) == before + 7


def test_a_stranger_is_believed_only_once_it_is_final(
    manual: ChainClient, account: LocalAccount, tmp_path: Path, clock: Clock
) -> None:
    sender = opened(with_confirmations(manual, 4), account, tmp_path, clock)
    sender.submit("pay", pay(7))
    by_stranger(manual, account, nonce=0)
    mine(manual)
    sender.step()
    assert sender.outcome("pay") is None
    manual.request("anvil_reorg", 1, [])
    sender.step()
    clock.now += RESEND
    sender.step()
    mine(manual, 4)
    sender.step()
    receipt = sender.outcome("pay")
    assert receipt is not None
    assert receipt.succeeded


def test_a_gap_that_a_stranger_leaves_is_filled(
    sender: Sender, manual: ChainClient, account: LocalAccount, clock: Clock
) -> None:
    foreign = by_stranger(manual, account, nonce=0)
    assert sender.submit("pay", pay(7)).nonce == 1
    manual.request("anvil_dropTransaction", foreign)
    mine(manual)
    sender.step()
    assert manual.nonce(sender.address) == 0
    clock.now += RESEND
    sender.step()
    mine(manual)
    sender.step()
    assert sender.in_flight() == 0
    assert manual.nonce(sender.address) == 2
    assert sender.outcome("pay") is not None


def test_a_lost_journal_does_not_reuse_nonces(
    sender: Sender, manual: ChainClient, account: LocalAccount, tmp_path: Path, clock: Clock
) -> None:
    sender.submit_many([Intended("mined", pay(1)), Intended("pooled", pay(2))])
    sender.close()
    other = opened(manual, account, tmp_path / "elsewhere", clock)
    assert other.submit("new", pay(3)).nonce == 2


def test_another_chain_with_the_same_id_gets_its_own_journal(
    sender: Sender, account: LocalAccount, tmp_path: Path, clock: Clock
) -> None:
    sender.submit("pay", pay(1))
    with Anvil.start(AnvilOptions(extra=("--timestamp", "1700000000"))) as anew:
        other = opened(anew.client(), account, tmp_path, clock)
        assert other.nonce_of("pay") is None
    assert len(list(tmp_path.glob("*.sqlite"))) == 2
