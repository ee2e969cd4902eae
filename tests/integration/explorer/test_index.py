"""The index on a real chain: what it says, and what it outlives."""

import os
import random
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from web3.providers import BaseProvider

from offchain.bench.explorer import GAS_LIMIT, measure, run
from offchain.bench.explorer_story import STORY_PARAMETERS, Story, Told
from offchain.chain.addresses import Addresses
from offchain.chain.client import ChainClient
from offchain.chain.contracts import AssayContracts
from offchain.chain.deploy import deploy
from offchain.chain.devnet import Anvil, AnvilOptions, dev_accounts
from offchain.chain.sender import open_sender
from offchain.errors import Rejected, Retryable
from offchain.explorer.index import Index, Indexer, open_index
from tests.integration.explorer.truth import catch_up, check, indexed
from tests.unit.explorer.index_dump import dump


@dataclass(frozen=True, slots=True)
class Played:
    """A chain on which one order was sealed as usual, and one after a dispute."""

    client: ChainClient
    addresses: Addresses
    told: tuple[Told, Told]

    def narrow(self) -> ChainClient:
        """Another connection, on which a query of logs has eight blocks at most."""
        client = self.client
        network = replace(client.network, log_range=8)
        return ChainClient(client.provider, network, client.endpoint, client.errors)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    folder = tmp_path_factory.mktemp("played")
    with Anvil.start(AnvilOptions(extra=GAS_LIMIT)) as anvil:
        client = anvil.client(timeout=120.0)
        sender = open_sender(client, dev_accounts(1)[0], folder)
        addresses = deploy(sender, folder / "addresses.json", parameters=STORY_PARAMETERS)
        sender.close()
        story = Story(client, AssayContracts(client, addresses), 0)
        yield Played(client, addresses, (story.play(dispute=False), story.play(dispute=True)))


@pytest.fixture
def index(played: Played, tmp_path: Path) -> Iterator[Index]:
    index = open_index(tmp_path / "index.sqlite", played.addresses)
    yield index
    index.close()


def fresh(played: Played, path: Path) -> dict[str, Any]:
    """What an index holds that is made now, in one go."""
    index = open_index(path, played.addresses)
    indexed(played.client, AssayContracts(played.client, played.addresses), index)
    index.close()
    return dump(path)


def test_it_says_what_the_contracts_say(played: Played, index: Index) -> None:
    contracts = AssayContracts(played.client, played.addresses)
    indexed(played.client, contracts, index)
    assert check(contracts, index) > 200
    page = index.dispute(1)
    assert page is not None
    names = [move.name for move in page.moves]
    assert names[0] == "Opened"
    assert names[-2:] == ["Computed", "Closed"]
    assert page.moves[-2].detail["claimed"] != page.moves[-2].detail["computed"]
    order = index.order(2, index.standing().head_at)
    assert order is not None
    assert [row.holder == sheet.validator for sheet in order.sheets for row in sheet.scores].count(False) == 1
    assert {"winner", "validator", "tax", "reward", "slash validator", "slash provider"} == {
        f.what for f in order.money
    }


def test_what_the_chain_takes_back_is_taken_back(played: Played, index: Index, tmp_path: Path) -> None:
    client, contracts = played.client, AssayContracts(played.client, played.addresses)
    indexed(client, contracts, index)
    before, seq = dump(index.path), index.standing().seq
    snapshot = client.request("evm_snapshot")
    bank, buyer = (account.address for account in dev_accounts(2))
    for amount in (1, 2, 3):
        contracts.token.functions.transfer(buyer, amount).transact({"from": bank})
    indexer = Indexer(client, played.addresses, index)
    assert catch_up(indexer) == 3
    client.request("evm_revert", snapshot)
    client.request("evm_mine")
    assert indexer.step().rolled_back is not None
    catch_up(indexer)
    assert dump(index.path) == before
    indexer.close()
    contracts.token.functions.transfer(buyer, 4).transact({"from": bank})
    indexed(client, contracts, index)
    assert index.standing().seq == seq + 4  # numbers of events are never used twice


def test_a_reorganisation_leaves_what_the_new_chain_says(played: Played, index: Index, tmp_path: Path) -> None:
    client, contracts = played.client, AssayContracts(played.client, played.addresses)
    indexed(client, contracts, index)
    events = index.standing().events
    client.request("anvil_reorg", 6, [])
    client.request("evm_mine")
    indexer = Indexer(client, played.addresses, index)
    assert indexer.step().rolled_back is not None
    indexer.close()
    indexed(client, contracts, index)
    assert index.standing().events < events
    assert dump(index.path) == fresh(played, tmp_path / "fresh.sqlite")


def test_killed_at_any_statement_it_goes_on_and_doubles_nothing(played: Played, tmp_path: Path) -> None:
    path, seed = tmp_path / "killed.sqlite", random.Random(7)
    open_index(path, played.addresses).close()
    kills = 0
    while not _indexed_by_child(played, path, seed.randint(1, 900)):
        kills += 1
    assert kills >= 3
    assert dump(path) == fresh(played, tmp_path / "fresh.sqlite")


