"""The embedded chain behaves as a node does, as far as we use one."""

import json
from typing import Any

import pytest
from eth_account.signers.local import LocalAccount

from offchain.chain.devnet import EMBEDDED_CHAIN_ID, dev_accounts
from offchain.chain.embedded import EmbeddedChain
from offchain.chain.embedded_rpc import EmbeddedRpc

SOMEONE = "0x000000000000000000000000000000000000bEEF"
RETURN_TIMESTAMP = "0x425f5260205ff3"
REVERT_WITH_ONE = "0x60015f5260205ffd"
STORE_AND_LOG = "0x600160005560016000526042602060006000a1" + "00"


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def owner() -> LocalAccount:
    return dev_accounts(1)[0]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def chain(owner: LocalAccount, clock: Clock) -> EmbeddedChain:
    balances = {bytes.fromhex(owner.address[2:]): 10**20}
    return EmbeddedChain(chain_id=EMBEDDED_CHAIN_ID, balances=balances, clock=clock)


@pytest.fixture
def rpc(chain: EmbeddedChain) -> EmbeddedRpc:
    return EmbeddedRpc(chain)


def ask(rpc: EmbeddedRpc, method: str, *params: Any) -> Any:
    answer = rpc.answer({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)})
    json.dumps(answer)
    return answer.get("result", answer.get("error"))


def raw(owner: LocalAccount, nonce: int, *, gwei: int = 2, **fields: Any) -> str:
    basic = {"to": SOMEONE, "value": 1, "gas": 21_000, "chainId": EMBEDDED_CHAIN_ID, "type": 2, "nonce": nonce}
    fees = {"maxFeePerGas": gwei * 10**9, "maxPriorityFeePerGas": 10**9}
    return str(owner.sign_transaction({**basic, **fees, **fields}).raw_transaction.to_0x_hex())


def number(value: str) -> int:
    return int(value, 16)


def test_a_transaction_waits_in_the_pool_until_it_is_mined(
    rpc: EmbeddedRpc, chain: EmbeddedChain, owner: LocalAccount, clock: Clock
) -> None:
    tx = ask(rpc, "eth_sendRawTransaction", raw(owner, 0))
    assert ask(rpc, "eth_getTransactionReceipt", tx) is None
    assert ask(rpc, "eth_getTransactionByHash", tx)["blockNumber"] is None
    assert number(ask(rpc, "eth_getTransactionCount", owner.address, "latest")) == 0
    assert number(ask(rpc, "eth_getTransactionCount", owner.address, "pending")) == 1
    clock.now += 5
    chain.mine()
    receipt = ask(rpc, "eth_getTransactionReceipt", tx)
    block = ask(rpc, "eth_getBlockByNumber", "latest", False)
    assert (number(receipt["status"]), number(receipt["gasUsed"])) == (1, 21_000)
    assert receipt["blockHash"] == block["hash"]
    assert block["transactions"] == [tx]
    assert number(block["timestamp"]) == clock.now
    assert number(ask(rpc, "eth_getBalance", SOMEONE, "latest")) == 1
    assert ask(rpc, "eth_getBlockByHash", block["hash"], False) == block


def test_later_nonces_wait_for_earlier_ones(rpc: EmbeddedRpc, chain: EmbeddedChain, owner: LocalAccount) -> None:
    for nonce in (2, 1):
        ask(rpc, "eth_sendRawTransaction", raw(owner, nonce))
    chain.mine()
    assert number(ask(rpc, "eth_getTransactionCount", owner.address, "latest")) == 0
    ask(rpc, "eth_sendRawTransaction", raw(owner, 0))
    chain.mine()
    assert number(ask(rpc, "eth_getTransactionCount", owner.address, "latest")) == 3


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"nonce": 0, "gas": 100}, "intrinsic gas too low"),
        ({"nonce": 0, "gas": 10**9}, "exceeds block gas limit"),
        ({"nonce": 0, "value": 10**21}, "insufficient funds for gas * price + value"),
        ({"nonce": 0, "chainId": 5}, "invalid chain id"),
        ({"nonce": 0, "maxFeePerGas": 1, "maxPriorityFeePerGas": 1}, "max fee per gas less than block base fee"),
    ],
)
def test_bad_transactions_are_refused_in_a_nodes_words(
    rpc: EmbeddedRpc, owner: LocalAccount, fields: dict[str, int], message: str
) -> None:
    answer = ask(rpc, "eth_sendRawTransaction", raw(owner, **fields))
    assert answer["message"].startswith(message)


