"""All tensors of one sample, as an honest player has them."""

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from offchain.model.evaluator import Evaluator
from offchain.model.graph import Int8Array, IntegerNetwork


def trace_sample(network: IntegerNetwork, sample: Int8Array) -> Sequence[npt.NDArray[Any]]:
    """Every tensor by id: the sample, int8 (*input_shape), then the output of each node, int8 (*shape), the last int32.

    The fast evaluator's, in bounded memory: a provider may commit to any valid network, and the oracle would copy every
    window of it.
    """
    return Evaluator(network, threads=1).trace(sample)
