"""Deployment on both kinds of chain."""

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from eth_account.signers.local import LocalAccount
from eth_typing import ChecksumAddress

from offchain.chain.addresses import check_addresses, read_addresses, write_addresses
from offchain.chain.artifacts import CONTRACTS
from offchain.chain.client import ChainClient
from offchain.chain.contracts import AssayContracts
from offchain.chain.deploy import deploy
from offchain.chain.devnet import Anvil, AnvilOptions, dev_accounts
from offchain.chain.enums import Outcome, Phase, Role
from offchain.chain.errors import ContractRejected
from offchain.chain.governance import owner_of, require_role, timelock_of
from offchain.chain.keys import store_key
from offchain.chain.parameters import default_parameters
from offchain.chain.preview import preview
from offchain.chain.sender import BOUNDARIES, open_sender
from offchain.chain.terms import DeploymentTerms, Governance, account_of, load_terms
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


GOVERNED = replace(
    load_terms(31337), governance=Governance(3600, None, proposers=("deployer",), cancellers=(), executors=("anyone",))
)
"""A timelock first and a faucet last: the longest deployment there is."""
POINTS = [pytest.param(n, marks=[] if n % 7 == 0 else [pytest.mark.long]) for n in range(40)]


@pytest.mark.parametrize("point", POINTS)
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
        deploy(sender, tmp_path / "addresses.json", terms=GOVERNED)
    sender.close()
    again = open_sender(client, account, tmp_path)
    addresses = deploy(again, tmp_path / "addresses.json", terms=GOVERNED)
    assert client.nonce(account.address) == TRANSACTIONS + 1
    contracts = AssayContracts(client, addresses)
    assert contracts.protocol_parameters() == default_parameters(31337)
    assert owner_of(contracts) == addresses.of("ParametersTimelock")
    assert GOVERNED.faucet is not None
    assert contracts.token_balance(addresses.of("TestTokenFaucet")) == GOVERNED.faucet.funding, "once, not twice"
    again.close()


@pytest.mark.parametrize(("chain_id", "name"), [(97, "bsc-testnet"), pytest.param(56, "bsc", marks=pytest.mark.long)])
def test_the_reviewed_file_of_a_public_network_can_be_deployed(tmp_path: Path, chain_id: int, name: str) -> None:
    """So every parameter is within the bounds of Parameters.sol, and what shall govern does."""
    boss = dev_accounts(2)[1].address
    terms = load_terms(chain_id)
    if name == "bsc":
        terms = replace(terms, holder=boss, governance=replace(terms.governance, proposers=(boss,)))
    options = AnvilOptions(chain_id=chain_id, block_seconds=0.2, extra=("--slots-in-an-epoch", "1"))
    with Anvil.start(options) as anvil:
        client, account = anvil.client(), dev_accounts(1)[0]
        assert client.network.name == name == terms.network
        seen = preview(client, terms, account.address, tmp_path)
        sender = open_sender(client, account, tmp_path)
        contracts = AssayContracts(client, deploy(sender, tmp_path / "a.json", terms=terms))
        sender.close()
        after = preview(client, terms, account.address, tmp_path)
        spent = seen.balance - after.balance
        assert 0.5 * spent < seen.cost < 2 * spent, "about what it was said to cost"
        assert dict(after.gas) == {}
        assert dict(contracts.addresses.creations).keys() == seen.plan.places.keys()
        assert {n: contracts.addresses.of(n) for n in contracts.addresses.contracts} == seen.plan.places
        assert contracts.protocol_parameters() == terms.protocol
        assert (contracts.faucet is None) == (name == "bsc")
        check_governance(contracts, terms, proposer=boss if name == "bsc" else account.address)


def check_governance(contracts: AssayContracts, terms: DeploymentTerms, *, proposer: ChecksumAddress) -> None:
    timelock = contracts.timelock
    assert timelock is not None
    assert timelock_of(contracts) is not None
    assert contracts.read(timelock.functions.getMinDelay()) == terms.governance.delay_seconds
    require_role(contracts, timelock, "PROPOSER_ROLE", proposer)
    require_role(contracts, timelock, "EXECUTOR_ROLE", dev_accounts(3)[2].address)
    with pytest.raises(Rejected, match="is no proposer of the timelock"):
        require_role(contracts, timelock, "PROPOSER_ROLE", dev_accounts(3)[2].address)
    for account in (dev_accounts(1)[0].address, proposer):
        assert not contracts.read(timelock.functions.hasRole(bytes(32), account)), "nobody administers it"
    assert contracts.token_balance(account_of(terms.holder or "", proposer)) > 0


