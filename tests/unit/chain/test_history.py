"""Past events are found from the present backwards, whatever ranges the node is willing to give."""

from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.chain.client import ChainClient, RpcFailure
from offchain.chain.errors import RpcRefused
from offchain.chain.event_decoder import EventDecoder
from offchain.chain.history import History
from offchain.chain.networks import network_for
from offchain.errors import Retryable

ID = (7).to_bytes(32, "big")


class Node:
    """Has one log in each of `blocks`, and objects to more than `most` blocks at once."""

    def __init__(self, blocks: list[int], most: int) -> None:
        self.blocks = blocks
        self.most = most
        self.network = network_for(31337)
        self.endpoint = "node"
        self.asked: list[tuple[int, int]] = []

    def batch(self, calls: list[tuple[str, list[Any]]]) -> list[Any]:
        ((method, (query,)),) = calls
        assert (method, query["topics"]) == ("eth_getLogs", [None, "0x" + ID.hex()])
        first, last = int(query["fromBlock"], 16), int(query["toBlock"], 16)
        assert first <= last
        if last - first + 1 > self.most:
            return [RpcFailure(-32000, "range too large", b"")]
        self.asked.append((first, last))
        return [[{"block": block} for block in self.blocks if first <= block <= last]]

    def failure(self, failure: RpcFailure, doing: str) -> Exception:
        return RpcRefused(doing, failure.code, failure.message, failure.data)


class Decoder:
    addresses = ("0x" + "01" * 20,)

    def decode(self, log: dict[str, Any]) -> Any:
        return log["block"]


def history(node: Node, first: int) -> History:
    return History(cast(ChainClient, node), cast(EventDecoder, Decoder()), first=first)


@settings(deadline=None)
@given(
    blocks=st.lists(st.integers(0, 5000), unique=True, max_size=30),
    most=st.integers(20, 3000),
    first=st.integers(0, 2000),
    since=st.none() | st.integers(0, 5000),
)
def test_every_event_is_found_once_newest_first(blocks: list[int], most: int, first: int, since: int | None) -> None:
    node = Node(sorted(blocks), most)
    lowest = max(first, since or 0)
    found: list[Any] = list(history(node, first).backwards((None, ID), last=5000, since=since))
    assert found == sorted((block for block in blocks if block >= lowest), reverse=True)


def test_who_has_seen_enough_reads_no_further() -> None:
    node = Node([10, 4990], most=100)
    newest: Any = next(history(node, 0).backwards((None, ID), last=5000))
    assert newest == 4990
    assert len(node.asked) == 1


def test_a_node_that_refuses_a_single_block_is_reported() -> None:
    with pytest.raises(RpcRefused):
        list(history(Node([], most=0), 0).backwards((None, ID), last=3))


class Behind(Node):
    """A public node that knows blocks up to `head`, and leaves out the logs that it does not have."""

    def __init__(self, blocks: list[int], head: int) -> None:
        super().__init__(blocks, most=5000)
        self.network = network_for(97)
        self.head = head

    def batch(self, calls: list[tuple[str, list[Any]]]) -> list[Any]:
        (method, (tag, _)), query = calls
        assert method == "eth_getBlockByNumber"
        known = int(tag, 16) <= self.head
        (logs,) = super().batch([query])
        return [{"number": tag} if known else None, [log for log in logs if log["block"] <= self.head]]


def test_a_node_that_is_behind_is_not_believed() -> None:
    with pytest.raises(Retryable, match="has no block 12 yet"):
        list(history(Behind([5, 11], head=10), 0).backwards((None, ID), last=12))
    assert list(history(Behind([5, 11], head=12), 0).backwards((None, ID), last=12)) == [11, 5]
