from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.errors import Rejected
from offchain.ledger.identity import LINK, VOTE, Identity, InstanceId, MemberSigner, recover, text_digest
from offchain.ledger.transport.handshake import (
    FINISH_BYTES,
    HELLO_BYTES,
    KEY_BYTES,
    REPLY_BYTES,
    Dialler,
    LinkKeys,
    Listener,
    Party,
)
from offchain.ledger.types import ReplicaId

INSTANCE = InstanceId(bytes(range(32)))
IDENTITIES = [Identity(bytes([0] * 31 + [number])) for number in range(1, 6)]
MEMBERS = tuple(identity.address for identity in IDENTITIES[:4])
ZERO, ONE, TWO = ReplicaId(0), ReplicaId(1), ReplicaId(2)


def party(me: int, instance: InstanceId = INSTANCE) -> Party:
    return Party(instance, ReplicaId(me), MEMBERS, IDENTITIES[me])


def secret(number: int) -> bytes:
    return bytes([number]) * 32


def shake(dialler: Dialler, listener: Listener) -> tuple[LinkKeys, LinkKeys]:
    finish, dialler_keys = dialler.answer(listener.reply(dialler.hello))
    return dialler_keys, listener.finish(finish)


def test_both_sides_end_with_the_same_keys() -> None:
    listener = Listener(party(2), secret(2))
    dialler_keys, listener_keys = shake(Dialler(party(0), TWO, secret(1)), listener)
    assert listener.peer == 0
    assert (dialler_keys.send, dialler_keys.receive) == (listener_keys.receive, listener_keys.send)
    assert dialler_keys.send != dialler_keys.receive


def test_sizes_are_what_they_say() -> None:
    dialler, listener = Dialler(party(0), ONE, secret(1)), Listener(party(1), secret(2))
    reply = listener.reply(dialler.hello)
    finish, _ = dialler.answer(reply)
    assert (len(dialler.hello), len(reply), len(finish)) == (HELLO_BYTES, REPLY_BYTES, FINISH_BYTES)


def test_keys_are_fresh_with_either_side() -> None:
    found = {
        shake(Dialler(party(0), ONE, secret(a)), Listener(party(1), secret(b)))[0].send
        for a, b in ((1, 2), (3, 2), (1, 4))
    }
    assert len(found) == 3


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["hello", "reply", "finish"]), st.integers(0, 10_000), st.integers(0, 7))
def test_any_flipped_bit_is_noticed(which: str, position: int, bit: int) -> None:
    dialler, listener = Dialler(party(0), ONE, secret(1)), Listener(party(1), secret(2))

    def flip(name: str, data: bytes) -> bytes:
        if name != which:
            return data
        changed = bytearray(data)
        changed[position % len(data)] ^= 1 << bit
        return bytes(changed)

    def shake_with_flip() -> None:
        finish, _ = dialler.answer(flip("reply", listener.reply(flip("hello", dialler.hello))))
        listener.finish(flip("finish", finish))

    with pytest.raises(Rejected):
        shake_with_flip()


@pytest.mark.parametrize("size", [0, 1, HELLO_BYTES - 1, HELLO_BYTES + 1])
def test_a_hello_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(Rejected):
        Listener(party(1), secret(2)).reply(Dialler(party(0), ONE, secret(1)).hello.ljust(size, b"\0")[:size])


@pytest.mark.parametrize("size", [0, KEY_BYTES, REPLY_BYTES - 1, REPLY_BYTES + 1])
def test_a_reply_of_another_size_is_refused(size: int) -> None:
    dialler = Dialler(party(0), ONE, secret(1))
    reply = Listener(party(1), secret(2)).reply(dialler.hello)
    with pytest.raises(Rejected):
        dialler.answer(reply.ljust(size, b"\0")[:size])


def test_a_recorded_handshake_is_worth_nothing() -> None:
    """The listener's ephemeral key is another one, so the recorded finish does not fit; nor does a recorded reply."""
    dialler, listener = Dialler(party(0), ONE, secret(1)), Listener(party(1), secret(2))
    reply = listener.reply(dialler.hello)
    finish, _ = dialler.answer(reply)
    again = Listener(party(1), secret(3))
    again.reply(dialler.hello)
    with pytest.raises(Rejected, match="does not have its key"):
        again.finish(finish)
    with pytest.raises(Rejected, match="does not have its key"):
        Dialler(party(0), ONE, secret(4)).answer(reply)


