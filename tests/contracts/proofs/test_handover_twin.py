"""HandoverVerifier.sol and its libraries against their Python twins, published vectors and `cryptography`."""

import random
from dataclasses import replace

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20

from offchain.model.graph import IntegerNetwork, Op
from offchain.model.merkle import root_from
from offchain.model.oracle import evaluate_slowly
from offchain.proofs.circuit import Circuit
from offchain.proofs.field import ORDER
from offchain.proofs.handover import SealedKey, public_key, seal_key, unseal_key
from offchain.proofs.pieces import ELEMENTS, Message, PieceTree, cut, first_fault, open_message, seal
from offchain.proofs.poseidon2 import hash_elements, permute
from offchain.proofs.statement import Chunk, chunk_elements, chunk_hash, model_elements
from offchain.proofs.unpacking import (
    MultiplierFault,
    chunk_element_count,
    chunk_overfills,
    element_count,
    layout_of,
    multiplier_fault,
    unpack_chunk,
    unpack_model,
    unscaled,
)
from scripts.poseidon2_constants import FILE, source
from tests.contracts.support.solidity import compile_harness
from tests.simulation.evm import Abi, Contract, account
from tests.simulation.revm import FastEvm
from tests.unit.model.networks import random_network

KEY = bytes(range(32))
CONTEXT = bytes(reversed(range(32)))
MODEL = 1


@pytest.fixture(scope="module")
def verifier() -> Contract:
    harness = compile_harness("HandoverHarness")
    return FastEvm.empty(now=1).create(account(0), harness.creation, Abi(harness.abi))


def test_the_contract_has_the_published_constants() -> None:
    assert FILE.read_text(encoding="utf-8") == source()


def test_poseidon2(verifier: Contract) -> None:
    rng = random.Random(1)
    edges = [(0, 1, 2, 3), (ORDER - 1,) * 4, (0, 0, 0, 0)]
    for state in (*edges, *(tuple(rng.randrange(ORDER) for _ in range(4)) for _ in range(40))):
        a, b, c, d = state
        assert tuple(verifier.read("permute", state)) == permute((a, b, c, d))
    largest = (2**256 - 1,) * 4
    assert tuple(verifier.read("permute", largest)) == permute(((2**256 - 1) % ORDER,) * 4)


def test_x25519_of_rfc_7748(verifier: Contract) -> None:
    """Section 5.2: both vectors and the first iteration."""
    vectors = [
        (
            "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
            "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
            "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
        ),
        (
            "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
            "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
            "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957",
        ),
        ("09" + "00" * 31, "09" + "00" * 31, "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"),
    ]
    for private, public, shared in vectors:
        assert verifier.read("exchange", bytes.fromhex(private), bytes.fromhex(public)).hex() == shared


def test_x25519_is_that_of_the_library(verifier: Contract) -> None:
    rng = random.Random(2)
    for _ in range(25):
        mine, other = rng.randbytes(32), rng.randbytes(32)
        expected = X25519PrivateKey.from_private_bytes(mine).exchange(X25519PublicKey.from_public_bytes(other))
        assert verifier.read("exchange", mine, other) == expected
        assert verifier.read("publicKeyOf", mine) == public_key(mine)
    for low_order in (0, 1, 2**255 - 20, 2**255 - 19, 2**255 - 18):
        assert verifier.read("exchange", KEY, low_order.to_bytes(32, "little")) == bytes(32)


def test_blocks_of_chacha20(verifier: Contract) -> None:
    rng = random.Random(3)
    for _ in range(25):
        key, counter, nonce = rng.randbytes(32), rng.randrange(2**32), rng.randrange(2**32)
        stream = Cipher(ChaCha20(key, counter.to_bytes(4, "little") + nonce.to_bytes(12, "little")), mode=None)
        assert b"".join(verifier.read("blockAt", key, counter, nonce)) == stream.encryptor().update(bytes(64))


def test_a_sealed_key(verifier: Contract) -> None:
    rng = random.Random(4)
    client, ephemeral, key = rng.randbytes(32), rng.randbytes(32), rng.randbytes(32)
    sealed = seal_key(key, ephemeral, public_key(client), CONTEXT)
    assert sealed.data != key
    assert len(sealed.tag) == 16
    found = unseal_key(client, public_key(ephemeral), sealed, CONTEXT)
    assert (found.key, found.usable, found.authentic) == (key, True, True)
    assert verifier.read("unseal", client, public_key(ephemeral), CONTEXT, sealed.data) == (key, True)
    spoilt = SealedKey(bytes([sealed.data[0] ^ 1]) + sealed.data[1:], sealed.tag)
    found = unseal_key(client, public_key(ephemeral), spoilt, CONTEXT)
    assert found.key != key
    assert not found.authentic
    assert verifier.read("unseal", client, public_key(ephemeral), CONTEXT, spoilt.data) == (found.key, True)
    for changed in (bytes(32), CONTEXT):
        theirs = verifier.read("unseal", client, bytes(32), changed, sealed.data)
        mine = unseal_key(client, bytes(32), sealed, changed)
        assert theirs == (mine.key, mine.usable)
        assert not mine.usable


