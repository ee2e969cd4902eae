"""How many transactions a second go through Anvil: the sender beside send-and-wait, in one run.

Each transaction is a token transfer of its own amount from one key. Three ways take turns, so that load on the machine
hits all alike: *send and wait* as web3 does it out of the box (it looks up nonce, fees and gas, we sign and wait for
the receipt), the same *prepared* (nonce, fees and gas known: the least that waiting can cost), and the *sender*
(estimates, journal on disk and all). Afterwards every transfer is looked up in the chain's logs: none may be lost or
doubled, and each key's must be in order.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address
from web3.contract import Contract

from offchain.chain.artifacts import load_artifact
from offchain.chain.client import ChainClient
from offchain.chain.deploy import deployment
from offchain.chain.devnet import Anvil, AnvilOptions, dev_accounts
from offchain.chain.sender import Intended, Sender, open_sender
from offchain.errors import Bug

ROUNDS = 5
CHUNK = 100
SUPPLY = 10**27
RECEIVER = to_checksum_address("0x" + "00" * 18 + "dead")
POLL_SECONDS = 0.002


@dataclass(frozen=True, slots=True)
class Row:
    """One way of sending. `per_second` transactions over `seconds` of sending and waiting; `ratio` to send and wait.

    `lost`, `doubled` and `disordered` count transfers, compared with what was asked for.
    """

    way: str
    keys: int
    transactions: int
    seconds: float
    per_second: float
    ratio: float
    lost: int
    doubled: int
    disordered: int


@dataclass(frozen=True, slots=True)
class _Lane:
    """One key with its sender and token."""

    account: LocalAccount
    sender: Sender
    token: Contract


def run(transactions: int = 600, keys: int = 3) -> list[Row]:
    """Sends `transactions` transfers in each way, those of the sender also from `keys` keys at once; the rows."""
    with Anvil.start(AnvilOptions()) as anvil, TemporaryDirectory() as folder:
        client = anvil.client()
        lanes = _lanes(anvil, client, Path(folder), 3 + keys)
        ways: list[tuple[str, Callable[[Sequence[_Lane], int, int], None], Sequence[_Lane]]] = [
            ("send and wait", _send_and_wait, lanes[:1]),
            ("send and wait, prepared", _prepared, lanes[1:2]),
            ("sender", _through_sender, lanes[2:3]),
            (f"sender, {keys} keys", _through_sender, lanes[3:]),
        ]
        seconds = {name: 0.0 for name, _, _ in ways}
        first = 1
        for share in _shares(transactions, ROUNDS):
            for name, way, used in ways:
                began = time.perf_counter()
                way(used, first, share)
                seconds[name] += time.perf_counter() - began
            first += share
        rows = [
            _row(client, name, used, transactions, seconds[name], seconds["send and wait"]) for name, _, used in ways
        ]
        for lane in lanes:
            lane.sender.close()
        return rows


def _shares(total: int, rounds: int) -> list[int]:
    return [total // rounds + (1 if index < total % rounds else 0) for index in range(rounds)]


def _lanes(anvil: Anvil, client: ChainClient, folder: Path, count: int) -> list[_Lane]:
    accounts = dev_accounts(count)
    senders = [open_sender(anvil.client(), account, folder) for account in accounts]
    abi = load_artifact("UtilityToken").abi
    words = {"holder": accounts[0].address, "supply": SUPPLY}
    receipt = senders[0].send("deploy", deployment(load_artifact("UtilityToken"), words))
    token: Any = client.web3.eth.contract(address=receipt.contract_address, abi=abi)
    for index, account in enumerate(accounts[1:]):
        senders[0].send(f"fund {index}", token.functions.transfer(account.address, SUPPLY // 100))
    return [_Lane(account, sender, token) for account, sender in zip(accounts, senders, strict=True)]


def _send_and_wait(lanes: Sequence[_Lane], first: int, count: int) -> None:
    (lane,) = lanes
    web3 = lane.token.w3
    for amount in range(first, first + count):
        call = lane.token.functions.transfer(RECEIVER, amount)
        nonce = web3.eth.get_transaction_count(lane.account.address)
        fields: Any = call.build_transaction({"from": lane.account.address, "nonce": nonce})
        _sign_and_wait(lane, fields)


def _prepared(lanes: Sequence[_Lane], first: int, count: int) -> None:
    (lane,) = lanes
    nonce = lane.token.w3.eth.get_transaction_count(lane.account.address)
    for offset in range(count):
        call = lane.token.functions.transfer(RECEIVER, first + offset)
        fields: Any = {
            "type": 2,
            "to": lane.token.address,
            "data": call._encode_transaction_data(),
            "value": 0,
            "nonce": nonce + offset,
            "chainId": 31337,
            "gas": 70_000,
            "maxFeePerGas": 3 * 10**9,
            "maxPriorityFeePerGas": 10**9,
        }
        _sign_and_wait(lane, fields)


def _sign_and_wait(lane: _Lane, fields: Any) -> None:
    web3 = lane.token.w3
    sent = web3.eth.send_raw_transaction(lane.account.sign_transaction(fields).raw_transaction)
    receipt = web3.eth.wait_for_transaction_receipt(sent, poll_latency=POLL_SECONDS)
    if receipt["status"] != 1:
        raise Bug("a transfer of the benchmark reverted")


def _through_sender(lanes: Sequence[_Lane], first: int, count: int) -> None:
    with ThreadPoolExecutor(len(lanes)) as pool:
        for done in [pool.submit(_drain_lane, lane, first, count // len(lanes)) for lane in lanes]:
            done.result()


def _drain_lane(lane: _Lane, first: int, count: int) -> None:
    amounts = list(range(first, first + count))
    tickets = []
    for start in range(0, count, CHUNK):
        calls = [Intended(f"t{n}", lane.token.functions.transfer(RECEIVER, n)) for n in amounts[start : start + CHUNK]]
        tickets += lane.sender.submit_many(calls)
    lane.sender.wait_all(tickets)


def _row(
    client: ChainClient, way: str, lanes: Sequence[_Lane], transactions: int, seconds: float, base_seconds: float
) -> Row:
    wanted = sum(sum(share // len(lanes) for share in _shares(transactions, ROUNDS)) for _ in lanes)
    lost = doubled = disordered = 0
    for lane in lanes:
        amounts = _transferred(client, lane)
        expected = _expected(transactions, len(lanes))
        lost += len(expected - set(amounts))
        doubled += len(amounts) - len(set(amounts))
        disordered += sum(later < earlier for earlier, later in pairwise(amounts))
    per_second = wanted / seconds
    base = transactions / base_seconds
    return Row(way, len(lanes), wanted, seconds, per_second, per_second / base, lost, doubled, disordered)


def _expected(transactions: int, lanes: int) -> set[int]:
    expected: set[int] = set()
    first = 1
    for share in _shares(transactions, ROUNDS):
        expected |= set(range(first, first + share // lanes))
        first += share
    return expected


def _transferred(client: ChainClient, lane: _Lane) -> list[int]:
    """Amounts that the lane's key sent to the receiver, in the chain's order."""
    topic = client.web3.keccak(text="Transfer(address,address,uint256)").to_0x_hex()
    topics = [topic, "0x" + lane.account.address[2:].lower().rjust(64, "0"), "0x" + RECEIVER[2:].lower().rjust(64, "0")]
    query = {"address": lane.token.address, "fromBlock": "0x0", "toBlock": "latest", "topics": topics}
    return [int(log["data"], 16) for log in client.request("eth_getLogs", query)]


def table(rows: Sequence[Row]) -> str:
    """The rows for people."""
    lines = [
        f"{'way':<26}{'keys':>5}{'tx':>7}{'seconds':>9}{'tx/s':>8}{'ratio':>7}{'lost':>6}{'doubled':>9}{'order':>7}"
    ]
    lines += [
        f"{row.way:<26}{row.keys:>5}{row.transactions:>7}{row.seconds:>9.2f}{row.per_second:>8.0f}{row.ratio:>7.1f}"
        f"{row.lost:>6}{row.doubled:>9}{'ok' if row.disordered == 0 else row.disordered:>7}"
        for row in rows
    ]
    return "\n".join(lines)