def test_a_reflected_signature_is_worth_nothing() -> None:
    """The listener's own signature is not taken for the dialler's, nor turned round."""
    dialler, listener = Dialler(party(0), ONE, secret(1)), Listener(party(1), secret(2))
    reply = listener.reply(dialler.hello)
    with pytest.raises(Rejected):
        listener.finish(reply[KEY_BYTES:])
    with pytest.raises(Rejected):
        dialler.answer(dialler.hello[-KEY_BYTES:] + reply[KEY_BYTES:])


def test_a_handshake_cannot_be_passed_on_to_another() -> None:
    """Replica 2 cannot make 1 believe that 0's answer to 2 was meant for 1."""
    dialler, middle = Dialler(party(0), TWO, secret(1)), Listener(party(2), secret(2))
    finish, _ = dialler.answer(middle.reply(dialler.hello))
    victim = Listener(party(1), secret(3))
    with pytest.raises(Rejected, match="does not dial"):
        victim.reply(dialler.hello)
    posing = Dialler(party(0), ONE, secret(1))
    victim.reply(posing.hello)
    with pytest.raises(Rejected):
        victim.finish(finish)


def test_a_stranger_and_a_wrong_member_are_refused() -> None:
    for impostor in (IDENTITIES[4], IDENTITIES[3]):
        listener = Listener(party(1), secret(2))
        dialler = Dialler(replace(party(0), identity=impostor), ONE, secret(1))
        finish, _ = dialler.answer(listener.reply(dialler.hello))
        with pytest.raises(Rejected, match="replica 0 does not have its key"):
            listener.finish(finish)
        false_listener = Listener(replace(party(1), identity=impostor), secret(2))
        honest = Dialler(party(0), ONE, secret(1))
        with pytest.raises(Rejected, match="replica 1 does not have its key"):
            honest.answer(false_listener.reply(honest.hello))


def test_another_group_or_version_is_refused() -> None:
    other = Dialler(party(0, InstanceId(bytes(32))), ONE, secret(1))
    with pytest.raises(Rejected, match="another group"):
        Listener(party(1), secret(2)).reply(other.hello)
    with pytest.raises(Rejected, match="same version"):
        Listener(party(1), secret(2)).reply(b"HTTP/1.1" + other.hello[8:])


def test_an_ephemeral_key_of_low_order_is_refused() -> None:
    dialler = Dialler(party(0), ONE, secret(1))
    transcript = dialler.hello + bytes(KEY_BYTES)
    signature = IDENTITIES[1].sign(LINK, INSTANCE, b"listener\n" + transcript)
    with pytest.raises(Rejected, match="ephemeral"):
        dialler.answer(bytes(KEY_BYTES) + signature)


# Signatures


def test_signatures_name_their_purpose_and_group() -> None:
    signature = IDENTITIES[0].sign(VOTE, INSTANCE, b"text")
    assert recover(text_digest(VOTE, INSTANCE, b"text"), signature) == MEMBERS[0]
    assert recover(text_digest(LINK, INSTANCE, b"text"), signature) != MEMBERS[0]
    assert recover(text_digest(VOTE, InstanceId(bytes(32)), b"text"), signature) != MEMBERS[0]


def test_the_mirror_of_a_signature_is_refused() -> None:
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    signature = IDENTITIES[0].sign(VOTE, INSTANCE, b"text")
    word = int.from_bytes(signature[32:], "big")
    s, parity = word & (1 << 255) - 1, word >> 255
    mirrored = signature[:32] + ((1 - parity) << 255 | (order - s) & (1 << 255) - 1).to_bytes(32, "big")
    assert recover(text_digest(VOTE, INSTANCE, b"text"), mirrored) != MEMBERS[0]


@given(st.binary(max_size=80))
def test_garbage_is_no_signature(garbage: bytes) -> None:
    assert recover(text_digest(VOTE, INSTANCE, b"text"), garbage) not in MEMBERS


def test_the_signer_of_the_core() -> None:
    signers = [MemberSigner(identity, INSTANCE, MEMBERS) for identity in IDENTITIES[:4]]
    signature = signers[2].sign(b"view change")
    assert signers[0].verify(TWO, b"view change", signature)
    assert not signers[0].verify(ONE, b"view change", signature)
    assert not signers[0].verify(TWO, b"view chance", signature)
    assert not signers[0].verify(ReplicaId(4), b"view change", signature)