def test_other_terms_are_another_deployment(either: ChainClient, account: LocalAccount, tmp_path: Path) -> None:
    """With the same key and journal: what was begun under other terms is left, and nothing of it is taken over."""
    sender = open_sender(either, account, tmp_path)
    first = deploy(sender, tmp_path / "first.json")
    second = deploy(sender, tmp_path / "second.json", terms=replace(load_terms(either.chain_id), faucet=None))
    assert second.test_token_faucet is None
    assert "TestTokenFaucet" not in second.contracts
    assert not {first.creations[name].tx_hash for name in first.contracts} & {
        made.tx_hash for made in second.creations.values()
    }
    with pytest.raises(Rejected, match=f"the deployment on chain {either.chain_id} has no TestTokenFaucet"):
        second.of("TestTokenFaucet")


def test_terms_of_another_chain_are_refused(either: ChainClient, account: LocalAccount, tmp_path: Path) -> None:
    with pytest.raises(Rejected, match=r"my file: chain_id is 97, but the node is on chain"):
        deploy(open_sender(either, account, tmp_path), tmp_path / "a.json", terms=load_terms(97), source="my file")
    assert either.nonce(account.address) == 0


def test_a_file_of_an_older_version_is_read(either: ChainClient, account: LocalAccount, tmp_path: Path) -> None:
    path = tmp_path / "addresses.json"
    sender = open_sender(either, account, tmp_path)
    addresses = deploy(sender, path)
    fields = json.loads(path.read_text())
    fields["contracts"] = {
        name: {"address": entry["address"], "code_hash": entry["code_hash"]}
        for name, entry in fields["contracts"].items()
        if name != "TestTokenFaucet"
    }
    path.write_text(json.dumps(fields))
    old = deploy(sender, path)
    assert (old.test_token_faucet, old.creations) == (None, {})
    assert old.order_book == addresses.order_book
    assert AssayContracts(either, old).faucet is None
    write_addresses(tmp_path / "again.json", old)
    assert json.loads((tmp_path / "again.json").read_text()) == fields


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


def test_a_deployment_of_an_older_version_is_told_by_what_it_lacks(tmp_path: Path) -> None:
    path = tmp_path / "addresses.json"
    there = [name for name in CONTRACTS if name not in ("VerifierRegistry", "AccuracyProofs")]
    path.write_text(json.dumps({"contracts": {name: {} for name in there}}))
    with pytest.raises(Rejected, match=r"without VerifierRegistry, AccuracyProofs: an older version made it; deploy"):
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


@pytest.mark.long
def test_a_killed_process_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """`assay deploy` itself, killed again and again while Anvil mines nothing, then left alone."""
    password = tmp_path / "password"
    password.write_text("secret\n")
    account = dev_accounts(1)[0]
    with Anvil.start(AnvilOptions(extra=("--no-mining",))) as anvil:
        client = anvil.client()
        home = {"ASSAY_HOME": str(tmp_path), "ASSAY_RPC": anvil.url, "ASSAY_PASSWORD_FILE": str(password)}
        store_key(tmp_path / "keys", "dev0", "secret", account, light=True)
        command = [str(Path(sys.executable).with_name("assay")), "deploy"]
        for wanted in (1, 5, 9, 13):
            process = subprocess.Popen(command, env={**os.environ, **home}, stderr=subprocess.DEVNULL)
            deadline = time.monotonic() + 120
            while client.nonce(account.address, "pending") < wanted and time.monotonic() < deadline:
                time.sleep(0.002)
            process.kill()
            process.wait()
        client.request("evm_setIntervalMining", 1)
        done = subprocess.run(command, env={**os.environ, **home}, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert client.nonce(account.address) == TRANSACTIONS
        addresses = read_addresses(tmp_path / "deployments" / "31337.json")
        check_addresses(client, addresses, "it")