def test_what_is_known_or_past_is_refused(rpc: EmbeddedRpc, chain: EmbeddedChain, owner: LocalAccount) -> None:
    ask(rpc, "eth_sendRawTransaction", raw(owner, 0))
    assert ask(rpc, "eth_sendRawTransaction", raw(owner, 0))["message"] == "already known"
    chain.mine()
    assert ask(rpc, "eth_sendRawTransaction", raw(owner, 0))["message"] == "already known"
    assert ask(rpc, "eth_sendRawTransaction", raw(owner, 0, gwei=9))["message"] == "nonce too low"


def test_a_replacement_must_pay_ten_percent_more(rpc: EmbeddedRpc, chain: EmbeddedChain, owner: LocalAccount) -> None:
    old = ask(rpc, "eth_sendRawTransaction", raw(owner, 0, gwei=100))
    cheap = ask(rpc, "eth_sendRawTransaction", raw(owner, 0, gwei=109))
    assert cheap["message"] == "replacement transaction underpriced"
    new = ask(rpc, "eth_sendRawTransaction", raw(owner, 0, gwei=110))
    chain.mine()
    assert ask(rpc, "eth_getTransactionReceipt", new) is not None
    assert ask(rpc, "eth_getTransactionByHash", old) is None


def test_a_dropped_transaction_is_gone(rpc: EmbeddedRpc, chain: EmbeddedChain, owner: LocalAccount) -> None:
    tx = ask(rpc, "eth_sendRawTransaction", raw(owner, 0))
    assert ask(rpc, "anvil_dropTransaction", tx) == tx
    assert ask(rpc, "anvil_dropTransaction", tx) is None
    chain.mine()
    assert ask(rpc, "eth_getTransactionByHash", tx) is None


def test_one_block_a_second_at_most(chain: EmbeddedChain, clock: Clock) -> None:
    assert not chain.due()
    clock.now += 1
    assert chain.due()
    chain.mine()
    assert not chain.due()


def test_time_travels(rpc: EmbeddedRpc, chain: EmbeddedChain, clock: Clock) -> None:
    ask(rpc, "evm_increaseTime", 100)
    ask(rpc, "evm_mine")
    assert number(ask(rpc, "eth_getBlockByNumber", "latest", False)["timestamp"]) == clock.now + 100
    ask(rpc, "evm_setNextBlockTimestamp", int(clock.now) + 500)
    ask(rpc, "evm_mine")
    clock.now += 7
    chain.mine()
    assert number(ask(rpc, "eth_getBlockByNumber", "latest", False)["timestamp"]) == clock.now + 500
    assert "not after the latest" in ask(rpc, "evm_setNextBlockTimestamp", 5)["message"]


def test_calls_see_the_latest_blocks_time(rpc: EmbeddedRpc, chain: EmbeddedChain, clock: Clock) -> None:
    clock.now += 3
    chain.mine()
    clock.now += 50
    head = ask(rpc, "eth_getBlockByNumber", "latest", False)
    assert number(ask(rpc, "eth_call", {"data": RETURN_TIMESTAMP}, "latest")) == number(head["timestamp"])
    assert number(ask(rpc, "eth_call", {"data": RETURN_TIMESTAMP}, "pending")) == clock.now


def test_reverts_carry_their_data(rpc: EmbeddedRpc, owner: LocalAccount) -> None:
    call = {"from": owner.address, "data": REVERT_WITH_ONE}
    expected = {"code": 3, "message": "execution reverted", "data": "0x" + "00" * 31 + "01"}
    assert ask(rpc, "eth_call", call, "latest") == expected
    assert ask(rpc, "eth_estimateGas", call) == expected


def test_estimates_are_enough_and_count_the_pool(rpc: EmbeddedRpc, chain: EmbeddedChain, owner: LocalAccount) -> None:
    call = {"from": owner.address, "data": STORE_AND_LOG}
    gas = number(ask(rpc, "eth_estimateGas", call, "pending"))
    tx = ask(rpc, "eth_sendRawTransaction", raw(owner, 0, to=b"", value=0, data=STORE_AND_LOG, gas=gas))
    chain.mine()
    receipt = ask(rpc, "eth_getTransactionReceipt", tx)
    assert number(receipt["status"]) == 1
    assert gas <= number(receipt["gasUsed"]) * 1.2


