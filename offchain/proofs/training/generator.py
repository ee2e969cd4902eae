"""The Noir circuit of a training step, written from its shape (docs/training-proofs.md, Circuit).

Every witness is an input and computed by `witness.py`; the circuit only checks. For tests the same circuit can be
written with switches, one for each group of constraints, so that a test sees what each group is for.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from typing import Final

from offchain.proofs.poseidon2 import BATCH, CHALLENGE, TRAINING_STATE
from offchain.proofs.training.sgd import half
from offchain.proofs.training.shape import BIAS_BITS, LABEL_BITS, SCALE, StepShape

GROUPS: Final = (
    "old weight range",
    "old bias range",
    "new weight range",
    "new bias range",
    "input range",
    "old hash",
    "new hash",
    "batch hash",
    "sign",
    "activation quotient",
    "activation remainder",
    "logit quotient",
    "logit remainder",
    "hot bit",
    "hot count",
    "hot label",
    "error quotient",
    "error remainder",
    "weight remainder",
    "bias update",
    "challenge",
    "forward product",
    "error product",
    "gradient product",
)
"""Of constraints; a group left out lets a forgery through, which tests show for each."""


def circuit_source(shape: StepShape, *, switched: bool = False) -> str:
    """The Noir source, `main` and all it calls.

    :param switched: for tests only: with an input `on` that has a switch for each of `GROUPS`, and an input
        `free_challenge` that holds where "challenge" is off
    """
    library = resources.files("offchain.proofs.training").joinpath("library.nr").read_text(encoding="utf-8")
    return library + "\n" + "\n".join(_Writer(shape, switched).main()) + "\n"


class _Writer:
    def __init__(self, shape: StepShape, switched: bool) -> None:
        self._shape = shape
        self._switched = switched
        self._layers = range(shape.layers)

    def main(self) -> Iterator[str]:
        yield "fn main("
        yield from (f"    {name}: pub Field," for name in ("old_hash", "new_hash", "batch_hash", "prover"))
        yield from (f"    {name}: {kind}," for name, kind in self._inputs())
        yield ") {"
        for part in (self._commitments(), self._forward(), self._backward(), self._updates(), self._products()):
            yield from (f"    {line}" for line in part)
        yield "}"

    def _inputs(self) -> Iterator[tuple[str, str]]:
        shape, batch = self._shape, self._shape.batch
        for i in self._layers:
            size, units = shape.sizes[i : i + 2]
            for when in ("old", "new"):
                yield f"{when}_weights_{i}", _matrix(units, size)
                yield f"{when}_biases_{i}", f"[Field; {units}]"
            yield f"sums_{i}", _matrix(batch, units)
            yield f"quotients_{i}", _matrix(batch, units)
            yield f"remainders_{i}", _matrix(units, size)
            if i < shape.layers - 1:
                yield f"signs_{i}", _matrix(batch, units)
            if i > 0:
                yield f"returned_{i}", _matrix(batch, size)
                yield f"returned_quotients_{i}", _matrix(batch, size)
        yield "inputs", _matrix(batch, shape.sizes[0])
        yield "labels", f"[Field; {batch}]"
        yield "hot", _matrix(batch, shape.sizes[-1])
        yield from ((name, "Field") for name in ("old_salt", "new_salt", "batch_salt"))
        if self._switched:
            yield "on", f"[Field; {len(GROUPS)}]"
            yield "free_challenge", "Field"

    def _on(self, *groups: str) -> str:
        switches = [f"on[{GROUPS.index(group)}]" if self._switched else "1" for group in groups]
        return switches[0] if len(switches) == 1 else f"[{', '.join(switches)}]"

    def _commitments(self) -> Iterator[str]:
        shape = self._shape
        for when in ("old", "new"):
            for i in self._layers:
                weights, biases = f"{when}_weights_{i}", f"[{when}_biases_{i}]"
                yield _ranges(shape.weight_bits, self._on(f"{when} weight range"), weights)
                yield _ranges(BIAS_BITS, self._on(f"{when} bias range"), biases)
            yield from self._hashed(TRAINING_STATE, f"{when}_hash", self._state_parts(when), [f"{when}_salt"])
            for i in self._layers:
                weights, biases = f"{when}_weights_{i}", f"{when}_biases_{i}"
                yield f"let {weights} = lowered({weights}, {2 ** (shape.weight_bits - 1)});"
                yield f"let {biases} = lowered([{biases}], {2 ** (BIAS_BITS - 1)})[0];"
        yield _ranges(shape.input_bits, self._on("input range"), "inputs")
        rows = [(shape.input_bits, f"[inputs[{n}]]", shape.sizes[0], 0) for n in range(shape.batch)]
        labels = (LABEL_BITS, "[labels]", shape.batch, 0)
        yield from self._hashed(BATCH, "batch_hash", [*rows, labels], ["batch_salt"])

    def _state_parts(self, when: str) -> list[_Part]:
        parts: list[_Part] = []
        for i in self._layers:
            size, units = self._shape.sizes[i : i + 2]
            parts.append((self._shape.weight_bits, f"{when}_weights_{i}", size * units, 0))
            parts.append((BIAS_BITS, f"[{when}_biases_{i}]", units, 0))
        return parts

    def _hashed(self, domain: int, name: str, parts: list[_Part], plain: list[str]) -> Iterator[str]:
        lines, elements = _packed(parts, plain)
        yield from lines
        yield f"equal({self._on(name.replace('_', ' '))}, hash({domain}, {elements}), {name});"

    def _forward(self) -> Iterator[str]:
        shape = self._shape
        yield "let into_0 = inputs;"
        for i in range(shape.layers - 1):
            on = self._on("sign", "activation quotient", "activation remainder")
            sizes = f"{shape.activation_bits}, {shape.scale_before(i)}, _, _"
            yield f"let into_{i + 1} = relu::<{sizes}>({on}, sums_{i}, signs_{i}, quotients_{i});"

    def _backward(self) -> Iterator[str]:
        shape, last = self._shape, self._shape.layers - 1
        on = self._on("logit quotient", "logit remainder")
        logits = _floors(shape.error_bits, shape.scale_before(last), on, f"sums_{last}", f"quotients_{last}", 0)
        on = self._on("hot bit", "hot count", "hot label")
        yield f"let errors_{last} = output_errors({on}, {logits}, hot, labels);"
        on = self._on("error quotient", "error remainder")
        for i in range(last, 0, -1):
            returned = _floors(shape.error_bits, SCALE, on, f"returned_{i}", f"returned_quotients_{i}", half(SCALE))
            yield f"let errors_{i - 1} = masked({returned}, signs_{i - 1});"

    def _updates(self) -> Iterator[str]:
        for i in self._layers:
            before, after = f"old_weights_{i}, new_weights_{i}", f"old_biases_{i}, new_biases_{i}"
            shift = f"{self._shape.weight_shift(i)}, _, _"
            on = self._on("weight remainder")
            yield f"let gradients_{i} = gradient::<{shift}>({on}, {before}, remainders_{i});"
            shift_of_bias = self._shape.bias_shift(i)
            way = "down" if shift_of_bias > 0 else "up"
            on = self._on("bias update")
            yield f"biases_{way}::<{abs(shift_of_bias)}, _>({on}, {after}, column_sums(errors_{i}));"

    def _products(self) -> Iterator[str]:
        lines, elements = _packed(self._witnessed(), ["old_hash", "new_hash", "batch_hash", "prover"], plain_first=True)
        yield from lines
        drawn = f"hash({CHALLENGE}, {elements})"
        on = self._on("challenge")
        yield f"let r = {on} * {drawn} + (1 - {on}) * free_challenge;" if self._switched else f"let r = {drawn};"
        for i in self._layers:
            checked, on = _sizes(self._shape.product_bits(i).forward), self._on("forward product")
            yield f"forward::<{checked}>({on}, into_{i}, old_weights_{i}, old_biases_{i}, sums_{i}, r);"
            if i > 0:
                checked, on = _sizes(self._shape.product_bits(i).backward), self._on("error product")
                yield f"backward::<{checked}>({on}, errors_{i}, old_weights_{i}, returned_{i}, r);"
            checked, on = _sizes(self._shape.product_bits(i).gradient), self._on("gradient product")
            yield f"accumulated::<{checked}>({on}, errors_{i}, into_{i}, gradients_{i}, r);"

    def _witnessed(self) -> list[_Part]:
        """What the challenge must depend on and no hash of the statement has: all else follows from it."""
        shape, parts = self._shape, list[_Part]()
        for i in self._layers:
            size, units = shape.sizes[i : i + 2]
            bits = shape.sum_bits(i)
            parts.append((bits + 1, f"sums_{i}", shape.batch * units, 2**bits))
            parts.append((shape.weight_shift(i), f"remainders_{i}", size * units, 0))
            if i > 0:
                bits = shape.error_bits + SCALE
                parts.append((bits + 1, f"returned_{i}", shape.batch * size, 2**bits + half(SCALE)))
        return parts


_Part = tuple[int, str, int, int]
"""Bits, a matrix's expression, how many values it has, what is added to each."""


