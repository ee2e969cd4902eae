"""The int8 network that a state of training becomes, by a rounding that anyone can repeat.

No proof links the two (docs/training-proofs.md): who has a run's final state opened makes the network again.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from offchain.errors import Rejected
from offchain.model.graph import IntegerNetwork, Node, Op, Requantisation
from offchain.proofs.training.sgd import Ints, State, check_state, layer_inputs
from offchain.proofs.training.shape import SCALE, StepShape

_MOST_INPUT_BITS = 7
_INT8 = 127
_LOGITS = 2**20
_MULTIPLIER_BITS = 22
_MOST_SHIFT = 47


def network_of(shape: StepShape, state: State, calibration: Ints) -> IntegerNetwork:
    """The network that takes the same inputs as int8. Exact arithmetic: the same arguments give the same bytes.

    :param calibration: int64 (n, sizes[0]), inputs whose largest activations become 127
    :raises Rejected: inputs of more than 7 bits, which are no int8; a state out of shape, or that nothing activates
    """
    if shape.input_bits > _MOST_INPUT_BITS:
        raise Rejected(f"inputs of {shape.input_bits} bits are no int8: train with at most {_MOST_INPUT_BITS}")
    check_state(shape, state)
    into = layer_inputs(shape, state, calibration)
    nodes, unit = [], Fraction(1)
    for layer in range(shape.layers):
        last = layer == shape.layers - 1
        largest = int(abs(into[layer + 1]).max())
        if largest == 0:
            raise Rejected(
                f"nothing activates layer {layer} of this state: train it further before it becomes a network"
            )
        # of what comes out, in its own units
        out = Fraction(largest, _LOGITS if last else _INT8)
        nodes.append(
            _dense(state.weights[layer], state.biases[layer], layer, unit, out * 2 ** shape.scale_before(layer), last)
        )
        unit = out
    return IntegerNetwork((shape.sizes[0],), tuple(nodes), float(unit / 2**SCALE))


def _dense(weights: Ints, biases: Ints, layer: int, unit: Fraction, out: Fraction, last: bool) -> Node:
    """`unit`: what 1 stands for in the inputs; `out`: what it stands for in the sums after the node."""
    step = Fraction(max(1, int(abs(weights).max())), _INT8)
    ratio = step * unit / out
    shift = min(_MOST_SHIFT, max(1, _MULTIPLIER_BITS - 1 - _log2(ratio)))
    multiplier = min(2**_MULTIPLIER_BITS - 1, max(1, round(ratio * 2**shift)))
    units = len(weights)
    limit = 2**23 - 1 if last else _INT8
    return Node(
        Op.DENSE,
        (layer,),
        (units,),
        -limit if last else 0,
        limit,
        weight=np.array([[round(w / step) for w in row] for row in weights.tolist()], np.int8),
        bias=np.array([round(b / (step * unit)) for b in biases.tolist()], np.int32),
        requantisation=Requantisation(np.full(units, multiplier, np.int32), np.full(units, shift, np.uint8)),
    )


def _log2(value: Fraction) -> int:
    """k with 2**(k - 1) < value < 2**(k + 1)."""
    return value.numerator.bit_length() - value.denominator.bit_length()
