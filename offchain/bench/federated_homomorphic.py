"""What the three privacy modes cost beside each other and beside training: plain, masking, homomorphic.

One process, one thread, everything real but chain and storage, CPU time. Masking is `federated_secure.py`, with nobody
dropping out. Homomorphic: each member deals, encrypts and seals; one participant of another group adds; each member
decrypts, checks and signs. Every sum is compared with the plain one, and the distance of CKKS' components from integers
is measured.

Beside it a participant's own training of a round, two epochs as a worker trains: of a perceptron over 600 samples of
MNIST's shape, and of a convolutional network over 500 of CIFAR-10's (those sets cut into a hundred parts would be
that), each with about d parameters. That the samples are noise changes no time.

    assay bench federated --homomorphic
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from rich.table import Table

from offchain.bench import federated_secure as masking
from offchain.bench.federated_secure import Clock, bytes_text, figure, plain_mean, shown_as_table
from offchain.data.dataset import Dataset
from offchain.errors import Bug
from offchain.federated.groups import Mean, mean_of
from offchain.federated.homomorphic import member
from offchain.federated.homomorphic.blocks import block_from_bytes
from offchain.federated.homomorphic.ckks import Key, Scheme, scheme_of
from offchain.federated.homomorphic.messages import Keys, size_of
from offchain.federated.homomorphic.parameters import choose
from offchain.federated.homomorphic.sealing import READERS, Envelope, Reader, Sealed, add_all, seal, sealed_size
from offchain.federated.homomorphic.sums import added_size, head, read_added, read_signed, signed_file, signed_size
from offchain.federated.homomorphic.tags import Tags
from offchain.federated.local_training import LocalSettings, local_update
from offchain.federated.parameters import initial_model
from offchain.federated.secure.participant import Secrets, draw_secrets
from offchain.federated.secure.terms import Position, Session, Stage, threshold_for
from offchain.model.shorthand import spec_from_shorthand
from offchain.protocol.hashing import keccak_of_pieces

CLASSES: Final = 10
_SCALE_BITS: Final = 14


@dataclass(frozen=True, slots=True)
class Trained:
    """What a participant trains: so many samples of that shape, a network for each dimension."""

    samples: int
    shape: tuple[int, ...]
    networks: dict[int, str]


PERCEPTRON: Final = Trained(600, (784,), {10_000: "mlp:12", 100_000: "mlp:126", 1_000_000: "mlp:1258"})
CONVOLUTIONS: Final = Trained(500, (32, 32, 3), {10_000: "cnn:4", 100_000: "cnn:8-16", 1_000_000: "cnn:32-64"})


_UNKNOWN: Final = (float("nan"), float("nan"))


@dataclass(frozen=True, slots=True)
class Options:
    """`layouts`: participants and the group size; two groups at least."""

    layouts: tuple[tuple[int, int], ...] = ((10, 5), (100, 10))
    dimensions: tuple[int, ...] = tuple(PERCEPTRON.networks)
    seed: int = 0


QUICK: Final = Options(layouts=((10, 5),), dimensions=(10_000,))


@dataclass(frozen=True, slots=True)
class Row:
    """CPU in milliseconds: of a participant on average; of who adds one group; of the leader in all; of training a
    perceptron, convolutions. Bytes of a participant, of one that adds (beside), and of the leader. `error`: the largest
    distance from an integer, in units, before it is rounded.
    """

    mode: str
    participants: int
    group_size: int
    dimension: int
    participant_ms: float
    adder_ms: float
    leader_ms: float
    training_ms: tuple[float, float]
    sent: int
    fetched: int
    adder_fetched: int
    leader_fetched: int
    error: float

    @property
    def overheads(self) -> tuple[float, ...]:
        """Per cent of training that participant, adder and leader take one after the other."""
        spent = self.participant_ms + self.adder_ms + self.leader_ms
        return tuple(100 * spent / training for training in self.training_ms)


def run(options: Options = QUICK, tell: Callable[[Row], None] = lambda _: None) -> list[Row]:
    """Measures all modes at every layout and dimension. Raises Bug when a sum differs from the plain one."""
    _homomorphic(4, 2, 64, np.random.default_rng(0))  # loads SEAL
    rows: list[Row] = []
    for dimension in options.dimensions:
        training = (
            _training_ms(PERCEPTRON, dimension, options.seed),
            _training_ms(CONVOLUTIONS, dimension, options.seed),
        )
        for participants, size in options.layouts:
            layout = masking.Options(((participants, size),), (dimension,), (0,), options.seed)
            rng = np.random.default_rng([options.seed, participants, size, dimension])
            for row in (*_others(masking.run(layout)[0]), _homomorphic(participants, size, dimension, rng)):
                rows.append(replace(row, training_ms=training))
                tell(rows[-1])
    return rows


def facts(options: Options) -> dict[str, Any]:
    """What it was measured with."""
    found = masking.facts(masking.Options(seed=options.seed))
    return {**found, "tenseal": version("tenseal"), "torch": version("torch")}


def table(rows: Sequence[Row]) -> Table:
    """All modes beside each other."""
    counts, times = ("n", "group", "d", "mode"), ("member ms", "adder ms", "leader ms", "of mlp", "of cnn")
    return shown_as_table(
        "Three modes", (*counts, *times, "sends", "fetches", "adder", "leader", "error"), (_texts(row) for row in rows)
    )


def line(row: Row) -> str:
    """What to say while others are measured."""
    layout = f"{row.mode}, n {row.participants} in groups of {row.group_size}, d {row.dimension:,}"
    shares = (f"{share:.1f} % of {ms:,.0f} ms" for share, ms in zip(row.overheads, row.training_ms, strict=True))
    return f"{layout}: {' or '.join(shares)} of training, error {row.error:.2g}"


def _texts(row: Row) -> tuple[str, ...]:
    times = (row.participant_ms, row.adder_ms, row.leader_ms)
    shares = (f"{share:.2g} %" for share in row.overheads)
    sizes = (row.sent, row.fetched, row.adder_fetched, row.leader_fetched)
    counts = (str(row.participants), str(row.group_size), f"{row.dimension:,}", row.mode)
    return (*counts, *map(figure, times), *shares, *map(bytes_text, sizes), f"{row.error:.2g}")


def _others(row: masking.Row) -> tuple[Row, Row]:
    """Plain and masking."""
    own = (row.participants, row.group_size, row.dimension)
    spent = row.keys_ms + row.shares_ms + row.masked_ms + row.unmask_ms
    plain = Row("plain", *own, 0, 0, row.plain_leader_ms, _UNKNOWN, row.plain_sent, 0, 0, row.plain_leader_fetched, 0)
    masked = Row("masking", *own, spent, 0, row.leader_ms, _UNKNOWN, row.sent, row.fetched, 0, row.leader_fetched, 0)
    return plain, masked


def _homomorphic(participants: int, size: int, dimension: int, rng: np.random.Generator) -> Row:
    clock, parameters, count = Clock(), choose(size), participants // size
    error, session = 0.0, _session(0, size, dimension)
    for number in range(count):
        updates = rng.integers(-(2**15), 2**15, (size, dimension), dtype=np.int16)
        group = _Group(_session(number, size, dimension), rng, clock)
        mean, added = group.play(updates)
        if not np.array_equal(mean, plain_mean(updates)):
            raise Bug("a homomorphic sum differs from the plain one")
        error = max(error, group.error(added, updates)) if number == 0 else error
    small = sum(size_of(session, stage) for stage in (Stage.KEYS, Stage.SHARES))
    signed, summed = signed_size(dimension), added_size(parameters, dimension)
    return Row(
        mode="homomorphic",
        participants=participants,
        group_size=size,
        dimension=dimension,
        participant_ms=clock.ms("member") / participants,
        adder_ms=clock.ms("adder") / count,
        leader_ms=clock.ms("leader"),
        training_ms=_UNKNOWN,
        sent=small + sealed_size(parameters, dimension) + signed,
        fetched=(2 * size - 1) * small + summed,
        adder_fetched=size * sealed_size(parameters, dimension),
        leader_fetched=count * signed,
        error=error,
    )


class _Group:
    """One group, and the strangers that add for it."""

    def __init__(self, session: Session, rng: np.random.Generator, clock: Clock) -> None:
        self._session, self._rng, self._clock = session, rng, clock
        self._secrets = [draw_secrets(session, Position(place), rng.bytes) for place in session.positions]
        strangers = _session(session.group + 1, session.size, session.dimension)
        readers = [draw_secrets(strangers, Position(place), rng.bytes) for place in strangers.positions[:READERS]]
        self._reader = Reader(0, member.box_key(readers[0]))
        self._public = tuple(member.keys_message(reader).public for reader in readers)

    def play(self, updates: npt.NDArray[np.int16]) -> tuple[Mean, bytes]:
        """The mean that follows from what was signed, and the sum of ciphertexts."""
        clock, session = self._clock, self._session
        parameters, files, signed = choose(session.size), dict[Position, Sealed](), b""
        with clock.of("member"):
            keys = {s.position: member.keys_message(s) for s in self._secrets}
            shares = {s.position: member.shares_message(s, session, keys, scheme_of(parameters)) for s in self._secrets}
        for secrets, update in zip(self._secrets, updates, strict=True):
            with clock.of("member"):
                secret = member.group_secret(secrets, session, keys, shares)
                self._scheme, self._key, tags = self._opened(secret)
                blocks = member.encrypted(self._scheme, self._key, tags, secrets.position, update)
                files[secrets.position] = self._file(secrets, keys, blocks)
        with clock.of("adder"):
            added = add_all(files, self._reader, session, parameters, self._write)
        for _ in self._secrets:
            with clock.of("member"):
                scheme, key, tags = self._opened(secret)
                keccak_of_pieces([added])
                members, summed = read_added(memoryview(added), session, tuple(files), parameters)
                signed = signed_file(session, members, member.decrypted(scheme, key, tags, session, members, summed))
                keccak_of_pieces([signed])
        with clock.of("leader"):
            keccak_of_pieces([signed])
            members, total = read_signed(memoryview(signed), session, tuple(files))
            mean = mean_of(total, len(members))
        return mean, added

    def _opened(self, secret: tuple[bytes, bytes]) -> tuple[Scheme, Key, Tags]:
        """As a worker begins each of its jobs."""
        scheme = scheme_of(choose(self._session.size))
        return scheme, member.group_key(scheme, *secret), Tags(secret[0], self._session.digest)

    def error(self, added: bytes, updates: npt.NDArray[np.int16]) -> float:
        """The largest distance of a decrypted component from the sum, in units."""
        expected, degree = updates.astype(np.int64).sum(axis=0), self._scheme.parameters.ring.degree
        everybody = tuple(secrets.position for secrets in self._secrets)
        _, blocks = read_added(memoryview(added), self._session, everybody, self._scheme.parameters)
        largest = 0.0
        with self._scheme.decryption(self._key) as decrypt:
            for start, block in zip(range(0, len(expected), degree), blocks, strict=False):
                part = expected[start : start + degree]
                off = decrypt(block_from_bytes(block, self._scheme.parameters))[: len(part)] - part
                largest = max(largest, float(np.abs(off).max()))
        return largest

    def _file(self, secrets: Secrets, keys: dict[Position, Keys], blocks: Iterator[bytes]) -> Sealed:
        envelope = Envelope(self._rng.bytes(32), member.box_key(secrets), self._public)
        pieces = list(seal(envelope, self._session, secrets.position, blocks))
        keccak_of_pieces(pieces)
        return Sealed(memoryview(b"".join(pieces)), secrets.position, keys[secrets.position].public)

    def _write(self, members: tuple[Position, ...], blocks: Iterator[bytes]) -> bytes:
        content = b"".join([head(self._session, members), *blocks])
        keccak_of_pieces([content])
        return content


def _session(group: int, size: int, dimension: int) -> Session:
    members = tuple((1 + group * size + place).to_bytes(20, "big") for place in range(size))
    return Session(31337, bytes(20), 1, 1, 0, group, members, (1,) * size, threshold_for(size), dimension)


def _training_ms(trained: Trained, dimension: int, seed: int) -> float:
    """A participant's round of training: the second, when everything is loaded. At other dimensions: of the nearest."""
    nearest = min(trained.networks, key=lambda known: abs(known - dimension))
    spec = spec_from_shorthand(trained.networks[nearest], input_shape=trained.shape, outputs=CLASSES, batch_norm=False)
    rng = np.random.default_rng(seed)
    inputs = rng.integers(-127, 128, (trained.samples, *trained.shape), dtype=np.int8)
    data = Dataset(inputs, rng.integers(0, CLASSES, trained.samples, dtype=np.int32))
    model = initial_model(spec, seed=seed, scale_bits=_SCALE_BITS)
    spent = 0.0
    for _ in range(2):
        began = time.process_time()
        local_update(spec, model, _SCALE_BITS, data, LocalSettings(learning_rate=0.01), seed)
        spent = 1e3 * (time.process_time() - began)
    return spent
