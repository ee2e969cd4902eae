"""`ape run deploy` is `assay deploy` with ape's accounts: on Anvil, and on what says that it is BSC testnet."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address

from offchain.chain.addresses import Addresses, read_addresses
from offchain.chain.artifacts import ALL_CONTRACTS
from offchain.chain.client import ChainClient
from offchain.chain.contracts import AssayContracts
from offchain.chain.deploy import deploy
from offchain.chain.devnet import Anvil, AnvilOptions, dev_accounts
from offchain.chain.governance import owner_of
from offchain.chain.sender import open_sender

ROOT = Path(__file__).resolve().parents[3]
PASSPHRASE = "correct horse"


class Crash(BaseException):
    pass


def ape(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`ape run deploy WORDS…` with a home directory of its own."""
    variables = {**os.environ, "HOME": str(folder), "APE_ACCOUNTS_deployer_PASSPHRASE": PASSPHRASE, **environment}
    command = [str(Path(sys.executable).with_name("ape")), "run", "deploy", *words, "--home", str(folder / "assay")]
    return subprocess.run(
        command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=300, check=False, input=""
    )


def store_keyfile(folder: Path, account: LocalAccount) -> None:
    """The account as ape's keyfile `deployer`."""
    path = folder / ".ape" / "accounts" / "deployer.json"
    path.parent.mkdir(parents=True)
    keystore = Account.encrypt(account.key, PASSPHRASE, kdf="scrypt", iterations=2**12)
    path.write_text(json.dumps({**keystore, "address": account.address}))


def begin_and_crash(client: ChainClient, account: LocalAccount, home: Path) -> int:
    """A deployment by our own command's means that dies on its way; how many transactions it sent."""
    sends = 0

    def boundary(name: str) -> None:
        nonlocal sends
        sends += name == "broadcast"
        if sends == 6:
            raise Crash

    sender = open_sender(client, account, home / "journals", boundary=boundary)
    with pytest.raises(Crash):
        deploy(sender, home / "deployments" / f"{client.chain_id}.json")
    sender.close()
    return client.nonce(to_checksum_address(account.address), "pending")


def deployed(client: ChainClient, home: Path) -> tuple[Addresses, ChecksumAddress]:
    """What the file says, and who owns the parameters."""
    addresses = read_addresses(home / "deployments" / f"{client.chain_id}.json")
    return addresses, owner_of(AssayContracts(client, addresses))


def test_a_keyfile_account_goes_on_where_our_command_stopped(tmp_path: Path) -> None:
    account = dev_accounts(1)[0]
    store_keyfile(tmp_path, account)
    options = AnvilOptions(chain_id=97, block_seconds=0.3, extra=("--slots-in-an-epoch", "1"))
    with Anvil.start(options) as anvil:
        client = anvil.client()
        sent = begin_and_crash(client, account, tmp_path / "assay")
        assert 0 < sent < len(ALL_CONTRACTS)
        done = ape(tmp_path, "--network", f"bsc:testnet:{anvil.url}", "--account", "deployer", "--yes")
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.count("sent before") >= sent, "the plan shows what was sent before"
        addresses, owner = deployed(client, tmp_path / "assay")
        assert owner == addresses.of("ParametersTimelock")
        assert client.nonce(to_checksum_address(account.address)) == len(ALL_CONTRACTS) + 1, "and the faucet's funding"


@pytest.mark.long
def test_a_test_account_deploys_to_the_anvil_that_runs_and_a_second_run_sends_nothing(tmp_path: Path) -> None:
    account = to_checksum_address(dev_accounts(1)[0].address)
    with Anvil.start(AnvilOptions()) as anvil:
        client = anvil.client()
        network = ("--network", "ethereum:local:foundry", "--account", "TEST::0")
        host = {"APE_FOUNDRY_HOST": anvil.url}
        plan = ape(tmp_path, *network, "--plan", **host)
        assert plan.returncode == 0, plan.stderr
        assert "FederatedCourt" in plan.stdout
        assert client.nonce(account) == 0
        for _ in range(2):
            done = ape(tmp_path, *network, "--json", **host)
            assert done.returncode == 0, done.stderr
            addresses, owner = deployed(client, tmp_path / "assay")
            assert owner == account
            assert json.loads(done.stdout)["OrderBook"] == addresses.order_book
            assert client.nonce(account) == len(ALL_CONTRACTS)


@pytest.mark.long
def test_what_is_refused_is_said_in_one_line(tmp_path: Path) -> None:
    with Anvil.start(AnvilOptions(chain_id=56)) as anvil:
        network = ("--network", f"bsc:mainnet:{anvil.url}", "--account", "TEST::0")
        refused = ape(tmp_path, *network, "--yes")
    assert refused.returncode == 1
    last = refused.stderr.strip().splitlines()[-1]
    assert "bsc.json: token.holder, governance.proposers left open" in last
