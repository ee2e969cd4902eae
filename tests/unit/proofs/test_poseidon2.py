"""Poseidon2 and the sponge, beside what is published; the circuits' tests hold both against Noir's permutation."""

import pytest

from offchain.errors import Bug
from offchain.proofs.field import ORDER
from offchain.proofs.poseidon2 import hash_elements, pack, pack_bytes, permute, round_constants


def test_the_permutation_has_its_authors_constants_and_answers() -> None:
    # github.com/HorizenLabs/poseidon2, plain_implementations, BN256 with t = 4: first constant, diagonal, test vector
    before, between, after, diagonal = round_constants()
    assert before[0][0] == 0x19B849F69450B06848DA1D39BD5E4A4302BB86744EDC26238B0878E269ED23E5
    assert diagonal[0] == 0x10DC6E9C006EA38B04B1E03B4BD9490C0D03F98929CA1D7FB56821FD19D3B6E7
    assert (len(before), len(between), len(after)) == (4, 56, 4)
    assert permute((0, 1, 2, 3))[0] == 0x01BD538C2EE014ED5141B29E9AE240BF8DB3FE5B9A38629A9647CF8D76C01737


def test_the_sponge_tells_domains_and_lengths_apart() -> None:
    messages = [(d, m) for d in (1, 2) for m in ([], [0], [0, 0], [0, 0, 0], [0, 0, 0, 0], [1], [ORDER - 1])]
    assert len({hash_elements(domain, message) for domain, message in messages}) == len(messages)
    state = permute((7, 8, 9, (3 << 64) + 4))
    a, b, c, d = state
    assert hash_elements(3, [7, 8, 9, 10]) == permute(((a + 10) % ORDER, b, c, d))[0]


def test_packing_puts_the_first_value_highest() -> None:
    assert pack(100, [1, 2, 3]) == [(1 << 100) + 2, 3]
    assert pack(8, list(range(40))) == pack_bytes(bytes(range(40)))
    assert len(pack(8, [255] * 31)) == 1
    assert len(pack(8, [255] * 32)) == 2
    with pytest.raises(Bug):
        pack(8, [256])
