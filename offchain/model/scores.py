"""What one sample scores; sums and their ranges are in `offchain/protocol/scores.py`.

Each score is an integer per sample, higher is better, and a model's score is their sum. Everything is integer
arithmetic, the same as the contract's, bit for bit.
"""

import numpy as np

from offchain.errors import Bug, Rejected
from offchain.model.graph import Int32Array, Int64Array, IntegerNetwork
from offchain.model.score_tables import EXP2_BITS, LOSS_BITS, STEPS, exp2_table, log2_table
from offchain.protocol.scores import MAX_SAMPLE_ERROR, ScoreFunction

_MAX_SQUARE_ROOT = 1 << 20
"""The squared error is capped at 2^40, the error at its root."""
_LARGEST_DROP = 24 * STEPS
"""An output so far below the largest adds nothing to the sum of exponentials."""
_INDEX_BITS = 8
"""A mantissa of 24 bits is 8 bits that index LOG2 and 16 between two of its entries."""

_TOP = {ScoreFunction.ACCURACY: 1, ScoreFunction.TOP3_ACCURACY: 3, ScoreFunction.TOP5_ACCURACY: 5}
_SINGLE = {
    ScoreFunction.MEAN_ABSOLUTE_ERROR: "mean absolute error",
    ScoreFunction.MEAN_SQUARED_ERROR: "mean squared error",
}


def sample_scores(function: ScoreFunction, outputs: Int32Array, labels: Int32Array) -> Int64Array:
    """The score of each sample, int64 (n,), for outputs int32 (n, *output_shape) and labels int32 (n,).

    Outputs of more than one axis are counted row-major; a label that no output has scores the least there is.

    ACCURACY, TOP3_ACCURACY, TOP5_ACCURACY: 1 where fewer than k outputs are ahead of the label's, else 0; ahead is what
    is larger, or equal with a lower index. MEAN_ABSOLUTE_ERROR: -min(|output - label|, 2^24); MEAN_SQUARED_ERROR:
    -min((output - label)^2, 2^40); the output of both is one number. CROSS_ENTROPY: see `cross_entropies`.
    Raises Rejected when outputs and labels don't fit the function.
    """
    if len(outputs) != len(labels):
        raise Rejected(f"labels: {len(labels)} for {len(outputs)} outputs; there must be one for each")
    flat = outputs.reshape(len(outputs), int(np.prod(outputs.shape[1:])))
    match function:
        case ScoreFunction.ACCURACY | ScoreFunction.TOP3_ACCURACY | ScoreFunction.TOP5_ACCURACY:
            return _among_the_first(flat, labels, _TOP[function])
        case ScoreFunction.MEAN_ABSOLUTE_ERROR:
            result: Int64Array = -np.minimum(_errors(function, flat, labels), MAX_SAMPLE_ERROR)
            return result
        case ScoreFunction.MEAN_SQUARED_ERROR:
            # Capped first: the square of a difference of two int32 needs not fit int64.
            squares: Int64Array = -np.square(np.minimum(_errors(function, flat, labels), _MAX_SQUARE_ROOT))
            return squares
        case ScoreFunction.CROSS_ENTROPY:
            return -cross_entropies(flat, labels)
        case _:
            raise Bug(f"score function {function} scores nothing")


def total_score(function: ScoreFunction, outputs: Int32Array, labels: Int32Array) -> int:
    """The sum of `sample_scores`: the score of a validation. Raises Rejected like it."""
    return int(sample_scores(function, outputs, labels).sum())


def check_scorable(function: ScoreFunction, network: IntegerNetwork) -> None:
    """Raises Rejected when the network's output cannot be scored by the function."""
    _check_single(function, int(np.prod(network.output_shape)))


def cross_entropies(outputs: Int32Array, labels: Int32Array) -> Int64Array:
    """The cross-entropy of each sample in units of 2^-16 bit, int64 (n,), at most 2^24 (256 bits).

    outputs: int32 (n, classes), base-2 logits in units of 1/256 bit. With `high` the largest of them and `z` the
    label's it is (high - z) + log2 of the sum of 2^(z_j - high), whose exponentials and logarithm are read from tables:
    an exponential has 24 fractional bits and is cut off below the last, and the logarithm is interpolated between 257
    points. It is off by less than 2 + classes / 100 of these units; a test holds it to that.
    """
    classes = outputs.shape[1]
    inside = (labels >= 0) & (labels < classes)
    wide = outputs.astype(np.int64)
    high = wide.max(axis=1)
    chosen = wide[np.arange(len(wide)), np.where(inside, labels, 0)]
    loss = ((high - chosen) << (LOSS_BITS - 8)) + _log2_of_exponentials(high[:, np.newaxis] - wide)
    result: Int64Array = np.where(inside, np.minimum(loss, MAX_SAMPLE_ERROR), MAX_SAMPLE_ERROR)
    return result


def _log2_of_exponentials(drops: Int64Array) -> Int64Array:
    """log2 of the sum over the last axis of 2^(-drop / 256), in units of 2^-16 bit; one drop of each row is 0."""
    near = np.minimum(drops, _LARGEST_DROP)
    parts = np.where(drops >= _LARGEST_DROP, 0, exp2_table()[near & (STEPS - 1)] >> (near >> 8))
    total: Int64Array = parts.sum(axis=1)
    # float64 holds these sums exactly, and frexp is exact: total = fraction * 2^exponent with 1/2 <= fraction < 1.
    bits = np.frexp(total.astype(np.float64))[1].astype(np.int64) - 1
    mantissa = total >> (bits - EXP2_BITS)
    table = log2_table()
    index = (mantissa >> LOSS_BITS) & ((1 << _INDEX_BITS) - 1)
    rest = mantissa & ((1 << LOSS_BITS) - 1)
    between = ((table[index + 1] - table[index]) * rest) >> LOSS_BITS
    result: Int64Array = ((bits - EXP2_BITS) << LOSS_BITS) + table[index] + between
    return result


def _among_the_first(outputs: Int32Array, labels: Int32Array, count: int) -> Int64Array:
    if count == 1:
        hits: Int64Array = (outputs.argmax(axis=1) == labels).astype(np.int64)
        return hits
    classes = outputs.shape[1]
    inside = (labels >= 0) & (labels < classes)
    label = np.where(inside, labels, 0)[:, np.newaxis]
    chosen = np.take_along_axis(outputs, label, axis=1)
    ahead = (outputs > chosen) | ((outputs == chosen) & (np.arange(classes) < label))
    result: Int64Array = (inside & (ahead.sum(axis=1) < count)).astype(np.int64)
    return result


def _errors(function: ScoreFunction, outputs: Int32Array, labels: Int32Array) -> Int64Array:
    _check_single(function, outputs.shape[1])
    errors: Int64Array = np.abs(outputs[:, 0].astype(np.int64) - labels.astype(np.int64))
    return errors


def _check_single(function: ScoreFunction, outputs: int) -> None:
    if function in _SINGLE and outputs != 1:
        raise Rejected(f"model: {outputs} outputs; {_SINGLE[function]} scores a model with one")
