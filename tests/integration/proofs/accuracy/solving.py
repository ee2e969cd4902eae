"""A compiled circuit that is asked about many inputs at once, and the challenge that it draws from them."""

import json
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from offchain.proofs.bounds import accumulator_bound
from offchain.proofs.circuit import Circuit
from offchain.proofs.field import ORDER, Element
from offchain.proofs.noir.barretenberg import Barretenberg, Program, hexadecimal
from offchain.proofs.noir.layout import Packing, grid, merged, packing_of, weighted, widths_of
from offchain.proofs.noir.tools import run_program
from offchain.proofs.poseidon2 import CHALLENGE, hash_elements

_SCRIPT = Path(__file__).parents[1] / "training" / "many.mjs"


def satisfied(
    barretenberg: Barretenberg, program: Program, cases: Sequence[Mapping[str, Any]], folder: Path
) -> list[bool]:
    """Which of the inputs satisfy the program."""
    given, answers = folder / "cases.json", folder / "answers.json"
    given.write_text(json.dumps([hexadecimal(case) for case in cases]))
    words = [barretenberg.tools.node, _SCRIPT, barretenberg.tools.modules, program.path, given, answers]
    run_program([str(word) for word in words], {}, seconds=1_200).succeeded("solving")
    found: list[bool] = json.loads(answers.read_text())
    return found


def challenge_of(circuit: Circuit, made: Mapping[str, Any]) -> Element:
    """hash(3, [modelHash, chunkHash, the values of each weighted node, sample by sample]), from docs/proofs.md."""
    bound = [made["model_hash"], made["chunk_hash"]]
    for index in weighted(circuit):
        packing = packing_of(circuit, index)
        for place in range(circuit.samples):
            values = _values(circuit, index, {name: value[place] for name, value in made.items() if _is_list(value)})
            bound += _packed(packing, values.reshape(packing.positions, packing.units) + packing.raised)
    return hash_elements(CHALLENGE, [value % ORDER for value in bound])


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _values(circuit: Circuit, index: int, sample: Mapping[str, Any]) -> npt.NDArray[np.object_]:
    """What a weighted node's witnesses say its values are: V, or accumulators where a pool is merged with it."""
    pool = merged(circuit).get(index)
    if pool is None:
        widths = widths_of(circuit, index)
        out = np.array(sample[f"out{index}"], dtype=object) + circuit.nodes[index].low
        if widths.over:
            out = (
                out + np.array(sample[f"above{index}"], dtype=object) - np.array(sample[f"below{index}"], dtype=object)
            )
        value: npt.NDArray[np.object_] = out * (1 << widths.rest) + np.array(sample[f"rest{index}"], dtype=object)
        return value
    height, width = circuit.nodes[pool].kernel
    largest = np.array(sample[f"largest{pool}"], dtype=object).reshape(circuit.nodes[pool].output_shape)
    spread = largest.repeat(height, axis=0).repeat(width, axis=1) - accumulator_bound(circuit, index)
    gap: npt.NDArray[np.object_] = np.array(sample[f"gap{pool}"], dtype=object).reshape(*grid(circuit, index), -1)
    accumulators: npt.NDArray[np.object_] = spread - gap
    return accumulators


def _packed(packing: Packing, values: npt.NDArray[np.object_]) -> list[int]:
    """Elements in their order; (positions, units) raised values, the first one of an element most significant."""
    by_line = [[(p, u) for u in range(packing.units)] for p in range(packing.positions)]
    if packing.by_position:
        by_line = [[(p, u) for p in range(packing.positions)] for u in range(packing.units)]
    pieces = [[line[i : i + packing.each] for i in range(0, len(line), packing.each)] for line in by_line]
    ordered = chain.from_iterable(zip(*pieces, strict=True) if packing.by_position else pieces)
    return [sum(f * values[at] for f, at in zip(packing.factors, piece, strict=False)) for piece in ordered]
