"""One seeded run: payments through bad nodes on a chain that reorganises, while three read what is paid."""

import random
from dataclasses import replace
from pathlib import Path
from typing import Self

from eth_utils.address import to_checksum_address
from web3.contract import Contract

from offchain.chain.addresses import Addresses, field_of
from offchain.chain.artifacts import CONTRACTS, load_artifact, load_error_decoder
from offchain.chain.client import ChainClient, connect
from offchain.chain.devnet import Anvil, AnvilOptions
from offchain.chain.event_decoder import EventDecoder
from offchain.chain.events import Applied, EventFollower, SqliteCursor
from offchain.chain.sender import Intended, Sender, SendPolicy, open_sender
from offchain.errors import Retryable
from offchain.explorer.index import Indexer, open_index
from tests.integration.chain.conftest import funded, new_token
from tests.integration.chain.support import Proxy, with_confirmations
from tests.integration.chain.test_sender_trouble import RESEND, Clock
from tests.integration.rehearsal.nodes import Habits, PublicNodes

TESTNET = 97
GWEI = 10**9
SOMEONE = "0x000000000000000000000000000000000000bEEF"
TIMEOUT = 0.5


def rehearsal_chain(block_seconds: float | None = None) -> Anvil:
    """Anvil as chain 97, with BSC's base fee; it mines when told, or every `block_seconds`."""
    extra = ("--no-mining", "--base-fee", "0") if block_seconds is None else ("--base-fee", "0")
    return Anvil.start(AnvilOptions(chain_id=TESTNET, block_seconds=block_seconds, extra=extra))


class Reader:
    """A follower with its cursor on disk, and what its consumer has made of the changes."""

    def __init__(self, name: str, client: ChainClient, token: Contract, folder: Path, *, final_only: bool) -> None:
        self.name, self.final_only = name, final_only
        self._client, self._token, self._path = client, token, folder / "cursors.sqlite"
        self._start = client.head().number + 1
        self.seen: dict[int, int] = {}
        self.rollbacks = 0
        self._open()

    def _open(self) -> None:
        decoder = EventDecoder({self._token.address: ("UtilityToken", load_artifact("UtilityToken").abi)})
        self._store = SqliteCursor(self._path, self.name)
        start, final_only = self._start, self.final_only
        self.follower = EventFollower(self._client, decoder, self._store, start=start, final_only=final_only)

    def restart(self) -> None:
        self._store.close()
        self._open()

    def read(self) -> None:
        """One poll, handled. Whatever comes twice, or for good and then not, fails here."""
        batch = self.follower.poll()
        for change in batch.changes:
            if isinstance(change, Applied):
                value = change.event.arguments["value"]
                assert value not in self.seen, f"{self.name} was told of payment {value} twice"
                self.seen[value] = change.event.block_number
            else:
                assert not self.final_only, "what is final was rolled back"
                self.rollbacks += 1
                self.seen = {value: block for value, block in self.seen.items() if block < change.block}
        self.follower.commit(batch)


class IndexedReader:
    """The explorer's index over the same token: all that it holds when it is asked."""

    def __init__(self, client: ChainClient, token: Contract, folder: Path) -> None:
        nobody = (to_checksum_address(f"0x{number:040x}") for number in range(1, 100))
        fields = {field_of(name): next(nobody) for name in CONTRACTS} | {"utility_token": token.address}
        block = client.head().number + 1
        self._addresses = Addresses(client.chain_id, client.genesis(), block, code_hashes={}, **fields)
        self._client, self._path = client, folder / "index.sqlite"
        self._open()

    def _open(self) -> None:
        self.index = open_index(self._path, self._addresses)
        self.indexer = Indexer(self._client, self._addresses, self.index)

    def restart(self) -> None:
        self.close()
        self._open()

    def close(self) -> None:
        self.indexer.close()
        self.index.close()

    def read(self) -> None:
        self.indexer.step()

    @property
    def seen(self) -> list[int]:
        """The payments, each as often as it is there."""
        return [int(event.arguments["value"]) for event in self.index.events(name="Transfer", limit=1_000).rows]


