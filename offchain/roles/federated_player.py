"""Playing games about postings, as challenger and as leader alike: a part of participants and watchers.

A move follows from the chain and from what lies on the table; nothing is remembered between two moves.
"""

from functools import partial

from offchain.chain.client import BlockRef
from offchain.chain.federated import Federation, Story
from offchain.chain.federated_court import Contest, FederatedCourt, of_task
from offchain.errors import Retryable
from offchain.federated.game import challenger, leader
from offchain.federated.game.moves import Move
from offchain.federated.game.state import Side
from offchain.federated.round_rules import TaskView
from offchain.federated.task_state import Posting
from offchain.roles.context import RoleContext
from offchain.roles.federated_deeds import Deeds
from offchain.roles.federated_table import Table
from offchain.roles.loop import Hands

BYSTANDERS_PATIENCE = 30
"""Seconds for which those who do not play leave it to the players to end a game."""


class FederatedPlayer:
    """One account's games in one task. In the worker: `look` before it decides, `play` afterwards."""

    def __init__(self, context: RoleContext, federation: Federation, table: Table, hands: Hands, deeds: Deeds) -> None:
        self._context = context
        self._federation = federation
        self._table = table
        self._hands = hands
        self._deeds = deeds
        self._contests: tuple[Contest, ...] = ()
        self.court = FederatedCourt(context.contracts)

    def look(self, view: TaskView, head: BlockRef) -> None:
        """Reads the games about the task. Raises Retryable."""
        self._contests = of_task(self.court.look(head), view.task)

    @property
    def contests(self) -> tuple[Contest, ...]:
        """The games about the task as of the last `look`."""
        return self._contests

    def has_challenged(self, view: TaskView) -> bool:
        """Whether this account plays, or has played, against the posting in force."""
        me, posting = self._context.account, view.round.posting
        return any(contest.game.challenger == me and contest.game.posting == posting for contest in self._contests)

    def is_contested(self, view: TaskView) -> bool:
        """Whether anybody plays against the posting in force now."""
        posting = view.round.posting
        return any(contest.is_open and contest.game.posting == posting for contest in self._contests)

    def challenge(self, view: TaskView, story: Story) -> None:
        """Begins a game about the posting in force, at the place that is wrong if it can be known."""
        posting = self._federation.posting(view.task)
        own = self._table.judge(view, posting)
        if own is None:
            return
        theirs = self._table.theirs(view, story)
        # A store may search for long; from the middle of the window on the descent finds the place.
        if theirs is None and view.now < view.round.challenge_ends - view.terms.windows.challenge // 2:
            return
        found = challenger.objection(posting, own, *(theirs or (None, None)))
        if found is not None:
            key = f"federated-challenge:{view.task}:{posting.posting}"
            self._hands.send(key, self.court.begin(view.task, found))

    def play(self, view: TaskView) -> None:
        """Makes the moves that are this account's to make, and ends what can be ended."""
        open_ones = sorted((one for one in self._contests if one.is_open), key=lambda one: one.game.deadline)
        for contest in open_ones:
            act = partial(self._act, view, contest)
            self._hands.attempt(view.task, f"game {contest.id}", act, obligation=True)

    def _act(self, view: TaskView, contest: Contest) -> None:
        game, me = contest.game, self._context.account
        sides = [side for side in Side if game.player(side) == me]
        if not sides and view.now < game.deadline + BYSTANDERS_PATIENCE:
            return
        if not (view.round.posted and view.round.posting == game.posting):
            self._hands.send(f"federated-close:{view.task}:{contest.id}", self.court.close(contest.id))
        elif view.now >= game.deadline and game.on_turn not in sides:
            self._hands.send(f"federated-timeout:{view.task}:{contest.id}", self.court.time_out(contest.id))
        elif game.on_turn in sides and view.now < game.deadline:
            self._move(view, contest)

    def _move(self, view: TaskView, contest: Contest) -> None:
        posting = self._federation.posting(view.task)
        if posting.posting != contest.game.posting:
            raise Retryable(f"game {contest.id} is about another posting than the one in force; looking again")
        move = self._next_move(view, contest, posting)
        if move is not None:
            key = f"federated-{_hyphened(move.function)}:{view.task}:{contest.id}:{contest.in_play}"
            self._hands.send(key, self.court.move(contest.id, move))

    def _next_move(self, view: TaskView, contest: Contest, posting: Posting) -> Move | None:
        """None while what it takes is being worked on, or when there is nothing to say."""
        if contest.game.on_turn is Side.LEADER:
            material = self._deeds.defence(view)
            return None if material is None else leader.next_move(contest.game, posting, material)
        own = self._table.judge(view, posting)
        if own is None:
            return None
        move = challenger.next_move(contest.game, posting, self.court.shown(contest), own)
        if move is None:
            self._hands.say_once(view.task, f"gave-up-{contest.id}")
        return move


def _hyphened(word: str) -> str:
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in word)
