"""What each constraint of the accuracy circuit is for, and what an edited witness satisfies."""

from pathlib import Path

import numpy as np
import pytest

from offchain.proofs.noir.barretenberg import Barretenberg, Program
from offchain.proofs.noir.generator import generate_switched
from offchain.proofs.noir.groups import Group
from offchain.proofs.noir.inputs import inputs
from offchain.proofs.statement import chunk_hash, correct_count, model_hash
from tests.integration.proofs.accuracy.adversary import CIRCUIT, PROVER, SALT, WIDE, Claim
from tests.integration.proofs.accuracy.forgeries import forgeries
from tests.integration.proofs.accuracy.solving import satisfied


@pytest.fixture(scope="module")
def switched(barretenberg: Barretenberg) -> Program:
    """The circuit with a switch for each group: with all of them on the constraints are those of the product's."""
    return barretenberg.compile(generate_switched(CIRCUIT))


def test_leaving_out_any_group_of_constraints_lets_a_forgery_through(
    barretenberg: Barretenberg, switched: Program, tmp_path: Path
) -> None:
    forged = forgeries()
    assert set(forged) == set(Group)
    cases = [forgery.claim.witness(*off) for group, forgery in forged.items() for off in ((group,), ())]
    answers = satisfied(barretenberg, switched, cases, tmp_path)
    assert [group.name for group, through in zip(forged, answers[::2], strict=True) if not through] == []
    assert [group.name for group, through in zip(forged, answers[1::2], strict=True) if through] == []


@pytest.mark.parametrize("group", Group, ids=lambda group: group.name)
def test_each_forgery_claims_more_than_is_true(group: Group) -> None:
    forgery = forgeries()[group]
    claim, network, chunk = forgery.claim.witness(), forgery.model.network(), forgery.data.chunk()
    # The statement is about this network and this chunk
    assert claim["model_hash"] == model_hash(WIDE, network, SALT, PROVER)
    assert claim["chunk_hash"] == chunk_hash(CIRCUIT, chunk)
    assert claim["prover"] == PROVER
    assert claim["correct"] > correct_count(CIRCUIT, network, chunk)


def test_an_edited_witness_of_any_kind_satisfies_nothing(
    barretenberg: Barretenberg, switched: Program, tmp_path: Path
) -> None:
    claim = Claim()
    honest = claim.witness()
    assert honest == honest | inputs(CIRCUIT, claim.model.network(), claim.chunk(), SALT, PROVER, honest["correct"])
    cases, names = [honest], ["honest"]
    for name in honest.keys() - {"on"}:
        value = np.array(honest[name], dtype=object)
        for place in {(0,) * value.ndim, tuple(size - 1 for size in value.shape)}:
            edited = value.copy()
            edited[place] += 1
            cases.append(honest | {name: edited.tolist()})
            names.append(f"{name}{list(place)}")
    answers = satisfied(barretenberg, switched, cases, tmp_path)
    assert [name for name, answer in zip(names, answers, strict=True) if answer] == ["honest"]
