"""Which tensors of a network are needed when: the basis of the evaluator's memory and of its limit."""

from math import prod

from offchain.model.graph import IntegerNetwork


def last_uses(network: IntegerNetwork) -> tuple[int, ...]:
    """For each tensor id the index of the last node that reads it, or that makes it when nothing does.

    The input is held by the caller; the output of the last node outlives all nodes.
    """
    last = [max(tensor - 1, 0) for tensor in range(len(network.nodes) + 1)]
    for index, node in enumerate(network.nodes):
        for tensor in node.inputs:
            last[tensor] = index
    return tuple(last)


def peak_live_elements(network: IntegerNetwork) -> int:
    """The most elements of one sample's tensors that exist while one node is computed."""
    last = last_uses(network)
    sizes = [prod(network.shape_of(tensor)) for tensor in range(len(last))]
    ends: list[list[int]] = [[] for _ in network.nodes]
    for tensor, index in enumerate(last):
        ends[index].append(tensor)
    peak, live = 0, sizes[0]
    for index in range(len(network.nodes)):
        live += sizes[index + 1]
        peak = max(peak, live)
        live -= sum(sizes[tensor] for tensor in ends[index])
    return peak
