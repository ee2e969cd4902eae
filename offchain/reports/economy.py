"""The economy of a deployment over time, folded from its events. Pure.

Amounts in wei, times in seconds of the chain's clock. What is counted is what the contracts said; totals at the end are
those of the contracts' own balances (a test compares them).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from offchain.chain.enums import Outcome, Role, Verdict
from offchain.explorer.index import EventRow

WANTED: tuple[tuple[str, str], ...] = (
    ("OrderBook", "OrderPut"),
    ("OrderBook", "OrderCancelled"),
    ("ProofOfTraining", "OrderSealed"),
    ("RewardTreasury", "RewardPaidDirectly"),
    ("RewardTreasury", "RootClaimed"),
    ("RewardTreasury", "RewardsClaimed"),
    ("StakeVault", "Bonded"),
    ("StakeVault", "Withdrawn"),
    ("StakeVault", "Slashed"),
    ("DisputeCourt", "Opened"),
    ("DisputeCourt", "Closed"),
    ("FederatedTraining", "TaskCreated"),
    ("FederatedTraining", "RewardPaid"),
)
"""The events that are folded, by contract and name."""

ROLES = tuple(role for role in Role if role is not Role.NONE)


@dataclass(slots=True)
class Track:
    """A value that changes in steps: one point for each moment at which it did, the newest last."""

    points: list[tuple[int, int]] = field(default_factory=list)

    @property
    def last(self) -> int:
        """The value now."""
        return self.points[-1][1] if self.points else 0

    def add(self, at: int, change: int) -> None:
        """Changes it at a moment that is not before the last."""
        value = self.last + change
        if self.points and self.points[-1][0] == at:
            self.points[-1] = (at, value)
        elif change:
            self.points.append((at, value))


@dataclass(frozen=True, slots=True)
class Winner:
    """What an account has won: orders, and wei earned by them as a provider."""

    account: str
    orders: int
    earned: int


@dataclass(slots=True)
class Economy:
    """Tracks by what they count. `rewards`: earned so far by role; the client's refunds are no rewards."""

    orders: Track = field(default_factory=Track)
    escrow: Track = field(default_factory=Track)
    stakes: dict[Role, Track] = field(default_factory=lambda: {role: Track() for role in ROLES})
    rewards: dict[str, Track] = field(default_factory=dict)
    claimed: Track = field(default_factory=Track)
    slashed: Track = field(default_factory=Track)
    burned: Track = field(default_factory=Track)
    disputes: Track = field(default_factory=Track)
    tasks: Track = field(default_factory=Track)
    outcomes: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[Verdict] = field(default_factory=Counter)
    wins: dict[str, Winner] = field(default_factory=dict)
    _open: dict[int, int] = field(default_factory=dict)
    _taxes: dict[int, int] = field(default_factory=dict)

    def reward(self, name: str, at: int, amount: int) -> None:
        """Somebody earned something."""
        self.rewards.setdefault(name, Track()).add(at, amount)

    def put(self, oid: int, at: int, reward: int) -> None:
        """An order came, its reward in escrow."""
        self._open[oid] = reward
        self.orders.add(at, 1)
        self.escrow.add(at, reward)

    def end(self, oid: int, at: int) -> None:
        """An order's escrow went on."""
        self.escrow.add(at, -self._open.pop(oid, 0))

    def tax(self, oid: int, at: int, amount: int) -> None:
        """Aggregators earn it, unless the order is paid without them."""
        self._taxes[oid] = amount
        self.reward("aggregators", at, amount)

    def untax(self, oid: int, at: int) -> None:
        """The order was paid without them."""
        self.reward("aggregators", at, -self._taxes.pop(oid, 0))


def fold_economy(events: Iterable[EventRow]) -> Economy:
    """From events of `WANTED`, in the order of blocks."""
    economy = Economy()
    for event in events:
        fold = _FOLDS.get((event.contract, event.name))
        if fold is not None:
            fold(economy, event)
    return economy


def _put(economy: Economy, event: EventRow) -> None:
    said = event.arguments
    economy.put(said["oid"], event.at, said["order"].terms.reward)


