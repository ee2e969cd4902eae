"""The reviewed file of a network: what it may say, and what a deployment makes of it."""

import json
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from eth_utils.address import to_checksum_address
from hypothesis import given, settings
from hypothesis import strategies as st
from web3.types import Nonce
from web3.utils.address import get_create_address

from offchain.chain.artifacts import CONTRACTS, load_artifact
from offchain.chain.networks import known_networks, network_for
from offchain.chain.plan import first_key, make_plan
from offchain.chain.terms import (
    NOBODY,
    DeploymentTerms,
    check_terms,
    key_of,
    load_terms,
    parse_terms,
    read_terms,
)
from offchain.chain.views import ProtocolParameters
from offchain.errors import Rejected

FOLDER = Path(__file__).parents[3] / "offchain" / "chain" / "networks" / "parameters"
DEPLOYER = to_checksum_address("0x" + "d1" * 20)
BOSS = to_checksum_address("0x" + "b0" * 20)
Json = dict[str, Any]


def edited(name: str, change: Callable[[Json], object]) -> str:
    whole: Json = json.loads((FOLDER / f"{name}.json").read_text())
    change(whole)
    return json.dumps(whole)


def test_every_network_has_its_file_and_no_file_is_left_over() -> None:
    networks = {network.name: chain_id for chain_id, network in known_networks().items()}
    assert {path.stem for path in FOLDER.iterdir()} == set(networks)
    for name, chain_id in networks.items():
        terms = load_terms(chain_id)
        assert (terms.network, terms.chain_id) == (name, chain_id)


@pytest.mark.parametrize("chain_id", [31337, 1337, 97])
def test_what_ships_may_be_deployed_as_it_is(chain_id: int) -> None:
    check_terms(load_terms(chain_id), network_for(chain_id), "it")


def test_a_main_network_waits_for_names() -> None:
    terms, network = load_terms(56), network_for(56)
    with pytest.raises(Rejected, match=r"bsc\.json: token\.holder, governance\.proposers left open: copy the file"):
        check_terms(terms, network, "bsc.json")
    check_terms(named(terms), network, "bsc.json")


def named(terms: DeploymentTerms) -> DeploymentTerms:
    return replace(terms, holder=BOSS, governance=replace(terms.governance, proposers=(BOSS,)))


MAIN = named(load_terms(56))
TEST = load_terms(97)


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        (replace(MAIN, faucet=TEST.faucet), "never on a main network"),
        (replace(MAIN, holder="deployer"), "neither hold the supply nor propose"),
        (replace(MAIN, governance=replace(MAIN.governance, proposers=("deployer",))), "neither hold the supply nor"),
        (replace(MAIN, governance=replace(MAIN.governance, delay_seconds=864_000)), "must exceed protocol.exit_delay"),
        (replace(MAIN, governance=replace(MAIN.governance, delay_seconds=3600)), "on bsc it is 172800 at least"),
        (replace(MAIN, governance=load_terms(31337).governance), "on bsc it is 172800 at least"),
        (replace(TEST, governance=replace(TEST.governance, delay_seconds=3599)), "on bsc-testnet it is 3600 at least"),
        (replace(TEST, governance=replace(TEST.governance, owner=BOSS)), "the timelock is the owner"),
        (replace(TEST, governance=replace(TEST.governance, delay_seconds=0)), "governance.owner left open"),
        (replace(TEST, governance=replace(TEST.governance, executors=())), "governance.executors left open"),
        (replace(TEST, governance=replace(TEST.governance, proposers=("anyone",))), "only an executor can be 'anyone'"),
        (replace(TEST, chain_id=98), "chain_id is 98, but the node is on chain 97"),
        (replace(TEST, supply=TEST.supply // 100), "faucet.funding_tokens is more than the supply"),
        (replace(TEST, holder=BOSS), "only a deployer that holds the supply can fund it"),
    ],
)
def test_what_is_not_fit_for_a_public_network_is_refused(terms: DeploymentTerms, said: str) -> None:
    network = network_for(56 if terms.network == "bsc" else 97)
    with pytest.raises(Rejected) as refused:
        check_terms(terms, network, "my.json")
    assert str(refused.value).startswith("my.json: ")
    assert said in str(refused.value)


