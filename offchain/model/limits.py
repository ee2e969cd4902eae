"""What a model may cost at most: the order's own limits and the protocol's."""

from dataclasses import dataclass

MAX_ELEMENTS = 1 << 22
"""Elements of one tensor of one sample."""

MAX_UNITS = 1 << 20
"""Output units of all weighted operations: each is a leaf of the model root, which takes microseconds to hash."""

MAX_PADDED_ELEMENTS = 1 << 24
"""Elements of one sample's input to a convolution or pool, with its padding."""

MAX_LIVE_ELEMENTS = 1 << 26
"""Elements of all tensors of one sample that are needed at the same time."""

MAX_MULTIPLY_ACCUMULATES = 1 << 32
"""Multiply-accumulates (or comparisons, in a pool) for one sample; a ResNet-50 at 224 x 224 just fits."""

ACCUMULATOR_BOUND = 1 << 31
"""Every partial sum of an accumulator is smaller than this in magnitude, whatever the input."""

REQUANTISATION_BOUND = 1 << 53
"""Accumulator times multiplier plus rounding stays below this, so that float64 holds it exactly too."""

MULTIPLIER_BOUND = 1 << 22
"""Multipliers lie strictly between 0 and this."""

MAX_SHIFT = 47
"""Shifts lie between 1 and this."""

OUTPUT_BOUND = 1 << 23
"""The last node's clamp bounds are smaller than this in magnitude."""

MAX_TEST_SAMPLES = 1 << 21
"""Samples of a test set that validators fetch: verifying its root takes about 300 bytes of memory for each."""


@dataclass(frozen=True, slots=True)
class ModelLimits:
    """The limits of one order.

    max_model_bytes: graph and weights files together, in bytes.
    max_tensor_bytes: one tensor of the weights file, in bytes.
    max_nodes: operations in the graph.
    max_weights: int8 weights in the whole network.
    """

    max_model_bytes: int
    max_tensor_bytes: int
    max_nodes: int = 512
    max_weights: int = 10_000_000
