"""Going on from an older backup: nothing is lost that the backup or the chain knows, and nothing is done twice."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from eth_utils.address import to_checksum_address

from offchain.chain.client import ChainClient
from offchain.chain.devnet import Anvil, AnvilOptions, dev_accounts
from offchain.chain.sender import Intended, Sender, SendPolicy, open_sender
from offchain.chain.transactions import TxCall
from offchain.data.sklearn_sets import load_sklearn
from offchain.errors import Retryable
from offchain.roles.backup import back_up, restore
from offchain.roles.client import ClientWorker, prepare_order, put_order
from offchain.types import OrderId, Seconds, Wei
from tests.integration.chain.conftest import funded
from tests.integration.chain.support import mine
from tests.integration.chain.test_sender_trouble import RESEND, Clock
from tests.integration.roles.stage import admit, request, set_stage

NOW = Seconds(1_000_000)


@pytest.fixture
def chain() -> Iterator[ChainClient]:
    with Anvil.start(AnvilOptions(extra=("--no-mining",))) as anvil:
        yield anvil.client()


def home_of(folder: Path) -> Path:
    (folder / "keys").mkdir(parents=True)
    return folder


def receiver(number: int) -> str:
    return str(to_checksum_address(f"0x{0xFACE0000 + number:040x}"))


def payment(number: int) -> Intended:
    return Intended(f"pay {number}", TxCall(to_checksum_address(receiver(number)), b"", Wei(7), "payment"), 21_000)


def settle(sender: Sender, client: ChainClient, clock: Clock) -> None:
    for _ in range(10):
        mine(client)
        sender.step()
        clock.now += RESEND


def test_a_sender_that_goes_on_from_an_older_journal_pays_everybody_once(chain: ChainClient, tmp_path: Path) -> None:
    """The backup is of a moment with two payments mined, one in the pool and one lost by the node."""
    clock, policy = Clock(), SendPolicy(resend_seconds=RESEND)
    account = funded(chain, tmp_path)
    mine(chain, 3)

    def opened(home: Path) -> Sender:
        return open_sender(chain, account, home / "journals", policy=policy, clock=clock)

    home = home_of(tmp_path / "home")
    first = opened(home)
    first.submit_many([payment(0), payment(1)])
    mine(chain)
    first.step()
    first.submit_many([payment(2), payment(3)])
    chain.request("anvil_dropTransaction", "0x" + first._flights.get("pay 3").latest.tx_hash.hex())  # type: ignore[union-attr]
    back_up(home, tmp_path / "backups" / "1", now=NOW)

    # Afterwards it raised a fee, so that what is mined the backup has never heard of, and sent more.
    clock.now += RESEND
    first.step()
    assert len(first._flights.get("pay 2").intent.attempts) == 2  # type: ignore[union-attr]
    mine(chain)
    first.step()
    first.submit_many([payment(4)])
    mine(chain)
    first.submit_many([payment(5)])
    first.close()  # and the disk is gone

    restore(tmp_path / "backups" / "1", tmp_path / "again", now=NOW)
    second = opened(tmp_path / "again")
    with pytest.raises(Retryable, match="that its journal, restored from a backup, does not know"):
        second.submit("pay 6", payment(6).call, gas=21_000)
    settle(second, chain, clock)
    second.submit("pay 6", payment(6).call, gas=21_000)
    settle(second, chain, clock)
    assert second.in_flight() == 0
    assert [chain.balance(to_checksum_address(receiver(number))) for number in range(7)] == [7] * 7
    second.close()


def test_a_client_whose_senders_journal_is_gone_puts_no_order_twice(tmp_path: Path) -> None:
    """Its own journal says which orders are wanted; whether one is on the chain, the chain says."""
    with Anvil.start() as anvil:
        stage = set_stage(anvil.client(), tmp_path)
        account, other = dev_accounts(3)[1:]
        admit(stage, {"client": account, "provider": other})
        context = stage.context(account, "client")
        data = load_sklearn("iris")
        first, second = (prepare_order(context, request(data, "mlp:4", title=title)) for title in ("first", "second"))
        assert put_order(context, first) == 1
        context.journal.write(replace(second.record, wanted=True))
        stage.close(context)
        for path in (tmp_path / "client").glob("31337-*"):
            path.unlink()
        worker = ClientWorker(stage.context(account, "client"))
        for _ in range(4):
            worker.tick()
        worker.close()
        stage.close(worker.context)
        found = [order.terms.test_commitment for order in stage.contracts.orders([OrderId(1), OrderId(2)])]
        assert stage.contracts.order_count() == 2
        assert found == [first.record.commitment, second.record.commitment]
