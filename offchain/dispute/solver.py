"""The next move of an honest player, from the dispute as it stands and what the player knows; the same for both sides.

Nothing is remembered between moves (the design of the challenger of Optimism's dispute games), so a worker that
restarts, or takes over another's game, goes on where it stands. A player that sees itself in the wrong makes no move:
it would only burn gas.
"""

from collections.abc import Callable, Sequence

from eth_utils.crypto import keccak

from offchain.dispute.evidence import Evidence
from offchain.dispute.moves import (
    Compute,
    ComputePart,
    Contest,
    ContestPart,
    Move,
    PickHash,
    PickSum,
    PickTensor,
    PostChunk,
    PostHashes,
    PostParts,
    PostSums,
    PostTrace,
    TracePosting,
)
from offchain.dispute.operands import fits, gather, plan_element, plan_part, words
from offchain.dispute.proofs import proof_of, root_of_all
from offchain.dispute.reduction import all_terms
from offchain.dispute.segments import CHUNK_BYTES, segment, segments
from offchain.dispute.state import Dispute, Posted, Side, Stage

Solver = Callable[[Dispute, Posted, Evidence], Move | None]


def next_move(dispute: Dispute, posted: Posted, evidence: Evidence, side: Side) -> Move | None:
    """What the player does now; None if it is not its turn, or if it is in the wrong as far as it knows.

    posted: what the defendant posted last, from the court's events.
    """
    if dispute.on_turn is not side:
        return None
    return _SOLVERS[dispute.stage](dispute, posted, evidence)


def _post_sums(dispute: Dispute, _: Posted, evidence: Evidence) -> Move | None:
    if evidence.total(dispute.low, dispute.high) != dispute.value:
        return None
    return PostSums(tuple(evidence.total(*bounds) for bounds in segments(dispute.low, dispute.high)))


def _pick_sum(dispute: Dispute, posted: Posted, evidence: Evidence) -> Move | None:
    own = [evidence.total(*bounds) for bounds in segments(dispute.low, dispute.high)]
    index = _first_difference(own, posted.sums)
    return None if index is None else PickSum(posted.sums, index)


def _post_trace(dispute: Dispute, _: Posted, evidence: Evidence) -> Move | None:
    if evidence.total(dispute.low, dispute.high) != dispute.value:
        return None
    trace = evidence.trace(dispute.low)
    sample, proof = evidence.sample(dispute.low)
    nodes = len(trace.roots) - 1
    header = evidence.open_node(0).header
    return PostTrace(TracePosting(header, trace.roots[1:], trace.data(nodes), sample, proof))


def _pick_tensor(dispute: Dispute, posted: Posted, evidence: Evidence) -> Move | None:
    tensor = _first_difference(evidence.trace(dispute.low).roots, posted.roots)
    if tensor is None or tensor == 0:
        return None
    return PickTensor(evidence.open_node(tensor - 1), posted.roots[tensor], proof_of(posted.roots, tensor))


def _post_hashes(dispute: Dispute, _: Posted, evidence: Evidence) -> Move | None:
    hashes = _own_hashes(dispute, evidence)
    return PostHashes(hashes) if root_of_all(hashes) == dispute.blob else None


def _pick_hash(dispute: Dispute, posted: Posted, evidence: Evidence) -> Move | None:
    index = _first_difference(_own_hashes(dispute, evidence), posted.hashes)
    return None if index is None else PickHash(posted.hashes, index)


def _post_chunk(dispute: Dispute, _: Posted, evidence: Evidence) -> Move | None:
    chunk = _own_chunk(dispute, evidence)
    return PostChunk(chunk) if keccak(chunk) == dispute.blob else None


