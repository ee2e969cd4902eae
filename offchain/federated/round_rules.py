"""What an account does about a federated task now. Pure: a view of the chain and what the account knows decide.

Every step that drives a task on can be made by anyone, and nobody needs to be asked; so that not all send the same
transaction in the same block, each waits its turn: `patience` seconds longer than the one before it in an order that
changes with the round.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from eth_typing import ChecksumAddress

from offchain.errors import Rejected
from offchain.federated.round_actions import (
    Action,
    Answer,
    Ask,
    Challenge,
    Claim,
    Commit,
    CommitModel,
    Compute,
    CountProofs,
    DrawChunks,
    Expire,
    Fail,
    Finalize,
    Join,
    Leave,
    Object,
    Post,
    Prove,
    ReplaceLeader,
    Reveal,
    Speak,
    Start,
    Train,
)
from offchain.federated.secure.terms import Stage
from offchain.federated.settlement import survivors
from offchain.federated.task_state import Participant, RoundState, TaskPhase, TaskState, indices
from offchain.federated.terms import MAX_ANSWERS, FederatedTerms
from offchain.proofs.rounds import ProofPhase, RoundView
from offchain.types import TOKEN, Commitment, Root, Seconds, TaskId, Wei

NOTHING: Final = Wei(0)
REACH: Final = 256
"""So many blocks back a contract knows hashes."""
PROVING: Final = (TaskPhase.REVEAL, TaskPhase.REQUEST, TaskPhase.ANSWER, TaskPhase.PROVE)
"""Phases beside which the proofs of accuracy go on."""
ASK_LIMIT: Final = Wei(40 * TOKEN)
"""What an account without a stake in a task loses at most by asking for its updates."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of this round for a chunk of participant `index`'s update; not `open`: it was answered."""

    index: int
    chunk: int
    asker: ChecksumAddress
    open: bool


@dataclass(frozen=True, slots=True)
class TaskView:
    """A task as of one block. `leader`: whose turn it is to post, None unless somebody's; `now`: the block's time,
    `block` its number; `proofs`: the round of proofs of accuracy, None where there is none (yet)."""

    task: TaskId
    terms: FederatedTerms
    state: TaskState
    round: RoundState
    phase: TaskPhase
    participants: tuple[Participant, ...]
    leader: int | None
    asked: tuple[Asked, ...]
    now: Seconds
    block: int = 0
    proofs: RoundView | None = None

    def place_of(self, account: ChecksumAddress) -> int | None:
        """The account's index, None if it never joined; the place that it left only if it holds no other."""
        mine = [index for index, one in enumerate(self.participants) if one.account == account]
        return min(mine, key=lambda index: self.participants[index].gone, default=None)

    @property
    def included(self) -> tuple[int, ...]:
        """Who has revealed (or posted a masked vector) and was not dropped since."""
        return tuple(indices(self.round.included))


@dataclass(frozen=True, slots=True)
class Expected:
    """What the round's posting must say, as this account has computed it."""

    result_root: Root
    measures_root: Root
    selection: int

    def agrees(self, posted: RoundState) -> bool:
        """Whether the posting in force says so."""
        return (self.result_root, self.measures_root, self.selection) == (
            posted.result_root,
            posted.measures_root,
            posted.selection,
        )


