"""The one rounding of federated arithmetic: to the nearest integer, ties towards plus infinity.

`round_div(x, y) = floor((2x + y) / (2y)) = floor((x + floor(y / 2)) / y)` for integers x and y > 0. The second form
needs no more bits than x itself: for even y the two fractions are equal, and for odd y the first is the second plus
1 / (2y), which never reaches the next integer. Solidity's `/` truncates; its twin has to round down.
"""

import numpy as np
from numpy.typing import NDArray


def round_div(x: int, y: int) -> int:
    """x / y to the nearest integer, ties upwards; y > 0."""
    return (x + (y >> 1)) // y


def round_div_array(x: NDArray[np.int64], y: int | NDArray[np.int64]) -> NDArray[np.int64]:
    """`round_div`, elementwise; exact while |x| + y / 2 < 2**63."""
    return (x + (y >> 1)) // y


def round_shift_array(x: NDArray[np.int64], bits: int) -> NDArray[np.int64]:
    """`round_div(x, 2**bits)`, elementwise, bits >= 1; an arithmetic shift rounds down, in Solidity too (`sar`)."""
    return (x + (1 << (bits - 1))) >> bits
