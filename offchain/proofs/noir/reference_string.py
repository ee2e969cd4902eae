"""The structured reference strings that UltraHonk's commitments rest on: powers of a number that nobody may know.

`ignition`: Aztec's, made in 2019 by 176 participants, of whom one honest is enough; a file that the user has, for Assay
loads nothing from the net. `local`: made here from a number that everybody knows, for tests and development chains:
with it anything can be proven, so its verifiers say INSECURE and do not deploy elsewhere.
"""

import hashlib
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from offchain.errors import Rejected
from offchain.proofs.field import ORDER
from offchain.proofs.noir.cache import BuildCache

Progress = Callable[[str], None]

G1_FILE, G2_FILE = "bn254_g1.dat", "bn254_g2.dat"
POINT_BYTES = 64
LEAST_POINTS = 512
SPARE_GATES = 16
MOST_POINTS = 2**23
COORDINATE_ORDER = 21888242871839275222246405745257275088696311157297823662689037894645226208583
BLOCK = 2**13

LOCAL_TAU = int.from_bytes(hashlib.sha256(b"Assay: insecure local reference string").digest(), "big") % ORDER
"""The number that must be secret, and here is not."""

G2Point = tuple[int, int, int, int]
"""x and y in the order of the EVM's pairing: imaginary part of x, real part of x, the same of y."""

IGNITION_G2: G2Point = (
    0x260E01B251F6F1C7E7FF4E580791DEE8EA51D87A358E038B4EFE30FAC09383C1,
    0x0118C4D5B837BCC2BC89B5B398B5974E9F5944073B32078B7E231FEC938883B0,
    0x04FC6369F7110FE3D25156C1BB9A72859CF2A04641F99BA4EE413C80DA6A5FE4,
    0x22FEBDA3C0C0632A56475B4214E5615E11E6DD3F96E6CEA2854A87D4DACC5E55,
)
"""tau times G2's generator, as in every verifier that Barretenberg writes."""


def points_for(gates: int) -> int:
    """How many points Barretenberg reads for a circuit of so many gates; with fewer it would ask the net for more.

    Raises Rejected above `MOST_POINTS`.
    """
    points = max(LEAST_POINTS, 1 << (gates + SPARE_GATES - 1).bit_length())
    if points > MOST_POINTS:
        raise Rejected(f"the circuit has {gates:,} gates, more than {MOST_POINTS:,}: take fewer samples in a chunk")
    return points


class ReferenceString(Protocol):
    """Where a reference string is from. `insecure`: somebody knows its secret."""

    @property
    def name(self) -> str:
        """Part of the cache's keys: other strings give other verifying keys."""

    @property
    def insecure(self) -> bool:
        """Whether what is proven with it proves nothing to a stranger."""

    @property
    def g2(self) -> G2Point:
        """tau times G2's generator."""

    def folder(self, points: int) -> Path:
        """A directory for Barretenberg with at least so many points. Raises Rejected when there is none."""


def _curve() -> Any:
    from zksnake._algebra import ec_bn254  # 40 ms, and who makes no proofs needs none

    return ec_bn254


@dataclass(frozen=True, slots=True)
class LocalString:
    """The insecure one. Made once for each size, 30 µs a point; `progress` gets a line before it begins."""

    cache: BuildCache
    progress: Progress | None = None
    name: str = "local"
    insecure: bool = True

    @property
    def g2(self) -> G2Point:
        """See `ReferenceString`."""
        curve = _curve()
        point = curve.batch_multi_scalar_g2([curve.g2()], [LOCAL_TAU])[0]
        (x_real, x_imaginary), (y_real, y_imaginary) = point.x, point.y
        return (int(x_imaginary), int(x_real), int(y_imaginary), int(y_real))

    def folder(self, points: int) -> Path:
        """See `ReferenceString`; makes it when it is not there."""
        return self.cache.made("reference-strings", f"local-INSECURE-{points}", lambda place: self._make(place, points))

    def _make(self, place: Path, points: int) -> None:
        if self.progress is not None:
            self.progress(f"making an INSECURE reference string of {points:,} points, once for circuits of this size")
        with (place / G1_FILE).open("wb") as file:
            for block in powers_of_tau(LOCAL_TAU, points + 1):
                file.write(block)
        x1, x0, y1, y0 = self.g2
        (place / G2_FILE).write_bytes(b"".join(value.to_bytes(32, "big") for value in (x0, x1, y0, y1)))


