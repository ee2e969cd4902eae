"""What follows from an operation alone: which fields it uses, and the window that it slides over its input."""

from math import prod

from offchain.model.graph import IntegerNetwork, Node, Op, Shape

WINDOWED = frozenset({Op.CONV2D, Op.DEPTHWISE_CONV2D, Op.MAX_POOL2D, Op.AVERAGE_POOL2D})
WEIGHTED = frozenset({Op.DENSE, Op.CONV2D, Op.DEPTHWISE_CONV2D})
TABLES = frozenset({Op.LOOKUP, Op.EMBEDDING})
"""Operations whose parameters are looked up, not multiplied."""
PARAMETRIC = WEIGHTED | TABLES
PAIRED = frozenset({Op.ADD, Op.MULTIPLY, Op.CONCAT})
"""Operations with two inputs."""
SCALED = frozenset({Op.ADD, Op.MULTIPLY, Op.AVERAGE_POOL2D})
"""Operations with one scale for all elements."""


def fan_in_of(node: Node, input_shape: Shape) -> int:
    """How many terms one output element is made of."""
    match node.op:
        case Op.DENSE:
            return prod(input_shape)
        case Op.CONV2D:
            return prod(node.kernel) * input_shape[2]
        case Op.DEPTHWISE_CONV2D | Op.MAX_POOL2D | Op.AVERAGE_POOL2D:
            return prod(node.kernel)
        case _:
            return 1


def multiply_accumulates(network: IntegerNetwork, node: Node) -> int:
    """The terms of all output elements of a node, for one sample."""
    return prod(node.output_shape) * fan_in_of(node, network.shape_of(node.inputs[0]))


def window_shape(node: Node, shape: Shape) -> tuple[int, int]:
    """The rows and columns that a window gives to an input (height, width, channels); at most 0 if it is too large."""
    padded = tuple(shape[axis] + node.padding[axis] + node.padding[axis + 2] for axis in (0, 1))
    rows, columns = ((padded[axis] - node.kernel[axis]) // node.stride[axis] + 1 for axis in (0, 1))
    return rows, columns
