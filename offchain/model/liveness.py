"""Which tensors of a network are needed when: the basis of the evaluator's memory."""

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
