"""The log follower on real chains: reorganisations, limits of the node, restarts."""

import json
from pathlib import Path

import pytest
from eth_account.signers.local import LocalAccount
from web3.contract import Contract

from offchain.chain.artifacts import load_artifact, load_error_decoder
from offchain.chain.client import ChainClient, connect
from offchain.chain.deploy import deploy
from offchain.chain.devnet import Anvil
from offchain.chain.event_decoder import EventDecoder
from offchain.chain.events import Applied, EventFollower, MemoryCursor, RolledBack, SqliteCursor
from offchain.chain.parameters import default_parameters
from offchain.chain.sender import Intended, Sender, open_sender
from offchain.errors import Rejected, Retryable
from tests.integration.chain.conftest import funded, new_token
from tests.integration.chain.support import Exchange, HangError, Proxy, mine, with_confirmations, with_tag

SOMEONE = "0x000000000000000000000000000000000000bEEF"


def follower_of(client: ChainClient, token: Contract, start: int, **options: object) -> EventFollower:
    decoder = EventDecoder({token.address: ("UtilityToken", load_artifact("UtilityToken").abi)})
    store = options.pop("store", None) or MemoryCursor()
    return EventFollower(client, decoder, store, start=start, **options)  # type: ignore[arg-type]


class Ledger:
    """A consumer that keeps what is applied and drops what is rolled back."""

    def __init__(self) -> None:
        self.transfers: list[tuple[int, int]] = []
        self.rollbacks: list[int] = []

    def take(self, follower: EventFollower) -> "Ledger":
        for change in follower.catch_up():
            if isinstance(change, Applied):
                entry = (change.event.block_number, change.event.arguments["value"])
                self.transfers.append(entry)
            else:
                self.rollbacks.append(change.block)
                self.transfers = [entry for entry in self.transfers if entry[0] < change.block]
        return self

    @property
    def values(self) -> list[int]:
        return [value for _, value in self.transfers]


@pytest.fixture
def owner(manual: ChainClient, tmp_path: Path) -> LocalAccount:
    manual.request("evm_setAutomine", True)
    return funded(manual, tmp_path)


@pytest.fixture
def token(manual: ChainClient, owner: LocalAccount, tmp_path: Path) -> Contract:
    token = new_token(manual, owner, tmp_path)
    manual.request("evm_setAutomine", False)
    mine(manual)
    return token


@pytest.fixture
def sender(manual: ChainClient, token: Contract, owner: LocalAccount, tmp_path: Path) -> Sender:
    return open_sender(with_confirmations(manual, 64), owner, tmp_path)


def transfer(sender: Sender, token: Contract, *values: int) -> None:
    calls = [Intended(f"transfer {value}", token.functions.transfer(SOMEONE, value)) for value in values]
    sender.submit_many(calls)
    mine(sender.client)
    sender.step()


def test_events_come_typed_and_in_order(manual: ChainClient, sender: Sender, token: Contract) -> None:
    start = manual.head().number + 1
    follower = follower_of(manual, token, start)
    transfer(sender, token, 1, 2)
    transfer(sender, token, 3)
    changes = list(follower.catch_up())
    events = [change.event for change in changes if isinstance(change, Applied)]
    assert len(events) == len(changes) == 3
    assert [event.arguments for event in events] == [
        {"from": sender.address, "to": SOMEONE, "value": value} for value in (1, 2, 3)
    ]
    assert {(event.contract, event.name, event.address) for event in events} == {
        ("UtilityToken", "Transfer", token.address)
    }
    assert [(event.block_number - start, event.log_index) for event in events] == [(0, 0), (0, 1), (1, 0)]
    assert list(follower.catch_up()) == []


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5])
def test_a_reorganisation_rolls_back_exactly_what_is_gone(
    manual: ChainClient, sender: Sender, token: Contract, depth: int
) -> None:
    follower = follower_of(with_confirmations(manual, 64), token, manual.head().number + 1)
    ledger = Ledger()
    for value in range(1, 7):
        transfer(sender, token, value)
        ledger.take(follower)
    assert ledger.values == [1, 2, 3, 4, 5, 6]
    head = manual.head().number
    manual.request("anvil_reorg", depth, [])
    ledger.take(follower)
    assert ledger.rollbacks == [head - depth + 1]
    assert ledger.values == list(range(1, 7 - depth))
    sender.step()
    mine(manual)
    sender.step()
    ledger.take(follower)
    assert ledger.values == [1, 2, 3, 4, 5, 6], "the sender sent them again"
    assert ledger.rollbacks == [head - depth + 1]


def test_a_reorganisation_while_the_follower_slept(
    manual: ChainClient, sender: Sender, token: Contract, tmp_path: Path
) -> None:
    confirmed = with_confirmations(manual, 64)
    start = manual.head().number + 1
    store = SqliteCursor(tmp_path / "cursor.sqlite", "test")
    ledger = Ledger()
    for value in range(1, 5):
        transfer(sender, token, value)
        ledger.take(follower_of(confirmed, token, start, store=store))
    store.close()
    manual.request("anvil_reorg", 3, [])
    mine(manual, 5)
    again = SqliteCursor(tmp_path / "cursor.sqlite", "test")
    ledger.take(follower_of(confirmed, token, start, store=again))
    assert ledger.values == [1]
    assert len(ledger.rollbacks) == 1


