"""Two phases, each with contributions: what is wrong, left out, moved or put in another's place is found out."""

import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from offchain.errors import Rejected
from offchain.proofs.groth16 import phase2, powers, transcript, vectors
from offchain.proofs.groth16.curve import G1, G2, scalar_rows, scaled, to_rows
from offchain.proofs.groth16.keys import ProvingKey, load_proving_key
from offchain.proofs.groth16.powers import Powers
from offchain.proofs.groth16.prover import prove, verify
from offchain.proofs.groth16.r1cs import Builder, System, constants, wires_of
from offchain.proofs.groth16.setup import Secrets, insecure_key
from offchain.proofs.groth16.transcript import Transcript
from offchain.proofs.groth16.witness import Solved

CIRCUIT = b"circuit hash of thirty-two bytes"
BEACON = b"block hash of some later block.."
DRAW = random.Random(7).randrange


@pytest.fixture(scope="module")
def system() -> System:
    """x^2 = first, x^2 (x + 5) = second, and a negative coefficient."""
    builder = Builder(2)
    x = builder.allocate(1)
    square = builder.product("square", wires_of(x), wires_of(x))
    cube = builder.product("cube", wires_of(square), wires_of(x).plus(5))
    builder.constrain("first", wires_of(square), constants(1, 1), wires_of(np.array([1])))
    builder.constrain("second", wires_of(cube, -3), constants(1, 1), wires_of(np.array([2]), -3))
    builder.zero("more", wires_of(x) - wires_of(x))
    return builder.system()


@pytest.fixture(scope="module")
def first_phase() -> tuple[Powers, Transcript]:
    held, record = powers.start(8)
    for name in ("ada", "bob"):
        factors = transcript.draw_factors(DRAW, 3)
        held, record = powers.multiplied(held, *factors), transcript.contributed(record, name, factors, DRAW)
    factors = transcript.beacon_factors(BEACON, 3)
    return powers.multiplied(held, *factors), transcript.finished(record, BEACON)


@pytest.fixture(scope="module")
def second_phase(system: System, first_phase: tuple[Powers, Transcript]) -> tuple[ProvingKey, ProvingKey, Transcript]:
    first = phase2.first_key(system, first_phase[0])
    key, record = first, phase2.start(first, CIRCUIT)
    for name in ("cyd", "dee"):
        factors = transcript.draw_factors(DRAW, 1)
        key, record = phase2.multiplied(key, *factors), transcript.contributed(record, name, factors, DRAW)
    factors = transcript.beacon_factors(BEACON, 1)
    return first, phase2.multiplied(key, *factors), transcript.finished(record, BEACON)


def solved(system: System, x: int) -> tuple[Solved, list[int]]:
    public = [x * x, x * x * (x + 5)]
    wires = np.zeros((system.wires, 4), dtype=np.uint64)
    wires[0] = vectors.ONE
    wires[1:4] = vectors.to_montgomery([*public, x])
    return Solved(wires, *vectors.solve(system, wires)), public


def test_the_key_of_a_ceremony_proves(
    system: System,
    first_phase: tuple[Powers, Transcript],
    second_phase: tuple[ProvingKey, ProvingKey, Transcript],
    tmp_path: Path,
) -> None:
    held, record = first_phase
    transcript.check_chain(transcript.read_transcript(transcript.write_transcript(record)))
    powers.check_powers(held, record, DRAW)
    first, last, second = second_phase
    transcript.check_chain(second)
    last.save(tmp_path)
    phase2.check_key(first, load_proving_key(tmp_path), second, CIRCUIT, DRAW)
    made, public = solved(system, 7)
    proof, again = (prove(last, made, 2, DRAW) for _ in range(2))
    assert proof != again
    assert all(verify(last.verifying_key(), public, each) for each in (proof, again))
    assert not verify(last.verifying_key(), [public[0], public[1] + 1], proof)
    assert not verify(first.verifying_key(), public, proof)


def test_the_first_key_is_that_of_its_secrets(system: System) -> None:
    secrets = Secrets(tau=12345, alpha=777, beta=999, delta=1)
    held = powers.multiplied(powers.start(8)[0], 12345, 777, 999)
    known, made = insecure_key(system, secrets), phase2.first_key(system, held)
    for name in ("a", "b1", "b2", "private", "heights", "public", "alpha", "beta", "beta2", "delta2"):
        assert np.array_equal(getattr(known, name), getattr(made, name)), name


ENTRIES: dict[str, Callable[[Transcript], tuple[transcript.Entry, ...]]] = {
    "left out": lambda t: (t.entries[0], *t.entries[2:]),
    "the first left out": lambda t: t.entries[1:],
    "moved": lambda t: (t.entries[1], t.entries[0], t.entries[2]),
    "twice": lambda t: (t.entries[0], *t.entries),
    "renamed": lambda t: (replace(t.entries[0], name="eve"), *t.entries[1:]),
    "without proof": lambda t: (replace(t.entries[0], proofs=()), *t.entries[1:]),
    "another's proof": lambda t: (replace(t.entries[0], proofs=t.entries[1].proofs), *t.entries[1:]),
    "replaced": lambda t: (*replaced(t).entries, *t.entries[1:]),
    "another beacon": lambda t: (*t.entries[:2], replace(t.entries[2], beacon=BEACON[::-1])),
    "after the beacon": lambda t: (*t.entries, t.entries[0]),
}