@dataclass(frozen=True, slots=True)
class Intent:
    """What an account is there for.

    `stake`: joins with it, None to stay outside; `drives`: sends what anyone may send; `watches`: asks for what it
    cannot get and challenges what is wrong, with its Verifier bond; `leaves`: takes its stake out when it is free.
    By asking it loses no more than its stake (`ASK_LIMIT` without one) in the whole task: who withholds is paid for it.
    """

    stake: Wei | None = None
    drives: bool = True
    watches: bool = True
    leaves: bool = True
    patience: int = 3


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What an account knows beyond the chain.

    `commitment`: the one journalled for this round; `owed`: draws, with their chunks, that it has still to prove;
    `missing`: included updates that it cannot get; `held`: those it has; `expected`: the posting that it has computed;
    `bond`: of it free as Verifier; `spent`: put at stake by asking in this task, and not back; `challenged`: it plays
    about this posting already, `contested`: somebody does; `unclaimed`: rounds it is paid for.
    """

    place: int | None
    commitment: Commitment | None = None
    owed: tuple[tuple[int, int], ...] = ()
    missing: frozenset[int] = frozenset()
    held: frozenset[int] = frozenset()
    expected: Expected | None = None
    bond: Wei = NOTHING
    spent: Wei = NOTHING
    challenge_stake: Wei = NOTHING
    challenged: bool = False
    contested: bool = False
    unclaimed: tuple[int, ...] = ()


STAKED_WINDOWS: Final = ("answer", "aggregate", "move", "prove")
"""The windows that an honest participant who is not fast enough pays for with stake."""


def require_time(terms: FederatedTerms, least: Seconds) -> None:
    """Raises Rejected for a task that takes stakes from honest participants who are not fast enough."""
    for name in STAKED_WINDOWS:
        length = getattr(terms.windows, name)
        # each draw is a proof of its own, one after the other; none where no proofs are asked for
        needed = least * terms.accuracy.draws if name == "prove" else least
        if length < needed:
            raise Rejected(
                f"{name} window: {length} s, and to miss it costs the stake; join tasks that give {needed} s"
            )


def actions(view: TaskView, known: Knowledge, intent: Intent) -> tuple[Action, ...]:
    """What the account does now, the most urgent first."""
    return (
        *_own(view, known, intent),
        *_requests(view, known, intent),
        *_posting(view, known, intent),
        *_driving(view, known, intent),
        *_ends(view, known, intent),
    )


def _own(view: TaskView, known: Knowledge, intent: Intent) -> Iterator[Action]:
    """What a participant owes its own round."""
    if known.place is None or view.participants[known.place].gone:
        if intent.stake is not None and _can_join(view):
            yield Join(intent.stake)
        return
    me = view.participants[known.place]
    if intent.stake is None or not me.active:
        return
    if known.owed:
        yield Prove(known.owed)
    if view.terms.is_secure:
        yield from _secure(view, known, known.place)
        return
    if view.phase is TaskPhase.COMMIT and me.round != view.state.round and view.terms.privacy.admits(me.releases):
        if known.commitment is None:
            yield Train()
        else:
            yield CommitModel() if _lacks_model(view, known.place) else Commit()
    if view.phase is TaskPhase.REVEAL and me.round == view.state.round and me.word == known.commitment:
        yield Reveal()


def _secure(view: TaskView, known: Knowledge, place: int) -> Iterator[Action]:
    """The stages of a session, each for who has done the one before; training goes on beside the first two."""
    on, me = view.round, view.participants[place]
    keyed, shared, posted = (bool(bitmap >> place & 1) for bitmap in (on.keyed, on.shared, on.revealed))
    rostered = bool(on.roster >> place & 1)
    if view.phase is TaskPhase.KEYS and rostered and not keyed and view.terms.privacy.admits(me.releases):
        yield Speak(Stage.KEYS)
    if view.phase is TaskPhase.SHARES and keyed and not shared:
        yield Speak(Stage.SHARES)
    if view.phase in (TaskPhase.KEYS, TaskPhase.SHARES, TaskPhase.COMMIT) and keyed and known.commitment is None:
        yield Train()
    if view.phase is TaskPhase.COMMIT and shared and not posted and known.commitment is not None:
        yield CommitModel() if _lacks_model(view, place) else Speak(Stage.MASKED)
    if view.phase is TaskPhase.UNMASK and on.included >> place & 1 and not on.answered >> place & 1:
        yield Speak(Stage.UNMASK)


def _lacks_model(view: TaskView, place: int) -> bool:
    """What is to be proven is committed to before the update is."""
    return view.terms.accuracy.asked and not view.round.modelled >> place & 1


def _can_join(view: TaskView) -> bool:
    return view.phase is not TaskPhase.OVER and view.state.active < view.terms.maximum_participants


def _requests(view: TaskView, known: Knowledge, intent: Intent) -> Iterator[Action]:
    """Availability: asking in the second half of the window, so that slow storage costs nobody a bond."""
    waiting = [asked for asked in view.asked if asked.open]
    if view.phase is TaskPhase.ANSWER and view.now >= view.round.answer_ends:
        if intent.drives and _is_my_turn(view, known, intent, view.round.answer_ends):
            yield from (Expire(index) for index in sorted({asked.index for asked in waiting}))
        return
    for asked in waiting:
        if asked.index in known.held and _answers(view, known, intent, asked):
            yield Answer(asked.index, asked.chunk)
    half = Seconds(view.round.request_ends - view.terms.windows.request // 2)
    if view.phase is TaskPhase.REQUEST and intent.watches and _is_my_turn(view, known, intent, half):
        wanted = [Ask(index, chunk) for index in sorted(known.missing) for chunk in _unasked(view, index)]
        yield from wanted[: _affordable(view, known, intent)]


def _affordable(view: TaskView, known: Knowledge, intent: Intent) -> int:
    """How many requests it can still make. Terms are a stranger's, and an author in league with it takes every bond."""
    left = (intent.stake or ASK_LIMIT) - known.spent
    return max(min(known.bond, left) // view.terms.request_bond, 0)


def _answers(view: TaskView, known: Knowledge, intent: Intent, asked: Asked) -> bool:
    """The author answers at once; others, who gain nothing by it, only when it has let half of the time pass."""
    if asked.index == known.place:
        return True
    late = view.round.answer_ends - view.terms.windows.answer // 2
    return intent.drives and view.phase is TaskPhase.ANSWER and _is_my_turn(view, known, intent, Seconds(late))


def _unasked(view: TaskView, index: int) -> Iterator[int]:
    """Chunks to ask for, all at once: an author that answers late leaves no time for a second question.

    So many answers drop the update, or show all of it.
    """
    asked = {asked.chunk for asked in view.asked if asked.index == index}
    left = MAX_ANSWERS - sum(asked.index == index for asked in view.asked)
    chunks = [chunk for chunk in range(min(view.terms.result_shape.leaves, MAX_ANSWERS)) if chunk not in asked]
    # What all chunks on chain do not show (ciphertexts: the chain has their hash) is asked for until it is dropped.
    return iter((chunks or [0] * left)[:left])


def _posting(view: TaskView, known: Knowledge, intent: Intent) -> Iterator[Action]:
    """Computing, leading, challenging."""
    if view.phase not in (TaskPhase.AGGREGATE, TaskPhase.CHALLENGE):
        return
    leads = known.place is not None and intent.stake is not None and view.leader == known.place
    if known.expected is None:
        if intent.watches or leads:
            yield Compute()
    elif view.phase is TaskPhase.AGGREGATE and leads:
        yield Post()
    elif view.phase is TaskPhase.CHALLENGE and intent.watches and not known.expected.agrees(view.round):
        if view.terms.is_secure and known.place in view.included and known.place != view.round.leader:
            yield Object()
        able = known.place != view.round.leader and known.bond >= known.challenge_stake and not known.challenged
        if able and view.now < view.round.challenge_ends and _is_time_to_challenge(view, known, intent):
            yield Challenge()


def _is_time_to_challenge(view: TaskView, known: Knowledge, intent: Intent) -> bool:
    """One game is enough, but a leader's friend may play one to lose it: so all take turns, and wait for each other, in
    the first half of the window, and nobody does in the second."""
    window = view.terms.windows.challenge
    if view.now >= view.round.challenge_ends - window // 2:
        return True
    return not known.contested and _is_my_turn(view, known, intent, Seconds(view.round.challenge_ends - window))


def _driving(view: TaskView, known: Knowledge, intent: Intent) -> Iterator[Action]:
    """What anyone may send once it is due."""
    if not intent.drives:
        return
    if view.phase is TaskPhase.JOINING and _can_start(view, known, intent):
        yield Start()
    elif _is_lost(view):
        yield Fail()
    elif view.proofs is not None and view.phase in PROVING:
        yield from _proofs(view, view.proofs, known, intent)
    elif view.phase is TaskPhase.AGGREGATE and view.leader != known.place:
        if _is_my_turn(view, known, intent, view.round.post_ends):
            yield ReplaceLeader()
    elif view.phase is TaskPhase.SETTLE and _is_my_turn(view, known, intent, view.round.challenge_ends):
        yield Finalize()


def _proofs(view: TaskView, proofs: RoundView, known: Knowledge, intent: Intent) -> Iterator[Action]:
    """The draw, as soon as the commits are over; the count, once no proof can come and the round waits for it."""
    if proofs.phase in (ProofPhase.COMMIT, ProofPhase.DRAW):
        # The block that draws has to be there, and its hash is read from the next on.
        ready = proofs.draw_block == 0 or view.block > proofs.draw_block
        if ready and _is_my_turn(view, known, intent, view.round.commit_ends):
            yield DrawChunks(proofs.attempts, proofs.draw_block != 0 and view.block <= proofs.draw_block + REACH)
    elif view.phase is TaskPhase.PROVE and proofs.phase is ProofPhase.OVER:
        late = proofs.prove_until if proofs.finished < proofs.committed else view.round.answer_ends
        if _is_my_turn(view, known, intent, Seconds(max(late, view.round.answer_ends))):
            yield CountProofs()


def _can_start(view: TaskView, known: Knowledge, intent: Intent) -> bool:
    """When the last place was taken is not said; so there are no turns then."""
    if view.state.active >= view.terms.maximum_participants:
        return True
    enough = view.state.active >= view.terms.minimum_participants
    return enough and _is_my_turn(view, known, intent, view.state.join_ends)


def _is_lost(view: TaskView) -> bool:
    """Too few have committed or are included, or nobody is left to lead. When that became so is not said: no turns."""
    least = view.terms.minimum_participants
    if view.phase is TaskPhase.REVEAL:
        return view.round.committed < least
    if view.phase in (TaskPhase.REQUEST, TaskPhase.PROVE, TaskPhase.UNMASK) and not view.round.open_requests:
        return view.round.included.bit_count() < least
    if view.phase is TaskPhase.AGGREGATE:
        return view.round.included.bit_count() < least or view.leader is None or _has_too_few_columns(view)
    return False


def _has_too_few_columns(view: TaskView) -> bool:
    """Whether the groups that can be unmasked are too few for the rule; in plain mode the terms see to it."""
    if not view.terms.is_secure:
        return False
    try:
        columns = survivors(view.terms, view.state.seed, view.state.round, view.round)
        view.terms.rule.definition.check(len(columns))
    except Rejected:
        return True
    return False


def _ends(view: TaskView, known: Knowledge, intent: Intent) -> Iterator[Action]:
    """Rewards, and the stake at the end."""
    for number in known.unclaimed:
        yield Claim(number)
    if known.place is None or not intent.leaves:
        return
    me = view.participants[known.place]
    if view.phase is TaskPhase.OVER and me.active and not known.unclaimed:
        yield Leave()


def _is_my_turn(view: TaskView, known: Knowledge, intent: Intent, due: Seconds) -> bool:
    """The leader first, then the others in order of index from a place that changes with the round; outsiders last."""
    count = len(view.participants)
    if known.place is None:
        order = count
    else:
        first = view.round.leader if view.round.posted else view.state.round % max(count, 1)
        order = (known.place - first) % max(count, 1)
    return view.now >= due + order * intent.patience
