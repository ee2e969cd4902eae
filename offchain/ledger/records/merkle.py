"""A sorted map with a Merkle root (the tree of RFC 9162 over entries in the order of their keys, SHA-256).

    leaf = H(0 ‖ size of the key, 2 bytes ‖ key ‖ value)
    node = H(1 ‖ left ‖ right)
    root = H(2 ‖ count, 8 bytes ‖ top)

A change rehashes one path; a new or removed key also what lies to the right of it.
"""

from bisect import bisect_left
from dataclasses import dataclass
from hashlib import sha256

from offchain.errors import Bug

EMPTY = bytes(32)
"""Top of the empty tree."""


@dataclass(frozen=True, slots=True)
class Proof:
    """That an entry is the `index`-th of `count`: the siblings from the leaf up."""

    index: int
    count: int
    siblings: tuple[bytes, ...]


def leaf_hash(key: bytes, value: bytes) -> bytes:
    """Hash of one entry."""
    return sha256(b"\0" + len(key).to_bytes(2, "big") + key + value).digest()


def proven_root(key: bytes, value: bytes, proof: Proof) -> bytes | None:
    """The root of which `proof` shows that it holds the entry; None when the proof has not the form of one."""
    if not 0 <= proof.index < proof.count < 1 << 64:
        return None
    here, last, found = proof.index, proof.count - 1, leaf_hash(key, value)
    for sibling in proof.siblings:
        if last == 0 or len(sibling) != 32:
            return None
        if here & 1 or here == last:
            found = _node(sibling, found)
            while here and not here & 1:
                here, last = here >> 1, last >> 1
        else:
            found = _node(found, sibling)
        here, last = here >> 1, last >> 1
    return _root(proof.count, found) if last == 0 else None


class MerkleMap:
    """Keys and the hashes of their entries."""

    __slots__ = ("_changed", "_keys", "_leaves", "_levels", "_valid")

    def __init__(self) -> None:
        self._keys: list[bytes] = []
        self._leaves: dict[bytes, bytes] = {}
        self._levels: list[list[bytes]] = [[]]
        self._changed: set[bytes] = set()
        self._valid = 0
        """So many of the leaves are where they were when `_levels` was computed."""

    def set(self, key: bytes, value: bytes) -> None:
        """Adds or replaces an entry."""
        if key not in self._leaves:
            at = bisect_left(self._keys, key)
            self._keys.insert(at, key)
            self._valid = min(self._valid, at)
        self._leaves[key] = leaf_hash(key, value)
        self._changed.add(key)

    def remove(self, key: bytes) -> None:
        """Removes an entry that is there."""
        del self._leaves[key]
        at = bisect_left(self._keys, key)
        del self._keys[at]
        self._valid = min(self._valid, at)
        self._changed.discard(key)

    def __contains__(self, key: bytes) -> bool:
        return key in self._leaves

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def root(self) -> bytes:
        """The root, 32 bytes."""
        self._refresh()
        return _root(len(self._keys), self._levels[-1][0] if self._keys else EMPTY)

    def prove(self, key: bytes) -> Proof:
        """The proof of an entry that is there."""
        self._refresh()
        index = at = bisect_left(self._keys, key)
        if self._keys[at : at + 1] != [key]:
            raise Bug("proof of an entry that is not there")
        siblings = []
        for level in self._levels[:-1]:
            beside = at ^ 1
            if beside < len(level):
                siblings.append(level[beside])
            at >>= 1
        return Proof(index, len(self._keys), tuple(siblings))

    def _refresh(self) -> None:
        """Brings `_levels` up to date: everything from `_valid` on, and the paths of what changed before it."""
        keys, levels = self._keys, self._levels
        if not self._changed and self._valid == len(keys) == len(levels[0]):
            return
        valid = min(self._valid, len(levels[0]))
        places = {bisect_left(keys, key, 0, valid) for key in self._changed if valid and key < self._bound(valid)}
        bottom = levels[0]
        for at in places:
            bottom[at] = self._leaves[keys[at]]
        bottom[valid:] = [self._leaves[key] for key in keys[valid:]]
        height = 0
        while len(levels[height]) > 1:
            if height + 1 == len(levels):
                levels.append([])
            places = {at >> 1 for at in places}
            valid >>= 1
            _lift(levels[height], levels[height + 1], places, valid)
            height += 1
        del levels[height + 1 :]
        self._changed.clear()
        self._valid = len(keys)

    def _bound(self, valid: int) -> bytes:
        """A key above the first `valid` ones and not above the next."""
        return self._keys[valid] if valid < len(self._keys) else self._keys[-1] + b"\0"


def _lift(below: list[bytes], above: list[bytes], places: set[int], valid: int) -> None:
    """Computes the nodes at `places` and from `valid` on."""
    size = (len(below) + 1) // 2
    valid = min(valid, len(above))
    for at in places:
        if at < valid:
            above[at] = _pair(below, at)
    above[valid:] = [_pair(below, at) for at in range(valid, size)]


def _pair(below: list[bytes], at: int) -> bytes:
    """A last one without a neighbour moves up as it is."""
    return _node(below[2 * at], below[2 * at + 1]) if 2 * at + 1 < len(below) else below[2 * at]


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\1" + left + right).digest()


def _root(count: int, top: bytes) -> bytes:
    return sha256(b"\2" + count.to_bytes(8, "big") + top).digest()