@pytest.mark.parametrize("count", [0, 1, 3, 23, 24, 25, 48, 71])
def test_pieces_of_a_message(verifier: Contract, count: int) -> None:
    rng = random.Random(count)
    elements = [rng.randrange(ORDER) for _ in range(count)]
    message = Message(MODEL, count, hash_elements(MODEL, elements), first=5)
    pieces = cut(seal(KEY, MODEL, elements, first=5))
    assert len(pieces) == message.pieces
    assert first_fault(KEY, message, pieces) is None
    assert open_message(KEY, message, pieces) == elements
    assert not any(breaks(verifier, message, pieces, at) for at in range(message.pieces))
    for at in range(message.pieces):
        # an element that counts, and each word of the state
        for place in (*([0] if count else []), 24 * 32, 25 * 32, 26 * 32, 27 * 32 + 31):
            spoilt = [*pieces]
            spoilt[at] = flipped(pieces[at], place)
            fault = first_fault(KEY, message, spoilt)
            assert fault == at
            assert breaks(verifier, message, spoilt, at)
            assert verifier.read("leafOf", spoilt[at]) != verifier.read("leafOf", pieces[at])
    other = replace(message, digest=message.digest ^ 1)
    assert first_fault(KEY, other, pieces) == message.pieces - 1
    assert breaks(verifier, other, pieces, message.pieces - 1)


@pytest.mark.parametrize("count", [1, 4, 25, 35, 71])
def test_padding_that_is_not_zero_is_another_message(verifier: Contract, count: int) -> None:
    """Who chooses a hash could absorb something there: both twins read zeros, and find that the end is another."""
    elements = list(range(1, count + 1))
    spoilt = [*elements, *[7] * (-count % 3)]
    digest = sponge_of(MODEL, count, spoilt)
    assert digest != hash_elements(MODEL, elements)
    words = [*spoilt, *[0] * (-len(spoilt) % ELEMENTS)]
    pieces = cut(seal(KEY, MODEL, elements))
    end = [*words[-ELEMENTS:], *digest_state(MODEL, count, spoilt)]
    plain = b"".join(word.to_bytes(32, "big") for word in end)
    stream = Cipher(ChaCha20(KEY, bytes(4) + (len(pieces) - 1).to_bytes(12, "little")), mode=None).encryptor()
    pieces[-1] = stream.update(plain)
    message = Message(MODEL, count, digest)
    assert first_fault(KEY, message, pieces) == len(pieces) - 1
    assert breaks(verifier, message, pieces, len(pieces) - 1)


def test_a_word_counts_modulo_the_order(verifier: Contract) -> None:
    elements = [1, 2, 3, 4]
    message = Message(MODEL, 4, hash_elements(MODEL, elements))
    piece = seal(KEY, MODEL, elements)
    larger = (1 + ORDER).to_bytes(32, "big")
    same = bytes(a ^ b ^ c for a, b, c in zip(piece[:32], larger, (1).to_bytes(32, "big"), strict=True)) + piece[32:]
    assert same != piece
    assert first_fault(KEY, message, [same]) is None
    assert open_message(KEY, message, [same]) == elements
    assert not breaks(verifier, message, [same], 0)


def test_the_tree_over_pieces(verifier: Contract) -> None:
    pieces = cut(seal(KEY, MODEL, range(100)))
    tree = PieceTree(pieces)
    leaf = verifier.read("leafOf", pieces[0])
    assert root_from(leaf, 0, len(pieces), tree.prove(0)) == tree.root


@pytest.mark.parametrize("seed", range(6))
def test_an_opened_model_computes_the_same(verifier: Contract, seed: int) -> None:
    ops = [[Op.DENSE, Op.DENSE], [Op.CONV2D, Op.MAX_POOL2D, Op.DENSE], [Op.DEPTHWISE_CONV2D, Op.AVERAGE_POOL2D, Op.ADD]]
    network = random_network([*ops[seed % 3], Op.DENSE], seed)
    circuit = Circuit.of(network, samples=3)
    elements = [*model_elements(circuit, network), 12345, 678]
    assert len(elements) == element_count(circuit)
    assert multiplier_fault(circuit, elements) is None
    opened = unpack_model(circuit, elements)
    assert model_elements(circuit, opened) == elements[:-2]
    inputs = np.random.default_rng(seed).integers(-128, 128, (5, *network.input_shape), dtype=np.int8)
    assert (evaluate_slowly(opened, inputs) == evaluate_slowly(network, inputs)).all()
    for node, place in enumerate(layout_of(circuit)):
        for unit in {0, place.units - 1}:
            assert not breaks_multiplier(verifier, circuit, elements, (node, unit))


