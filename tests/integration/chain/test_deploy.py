"""Deployment on both kinds of chain."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from eth_account.signers.local import LocalAccount

from offchain.chain.addresses import read_addresses, write_addresses
from offchain.chain.artifacts import CONTRACTS
from offchain.chain.client import ChainClient
from offchain.chain.contracts import AssayContracts
from offchain.chain.deploy import deploy
from offchain.chain.devnet import Anvil, AnvilOptions, dev_accounts
from offchain.chain.enums import Outcome, Phase, Role
from offchain.chain.errors import ContractRejected
from offchain.chain.parameters import default_parameters
from offchain.chain.sender import BOUNDARIES, open_sender
from offchain.chain.terms import load_terms
from offchain.chain.transactions import TxCall
from offchain.errors import Rejected
from offchain.types import OrderId, Ppm
from tests.integration.chain.conftest import funded

NOBODY = "0x" + "00" * 20
TRANSACTIONS = len(CONTRACTS) + 2
"""On a development chain: a faucet besides, and its funding."""


def test_everything_is_deployed_wired_and_readable(either: ChainClient, account: LocalAccount, tmp_path: Path) -> None:
    sender = open_sender(either, account, tmp_path)
    addresses = deploy(sender, tmp_path / "addresses.json")
    assert read_addresses(tmp_path / "addresses.json") == addresses
    assert either.nonce(account.address) == TRANSACTIONS
    contracts = AssayContracts(either, addresses)
    assert contracts.protocol_parameters() == default_parameters(31337)
    terms = load_terms(either.chain_id)
    assert terms.faucet is not None
    assert contracts.token_supply() == terms.supply
    assert contracts.token_balance(addresses.of("TestTokenFaucet")) == terms.faucet.funding
    assert contracts.token_balance(account.address) == terms.supply - terms.faucet.funding
    assert contracts.order_count() == 0
    assert contracts.bond(account.address, Role.PROVIDER).bonded == 0
    assert contracts.members() == ()
    assert contracts.settlement(OrderId(1)).outcome is Outcome.NONE
    assert contracts.phase(OrderId(1)) is Phase.NONE
    assert contracts.holding(OrderId(1)).client == NOBODY
    with pytest.raises(ContractRejected, match=r"getOrder: OrderBook\.UnknownOrder\(oid=3\)"):
        contracts.order(OrderId(3))


def test_the_courts_are_wired_both_ways(either: ChainClient, account: LocalAccount, tmp_path: Path) -> None:
    addresses = deploy(open_sender(either, account, tmp_path), tmp_path / "a.json")
    contracts = AssayContracts(either, addresses)
    for contract in (contracts.proof, contracts.vault):
        assert contracts.read(contract.functions.court()) == addresses.dispute_court
        assert contracts.read(contract.functions.availability()) == addresses.availability_court
    for contract in (contracts.court, contracts.availability):
        assert contracts.read(contract.functions.proofOfTraining()) == addresses.proof_of_training
        assert contracts.read(contract.functions.orderBook()) == addresses.order_book
        assert contracts.read(contract.functions.vault()) == addresses.stake_vault
    assert contracts.read(contracts.court.functions.verifier()) == addresses.step_verifier
    assert contracts.read(contracts.vault.functions.federation()) == addresses.federated_training
    assert contracts.read(contracts.vault.functions.federatedCourt()) == addresses.federated_court
    assert contracts.read(contracts.federation.functions.federatedCourt()) == addresses.federated_court
    assert contracts.read(contracts.federation.functions.vault()) == addresses.stake_vault
    assert contracts.read(contracts.federation.functions.token()) == addresses.utility_token
    assert contracts.read(contracts.federated_court.functions.federation()) == addresses.federated_training


def test_other_parameters(either: ChainClient, account: LocalAccount, tmp_path: Path) -> None:
    parameters = replace(default_parameters(97), max_claims=7)
    addresses = deploy(open_sender(either, account, tmp_path), tmp_path / "a.json", parameters=parameters)
    assert AssayContracts(either, addresses).protocol_parameters().max_claims == 7


def test_parameters_out_of_bounds_are_refused_in_words(
    either: ChainClient, account: LocalAccount, tmp_path: Path
) -> None:
    parameters = replace(default_parameters(97), aggregator_tax_ppm=Ppm(900_000))
    expected = r"deployment of Parameters: Parameters\.ParameterOutOfBounds\(name=aggregatorTaxPpm, actual=900000"
    with pytest.raises(ContractRejected, match=expected):
        deploy(open_sender(either, account, tmp_path), tmp_path / "a.json", parameters=parameters)
    assert not (tmp_path / "a.json").exists()


def test_deploying_again_sends_nothing(either: ChainClient, account: LocalAccount, tmp_path: Path) -> None:
    sender = open_sender(either, account, tmp_path)
    first = deploy(sender, tmp_path / "addresses.json")
    nonce = either.nonce(account.address)
    assert deploy(sender, tmp_path / "addresses.json") == first
    (tmp_path / "addresses.json").unlink()
    assert deploy(sender, tmp_path / "addresses.json") == first, "the journal knows, when the file is lost"
    assert either.nonce(account.address) == nonce


class Crash(BaseException):
    pass


@pytest.mark.parametrize("point", range(0, 23, 3))
def test_a_deployment_that_crashed_goes_on_where_it_stopped(shared_anvil: Anvil, tmp_path: Path, point: int) -> None:
    client = shared_anvil.client()
    account = funded(client, tmp_path)
    passed = 0

    def boundary(name: str) -> None:
        nonlocal passed
        assert name in BOUNDARIES
        passed += 1
        if passed == point + 1:
            raise Crash

    sender = open_sender(client, account, tmp_path, boundary=boundary)
    with pytest.raises(Crash):
        deploy(sender, tmp_path / "addresses.json")
    sender.close()
    addresses = deploy(open_sender(client, account, tmp_path), tmp_path / "addresses.json")
    assert client.nonce(account.address) == TRANSACTIONS
    assert AssayContracts(client, addresses).protocol_parameters() == default_parameters(31337)


def test_a_transaction_in_between_is_noticed(either: ChainClient, account: LocalAccount, tmp_path: Path) -> None:
    sender = open_sender(either, account, tmp_path)

    def interfere(line: str) -> None:
        if line.startswith("Parameters"):
            sender.send("in between", TxCall(account.address, b""))

    with pytest.raises(Rejected, match=r"came out at .*: something else was sent with this key meanwhile"):
        deploy(sender, tmp_path / "addresses.json", progress=interfere)
    assert not (tmp_path / "addresses.json").exists()


def test_the_file_of_another_chain_is_rejected(either: ChainClient, account: LocalAccount, tmp_path: Path) -> None:
    path = tmp_path / "addresses.json"
    sender = open_sender(either, account, tmp_path)
    addresses = deploy(sender, path)
    write_addresses(path, replace(addresses, chain_id=56))
    with pytest.raises(Rejected, match=r"addresses\.json: for chain 56, but .* is on chain"):
        deploy(sender, path)
    write_addresses(path, replace(addresses, genesis=bytes(32)))
    with pytest.raises(Rejected, match=r"another chain with the same id .*deploy again"):
        deploy(sender, path)
    write_addresses(path, replace(addresses, order_book=dev_accounts(1)[0].address))
    with pytest.raises(Rejected, match=r"no contract at OrderBook's address"):
        deploy(sender, path)
    write_addresses(path, replace(addresses, order_book=addresses.stake_vault))
    with pytest.raises(Rejected, match=r"code at OrderBook's address .* is not this version's OrderBook"):
        deploy(sender, path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"chain_id": "x"}', "\x00"])
def test_a_malformed_file_is_rejected(tmp_path: Path, text: str) -> None:
    path = tmp_path / "addresses.json"
    path.write_text(text)
    with pytest.raises(Rejected, match=r"addresses\.json: not an addresses file"):
        read_addresses(path)


def test_addresses_must_be_checksummed(either: ChainClient, account: LocalAccount, tmp_path: Path) -> None:
    path = tmp_path / "addresses.json"
    deploy(open_sender(either, account, tmp_path), path)
    fields = json.loads(path.read_text())
    fields["contracts"]["OrderBook"]["address"] = fields["contracts"]["OrderBook"]["address"].lower()
    path.write_text(json.dumps(fields))
    with pytest.raises(Rejected, match="not a checksummed address"):
        read_addresses(path)


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match=r"no addresses file; deploy the contracts first \(`assay deploy`\)"):
        read_addresses(tmp_path / "none.json")


def test_with_a_block_time_deployment_is_pipelined(tmp_path: Path) -> None:
    with Anvil.start(AnvilOptions(block_seconds=1.0)) as anvil:
        client = anvil.client()
        before = client.head().number
        deploy(open_sender(client, dev_accounts(1)[0], tmp_path), tmp_path / "addresses.json")
        assert client.head().number - before <= 4, "ten contracts, one wait"
