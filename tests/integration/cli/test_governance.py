"""Deployment and governance as on a public network: Anvil says that it is BSC testnet."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from offchain.chain import governance
from offchain.chain.addresses import read_addresses
from offchain.chain.contracts import AssayContracts
from offchain.chain.devnet import Anvil, AnvilOptions, dev_accounts, travel
from offchain.chain.terms import load_terms
from tests.integration.cli.support import PASSWORD, Cli, assert_refused, call

BSC_TESTNET = 97
SHIPPED = Path(__file__).parents[3] / "offchain" / "chain" / "networks" / "parameters"


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    """Chain 97 with the contracts; dev0 has deployed, and is the timelock's proposer."""
    folder = tmp_path_factory.mktemp("public")
    (folder / "password").write_text(PASSWORD + "\n")
    options = AnvilOptions(chain_id=BSC_TESTNET, block_seconds=0.2, extra=("--slots-in-an-epoch", "1"))
    with Anvil.start(options) as anvil:  # what is final is two blocks old
        environment = {"ASSAY_RPC": anvil.url, "ASSAY_PASSWORD_FILE": str(folder / "password")}
        environment["ASSAY_HOME"] = str(folder / "home")
        client = anvil.client()
        assert call(["keys", "dev", "--count", "3"], environment).code == 0
        plan = call(["deploy", "--plan", "--json"], environment)
        assert plan.code == 0, plan
        assert_refused(call(["deploy"], environment), "no terminal to ask for your consent", "--yes")
        assert client.nonce(client.web3.to_checksum_address(json.loads(plan.out)["facts"]["deployer"])) == 0
        answer = call(["deploy", "--yes", "--json"], environment)
        assert answer.code == 0, answer
        steps = {step["step"]: step["address"] for step in json.loads(plan.out)["steps"]}
        facts = json.loads(answer.out)
        assert {name: facts[name] for name in steps if name in facts} == {n: a for n, a in steps.items() if a}
        addresses = read_addresses(folder / "home" / "deployments" / f"{BSC_TESTNET}.json")
        yield Cli(folder / "home", anvil.url, client, AssayContracts(client, addresses))


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    """The network's file with another bond."""
    return edited(tmp_path, claim_bond_tokens="12.5")


def edited(folder: Path, **changes: object) -> Path:
    fields = json.loads((SHIPPED / "bsc-testnet.json").read_text())
    fields["protocol"] |= changes
    path = folder / "changed.json"
    path.write_text(json.dumps(fields))
    return path


def shown(cli: Cli) -> dict[str, object]:
    answer = cli("parameters", "show", "--json")
    assert answer.code == 0, answer
    found: dict[str, object] = json.loads(answer.out)
    return found


def test_the_timelock_owns_the_parameters_and_the_deployer_nothing(public: Cli) -> None:
    contracts = public.contracts
    assert contracts.timelock is not None
    facts = shown(public)
    assert facts["owner"] == contracts.timelock.address
    assert (facts["delay_seconds"], facts["differences"], facts["operations"]) == (3600, [], [])
    assert contracts.protocol_parameters() == load_terms(BSC_TESTNET).protocol
    again = public("deploy", "--json")
    assert again.code == 0, again
    assert json.loads(again.out)["ParametersTimelock"] == contracts.timelock.address


def test_parameters_change_after_a_delay_in_sight_of_everybody(public: Cli, changed: Path) -> None:
    assert_refused(public("parameters", "set", str(changed), "--key", "dev0", "--yes"), "a timelock owns", "schedule")
    assert_refused(public("parameters", "schedule", str(changed), "--key", "dev1", "--yes"), "is no proposer")
    assert_refused(public("parameters", "execute", "--key", "dev1"), "no operation is open")
    answer = public("parameters", "schedule", str(changed), "--key", "dev0", "--yes")
    assert answer.code == 0, answer
    (operation,) = shown(public)["operations"]  # type: ignore[misc]
    assert operation["state"] == "waiting"
    assert operation["changes"] == ["claim_bond: 10 tokens to 12.5 tokens"]
    assert operation["id"] in answer.out
    assert_refused(public("parameters", "schedule", str(changed), "--key", "dev0", "--yes"), "sets the same already")
    assert_refused(public("parameters", "execute", "--key", "dev1"), "is ready in", "try again then")
    assert_refused(public("parameters", "cancel", "--key", "dev1"), "is no canceller")
    travel(public.client, 3600)
    answer = public("parameters", "execute", operation["id"][:10], "--key", "dev1")
    assert answer.code == 0, answer
    facts = shown(public)
    assert facts["operations"] == []
    differences = [{"name": "claim_bond", "present": 125 * 10**17, "proposed": 10 * 10**18}]
    assert facts["differences"] == differences, "the reviewed file is behind now"
    assert "nothing to change" in public("parameters", "schedule", str(changed), "--key", "dev0", "--yes").out