@pytest.mark.parametrize("scaled", [0, (1 << 22) + 1, (1 << 23) - 1, (1 << 22) - 1, 1, 3 << 44])
def test_a_multiplier_that_no_network_has(verifier: Contract, scaled: int) -> None:
    network = random_network([Op.DENSE, Op.DENSE], 3)
    circuit = Circuit.of(network, samples=1, shift=40)
    node = len(layout_of(circuit)) - 1
    place, bits = layout_of(circuit)[node], 22 + circuit.shift
    unit = place.units - 1
    elements = [*model_elements(circuit, network), 1, 2]
    at = place.first + unit // (248 // bits)
    # a node's last is the least significant
    elements[at] = elements[at] >> bits << bits | scaled
    fault = multiplier_fault(circuit, elements)
    valid = unscaled(scaled, circuit.shift) is not None
    assert valid == (scaled in ((1 << 22) - 1, 1, 3 << 44))
    assert breaks_multiplier(verifier, circuit, elements, (node, unit)) != valid
    assert fault == (None if valid else MultiplierFault(node, unit, at))


def test_chunks(verifier: Contract) -> None:
    network = one_layer(inputs=40)
    circuit = Circuit.of(network, samples=17)
    rng = np.random.default_rng(5)
    chunk = Chunk(rng.integers(-128, 128, (17, 40), dtype=np.int8), rng.integers(0, 9, 17).astype(np.int32))
    elements = chunk_elements(circuit, chunk)
    assert len(elements) == chunk_element_count(circuit) == verifier.read("chunkElements", 17, 40)
    again = unpack_chunk(circuit, elements)
    assert (again.inputs == chunk.inputs).all()
    assert (again.labels == chunk.labels).all()
    message = Message(2, len(elements), chunk_hash(circuit, chunk), first=2)
    assert first_fault(KEY, message, cut(seal(KEY, 2, elements, first=2))) is None
    assert not overfills(verifier, elements)
    # 31 numbers fill an element; the second of a sample has 9, the last of the labels 2
    for at, bits in ((0, 248), (1, 72), (34, 240), (35, 32)):
        spoilt = [*elements]
        spoilt[at] = 1 << bits
        assert chunk_overfills(circuit, spoilt) == at
        assert overfills(verifier, spoilt)
        spoilt[at] = (1 << bits) - 1
        assert chunk_overfills(circuit, spoilt) is None
        assert not overfills(verifier, spoilt)


def digest_state(domain: int, count: int, words: list[int]) -> tuple[int, ...]:
    """The state after absorbing whole blocks, in a sponge that says it has `count` elements."""
    a, b, c, d = 0, 0, 0, (domain << 64) + count
    for at in range(0, len(words), 3):
        x, y, z = words[at : at + 3]
        a, b, c, d = permute((a + x, b + y, c + z, d))
    return a, b, c, d


def sponge_of(domain: int, count: int, words: list[int]) -> int:
    return digest_state(domain, count, words)[0]


def one_layer(inputs: int) -> IntegerNetwork:
    return random_network([Op.DENSE], 1, (inputs,))


def flipped(piece: bytes, place: int) -> bytes:
    """With one bit changed, of a word's low half: modulo the order that is another word."""
    at = place if place % 32 else place + 20
    return piece[:at] + bytes([piece[at] ^ 1]) + piece[at + 1 :]


def claim_of(message: Message, at: int) -> tuple[object, ...]:
    return (KEY, message.domain, message.elements, at, message.first + at, message.digest)


def breaks(verifier: Contract, message: Message, pieces: list[bytes], at: int) -> bool:
    previous = pieces[at - 1] if at else b""
    return bool(verifier.read("breaksMessage", claim_of(message, at), previous, pieces[at]))


def breaks_multiplier(verifier: Contract, circuit: Circuit, elements: list[int], place: tuple[int, int]) -> bool:
    layout = layout_of(circuit)
    at = (layout[place[0]].first + place[1] // (248 // (22 + circuit.shift))) // ELEMENTS
    piece = cut(seal(KEY, MODEL, elements))[at]
    rows = [(row.first, row.units) for row in layout]
    claim = claim_of(Message(MODEL, len(elements), 0), at)
    return bool(verifier.read("breaksMultiplier", claim, circuit.shift, rows, place, piece))


def overfills(verifier: Contract, elements: list[int]) -> bool:
    message = Message(2, len(elements), 0, first=7)
    pieces = cut(seal(KEY, 2, elements, first=7))
    return any(verifier.read("overfillsChunk", claim_of(message, at), 17, 40, piece) for at, piece in enumerate(pieces))
