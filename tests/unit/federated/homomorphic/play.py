"""Two groups: the first one's members encrypt and decrypt, the second one's add."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from offchain.federated.homomorphic.ckks import Key, Scheme
from offchain.federated.homomorphic.member import (
    box_key,
    decrypted,
    encrypted,
    group_key,
    group_secret,
    keys_message,
    shares_message,
)
from offchain.federated.homomorphic.messages import Keys, Shares, decode, encode
from offchain.federated.homomorphic.parameters import Parameters, choose
from offchain.federated.homomorphic.sealing import READERS, Envelope, Reader, Sealed, add_all, seal
from offchain.federated.homomorphic.sums import head, read_added
from offchain.federated.homomorphic.tags import Tags
from offchain.federated.secure.participant import Secrets, draw_secrets
from offchain.federated.secure.terms import Position, Session, Stage, threshold_for


def session_of(group: int, size: int, dimension: int) -> Session:
    members = tuple(bytes((group + 1, place)) * 10 for place in range(size))
    return Session(31337, b"\xaa" * 20, 7, 3, 0, group, members, (1,) * size, threshold_for(size), dimension)


@dataclass
class Play:
    """`size` members on either side, whose keys and secrets have been dealt."""

    size: int
    dimension: int
    seed: int = 0
    sessions: list[Session] = field(init=False)
    secrets: list[list[Secrets]] = field(init=False)
    keys: list[dict[Position, Keys]] = field(init=False)
    shares: dict[Position, Shares] = field(init=False)

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.seed)
        self.rng = rng
        self.sessions = [session_of(group, self.size, self.dimension) for group in range(2)]
        self.secrets = [
            [draw_secrets(session, Position(place), rng.bytes) for place in session.positions]
            for session in self.sessions
        ]
        self.keys = [{secrets.position: keys_message(secrets) for secrets in group} for group in self.secrets]
        self.shares = {
            secrets.position: self._travelled(shares_message(secrets, self.session, self.keys[0], self.scheme), secrets)
            for secrets in self.secrets[0]
        }

    def _travelled(self, shares: Shares, secrets: Secrets) -> Shares:
        data = encode(shares, self.session, secrets.position)
        read = decode(data, self.session, secrets.position, Stage.SHARES)
        assert isinstance(read, Shares)
        return read

    @property
    def session(self) -> Session:
        return self.sessions[0]

    @property
    def parameters(self) -> Parameters:
        return choose(self.size)

    @cached_property
    def scheme(self) -> Scheme:
        return Scheme(self.parameters)

    def secret(self, place: int = 0) -> tuple[bytes, bytes]:
        return group_secret(self.secrets[0][place], self.session, self.keys[0], self.shares)

    @cached_property
    def key(self) -> Key:
        return group_key(self.scheme, *self.secret())

    @property
    def tags(self) -> Tags:
        return Tags(self.secret()[0], self.session.digest)

    def blocks(self, place: int, update: npt.NDArray[np.int16]) -> list[bytes]:
        return list(encrypted(self.scheme, self.key, self.tags, Position(place), update))

    def sealed(self, place: int, blocks: list[bytes]) -> bytes:
        readers = tuple(self.keys[1][Position(reader)].public for reader in range(min(READERS, self.size)))
        envelope = Envelope(self.rng.bytes(32), box_key(self.secrets[0][place]), readers)
        return b"".join(seal(envelope, self.session, Position(place), blocks))

    def file(self, place: int, update: npt.NDArray[np.int16]) -> bytes:
        return self.sealed(place, self.blocks(place, update))

    def add(self, files: dict[int, bytes], reader: int = 0) -> bytes:
        """The file that an honest adder posts."""
        sealed = {
            Position(place): Sealed(memoryview(data), Position(place), self.keys[0][Position(place)].public)
            for place, data in files.items()
        }
        own = Reader(reader, box_key(self.secrets[1][reader]))
        return add_all(
            sealed,
            own,
            self.session,
            self.parameters,
            lambda members, blocks: b"".join([head(self.session, members), *blocks]),
        )

    def open(
        self, added: bytes, among: tuple[Position, ...] | None = None
    ) -> tuple[tuple[Position, ...], npt.NDArray[np.int32]]:
        """As every member does before it signs; `among`: whose updates count, everybody's if nothing is said."""
        among = tuple(self.keys[0]) if among is None else among
        members, blocks = read_added(memoryview(added), self.session, among, self.parameters)
        return members, decrypted(self.scheme, self.key, self.tags, self.session, members, blocks)