def test_what_was_scheduled_can_be_cancelled_and_scheduled_again(public: Cli, tmp_path: Path) -> None:
    file = str(edited(tmp_path, max_claims=9))
    ids = []
    for _ in range(2):
        assert public("parameters", "schedule", file, "--key", "dev0", "--yes").code == 0
        (operation,) = shown(public)["operations"]  # type: ignore[misc]
        ids.append(operation["id"])
        answer = public("parameters", "cancel", "--key", "dev0")
        assert answer.code == 0, answer
        assert shown(public)["operations"] == []
    assert ids[0] != ids[1]


def test_what_the_contract_would_refuse_is_not_scheduled(public: Cli, tmp_path: Path) -> None:
    file = edited(tmp_path, max_claims=33)
    answer = public("parameters", "schedule", str(file), "--key", "dev0", "--yes")
    assert answer.code == 2
    assert "Parameters.ParameterOutOfBounds(name=maxClaims, actual=33, minimum=1, maximum=32)" in answer.err
    plan = public("deploy", "--plan", "--parameters", str(file))
    assert_refused(plan, "deployment of Parameters: Parameters.ParameterOutOfBounds(name=maxClaims")


def test_an_account_that_owns_the_parameters_sets_them_at_once(cli: Cli, tmp_path: Path) -> None:
    fields = json.loads((SHIPPED / "anvil.json").read_text())
    file = tmp_path / "mine.json"
    file.write_text(json.dumps(fields))
    assert "nothing to change" in cli("parameters", "set", str(file), "--key", "dev0").out
    before = cli.contracts.protocol_parameters()
    fields["protocol"]["max_claims"] = before.max_claims - 1
    file.write_text(json.dumps(fields))
    assert_refused(cli("parameters", "set", str(file), "--key", "dev1", "--yes"), "owns the parameters, not")
    assert_refused(cli("parameters", "schedule", str(file), "--key", "dev0", "--yes"), "`assay parameters set FILE`")
    assert cli("parameters", "set", str(file), "--key", "dev0", "--yes").code == 0
    assert cli.contracts.protocol_parameters().max_claims == before.max_claims - 1
    assert cli("parameters", "set", str(SHIPPED / "anvil.json"), "--key", "dev0", "--yes").code == 0
    assert cli.contracts.protocol_parameters() == before


def test_explorers_get_what_they_need(public: Cli, tmp_path: Path) -> None:
    answer = public("verification", str(tmp_path / "out"), "--json")
    assert answer.code == 0, answer
    rows = {row["contract"]: row for row in json.loads(answer.out)}
    assert rows["Parameters"]["address"] == public.contracts.addresses.parameters
    assert (tmp_path / "out" / rows["AggregateVerifier"]["file"]).is_file()


def test_a_newcomer_drips_once_a_day(public: Cli) -> None:
    answer = public("keys", "drip", "dev1", "dev2")
    assert answer.code == 0, answer
    assert answer.out.splitlines() == ["dev1: 10,000 tokens", "dev2: 10,000 tokens"]
    again = public("keys", "drip", "dev1")
    assert again.code == 2
    assert "has had its test tokens; the faucet has more for it in " in again.err
    travel(public.client, 24 * 3600)
    assert public("keys", "drip", "dev1").code == 0


def test_operations_without_end_hide_none_that_waits(public: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proposer whose key is stolen wants the watchmen to see its other operations."""
    monkeypatch.setattr(governance, "AT_ONCE", 2)
    contracts, timelock = public.contracts, public.contracts.timelock
    assert timelock is not None
    proposer = dev_accounts(1)[0].address
    before = len(governance.open_operations(contracts, timelock))
    bad = replace(contracts.protocol_parameters(), max_claims=7)
    calls = [governance.schedule_call(contracts, timelock, bad)]
    calls += [
        timelock.functions.schedule(proposer, 0, b"", bytes(32), number.to_bytes(32, "big"), 3600)
        for number in range(5)
    ]
    for call_data in [item._encode_transaction_data() for item in calls]:
        query = {"from": proposer, "to": timelock.address, "data": call_data}
        public.client.request("eth_sendTransaction", query)
    public.client.request("evm_mine")
    found = governance.open_operations(contracts, timelock)[before:]
    assert len(found) == 6
    assert found[0].parameters == bad
