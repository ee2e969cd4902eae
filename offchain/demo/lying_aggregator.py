"""An aggregator that lies, as a process of its own: `assay aggregator run` with another treasurer. For the demo only.

It has the ledger order roots in which it earned everything, which nobody else signs. And when a root that it has signed
is on chain and all orders are paid, it tells the others that it signs something else under the same number: whoever
hears that takes its stake.
"""

from dataclasses import replace
from typing import Annotated

import typer
from eth_account.signers.local import LocalAccount

from offchain.chain.rewards import Rewards
from offchain.cli import options
from offchain.cli.amounts import parse_tokens
from offchain.cli.seat import seat_place
from offchain.cli.session import load_settings, open_session, unlock
from offchain.cli.workers import run_worker
from offchain.errors import Bug
from offchain.protocol.hashing import keccak
from offchain.protocol.lifecycle import ENDED
from offchain.protocol.reward_root import RewardRoot
from offchain.roles.aggregator import AggregatorOptions, AggregatorWorker
from offchain.roles.context import RoleContext
from offchain.roles.ledger_seat import SeatedTreasurer, SeatOptions
from offchain.roles.reward_adversaries import LonelyLiar
from offchain.roles.reward_shares import Share
from offchain.roles.treasurer_rules import Pace
from offchain.roles.worker import Hands
from offchain.types import OrderId, Root, Seconds


class LyingTreasurer(LonelyLiar, SeatedTreasurer):
    """See the module."""

    def __init__(self, context: RoleContext, hands: Hands, options: SeatOptions, rewards: Rewards) -> None:
        super().__init__(context, hands, options, rewards)
        self._told: set[tuple[int, int]] = set()
        self._lied_at = 0.0

    def look(self, now: Seconds, pace: Pace) -> None:
        """See Treasurer."""
        super().look(now, pace)
        posted = {root.statement.root for root in self.book.standing} if self._is_all_paid() else set()
        for record in self._signed.values():
            statement = RewardRoot.from_body(record.body, record.attempt)
            if statement.root in posted and not self.book.is_slashed(self._context.account, statement.epoch):
                self._equivocate(statement)

    def _propose(self, now: Seconds, pace: Pace) -> None:  # noqa: ARG002 - it does not wait for its turn
        """Out of turn: a lie about every state of things."""
        cycle = self._next_cycle()
        if cycle is None or (cycle.statement.cycle, cycle.statement.up_to) in self._told:
            return
        self._ledger.submit(cycle.statement.body)
        self._told.add((cycle.statement.cycle, cycle.statement.up_to))
        self._hands.say(None, "propose-false-root", cycle=cycle.statement.cycle, up_to=cycle.statement.up_to)
        self._hands.note_action()

    def _is_all_paid(self) -> bool:
        """Whether no order is left for which the committee would miss a member."""
        contracts = self._context.contracts
        return not self.book.waiting() and all(
            contracts.phase(OrderId(oid)) in ENDED for oid in range(1, contracts.order_count() + 1)
        )

    def _equivocate(self, right: RewardRoot) -> None:
        """Now and then again: a share may get lost on its way."""
        clock = self._context.clock()
        if clock < self._lied_at + self._options.repeat:
            return
        if not self._lied_at:
            self._hands.say(None, "equivocate", cycle=right.cycle, attempt=right.attempt)
        self._lied_at = clock
        other = replace(right, root=Root(keccak(right.root)))
        self._ledger.broadcast_share(Share(other, self._sign(other.digest(self.rewards.domain))).encode())


def lie(
    key: options.Key,
    listen: Annotated[str, typer.Option("--listen", metavar="HOST:PORT")],
    api: Annotated[str, typer.Option("--api", metavar="HOST:PORT")],
    stake: Annotated[str, typer.Option("--stake", help="Tokens locked for a seat.")],
    home: options.Home = None,
    rpc: options.Rpc = None,
    password_file: options.PasswordFile = None,
    as_json: options.Json = False,
) -> None:
    """Runs it."""
    place = seat_place(listen=listen, api=api, announce=None, members=None)
    if place is None:
        raise Bug("--listen was given")
    session = open_session(load_settings(home=home, rpc=rpc, password_file=password_file))
    account: LocalAccount = unlock(session.settings, key)
    seat = place.options(session.settings.journals, bytes(account.key))
    chosen = AggregatorOptions(stake=parse_tokens(stake, "--stake"))

    def maker(context: RoleContext, hands: Hands, rewards: Rewards) -> LyingTreasurer:
        return LyingTreasurer(context, hands, seat, rewards)

    def build(context: RoleContext) -> AggregatorWorker:
        return AggregatorWorker(context, chosen, treasurer=maker)

    run_worker(session, "aggregator", key, as_json, build, account)


if __name__ == "__main__":
    typer.run(lie)