def _indexed_by_child(played: Played, path: Path, statements: int) -> bool:
    """Lets a child index the chain that is killed at some statement of its connection; whether it came to the end."""
    child = os.fork()
    if child == 0:
        try:
            _die_at(played, path, statements)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert status == 0 or os.WTERMSIG(status) == signal.SIGKILL
    return status == 0


def _die_at(played: Played, path: Path, statements: int) -> None:
    left = statements

    def count(_statement: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    class Mortal(Index):
        def connect(self) -> Any:
            connection = super().connect()
            connection.set_trace_callback(count)
            return connection

    indexer = Indexer(played.narrow(), played.addresses, Mortal(path, played.addresses))
    catch_up(indexer)
    while indexer.fill_receipts():
        pass
    os._exit(0)


def test_two_explorers_on_one_file_double_nothing_and_each_tells_all(
    played: Played, index: Index, tmp_path: Path
) -> None:
    both = [Indexer(played.narrow(), played.addresses, index) for _ in range(2)]
    told: list[list[int]] = [[], []]
    turn, waiting = 0, {0, 1}
    while waiting:
        which, turn = turn // 3 % 2, turn + 1
        step = both[which].step()
        told[which] += [row.seq for row in step.events]
        if step.caught_up:
            waiting.discard(which)
    for indexer in both:
        indexer.close()
    assert told[0] == told[1] == list(range(1, index.standing().seq + 1))
    indexed(played.client, AssayContracts(played.client, played.addresses), index)
    assert dump(index.path) == fresh(played, tmp_path / "fresh.sqlite")


class Altered(BaseProvider):
    """A provider of which the node says something else in the place of the logs that it gave."""

    def __init__(self, inner: Any, change: Callable[[list[dict[str, Any]]], Any]) -> None:
        super().__init__()
        self._inner = inner
        self._change = change

    def make_request(self, method: Any, params: Any) -> Any:
        return self._inner.make_request(method, params)

    def make_batch_request(self, requests: Any) -> Any:
        answers = self._inner.make_batch_request(requests)
        for (method, _), answer in zip(requests, answers, strict=True):
            if method == "eth_getLogs":
                answer["result"] = self._change(answer["result"])
        return answers


def altered(played: Played, change: Callable[[list[dict[str, Any]]], Any]) -> ChainClient:
    client = played.client
    return ChainClient(Altered(client.provider, change), client.network, client.endpoint, client.errors)


def without_times(logs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in log.items() if name != "blockTimestamp"} for log in logs]


def shuffled(logs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return random.Random(3).sample([*logs, *logs[:7]], len(logs) + min(7, len(logs)))


@pytest.mark.parametrize("change", [without_times, shuffled])
def test_it_makes_the_best_of_what_nodes_say(
    played: Played, index: Index, tmp_path: Path, change: Callable[[list[dict[str, Any]]], Any]
) -> None:
    indexed(altered(played, change), AssayContracts(played.client, played.addresses), index)
    assert dump(index.path) == fresh(played, tmp_path / "fresh.sqlite")


@pytest.mark.parametrize(
    "change",
    [
        lambda logs: {"no": "logs"},
        lambda logs: [log | {"data": "0xzz"} for log in logs],
        lambda logs: [log | {"blockNumber": "0x7fffffff"} for log in logs],
        lambda logs: [log | {"blockHash": f"0x{place:064x}"} for place, log in enumerate(logs)],
        lambda logs: [log | {"blockTimestamp": "0x" + "ff" * 20} for log in logs],
    ],
)
def test_what_are_no_logs_changes_nothing(played: Played, index: Index, change: Callable[[Any], Any]) -> None:
    indexer = Indexer(altered(played, change), played.addresses, index)
    with pytest.raises(Retryable):
        catch_up(indexer)
    indexer.close()
    assert index.standing().events == 0


def test_another_chain_gets_another_index(played: Played, index: Index) -> None:
    indexer = Indexer(played.client, played.addresses, index)
    catch_up(indexer)
    indexer.close()
    index.close()
    assert open_index(index.path, played.addresses).standing().events > 0  # it was kept
    other = replace(played.addresses, genesis=b"o" * 32)
    there = open_index(index.path, other)
    assert there.standing().events == 0
    stranger = Indexer(played.client, other, there)
    with pytest.raises(Rejected, match="another chain"):
        stranger.step()
    stranger.close()
    there.close()


@pytest.mark.long
def test_half_a_million_events_at_five_times_the_plain_loop() -> None:
    measured = run(10_000, 500_000, 0)
    assert measured.events > 490_000
    assert measured.rows[1].ratio >= 5
    reads = {read.what: read for read in measured.reads}
    assert reads["opening, and the whole front page"].p99 < 1000


def test_the_benchmark_indexes_every_event(played: Played, tmp_path: Path) -> None:
    """The last one here: it puts other code in the contracts' places."""
    measured = measure(played.client, played.addresses, played.told, tmp_path, orders=12, events=1000)
    assert measured.orders == 12
    assert [row.events for row in measured.rows][1] == measured.events > 500
    assert measured.rows[0].events > 500
    assert all(read.p50 > 0 for read in measured.reads)
