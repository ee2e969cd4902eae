"""The sender under a seeded storm of drops, replacements, reorganisations and restarts does everything exactly once."""

import random
from pathlib import Path

import pytest
from eth_utils.address import to_checksum_address

from offchain.chain.client import ChainClient
from offchain.chain.devnet import Anvil, AnvilOptions
from offchain.chain.sender import Intended, Sender, SendPolicy, open_sender
from offchain.chain.transactions import TxCall
from offchain.types import Wei
from tests.integration.chain.conftest import funded
from tests.integration.chain.support import mine, with_confirmations
from tests.integration.chain.test_sender_trouble import Clock

CONFIRMATIONS = 6
STEPS = 40


class Storm:
    """One run: `steps` random actions, then fair weather until everything is final."""

    def __init__(self, client: ChainClient, folder: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self.client = with_confirmations(client, CONFIRMATIONS)
        self.folder = folder
        self.clock = Clock()
        self.account = funded(client, folder)
        mine(client, CONFIRMATIONS + 1)
        self.floor = client.head().number
        self.sent: list[str] = []
        self.sender = self.opened()

    def opened(self) -> Sender:
        policy = SendPolicy(resend_seconds=10)
        return open_sender(self.client, self.account, self.folder, policy=policy, clock=self.clock)

    def submit(self) -> None:
        keys = [f"pay {len(self.sent) + offset}" for offset in range(self.random.randint(1, 3))]
        self.sent += keys
        self.sender.submit_many([Intended(key, payment(key)) for key in keys])

    def again(self) -> None:
        if self.sent:
            key = self.random.choice(self.sent)
            self.sender.submit(key, payment(key))

    def mine(self) -> None:
        mine(self.client, self.random.randint(1, 2))

    def reorganise(self) -> None:
        depth = min(self.random.randint(1, CONFIRMATIONS - 1), self.client.head().number - self.floor)
        if depth > 0:
            self.client.request("anvil_reorg", depth, [])

    def drop(self) -> None:
        pooled = self.client.request("txpool_content")["pending"]
        hashes = [tx["hash"] for by_nonce in pooled.values() for tx in by_nonce.values()]
        if hashes:
            self.client.request("anvil_dropTransaction", self.random.choice(hashes))

    def look(self) -> None:
        self.sender.step()

    def wait(self) -> None:
        self.clock.now += self.random.choice([4, 11])

    def restart(self) -> None:
        self.sender.close()
        self.sender = self.opened()

    def raise_base_fee(self) -> None:
        self.client.request("anvil_setNextBlockBaseFeePerGas", hex(self.random.choice([1, 5, 20]) * 10**9))

    def blow(self, steps: int) -> None:
        actions = [self.submit, self.mine, self.look] * 3
        actions += [self.again, self.reorganise, self.drop, self.wait, self.restart, self.raise_base_fee]
        for _ in range(steps):
            self.random.choice(actions)()

    def calm(self) -> None:
        for _ in range(40):
            if self.sender.in_flight() == 0:
                return
            self.clock.now += 11
            self.sender.step()
            mine(self.client, 2)
        raise AssertionError(f"{self.sender.in_flight()} transactions never became final")


def receiver(key: str) -> str:
    return str(to_checksum_address(f"0x{0xC0FFEE0000 + int(key.split()[1]):040x}"))


def payment(key: str) -> TxCall:
    return TxCall(to_checksum_address(receiver(key)), b"", Wei(int(key.split()[1]) + 1), key)


def check(client: ChainClient, folder: Path, seed: int) -> None:
    storm = Storm(client, folder, seed)
    storm.blow(STEPS)
    storm.calm()
    assert storm.sent, "the storm must have sent something"
    got = [client.request("eth_getBalance", receiver(key), "latest") for key in storm.sent]
    assert [int(balance, 16) for balance in got] == [int(key.split()[1]) + 1 for key in storm.sent]
    assert client.nonce(storm.sender.address) == len(storm.sent)
    for key in storm.sent:
        receipt = storm.sender.outcome(key)
        assert receipt is not None
        assert client.block(receipt.block_number).hash == receipt.block_hash
    storm.sender.close()


@pytest.mark.parametrize("seed", range(8))
def test_a_storm_changes_nothing(tmp_path: Path, seed: int) -> None:
    with Anvil.start(AnvilOptions(extra=("--no-mining",))) as anvil:
        check(anvil.client(), tmp_path, seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 200))
def test_a_hundred_storms_change_nothing(tmp_path: Path, seed: int) -> None:
    with Anvil.start(AnvilOptions(extra=("--no-mining",))) as anvil:
        check(anvil.client(), tmp_path, seed)