def powers_of_tau(tau: int, points: int) -> Iterator[bytes]:
    """1, tau, tau^2, … times G1's generator in Barretenberg's form, x and y of 32 bytes each, in blocks of points.

    By tables of the generator's multiples, a window of 12 bits each: 22 additions a point (Brickell and others 1992).
    """
    curve = _curve()
    window = 12
    tables, base = [], curve.g1()
    for _ in range(-(-254 // window)):
        row = [curve.PointG1.identity()]
        for _ in range(1, 1 << window):
            row.append(row[-1] + base)
        tables.append(row)
        base = row[-1] + base
    power, mask = 1, (1 << window) - 1
    for start in range(0, points, BLOCK):
        block = bytearray()
        for _ in range(min(BLOCK, points - start)):
            point = tables[0][power & mask]
            for place, table in enumerate(tables[1:], 1):
                point += table[power >> window * place & mask]
            block += int(point.x).to_bytes(32, "big") + int(point.y).to_bytes(32, "big")
            power = power * tau % ORDER
        yield bytes(block)


@dataclass(frozen=True, slots=True)
class IgnitionString:
    """Aztec's. `place`: the directory with its bn254_g1.dat (points of 64 bytes, not compressed)."""

    place: Path
    cache: BuildCache
    progress: Progress | None = None
    name: str = "ignition"
    insecure: bool = False

    @property
    def g2(self) -> G2Point:
        """See `ReferenceString`."""
        return IGNITION_G2

    def folder(self, points: int) -> Path:
        """See `ReferenceString`: a checked copy of the points that are needed, so that nobody changes them later."""
        source = self.place / G1_FILE
        if not source.is_file():
            raise Rejected(f"{source}: no such file; name the directory of Aztec's reference string")
        needed = (points + 1) * POINT_BYTES
        if source.stat().st_size < needed:
            raise Rejected(
                f"{source}: shorter than the {points + 1:,} points that this circuit needs; get more of them"
            )
        # The key has the first points in it: another file at the same path is checked anew.
        with source.open("rb") as file:
            start = hashlib.sha256(file.read(LEAST_POINTS * POINT_BYTES)).hexdigest()[:16]
        return self.cache.made(
            "reference-strings", f"ignition-{start}-{points}", lambda place: self._copy(place, needed)
        )

    def _copy(self, place: Path, needed: int) -> None:
        source = self.place / G1_FILE
        if self.progress is not None:
            self.progress(f"checking {needed // POINT_BYTES:,} points of {source}, once for circuits of this size")
        with source.open("rb") as file:
            data = file.read(needed)
        check_powers(data, self.g2, str(source))
        (place / G1_FILE).write_bytes(data)
        x1, x0, y1, y0 = self.g2
        (place / G2_FILE).write_bytes(b"".join(value.to_bytes(32, "big") for value in (x0, x1, y0, y1)))


def check_powers(data: bytes, g2: G2Point, what: str) -> None:
    """Checks that `data` has the powers of the tau in `g2`, beginning with the generator; 0.1 ms a point.

    With random r of 128 bits, e(Σ r_i P_(i+1), G2) = e(Σ r_i P_i, tau G2): a wrong point passes one time in 2^127.
    Raises Rejected, naming `what`.
    """
    curve = _curve()
    points = [_read_point(curve, data, place, what) for place in range(len(data) // POINT_BYTES)]
    if len(points) < 2 or points[0] != curve.g1():
        raise Rejected(f"{what}: does not begin with the curve's generator; this is no reference string of BN254")
    factors = [secrets.randbits(128) | 1 for _ in points[1:]]
    x1, x0, y1, y0 = g2
    left = curve.pairing(curve.multiscalar_mul_g1(points[1:], factors), curve.g2())
    right = curve.pairing(curve.multiscalar_mul_g1(points[:-1], factors), curve.PointG2(x0, x1, y0, y1))
    if left != right:
        raise Rejected(
            f"{what}: not the powers of the expected reference string; the file is damaged or of another one"
        )


def _read_point(curve: Any, data: bytes, place: int, what: str) -> Any:
    start = place * POINT_BYTES
    x, y = (
        int.from_bytes(data[start : start + 32], "big"),
        int.from_bytes(data[start + 32 : start + POINT_BYTES], "big"),
    )
    # The library panics on a point that is not on the curve.
    if x >= COORDINATE_ORDER or y >= COORDINATE_ORDER or (y * y - x * x * x - 3) % COORDINATE_ORDER != 0:
        raise Rejected(f"{what}: point {place:,} is not on the curve BN254; the file is damaged, or has another form")
    return curve.PointG1(x, y)
