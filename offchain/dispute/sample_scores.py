"""What one sample scores, in plain integers: twin of `StepVerifier.sampleScore`, not of `offchain/model/scores.py`."""

from collections.abc import Sequence

from offchain.protocol.scores import ScoreFunction

ERROR_CAP = 1 << 24
SQUARE_CAP = 1 << 40
AHEAD = {ScoreFunction.ACCURACY: 1, ScoreFunction.TOP3_ACCURACY: 3, ScoreFunction.TOP5_ACCURACY: 5}
"""Of the functions that count hits: how many outputs may be the largest."""

EXP2 = tuple(round(2 ** (24 - step / 256)) for step in range(256))
"""Powers of two below 2^24, in steps of 1/256 bit."""


def sample_score(function: ScoreFunction, output: bytes, label: int) -> int:
    """What a sample with this output (int32 big-endian) and label scores."""
    values = [int.from_bytes(output[start : start + 4], "big", signed=True) for start in range(0, len(output), 4)]
    match function:
        case ScoreFunction.MEAN_ABSOLUTE_ERROR:
            return -min(abs(values[0] - label), ERROR_CAP)
        case ScoreFunction.MEAN_SQUARED_ERROR:
            return -min((values[0] - label) ** 2, SQUARE_CAP)
        case ScoreFunction.CROSS_ENTROPY:
            return -_loss(values, label) if 0 <= label < len(values) else -ERROR_CAP
        case _:
            return int(0 <= label < len(values) and _ahead(values, label) < AHEAD[function])


def _ahead(values: Sequence[int], label: int) -> int:
    own = values[label]
    return sum(value > own or (value == own and index < label) for index, value in enumerate(values))


def _loss(values: Sequence[int], label: int) -> int:
    """log2 of the sum of 2^(output / 256), less the label's output, in units of 2^-16 bit."""
    most = max(values)
    total = 0
    for value in values:
        below = most - value
        if below < 24 * 256:
            total += EXP2[below % 256] >> (below // 256)
    return min((most - values[label]) * 256 + _log2(total), ERROR_CAP)


def _log2(total: int) -> int:
    """log2(total / 2^24) in units of 2^-16, between table entries along a line; `total` is at least 2^24."""
    whole = total.bit_length() - 1
    mantissa = total >> (whole - 24)
    index, rest = mantissa >> 16 & 255, mantissa & 0xFFFF
    below, above = _LOG2[index], _LOG2[index + 1]
    return (whole - 24) * 65536 + below + ((above - below) * rest >> 16)


def _log2_entry(index: int) -> int:
    """round(65536 * log2(1 + index / 256)): bit by bit, squaring a fraction of 2^64, without a logarithm."""
    value, bits = (256 + index) << 56, 0
    for _ in range(20):
        value = value * value >> 64
        bits <<= 1
        if value >= 1 << 65:
            value, bits = value >> 1, bits | 1
    return bits + 8 >> 4


_LOG2 = (*(_log2_entry(index) for index in range(256)), 65536)
