"""What a model may cost at most: the order's own limits and the protocol's, twins of `ModelRules.sol`."""

from dataclasses import dataclass

MAX_NODES = 512
"""Operations in a graph."""

MAX_ELEMENTS = 1 << 20
"""Elements of one tensor of one sample: 1,024 chunks, which the dispute game opens in two moves."""

MAX_SIDE = 1 << 20
"""Sides of shapes, kernels and strides."""

MAX_OUTPUT_ELEMENTS = 1 << 10
"""Elements of the network's output, which a dispute posts whole: beside 512 nodes still for less than a million gas."""

MAX_PADDED_ELEMENTS = 1 << 24
"""Elements of one sample's input to a convolution or pool, with its padding."""

MAX_TOTAL_ELEMENTS = 1 << 26
"""Elements of the input and of all outputs of one sample."""

MAX_UNITS = 1 << 20
"""Units of all operations with parameters: each is a leaf of a tree, which takes microseconds to hash."""

MAX_WEIGHTS = 10_000_000
"""int8 parameters in the whole network."""

MAX_MULTIPLY_ACCUMULATES = 1 << 32
"""Terms of all output elements of one sample; a ResNet-50 at 224 x 224 just fits."""

MULTIPLIER_BOUND = 1 << 22
"""Multipliers lie strictly between 0 and this."""

MAX_SHIFT = 47
"""Shifts lie between 1 and this."""

BIAS_BOUND = 1 << 31
"""Biases are smaller than this in magnitude."""

OUTPUT_BOUND = 1 << 23
"""The last node's clamp bounds are smaller than this in magnitude."""

TABLE_ELEMENTS = 256
"""Entries of a LOOKUP table, and the most rows of an EMBEDDING: one for each int8."""

UNIT_BYTES = 9
"""What a unit counts beside its weights: bias, multiplier and shift."""

MAX_TEST_SAMPLES = 1 << 21
"""Samples of a test set that validators fetch: verifying its root takes about 300 bytes of memory for each."""

MAX_GRAPH_BYTES = 1 << 20
"""The graph file; 512 nodes take an eighth of it."""

MAX_WEIGHTS_HEADER_BYTES = 1 << 20
"""The header of the weights file."""


@dataclass(frozen=True, slots=True)
class ModelLimits:
    """The limits of one order.

    max_model_bytes: int8 weights and 9 bytes for each unit, in bytes.
    max_tensor_bytes: one node's weights, and 4 bytes for each of its units, in bytes.
    max_nodes: operations in the graph.
    max_weights: int8 weights in the whole network.
    input_size, output_size: elements of a sample and of the network's output; None admits any.
    """

    max_model_bytes: int
    max_tensor_bytes: int
    max_nodes: int = MAX_NODES
    max_weights: int = MAX_WEIGHTS
    input_size: int | None = None
    output_size: int | None = None

    @property
    def max_file_bytes(self) -> int:
        """Graph and weights files together: every valid network's fit, whatever is written around its weights."""
        return self.max_model_bytes + MAX_GRAPH_BYTES + MAX_WEIGHTS_HEADER_BYTES
