"""Ceremonies in folders: what contributors hand from one to the next, and everybody can check afterwards.

A folder has `transcript.json` and one NumPy file an array; a circuit's also `circuit.json`. Nothing in a folder is
believed: `check` computes the first key again from powers that it checks, and asks whether the last one follows from
it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from offchain.errors import Rejected
from offchain.proofs.circuit import Circuit, parse_circuit
from offchain.proofs.groth16 import phase2, powers, transcript
from offchain.proofs.groth16.curve import G1, G2
from offchain.proofs.groth16.keys import ProvingKey, load_proving_key
from offchain.proofs.groth16.powers import Powers
from offchain.proofs.groth16.synthesis import synthesise
from offchain.proofs.groth16.transcript import Random, Transcript

TRANSCRIPT, CIRCUIT = "transcript.json", "circuit.json"
_MAX_CIRCUIT = 1 << 18

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found. contributors: names as they called themselves; state: the hash chain's last link, hex."""

    circuit: Circuit | None
    contributors: tuple[str, ...]
    is_finished: bool
    state: str

    @property
    def is_usable(self) -> bool:
        """Whether somebody has contributed, and the beacon has spoken."""
        return self.is_finished and bool(self.contributors)


def new_powers(to: Path, size: int) -> None:
    """Begins phase 1 for up to `size` constraints, a power of two."""
    made, record = powers.start(size)
    _write(to, record, made)


def new_circuit(to: Path, circuit: Circuit, powers_folder: Path, random: Random, say: Progress) -> None:
    """Begins phase 2 of a circuit, on powers that are checked first. Minutes for 300,000 constraints."""
    say("checking the powers")
    usable = _finished_powers(powers_folder, random)
    say("making the first key")
    key = phase2.first_key(synthesise(circuit)[0], usable)
    _write(to, phase2.start(key, circuit.circuit_hash), key, circuit)


def contribute(folder: Path, to: Path, name: str, random: Random) -> str:
    """Adds a contribution; the state to note, hex. The factors are gone when this returns.

    random: below its argument, and nobody else's to know; whoever learns it learns the factors.
    """
    record = read(folder)
    factors = transcript.draw_factors(random, len(record.first))
    after = transcript.contributed(record, name, factors, random)
    _multiply(folder, to, after, factors)
    return after.state().hex()


def finish(folder: Path, to: Path, beacon: bytes) -> str:
    """Adds the beacon's contribution, the last; the state, hex. beacon: public, and unknown before the last
    contribution."""
    record = read(folder)
    after = transcript.finished(record, beacon)
    _multiply(folder, to, after, transcript.beacon_factors(beacon, len(record.first)))
    return after.state().hex()


def check_powers(folder: Path, random: Random) -> tuple[Powers, Report]:
    """The powers of a folder, once they have been checked. Raises Rejected, saying what is wrong."""
    record, held = read(folder), _load_powers(folder)
    transcript.check_chain(record)
    powers.check_powers(held, record, random)
    return held, _report(None, record)


def check_circuit(folder: Path, powers_folder: Path, random: Random, say: Progress) -> tuple[ProvingKey, Report]:
    """The key of a circuit's folder, once it and its powers are checked. Raises Rejected, saying what is wrong."""
    circuit, record = _circuit(folder), read(folder)
    say("checking the powers")
    usable = _finished_powers(powers_folder, random)
    say("making the first key again")
    first = phase2.first_key(synthesise(circuit)[0], usable)
    say("checking the contributions")
    transcript.check_chain(record)
    last = load_proving_key(folder)
    phase2.check_key(first, last, record, circuit.circuit_hash, random)
    return last, _report(circuit, record)


def _finished_powers(folder: Path, random: Random) -> Powers:
    """Told from the transcript before anything slow is begun."""
    if not _report(None, read(folder)).is_usable:
        raise Rejected(f"{folder}: nobody has contributed, or it is not finished; finish phase 1 first")
    return check_powers(folder, random)[0]


def is_circuit(folder: Path) -> bool:
    """Whether a folder is of phase 2."""
    return (folder / CIRCUIT).is_file()


def read(folder: Path) -> Transcript:
    """The transcript of a folder, unchecked. Raises Rejected if there is none."""
    return transcript.read_transcript(_bounded(folder / TRANSCRIPT, transcript.MAX_BYTES))


def _multiply(folder: Path, to: Path, after: Transcript, factors: list[int]) -> None:
    if is_circuit(folder):
        _write(to, after, phase2.multiplied(load_proving_key(folder), *factors), _circuit(folder))
    else:
        _write(to, after, powers.multiplied(_load_powers(folder), *factors))


def _report(circuit: Circuit | None, record: Transcript) -> Report:
    names = tuple(entry.name for entry in record.entries if not entry.beacon)
    return Report(circuit, names, record.is_finished, record.state().hex())


def _write(to: Path, record: Transcript, arrays: Powers | ProvingKey, circuit: Circuit | None = None) -> None:
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise Rejected(f"{to}: is there already; name a new folder")
    to.mkdir(parents=True, exist_ok=True)
    for entry in fields(arrays):
        np.save(to / f"{entry.name}.npy", getattr(arrays, entry.name), allow_pickle=False)
    if circuit is not None:
        (to / CIRCUIT).write_bytes(circuit.description())
    (to / TRANSCRIPT).write_bytes(transcript.write_transcript(record))


def _load_powers(folder: Path) -> Powers:
    try:
        arrays = {
            entry.name: np.load(folder / f"{entry.name}.npy", mmap_mode="r", allow_pickle=False)
            for entry in fields(Powers)
        }
    except (OSError, ValueError, EOFError) as error:
        raise Rejected(f"{folder}: has no powers; name the folder of phase 1") from error
    held = Powers(**arrays)
    for name, rows in arrays.items():
        width = (G2 if name.endswith("2") else G1).width
        if rows.dtype != np.uint64 or rows.ndim != 2 or rows.shape[1] != width:
            raise Rejected(f"{folder}/{name}.npy: not an array of points; take it as it was published")
    return held


def _circuit(folder: Path) -> Circuit:
    return parse_circuit(_bounded(folder / CIRCUIT, _MAX_CIRCUIT))


def _bounded(path: Path, most: int) -> bytes:
    if not path.is_file():
        raise Rejected(f"{path}: there is none; name a ceremony's folder")
    with path.open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise Rejected(f"{path}: more than {most} bytes; take it as it was published")
    return data
