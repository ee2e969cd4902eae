"""Reads of contracts: the same as web3's own, only faster, and with errors in words."""

from pathlib import Path
from typing import Any

import pytest
from eth_account.signers.local import LocalAccount

from offchain.chain.client import ChainClient
from offchain.chain.contracts import AssayContracts
from offchain.chain.deploy import deploy
from offchain.chain.devnet import dev_accounts
from offchain.chain.errors import ContractRejected
from offchain.chain.sender import open_sender
from offchain.errors import Rejected
from tests.integration.chain.conftest import new_token

SOMEONE = "0x000000000000000000000000000000000000bEEF"


@pytest.fixture
def contracts(either: ChainClient, account: LocalAccount, tmp_path: Path) -> AssayContracts:
    addresses = deploy(open_sender(either, account, tmp_path), tmp_path / "addresses.json")
    return AssayContracts(either, addresses)


def test_results_are_those_of_web3(contracts: AssayContracts) -> None:
    contracts.client.web3.strict_bytes_type_checking = True
    functions: list[Any] = [
        contracts.token.functions.name(),
        contracts.token.functions.eip712Domain(),
        contracts.parameters.functions.current(),
        contracts.parameters.functions.owner(),
        contracts.vault.functions.bondOf(SOMEONE, 1),
        contracts.book.functions.testSetOf(1),
        contracts.book.functions.standingOf(1),
        contracts.proof.functions.factsOf(1),
        contracts.proof.functions.settlementOf(1),
        contracts.proof.functions.modelsOf(1),
        contracts.committee.functions.members(),
        contracts.committee.functions.seatOf(SOMEONE),
        contracts.treasury.functions.holdingOf(1),
    ]
    expected = [plain(function.call()) for function in functions]
    assert [plain(contracts.read(function)) for function in functions] == expected
    assert [plain(value) for value in contracts.read_many(functions)] == expected


def plain(value: Any) -> Any:
    """Lists and web3's named tuples as plain tuples."""
    return tuple(plain(item) for item in value) if isinstance(value, list | tuple) else value


def test_a_block_can_be_chosen(either: ChainClient, account: LocalAccount, tmp_path: Path) -> None:
    token = new_token(either, account, tmp_path)
    before = either.head().number
    open_sender(either, account, tmp_path).send("pay", token.functions.transfer(SOMEONE, 7))
    function = token.functions.balanceOf(SOMEONE)
    assert either.call(function, block=before) == 0
    assert either.call(function) == 7
    assert either.call_many([function, function], block=before) == [0, 0]


def test_reverts_are_words(contracts: AssayContracts) -> None:
    with pytest.raises(ContractRejected, match=r"^getOrder: OrderBook\.UnknownOrder\(oid=9\)$"):
        contracts.read_many([contracts.book.functions.orderCount(), contracts.book.functions.getOrder(9)])


def test_an_address_without_a_contract_is_rejected(contracts: AssayContracts) -> None:
    nowhere: Any = contracts.client.web3.eth.contract(address=dev_accounts(1)[0].address, abi=contracts.book.abi)
    with pytest.raises(Rejected, match=r"no contract with orderCount\(\) at 0x.*: check the addresses file"):
        contracts.read(nowhere.functions.orderCount())
