"""Finds the leaf that is hidden behind files which are almost, but not quite, the ones committed to. Pure.

Whoever hides a malformed leaf among sound ones can publish files with that leaf put right: they hash to another root,
and prove nothing. But each answer shows the way from its leaf to the root, and so the hashes beside it. Where those are
the ones that the files give, so is everything below them; where not, there is the next leaf to ask for. A difference is
found with about as many questions as its trees are deep, and anything that is asked for and not shown is void.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from eth_abi.abi import decode
from eth_utils.crypto import keccak

from offchain.dispute.requests import Item, Target
from offchain.model.blobs import CHUNK
from offchain.model.leaves import (
    DESCRIPTOR_ABI,
    HEADER_ABI,
    UNIT_ABI,
    Descriptor,
    Header,
    Totals,
    Unit,
    node_leaf,
    unit_leaf,
)
from offchain.model.merkle import MerkleTree
from offchain.model.roots import ModelTree
from offchain.types import OrderId

Hashes = Mapping[tuple[int, int], bytes]
"""What stands in a committed tree, by height over the leaves and place."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A request that was answered: `payload` as the event `Answered` has it."""

    target: Target
    payload: bytes


def next_leaves(oid: OrderId, model_index: int, files: ModelTree, shown: Sequence[Shown]) -> Iterator[Target]:
    """Leaves of a model that may be what is hidden, the most telling first; some may have been asked for already.

    files: the tree of the files that are there, whose root is not the committed one. shown: what was answered about the
    model so far. Ends when all that differs from the files has been shown.
    """
    mine = [one for one in shown if one.target.model_index == model_index]
    header = next((_header(one) for one in mine if one.target.item is Item.HEADER), None)
    if header is None:
        yield Target(oid, Item.HEADER, model_index)
        return
    asked = [one for one in mine if one.target.item is Item.NODE and one.target.node < header.nodes]
    nodes = {one.target.node: _node(one) for one in asked}
    known = _known({place: (node_leaf(node), proof) for place, (node, proof) in nodes.items()}, header.nodes)
    for place in _unexplained(files.nodes, header.nodes, header.nodes_root, known):
        if place not in nodes:
            yield Target(oid, Item.NODE, model_index, place)
        else:
            yield from _in_node(oid, model_index, files, nodes[place][0], place, mine)


def _in_node(
    oid: OrderId, model_index: int, files: ModelTree, node: Descriptor, index: int, mine: Sequence[Shown]
) -> Iterator[Target]:
    if not node.units:
        return
    asked = [one for one in mine if one.target.item is Item.UNIT and one.target.node == index]
    units = {one.target.unit: _unit(one) for one in asked if one.target.unit < node.units}
    tree = files.units(index) if _units_of(files, index) else None
    known = _known({place: (unit_leaf(unit), proof) for place, (unit, proof) in units.items()}, node.units)
    for place in _unexplained(tree, node.units, node.units_root, known):
        if place not in units:
            yield Target(oid, Item.UNIT, model_index, index, place)
        else:
            yield from _in_unit(oid, model_index, files, node, units[place][0], (index, place), mine)


def _in_unit(
    oid: OrderId,
    model_index: int,
    files: ModelTree,
    node: Descriptor,
    unit: Unit,
    where: tuple[int, int],
    mine: Sequence[Shown],
) -> Iterator[Target]:
    index, place = where
    asked = [one for one in mine if one.target.item is Item.WEIGHTS and (one.target.node, one.target.unit) == where]
    count = -(-node.row_bytes // CHUNK)
    chunks = {one.target.chunk: _chunk(one) for one in asked if one.target.chunk < count}
    same = place < _units_of(files, index) and files.descriptors[index].row_bytes == node.row_bytes
    tree = _chunk_tree(files, index, place, count) if same else None
    known = _known({at: (keccak(data), proof) for at, (data, proof) in chunks.items()}, count)
    for at in _unexplained(tree, count, unit.weight_root, known):
        if at not in chunks:
            yield Target(oid, Item.WEIGHTS, model_index, index, place, at)


def _units_of(files: ModelTree, index: int) -> int:
    return files.descriptors[index].units if index < len(files.descriptors) else 0


def _chunk_tree(files: ModelTree, index: int, unit: int, count: int) -> MerkleTree:
    blob = files.weights(index, unit)
    leaves = b"".join(keccak(blob.chunk(at)) for at in range(count))
    return MerkleTree(np.frombuffer(leaves, dtype=np.uint8).reshape(-1, 32))


def _unexplained(files: MerkleTree | None, count: int, root: bytes, known: Hashes) -> Iterator[int]:
    """Places of leaves that differ from the files', or under hashes that do and of which no more is known."""
    if files is not None and len(files) != count:
        files = None
    widths = [count]
    while widths[-1] > 1:
        widths.append((widths[-1] + 1) // 2)
    waiting = [(len(widths) - 1, 0, root)]
    while waiting:
        height, place, committed = waiting.pop()
        if files is not None and files.level(height)[place].tobytes() == committed:
            continue
        if height == 0:
            yield place
            continue
        below = [at for at in (2 * place, 2 * place + 1) if at < widths[height - 1]]
        hashes = [committed] if len(below) == 1 else [known.get((height - 1, at)) for at in below]
        if any(found is None for found in hashes):
            yield place << height
            continue
        waiting += [(height - 1, at, found) for at, found in reversed([*zip(below, hashes, strict=True)]) if found]


def _known(shown: Mapping[int, tuple[bytes, Sequence[bytes]]], count: int) -> Hashes:
    """All hashes of a tree of `count` leaves that the proofs of some of them show."""
    known: dict[tuple[int, int], bytes] = {}
    for index, (leaf, proof) in shown.items():
        node, place, width, siblings = leaf, index, count, iter(proof)
        for height in range(count.bit_length() + 1):
            known[height, place] = node
            if width <= 1:
                break
            if place ^ 1 < width:
                sibling = next(siblings)
                known[height, place ^ 1] = sibling
                node = keccak(node + sibling if place % 2 == 0 else sibling + node)
            place, width = place // 2, (width + 1) // 2
    return known


def _header(shown: Shown) -> Header:
    (values,) = decode([HEADER_ABI], shown.payload)
    return Header(*values)


def _node(shown: Shown) -> tuple[Descriptor, Sequence[bytes]]:
    values, proof = decode([DESCRIPTOR_ABI, "bytes32[]"], shown.payload)
    totals = Totals(*values[-1])
    return Descriptor(*values[:-1], totals), proof  # type: ignore[call-arg]  # as many as there are words


def _unit(shown: Shown) -> tuple[Unit, Sequence[bytes]]:
    values, proof = decode([UNIT_ABI, "bytes32[]"], shown.payload)
    return Unit(*values), proof


def _chunk(shown: Shown) -> tuple[bytes, Sequence[bytes]]:
    data, proof = decode(["bytes", "bytes32[]"], shown.payload)
    return data, proof