def _packed(parts: list[_Part], plain: list[str], *, plain_first: bool = False) -> tuple[list[str], str]:
    """Statements that build an array of elements, and its name; `plain` are elements as they are."""
    lengths = [-(-values // (248 // bits)) for bits, _, values, _ in parts]
    total = sum(lengths) + len(plain)
    lines = [f"let mut elements: [Field; {total}] = [0; {total}];"]
    at = len(plain) if plain_first else 0
    for (bits, matrix, _, offset), length in zip(parts, lengths, strict=True):
        lines.append(f"elements = pack::<{bits}, {total}, _, _>(elements, {at}, {matrix}, {offset});")
        at += length
    at = 0 if plain_first else at
    lines += [f"elements[{at + i}] = {name};" for i, name in enumerate(plain)]
    return lines, "elements"


def _matrix(rows: int, columns: int) -> str:
    return f"[[Field; {columns}]; {rows}]"


def _ranges(bits: int, on: str, values: str) -> str:
    return f"ranges::<{bits}, _, _>({on}, {values});"


def _floors(bits: int, shift: int, on: str, values: str, quotients: str, added: int) -> str:
    return f"floors::<{bits}, {shift}, _, _>({on}, {values}, {quotients}, {added})"


def _sizes(bits: int) -> str:
    """How `combined` puts values whose differences have fewer than `bits` signed bits side by side."""
    return f"{bits}, {248 // bits}, _, _, _"
