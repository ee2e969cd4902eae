"""The Noir circuit of a `Circuit`: one call of the library `accuracy.nr` after the other, in the order of the graph.

Every witness is an input (`inputs.py`); the circuit only checks. What it checks, and why that is enough, is in
docs/accuracy-circuit.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from math import prod

from offchain.proofs.circuit import Circuit
from offchain.proofs.noir import operations, parameters
from offchain.proofs.noir.groups import Group
from offchain.proofs.noir.layout import packing_of, tap_count, weighted, widths_of
from offchain.proofs.poseidon2 import CHALLENGE, CHUNK


def generate(circuit: Circuit) -> str:
    """The Noir source of the circuit. `main`'s public inputs are those of `Statement`, in its order."""
    return _source(circuit, switched=False)


def generate_switched(circuit: Circuit) -> str:
    """For tests: the same circuit with two inputs more.

    on: a number for each `Group`, 1 for what is to hold, 0 to leave it out; challenge: what CHALLENGE says that it is.
    """
    return _source(circuit, switched=True)


def _source(circuit: Circuit, *, switched: bool) -> str:
    library = resources.files("offchain.proofs.noir").joinpath("accuracy.nr").read_text(encoding="utf-8")
    names = [f"global {group.name}: u32 = {group.value};" for group in Group]
    functions = [line for index in range(len(circuit.nodes)) for line in operations.functions(circuit, index)]
    functions += [line for index in weighted(circuit) for line in parameters.columns(circuit, index)]
    lines = [library, f"global GROUPS: u32 = {len(Group)};", *names, "", *functions, *_main(circuit, switched)]
    return "\n".join(lines) + "\n"


def _main(circuit: Circuit, switched: bool) -> Iterator[str]:
    yield "fn main("
    yield "    model_hash: pub Field,\n    chunk_hash: pub Field,\n    correct: pub Field,\n    prover: pub Field,"
    yield from (f"    {name}: {kind}," for name, kind in _witnesses(circuit).items())
    if switched:
        yield "    on: [Field; GROUPS],\n    challenge: Field,"
    yield ") {"
    if not switched:
        yield "    let on: [Field; GROUPS] = [1; GROUPS];"
    yield from parameters.model(circuit)
    yield from _chunk(circuit)
    yield from _forward(circuit)
    yield from _products(circuit, switched)
    yield from _score(circuit)
    yield "}"


def _witnesses(circuit: Circuit) -> dict[str, str]:
    """Names and types of the private inputs."""
    kinds = {"salt": "Field"}
    for index in weighted(circuit):
        units = circuit.nodes[index].units
        kinds[f"weight{index}"] = f"[Field; {tap_count(circuit, index)}]"
        kinds[f"bias{index}"] = kinds[f"multiplier{index}"] = f"[Field; {units}]"
    each = f"; {circuit.samples}]"
    kinds["samples"], kinds["labels"] = f"[[Field; {prod(circuit.input_shape)}]{each}", f"[Field{each}"
    for index in range(len(circuit.nodes)):
        kinds |= {name: f"[[Field; {count}]{each}" for name, count in operations.witnesses(circuit, index).items()}
    return kinds | dict.fromkeys(("best", "winner", "right"), f"[Field{each}")


def _chunk(circuit: Circuit) -> Iterator[str]:
    """Samples (raised by 128) and labels are those of the chunk."""
    samples, width = circuit.samples, prod(circuit.input_shape)
    each = -(-width // 31)
    yield f"    let mut chunk = [0; {each * samples + -(-samples // 15)}];"
    yield f"    for n in 0..{samples} {{"
    yield "        ranges::<8, _>(on[SAMPLE_RANGE], samples[n]);"
    yield f"        chunk = pack::<8, _, _>(chunk, n * {each}, samples[n], 0);"
    yield "    }"
    yield "    ranges::<16, _>(on[LABEL_RANGE], labels);"
    yield f"    chunk = pack::<16, _, _>(chunk, {each * samples}, labels, 0);"
    yield f"    equal(on[CHUNK_HASH], hash({CHUNK}, chunk), chunk_hash);"


def _forward(circuit: Circuit) -> Iterator[str]:
    """Each sample through the graph: outputs are checked, what goes into products is packed."""
    for index in weighted(circuit):
        yield f"    let mut packed{index} = [[0; {packing_of(circuit, index).elements}]; {circuit.samples}];"
    yield f"    for n in 0..{circuit.samples} {{"
    for index in range(len(circuit.nodes)):
        yield from operations.calls(circuit, index)
    yield "    }"


def _products(circuit: Circuit, switched: bool) -> Iterator[str]:
    """Freivalds' check of every matrix product, with a challenge that follows from all that it is about."""
    nodes = weighted(circuit)
    counts = {index: packing_of(circuit, index).elements for index in nodes}
    yield f"    let mut bound = [0; {2 + circuit.samples * sum(counts.values())}];"
    yield "    bound[0] = model_hash;\n    bound[1] = chunk_hash;"
    start = 2
    for index in nodes:
        yield f"    for n in 0..{circuit.samples} {{"
        yield f"        for j in 0..{counts[index]} {{"
        yield f"            bound[{start} + n * {counts[index]} + j] = packed{index}[n][j];"
        yield "        }\n    }"
        start += circuit.samples * counts[index]
    if switched:
        yield f"    equal(on[CHALLENGE], challenge, hash({CHALLENGE}, bound));"
    else:
        yield f"    let challenge = hash({CHALLENGE}, bound);"
    yield f"    let e = powers::<{max([*counts.values(), 2])}>(challenge);"
    for index in nodes:
        arguments = f"weight{index}, bias{index}, multiplier{index}"
        yield f"    let (column{index}, constant{index}) = columns{index}(e, {arguments});"
    yield f"    for n in 0..{circuit.samples} {{"
    for index in nodes:
        yield from _check(circuit, index, counts[index])
    yield "    }"


def _check(circuit: Circuit, index: int, count: int) -> Iterator[str]:
    tensor = circuit.nodes[index].inputs[0]
    source, width = operations.tensor_name(tensor), prod(circuit.shape_of(tensor))
    yield f"        let mut sum{index} = constant{index};"
    yield f"        for y in 0..{width} {{\n            sum{index} += column{index}[y] * {source}[n][y];\n        }}"
    yield f"        for j in 0..{count} {{\n            sum{index} -= e[j] * packed{index}[n][j];\n        }}"
    yield f"        equal(on[PRODUCT], sum{index}, 0);"


def _score(circuit: Circuit) -> Iterator[str]:
    last, classes = len(circuit.nodes) - 1, circuit.output_count
    widths = widths_of(circuit, last)
    index_bits = (classes - 1).bit_length()
    call = f"is_right::<{widths.output}, {index_bits}, _>(on, out{last}[n], labels[n], best[n], winner[n], right[n])"
    yield "    let mut count: Field = 0;"
    yield f"    for n in 0..{circuit.samples} {{\n        count += {call};\n    }}"
    yield "    equal(on[COUNT], count, correct);"