def _drop(whole: Json) -> None:
    del whole["protocol"]["max_claims"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_drop, "x.json: protocol.max_claims: Field required"),
        (lambda whole: whole["protocol"].update(moon=1), "x.json: protocol.moon: Extra inputs are not permitted"),
        (lambda whole: whole["protocol"].update(claim_bond_tokens=10), "protocol.claim_bond_tokens: an amount of"),
        (lambda whole: whole["protocol"].update(claim_bond_tokens="ten"), "'ten' is not an amount of tokens"),
        (lambda whole: whole["protocol"].update(claim_bond_tokens="-1"), "'-1' is not an amount of tokens with"),
        (lambda whole: whole["protocol"].update(claim_bond_tokens="NaN"), "'NaN' is not an amount of tokens with"),
        (lambda whole: whole["protocol"].update(claim_bond_tokens="1e-19"), "'1e-19' is not an amount of tokens with"),
        (lambda whole: whole["protocol"].update(claim_bond_tokens="1e99"), "'1e99' is not an amount of tokens with"),
        (lambda whole: whole["protocol"].update(exit_delay_seconds="1d"), "protocol.exit_delay_seconds: Input should"),
        (lambda whole: whole["protocol"].update(max_members=1.0), "protocol.max_members: Input should be a valid"),
        (lambda whole: whole["protocol"].update(aggregator_tax_ppm=1_000_001), "less than or equal to 1000000"),
        (lambda whole: whole["token"].update(holder=BOSS.lower()), "token.holder: '0xb0"),
        (lambda whole: whole["governance"].update(proposers=["me"]), "governance.proposers.0: 'me' is neither"),
        (lambda whole: whole["governance"].update(proposers=["deployer"] * 17), "at most 16 items"),
    ],
)
def test_a_malformed_file_names_the_key(change: Callable[[Json], object], said: str) -> None:
    with pytest.raises(Rejected) as refused:
        parse_terms(edited("bsc-testnet", change), "x.json")
    assert said in str(refused.value)


@pytest.mark.parametrize("text", ["", "[", "[]", "null", "\x00", '{"chain_id": 1}', "[" * 60_000, "[" * 100])
def test_what_is_no_file_of_parameters_is_refused(text: str) -> None:
    with pytest.raises(Rejected, match=r"^x\.json: "):
        parse_terms(text, "x.json")


def test_files_are_bounded_before_they_are_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    with pytest.raises(Rejected, match="no such file"):
        read_terms(path)
    path.write_text((FOLDER / "anvil.json").read_text())
    assert read_terms(path) == load_terms(31337)
    path.write_text(" " * 70_000)
    with pytest.raises(Rejected, match="larger than 65536 bytes"):
        read_terms(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(Rejected, match="not UTF-8"):
        read_terms(path)


def test_a_network_that_nobody_reviewed_wants_a_file() -> None:
    with pytest.raises(Rejected, match=r"chain 424242 has no reviewed parameters: write a file like .*--parameters"):
        load_terms(424242)


@settings(max_examples=50)
@given(st.integers(0, 2**254))
def test_tokens_are_exact(wei: int) -> None:
    whole, rest = divmod(wei, 10**18)
    text = f"{whole}.{rest:018d}"
    terms = parse_terms(edited("anvil", lambda whole: whole["protocol"].update(claim_bond_tokens=text)), "x")
    assert terms.protocol.claim_bond == wei


def test_every_parameter_has_a_key_that_names_its_unit() -> None:
    keys = [key_of(field.name) for field in fields(ProtocolParameters)]
    assert len(set(keys)) == len(keys)
    units = ("_tokens", "_seconds", "_ppm", "_bytes")
    assert [key for key in keys if not key.endswith(units)] == ["max_members", "max_claims", "max_validators"]


def test_a_plan_predicts_every_place() -> None:
    plan = make_plan(TEST, DEPLOYER, 7)
    places = plan.places
    first, *protocol, last = places
    assert (first, set(protocol), last) == ("ParametersTimelock", set(CONTRACTS), "TestTokenFaucet")
    sizes = [len(load_artifact(name).creation) for name in protocol]
    assert sizes == sorted(sizes), "a small one behind one that has no room in a block is forgotten by Anvil"
    for index, address in enumerate(places.values()):
        assert address == get_create_address(DEPLOYER, Nonce(7 + index))
    assert plan.words["owner"] == places["ParametersTimelock"]
    assert plan.words["proposers"] == [DEPLOYER]
    assert plan.words["executors"] == [NOBODY]
    assert plan.steps[-1].call.to == places["UtilityToken"], "the faucet is filled when it is there"
    assert "TestTokenFaucet" not in make_plan(MAIN, DEPLOYER, 0).places, "no faucet on a main network"


def test_a_plan_is_known_again_and_told_from_others() -> None:
    assert first_key(TEST, DEPLOYER) == make_plan(TEST, DEPLOYER, 99).steps[0].key
    other = replace(TEST, protocol=replace(TEST.protocol, max_claims=7))
    keys = {first_key(terms, who) for terms in (TEST, other) for who in (DEPLOYER, BOSS)}
    assert len(keys) == 4
    steps = make_plan(TEST, DEPLOYER, 0).steps
    assert len({step.key for step in steps}) == len(steps)
