"""Every cheat that can be seen names its author and nobody else; and no member is talked into opening another."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from offchain.errors import Bug, Rejected
from offchain.federated.secure.boxes import Route, seal, share_commitment
from offchain.federated.secure.faults import Charge, Fault
from offchain.federated.secure.masking import commitment_of
from offchain.federated.secure.messages import (
    Answer,
    Entry,
    Masked,
    Message,
    Secret,
    Shares,
    Unmask,
    encode,
    size_of,
)
from offchain.federated.secure.participant import Secrets, draw_secrets, masked_message, unmask_message
from offchain.federated.secure.session import next_message
from offchain.federated.secure.shamir import PRIME
from offchain.federated.secure.terms import Position, Seed, Stage
from offchain.federated.secure.transcript import read
from offchain.federated.secure.unmask import unmask
from offchain.federated.secure.verdict import WrongSum, verify
from tests.unit.federated.secure.play import Play, random_updates, session_of

KEYS, SHARES, MASKED, UNMASK = Stage
SESSION = session_of(6, 20)
"""Threshold 4."""
CHEAT, PEER = Position(1), Position(3)


def changed(values: tuple[bytes, ...], place: int, value: bytes) -> tuple[bytes, ...]:
    return (*values[:place], value, *values[place + 1 :])


def play_with(**tampered: dict[int, Callable[[Message], Message | None]]) -> Play:
    play = Play(SESSION, random_updates(SESSION))
    play.all_stages(**tampered)
    return play


def entry_of(dealer: int, entry: Entry) -> Callable[[Message], Message]:
    def change(message: Message) -> Message:
        assert isinstance(message, Unmask)
        return Unmask((*message.entries[:dealer], entry, *message.entries[dealer + 1 :]))

    return change


def on_shares(change: Callable[[Shares], Shares]) -> Callable[[Message], Message]:
    def changed_shares(message: Message) -> Message:
        assert isinstance(message, Shares)
        return change(message)

    return changed_shares


def test_a_file_of_no_valid_form_counts_as_not_posted() -> None:
    for stage, name in zip(Stage, ("keys", "shares", "masked", "unmask"), strict=True):
        play = play_with(**{name: {CHEAT: lambda _: None}})
        verdict = verify(play.transcript)
        assert verdict.faults == (Fault(stage, CHEAT, Charge.NO_SUCH_MESSAGE, CHEAT),)
        survivors = [place for place in range(6) if place != CHEAT or stage is UNMASK]
        assert np.array_equal(unmask(play.transcript), play.plain_sum(survivors))


def test_keys_of_low_order() -> None:
    for key in (bytes(32), (2**255 - 19).to_bytes(32, "little")):
        play = play_with(keys={CHEAT: lambda sent, key=key: replace(sent, mask_key=key)})
        assert verify(play.transcript).faults == (Fault(KEYS, CHEAT, Charge.BAD_KEY, CHEAT),)
        play = play_with(
            keys={CHEAT: lambda sent, key=key: replace(sent, share_keys=changed(sent.share_keys, PEER, key))}
        )
        assert verify(play.transcript).cheaters == (CHEAT,)
        assert np.array_equal(unmask(play.transcript), play.plain_sum([0, 2, 3, 4, 5]))


def test_seeds_left_out_or_changed() -> None:
    for place, value in ((PEER, bytes(32)), (CHEAT, b"x" * 32)):
        play = play_with(
            shares={CHEAT: on_shares(lambda sent, p=place, v=value: replace(sent, seeds=changed(sent.seeds, p, v)))}
        )
        assert verify(play.transcript).faults == (Fault(SHARES, CHEAT, Charge.BAD_COMMITMENTS, CHEAT),)


def test_a_box_that_does_not_open_is_shown_by_its_recipient_and_opens_no_other() -> None:
    play = play_with(
        shares={
            CHEAT: on_shares(lambda sent: replace(sent, boxes=changed(sent.boxes, PEER, b"\7" * len(sent.boxes[0]))))
        }
    )
    verdict = verify(play.transcript)
    assert verdict.faults == (Fault(SHARES, CHEAT, Charge.BAD_BOX, PEER),)
    assert verdict.is_clean
    answer = play.transcript.unmask[PEER]
    assert answer is not None
    complaint = answer.entries[CHEAT]
    assert complaint.answer is Answer.COMPLAINT
    secrets = play.secrets[PEER]
    assert complaint.content[1:] == secrets.share_key(CHEAT)
    assert secrets.share_key(CHEAT) not in {secrets.share_key(Position(dealer)) for dealer in (0, 2, 4, 5)}


def test_a_box_with_other_shares_than_committed_to() -> None:
    def cheat(sent: Shares) -> Shares:
        pair = (b"\0" * 33, b"\0" * 33)
        keys = play.transcript.keys[PEER]
        assert keys is not None
        box = seal(
            Route(SESSION.digest, CHEAT, PEER), play.secrets[CHEAT].share_key(PEER), keys.share_keys[CHEAT], pair
        )
        return replace(sent, boxes=changed(sent.boxes, PEER, box))

    play = Play(SESSION, random_updates(SESSION))
    play.all_stages(shares={CHEAT: on_shares(cheat)})
    assert verify(play.transcript).faults == (Fault(SHARES, CHEAT, Charge.BAD_BOX, PEER),)


def dealer_of(play: Play, values: tuple[int, int], recipients: range) -> Callable[[Message], Message]:
    """Deals shares shifted by `values`, each committed to and sealed as it should be."""

    def cheat(sent: Shares) -> Shares:
        boxes, commitments = list(sent.boxes), [list(row) for row in sent.commitments]
        polynomials = play.secrets[CHEAT].polynomials(SESSION.threshold)
        for peer in map(Position, recipients):
            route = Route(SESSION.digest, CHEAT, peer)
            pair = [
                ((sum(c * (peer + 1) ** k for k, c in enumerate(line)) + shift) % PRIME).to_bytes(33, "big")
                for line, shift in zip(polynomials, values, strict=True)
            ]
            for secret in Secret:
                commitments[secret][peer] = share_commitment(route, secret, pair[secret])
            keys = play.transcript.keys[peer]
            assert keys is not None
            if peer != CHEAT:
                boxes[peer] = seal(
                    route, play.secrets[CHEAT].share_key(peer), keys.share_keys[CHEAT], (pair[0], pair[1])
                )
        return replace(sent, boxes=tuple(boxes), commitments=(tuple(commitments[0]), tuple(commitments[1])))

    return on_shares(cheat)


@pytest.mark.parametrize(
    ("values", "recipients", "gone", "charge"),
    [
        ((1, 0), range(6), False, Charge.WRONG_SECRET),
        ((0, 1), range(6), True, Charge.WRONG_SECRET),
        ((1, 0), range(2), False, Charge.INCONSISTENT_SHARES),
        ((0, 1), range(2, 3), True, Charge.INCONSISTENT_SHARES),
    ],
)
def test_a_dealer_of_shares_that_do_not_give_its_secret(
    values: tuple[int, int], recipients: range, gone: bool, charge: Charge
) -> None:
    play = Play(SESSION, random_updates(SESSION))
    others = [place for place in range(6) if place != CHEAT]
    tamper = dealer_of(play, values, recipients)
    play.all_stages({MASKED: others if gone else range(6), UNMASK: others}, shares={CHEAT: tamper})
    verdict = verify(play.transcript)
    assert verdict.faults == (Fault(SHARES, CHEAT, charge, CHEAT),)
    assert verdict.total is None
    with pytest.raises(Rejected, match="member 1 dealt shares"):
        unmask(play.transcript)


def test_the_last_shares_alone_being_wrong_cost_the_dealer_and_not_the_sum() -> None:
    play = Play(SESSION, random_updates(SESSION))
    play.all_stages(shares={CHEAT: dealer_of(play, (1, 0), range(5, 6))})
    verdict = verify(play.transcript)
    assert verdict.faults == (Fault(SHARES, CHEAT, Charge.INCONSISTENT_SHARES, CHEAT),)
    assert verdict.total is not None
    assert np.array_equal(verdict.total, play.plain_sum(range(6)))


def test_another_seed_than_the_keys_give() -> None:
    """Seen when the other one drops out; before that the pair is known to disagree."""
    for gone, accused, lost in ((PEER, CHEAT, True), (CHEAT, CHEAT, False), (5, None, False)):
        play = Play(SESSION, random_updates(SESSION))
        wrong = commitment_of(Seed(b"w" * 32))
        live = [place for place in range(6) if place != gone]
        play.all_stages(
            {MASKED: live, UNMASK: live},
            shares={CHEAT: on_shares(lambda sent, wrong=wrong: replace(sent, seeds=changed(sent.seeds, PEER, wrong)))},
        )
        verdict = verify(play.transcript)
        assert verdict.disagreeing == ((CHEAT, PEER),)
        assert verdict.cheaters == (() if accused is None else (accused,))
        assert (verdict.total is None) == lost
        if accused is not None:
            assert verdict.faults == (Fault(SHARES, CHEAT, Charge.WRONG_SEED, PEER),)


@pytest.mark.parametrize(
    ("entry", "charge"),
    [
        (Entry(Answer.SELF_SEED, b"\0" + b"s" * 32), Charge.WRONG_SHARE),
        (Entry(Answer.MASK_KEY, b"\0" + b"s" * 32), Charge.INCOMPLETE_ANSWER),
        (Entry(Answer.NOTHING, bytes(33)), Charge.INCOMPLETE_ANSWER),
        (Entry(Answer.COMPLAINT, b"\0" + b"k" * 32), Charge.FALSE_COMPLAINT),
    ],
)
def test_wrong_answers(entry: Entry, charge: Charge) -> None:
    play = play_with(unmask={CHEAT: entry_of(PEER, entry)})
    verdict = verify(play.transcript)
    about = CHEAT if charge is Charge.INCOMPLETE_ANSWER else PEER
    assert verdict.faults == (Fault(UNMASK, CHEAT, charge, about),)
    assert verdict.total is not None
    assert np.array_equal(verdict.total, play.plain_sum(range(6)))


def test_a_complaint_about_a_good_box_by_its_true_key_is_false_and_one_about_oneself_no_answer() -> None:
    play = Play(SESSION, random_updates(SESSION))
    key = b"\0" + play.secrets[CHEAT].share_key(PEER)
    play.all_stages(unmask={CHEAT: entry_of(PEER, Entry(Answer.COMPLAINT, key))})
    assert verify(play.transcript).faults == (Fault(UNMASK, CHEAT, Charge.FALSE_COMPLAINT, PEER),)
    play = play_with(unmask={CHEAT: entry_of(CHEAT, Entry(Answer.COMPLAINT, key))})
    assert verify(play.transcript).faults == (Fault(UNMASK, CHEAT, Charge.INCOMPLETE_ANSWER, CHEAT),)


def test_a_vector_of_another_length_is_none_and_one_out_of_range_is_seen() -> None:
    play = play_with(masked={CHEAT: lambda sent: Masked(sent.vector[:-1])})
    assert verify(play.transcript).faults == (Fault(MASKED, CHEAT, Charge.NO_SUCH_MESSAGE, CHEAT),)
    play = play_with(masked={CHEAT: lambda sent: Masked(sent.vector + np.uint32(2**20))})
    verdict = verify(play.transcript)
    assert (verdict.faults, verdict.is_clean) == ((), False)
    assert verdict.out_of_range == SESSION.dimension


def test_a_leader_with_another_sum() -> None:
    play = play_with()
    total = unmask(play.transcript)
    wrong = total.copy()
    wrong[7] += 1
    assert verify(play.transcript, wrong).leader == WrongSum(7, int(total[7]) + 1, int(total[7]))
    assert verify(play.transcript, total[:-1]).leader == WrongSum(-1, 0, 0)
    assert verify(play.transcript, total).leader is None


def test_a_member_answers_once_and_masks_once() -> None:
    play = Play(SESSION, random_updates(SESSION))
    play.all_stages({UNMASK: ()})
    whole = play.transcript
    fewer = replace(whole, masked={place: whole.masked[place] for place in map(Position, range(5))})
    bound, answer = unmask_message(play.secrets[PEER], whole)
    assert unmask_message(bound, whole) == (bound, answer)
    with pytest.raises(Rejected, match="other survivors"):
        unmask_message(bound, fewer)
    other, answer = unmask_message(play.secrets[PEER], fewer)
    assert answer.entries[5].answer is Answer.MASK_KEY
    with pytest.raises(Rejected, match="other survivors"):
        unmask_message(other, whole)

    secrets, update = play.secrets[PEER], play.updates[PEER]
    assert np.array_equal(masked_message(secrets, whole, update)[1].vector, whole.masked[PEER].vector)
    with pytest.raises(Rejected, match="masked another update"):
        masked_message(secrets, whole, update + np.int16(1))
    fewer = replace(whole, shares={place: whole.shares[place] for place in map(Position, range(5))})
    with pytest.raises(Rejected, match="for other peers"):
        masked_message(secrets, fewer, update)


def test_no_answer_shows_both_secrets_of_a_member() -> None:
    play = Play(SESSION, random_updates(SESSION))
    play.all_stages({MASKED: range(5)})
    for answer in play.transcript.unmask.values():
        assert answer is not None
        kinds = [entry.answer for entry in answer.entries]
        assert kinds == [Answer.SELF_SEED] * 5 + [Answer.MASK_KEY]


def test_who_is_out_or_has_posted_posts_nothing() -> None:
    play = Play(SESSION, random_updates(SESSION))
    play.stage(KEYS, range(6))
    play.stage(SHARES, range(5))
    assert next_message(play.secrets[Position(5)], play.transcript, MASKED, play.updates[5]) is None
    assert next_message(play.secrets[PEER], play.transcript, SHARES) is None
    with pytest.raises(Bug):
        next_message(play.secrets[PEER], play.transcript, MASKED)


def test_secrets_are_for_one_session_and_survive_the_journal() -> None:
    secrets = draw_secrets(SESSION, PEER, np.random.default_rng(0).bytes)
    assert Secrets.from_json(secrets.to_json()) == secrets
    assert secrets.root.hex() not in repr(secrets)
    with pytest.raises(Bug):
        Secrets.from_json("{}")
    for other in (
        replace(SESSION, chain_id=1),
        replace(SESSION, contract=b"\xbb" * 20),
        replace(SESSION, task=8),
        replace(SESSION, round=4),
        replace(SESSION, attempt=1),
        replace(SESSION, group=1),
    ):
        with pytest.raises(Rejected, match="another session"):
            next_message(secrets, Play(other, random_updates(other)).transcript, KEYS)
        sent = next_message(
            draw_secrets(other, PEER, np.random.default_rng(0).bytes),
            Play(other, random_updates(other)).transcript,
            KEYS,
        )
        assert sent is not None
        assert read(encode(sent.message, other, PEER), SESSION, PEER, KEYS) is None


def test_files_are_read_back_and_no_others() -> None:
    play = play_with()
    for stage, name in zip(Stage, ("keys", "shares", "masked", "unmask"), strict=True):
        message = getattr(play.transcript, name)[PEER]
        data = encode(message, SESSION, PEER)
        assert len(data) == size_of(SESSION, stage)
        again = read(data, SESSION, PEER, stage)
        if isinstance(message, Masked):
            assert isinstance(again, Masked)
            assert np.array_equal(again.vector, message.vector)
        else:
            assert again == message
            assert read(data, SESSION, CHEAT, stage) is None
        assert read(data + b"\0", SESSION, PEER, stage) is None
    unknown = encode(play.transcript.unmask[PEER], SESSION, PEER)
    assert read(unknown[:34] + b"\x09" + unknown[35:], SESSION, PEER, UNMASK) is None


def test_the_root_of_seeds_covers_each() -> None:
    play = play_with()
    dealt = play.transcript.shares[PEER]
    assert dealt is not None
    roots = {replace(dealt, seeds=changed(dealt.seeds, place, b"z" * 32)).seeds_root for place in range(6)}
    assert len({*roots, dealt.seeds_root}) == 7
