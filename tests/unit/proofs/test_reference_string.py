"""Reference strings: the powers are powers, and a file that is none is noticed."""

from pathlib import Path

import pytest
from py_ecc.optimized_bn128 import FQ, G1, curve_order, multiply, normalize

from offchain.errors import Rejected
from offchain.proofs.field import ORDER
from offchain.proofs.noir.cache import BuildCache
from offchain.proofs.noir.reference_string import (
    G1_FILE,
    IGNITION_G2,
    LEAST_POINTS,
    LOCAL_TAU,
    IgnitionString,
    LocalString,
    check_powers,
    points_for,
    powers_of_tau,
)


def point_of(scalar: int) -> bytes:
    """By another library."""
    x, y = normalize(multiply(G1, scalar))
    assert isinstance(x, FQ)
    return int(x).to_bytes(32, "big") + int(y).to_bytes(32, "big")


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> LocalString:
    return LocalString(BuildCache(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="module")
def powers(local: LocalString) -> bytes:
    return (local.folder(LEAST_POINTS) / G1_FILE).read_bytes()


def test_the_points_are_powers_of_tau(powers: bytes) -> None:
    assert curve_order == ORDER
    assert len(powers) == 64 * (LEAST_POINTS + 1)
    for power in (0, 1, 2, 255, LEAST_POINTS):
        assert powers[64 * power : 64 * power + 64] == point_of(pow(LOCAL_TAU, power, ORDER))


def test_small_and_zero_digits_are_right() -> None:
    tau = (1 << 48) + 3  # its first powers have windows of zeros
    points = b"".join(powers_of_tau(tau, 4))
    assert points == b"".join(point_of(tau**power) for power in range(4))


def test_a_sound_file_passes_and_is_made_once(local: LocalString, powers: bytes) -> None:
    check_powers(powers[: 64 * 40], local.g2, "file")
    place = local.folder(LEAST_POINTS) / G1_FILE
    before = place.stat().st_mtime_ns
    assert local.folder(LEAST_POINTS) / G1_FILE == place
    assert place.stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda data: data[64:], "does not begin with the curve's generator"),
        (lambda data: data[: 64 * 20] + data[64 * 21 :], "not the powers"),
        (lambda data: data[: 64 * 30] + data[64 * 29 : 64 * 30], "not the powers"),
        (lambda data: data[:-1] + bytes([data[-1] ^ 1]), "point 39 is not on the curve"),
        (lambda data: data[: 64 * 5] + b"\xff" * 64 + data[64 * 6 :], "point 5 is not on the curve"),
        (lambda data: b"", "does not begin"),
    ],
)
def test_a_spoiled_file_is_noticed(local: LocalString, powers: bytes, spoil, said: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(Rejected, match=f"^file: .*{said}"):
        check_powers(spoil(powers[: 64 * 40]), local.g2, "file")


def test_the_local_string_is_not_taken_for_ignition(powers: bytes, tmp_path: Path) -> None:
    (tmp_path / G1_FILE).write_bytes(powers)
    ignition = IgnitionString(tmp_path, BuildCache(tmp_path / "cache"))
    assert ignition.g2 == IGNITION_G2
    assert not ignition.insecure
    with pytest.raises(Rejected, match="not the powers of the expected reference string"):
        ignition.folder(LEAST_POINTS)
    assert not list((tmp_path / "cache" / "reference-strings").glob("ignition*[0-9]"))


def test_a_missing_or_short_file_is_refused(powers: bytes, tmp_path: Path) -> None:
    ignition = IgnitionString(tmp_path, BuildCache(tmp_path / "cache"))
    with pytest.raises(Rejected, match="no such file; name the directory of Aztec's reference string"):
        ignition.folder(LEAST_POINTS)
    (tmp_path / G1_FILE).write_bytes(powers[:6400])
    with pytest.raises(Rejected, match="shorter than the 513 points"):
        ignition.folder(LEAST_POINTS)


def test_points_suffice_for_barretenberg() -> None:
    assert [points_for(gates) for gates in (1, 496, 497, 1000, 1008, 1009, 65_520)] == [
        512, 512, 1024, 1024, 1024, 2048, 65_536,
    ]  # fmt: skip
    with pytest.raises(Rejected, match="take fewer samples"):
        points_for(2**23)
