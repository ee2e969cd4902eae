"""How a range is divided (docs/dispute.md, Segments): into pieces of ceil(L / 32), the last one shorter."""

SEGMENTS = 32
"""The most pieces of a range, and the most hashes of one move."""

CHUNK_BYTES = 1024
"""Bytes of a blob's chunk; the last may be shorter."""


def segment_width(low: int, high: int) -> int:
    """How many things each segment of [low, high) holds; the last may hold fewer."""
    return -(-(high - low) // SEGMENTS)


def segment_count(low: int, high: int) -> int:
    """Into how many segments [low, high) is divided: 2 to 32 for more than one thing."""
    return -(-(high - low) // segment_width(low, high))


def segment(low: int, high: int, index: int) -> tuple[int, int]:
    """The segment at `index` of [low, high)."""
    width = segment_width(low, high)
    start = low + index * width
    return start, min(start + width, high)


def segments(low: int, high: int) -> tuple[tuple[int, int], ...]:
    """All segments of [low, high), in order."""
    return tuple(segment(low, high, index) for index in range(segment_count(low, high)))


def chunk_count(size: int) -> int:
    """Chunks of a blob of `size` bytes."""
    return -(-size // CHUNK_BYTES)


def chunk_bounds(size: int, index: int) -> tuple[int, int]:
    """The bytes of chunk `index` of a blob of `size` bytes."""
    start = index * CHUNK_BYTES
    return start, min(start + CHUNK_BYTES, size)


def subtree_width(count: int) -> int:
    """How many chunks each posted hash covers when `count` chunks are in play."""
    return SEGMENTS if count > SEGMENTS else 1
