"""Patience with nodes: when the same question may get another answer, and when waiting only costs time."""

from typing import Any

import pytest
from web3.types import RPCEndpoint

from offchain.chain.transport import PatientRpc, RpcFailure, parse_answer

CALL = {"to": "0x" + "11" * 20, "data": "0x"}
REVERT = {"error": {"code": 3, "message": "execution reverted", "data": "0x12345678"}}


class Node:
    """Always answers the same."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked = 0

    def make_request(self, method: RPCEndpoint, params: Any) -> Any:
        self.asked += 1
        return self.answer

    def make_batch_request(self, requests: list[tuple[RPCEndpoint, Any]]) -> Any:
        return [self.make_request(*request) for request in requests]


@pytest.mark.parametrize(
    ("tag", "in_pool", "asked"), [("latest", True, 5), ("0x10", True, 1), ("latest", False, 1), ("0x10", False, 1)]
)
def test_a_refusal_as_of_a_block_is_an_answer_and_costs_no_patience(tag: str, in_pool: bool, asked: int) -> None:
    """Whoever can make a contract refuse what a worker asks at every look would hold it up for seconds each time."""
    node, slept = Node(REVERT), list[float]()
    rpc = PatientRpc(node, "http://pool", in_pool=in_pool, sleep=slept.append)
    (found,) = rpc.ask([(RPCEndpoint("eth_call"), [CALL, tag])])
    assert isinstance(found, RpcFailure)
    assert found.is_revert
    assert (node.asked, len(slept)) == (asked, asked - 1)


def test_a_block_that_the_node_lacks_is_asked_for_again() -> None:
    node, slept = Node({"error": {"code": -32000, "message": "header not found"}}), list[float]()
    PatientRpc(node, "http://pool", in_pool=True, sleep=slept.append).ask([(RPCEndpoint("eth_call"), [CALL, "0x10"])])
    assert node.asked == 5


@pytest.mark.parametrize("code", ["SERVER_BUSY", None, [1], 1.5])
def test_a_node_that_names_its_errors_in_words_is_understood(code: object) -> None:
    failure = parse_answer({"error": {"code": code, "message": "rate limit"}})
    assert isinstance(failure, RpcFailure)
    assert (failure.code, failure.is_busy) == (0, True)
