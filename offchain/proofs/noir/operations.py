"""Noir text of the graph's operations, one sample at a time: outputs are checked, products packed."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from offchain.model.graph import Op
from offchain.model.windows import WEIGHTED
from offchain.proofs.bounds import shift_of
from offchain.proofs.circuit import Circuit
from offchain.proofs.noir.layout import Widths, factors, needs_clamp, packing_of, widths_of


def tensor_name(tensor: int) -> str:
    """The witness of a tensor id, [[Field; elements]; samples], raised by its least value."""
    return "samples" if tensor == 0 else f"out{tensor - 1}"


def functions(circuit: Circuit, index: int) -> Iterator[str]:
    """The function checkI of a node: of one sample, its input(s), outputs and what belongs to them."""
    node, widths = circuit.nodes[index], widths_of(circuit, index)
    count = prod(node.output_shape)
    yield f"// {node.op.name}, {list(circuit.shape_of(node.inputs[0]))} to {list(node.output_shape)}"
    yield f"fn check{index}("
    yield "    on: [Field; GROUPS],"
    for place, tensor in enumerate(node.inputs):
        yield f"    x{place}: [Field; {prod(circuit.shape_of(tensor))}],"
    yield from (f"    {name}: [Field; {count}]," for name in ("out", *_extra(circuit, index)))
    yield f"){_result(circuit, index)} {{"
    if node.op in WEIGHTED:
        yield from _packed(circuit, index, widths)
    elif node.op is Op.ADD:
        yield from _add(circuit, index, widths)
    else:
        yield from _pool(circuit, index, widths)
    yield "}\n"


def calls(circuit: Circuit, index: int) -> Iterator[str]:
    """The call of checkI for sample n."""
    node = circuit.nodes[index]
    arguments = [f"{tensor_name(tensor)}[n]" for tensor in node.inputs]
    arguments += [f"{name}{index}[n]" for name in ("out", *_extra(circuit, index))]
    target = f"packed{index}[n] = " if node.op in WEIGHTED else ""
    yield f"        {target}check{index}({', '.join(['on', *arguments])});"


def _extra(circuit: Circuit, index: int) -> list[str]:
    widths = widths_of(circuit, index)
    if not needs_clamp(circuit, index):
        return []
    return [*(["below", "above"] if widths.over else []), *(["rest"] if widths.rest else [])]


def _result(circuit: Circuit, index: int) -> str:
    if circuit.nodes[index].op not in WEIGHTED:
        return ""
    return f" -> [Field; {packing_of(circuit, index).elements}]"


def _requantised(circuit: Circuit, index: int, widths: Widths, at: str) -> str:
    """The call that checks output `at` and gives its V."""
    extra = _extra(circuit, index)
    values = [f"{name}[{at}]" if name in ("out", *extra) else "0" for name in ("out", "below", "above", "rest")]
    numbers = f"{1 << widths.rest}, {circuit.nodes[index].low}, {widths.most}"
    generics = f"{widths.output}, {widths.limit}, {widths.over}, {widths.rest}"
    return f"requantised::<{generics}>(on, {numbers}, {', '.join(values)})"


def _packed(circuit: Circuit, index: int, widths: Widths) -> Iterator[str]:
    """The values V, packed: element j of the packing's order, the first value of each most significant."""
    packing = packing_of(circuit, index)
    each, units = packing.each, packing.units
    if packing.by_position:
        element, place = f"(p / {each}) * {units} + u", f"p % {each}"
    else:
        element, place = f"p * {-(-units // each)} + u / {each}", f"u % {each}"
    yield f"    let factors: [Field; {each}] = {factors(packing)};"
    yield f"    let mut packed = [0; {packing.elements}];"
    yield f"    for p in 0..{packing.positions} {{\n        for u in 0..{units} {{"
    yield f"            let value = {_requantised(circuit, index, widths, f'p * {units} + u')};"
    yield f"            packed[{element}] += factors[{place}] * (value + {packing.raised});"
    yield "        }\n    }"
    yield f"    for j in 0..{packing.elements} {{\n        packed[j] = wire(packed[j]);\n    }}"
    yield "    packed"


def _add(circuit: Circuit, index: int, widths: Widths) -> Iterator[str]:
    node = circuit.nodes[index]
    lows = [circuit.bounds_of(tensor)[0] for tensor in node.inputs]
    terms = [f"{m} * (x{place}[i] + {low})" for place, (m, low) in enumerate(zip(node.multipliers, lows, strict=True))]
    yield f"    for i in 0..{prod(node.output_shape)} {{"
    yield f"        let value = {_requantised(circuit, index, widths, 'i')};"
    yield f"        equal(on[SUM], value, {' + '.join(terms)} + {1 << (node.shift - 1)});"
    yield "    }"


def _pool(circuit: Circuit, index: int, widths: Widths) -> Iterator[str]:
    """Windows one by one: what they hold differs at the padding, so each position's elements are written out."""
    node = circuit.nodes[index]
    rows, columns, channels = node.output_shape
    low, high = circuit.bounds_of(node.inputs[0])
    for position in range(rows * columns):
        elements = _window(circuit, index, divmod(position, columns))
        yield f"    for c in 0..{channels} {{"
        at = f"{position * channels} + c"
        if node.op is Op.AVERAGE_POOL2D:
            total = " + ".join(f"x0[{element * channels} + c]" for element in elements)
            constant = (1 << (shift_of(circuit, index) - 1)) + node.multipliers[0] * low * len(elements)
            yield f"        let value = {_requantised(circuit, index, widths, at)};"
            yield f"        equal(on[SUM], value, {node.multipliers[0]} * ({total}) + {constant});"
        else:
            clamped = needs_clamp(circuit, index)
            value = _requantised(circuit, index, widths, at) if clamped else f"out[{at}] + {node.low}"
            values = ", ".join(f"x0[{element * channels} + c]" for element in elements)
            yield f"        largest_of::<{(high - low).bit_length()}, _>(on, {value} - {low}, [{values}]);"
        yield "    }"


def _window(circuit: Circuit, index: int, position: tuple[int, int]) -> list[int]:
    """The input's (row * width + column) that a window covers, without padding."""
    node = circuit.nodes[index]
    height, width, _ = circuit.shape_of(node.inputs[0])
    spans = []
    for axis, side in enumerate((height, width)):
        start = position[axis] * node.stride[axis] - node.padding[axis]
        spans.append(range(max(start, 0), min(start + node.kernel[axis], side)))
    return [y * width + x for y in spans[0] for x in spans[1]]
