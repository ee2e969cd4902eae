"""What the court makes of a move: the twin of `contracts/DisputeCourt.sol`, without stakes.

A worker checks a move here before it pays for it; simulations play whole games here. A refused move changes nothing.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from eth_typing import ChecksumAddress
from eth_utils.crypto import keccak

from offchain.dispute import steps
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
)
from offchain.dispute.proofs import Refused, leaf_of, root_of, root_of_all
from offchain.dispute.sample_scores import sample_score
from offchain.dispute.segments import CHUNK_BYTES, chunk_bounds, chunk_count, segment, segment_count, subtree_width
from offchain.dispute.state import Dispute, Setting, Side, Stage, Verdict
from offchain.model.graph import Op
from offchain.protocol.scores import ABSTAIN
from offchain.types import OrderId, Seconds, Wei

_STAGES: dict[type[Any], Stage] = {
    PostSums: Stage.SUMS,
    PickSum: Stage.PICK_SUM,
    PostTrace: Stage.TRACE,
    PickTensor: Stage.PICK_TENSOR,
    PostHashes: Stage.HASHES,
    PickHash: Stage.PICK_HASH,
    PostChunk: Stage.CHUNK,
    Compute: Stage.PICK_ELEMENT,
    Contest: Stage.PICK_ELEMENT,
    PostParts: Stage.PARTS,
    ComputePart: Stage.PICK_PART,
    ContestPart: Stage.PICK_PART,
}


def open_dispute(
    setting: Setting,
    *,
    oid: OrderId,
    model_index: int,
    defendant: ChecksumAddress,
    challenger: ChecksumAddress,
    score: int,
    stake: Wei,
    move_seconds: int,
    now: int,
    seat: ChecksumAddress | None = None,
    counter: int = ABSTAIN,
    version: int = 0,
) -> Dispute:
    """A new dispute about a validation with this score.

    seat: who revealed the validation, where that is not the defendant. counter: the score that the challenger puts in
    its place, an abstention for none. version: how often the place was taken before.
    """
    return Dispute(
        challenger=challenger,
        deadline=Seconds(now + move_seconds),
        stage=Stage.SUMS if setting.sample_count > 1 else Stage.TRACE,
        verdict=Verdict.NONE,
        model_index=model_index,
        defendant=defendant,
        low=0,
        high=setting.sample_count,
        move_seconds=move_seconds,
        oid=oid,
        value=score,
        stake=stake,
        seat=seat or defendant,
        counter=counter,
        version=version,
    )


def apply_move(
    dispute: Dispute, move: Move, player: ChecksumAddress, now: int, setting: Setting, *, live: bool = True
) -> Dispute:
    """The dispute after a move; closed, with its verdict, if the move computes. Raises Refused.

    live: whether the validation still counts.
    """
    expected = _STAGES[type(move)]
    if dispute.stage is not expected:
        raise Refused("WrongStage", expected, dispute.stage)
    on_turn = dispute.player(dispute.on_turn or Side.DEFENDANT)
    if player != on_turn:
        raise Refused("NotYourTurn", on_turn, player)
    if now >= dispute.deadline:
        raise Refused("TooLate", dispute.deadline)
    if not live:
        raise Refused("NotDisputable")
    after = _HANDLERS[type(move)](dispute, move, setting)
    if after.stage is Stage.CLOSED:
        return after
    return dataclasses.replace(after, deadline=Seconds(now + dispute.move_seconds))


def time_out(dispute: Dispute, now: int, *, live: bool = True) -> Dispute:
    """The dispute that the player on turn has let pass: lost, or moot if the validation is gone. Raises Refused."""
    if dispute.stage is Stage.CLOSED:
        raise Refused("AlreadyClosed")
    if now < dispute.deadline:
        raise Refused("NotLate", dispute.deadline)
    if not live:
        return _closed(dispute, Verdict.MOOT)
    return _closed(dispute, Verdict.FALSE if dispute.on_turn is Side.DEFENDANT else Verdict.STANDS)


def dismiss(dispute: Dispute, *, live: bool) -> Dispute:
    """The dispute about a validation that is gone: moot. Raises Refused."""
    if dispute.stage is Stage.CLOSED:
        raise Refused("AlreadyClosed")
    if live:
        raise Refused("StillLive")
    return _closed(dispute, Verdict.MOOT)


def winner_of(dispute: Dispute) -> Side | None:
    """Who won; None while it is open, or when nobody did."""
    return {Verdict.FALSE: Side.CHALLENGER, Verdict.STANDS: Side.DEFENDANT}.get(dispute.verdict)


def hash_numbers(values: Sequence[int]) -> bytes:
    """keccak256(abi.encode(int64[])) of a list."""
    return _hash_list([(value % (1 << 256)).to_bytes(32, "big") for value in values])


def hash_hashes(values: Sequence[bytes]) -> bytes:
    """keccak256(abi.encode(bytes32[])) of a list."""
    return _hash_list(list(values))


def _hash_list(words: list[bytes]) -> bytes:
    head = (32).to_bytes(32, "big") + len(words).to_bytes(32, "big")
    return bytes(keccak(head + b"".join(words)))


def _post_sums(dispute: Dispute, move: PostSums, _: Setting) -> Dispute:
    _check_count(segment_count(dispute.low, dispute.high), len(move.sums))
    if sum(move.sums) != dispute.value:
        raise Refused("WrongSum", dispute.value, sum(move.sums))
    return dataclasses.replace(dispute, stage=Stage.PICK_SUM, posted=hash_numbers(move.sums))


def _pick_sum(dispute: Dispute, move: PickSum, _: Setting) -> Dispute:
    _check_choice(dispute, hash_numbers(move.sums), len(move.sums), move.index)
    low, high = segment(dispute.low, dispute.high, move.index)
    stage = Stage.SUMS if high - low > 1 else Stage.TRACE
    return dataclasses.replace(dispute, stage=stage, low=low, high=high, value=move.sums[move.index])


def _post_trace(dispute: Dispute, move: PostTrace, setting: Setting) -> Dispute:
    shown = move.posting
    if leaf_of(shown.header) != setting.model_root:
        raise Refused("WrongRoot", setting.model_root)
    _check_count(shown.header.nodes, len(shown.roots))
    reached = root_of(leaf_of(shown.sample), dispute.low, setting.sample_count, shown.sample_proof)
    if reached != setting.test_root:
        raise Refused("WrongRoot", setting.test_root)
    if len(shown.output) != 4 * setting.output_size:
        raise Refused("WrongOutputSize", 4 * setting.output_size, len(shown.output))
    if _blob_root(shown.output) != shown.roots[-1]:
        raise Refused("WrongRoot", shown.roots[-1])
    score = sample_score(setting.score_function, shown.output, shown.sample.label)
    if score != dispute.value:
        raise Refused("WrongScore", dispute.value, score)
    root = root_of_all([shown.sample.input_root, *shown.roots])
    return dataclasses.replace(dispute, stage=Stage.PICK_TENSOR, trace_root=root, nodes=len(shown.roots))


def _pick_tensor(dispute: Dispute, move: PickTensor, setting: Setting) -> Dispute:
    header, node = move.opening.header, move.opening.node
    index = node.index
    if leaf_of(header) != setting.model_root:
        raise Refused("WrongRoot", setting.model_root)
    if root_of(leaf_of(node), index, header.nodes, move.opening.proof) != header.nodes_root:
        raise Refused("WrongRoot", header.nodes_root)
    if root_of(move.root, index + 1, dispute.nodes + 1, move.proof) != dispute.trace_root:
        raise Refused("WrongRoot", dispute.trace_root)
    size = steps.elements_of(node.shape) * (4 if index + 1 == dispute.nodes else 1)
    count = chunk_count(size)
    return dataclasses.replace(
        dispute,
        stage=Stage.HASHES if count > 1 else Stage.CHUNK,
        blob=move.root,
        node=index,
        op=node.op,
        base=0,
        count=count,
        size=size,
    )


def _post_hashes(dispute: Dispute, move: PostHashes, _: Setting) -> Dispute:
    _check_count(-(-dispute.count // subtree_width(dispute.count)), len(move.hashes))
    if root_of_all(move.hashes) != dispute.blob:
        raise Refused("WrongRoot", dispute.blob)
    return dataclasses.replace(dispute, stage=Stage.PICK_HASH, posted=hash_hashes(move.hashes))


def _pick_hash(dispute: Dispute, move: PickHash, _: Setting) -> Dispute:
    _check_choice(dispute, hash_hashes(move.hashes), len(move.hashes), move.index)
    width = subtree_width(dispute.count)
    count = min(width, dispute.count - width * move.index)
    return dataclasses.replace(
        dispute,
        stage=Stage.HASHES if count > 1 else Stage.CHUNK,
        base=dispute.base + width * move.index,
        count=count,
        blob=move.hashes[move.index],
    )


def _post_chunk(dispute: Dispute, move: PostChunk, _: Setting) -> Dispute:
    start, stop = chunk_bounds(dispute.size, dispute.base)
    _check_count(stop - start, len(move.chunk))
    if keccak(move.chunk) != dispute.blob:
        raise Refused("WrongRoot", dispute.blob)
    return dataclasses.replace(dispute, stage=Stage.PICK_ELEMENT)


def _compute(dispute: Dispute, move: Compute, setting: Setting) -> Dispute:
    claimed = _pick_element(dispute, move.element, move.chunk)
    computed = steps.element(_question(dispute, move.element, setting), move.operands)
    return _closed(dispute, Verdict.STANDS if computed == claimed else Verdict.FALSE)


def _contest(dispute: Dispute, move: Contest, setting: Setting) -> Dispute:
    claimed = _pick_element(dispute, move.element, move.chunk)
    if steps.terms(setting.model_root, dispute.node, move.opening) < 2:
        raise Refused("Indivisible")
    return dataclasses.replace(dispute, stage=Stage.PARTS, element=move.element, value=claimed)


def _post_parts(dispute: Dispute, move: PostParts, setting: Setting) -> Dispute:
    low, high = dispute.from_, dispute.to
    if high == 0:
        high = steps.terms(setting.model_root, dispute.node, move.opening)
    _check_count(segment_count(low, high), len(move.parts))
    if dispute.to == 0:
        made = steps.finish(_question(dispute, dispute.element, setting), move.opening, move.unit, move.parts)
    else:
        made = max(move.parts) if dispute.op == Op.MAX_POOL2D else sum(move.parts)
    if made != dispute.value:
        raise Refused("WrongSum", dispute.value, made)
    posted = hash_numbers(move.parts)
    return dataclasses.replace(dispute, stage=Stage.PICK_PART, from_=low, to=high, posted=posted)


def _compute_part(dispute: Dispute, move: ComputePart, setting: Setting) -> Dispute:
    _check_choice(dispute, hash_numbers(move.parts), len(move.parts), move.index)
    first, last = segment(dispute.from_, dispute.to, move.index)
    computed = steps.part(_question(dispute, dispute.element, setting), first, last, move.operands)
    claimed = move.parts[move.index]
    return _closed(dispute, Verdict.STANDS if computed == claimed else Verdict.FALSE)


def _contest_part(dispute: Dispute, move: ContestPart, _: Setting) -> Dispute:
    _check_choice(dispute, hash_numbers(move.parts), len(move.parts), move.index)
    first, last = segment(dispute.from_, dispute.to, move.index)
    if last - first < 2:
        raise Refused("Indivisible")
    return dataclasses.replace(dispute, stage=Stage.PARTS, from_=first, to=last, value=move.parts[move.index])


_HANDLERS: dict[type[Any], Callable[[Dispute, Any, Setting], Dispute]] = {
    PostSums: _post_sums,
    PickSum: _pick_sum,
    PostTrace: _post_trace,
    PickTensor: _pick_tensor,
    PostHashes: _post_hashes,
    PickHash: _pick_hash,
    PostChunk: _post_chunk,
    Compute: _compute,
    Contest: _contest,
    PostParts: _post_parts,
    ComputePart: _compute_part,
    ContestPart: _contest_part,
}


def _check_count(expected: int, actual: int) -> None:
    if expected != actual:
        raise Refused("WrongCount", expected, actual)


def _check_choice(dispute: Dispute, given: bytes, count: int, index: int) -> None:
    """That the challenger gives the list that was posted, and picks from it."""
    if given != dispute.posted:
        raise Refused("WrongList", dispute.posted, given)
    if index >= count:
        raise Refused("NoSuchChoice", count, index)


def _pick_element(dispute: Dispute, element: int, chunk: bytes) -> int:
    """What the defendant says of an element of the chunk in play."""
    if keccak(chunk) != dispute.blob:
        raise Refused("WrongList", dispute.blob)
    size = dispute.element_bytes
    start = element * size - dispute.base * CHUNK_BYTES
    if not 0 <= start < len(chunk):
        raise Refused("NoSuchChoice", len(chunk) // size, element)
    return int.from_bytes(chunk[start : start + size], "big", signed=True)


def _question(dispute: Dispute, element: int, setting: Setting) -> steps.Question:
    return steps.Question(setting.model_root, dispute.trace_root, dispute.node, element)


def _blob_root(data: bytes) -> bytes:
    starts = range(0, len(data), CHUNK_BYTES)
    return root_of_all([keccak(data[start : start + CHUNK_BYTES]) for start in starts])


def _closed(dispute: Dispute, verdict: Verdict) -> Dispute:
    return dataclasses.replace(dispute, stage=Stage.CLOSED, verdict=verdict)
