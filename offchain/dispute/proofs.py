"""Positional Merkle trees as the contract checks them: the twin of `contracts/libraries/IndexedMerkle.sol`.

Written for one proof at a time, apart from the trees that make proofs (`offchain/model`), so that neither copies the
other's mistakes.
"""

import dataclasses
from collections.abc import Iterator, Sequence

from eth_utils.crypto import keccak

from offchain.errors import Bug
from offchain.model.leaves import Descriptor, Header, Sample, Unit

KINDS = {Header: 1, Descriptor: 2, Unit: 3, Sample: 4}
"""The first word of each kind of leaf."""


class Refused(Exception):  # noqa: N818 - the twin of a revert, an outcome and not a mishap
    """A move that the contract would revert: its custom error, with arguments where they say more than the name."""

    def __init__(self, name: str, *arguments: object) -> None:
        super().__init__(name, *arguments)
        self.name = name


def root_of(leaf: bytes, index: int, count: int, proof: Sequence[bytes]) -> bytes:
    """The root that `leaf` at `index` of `count` leaves leads to. Refused: IndexOutOfRange, WrongProofLength."""
    if index >= count:
        raise Refused("IndexOutOfRange", count, index)
    node, place, width, used = leaf, index, count, 0
    while width > 1:
        sibling = place ^ 1
        if sibling < width:
            if used == len(proof):
                raise Refused("WrongProofLength", index, len(proof))
            node = keccak(node + proof[used]) if sibling > place else keccak(proof[used] + node)
            used += 1
        place, width = place // 2, (width + 1) // 2
    if used != len(proof):
        raise Refused("WrongProofLength", index, len(proof))
    return node


def root_of_all(leaves: Sequence[bytes]) -> bytes:
    """The root over all leaves; 32 zero bytes over none."""
    level = list(leaves)
    while len(level) > 1:
        paired = [keccak(level[place] + level[place + 1]) for place in range(0, len(level) - 1, 2)]
        level = paired + level[len(paired) * 2 :]
    return level[0] if level else bytes(32)


def proof_of(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """The siblings from leaf `index` up to the root over all leaves, for short lists: a trace's."""
    siblings: list[bytes] = []
    level, place = list(leaves), index
    while len(level) > 1:
        if place ^ 1 < len(level):
            siblings.append(level[place ^ 1])
        paired = [keccak(level[at] + level[at + 1]) for at in range(0, len(level) - 1, 2)]
        level, place = paired + level[len(paired) * 2 :], place // 2
    return tuple(siblings)


def proof_length(index: int, count: int) -> int:
    """How many siblings a proof of leaf `index` of `count` has."""
    length, place, width = 0, index, count
    while width > 1:
        length += place ^ 1 < width
        place, width = place // 2, (width + 1) // 2
    return length


def leaf_of(struct: Header | Descriptor | Unit | Sample) -> bytes:
    """keccak256(abi.encode(kind, struct)): 32 bytes."""
    return bytes(keccak(b"".join((KINDS[type(struct)].to_bytes(32, "big"), *_words(struct)))))


def _words(value: object) -> Iterator[bytes]:
    if isinstance(value, bytes):
        yield value
    elif isinstance(value, int):
        yield (value % (1 << 256)).to_bytes(32, "big")
    elif isinstance(value, tuple):
        for item in value:
            yield from _words(item)
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from _words(getattr(value, field.name))
    else:
        raise Bug(f"a word of a leaf is {type(value).__name__}")
