"""What a proven count says of the model's accuracy (docs/proofs.md, Confidence).

`lower_bound_ppm` is the twin of `contracts/proofs/ConfidenceBounds.sol`, number by number.
"""

import math

PPM = 1_000_000
ODDS = 19
"""95 % : 5 %"""
MAXIMUM_SAMPLES = 2**32 - 1

_ONE = 1 << 128
_SMALL = 1 << 80


def lower_bound_ppm(correct: int, out_of: int) -> int:
    """Lower end of the one-sided 95 % interval of Clopper and Pearson (1934) for a share, in ppm, rounded down.

    The largest p at which `correct` or more right answers come with a chance of at most 1 / 20. It is about the share
    in what the samples were drawn from, if they were drawn without regard to the model. Raises ValueError unless
    0 <= correct <= out_of <= MAXIMUM_SAMPLES.
    """
    if not 0 <= correct <= out_of <= MAXIMUM_SAMPLES:
        raise ValueError(f"{correct} of {out_of} samples")
    low, high = 0, max(1, correct * PPM // out_of if out_of else 0)
    while high - low > 1:
        middle = (low + high) // 2
        if _holds(correct, out_of, middle):
            low = middle
        else:
            high = middle
    return low


def _holds(correct: int, out_of: int, ppm: int) -> bool:
    if ppm == 0:
        return True
    target = ODDS * _upper(correct, out_of, ppm)
    total, term = 0, _ONE
    for i in range(correct, 0, -1):
        term = term * (i * (PPM - ppm)) // ((out_of - i + 1) * ppm)
        total += term
        if total >= target:
            return True
        if term < _SMALL:
            return False
    return False


def _upper(correct: int, out_of: int, ppm: int) -> int:
    total = term = _ONE
    for i in range(correct, out_of):
        numerator, denominator = (out_of - i) * ppm, (i + 1) * (PPM - ppm)
        if term < _SMALL:
            return total + term * numerator // (denominator - numerator) + 1
        term = term * numerator // denominator + 1
        total += term
    return total


def worst_case_ppm(correct: int, out_of: int, draws: int) -> int:
    """Lower end of a one-sided 95 % interval for the accuracy on the whole test set, whatever the model, in ppm.

    Takes the `draws` chunks for what was drawn, not their samples: a model may be fitted to some chunks and fail on
    others. Hoeffding's bound for a mean of draws without replacement from [0, 1] (1963, theorem 1 and section 6):
    draws * KL(share, p) >= ln 20. Rounded down. Raises ValueError unless 0 <= correct <= out_of and 1 <= draws.
    """
    if not 0 <= correct <= out_of or out_of < 1 or draws < 1:
        raise ValueError(f"{correct} of {out_of} samples in {draws} chunks")
    share, wanted = correct / out_of, math.log(ODDS + 1) / draws
    low, high = 0, correct * PPM // out_of
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _divergence(share, middle / PPM) >= wanted else (low, middle)
    return low


def _divergence(share: float, p: float) -> float:
    """Kullback–Leibler divergence of two coins, share > p > 0."""
    wrong = 0.0 if share == 1 else (1 - share) * math.log((1 - share) / (1 - p))
    return share * math.log(share / p) + wrong