def _cancelled(economy: Economy, event: EventRow) -> None:
    economy.end(event.arguments["oid"], event.at)
    economy.outcomes["cancelled"] += 1


def _sealed(economy: Economy, event: EventRow) -> None:
    said = event.arguments
    outcome, payouts = Outcome(said["outcome"]), said["payouts"]
    economy.end(said["oid"], event.at)
    economy.outcomes[outcome.name.lower()] += 1
    if outcome is Outcome.REFUNDED:
        return
    for place, payout in enumerate(payouts):
        provider = place == 0 or outcome is Outcome.SHARED
        economy.reward("providers" if provider else "validators", event.at, payout.amount)
        if provider:
            before = economy.wins.get(payout.account, Winner(payout.account, 0, 0))
            economy.wins[payout.account] = Winner(payout.account, before.orders + 1, before.earned + payout.amount)
    economy.tax(said["oid"], event.at, said["tax"])


def _paid_directly(economy: Economy, event: EventRow) -> None:
    economy.untax(event.arguments["oid"], event.at)


def _claimed(economy: Economy, event: EventRow) -> None:
    economy.claimed.add(event.at, event.arguments["amount"])


def _bonded(economy: Economy, event: EventRow) -> None:
    economy.stakes[Role(event.arguments["role"])].add(event.at, event.arguments["amount"])


def _withdrawn(economy: Economy, event: EventRow) -> None:
    economy.stakes[Role(event.arguments["role"])].add(event.at, -event.arguments["amount"])


def _slashed(economy: Economy, event: EventRow) -> None:
    said = event.arguments
    economy.stakes[Role(said["role"])].add(event.at, -said["amount"])
    economy.slashed.add(event.at, said["amount"])
    economy.burned.add(event.at, said["burned"])
    economy.reward("reporters and winners of disputes", event.at, said["paid"])


def _opened(economy: Economy, event: EventRow) -> None:
    economy.disputes.add(event.at, 1)


def _closed(economy: Economy, event: EventRow) -> None:
    economy.verdicts[Verdict(event.arguments["verdict"])] += 1


def _task(economy: Economy, event: EventRow) -> None:
    economy.tasks.add(event.at, 1)


def _task_reward(economy: Economy, event: EventRow) -> None:
    economy.reward("participants in federated tasks", event.at, event.arguments["amount"])


_FOLDS: Mapping[tuple[str, str], Callable[[Economy, EventRow], None]] = {
    ("OrderBook", "OrderPut"): _put,
    ("OrderBook", "OrderCancelled"): _cancelled,
    ("ProofOfTraining", "OrderSealed"): _sealed,
    ("RewardTreasury", "RewardPaidDirectly"): _paid_directly,
    ("RewardTreasury", "RootClaimed"): _claimed,
    ("RewardTreasury", "RewardsClaimed"): _claimed,
    ("StakeVault", "Bonded"): _bonded,
    ("StakeVault", "Withdrawn"): _withdrawn,
    ("StakeVault", "Slashed"): _slashed,
    ("DisputeCourt", "Opened"): _opened,
    ("DisputeCourt", "Closed"): _closed,
    ("FederatedTraining", "TaskCreated"): _task,
    ("FederatedTraining", "RewardPaid"): _task_reward,
}


def sampled(track: Track, times: Sequence[int]) -> list[int]:
    """The value at each of the increasing `times`."""
    found, place, value = [], 0, 0
    for time in times:
        while place < len(track.points) and track.points[place][0] <= time:
            value = track.points[place][1]
            place += 1
        found.append(value)
    return found


def shares(amounts: Iterable[int]) -> list[float]:
    """Each amount's part of the whole, the largest first; empty for nothing."""
    found = sorted((amount for amount in amounts if amount > 0), reverse=True)
    total = sum(found)
    return [amount / total for amount in found] if total else []


def herfindahl(parts: Iterable[float]) -> float:
    """The sum of squared shares: 1 for one winner of everything, 1/n for n equal ones (Hirschman 1945)."""
    return sum(part * part for part in parts)
