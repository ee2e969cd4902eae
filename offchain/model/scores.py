"""What one sample scores; sums and their ranges are in `offchain/protocol/scores.py`.

Each score is an integer per sample, higher is better, and a model's score is their sum.
"""

import numpy as np

from offchain.errors import Bug, Rejected
from offchain.model.graph import Int32Array, Int64Array, IntegerNetwork
from offchain.protocol.scores import MAX_SAMPLE_ERROR, ScoreFunction


def sample_scores(function: ScoreFunction, outputs: Int32Array, labels: Int32Array) -> Int64Array:
    """The score of each sample, int64 (n,), for outputs int32 (n, *output_shape) and labels int32 (n,).

    ACCURACY: 1 where the largest output, the first of them on a tie, has the label's index, else 0; outputs of more
    than one axis are counted row-major. MEAN_ABSOLUTE_ERROR: -min(|output - label|, 2**24); the output is one number.
    Raises Rejected when outputs and labels don't fit the function.
    """
    if len(outputs) != len(labels):
        raise Rejected(f"labels: {len(labels)} for {len(outputs)} outputs; there must be one for each")
    flat = outputs.reshape(len(outputs), int(np.prod(outputs.shape[1:])))
    match function:
        case ScoreFunction.ACCURACY:
            hits: Int64Array = (flat.argmax(axis=1) == labels).astype(np.int64)
            return hits
        case ScoreFunction.MEAN_ABSOLUTE_ERROR:
            _check_single(flat.shape[1])
            errors = np.abs(flat[:, 0].astype(np.int64) - labels.astype(np.int64))
            result: Int64Array = -np.minimum(errors, MAX_SAMPLE_ERROR)
            return result
        case _:
            raise Bug(f"score function {function} scores nothing")


def total_score(function: ScoreFunction, outputs: Int32Array, labels: Int32Array) -> int:
    """The sum of `sample_scores`: the score of a validation. Raises Rejected like it."""
    return int(sample_scores(function, outputs, labels).sum())


def check_scorable(function: ScoreFunction, network: IntegerNetwork) -> None:
    """Raises Rejected when the network's output cannot be scored by the function."""
    if function is ScoreFunction.MEAN_ABSOLUTE_ERROR:
        _check_single(int(np.prod(network.output_shape)))


def _check_single(outputs: int) -> None:
    if outputs != 1:
        raise Rejected(f"model: {outputs} outputs; mean absolute error scores a model with one")