def test_a_failed_transaction_is_mined_with_status_zero(
    rpc: EmbeddedRpc, chain: EmbeddedChain, owner: LocalAccount
) -> None:
    failed = ask(rpc, "eth_sendRawTransaction", raw(owner, 0, to=b"", value=0, data=REVERT_WITH_ONE, gas=100_000))
    after = ask(rpc, "eth_sendRawTransaction", raw(owner, 1))
    chain.mine()
    receipt = ask(rpc, "eth_getTransactionReceipt", failed)
    assert (number(receipt["status"]), receipt["contractAddress"], receipt["logs"]) == (0, None, [])
    second = ask(rpc, "eth_getTransactionReceipt", after)
    assert number(second["cumulativeGasUsed"]) == number(receipt["gasUsed"]) + 21_000


def test_logs_are_found_by_range_address_and_topic(rpc: EmbeddedRpc, chain: EmbeddedChain, owner: LocalAccount) -> None:
    for nonce in range(3):
        ask(rpc, "eth_sendRawTransaction", raw(owner, nonce, to=b"", value=0, data=STORE_AND_LOG, gas=200_000))
        chain.mine()
    everything = ask(rpc, "eth_getLogs", {"fromBlock": "0x0", "toBlock": "latest"})
    assert [number(log["blockNumber"]) for log in everything] == [1, 2, 3]
    assert everything[0]["topics"] == ["0x" + "00" * 31 + "20"]
    topic = everything[0]["topics"][0]
    queries: list[tuple[dict[str, Any], int]] = [
        ({"fromBlock": "0x2", "toBlock": "0x2"}, 1),
        ({"fromBlock": "0x0", "toBlock": "0x3", "address": everything[1]["address"]}, 1),
        ({"fromBlock": "0x0", "toBlock": "0x3", "address": [log["address"] for log in everything[:2]]}, 2),
        ({"fromBlock": "0x0", "toBlock": "0x3", "topics": [topic]}, 3),
        ({"fromBlock": "0x0", "toBlock": "0x3", "topics": [None]}, 3),
        ({"fromBlock": "0x0", "toBlock": "0x3", "topics": [[topic, "0x" + "11" * 32]]}, 3),
        ({"fromBlock": "0x0", "toBlock": "0x3", "topics": ["0x" + "11" * 32]}, 0),
        ({"fromBlock": "0x0", "toBlock": "0x3", "topics": [topic, topic]}, 0),
        ({"blockHash": everything[2]["blockHash"]}, 1),
    ]
    assert [len(ask(rpc, "eth_getLogs", query)) for query, _ in queries] == [count for _, count in queries]


def test_history_can_be_asked(rpc: EmbeddedRpc, chain: EmbeddedChain, owner: LocalAccount) -> None:
    for nonce in range(2):
        ask(rpc, "eth_sendRawTransaction", raw(owner, nonce))
        chain.mine()
    counts = [number(ask(rpc, "eth_getTransactionCount", owner.address, hex(block))) for block in range(3)]
    assert counts == [0, 1, 2]
    assert ask(rpc, "eth_getTransactionCount", owner.address, "0x9")["message"] == "header not found"
    assert ask(rpc, "eth_getBlockByNumber", "0x9", False) is None
    assert ask(rpc, "eth_getBlockByHash", "0x" + "ab" * 32, False) is None


@pytest.mark.parametrize(
    ("request_object", "code"),
    [
        ("text", -32600),
        ({"id": 1, "method": "eth_nonsense"}, -32601),
        ({"id": 1, "method": "eth_call", "params": []}, -32602),
        ({"id": 1, "method": "eth_sendRawTransaction", "params": ["0x00"]}, -32602),
        ({"id": 1, "method": "eth_sendRawTransaction", "params": ["0xf8"]}, -32602),
        ({"id": 1, "method": "eth_sendRawTransaction", "params": ["0x02"]}, -32602),
        ({"id": 1, "method": "eth_sendRawTransaction", "params": ["0xc0"]}, -32602),
        ({"id": 1, "method": "eth_sendRawTransaction", "params": ["zz"]}, -32602),
        ({"id": 1, "method": "eth_getBalance", "params": ["0xzz", "latest"]}, -32602),
    ],
)
def test_bad_requests_are_answered_with_errors(rpc: EmbeddedRpc, request_object: Any, code: int) -> None:
    assert rpc.answer(request_object)["error"]["code"] == code


def test_batches_are_answered_in_order(rpc: EmbeddedRpc) -> None:
    answers = rpc.answer([{"id": n, "method": "eth_chainId"} for n in range(3)])
    assert [answer["id"] for answer in answers] == [0, 1, 2]
    assert {answer["result"] for answer in answers} == {hex(EMBEDDED_CHAIN_ID)}
