"""What we rely on from Anvil, py-evm and web3: when one of these fails after an update, look where it is used."""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_account.signers.local import LocalAccount
from eth_keys import KeyAPI
from web3 import Web3
from web3.exceptions import ContractCustomError, ContractLogicError, Web3RPCError
from web3.middleware import ExtraDataToPOAMiddleware

from offchain.chain.artifacts import load_artifact
from offchain.chain.client import ChainClient, RpcFailure
from offchain.chain.deploy import deployment
from offchain.chain.devnet import Anvil, AnvilOptions, EmbeddedNet, dev_accounts, find_anvil
from offchain.chain.errors import RpcRefused

SOMEONE = "0x000000000000000000000000000000000000bEEF"
CLOCK = "0x" + "22" * 20
RETURN_TIMESTAMP = "0x425f5260205ff3"
TRANSIENT_AND_COPY = "0x" + "60015f5d" + "5f5f5f5e" + "5f5c5f5260205ff3"  # TSTORE, MCOPY, TLOAD: Cancun only


@pytest.fixture
def client() -> Iterator[ChainClient]:
    with Anvil.start(AnvilOptions(extra=("--no-mining",))) as anvil:
        yield anvil.client()


@pytest.fixture(params=["anvil", "embedded"])
def either(request: pytest.FixtureRequest) -> Iterator[ChainClient]:
    if request.param == "anvil":
        with Anvil.start() as anvil:
            yield anvil.client()
    else:
        with EmbeddedNet(instant=True) as net:
            yield net.client()


@pytest.fixture
def owner() -> LocalAccount:
    return dev_accounts(1)[0]


def send(client: ChainClient, owner: LocalAccount, nonce: int, *, gwei: int = 2, **fields: Any) -> str:
    basic = {"to": SOMEONE, "value": 1, "gas": 21_000, "chainId": client.chain_id, "type": 2, "nonce": nonce}
    fees = {"maxFeePerGas": gwei * 10**9, "maxPriorityFeePerGas": 10**9}
    raw = owner.sign_transaction({**basic, **fees, **fields}).raw_transaction.to_0x_hex()
    return str(client.request("eth_sendRawTransaction", raw))


def mine(client: ChainClient, blocks: int = 1) -> None:
    client.request("anvil_mine", hex(blocks))


def test_anvil_is_the_version_we_pin() -> None:
    anvil = find_anvil()
    assert anvil is not None
    version = subprocess.run([anvil, "--version"], capture_output=True, text=True, check=True).stdout
    pinned = json.loads((Path(__file__).parents[2] / "package.json").read_text())
    wanted = {**pinned.get("dependencies", {}), **pinned.get("devDependencies", {})}["@foundry-rs/anvil"]
    assert wanted.lstrip("^~") in version


def test_both_chains_run_cancun(either: ChainClient, owner: LocalAccount) -> None:
    assert int(either.request("eth_call", {"from": owner.address, "data": TRANSIENT_AND_COPY}, "latest"), 16) == 1


def test_a_reorganisation_drops_transactions_and_their_receipts(client: ChainClient, owner: LocalAccount) -> None:
    """The sender must send them again itself, and may take a receipt as a sign that the block is canonical."""
    mine(client)
    sent = send(client, owner, 0)
    mine(client)
    assert client.request("eth_getTransactionReceipt", sent) is not None
    old = client.head()
    client.request("anvil_reorg", 1, [])
    assert client.head().number == old.number
    assert client.head().hash != old.hash
    assert client.request("eth_getTransactionReceipt", sent) is None
    assert client.request("eth_getTransactionByHash", sent) is None
    assert client.nonce(owner.address) == 0
    assert client.request("txpool_status") == {"pending": "0x0", "queued": "0x0"}
    assert send(client, owner, 0) == sent, "the very same bytes are welcome again"


def test_a_reorganisation_cannot_reach_below_the_first_block(client: ChainClient) -> None:
    mine(client, 2)
    with pytest.raises(RpcRefused, match="Reorg depth"):
        client.request("anvil_reorg", 3, [])


