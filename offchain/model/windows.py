"""The shape that each operation gives to its output, and the window it slides over its input."""

from math import prod

from offchain.errors import Rejected
from offchain.model.graph import IntegerNetwork, Node, Op, Shape

WINDOWED = frozenset({Op.CONV2D, Op.DEPTHWISE_CONV2D, Op.MAX_POOL2D, Op.AVERAGE_POOL2D})
WEIGHTED = frozenset({Op.DENSE, Op.CONV2D, Op.DEPTHWISE_CONV2D})


def units_of(node: Node) -> int:
    """Output units: features of a dense layer, channels of everything else."""
    return node.output_shape[-1]


def fan_in_of(node: Node, input_shape: Shape) -> int:
    """How many input elements one output element of a weighted operation or a pool is made of."""
    area = node.kernel[0] * node.kernel[1]
    match node.op:
        case Op.DENSE:
            return prod(input_shape)
        case Op.CONV2D:
            return area * input_shape[2]
        case Op.DEPTHWISE_CONV2D | Op.MAX_POOL2D | Op.AVERAGE_POOL2D:
            return area
        case Op.ADD:
            return 2


def multiply_accumulates(network: IntegerNetwork, node: Node) -> int:
    """The multiply-accumulates (or comparisons) that the node needs for one sample."""
    return prod(node.output_shape) * fan_in_of(node, network.shape_of(node.inputs[0]))


def infer_shape(node: Node, input_shapes: tuple[Shape, ...]) -> Shape:
    """The output shape that follows from the inputs; for the weighted operations, with the declared number of units.

    Raises Rejected, without the node's name, when the inputs don't suit the operation.
    """
    first = input_shapes[0]
    if node.op is Op.DENSE:
        return (units_of(node),)
    if node.op is Op.ADD:
        if input_shapes[0] != input_shapes[1]:
            raise Rejected(f"adds shape {list(input_shapes[0])} to {list(input_shapes[1])}; they must be equal")
        return first
    if len(first) != 3:
        raise Rejected(f"needs an input of (height, width, channels); it reads shape {list(first)}")
    rows, columns = (_positions(node, first, axis) for axis in (0, 1))
    if rows < 1 or columns < 1:
        raise Rejected(f"its kernel {list(node.kernel)} is larger than its padded input {list(first)}")
    return (rows, columns, units_of(node) if node.op is Op.CONV2D else first[2])


def _positions(node: Node, shape: Shape, axis: int) -> int:
    padded = shape[axis] + node.padding[axis] + node.padding[axis + 2]
    return (padded - node.kernel[axis]) // node.stride[axis] + 1
