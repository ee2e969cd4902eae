"""What every training step of one circuit has in common: sizes, scales and declared bounds (docs/training-proofs.md).

The numbers of a step: weights and activations have `SCALE` fractional bits, inputs have `input_scale`, a layer's sums
and biases have both together. What leaves its declared bits is refused, never cut off: a circuit proves within them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Final

from offchain.errors import Rejected
from offchain.protocol.hashing import keccak

SCALE: Final = 10
"""Fractional bits of weights, activations and errors."""
BIAS_BITS: Final = 32
"""Of a bias, signed."""
LABEL_BITS: Final = 16

_FORMAT = "assay-training-step-1"
_MOST_DESCRIPTION = 4096


@dataclass(frozen=True, slots=True)
class ProductBits:
    """Signed bits that hold the difference between what a layer's products are and whatever a witness says they are."""

    forward: int
    backward: int
    gradient: int


@dataclass(frozen=True, slots=True)
class StepShape:
    """An MLP `sizes[0]-…-sizes[-1]` with ReLU between layers, trained by SGD on batches of one size.

    :param sizes: inputs, hidden layers, classes; 2 to 6 numbers, each in [1, 4096], classes at least 2
    :param batch: samples in a batch, [1, 256]
    :param rates: of each layer: the sum of the samples' gradients is multiplied by 2**-rate, [0, 24]
    :param input_bits: inputs are in [0, 2**input_bits), [1, 8]
    :param input_scale: fractional bits of an input, [1, 8]
    :param weight_bits: weights are in [-2**(weight_bits - 1), 2**(weight_bits - 1)), [11, 24]. Of the bits of weights,
        activations and errors the defaults are the cheapest: range checks go by 14 bits
    :param activation_bits: hidden activations are in [0, 2**activation_bits), [10, 24]
    :param error_bits: logits and propagated errors are in [-2**error_bits, 2**error_bits), [10, 24]
    :raises Rejected: what is out of these bounds
    """

    sizes: tuple[int, ...]
    batch: int
    rates: tuple[int, ...]
    input_bits: int = 5
    input_scale: int = 4
    weight_bits: int = 14
    activation_bits: int = 14
    error_bits: int = 13
    _scales: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _within("number of sizes", len(self.sizes), 2, 6)
        for size in self.sizes:
            _within("size of a layer", size, 1, 4096)
        _within("number of classes", self.sizes[-1], 2, 4096)
        _within("number of rates", len(self.rates), self.layers, self.layers)
        for rate in self.rates:
            _within("rate", rate, 0, 24)
        _within("batch", self.batch, 1, 256)
        _within("input bits", self.input_bits, 1, 8)
        _within("input scale", self.input_scale, 1, 8)
        _within("weight bits", self.weight_bits, 11, 24)
        _within("activation bits", self.activation_bits, 10, 24)
        _within("error bits", self.error_bits, 10, 24)
        object.__setattr__(self, "_scales", (self.input_scale, *(SCALE for _ in self.sizes[1:-1])))

    @property
    def layers(self) -> int:
        """Matrices of weights."""
        return len(self.sizes) - 1

    @property
    def parameters(self) -> int:
        """Weights and biases."""
        return sum((size + 1) * units for size, units in zip(self.sizes, self.sizes[1:], strict=False))

    def scale_before(self, layer: int) -> int:
        """Fractional bits of what comes into `layer`; so far are its sums shifted to have `SCALE` again."""
        return self._scales[layer]

    def sum_bits(self, layer: int) -> int:
        """A layer's sums z are in [-2**this, 2**this)."""
        last = layer == self.layers - 1
        return (self.error_bits if last else self.activation_bits) + self.scale_before(layer)

    def weight_shift(self, layer: int) -> int:
        """The weight's change is its gradient / 2**this, to the nearest; at least 1."""
        return self.rates[layer] + self.scale_before(layer)

    def bias_shift(self, layer: int) -> int:
        """The bias's change is the sum of the errors / 2**this, to the nearest."""
        return self.rates[layer] - self.scale_before(layer)

    def product_bits(self, layer: int) -> ProductBits:
        """Of the layer's products."""
        first = layer == 0
        inputs = self.input_bits if first else self.activation_bits
        weights, errors = self.weight_bits - 1, self.error_bits + 1
        size, units = self.sizes[layer : layer + 2]
        return ProductBits(
            forward=_signed(size << inputs + weights, 1 << BIAS_BITS, 1 << self.sum_bits(layer)),
            backward=_signed(units << errors + weights, 1 << self.error_bits + SCALE, 1 << SCALE),
            gradient=_signed(self.batch << errors + inputs, 1 << self.weight_bits + 1 + self.weight_shift(layer)),
        )

    def description(self) -> bytes:
        """Canonical JSON: sorted keys, no spaces."""
        document = {
            "activation_bits": self.activation_bits,
            "batch": self.batch,
            "error_bits": self.error_bits,
            "format": _FORMAT,
            "input_bits": self.input_bits,
            "input_scale": self.input_scale,
            "rates": list(self.rates),
            "sizes": list(self.sizes),
            "weight_bits": self.weight_bits,
        }
        return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()

    @property
    def circuit_hash(self) -> bytes:
        """keccak256 of the description, 32 bytes."""
        return keccak(self.description())


def parse_shape(data: bytes) -> StepShape:
    """The shape of a description; raises Rejected unless `data` is its canonical description, byte by byte."""
    if len(data) > _MOST_DESCRIPTION:
        raise Rejected(f"a training circuit's description has {len(data)} bytes: at most {_MOST_DESCRIPTION} are read")
    try:
        document = json.loads(data)
        numbers = {name: value for name, value in document.items() if name not in ("format", "sizes", "rates")}
        if not all(type(value) is int for value in (*numbers.values(), *document["sizes"], *document["rates"])):
            raise TypeError("a number is not an integer")
        shape = StepShape(sizes=tuple(document["sizes"]), rates=tuple(document["rates"]), **numbers)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise Rejected("a training circuit's description is not one: make it with StepShape.description") from error
    if shape.description() != data:
        raise Rejected("a training circuit's description is not canonical: make it with StepShape.description")
    return shape


def _within(what: str, actual: int, least: int, most: int) -> None:
    if not least <= actual <= most:
        raise Rejected(f"a training circuit's {what} is {actual}: choose one in [{least}, {most}]")


def _signed(*bounds: int) -> int:
    """Signed bits of a sum of numbers whose sizes are at most `bounds`."""
    return sum(bounds).bit_length() + 1
