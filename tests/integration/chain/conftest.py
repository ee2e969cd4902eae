"""Chains and accounts for these tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount
from web3.contract import Contract

from offchain.chain.artifacts import load_artifact
from offchain.chain.client import ChainClient
from offchain.chain.deploy import deployment
from offchain.chain.devnet import Anvil, AnvilOptions, EmbeddedNet, dev_accounts
from offchain.chain.sender import open_sender


@pytest.fixture(scope="package")
def shared_anvil() -> Iterator[Anvil]:
    """An Anvil that mines every transaction at once; tests use fresh accounts."""
    with Anvil.start(AnvilOptions()) as anvil:
        yield anvil


@pytest.fixture
def anvil() -> Iterator[Anvil]:
    """An Anvil of one's own that mines only when told."""
    with Anvil.start(AnvilOptions(extra=("--no-mining",))) as process:
        yield process


@pytest.fixture
def client(shared_anvil: Anvil) -> ChainClient:
    return shared_anvil.client()


@pytest.fixture
def manual(anvil: Anvil) -> ChainClient:
    return anvil.client()


@pytest.fixture(scope="package")
def embedded() -> Iterator[EmbeddedNet]:
    with EmbeddedNet(instant=True) as net:
        yield net


@pytest.fixture(params=["anvil", "embedded"])
def either(request: pytest.FixtureRequest) -> ChainClient:
    """The same test on both kinds of chain, each mining at once."""
    if request.param == "anvil":
        anvil: Anvil = request.getfixturevalue("shared_anvil")
        return anvil.client()
    net: EmbeddedNet = request.getfixturevalue("embedded")
    return net.client()


def funded(client: ChainClient, folder: Path, ether: int = 10) -> LocalAccount:
    """A fresh account with coins for gas, from a development account."""
    account: LocalAccount = Account.create()
    raw = dev_accounts(1)[0].sign_transaction(
        {
            "to": account.address,
            "value": ether * 10**18,
            "gas": 21_000,
            "gasPrice": 10 * 10**9,
            "nonce": client.nonce(dev_accounts(1)[0].address, "pending"),
            "chainId": client.chain_id,
        }
    )
    client.request("eth_sendRawTransaction", raw.raw_transaction.to_0x_hex())
    return account


@pytest.fixture
def account(either: ChainClient, tmp_path: Path) -> LocalAccount:
    return funded(either, tmp_path)


def new_token(client: ChainClient, account: LocalAccount, folder: Path) -> Contract:
    """A UtilityToken whose whole supply belongs to `account`."""
    sender = open_sender(client, account, folder / "token")
    words = {"holder": account.address, "supply": 10**27}
    receipt = sender.send("token", deployment(load_artifact("UtilityToken"), words))
    sender.close()
    token: Contract = client.web3.eth.contract(address=receipt.contract_address, abi=load_artifact("UtilityToken").abi)
    return token
