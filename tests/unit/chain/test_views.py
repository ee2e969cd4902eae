"""The dataclasses of reads mirror the structs of the ABIs."""

import dataclasses
import re
import types
from collections.abc import Iterator
from enum import IntEnum
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.chain.artifacts import ALL_CONTRACTS, load_artifact
from offchain.chain.enums import ENUMS, Role
from offchain.chain.federated_views import FEDERATED_ENUMS, FEDERATED_STRUCTS
from offchain.chain.parameters import default_parameters
from offchain.chain.proof_views import PROOF_ENUMS, PROOF_STRUCTS
from offchain.chain.views import STRUCTS, Bond, decode, encode
from offchain.dispute import answers, moves, steps
from offchain.errors import Bug
from offchain.model import leaves
from offchain.protocol.reward_cycle import Refutation, RewardClaim
from offchain.protocol.reward_tree import Leaf, Witness

GIVEN: dict[str, type] = {
    **{name: getattr(leaves, name) for name in ("Header", "Totals", "Descriptor", "Unit", "Sample", "Operands")},
    **{name: getattr(leaves, name) for name in ("NodeOpening", "UnitOpening", "ChunkOpening", "TensorOpening")},
    "NodeAnswer": answers.NodeAnswer,
    "Question": steps.Question,
    "Refutation": Refutation,
    "RewardClaim": RewardClaim,
    "RewardCredit": Witness,
    "RewardLeaf": Leaf,
    "TracePosting": moves.TracePosting,
}
"""Structs that calls take and nothing returns."""
ALL = {**STRUCTS, **FEDERATED_STRUCTS, **PROOF_STRUCTS, **GIVEN}
NUMBERED = {**ENUMS, **FEDERATED_ENUMS, **PROOF_ENUMS}


def components(items: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for item in items:
        if item["type"].startswith("tuple"):
            yield item
            yield from components(item["components"])


def structs() -> dict[str, list[dict[str, Any]]]:
    """Fields by struct, over all functions and events of all contracts."""
    found: dict[str, list[dict[str, Any]]] = {}
    for contract in ALL_CONTRACTS:
        for entry in load_artifact(contract).abi:
            for item in components([*entry.get("inputs", []), *entry.get("outputs", [])]):
                name = item["internalType"].removeprefix("struct ").partition("[")[0].rpartition(".")[2]
                found[name] = item["components"]
    return found


def snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


@pytest.mark.parametrize("name", sorted(structs()))
def test_fields_are_those_of_the_abi(name: str) -> None:
    fields = structs()[name]
    view = ALL[name]
    found = [field.name.rstrip("_") for field in dataclasses.fields(view)]
    assert found == [snake(field["name"]).rstrip("_") for field in fields]
    hints = get_type_hints(view)
    for field, expected in zip(dataclasses.fields(view), fields, strict=True):
        assert plain(hints[field.name]) == kind_of(expected), field.name


def plain(hint: Any) -> Any:
    """The hint without NewTypes."""
    if get_origin(hint) is tuple:
        return types.GenericAlias(tuple, tuple(plain(item) for item in get_args(hint)))
    return getattr(hint, "__supertype__", hint)


def kind_of(item: dict[str, Any]) -> Any:
    if item["type"].endswith("]"):
        inner, _, count = item["type"].removesuffix("]").rpartition("[")
        one = kind_of({**item, "type": inner, "internalType": item["internalType"].rpartition("[")[0]})
        return types.GenericAlias(tuple, (one,) * int(count) if count else (one, ...))
    internal = item["internalType"].rpartition(" ")[2].rpartition(".")[2]
    if item["type"] == "tuple":
        return ALL[internal]
    if internal in NUMBERED:
        return NUMBERED[internal]
    if item["type"] == "address":
        return getattr(get_type_hints(STRUCTS["Model"])["provider"], "__supertype__", str)
    return bytes if item["type"].startswith("bytes") else bool if item["type"] == "bool" else int


def test_all_views_are_structs_of_the_abi() -> None:
    assert set(structs()) <= set(ALL)
    assert set(ALL) - set(structs()) <= {"OrderTerms", "Windows"}


def test_enums_have_as_many_values_as_the_sources() -> None:
    sources = "\n".join(path.read_text() for path in contract_sources())
    for name, enum in NUMBERED.items():
        (body,) = re.findall(rf"enum {name} \{{(.*?)\}}", sources, re.DOTALL)
        values = [line.strip().rstrip(",") for line in body.splitlines() if not line.strip().startswith("//")]
        assert [snake(value).upper() for value in values if value] == [member.name for member in enum]


def contract_sources() -> list[Any]:
    from pathlib import Path

    root = Path(__file__).parents[3] / "contracts"
    return sorted(root.rglob("*.sol"))


@given(st.tuples(*[st.integers(0, 2**64 - 1)] * 4))
def test_decode_undoes_encode(values: tuple[int, ...]) -> None:
    assert encode(decode(Bond, values)) == values


def test_decode_takes_mappings_and_tells_wrong_lengths() -> None:
    assert decode(Bond, {"bonded": 5, "locked": 2, "exiting": 0, "exitAt": 9}).free == 3
    with pytest.raises(Bug, match="Bond has 4 fields, the contract returned 3"):
        decode(Bond, (1, 2, 3))


def test_encode_gives_plain_integers_for_enums() -> None:
    @dataclasses.dataclass(frozen=True)
    class Held:
        role: IntEnum

    assert encode(Held(Role.VALIDATOR)) == (2,)
    assert type(encode(Held(Role.VALIDATOR))[0]) is int


@pytest.mark.parametrize("chain_id", [31337, 1337, 97, 56])
def test_default_parameters_make_sense(chain_id: int) -> None:
    parameters = default_parameters(chain_id)
    assert parameters.validator_share_ppm + parameters.aggregator_tax_ppm < 500_000, "most goes to the winner"
    assert parameters.reporter_share_ppm <= 500_000, "reporting oneself must not pay"
    assert parameters.provider_minimum >= parameters.claim_bond
    assert parameters.validator_minimum >= parameters.minimum_v_stake * parameters.max_claims
    assert parameters.verifier_minimum >= parameters.challenge_stake + parameters.request_bond


def test_development_chains_have_short_windows() -> None:
    assert default_parameters(31337).minimum_window == 1
    assert default_parameters(1337) == default_parameters(31337)
    assert default_parameters(97).minimum_window == default_parameters(56).minimum_window // 10 == 60
