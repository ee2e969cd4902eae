"""CKKS of Microsoft SEAL, through TenSEAL: keys from a seed, blocks of integers to ciphertexts and sums back.

Cheon, Kim, Kim, Song 2017. What a stranger sent never gets here but as numbers below q of which there are exactly 2N.

**Randomness.** That of ciphertexts is SEAL's own: its generator (Blake2xb) seeds itself from the system for every one.
A secret key is made by the same generator from a seed, so that a seed of 32 bytes is a key; `fingerprint` shows members
whose SEAL draws otherwise that they have another one.

**A scratch file.** SEAL's binding takes ciphertexts from files only; they carry no secret.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from offchain.errors import Bug, Rejected
from offchain.federated.homomorphic.parameters import Parameters
from offchain.protocol.hashing import keccak

Coefficients = npt.NDArray[np.uint64]
"""(2N,) below q, in the transformed form that SEAL adds in: c0, then c1."""

SEED_BYTES: Final = 32
_MAGIC: Final = 0xA15E
_HEADER: Final = struct.Struct("<HBBBBHQ")
"""SEAL's: magic, its own length, version (2), compression (0: none), reserved, length with itself."""

_BODY: Final = struct.Struct("<4QBQQQdQ")
"""Of a ciphertext: parms_id (4), is_ntt_form, polynomials, N, primes, scale, correction factor."""


class Key:
    """A group's secret key, for one thread. Made by `Scheme.key`."""

    def __init__(self, seal: Any, context: Any, secret: Any, fingerprint: bytes) -> None:
        self.fingerprint = fingerprint
        """32 bytes that stand for the key."""
        self.encryptor = seal.Encryptor(context, secret)
        self.decryptor = seal.Decryptor(context, secret)