def test_final_only_waits_and_never_rolls_back(manual: ChainClient, sender: Sender, token: Contract) -> None:
    follower = follower_of(with_confirmations(manual, 4), token, manual.head().number + 1, final_only=True)
    transfer(sender, token, 1)
    transfer(sender, token, 2)
    assert Ledger().take(follower).values == []
    manual.request("anvil_reorg", 1, [])
    mine(manual, 2)
    ledger = Ledger().take(follower)
    assert (ledger.values, ledger.rollbacks) == ([1], [])


def test_on_a_young_chain_nothing_is_final_yet(manual: ChainClient, sender: Sender, token: Contract) -> None:
    follower = follower_of(with_tag(manual), token, 1, final_only=True)
    transfer(sender, token, 1)
    assert Ledger().take(follower).values == []
    mine(manual, 70)
    assert 1 in Ledger().take(follower).values


def test_a_crash_before_the_commit_repeats_the_batch(manual: ChainClient, sender: Sender, token: Contract) -> None:
    store = MemoryCursor()
    start = manual.head().number + 1
    transfer(sender, token, 1)
    first = follower_of(manual, token, start, store=store).poll()
    second = follower_of(manual, token, start, store=store)
    assert second.poll().changes == first.changes
    second.commit(first)
    assert follower_of(manual, token, start, store=store).poll().changes == ()


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (-32005, "limit exceeded"),
        (-32701, "Please specify an address in your request or, to remove restrictions, order a dedicated full node"),
        (-32602, "exceed maximum block range: 50"),
        (-32000, "query returned more than 10000 results"),
    ],
)
def test_ranges_adapt_to_what_the_node_allows(
    anvil: Anvil, manual: ChainClient, sender: Sender, token: Contract, code: int, message: str
) -> None:
    start = manual.head().number + 1
    for value in range(1, 6):
        transfer(sender, token, value)
        mine(manual, 100)
    widths: list[int] = []

    def limit(exchange: Exchange) -> bytes | None:
        batch = exchange.body if isinstance(exchange.body, list) else [exchange.body]
        for item in batch:
            if item["method"] != "eth_getLogs":
                continue
            query = item["params"][0]
            if "blockHash" in query:  # near the head
                continue
            widths.append(int(query["toBlock"], 16) - int(query["fromBlock"], 16) + 1)
            if widths[-1] > 50:
                return refused(batch)
        return None

    def refused(batch: list[dict[str, object]]) -> bytes:
        answers = []
        for item in batch:
            if item["method"] == "eth_getLogs":
                answers.append({"jsonrpc": "2.0", "id": item["id"], "error": {"code": code, "message": message}})
            else:
                result = manual.request(str(item["method"]), *item["params"])  # type: ignore[misc]
                answers.append({"jsonrpc": "2.0", "id": item["id"], "result": result})
        return json.dumps(answers).encode()

    with Proxy(anvil.url) as proxy:
        proxy.before = limit
        follower = follower_of(connect(proxy.url, errors=load_error_decoder()), token, start)
        assert Ledger().take(follower).values == [1, 2, 3, 4, 5]
    assert widths[0] > 400
    accepted = [width for width in widths if width <= 50]
    assert len(accepted) < 25, "ranges grow again after they were halved"
    assert max(accepted) > 30


def test_a_node_that_gives_no_logs_at_all_is_an_error(anvil: Anvil, token: Contract) -> None:
    with Proxy(anvil.url) as proxy:

        def refuse(exchange: Exchange) -> bytes | None:
            if "eth_getLogs" not in exchange.methods:
                return None
            block = {"number": "0x1", "hash": "0x" + "11" * 32, "parentHash": "0x" + "22" * 32, "timestamp": "0x1"}
            error = {"code": -32601, "message": "eth_getLogs is disabled"}
            return json.dumps(
                [
                    {"jsonrpc": "2.0", "id": item["id"]}
                    | ({"error": error} if item["method"] == "eth_getLogs" else {"result": block})
                    for item in exchange.body
                ]
            ).encode()

        proxy.before = refuse
        follower = follower_of(connect(proxy.url, errors=load_error_decoder()), token, 0)
        with pytest.raises(Rejected, match="refused eth_getLogs: eth_getLogs is disabled"):
            follower.poll()


def test_a_time_out_shrinks_the_range_and_is_retryable(
    anvil: Anvil, manual: ChainClient, sender: Sender, token: Contract
) -> None:
    start = manual.head().number + 1
    transfer(sender, token, 1)
    mine(manual, 100)  # so that it is asked for with a range
    hang = [True]

    def stall(exchange: Exchange) -> None:
        if "eth_getLogs" in exchange.methods and hang.pop() if hang else False:
            raise HangError

    with Proxy(anvil.url) as proxy:
        proxy.before = stall
        follower = follower_of(connect(proxy.url, errors=load_error_decoder(), timeout=0.4), token, start)
        before = follower.range_size
        hang[:] = [True]
        with pytest.raises(Retryable):
            list(follower.catch_up())
        assert follower.range_size == before // 2
        assert Ledger().take(follower).values == [1]


def test_structs_come_as_dataclasses(either: ChainClient, account: LocalAccount, tmp_path: Path) -> None:
    addresses = deploy(open_sender(either, account, tmp_path), tmp_path / "addresses.json")
    follower = EventFollower(either, EventDecoder.of(addresses), MemoryCursor(), start=addresses.block)
    events = [change.event for change in follower.catch_up() if not isinstance(change, RolledBack)]
    by_name = {event.name: event for event in reversed(events)}
    assert by_name["ParametersChanged"].arguments == {"parameters": default_parameters(31337)}
    assert by_name["Transfer"].arguments["to"] == account.address