def replaced(record: Transcript) -> Transcript:
    begun = Transcript(record.subject, record.first)
    return transcript.contributed(begun, "eve", transcript.draw_factors(DRAW, len(record.first)), DRAW)


@pytest.mark.parametrize("how", ENTRIES)
def test_a_chain_that_was_changed_is_found_out(how: str, first_phase: tuple[Powers, Transcript]) -> None:
    record = first_phase[1]
    with pytest.raises(Rejected, match=r"follow|after the beacon"):
        transcript.check_chain(replace(record, entries=ENTRIES[how](record)))


def test_an_entry_of_another_ceremony_is_found_out(first_phase: tuple[Powers, Transcript]) -> None:
    record = first_phase[1]
    with pytest.raises(Rejected, match="entry 0"):
        transcript.check_chain(replace(record, subject=bytes(32)))


def test_powers_that_are_not_those_of_the_transcript(first_phase: tuple[Powers, Transcript]) -> None:
    held, record = first_phase
    two = scalar_rows([2])
    wrong = [
        replace(held, **{name: _changed(getattr(held, name), group, row)})
        for name, group, row in [
            ("tau", G1, 5),
            ("tau", G1, 0),
            ("tau", G1, 1),
            ("alpha", G1, 3),
            ("alpha", G1, 0),
            ("beta", G1, 7),
            ("tau2", G2, 0),
            ("tau2", G2, 1),
            ("tau2", G2, 7),
            ("beta2", G2, 0),
        ]
    ]
    wrong.append(replace(held, tau=held.tau[:-1]))
    wrong.append(replace(held, tau=scaled(G1, held.tau, two), tau2=scaled(G2, held.tau2, two)))
    zeros = held.alpha.copy()
    zeros[4] = 0
    wrong.append(replace(held, alpha=zeros))
    for each in wrong:
        with pytest.raises(Rejected):
            powers.check_powers(each, record, DRAW)
    with pytest.raises(Rejected, match="of powers"):
        powers.check_powers(held, replace(record, subject=bytes(32)), DRAW)
    with pytest.raises(Rejected, match="last entry"):
        powers.check_powers(held, replace(record, entries=record.entries[:2]), DRAW)


def test_keys_that_do_not_follow(second_phase: tuple[ProvingKey, ProvingKey, Transcript]) -> None:
    first, last, record = second_phase
    groups = {"b2": G2, "beta2": G2, "delta2": G2}
    names = ("a", "b1", "b2", "private", "heights", "public", "alpha", "beta", "delta", "beta2", "delta2")
    for name in names:
        edited = replace(last, **{name: _changed(getattr(last, name), groups.get(name, G1), 0)})
        with pytest.raises(Rejected):
            phase2.check_key(first, edited, record, CIRCUIT, DRAW)
    with pytest.raises(Rejected, match="wires"):
        phase2.check_key(first, replace(last, a_wires=last.a_wires + 1), record, CIRCUIT, DRAW)
    skipped = phase2.multiplied(last, 5)
    with pytest.raises(Rejected, match="last entry"):
        phase2.check_key(first, skipped, record, CIRCUIT, DRAW)
    with pytest.raises(Rejected, match="another circuit"):
        phase2.check_key(first, last, record, bytes(32), DRAW)


def test_a_delta_without_its_inverse_is_found_out(
    second_phase: tuple[ProvingKey, ProvingKey, Transcript],
) -> None:
    first, last, record = second_phase
    forgotten = replace(last, private=first.private, heights=first.heights)
    with pytest.raises(Rejected, match="does not fit its delta"):
        phase2.check_key(first, forgotten, record, CIRCUIT, DRAW)


def test_transcripts_of_strangers(first_phase: tuple[Powers, Transcript]) -> None:
    good = json.loads(transcript.write_transcript(first_phase[1]))
    for edit in (
        {"state": "00" * 32},
        {"version": 2},
        {"first": ["11" * 64]},
        {"entries": good["entries"][:2]},
        {"more": 1},
        {"entries": [{**good["entries"][0], "points": ["ff" * 64] * 3}]},
    ):
        with pytest.raises(Rejected):
            transcript.read_transcript(json.dumps({**good, **edit}).encode())
    with pytest.raises(Rejected):
        transcript.read_transcript(b"{" * 100)
    with pytest.raises(Rejected, match="16 to 64"):
        transcript.beacon_factors(b"short", 1)
    with pytest.raises(Rejected, match="finished"):
        transcript.contributed(first_phase[1], "late", [1, 2, 3], DRAW)


def _changed(rows: np.ndarray, group: object, row: int) -> np.ndarray:
    """One row is another point of the group."""
    result = np.array(rows)
    generator = to_rows(group, [group.generator])  # type: ignore[attr-defined, arg-type]
    result[row] = scaled(group, generator, scalar_rows([424242]))[0]  # type: ignore[arg-type]
    return result
