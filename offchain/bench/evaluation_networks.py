"""The networks that `assay bench evaluation` measures, with random weights, and the same in float32 torch."""

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as functional

from offchain.errors import Bug
from offchain.model.graph import IntegerNetwork, Node, Op, Requantisation, Shape
from offchain.model.limits import OUTPUT_BOUND

Float = Callable[[torch.Tensor], torch.Tensor]


class Builder:
    """Appends nodes with random weights and scales that keep activations spread over int8."""

    def __init__(self, input_shape: Shape, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._input_shape = input_shape
        self._nodes: list[Node] = []

    def dense(self, units: int, *, last: bool = False) -> int:
        """A dense layer on the latest tensor, with ReLU unless it is the last."""
        fan_in = int(np.prod(self._shape(len(self._nodes))))
        bound = OUTPUT_BOUND - 1
        low, high = (-bound, bound) if last else (0, 127)
        return self._weighted(Op.DENSE, len(self._nodes), (units,), fan_in, low=low, high=high)

    def conv(
        self,
        units: int,
        kernel: int,
        *,
        source: int | None = None,
        stride: int = 1,
        padding: int = 0,
        relu: bool = True,
    ) -> int:
        """A convolution on tensor `source` (the latest by default)."""
        source = len(self._nodes) if source is None else source
        height, width, channels = self._shape(source)
        rows, columns = ((side + 2 * padding - kernel) // stride + 1 for side in (height, width))
        window = {"kernel": (kernel, kernel), "stride": (stride, stride), "padding": (padding,) * 4}
        fan_in = kernel * kernel * channels
        return self._weighted(
            Op.CONV2D, source, (rows, columns, units), fan_in, low=0 if relu else -128, high=127, **window
        )

    def pool(self, op: Op, side: int) -> int:
        """A pool of side x side windows, side apart, on the latest tensor."""
        height, width, channels = self._shape(len(self._nodes))
        scale = None if op is Op.MAX_POOL2D else _scale([(1 << 16) // side**2], 16)
        shape = (height // side, width // side, channels)
        window = (side, side)
        return self._append(Node(op, (len(self._nodes),), shape, -128, 127, window, window, requantisation=scale))

    def add(self, first: int, second: int, *, relu: bool = True) -> int:
        """The sum of two tensors, halved, with ReLU."""
        low, scale = 0 if relu else -127, _scale([1 << 19, 1 << 19], 20, 1)
        return self._append(Node(Op.ADD, (first, second), self._shape(first), low, 127, requantisation=scale))

    def gates(self, source: int, units: int) -> int:
        """A dense layer on tensor `source`, spread over int8, for a curve to follow."""
        fan_in = int(np.prod(self._shape(source)))
        return self._weighted(Op.DENSE, source, (units,), fan_in, low=-127, high=127)

    def curve(self, source: int, function: Callable[[torch.Tensor], torch.Tensor]) -> int:
        """A function of each element by table; the argument goes from -4 to 4."""
        table = torch.round(127 * function(torch.arange(-128, 128) / 32.0)).numpy().astype(np.int8)
        return self._append(Node(Op.LOOKUP, (source,), self._shape(source), -127, 127, weight=table.reshape(1, 256)))

    def product(self, first: int, second: int) -> int:
        """The product of two tensors, in which 127 stands for 1."""
        return self._append(
            Node(Op.MULTIPLY, (first, second), self._shape(first), -127, 127, requantisation=_scale([16513], 21))
        )

    def part(self, source: int, offset: int, count: int) -> int:
        """`count` elements of a tensor."""
        return self._append(Node(Op.SLICE, (source,), (count,), -128, 127, offset=offset))

    def joined(self, first: int, second: int) -> int:
        """Two tensors one after the other."""
        count = int(np.prod(self._shape(first)) + np.prod(self._shape(second)))
        return self._append(Node(Op.CONCAT, (first, second), (count,), -128, 127))

    def build(self) -> IntegerNetwork:
        """The network."""
        return IntegerNetwork(self._input_shape, tuple(self._nodes), output_scale=1.0)

    def _shape(self, tensor: int) -> Shape:
        return self._input_shape if tensor == 0 else self._nodes[tensor - 1].output_shape

    def _append(self, node: Node) -> int:
        self._nodes.append(node)
        return len(self._nodes)

    def _weighted(
        self, op: Op, source: int, shape: Shape, fan_in: int, *, low: int, high: int, **window: tuple[int, ...]
    ) -> int:
        units = shape[-1]
        # Products of uniform int8 have a deviation of about 74 * 74 and grow with the root of the fan-in.
        factor = int((1 << 30) / (74 * max(fan_in, 1) ** 0.5))
        return self._append(
            Node(
                op,
                (source,),
                shape,
                low,
                high,
                weight=self._rng.integers(-127, 128, (units, fan_in), dtype=np.int8),
                bias=self._rng.integers(-1000, 1000, units).astype(np.int32),
                requantisation=_scale([factor >> 8] * units, 22),
                **window,  # type: ignore[arg-type]
            )
        )


def _scale(multipliers: list[int], shift: int, shifts: int | None = None) -> Requantisation:
    count = len(multipliers) if shifts is None else shifts
    return Requantisation(np.array(multipliers, dtype=np.int32), np.full(count, shift, dtype=np.uint8))


def multilayer_perceptron(units: list[int], seed: int) -> IntegerNetwork:
    """units[0] inputs, the rest layers."""
    builder = Builder((units[0],), seed)
    for width in units[1:-1]:
        builder.dense(width)
    builder.dense(units[-1], last=True)
    return builder.build()


def lenet(seed: int) -> IntegerNetwork:
    """The size of LeNet-5 (LeCun et al. 1998), with ReLU and max-pools, on 28 x 28 grey images."""
    builder = Builder((28, 28, 1), seed)
    builder.conv(6, 5, padding=2)
    builder.pool(Op.MAX_POOL2D, 2)
    builder.conv(16, 5)
    builder.pool(Op.MAX_POOL2D, 2)
    builder.dense(120)
    builder.dense(84)
    builder.dense(10, last=True)
    return builder.build()


def residual(seed: int) -> IntegerNetwork:
    """Three residual blocks of 16, 32 and 64 channels (He et al. 2015, the CIFAR shape) on 32 x 32 colour images."""
    builder = Builder((32, 32, 3), seed)
    latest = builder.conv(16, 3, padding=1)
    for units, stride in ((16, 1), (32, 2), (64, 2)):
        before = latest
        builder.conv(units, 3, stride=stride, padding=1)
        body = builder.conv(units, 3, padding=1, relu=False)
        shortcut = before if stride == 1 else builder.conv(units, 1, source=before, stride=stride, relu=False)
        latest = builder.add(body, shortcut)
    builder.pool(Op.AVERAGE_POOL2D, 8)
    builder.dense(10, last=True)
    return builder.build()


def lstm(seed: int, *, steps: int = 28, width: int = 28, units: int = 64) -> IntegerNetwork:
    """An LSTM classifier (Hochreiter and Schmidhuber 1997; with forget gates) unrolled as `unrolling.py` does it."""
    builder = Builder((steps * width,), seed)
    hidden = memory = 0
    for step in range(steps):
        x = builder.part(0, step * width, width)
        both = builder.joined(x, hidden) if step else x
        opened = builder.curve(builder.gates(both, 3 * units), torch.sigmoid)
        enter, keep, leave = (builder.part(opened, gate * units, units) for gate in range(3))
        fresh = builder.product(enter, builder.curve(builder.gates(both, units), torch.tanh))
        memory = builder.add(builder.product(keep, memory), fresh, relu=False) if step else fresh
        hidden = builder.product(leave, builder.curve(memory, torch.tanh))
    builder.dense(10, last=True)
    return builder.build()


def in_float(network: IntegerNetwork) -> Float:
    """The same network in float32: linear, convolution, pool, addition and ReLU of torch, no requantisation."""
    parameters = [_float_parameters(node) for node in network.nodes]

    def run(x: torch.Tensor) -> torch.Tensor:
        tensors = [x]
        with torch.inference_mode():
            for node, pair in zip(network.nodes, parameters, strict=True):
                result = _float_step(node, pair, [tensors[tensor] for tensor in node.inputs])
                tensors.append(functional.relu_(result) if node.low == 0 else result)
        return tensors[-1]

    return run


def float_inputs(inputs: np.ndarray[tuple[int, ...], np.dtype[np.int8]]) -> torch.Tensor:
    """The samples as torch likes them: float32, channels first."""
    x = torch.from_numpy(inputs.astype(np.float32))
    return x.permute(0, 3, 1, 2).contiguous() if x.ndim == 4 else x


def _float_parameters(node: Node) -> tuple[torch.Tensor, torch.Tensor]:
    if node.weight is None or node.bias is None:
        return torch.empty(0), torch.empty(0)
    weight = torch.from_numpy(node.weight.astype(np.float32))
    if node.op is Op.CONV2D:
        weight = weight.reshape(len(weight), *node.kernel, -1).permute(0, 3, 1, 2).contiguous()
    return weight, torch.from_numpy(node.bias.astype(np.float32))


def _float_step(node: Node, pair: tuple[torch.Tensor, torch.Tensor], inputs: list[torch.Tensor]) -> torch.Tensor:
    x = inputs[0]
    match node.op:
        case Op.DENSE:
            return functional.linear(x.flatten(1), *pair)
        case Op.CONV2D:
            return functional.conv2d(x, *pair, stride=node.stride, padding=node.padding[:2])
        case Op.MAX_POOL2D:
            return functional.max_pool2d(x, node.kernel, node.stride)
        case Op.AVERAGE_POOL2D:
            return functional.avg_pool2d(x, node.kernel, node.stride)
        case Op.ADD:
            return x + inputs[1]
        case _:
            return _float_gate(node, inputs)


def _float_gate(node: Node, inputs: list[torch.Tensor]) -> torch.Tensor:
    """What recurrent networks are made of besides: a table stands for the sigmoid, or for tanh if it has negatives."""
    x = inputs[0]
    match node.op:
        case Op.MULTIPLY:
            return x * inputs[1]
        case Op.SLICE:
            return x[:, node.offset : node.offset + node.output_shape[0]]
        case Op.CONCAT:
            return torch.cat(inputs, dim=1)
        case Op.LOOKUP if node.weight is not None:
            return torch.tanh(x) if int(node.weight.min()) < 0 else torch.sigmoid(x)
        case _:
            raise Bug(f"{node.op.name} has no float32 twin here")