def _pick_element(dispute: Dispute, posted: Posted, evidence: Evidence) -> Move | None:
    own, size = _own_chunk(dispute, evidence), dispute.element_bytes
    place = _first_difference(_elements(own, size), _elements(posted.chunk, size))
    if place is None or not _agrees_on_inputs(dispute, posted, evidence):
        return None
    element = dispute.base * CHUNK_BYTES // size + place
    node = evidence.node(dispute.node)
    plan = plan_element(node, element, evidence.trace(dispute.low).data(node.inputs[0]))
    if not fits(node, dispute.nodes, plan, words(len(posted.chunk))):
        return Contest(element, posted.chunk, evidence.open_node(dispute.node))
    operands = gather(evidence, dispute.low, dispute.node, plan, posted.roots)
    return Compute(element, posted.chunk, operands)


def _post_parts(dispute: Dispute, _: Posted, evidence: Evidence) -> Move | None:
    if not _stands_by(dispute, evidence):
        return None
    bounds = segments(*_terms_in_play(dispute, evidence))
    parts = evidence.parts(dispute.low, dispute.node, dispute.element, bounds)
    return PostParts(parts, evidence.open_node(dispute.node), evidence.open_unit(dispute.node, dispute.element))


def _pick_part(dispute: Dispute, posted: Posted, evidence: Evidence) -> Move | None:
    low, high = _terms_in_play(dispute, evidence)
    own = evidence.parts(dispute.low, dispute.node, dispute.element, segments(low, high))
    index = _first_difference(own, posted.parts)
    if index is None or not _agrees_on_inputs(dispute, posted, evidence):
        return None
    node = evidence.node(dispute.node)
    plan = plan_part(node, dispute.element, *segment(low, high, index))
    if not fits(node, dispute.nodes, plan, len(posted.parts)):
        return ContestPart(posted.parts, index)
    return ComputePart(posted.parts, index, gather(evidence, dispute.low, dispute.node, plan, posted.roots))


_SOLVERS: dict[Stage, Solver] = {
    Stage.SUMS: _post_sums,
    Stage.PICK_SUM: _pick_sum,
    Stage.TRACE: _post_trace,
    Stage.PICK_TENSOR: _pick_tensor,
    Stage.HASHES: _post_hashes,
    Stage.PICK_HASH: _pick_hash,
    Stage.CHUNK: _post_chunk,
    Stage.PICK_ELEMENT: _pick_element,
    Stage.PARTS: _post_parts,
    Stage.PICK_PART: _pick_part,
}


def _own_hashes(dispute: Dispute, evidence: Evidence) -> tuple[bytes, ...]:
    return evidence.trace(dispute.low).blob(dispute.node + 1).hashes(dispute.base, dispute.count)


def _own_chunk(dispute: Dispute, evidence: Evidence) -> bytes:
    data = evidence.trace(dispute.low).data(dispute.node + 1)
    return data[dispute.base * CHUNK_BYTES : (dispute.base + 1) * CHUNK_BYTES]


def _elements(chunk: bytes, size: int) -> Sequence[bytes]:
    return [chunk[start : start + size] for start in range(0, len(chunk), size)]


def _stands_by(dispute: Dispute, evidence: Evidence) -> bool:
    """Whether the claim about the element, or the part of it, is the player's own."""
    if dispute.to == 0:
        size = dispute.element_bytes
        data = evidence.trace(dispute.low).data(dispute.node + 1)
        own = data[dispute.element * size : (dispute.element + 1) * size]
        return int.from_bytes(own, "big", signed=True) == dispute.value
    bounds = ((dispute.from_, dispute.to),)
    return evidence.parts(dispute.low, dispute.node, dispute.element, bounds) == (dispute.value,)


def _terms_in_play(dispute: Dispute, evidence: Evidence) -> tuple[int, int]:
    return (dispute.from_, dispute.to) if dispute.to else all_terms(evidence.node(dispute.node))


def _agrees_on_inputs(dispute: Dispute, posted: Posted, evidence: Evidence) -> bool:
    """Whether the tensors that the node reads were posted as the player knows them; if not, it cannot show them."""
    roots = evidence.trace(dispute.low).roots
    return all(roots[tensor] == posted.roots[tensor] for tensor in evidence.node(dispute.node).inputs)


def _first_difference(own: Sequence[object], other: Sequence[object]) -> int | None:
    return next((index for index, pair in enumerate(zip(own, other, strict=True)) if pair[0] != pair[1]), None)
