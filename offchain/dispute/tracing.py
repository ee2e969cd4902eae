"""All tensors of one sample."""

from collections.abc import Sequence

from offchain.model.graph import Int8Array, Int64Array, IntegerNetwork
from offchain.model.oracle import trace


def trace_sample(network: IntegerNetwork, sample: Int8Array) -> Sequence[Int64Array]:
    """Every tensor by id, int64 (*shape): the sample, int8 (*input_shape), then the output of each node."""
    return [tensor[0] for tensor in trace(network, sample[None])]
