"""Takes false reward roots down. Anyone can, and one who does suffices: aggregators and verifiers all watch."""

from functools import partial

from offchain.chain.rewards import Rewards
from offchain.protocol.reward_book import Standing
from offchain.protocol.reward_root import RewardRoot
from offchain.roles.context import RoleContext
from offchain.roles.treasurer_rules import TreasurerOptions, refutable, refute_delay
from offchain.roles.worker import Hands
from offchain.types import Seconds


class RewardWatch:
    """A part of a worker: `look` (or `act`, when `rewards` is up to date) whenever there is a new block."""

    def __init__(
        self, context: RoleContext, hands: Hands, rewards: Rewards, options: TreasurerOptions | None = None
    ) -> None:
        self._context = context
        self._hands = hands
        self._rewards = rewards
        self._options = options or TreasurerOptions()
        self._seen: dict[bytes, float] = {}

    @property
    def is_waiting(self) -> bool:
        """Whether a false root stands."""
        return self._rewards.book.tip is None

    def look(self, now: Seconds) -> None:
        """Brings the book up to date and acts. Raises Retryable when the node is down."""
        self._rewards.look()
        self.act(now)

    def act(self, now: Seconds) -> None:
        """Refutes the lowest false root at chain time `now`, after those whose turn comes before."""
        book = self._rewards.book
        root = refutable(book, now)
        if root is not None:
            self._hands.attempt(None, "refute-root", partial(self._refute, root, now), obligation=True)
        book.forget(now)

    def _refute(self, root: Standing, now: Seconds) -> None:
        book, statement = self._rewards.book, root.statement
        place = statement.struct_hash  # the same false root may come again in another epoch
        if place not in self._seen:
            self._hands.say(None, "false-root", cycle=statement.cycle, step=root.false_step, signers=root.signers)
        since = self._seen.setdefault(place, self._context.clock())
        delay = refute_delay(self._context.account, book, root, now, self._options)
        refutation = book.refutation_of(root)
        if refutation is not None and self._context.clock() >= since + delay:
            self._hands.send(refutation_key(statement), self._rewards.refute(refutation))


def refutation_key(statement: RewardRoot) -> str:
    """The sender's key for the refutation of a root."""
    return f"refute-root::{statement.cycle}:{statement.struct_hash[:8].hex()}"
