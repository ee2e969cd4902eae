"""The compiled contracts that ship, and what can be told from code on a chain."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.chain.addresses import Addresses, field_of
from offchain.chain.artifacts import ALL_CONTRACTS, Artifact, load_artifact
from offchain.chain.deploy import WIRES, deployment
from offchain.errors import Bug, Rejected

PLACE = b"\x7f" + bytes(32)
NOBODY = "0x" + "00" * 20
WORDS = {"owner": NOBODY, "holder": NOBODY, "supply": 1, "delay": 1, "dripAmount": 1, "dripPeriod": 1, "dripLimit": 1}
WORDS |= {"proposers": [NOBODY], "cancellers": [NOBODY], "executors": [NOBODY]}


def artifact(runtime: bytes) -> Artifact:
    return Artifact("Test", (), b"", runtime)


@pytest.mark.parametrize("name", ALL_CONTRACTS)
def test_every_contract_ships_and_is_small_enough(name: str) -> None:
    found = load_artifact(name)
    assert found.creation
    assert 0 < len(found.runtime) <= 24_576, "EIP-170"


def test_a_missing_artifact_says_what_to_do() -> None:
    with pytest.raises(Rejected, match=r"lacks offchain/chain/artifacts/Nothing\.json: reinstall it"):
        load_artifact("Nothing")


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=4))
def test_immutables_are_read_from_their_places(values: list[bytes]) -> None:
    runtime = b"".join(b"\x60\x01" + PLACE for _ in values) + b"\xfe"
    code = b"".join(b"\x60\x01\x7f" + value for value in values) + b"\xfe"
    assert artifact(runtime).immutables(code) == tuple(values)


@pytest.mark.parametrize("name", ALL_CONTRACTS)
def test_code_that_differs_anywhere_else_is_not_the_contract(name: str) -> None:
    found = load_artifact(name)
    code = bytearray(found.runtime)
    assert found.immutables(bytes(code)) is not None
    for place in range(0, len(code), 997):
        changed = bytearray(code)
        changed[place] ^= 1
        if found.runtime[place]:
            assert found.immutables(bytes(changed)) is None, place
    assert found.immutables(bytes(code) + b"\0") is None


def test_every_constructor_argument_has_a_meaning() -> None:
    from offchain.chain.parameters import default_parameters
    from offchain.chain.views import encode

    words = {**WORDS, "initial": encode(default_parameters(97)), **dict.fromkeys(WIRES, NOBODY)}
    for name in ALL_CONTRACTS:
        call = deployment(load_artifact(name), words)
        assert call.to is None
        assert call.data.startswith(load_artifact(name).creation)


def test_an_unknown_constructor_argument_is_our_bug() -> None:
    strange = replace(
        load_artifact("UtilityToken"),
        abi=({"type": "constructor", "inputs": [{"name": "moon_", "type": "address"}]},),
    )
    with pytest.raises(Bug, match="nobody knows its constructor argument moon_"):
        deployment(strange, WORDS)


def test_fields_of_addresses_are_the_contracts() -> None:
    names = set(Addresses.__dataclass_fields__)
    assert {field_of(name) for name in ALL_CONTRACTS} <= names
    assert field_of("ProofOfTraining") == "proof_of_training"
    with pytest.raises(Bug, match="no contract named Moon"):
        field_of("Moon")
