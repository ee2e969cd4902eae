"""What a private order's parties decide: whether to take part, and whether one got what was proven. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from offchain.errors import Rejected
from offchain.model.graph import IntegerNetwork
from offchain.proofs.chunks import ChunkTree
from offchain.proofs.circuit import Circuit
from offchain.proofs.handover import UnsealedKey
from offchain.proofs.pieces import (
    ELEMENTS,
    MAX_ELEMENTS,
    PIECE_BYTES,
    Message,
    PieceTree,
    cut,
    first_fault,
    open_message,
    piece_count,
)
from offchain.proofs.poseidon2 import MODEL
from offchain.proofs.private_manifest import PrivateManifest, TestFile
from offchain.proofs.private_order import Fault, PieceOpening, PrivateTerms, UnitPlace
from offchain.proofs.unpacking import element_count, layout_hash, multiplier_fault, unpack_model
from offchain.protocol.hashing import keccak
from offchain.types import Root

LEAST_ANSWER_SECONDS = 60
"""Less time to post pieces in than this is no time."""

MOST_ANSWER_SECONDS = 7 * 86_400
"""For a whole file. Otherwise a client and a winner of its own could keep all accepted claims' bonds for years."""

PIECES_AT_ONCE = 256
"""A winner has `answer_seconds` for each so many pieces; those of the contract."""

LEAST_PROOF_SECONDS = 30
"""For each draw. In less time than this an honest provider may be a no-show."""

LEAST_REQUEST_BOND = 10**16
"""In wei. For less a client could have a winner post its whole file, at the winner's gas, for nothing."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is in a handover: `network`, or a fault with what shows it (the piece, and the unit of a multiplier)."""

    fault: Fault
    network: IntegerNetwork | None = None
    piece: int = 0
    place: UnitPlace | None = None


def check_order(terms: PrivateTerms, manifest: PrivateManifest, test: TestFile) -> None:
    """Raises Rejected, saying why, unless a provider can lose its bond by its own fault only.

    Whether the verifier is the honest one of the circuit is asked elsewhere (`Verifiers.require`).
    """
    circuit = manifest.circuit
    _require(terms.elements == element_count(circuit), "says another number of elements than its circuit has")
    _require(terms.elements <= MAX_ELEMENTS, "has models that are too large to be handed over")
    _require(terms.layout_hash == layout_hash(circuit), "says that multipliers lie elsewhere than they do")
    _require(terms.answer_seconds >= LEAST_ANSWER_SECONDS, "leaves too little time to post pieces")
    turns = -(-model_pieces(terms) // PIECES_AT_ONCE)
    _require(turns * terms.answer_seconds <= MOST_ANSWER_SECONDS, "could keep a bond for more than a week of answers")
    _require(terms.prove_seconds >= terms.draws * LEAST_PROOF_SECONDS, "leaves too little time to prove")
    _require(terms.request_bond >= LEAST_REQUEST_BOND, "pays too little for pieces that it has posted")
    _require(len(manifest.chunk_hashes) == terms.chunks, "names another number of chunks than its manifest")
    _require(ChunkTree(manifest.chunk_hashes).root == terms.chunk_root, "names other chunks than its manifest")
    _require(test.chunks == terms.chunks, "has a test file with another number of chunks")
    if terms.is_sealed:
        _require(terms.test_root == test.root, "has another test file than it promised")
        _require(terms.sample_size == prod(circuit.input_shape), "says another size of samples than its circuit has")
        return
    key = manifest.test_key
    if key is None:
        raise Rejected("the order's test set is neither open nor promised; do not claim")
    for chunk, chunk_hash in enumerate(manifest.chunk_hashes):
        _require(test.fault(key, chunk, chunk_hash) is None, f"has samples in chunk {chunk} that are not the promised")


def test_fault(test: TestFile, manifest: PrivateManifest, key: bytes, chunks: Sequence[int]) -> tuple[int, int] | None:
    """(chunk, piece in it) where the released key shows other samples than were promised; None where there is none."""
    for chunk in chunks:
        piece = test.fault(key, chunk, manifest.chunk_hashes[chunk])
        if piece is not None:
            return chunk, piece
    return None


def model_pieces(terms: PrivateTerms) -> int:
    """Pieces of the order's models."""
    return piece_count(terms.elements)


def whole_file(data: bytes, root: Root, terms: PrivateTerms) -> list[bytes] | None:
    """The pieces of a downloaded file; None unless they are those under the root."""
    if len(data) != model_pieces(terms) * PIECE_BYTES:
        return None
    pieces = cut(data)
    return pieces if PieceTree(pieces).root == root else None


def examine(
    circuit: Circuit, terms: PrivateTerms, model_hash: int, key_hash: bytes, found: UnsealedKey, pieces: Sequence[bytes]
) -> Finding:
    """What the client finds with its key in the pieces, which are those under the handover's root."""
    if not found.usable or keccak(found.key) != key_hash:
        return Finding(Fault.WRONG_KEY)
    message = Message(MODEL, terms.elements, model_hash)
    piece = first_fault(found.key, message, pieces)
    if piece is not None:
        return Finding(Fault.WRONG_PIECE, piece=piece)
    elements = open_message(found.key, message, pieces)
    fault = multiplier_fault(circuit, elements)
    if fault is not None:
        place = UnitPlace(fault.node, fault.unit)
        return Finding(Fault.WRONG_MULTIPLIER, piece=fault.element // ELEMENTS, place=place)
    return Finding(Fault.NONE, unpack_model(circuit, elements))


def opening_of(pieces: Sequence[bytes], number: int, tree: PieceTree) -> PieceOpening:
    """A piece with its path."""
    return PieceOpening(pieces[number], tree.prove(number))


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise Rejected(f"the order {what}; do not claim")
