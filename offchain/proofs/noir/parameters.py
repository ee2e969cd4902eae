"""Noir text about a network's parameters: their ranges, their hash, and what a challenge makes of them."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from offchain.model.graph import Op
from offchain.proofs.bounds import shift_of
from offchain.proofs.circuit import MULTIPLIER_BITS, Circuit
from offchain.proofs.noir.layout import Packing, grid, merged, offset, packing_of, tap_count, weighted
from offchain.proofs.poseidon2 import MODEL


def model(circuit: Circuit) -> Iterator[str]:
    """Weights come raised by 128, biases by 2^bias_bits; with salt and prover they are what modelHash commits to."""
    at, calls = 0, []
    for index in weighted(circuit):
        node = circuit.nodes[index]
        for bits, name, count, raised in (
            (8, f"weight{index}", tap_count(circuit, index), 0),
            (32, f"bias{index}", node.units, (1 << 31) - (1 << node.bias_bits)),
            (MULTIPLIER_BITS + circuit.shift, f"multiplier{index}", node.units, 0),
        ):
            calls.append(f"    model = pack::<{bits}, _, _>(model, {at}, {name}, {raised});")
            at += -(-count // (248 // bits))
        yield f"    ranges::<8, _>(on[WEIGHT_RANGE], weight{index});"
        yield f"    ranges::<{node.bias_bits + 1}, _>(on[BIAS_RANGE], bias{index});"
        yield f"    ranges::<{node.multiplier_bits}, _>(on[MULTIPLIER_RANGE], multiplier{index});"
    yield f"    let mut model = [0; {at + 2}];"
    yield from calls
    yield f"    model[{at}] = salt;\n    model[{at + 1}] = prover;"
    yield f"    equal(on[MODEL_HASH], hash({MODEL}, model), model_hash);"


def columns(circuit: Circuit, index: int) -> Iterator[str]:
    """The function columnsI: what the challenge's combination of a node's values is, as a combination of its inputs.

    The combination is Σ_j e^j · element j = Σ_{p, u} along[p] · across[u] · value[p, u]. Values are linear in the
    inputs, so this is Σ_y column[y] · input[y] + constant, for inputs raised by their offset.
    """
    node, packing = circuit.nodes[index], packing_of(circuit, index)
    width, low = prod(circuit.shape_of(node.inputs[0])), offset(circuit, node.inputs[0])
    raw = index in merged(circuit)
    raised = packing.raised + (0 if raw else 1 << (shift_of(circuit, index) - 1))
    yield f"fn columns{index}<let E: u32>("
    yield f"    e: [Field; E],\n    weight: [Field; {tap_count(circuit, index)}],\n    bias: [Field; {node.units}],"
    yield f"    multiplier: [Field; {node.units}],\n) -> ([Field; {width}], Field) {{"
    yield from _combination(packing)
    yield f"    let mut scaled = [0; {node.units}];"
    yield "    let mut biases: Field = 0;\n    let mut total: Field = 0;"
    yield f"    for u in 0..{node.units} {{"
    yield f"        scaled[u] = wire(across[u]{'' if raw else ' * multiplier[u]'});"
    yield "        total += scaled[u];\n        biases += scaled[u] * bias[u];\n    }"
    yield f"    total = wire(total);\n    let mut column = [0; {width}];"
    yield from _depthwise(circuit, index) if node.op is Op.DEPTHWISE_CONV2D else _taps(circuit, index)
    yield "    let mut columns: Field = 0;"
    yield f"    for y in 0..{width} {{\n        column[y] = wire(column[y]);\n        columns += column[y];\n    }}"
    yield f"    let sum = wire(biases - {1 << node.bias_bits} * total);"
    yield f"    let constant = wire(positions * sum + positions * units * {raised} + {low} * columns);"
    yield "    (column, constant)\n}\n"


def _combination(packing: Packing) -> Iterator[str]:
    """along[p], across[u], and their sums. Element j has the factor e^j; in it, values have the packing's factors."""
    positions, units, each = packing.positions, packing.units, packing.each
    if packing.by_position:
        inner = (f"e[(p / {each}) * {units}] * factors[p % {each}]", "e[u]")
    else:
        inner = (f"e[p * {-(-units // each)}]", f"e[u / {each}] * factors[u % {each}]")
    yield f"    let factors: [Field; {each}] = {packing.factors};"
    yield f"    let mut along = [0; {positions}];\n    let mut across = [0; {units}];"
    yield "    let mut positions: Field = 0;\n    let mut units: Field = 0;"
    yield f"    for p in 0..{positions} {{\n        along[p] = {inner[0]};\n        positions += along[p];\n    }}"
    yield f"    for u in 0..{units} {{\n        across[u] = {inner[1]};\n        units += across[u];\n    }}"
    yield "    positions = wire(positions);\n    units = wire(units);"


def _taps(circuit: Circuit, index: int) -> Iterator[str]:
    """DENSE, CONV2D: the rows combined to one, then spread over the positions that it slides to."""
    node, fan_in = circuit.nodes[index], circuit.fan_in(index)
    yield f"    for t in 0..{fan_in} {{"
    yield "        let mut tap: Field = -128 * total;"
    yield f"        for u in 0..{node.units} {{\n            tap += scaled[u] * weight[u * {fan_in} + t];\n        }}"
    if node.op is Op.DENSE:
        yield "        column[t] = tap;\n    }"
        return
    channels = circuit.shape_of(node.inputs[0])[2]
    yield "        tap = wire(tap);"
    across = node.kernel[1]
    yield f"        let (i, j, c) = (t / {channels * across}, t / {channels} % {across}, t % {channels});"
    yield from _slide(circuit, index, "c")
    yield "    }"


def _depthwise(circuit: Circuit, index: int) -> Iterator[str]:
    node, fan_in = circuit.nodes[index], circuit.fan_in(index)
    yield f"    for u in 0..{node.units} {{\n        for t in 0..{fan_in} {{"
    yield f"        let tap = wire(scaled[u] * weight[u * {fan_in} + t] - 128 * scaled[u]);"
    yield f"        let (i, j) = (t / {node.kernel[1]}, t % {node.kernel[1]});"
    yield from _slide(circuit, index, "u")
    yield "        }\n    }"


def _slide(circuit: Circuit, index: int, channel: str) -> Iterator[str]:
    """The tap (i, j) of a channel goes to what it is multiplied with at each position; on padding that is nothing."""
    node = circuit.nodes[index]
    height, width, channels = circuit.shape_of(node.inputs[0])
    rows, columns = grid(circuit, index)
    top, left = node.padding[:2]
    yield f"        for r in 0..{rows} {{\n            for q in 0..{columns} {{"
    yield f"                let (y, x) = (r * {node.stride[0]} + i, q * {node.stride[1]} + j);"
    yield f"                if (y >= {top}) & (y < {top + height}) & (x >= {left}) & (x < {left + width}) {{"
    yield f"                    let at = ((y - {top}) * {width} + x - {left}) * {channels} + {channel};"
    yield f"                    column[at] += along[r * {columns} + q] * tap;"
    yield "                }\n            }\n        }"
