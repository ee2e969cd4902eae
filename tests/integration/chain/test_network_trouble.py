"""Client and sender behind a network that stalls, cuts and limits."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from offchain.chain.artifacts import load_error_decoder
from offchain.chain.client import ChainClient, connect
from offchain.chain.devnet import Anvil
from offchain.chain.sender import open_sender
from offchain.chain.transactions import TxCall
from offchain.errors import Rejected, Retryable
from offchain.types import Wei
from tests.integration.chain.conftest import funded
from tests.integration.chain.support import CutError, Exchange, HangError, Proxy

SOMEONE = "0x000000000000000000000000000000000000bEEF"
PAYMENT = TxCall(SOMEONE, b"", Wei(3), "payment")


def through(proxy: Proxy, timeout: float = 1.0) -> ChainClient:
    return connect(proxy.url, errors=load_error_decoder(), timeout=timeout)


def once(trouble: Exception, method: str) -> Any:
    """Raises `trouble` at the first request with `method`, then lets everything pass."""
    left = [trouble]

    def hook(exchange: Exchange) -> None:
        if method in exchange.methods and left:
            raise left.pop()

    return hook


def test_wrong_chain_id_is_one_line_that_says_what_to_do(shared_anvil: Anvil) -> None:
    expected = r"^--rpc http://127\.0\.0\.1:\d+: it is on chain 31337 \(anvil\), expected 56 \(bsc\); give the URL .*$"
    with pytest.raises(Rejected, match=expected):
        connect(shared_anvil.url, errors=load_error_decoder(), chain_id=56)


def test_a_node_that_is_down_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Retryable, match=rf"^--rpc http://127\.0\.0\.1:{port}: nothing answers there; start the node"):
        connect(f"http://127.0.0.1:{port}", errors=load_error_decoder())


@pytest.mark.parametrize("url", ["localhost:8545", "ftp://node", "file:///node.ipc"])
def test_a_url_of_another_kind_is_rejected(url: str) -> None:
    with pytest.raises(Rejected, match="not an http:// or https:// URL"):
        connect(url, errors=load_error_decoder())


@pytest.mark.parametrize(
    "body",
    [b"<html>hello</html>", b'{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no such method"}}', b"[]"],
)
def test_something_that_is_no_node_is_not_taken_for_one(shared_anvil: Anvil, body: bytes) -> None:
    with Proxy(shared_anvil.url) as proxy:
        proxy.before = lambda exchange: body
        with pytest.raises((Rejected, Retryable), match=r"not an Ethereum node|not JSON-RPC"):
            through(proxy)


def test_a_stalled_node_is_retryable(shared_anvil: Anvil) -> None:
    with Proxy(shared_anvil.url) as proxy:
        client = through(proxy, timeout=0.3)
        proxy.before = lambda exchange: (_ for _ in ()).throw(HangError())
        with pytest.raises(Retryable, match="did not answer in time"):
            client.now()


def test_web3_objects_report_the_same_errors(shared_anvil: Anvil) -> None:
    with Proxy(shared_anvil.url) as proxy:
        client = through(proxy)
        proxy.before = lambda exchange: (_ for _ in ()).throw(CutError())
        with pytest.raises(Retryable, match="the node hung up without an answer"):
            client.web3.eth.get_block("latest")


def test_secrets_in_the_url_are_not_shown() -> None:
    with pytest.raises(Retryable) as caught:
        connect("http://user:hunter2@127.0.0.1:1/v3/0123456789abcdef", errors=load_error_decoder())
    assert "hunter2" not in str(caught.value)
    assert "0123456789abcdef" not in str(caught.value)


def test_a_busy_node_is_retryable_and_a_refusal_is_not(shared_anvil: Anvil) -> None:
    with Proxy(shared_anvil.url) as proxy:
        client = through(proxy)
        answers = [(-32005, "limit exceeded", Retryable), (-32601, "the method does not exist", Rejected)]
        for code, message, kind in answers:
            error = {"jsonrpc": "2.0", "id": 0, "error": {"code": code, "message": message}}
            proxy.before = lambda exchange, error=error: json.dumps(error).encode()
            with pytest.raises(kind, match=message):
                client.request("eth_blockNumber")


def test_a_node_without_batches_is_asked_one_by_one(shared_anvil: Anvil, tmp_path: Path) -> None:
    with Proxy(shared_anvil.url) as proxy:
        refusal = b'{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"batch requests are not supported"}}'
        proxy.before = lambda exchange: refusal if isinstance(exchange.body, list) else None
        client = through(proxy)
        sender = open_sender(client, funded(client, tmp_path), tmp_path)
        assert sender.send("pay", PAYMENT).succeeded


@pytest.mark.parametrize("trouble", [HangError(), CutError()])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    "method", ["eth_sendRawTransaction", "eth_getTransactionReceipt", "eth_getTransactionCount", "eth_estimateGas"]
)
def test_one_failed_request_anywhere_changes_nothing(
    shared_anvil: Anvil, tmp_path: Path, trouble: Exception, when: str, method: str
) -> None:
    """The request is lost on its way to the node, or its answer on the way back."""
    with Proxy(shared_anvil.url) as proxy:
        client = through(proxy, timeout=0.3)
        account = funded(client, tmp_path)
        before = client.balance(SOMEONE)
        sender = open_sender(client, account, tmp_path)
        setattr(proxy, when, once(trouble, method))
        try:
            sender.send("pay", PAYMENT)
        except Retryable:
            sender.send("pay", PAYMENT)
        assert client.balance(SOMEONE) == before + 3
        assert client.nonce(account.address) == 1


def test_with_the_node_gone_the_intent_stays_and_goes_out_later(shared_anvil: Anvil, tmp_path: Path) -> None:
    with Proxy(shared_anvil.url) as proxy:
        client = through(proxy)
        account = funded(client, tmp_path)
        sender = open_sender(client, account, tmp_path)

        def no_sends(exchange: Exchange) -> None:
            if "eth_sendRawTransaction" in exchange.methods:
                raise CutError

        proxy.before = no_sends
        ticket = sender.submit("pay", PAYMENT)
        with pytest.raises(Retryable, match="it is journalled and stays on its way"):
            sender.wait(ticket, seconds=0.5)
        proxy.before = lambda exchange: None
        assert sender.wait(ticket).succeeded


def test_a_refused_transaction_is_reported_and_goes_out_once_mended(shared_anvil: Anvil, tmp_path: Path) -> None:
    with Proxy(shared_anvil.url) as proxy:
        client = through(proxy)
        sender = open_sender(client, funded(client, tmp_path), tmp_path)

        def refuse(exchange: Exchange) -> bytes | None:
            if "eth_sendRawTransaction" not in exchange.methods:
                return None
            error = {"code": -32000, "message": "sender is on a deny list"}
            return json.dumps({"jsonrpc": "2.0", "id": exchange.body["id"], "error": error}).encode()

        proxy.before = refuse
        ticket = sender.submit("pay", PAYMENT)
        with pytest.raises(Rejected, match=r"the node refuses it \(sender is on a deny list"):
            sender.wait(ticket)
        proxy.before = lambda exchange: None
        sender.recover()
        assert sender.wait(ticket).succeeded
