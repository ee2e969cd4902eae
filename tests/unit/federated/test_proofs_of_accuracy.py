"""Proofs of accuracy, pure: what is done when, what is refused before joining, the local model in a task's circuit."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.data.dataset import Dataset
from offchain.errors import Rejected
from offchain.federated.accuracy_part import AccuracyPart, TestChunks, max_test_bytes
from offchain.federated.local_network import ROOM_BITS, fit, network_of, task_circuit, whole_count
from offchain.federated.parameters import float_model, initial_model
from offchain.federated.round_actions import Action, Commit, CommitModel, CountProofs, DrawChunks, Fail, Prove, Speak
from offchain.federated.round_rules import Intent, Knowledge, actions, require_time
from offchain.federated.secure.terms import Stage
from offchain.federated.task_state import TaskPhase, bitmap_of
from offchain.federated.terms import AccuracyTerms, FederatedTerms, Mode
from offchain.model.evaluator import evaluate
from offchain.model.float_model import Scaling
from offchain.model.shorthand import spec_from_shorthand
from offchain.proofs.chunks import ChunkTree
from offchain.proofs.friendly import SHIFT
from offchain.proofs.rounds import ProofPhase, ProofTerms, RoundId, RoundView
from offchain.proofs.statement import Chunk, chunk_hash
from offchain.protocol.manifest import FileRef
from offchain.storage.cid import Cid
from offchain.types import TOKEN, Commitment, Root, Seconds, Wei
from tests.unit.federated.views import TERMS, participant, view

ASKED = AccuracyTerms(b"v" * 32, Root(b"r" * 32), chunks=9, draws=2, minimum_correct=12, baseline=8)
PROVEN = replace(TERMS, accuracy=ASKED, windows=replace(TERMS.windows, prove=Seconds(300)))
SECURE = replace(
    PROVEN,
    mode=Mode.SECURE,
    group_size=3,
    windows=replace(PROVEN.windows, keys=Seconds(9), shares=Seconds(9), reveal=Seconds(0), unmask=Seconds(9)),
)
PARTICIPANT = Intent(stake=Wei(100 * TOKEN))
MINE = Commitment(b"w" * 32)
WAITING = tuple(participant(number, round=0) for number in range(4))


def rounds(phase: ProofPhase, **changes: Any) -> RoundView:
    terms = ProofTerms(b"v" * 32, Root(b"r" * 32), 9, 2, 12, 128, 300, 300, Wei(0), True)
    known: dict[str, Any] = {
        "prove_until": 2000,
        "draw_block": 0,
        "attempts": 0,
        "committed": 4,
        "finished": 0,
        **changes,
    }
    return RoundView(
        RoundId(b"i" * 32), terms, phase, Seconds(900), Seconds(known.pop("prove_until")), seed=None, **known
    )


def does(
    phase: TaskPhase, proofs: RoundView | None = None, *, block: int = 50, owed: int = 0, **changes: Any
) -> set[Action]:
    changes.setdefault("terms", PROVEN)
    looked = replace(view(phase, now=1500, **changes), proofs=proofs, block=block)
    known = Knowledge(place=0, commitment=MINE, owed=tuple((draw, 3 + draw) for draw in range(owed)))
    return set(actions(looked, known, PARTICIPANT))


def test_the_model_is_committed_to_before_the_update() -> None:
    assert CommitModel() in does(TaskPhase.COMMIT, participants=WAITING)
    assert Commit() not in does(TaskPhase.COMMIT, participants=WAITING)
    assert Commit() in does(TaskPhase.COMMIT, participants=WAITING, modelled=bitmap_of([0]))
    assert CommitModel() not in does(TaskPhase.COMMIT, participants=WAITING, terms=TERMS)
    spoken: dict[str, Any] = {"terms": SECURE, "shared": 1, "keyed": 1, "roster": 15, "revealed": 0}
    assert CommitModel() in does(TaskPhase.COMMIT, **spoken)
    assert Speak(Stage.MASKED) not in does(TaskPhase.COMMIT, **spoken)
    assert Speak(Stage.MASKED) in does(TaskPhase.COMMIT, modelled=1, **spoken)


@pytest.mark.parametrize("phase", [TaskPhase.REVEAL, TaskPhase.REQUEST, TaskPhase.ANSWER, TaskPhase.PROVE])
def test_chunks_are_drawn_and_proven_beside_the_rest(phase: TaskPhase) -> None:
    """Once for the block that is named, once when there is one after it."""
    assert DrawChunks(0, False) in does(phase, rounds(ProofPhase.COMMIT))
    assert DrawChunks(0, False) in does(phase, rounds(ProofPhase.DRAW))
    assert not [
        one for one in does(phase, rounds(ProofPhase.DRAW, draw_block=50, attempts=1)) if isinstance(one, DrawChunks)
    ]
    assert DrawChunks(1, True) in does(phase, rounds(ProofPhase.DRAW, draw_block=49, attempts=1))
    # nobody came in time: another block is named
    assert DrawChunks(1, False) in does(phase, rounds(ProofPhase.DRAW, draw_block=49, attempts=1), block=500)
    assert Prove(((0, 3), (1, 4))) in does(phase, rounds(ProofPhase.PROVE), owed=2)


def test_proofs_are_counted_once_none_can_come() -> None:
    assert CountProofs() not in does(TaskPhase.PROVE, rounds(ProofPhase.PROVE))
    assert CountProofs() in does(TaskPhase.PROVE, rounds(ProofPhase.OVER, finished=4))
    assert CountProofs() not in does(TaskPhase.REQUEST, rounds(ProofPhase.OVER, finished=4))
    late = rounds(ProofPhase.OVER, finished=3, prove_until=1499)
    assert CountProofs() in does(TaskPhase.PROVE, late, state=replace(view(TaskPhase.PROVE).state, round=4))


def test_a_round_with_too_few_does_not_wait_for_proofs() -> None:
    assert Fail() in does(TaskPhase.PROVE, rounds(ProofPhase.PROVE), included=bitmap_of([0, 1]))
    assert Fail() not in does(TaskPhase.PROVE, rounds(ProofPhase.PROVE))


def test_little_time_for_proofs_is_joined_by_nobody() -> None:
    require_time(TERMS, Seconds(60))
    with pytest.raises(Rejected, match="prove window: 20 s"):
        require_time(replace(PROVEN, windows=replace(PROVEN.windows, prove=Seconds(20))), Seconds(60))
    # a minute is enough for one proof, not for 64
    slow = replace(PROVEN, accuracy=replace(ASKED, chunks=64, draws=64))
    with pytest.raises(Rejected, match="join tasks that give 1920 s"):
        require_time(slow, Seconds(30))


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        (replace(PROVEN, windows=TERMS.windows), "prove window .*: 0; give 1"),
        (replace(TERMS, windows=PROVEN.windows), "prove window .* a task without proofs of accuracy does not have"),
        (replace(PROVEN, accuracy=replace(ASKED, baseline=12)), "more than the baseline.*: 12; give 13"),
        (replace(PROVEN, accuracy=replace(ASKED, draws=10)), "draws: 10; give 1 to 9"),
        (replace(TERMS, accuracy=replace(ASKED, verifier=bytes(32))), "no verifier"),
    ],
)
def test_terms_of_proofs_are_refused_by_name(terms: FederatedTerms, message: str) -> None:
    PROVEN.check()
    with pytest.raises(Rejected, match=message):
        terms.check()


# The local model


def digits(count: int, seed: int) -> Dataset:
    random = np.random.default_rng(seed)
    return Dataset(random.integers(-127, 128, (count, 6), dtype=np.int8), random.integers(0, 3, count, dtype=np.int32))


SPEC = spec_from_shorthand("mlp:5", input_shape=(6,), outputs=3, batch_norm=False)
SCALING = Scaling(input_scale=1 / 64)
FIRST = network_of(float_model(SPEC, initial_model(SPEC, seed=1, scale_bits=14), 14, SCALING), digits(64, 0))
CIRCUIT = task_circuit(FIRST, 8)


@given(st.integers(0, 2**32 - 1), st.integers(0, 400))
@settings(max_examples=30, deadline=None)
def test_what_training_makes_of_the_first_model_fits_its_circuit(seed: int, moved: int) -> None:
    """And answers as before it was made to: only bits far behind the point are gone."""
    random = np.random.default_rng(seed)
    first = initial_model(SPEC, seed=1, scale_bits=14)
    model = (first + random.integers(-moved - 1, moved + 2, len(first))).astype(np.int32)
    network = network_of(float_model(SPEC, model, 14, SCALING), digits(64, 2))
    fitted = fit(CIRCUIT, network)
    assert all(node.requantisation is None or node.requantisation.shift.max() <= SHIFT for node in fitted.nodes)
    tests = digits(200, seed)
    same = evaluate(network, tests.inputs).argmax(axis=1) == evaluate(fitted, tests.inputs).argmax(axis=1)
    assert same.mean() >= 0.97
    parts = [Chunk(tests.inputs[start : start + 8], tests.labels[start : start + 8]) for start in range(0, 200, 8)]
    assert whole_count(CIRCUIT, fitted, parts) == (evaluate(fitted, tests.inputs).argmax(axis=1) == tests.labels).sum()


def test_a_layer_that_has_outgrown_the_circuit_is_refused() -> None:
    hidden = FIRST.nodes[0].requantisation
    assert hidden is not None
    grown = replace(hidden, shift=(hidden.shift - ROOM_BITS - 6).astype(np.uint8))
    network = replace(FIRST, nodes=(replace(FIRST.nodes[0], requantisation=grown), *FIRST.nodes[1:]))
    with pytest.raises(Rejected, match="node 0 needs"):
        fit(CIRCUIT, network)
    other = spec_from_shorthand("mlp:4", input_shape=(6,), outputs=3, batch_norm=False)
    small = network_of(float_model(other, initial_model(other, seed=1, scale_bits=14), 14, SCALING), digits(64, 0))
    with pytest.raises(Rejected, match="node 0 is another"):
        fit(CIRCUIT, small)


# The manifest's part


def test_chunks_are_those_on_chain_or_refused() -> None:
    data = digits(24, 5)
    tests = TestChunks(CIRCUIT, data)
    hashes = [chunk_hash(CIRCUIT, chunk) for chunk in tests.chunks]
    said = replace(ASKED, chunks=3, chunk_root=ChunkTree(hashes).root)
    tests.require(said)
    turned = Dataset(data.inputs, np.roll(data.labels, 1))
    with pytest.raises(Rejected, match="not those on chain"):
        TestChunks(CIRCUIT, turned).require(said)
    with pytest.raises(Rejected, match="not those on chain"):
        tests.require(replace(said, chunks=2))
    with pytest.raises(Rejected, match="no whole number of chunks"):
        TestChunks(CIRCUIT, digits(23, 5))


def test_a_part_that_nobody_can_meet_is_refused() -> None:
    file = FileRef(cid=Cid.of(b"f" * 32), size=len(digits(24, 5).to_bytes()))
    part = AccuracyPart.of("groth16", CIRCUIT, file)
    assert part.shape == CIRCUIT
    part.require(replace(ASKED, chunks=3))
    with pytest.raises(Rejected, match="17 right samples are asked for, of 16"):
        part.require(replace(ASKED, chunks=3, minimum_correct=17))
    large = replace_size(part, max_test_bytes(CIRCUIT, 3) + 1)
    with pytest.raises(Rejected, match="a test file of"):
        large.require(replace(ASKED, chunks=3))
    with pytest.raises(Rejected, match="circuit"):
        assert AccuracyPart(system="groth16", circuit={**part.circuit, "shift": 99}, test=file).shape


def replace_size(part: AccuracyPart, size: int) -> AccuracyPart:
    return part.model_copy(update={"test": FileRef(cid=part.test.cid, size=size)})
