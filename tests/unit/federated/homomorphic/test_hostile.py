"""Who lies about ciphertexts, sums, keys: nothing crashes, nothing wrong is signed."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from offchain.errors import Rejected
from offchain.federated.homomorphic.blocks import BlockSum, block_from_bytes, block_to_bytes
from offchain.federated.homomorphic.ckks import Scheme
from offchain.federated.homomorphic.member import group_key, group_secret
from offchain.federated.homomorphic.messages import Shares, card_of, card_root, encode, read
from offchain.federated.homomorphic.sums import HEAD_BYTES, head, read_signed, signed_file
from offchain.federated.secure.terms import Position, Stage
from offchain.federated.vector_tree import LeafKind, masked_tree
from tests.unit.federated.homomorphic.play import Play

SIZE, DIMENSION = 4, 3000
UPDATES = np.random.default_rng(9).integers(-(2**13), 2**13, (SIZE, DIMENSION), dtype=np.int16)


@pytest.fixture(scope="module")
def play() -> Play:
    return Play(SIZE, DIMENSION)


@pytest.fixture(scope="module")
def files(play: Play) -> dict[int, bytes]:
    return {place: play.file(place, UPDATES[place]) for place in range(SIZE)}


def expected(*places: int) -> "np.typing.NDArray[np.int32]":
    return UPDATES[list(places)].astype(np.int32).sum(axis=0)


def flipped(data: bytes, at: int) -> bytes:
    changed = bytearray(data)
    changed[at] ^= 1
    return bytes(changed)


SPOILT: dict[str, Callable[[Play, bytes], bytes]] = {
    "header": lambda _, data: flipped(data, 5),
    "box": lambda _, data: flipped(data, 40),
    "first block": lambda _, data: flipped(data, 34 + 3 * 48 + 100),
    "last block": lambda _, data: flipped(data, -1),
    "noise": lambda _, data: np.random.default_rng(0).bytes(len(data)),
    "a coefficient that is not below the prime": lambda play, _: play.sealed(
        1, [b"\xff" * play.parameters.block_bytes, play.blocks(1, UPDATES[1])[1]]
    ),
    "another member's file": lambda play, _: play.sealed(0, play.blocks(1, UPDATES[1])),
}


@pytest.mark.parametrize("how", SPOILT)
def test_a_spoilt_file_is_left_out_and_the_sum_is_the_others(play: Play, files: dict[int, bytes], how: str) -> None:
    spoilt = {**files, 1: SPOILT[how](play, files[1])}
    members, total = play.open(play.add(spoilt))
    assert members == (0, 2, 3)
    assert np.array_equal(total, expected(0, 2, 3))


def test_too_few_files_in_order_make_no_sum(play: Play, files: dict[int, bytes]) -> None:
    """The threshold of 4 is 3: no adder may open the sum of two."""
    with pytest.raises(Rejected, match="2 members' ciphertexts are in order, fewer than 3"):
        play.add({**files, 0: bytes(len(files[0])), 1: b""})


def test_a_box_for_one_reader_only_changes_what_the_others_can_add(play: Play, files: dict[int, bytes]) -> None:
    """Its author is in one adder's sum and not in the other's; members sign the first that is posted."""
    partly = {**files, 1: flipped(files[1], 34 + 48 + 3)}
    assert play.open(play.add(partly, reader=0))[0] == (0, 1, 2, 3)
    assert play.open(play.add(partly, reader=1))[0] == (0, 2, 3)


def shifted(play: Play, added: bytes) -> bytes:
    """Every slot moved by about one unit without the key: a constant on c0 is one on the message."""
    size = play.parameters.block_bytes
    block = block_from_bytes(added[HEAD_BYTES : HEAD_BYTES + size], play.parameters)
    degree, prime = play.parameters.ring.degree, np.uint64(play.parameters.ring.prime)
    block[:degree] = (block[:degree] + np.uint64(play.parameters.scale)) % prime
    return added[:HEAD_BYTES] + block_to_bytes(block, play.parameters) + added[HEAD_BYTES + size :]


def doubled(play: Play, files: dict[int, bytes]) -> bytes:
    """One member's ciphertexts twice, another's not at all, and the set as it should be."""
    total = [BlockSum(play.parameters) for _ in range(2)]
    for place in (0, 0, 2, 3):
        for one, block in zip(total, play.blocks(place, UPDATES[place]), strict=True):
            one.add(block_from_bytes(block, play.parameters))
    parts = [block_to_bytes(one.total, play.parameters) for one in total]
    return head(play.session, tuple(map(Position, range(SIZE)))) + b"".join(parts)


def test_members_sign_no_sum_that_an_adder_has_changed(play: Play, files: dict[int, bytes]) -> None:
    added = play.add(files)
    assert np.array_equal(play.open(added)[1], expected(0, 1, 2, 3))
    for changed in (
        shifted(play, added),
        doubled(play, files),
        added[:HEAD_BYTES] + play.add({place: files[place] for place in range(3)})[HEAD_BYTES:],
    ):
        with pytest.raises(Rejected, match="its tag does not fit"):
            play.open(changed)
    with pytest.raises(Rejected, match="those that count are"):
        play.open(added, among=(Position(0), Position(1), Position(2)))
    for changed, why in (
        (head(play.session, (Position(0), Position(1), Position(2))) + added[HEAD_BYTES:], "tag|beyond"),
        (added[:HEAD_BYTES] + bytes(np.random.default_rng(0).integers(0, 127, len(added) - HEAD_BYTES, "u1")), "sum"),
        (added[:HEAD_BYTES] + bytes(len(added) - HEAD_BYTES), "tag"),
        (added[:HEAD_BYTES] + b"\xff" * (len(added) - HEAD_BYTES), "not below the prime"),
        (head(play.session, (Position(0), Position(1))) + added[HEAD_BYTES:], "threshold"),
        (head(play.session, (Position(0), Position(1), Position(7))) + added[HEAD_BYTES:], "over members"),
        (head(play.sessions[1], tuple(map(Position, range(SIZE)))) + added[HEAD_BYTES:], "no sum of group 0"),
        (added[:-1], "no sum of group 0"),
        (b"", "no sum of group 0"),
    ):
        with pytest.raises(Rejected, match=why):
            play.open(changed)


def test_a_member_that_is_far_out_of_range_is_found_in_the_sum(play: Play, files: dict[int, bytes]) -> None:
    """A norm attack with everything in order, the tag too: nobody is named, and nobody signs."""
    big = UPDATES[1].astype(np.int32)
    big[7] = 40 * 2**15
    integers = np.concatenate([big, play.tags.words(Position(1), big)])
    scheme = Scheme(replace(play.parameters, largest=2**21))
    key, degree = group_key(scheme, *play.secret()), play.parameters.ring.degree
    parts = (integers[start : start + degree] for start in range(0, len(integers), degree))
    blocks = [block_to_bytes(scheme.encrypt(key, part), play.parameters) for part in parts]
    with pytest.raises(Rejected, match="beyond"):
        play.open(play.add({**files, 1: play.sealed(1, blocks)}))


def test_who_deals_wrong_has_no_part_of_ours(play: Play) -> None:
    secrets = play.secrets[0][2]
    dealt = play.shares[Position(0)]
    boxes = (*dealt.boxes[:2], bytes(48), *dealt.boxes[3:])
    with pytest.raises(Rejected, match="member 0, who deals, sealed no secret for us"):
        group_secret(
            secrets, play.session, play.keys[0], {**play.shares, Position(0): Shares(boxes, dealt.fingerprint)}
        )
    secret, _ = play.secret(2)
    with pytest.raises(Rejected, match="the dealer's secret gives another key here"):
        group_key(play.scheme, secret, bytes(32))
    without = {place: said for place, said in play.shares.items() if place}
    assert group_secret(secrets, play.session, play.keys[0], without) != play.secret(2)
    with pytest.raises(Rejected, match="is not among those who dealt"):
        group_secret(secrets, play.session, play.keys[0], {p: s for p, s in play.shares.items() if p != 2})
    with pytest.raises(Rejected, match="only 2 members dealt, fewer than the threshold 3"):
        group_secret(secrets, play.session, play.keys[0], dict(list(play.shares.items())[:2]))


def test_files_of_keys_and_shares_are_of_one_session_sender_and_length(play: Play) -> None:
    for stage, said in ((Stage.KEYS, play.keys[0][Position(1)]), (Stage.SHARES, play.shares[Position(1)])):
        data = encode(said, play.session, Position(1))
        assert read(data, play.session, Position(1), stage) == said
        assert read(data, play.session, Position(2), stage) is None
        assert read(data, play.sessions[1], Position(1), stage) is None
        assert read(data + b"\0", play.session, Position(1), stage) is None
        assert read(data[:33], play.session, Position(1), stage) is None
    low = encode(play.keys[0][Position(1)], play.session, Position(1))[:34] + bytes(32)
    assert read(low, play.session, Position(1), Stage.KEYS) is None


def test_what_stands_on_chain_opens_like_a_masked_vector() -> None:
    digest = bytes(range(32))
    card = card_of(digest, 300)
    opening = masked_tree(card).open(0)
    assert opening.content[:32] == digest
    assert opening.leads_to(card_root(digest, 300), LeafKind.MASKED, 0, 2)
    assert card_root(digest, 300) != card_root(bytes(32), 300)
    with pytest.raises(Rejected, match="8 are the least"):
        card_of(digest, 7)


def test_signed_sums_are_read_as_they_were_written(play: Play) -> None:
    members = (Position(0), Position(2), Position(3))
    data = signed_file(play.session, members, expected(0, 2, 3))
    read_members, total = read_signed(memoryview(data), play.session, members)
    assert read_members == members
    assert np.array_equal(total, expected(0, 2, 3))
    for wrong in (data[:-4], data + bytes(4), bytes(len(data))):
        with pytest.raises(Rejected):
            read_signed(memoryview(wrong), play.session, members)
    with pytest.raises(Rejected, match="those that count"):
        read_signed(memoryview(data), play.session, members[1:])