class Scheme:
    """CKKS with one set of parameters. Raises Rejected where TenSEAL is missing."""

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self._seal = _sealapi()
        self.context = self._context_of(None)
        self._encoder = self._seal.CKKSEncoder(self.context)
        self._version: tuple[int, int] | None = None

    def key(self, seed: bytes) -> Key:
        """The key of a seed of 32 bytes: the same for everybody with this SEAL."""
        if len(seed) != SEED_BYTES:
            raise Bug(f"a key from a seed of {len(seed)} bytes")
        secret = self._seal.KeyGenerator(self._context_of(seed)).secret_key()
        words = _words(secret.data(), self.parameters.ring.degree)
        return Key(self._seal, self.context, secret, keccak(b"assay ckks key" + words.astype("<u8").tobytes()))

    def encrypt(self, key: Key, integers: npt.NDArray[Any]) -> Coefficients:
        """One block: up to N integers of at most `largest` in magnitude. Raises Rejected on others."""
        degree, largest = self.parameters.ring.degree, self.parameters.largest
        if not len(integers) or len(integers) > degree:
            raise Bug(f"a block of {len(integers)} integers where {degree} fit")
        if int(integers.max()) > largest or int(integers.min()) < -largest:
            raise Rejected(f"homomorphic: an update beyond ±{largest}, for which the sum's parameters were chosen")
        slots = np.zeros(degree, dtype=np.float64)
        slots[: len(integers)] = integers
        plain, sealed = self._seal.Plaintext(), self._seal.Ciphertext()
        self._encoder.encode(slots.view(np.complex128).tolist(), float(self.parameters.scale), plain)
        key.encryptor.encrypt_symmetric(plain, sealed)
        return _words(sealed, 2 * degree)

    @contextmanager
    def decryption(self, key: Key) -> Iterator[Decryption]:
        """For as many blocks as there are, with one scratch file."""
        with TemporaryDirectory(prefix="assay-ckks-") as folder:
            yield Decryption(self, key, Path(folder) / "block")

    def decrypt(self, key: Key, sealed: Any) -> npt.NDArray[np.float64]:
        """The components of a ciphertext of SEAL's."""
        plain = self._seal.Plaintext()
        key.decryptor.decrypt(sealed, plain)
        return np.array(self._encoder.decode_complex(plain), dtype=np.complex128).view(np.float64)

    def load(self, coefficients: Coefficients, scratch: Path) -> Any:
        """A ciphertext of SEAL's with these coefficients."""
        sealed = self._seal.Ciphertext()
        scratch.write_bytes(self._file_of(coefficients, scratch))
        try:
            sealed.load(self.context, str(scratch))
        except (RuntimeError, ValueError) as error:
            raise Bug("SEAL refuses a file that was written for it; another version of TenSEAL?") from error
        return sealed

    def _file_of(self, coefficients: Coefficients, scratch: Path) -> bytes:
        """A ciphertext as SEAL writes it, not compressed. Bug when they are not 2N numbers below q."""
        degree = self.parameters.ring.degree
        if coefficients.shape != (2 * degree,) or int(coefficients.max()) >= self.parameters.ring.prime:
            raise Bug("no coefficients of a ciphertext")
        body = _BODY.pack(*self.context.first_parms_id(), 1, 2, degree, 1, float(self.parameters.scale), 1)
        data = struct.pack("<Q", len(coefficients)) + coefficients.astype("<u8", copy=False).tobytes()
        data = self._header(len(data), scratch) + data
        return self._header(len(body) + len(data), scratch) + body + data

    def _header(self, length: int, scratch: Path) -> bytes:
        if self._version is None:
            self._seal.Modulus(3).save(str(scratch))
            _, _, major, minor, *_ = _HEADER.unpack(scratch.read_bytes()[: _HEADER.size])
            self._version = (major, minor)
        return _HEADER.pack(_MAGIC, _HEADER.size, *self._version, 0, 0, _HEADER.size + length)

    def _context_of(self, seed: bytes | None) -> Any:
        """`seed`: where its randomness comes from; None: SEAL's own."""
        seal, ring = self._seal, self.parameters.ring
        wanted = seal.EncryptionParameters(seal.SCHEME_TYPE.CKKS)
        wanted.set_poly_modulus_degree(ring.degree)
        wanted.set_coeff_modulus([seal.Modulus(self.parameters.ring.prime)])
        if seed is not None:
            wanted.set_random_generator(seal.Blake2xbPRNGFactory(list(struct.unpack("<8Q", _stretched(seed)))))
        context = seal.SEALContext(wanted, True, seal.SEC_LEVEL_TYPE.TC128)
        if not context.parameters_set():
            raise Bug(f"SEAL refuses the parameters: {context.parameters_error_message()}")
        return context


@lru_cache(maxsize=4)
def scheme_of(parameters: Parameters) -> Scheme:
    """The scheme of these parameters, made once: its tables take as long as ten blocks. For any number of threads."""
    return Scheme(parameters)


class Decryption:
    """Blocks of one sum, one after the other."""

    def __init__(self, scheme: Scheme, key: Key, scratch: Path) -> None:
        self._scheme, self._key, self._scratch = scheme, key, scratch

    def __call__(self, coefficients: Coefficients) -> npt.NDArray[np.float64]:
        """The N components of a ciphertext, close to the sum of what was encrypted: float64 (N,), all finite."""
        return self._scheme.decrypt(self._key, self.load(coefficients))

    def load(self, coefficients: Coefficients) -> Any:
        """The ciphertext as SEAL has it. Bug when these are no 2N numbers below q."""
        return self._scheme.load(coefficients, self._scratch)


def _stretched(seed: bytes) -> bytes:
    """64 bytes, which is what SEAL's generator takes."""
    return keccak(b"assay ckks seed 0" + seed) + keccak(b"assay ckks seed 1" + seed)


def _words(of: Any, count: int) -> Coefficients:
    return np.fromiter(map(of.__getitem__, range(count)), dtype=np.uint64, count=count)


def require_seal() -> None:
    """Raises Rejected where TenSEAL is missing."""
    _sealapi()


def _sealapi() -> Any:
    try:
        import tenseal.sealapi as sealapi
    except ImportError:
        raise Rejected(
            "homomorphic aggregation needs TenSEAL, which is not installed here (pip install tenseal; not every "
            "platform has it); tasks with masking, and plain ones, work without"
        ) from None
    return sealapi
