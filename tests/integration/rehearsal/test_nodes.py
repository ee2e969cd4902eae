"""What each habit of public nodes does to one connection."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from web3 import HTTPProvider, Web3
from web3.exceptions import ExtraDataLengthError

from offchain.chain.artifacts import load_error_decoder
from offchain.chain.client import ChainClient, connect
from offchain.chain.devnet import Anvil, dev_accounts
from offchain.errors import Retryable
from tests.integration.chain.support import Proxy
from tests.integration.rehearsal.nodes import Habits, PublicNodes
from tests.integration.rehearsal.voyage import TESTNET, rehearsal_chain


@pytest.fixture(scope="module")
def chain() -> Iterator[Anvil]:
    with rehearsal_chain() as anvil:
        anvil.client().request("anvil_mine", hex(30))
        yield anvil


@contextmanager
def public(chain: Anvil, habits: Habits, *, seed: int = 0) -> Iterator[tuple[ChainClient, PublicNodes, Proxy]]:
    nodes = PublicNodes(chain.url, habits, seed)
    with Proxy(chain.url) as proxy:
        proxy.before = nodes.answer
        yield connect(proxy.url, errors=load_error_decoder(), chain_id=TESTNET), nodes, proxy


def test_headers_have_a_seal_that_web3_alone_does_not_take(chain: Anvil) -> None:
    with public(chain, Habits()) as (client, _, proxy):
        with pytest.raises(ExtraDataLengthError):
            Web3(HTTPProvider(proxy.url)).eth.get_block("latest")
        block = client.web3.eth.get_block("latest")
        assert len(block["proofOfAuthorityData"]) == 97
        assert client.head().number == block["number"]
        assert client.final_block() == block["number"] - Habits().finality


@pytest.mark.parametrize("most", [1, 3, 50])
def test_batches_shrink_to_what_the_node_takes(chain: Anvil, most: int) -> None:
    with public(chain, Habits(batch=most)) as (client, nodes, _):
        calls = [("eth_getBlockByNumber", [hex(number), False]) for number in range(31)]
        for _ in range(2):
            assert [int(block["number"], 16) for block in client.batch(calls)] == list(range(31))
        assert nodes.counts.imposed.get("batch", 0) < 6, "it learns"
        assert nodes.counts.by_method["eth_getBlockByNumber"] < 3 * 31 * 2


def test_more_requests_than_the_limit_take_longer_and_pass(chain: Anvil) -> None:
    with public(chain, Habits(batch=10, per_second=80)) as (client, nodes, _):
        accounts = [account.address for account in dev_accounts(20)] * 6
        balances = client.batch([("eth_getBalance", [account, "latest"]) for account in accounts])
        assert {int(balance, 16) for balance in balances} == {10_000 * 10**18}
        assert nodes.counts.imposed.get("limit-rpc", 0) + nodes.counts.imposed.get("limit-http", 0) > 0


def test_a_block_that_a_node_does_not_have_yet_is_asked_for_again(chain: Anvil) -> None:
    """Half of the nodes are two blocks behind."""
    with public(chain, Habits(lags=(0, 2)), seed=3) as (client, nodes, _):
        for _ in range(6):
            assert client.head().number >= 28
        assert (
            client.batch([("eth_call", [{"to": dev_accounts(1)[0].address, "data": "0x"}, hex(30)])] * 4) == ["0x"] * 4
        )
        assert nodes.counts.imposed["header"] > 0


def test_a_node_that_hangs_up_on_everybody_is_an_error(chain: Anvil) -> None:
    with public(chain, Habits()) as (client, nodes, _):
        nodes.habits = Habits(cut=1.0)
        with pytest.raises(Retryable, match="the node hung up without an answer"):
            client.head()
