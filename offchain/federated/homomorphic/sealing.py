"""Files of ciphertexts, sealed for those who add them. Pure; the file's key comes with the randomness of the caller.

A member's file: header (34 bytes), one box for each of `READERS` readers with the file's key, then the blocks, each
under ChaCha20-Poly1305 with its number as nonce and the header as associated data. Readers are members of another
group, who do not hold the key of this one: they add what they cannot read, and members decrypt sums whose summands they
cannot see.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from offchain.errors import Rejected
from offchain.federated.homomorphic.blocks import BlockSum, Buffer, block_from_bytes, block_to_bytes
from offchain.federated.homomorphic.messages import BOX_BYTES, HEADER_BYTES, header
from offchain.federated.homomorphic.parameters import Parameters
from offchain.federated.homomorphic.tags import TAG_WORDS
from offchain.federated.secure.masking import agree, load_key
from offchain.federated.secure.terms import Position, Session, Stage

READERS: Final = 3
"""The first of the next group that dealt shares: enough to outlive two of them, and no more that could leak."""

TAG_BYTES: Final = 16
_START: Final = HEADER_BYTES + READERS * BOX_BYTES

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Envelope:
    """A member's own side: the key of its file, 32 random bytes, and of its boxes; `readers`: their X25519 keys."""

    file_key: bytes
    own_key: bytes
    readers: tuple[bytes, ...]


def sealed_size(parameters: Parameters, dimension: int) -> int:
    """Bytes of every member's file."""
    return _START + block_count(parameters, dimension) * (parameters.block_bytes + TAG_BYTES)


def block_count(parameters: Parameters, dimension: int) -> int:
    """Blocks of an update and its tag."""
    return parameters.blocks(dimension + TAG_WORDS)


def seal(envelope: Envelope, session: Session, sender: Position, blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces of a member's file, one for each block."""
    head = header(session, sender, Stage.MASKED)
    boxes = [bytes(BOX_BYTES)] * READERS
    for place, reader in enumerate(envelope.readers[:READERS]):
        boxes[place] = seal_box(envelope.own_key, reader, _box_label(head, place), envelope.file_key)
    yield head + b"".join(boxes)
    cipher = ChaCha20Poly1305(envelope.file_key)
    for number, block in enumerate(blocks):
        yield cipher.encrypt(number.to_bytes(12, "big"), block, head)


@dataclass(frozen=True, slots=True)
class Sealed:
    """A member's file as one of its readers sees it. `sender_key`: X25519; `content`: of the right length."""

    content: memoryview
    sender: Position
    sender_key: bytes


@dataclass(frozen=True, slots=True)
class Reader:
    """Who adds: its place among the readers, and its private key."""

    place: int
    own_key: bytes


class SpoiltError(Exception):
    """A member's file is not one: it is left out of the sum."""

    def __init__(self, sender: Position) -> None:
        super().__init__(f"member {sender}")
        self.sender = sender


def add_all(
    files: Mapping[Position, Sealed],
    reader: Reader,
    session: Session,
    parameters: Parameters,
    write: Callable[[tuple[Position, ...], Iterator[bytes]], Result],
) -> Result:
    """Adds block by block whatever members' files are in order; `write` gets who they are, and the blocks of the sum.

    When a file turns out to be spoilt, looks through all of them and begins again without those that are: so hostile
    files cost three passes and no more. Raises Rejected when fewer than the threshold are left.
    """
    left = {position: file for position, file in files.items() if _is_addressed(file, reader, session)}
    if len(left) >= session.threshold:
        try:
            return write(tuple(sorted(left)), _added(list(left.values()), reader, session, parameters))
        except SpoiltError:
            left = {position: file for position, file in left.items() if _is_intact(file, reader, session, parameters)}
    if len(left) >= session.threshold:
        return write(tuple(sorted(left)), _added(list(left.values()), reader, session, parameters))
    raise Rejected(
        f"group {session.group}: {len(left)} members' ciphertexts are in order, fewer than {session.threshold}"
    )


def _added(files: Sequence[Sealed], reader: Reader, session: Session, parameters: Parameters) -> Iterator[bytes]:
    keys = [_file_key(file, reader, session) for file in files]
    for number in range(block_count(parameters, session.dimension)):
        total = BlockSum(parameters)
        for file, key in zip(files, keys, strict=True):
            try:
                total.add(block_from_bytes(_open(file, key, number, session, parameters), parameters))
            except (InvalidTag, Rejected):
                raise SpoiltError(file.sender) from None
        yield block_to_bytes(total.total, parameters)


def _is_addressed(file: Sealed, reader: Reader, session: Session) -> bool:
    try:
        _file_key(file, reader, session)
    except SpoiltError:
        return False
    return True


def _is_intact(file: Sealed, reader: Reader, session: Session, parameters: Parameters) -> bool:
    try:
        for _ in _added([file], reader, session, parameters):
            pass
    except SpoiltError:
        return False
    return True


def _file_key(file: Sealed, reader: Reader, session: Session) -> bytes:
    head = header(session, file.sender, Stage.MASKED)
    start = HEADER_BYTES + reader.place * BOX_BYTES
    box = bytes(file.content[start : start + BOX_BYTES])
    key = open_box(reader.own_key, file.sender_key, _box_label(head, reader.place), box)
    if key is None or bytes(file.content[:HEADER_BYTES]) != head:
        raise SpoiltError(file.sender)
    return key


def _open(file: Sealed, key: bytes, number: int, session: Session, parameters: Parameters) -> Buffer:
    size = parameters.block_bytes + TAG_BYTES
    start = _START + number * size
    head = header(session, file.sender, Stage.MASKED)
    return ChaCha20Poly1305(key).decrypt(number.to_bytes(12, "big"), file.content[start : start + size], head)


def seal_box(own_key: bytes, their_key: bytes, label: bytes, secret: bytes) -> bytes:
    """32 secret bytes for the owner of another X25519 key; used once with each label. Rejected on one of low order."""
    return ChaCha20Poly1305(agree(load_key(own_key), their_key, label)).encrypt(bytes(12), secret, label)


def open_box(own_key: bytes, their_key: bytes, label: bytes, box: bytes) -> bytes | None:
    """The secret; None when the box was not sealed so."""
    try:
        return ChaCha20Poly1305(agree(load_key(own_key), their_key, label)).decrypt(bytes(12), box, label)
    except (InvalidTag, Rejected):
        return None


def _box_label(head: bytes, place: int) -> bytes:
    return b"homomorphic file" + head + bytes((place,))
