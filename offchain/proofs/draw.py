"""Which chunks a round's provers prove (docs/proofs.md, On chain); twin of `contracts/proofs/ChunkDraws.sol`."""

from eth_utils.crypto import keccak

MAXIMUM_CHUNKS = 65_536
MAXIMUM_DRAWS = 64


def seed_of(block_hash: bytes, round_id: bytes) -> bytes:
    """The number (32 bytes) that the draws of a round follow from; both arguments are 32 bytes."""
    return bytes(keccak(block_hash + round_id))


def chunk_of(seed: bytes, draw: int, chunks: int) -> int:
    """The element `draw` of a Fisher–Yates shuffle of 0 .. chunks - 1 by `seed`, without shuffling.

    What step `draw` takes from place j was put there by the last earlier step that swapped with j, and came from that
    step's own place. Raises ValueError unless 0 <= draw < chunks.
    """
    if not 0 <= draw < chunks:
        raise ValueError(f"draw {draw} of {chunks} chunks")
    place = _swapped_with(seed, draw, chunks)
    for step in range(draw - 1, -1, -1):
        if _swapped_with(seed, step, chunks) == place:
            place = step
    return place


def drawn_chunks(seed: bytes, draws: int, chunks: int) -> tuple[int, ...]:
    """All chunks of a round, in the order of the draws."""
    return tuple(chunk_of(seed, draw, chunks) for draw in range(draws))


def _swapped_with(seed: bytes, step: int, chunks: int) -> int:
    number = int.from_bytes(keccak(seed + step.to_bytes(32, "big")), "big")
    return step + number % (chunks - step)