@pytest.mark.parametrize(
    ("nonces", "gwei", "words"),
    [([0], 2, "already imported"), ([0], 1, "underpriced"), ([1, 1], 2, "already imported")],
)
def test_anvils_words_for_what_is_in_the_pool(
    client: ChainClient, owner: LocalAccount, nonces: list[int], gwei: int, words: str
) -> None:
    send(client, owner, nonces[0], gwei=3 if words == "underpriced" else 2)
    tip = {"maxPriorityFeePerGas": 10**9 // 2} if words == "underpriced" else {}
    with pytest.raises(RpcRefused, match=words):
        send(client, owner, nonces[-1], gwei=gwei, **tip)


def test_anvils_words_for_a_nonce_of_the_past(client: ChainClient, owner: LocalAccount) -> None:
    send(client, owner, 0)
    mine(client)
    with pytest.raises(RpcRefused, match="nonce too low"):
        send(client, owner, 0)


def test_anvil_keeps_nonces_that_are_ahead(client: ChainClient, owner: LocalAccount) -> None:
    send(client, owner, 2)
    assert client.nonce(owner.address, "pending") == 0
    send(client, owner, 0)
    send(client, owner, 1)
    assert client.nonce(owner.address, "pending") == 3


def test_estimates_can_be_made_on_top_of_the_pool(client: ChainClient, owner: LocalAccount) -> None:
    """A call that depends on one that is not mined yet: what lets dependents be in flight together."""
    token = load_artifact("UtilityToken")
    creation = deployment(token, {"holder": owner.address, "supply": 10**20}).data
    send(client, owner, 0, to=b"", value=0, data=creation, gas=3_000_000)
    mine(client)
    contract = client.web3.eth.contract(
        address=client.web3.eth.get_transaction_receipt(
            client.web3.eth.get_block("latest")["transactions"][0]  # type: ignore[arg-type]
        )["contractAddress"],
        abi=token.abi,
    )
    approve = contract.functions.approve(owner.address, 5)._encode_transaction_data()
    take = {
        "from": owner.address,
        "to": contract.address,
        "data": contract.functions.transferFrom(owner.address, SOMEONE, 5)._encode_transaction_data(),
    }
    assert isinstance(client.batch([("eth_estimateGas", [take, "pending"])])[0], RpcFailure)
    send(client, owner, 1, to=contract.address, value=0, data=approve, gas=100_000)
    assert int(client.request("eth_estimateGas", take, "pending"), 16) > 21_000
    assert isinstance(client.batch([("eth_estimateGas", [take, "latest"])])[0], RpcFailure)


def test_calls_at_latest_see_the_latest_blocks_time(either: ChainClient) -> None:
    """`now()` is the latest block's timestamp, and so is what a view function sees."""
    call = {"data": RETURN_TIMESTAMP}
    if either.chain_id == 31337:
        either.request("anvil_setCode", CLOCK, RETURN_TIMESTAMP)
        call = {"to": CLOCK}
    either.request("evm_mine")
    time.sleep(1.1)
    assert int(either.request("eth_call", call, "latest"), 16) == either.now()


def test_finalized_is_zero_on_a_young_chain(client: ChainClient) -> None:
    mine(client, 3)
    assert int(client.request("eth_getBlockByNumber", "finalized", False)["number"], 16) == 0


def test_blocks_mined_in_one_burst_may_share_a_timestamp() -> None:
    with Anvil.start() as anvil:
        client = anvil.client()
        for nonce in range(20):
            send(client, dev_accounts(1)[0], nonce)
        times = [client.block(number).timestamp for number in range(21)]
        assert times == sorted(times)
        assert len(set(times)) < len(times)


def test_reverting_consumes_the_snapshot(client: ChainClient) -> None:
    snapshot = client.request("evm_snapshot")
    assert client.request("evm_revert", snapshot) is True
    assert client.request("evm_revert", snapshot) is False


def test_mixed_mining_mines_at_once_and_on_time() -> None:
    with Anvil.start(AnvilOptions(block_seconds=1.0, mixed=True)) as anvil:
        client = anvil.client()
        began = time.monotonic()
        sent = send(client, dev_accounts(1)[0], 0)
        while client.request("eth_getTransactionReceipt", sent) is None:
            time.sleep(0.01)
        assert time.monotonic() - began < 0.9
        number = client.head().number
        time.sleep(1.3)
        assert client.head().number > number, "a block without transactions"


def test_web3_raises_custom_errors_with_their_data(either: ChainClient) -> None:
    """Both chains hand web3 the revert data, which `errors` decodes."""
    revert = "0x" + "63deadbeef5f526004601cfd"
    with pytest.raises(ContractLogicError) as caught:
        either.web3.eth.call({"data": revert})  # type: ignore[typeddict-item]
    assert isinstance(caught.value, ContractCustomError)
    assert caught.value.data == "0xdeadbeef"


def test_web3_raises_rpc_errors_with_the_response(either: ChainClient) -> None:
    with pytest.raises(Web3RPCError) as caught:
        either.web3.manager.request_blocking("eth_nonsense", [])  # type: ignore[arg-type]
    assert caught.value.rpc_response is not None
    assert caught.value.rpc_response["error"]["code"] == -32601


def test_the_poa_middleware_reads_long_extra_data() -> None:
    """BSC puts its validators into extraData, which web3 refuses without the middleware."""
    from web3.providers.base import BaseProvider

    with Anvil.start() as anvil:
        block = anvil.client().request("eth_getBlockByNumber", "latest", False)

    class Bsc(BaseProvider):
        def make_request(self, method: Any, params: Any) -> Any:
            return {"jsonrpc": "2.0", "id": 1, "result": {**block, "extraData": "0x" + "ab" * 97}}

    web3 = Web3(Bsc())
    with pytest.raises(Exception, match="POA"):
        web3.eth.get_block("latest")
    web3.middleware_onion.inject(ExtraDataToPOAMiddleware, layer=0)
    assert len(web3.eth.get_block("latest")["proofOfAuthorityData"]) == 97  # type: ignore[typeddict-item]


def test_signing_uses_libsecp256k1() -> None:
    """Pure Python signing would take most of the sender's time."""
    assert "CoinCurve" in type(KeyAPI().backend).__name__
