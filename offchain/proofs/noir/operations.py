"""Noir text of the graph's operations, one sample at a time: outputs are checked, what products give is packed."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from offchain.errors import Bug
from offchain.model.graph import Op
from offchain.model.windows import WEIGHTED
from offchain.proofs.bounds import accumulator_bound
from offchain.proofs.circuit import Circuit
from offchain.proofs.noir.layout import accumulator_bits, merged, offset, packing_of, widths_of

_REQUANTISED = ("below", "above", "rest")


def tensor_name(tensor: int) -> str:
    """The witness of a tensor id, [[Field; elements]; samples], raised by its `offset`."""
    return "samples" if tensor == 0 else f"out{tensor - 1}"


def witnesses(circuit: Circuit, index: int) -> dict[str, int]:
    """What node `index` adds to the witness of each sample: names and numbers of elements."""
    if index in merged(circuit):
        return {}
    count, source = prod(circuit.nodes[index].output_shape), _source(circuit, index)
    widths = widths_of(circuit, source)
    made = {f"out{index}": count}
    if source != index:
        made |= {f"largest{index}": count, f"gap{index}": count * prod(circuit.nodes[index].kernel)}
    if widths.over:
        made |= {f"below{index}": count, f"above{index}": count}
    return made | ({f"rest{index}": count} if widths.rest else {})


def functions(circuit: Circuit, index: int) -> Iterator[str]:
    """The function checkI of a node: of one sample, its inputs, outputs and what belongs to them."""
    node, source = circuit.nodes[index], _source(circuit, index)
    if index in merged(circuit):
        return
    yield f"// {node.op.name} to {list(node.output_shape)}" + (f", of node {source}" if source != index else "")
    yield f"fn check{index}(\n    on: [Field; GROUPS],"
    if source != index:
        yield f"    multiplier: [Field; {circuit.nodes[source].units}],"
    else:
        shapes = [circuit.shape_of(tensor) for tensor in node.inputs]
        yield from (f"    x{place}: [Field; {prod(shape)}]," for place, shape in enumerate(shapes))
    yield from (f"    {name}: [Field; {count}]," for name, count in _arguments(circuit, index).items())
    yield f"){_result(circuit, index)} {{\n    let mut slack: Field = 0;"
    match node.op:
        case Op.ADD:
            yield from _add(circuit, index)
        case Op.AVERAGE_POOL2D:
            yield from _average(circuit, index)
        case Op.MAX_POOL2D if source != index:
            yield from _merged(circuit, index, source)
        case Op.MAX_POOL2D:
            yield from _maximum(circuit, index)
        case _:
            yield from _weighted(circuit, index)
    yield "}\n"


def calls(circuit: Circuit, index: int) -> Iterator[str]:
    """The call of checkI for sample n."""
    if index in merged(circuit):
        return
    node, source = circuit.nodes[index], _source(circuit, index)
    arguments = [f"{tensor_name(tensor)}[n]" for tensor in node.inputs]
    if source != index:
        arguments = [f"multiplier{source}"]
    arguments += [f"{name}[n]" for name in witnesses(circuit, index)]
    target = f"packed{source}[n] = " if circuit.nodes[source].op in WEIGHTED else ""
    yield f"        {target}check{index}({', '.join(['on', *arguments])});"


def _source(circuit: Circuit, index: int) -> int:
    """The node whose requantisation a node does: its own, or that of the convolution merged into it."""
    return {pool: node for node, pool in merged(circuit).items()}.get(index, index)


def _arguments(circuit: Circuit, index: int) -> dict[str, int]:
    return {name.rstrip("0123456789"): count for name, count in witnesses(circuit, index).items()}


def _result(circuit: Circuit, index: int) -> str:
    source = _source(circuit, index)
    weighted = circuit.nodes[source].op in WEIGHTED
    return f" -> [Field; {packing_of(circuit, source).elements}]" if weighted else ""


def _requantised(circuit: Circuit, index: int, at: str) -> str:
    """Checks output `at`: `value` is its V, and `slack` what must add up to 0."""
    source = _source(circuit, index)
    widths, given = widths_of(circuit, source), _arguments(circuit, index)
    values = [f"out[{at}]", *(f"{name}[{at}]" if name in given else "0" for name in _REQUANTISED)]
    numbers = f"{1 << widths.rest}, {circuit.nodes[source].low}, {widths.most}"
    generics = f"{widths.output}, {widths.limit}, {widths.over}, {widths.rest}"
    call = f"requantised::<{generics}>(on, {numbers}, {', '.join(values)})"
    return f"        let (value, part) = {call};\n        slack += part;"


_NO_SLACK = "    equal(on[CLAMP], slack, 0);"


def _weighted(circuit: Circuit, index: int) -> Iterator[str]:
    """The values V, packed."""
    packing = packing_of(circuit, index)
    yield from _packed(circuit, index, "value", _requantised(circuit, index, f"p * {packing.units} + u"))


def _packed(circuit: Circuit, index: int, value: str, before: str) -> Iterator[str]:
    packing = packing_of(circuit, index)
    element, place = packing.place("p", "u")
    yield f"    let factors: [Field; {packing.each}] = {packing.factors};"
    yield f"    let mut packed = [0; {packing.elements}];"
    yield f"    for p in 0..{packing.positions} {{\n        for u in 0..{packing.units} {{\n{before}"
    yield f"        packed[{element}] += factors[{place}] * ({value} + {packing.raised});"
    yield f"        }}\n    }}\n{_NO_SLACK}"
    yield f"    for j in 0..{packing.elements} {{\n        packed[j] = solid_wire(packed[j]);\n    }}\n    packed"


def _merged(circuit: Circuit, index: int, source: int) -> Iterator[str]:
    """The largest accumulator of each window is requantised, the others are `gap` less; all are packed."""
    node, bound = circuit.nodes[index], accumulator_bound(circuit, source)
    rows, columns, units = node.output_shape
    (height, width), bits = node.kernel, accumulator_bits(circuit, source)
    half = 1 << (circuit.shift - 1)
    yield f"    for w in 0..{rows * columns} {{\n        for u in 0..{units} {{\n        let at = w * {units} + u;"
    yield f"        range::<{bits}>(on[ACCUMULATOR_RANGE], largest[at]);"
    yield _requantised(circuit, index, "at")
    yield f"        equal(on[SUM], value, (largest[at] - {bound}) * multiplier[u] + {half});"
    yield "        let mut product: Field = 1;"
    yield f"        for k in 0..{height * width} {{"
    yield f"            let (r, q) = (w / {columns} * {height} + k / {width}, w % {columns} * {width} + k % {width});"
    yield f"            let distance = gap[(r * {columns * width} + q) * {units} + u];"
    yield f"            range::<{bits}>(on[LARGEST_RANGE], distance);"
    yield "            product *= distance;\n        }"
    yield "        equal(on[LARGEST_IS_ONE], product, 0);\n        }\n    }"
    window = f"(p / {columns * width} / {height} * {columns} + p % {columns * width} / {width})"
    before = f"        let accumulator = largest[{window} * {units} + u] - {bound} - gap[p * {units} + u];"
    yield from _packed(circuit, source, "accumulator", before)


def _add(circuit: Circuit, index: int) -> Iterator[str]:
    node = circuit.nodes[index]
    lows = [offset(circuit, tensor) for tensor in node.inputs]
    terms = [f"{m} * (x{place}[i] + {low})" for place, (m, low) in enumerate(zip(node.multipliers, lows, strict=True))]
    yield f"    for i in 0..{prod(node.output_shape)} {{\n{_requantised(circuit, index, 'i')}"
    yield f"        equal(on[SUM], value, {' + '.join(terms)} + {1 << (node.shift - 1)});"
    yield f"    }}\n{_NO_SLACK}"


def _average(circuit: Circuit, index: int) -> Iterator[str]:
    node, low = circuit.nodes[index], offset(circuit, circuit.nodes[index].inputs[0])
    channels, (multiplier,) = node.output_shape[2], node.multipliers
    for position, elements in _windows(circuit, index):
        constant = (1 << (node.shift - 1)) + multiplier * low * len(elements)
        total = " + ".join(f"x0[{element * channels} + c]" for element in elements)
        yield f"    for c in 0..{channels} {{\n{_requantised(circuit, index, f'{position * channels} + c')}"
        yield f"        equal(on[SUM], value, {multiplier} * ({total}) + {constant});\n    }}"
    yield _NO_SLACK


def _maximum(circuit: Circuit, index: int) -> Iterator[str]:
    """`value` is the largest of the window; where nothing can be out of bounds, the output itself."""
    node, tensor = circuit.nodes[index], circuit.nodes[index].inputs[0]
    channels, (low, high) = node.output_shape[2], circuit.bounds_of(tensor)
    for position, elements in _windows(circuit, index):
        values = ", ".join(f"x0[{element * channels} + c]" for element in elements)
        yield f"    for c in 0..{channels} {{\n{_requantised(circuit, index, f'{position * channels} + c')}"
        bits, raised = (high - low).bit_length(), f"value - {offset(circuit, tensor)}"
        yield f"        largest_of::<{bits}, _>(on, {raised}, [{values}]);"
        yield "    }"
    yield _NO_SLACK


def _windows(circuit: Circuit, index: int) -> Iterator[tuple[int, list[int]]]:
    """For each position of a pool, the input's (row * width + column) that it covers, without padding."""
    node = circuit.nodes[index]
    height, width, _ = circuit.shape_of(node.inputs[0])
    rows, columns, _ = node.output_shape
    for position in range(rows * columns):
        spans = []
        for axis, side in enumerate((height, width)):
            start = divmod(position, columns)[axis] * node.stride[axis] - node.padding[axis]
            spans.append(range(max(start, 0), min(start + node.kernel[axis], side)))
        elements = [y * width + x for y in spans[0] for x in spans[1]]
        if not elements:
            raise Bug("a window without elements")
        yield position, elements