class Voyage:
    """See the module. `block_seconds` is how far apart the blocks' timestamps are, which are whole seconds."""

    def __init__(self, folder: Path, seed: int, habits: Habits, block_seconds: float) -> None:
        self.random = random.Random(seed)
        self.folder, self.habits, self.block_seconds = folder, habits, block_seconds
        self.clock = Clock()
        self.anvil = rehearsal_chain()
        self.shore = self.anvil.client()
        self.nodes = PublicNodes(self.anvil.url, Habits(finality=habits.finality), seed, clock=self.clock)
        self.proxy = Proxy(self.anvil.url)
        self.proxy.before = self.nodes.answer
        self.account, self.token = self._prepare()
        self.client = self._connected()
        self.indexed = IndexedReader(self.client, self.token, folder)
        self.readers: list[Reader | IndexedReader] = [
            Reader("at once", self.client, self.token, folder, final_only=False),
            Reader("when final", self.client, self.token, folder, final_only=True),
            self.indexed,
        ]
        self.sender = self._opened()
        self.started = self.shore.now()
        self.floor = self.shore.head().number
        self.sent: list[str] = []
        self.troubles: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.sender.close()
        self.indexed.close()
        self.proxy.__exit__()
        self.anvil.stop()

    def _prepare(self) -> tuple[object, Contract]:
        self.shore.request("evm_setAutomine", True)
        account = funded(self.shore, self.folder)
        token = new_token(with_confirmations(self.shore, 1), account, self.folder)
        self.shore.request("evm_setAutomine", False)
        self.shore.request("anvil_mine", hex(20))
        return account, token

    def _connected(self) -> ChainClient:
        client = connect(self.proxy.url, errors=load_error_decoder(), chain_id=TESTNET, timeout=TIMEOUT)
        network = replace(client.network, poll_seconds=0.0)
        return ChainClient(client.provider, network, client.endpoint, client.errors, sleep=self._pause)

    def _pause(self, seconds: float) -> None:
        self.clock.now += seconds

    def _opened(self) -> Sender:
        policy = SendPolicy(resend_seconds=RESEND, wait_seconds=100)
        folder = self.folder / "sender"
        return open_sender(self.client, self.account, folder, policy=policy, clock=self.clock, sleep=self._pause)

    # What happens

    def blow(self, steps: int) -> None:
        """Weather: `steps` random events."""
        self.nodes.habits = self.habits
        actions = [self.pay, self.mine, self.look, self.follow] * 3
        actions += [self.again, self.reorganise, self.drop, self.wait, self.spike, self.restart]
        for _ in range(steps):
            try:
                self.random.choice(actions)()
            except Retryable as error:
                self.troubles.append(str(error))

    def calm(self) -> None:
        """No more faults, though nodes still lag and limit, until all is final and read."""
        self.nodes.habits = replace(self.habits, busy=0, cut=0, lost=0, hang=0)
        for _ in range(150):
            if self._is_done():
                return
            for action in (self.resubmit, self.look, self.follow):
                try:
                    action()
                except Retryable as error:
                    self.troubles.append(str(error))
            self.clock.now += 3
            self.mine()
        raise AssertionError(f"{self.sender.in_flight()} in flight, {self.troubles[-3:]}")

    def _is_done(self) -> bool:
        return self.sender.in_flight() == 0 and all(len(reader.seen) == len(self.sent) for reader in self.readers)

    def pay(self) -> None:
        first = len(self.sent)
        keys = [f"pay {first + offset}" for offset in range(self.random.randint(1, 3))]
        self.sent += keys
        self._submit(keys)

    def again(self) -> None:
        if self.sent:
            self._submit([self.random.choice(self.sent)])

    def resubmit(self) -> None:
        """What a worker does after trouble: the same calls under the same keys."""
        missing = [key for key in self.sent if self.sender.nonce_of(key) is None]
        if missing:
            self._submit(missing)

    def _submit(self, keys: list[str]) -> None:
        calls = [Intended(key, self.token.functions.transfer(SOMEONE, amount(key)), gas=80_000) for key in keys]
        self.sender.submit_many(calls)

    def mine(self) -> None:
        for _ in range(self.random.randint(1, 3)):
            height = self.shore.head().number + 1 - self.floor
            target = max(int(self.started + height * self.block_seconds), self.shore.now())
            self.shore.request("evm_setNextBlockTimestamp", target)
            self.shore.request("evm_mine")
            self.clock.now += self.block_seconds

    def look(self) -> None:
        self.sender.step()

    def follow(self) -> None:
        for reader in self.readers:
            reader.read()

    def reorganise(self) -> None:
        """Above what any node has called final."""
        depth = min(self.random.randint(1, self.habits.finality), self.shore.head().number - self.floor)
        if depth > 0:
            self.shore.request("anvil_reorg", depth, [])

    def drop(self) -> None:
        pooled = self.shore.request("txpool_content")["pending"]
        hashes = [tx["hash"] for by_nonce in pooled.values() for tx in by_nonce.values()]
        if hashes:
            self.shore.request("anvil_dropTransaction", self.random.choice(hashes))

    def wait(self) -> None:
        self.clock.now += self.random.choice([4, RESEND + 1])

    def spike(self) -> None:
        """80 gwei is above what the network's policy lets us bid."""
        self.shore.request("anvil_setNextBlockBaseFeePerGas", hex(self.random.choice([1, 20, 80]) * GWEI))

    def restart(self) -> None:
        self.sender.close()
        self.random.choice(self.readers).restart()
        while True:
            try:
                self.sender = self._opened()
                return
            except Retryable as error:  # a worker is started again until it starts
                self.troubles.append(str(error))

    # What must be true at the end

    def check(self) -> None:
        """Every payment exactly once: on the chain, in the journal, at both followers and in the explorer's index."""
        expected = sorted(amount(key) for key in self.sent)
        transfers = self.token.events.Transfer().get_logs(from_block=self.floor)
        assert sorted(log["args"]["value"] for log in transfers) == expected
        assert self.token.functions.balanceOf(SOMEONE).call() == sum(expected)
        for reader in self.readers:
            assert sorted(reader.seen) == expected
        for key in self.sent:
            receipt = self.sender.outcome(key)
            assert receipt is not None
            assert receipt.succeeded
            assert self.shore.block(receipt.block_number).hash == receipt.block_hash


def amount(key: str) -> int:
    """Payment number n is of n + 1 wei."""
    return int(key.split()[1]) + 1
