"""The strongest liar there is without thinking: one identity, two honest replicas, each seen by half of the others."""

from random import Random

from offchain.ledger.pbft.application import GroupConfig
from offchain.ledger.types import ReplicaId
from tests.simulation.ledger_hosts import World
from tests.simulation.ledger_time import Clock
from tests.simulation.ledger_villains import Coven, Villain


class Mind(Villain):
    """One of two: speaks to its own side only, and to the minds of its side in other twins."""

    def __init__(
        self, world: World, me: ReplicaId, config: GroupConfig, clock: Clock, rng: Random, coven: Coven, side: int
    ) -> None:
        super().__init__(world, me, config, clock, rng, coven)
        self.side = side

    def post_bytes(self, to: ReplicaId, data: bytes) -> None:
        """To whoever may see this face."""
        other = self.coven.members.get(to)
        if isinstance(other, Twins):
            self.later(self.rng.uniform(1, 5), lambda: other.minds[self.side].receive(self.me, data))
        elif other is not None or self.coven.side[to] == self.side:
            super().post_bytes(to, data)


class Twins(Villain):
    """Two minds of one name (Bano et al., Twins: BFT systems made robust, OPODIS 2021)."""

    def __init__(
        self, world: World, me: ReplicaId, config: GroupConfig, clock: Clock, rng: Random, coven: Coven
    ) -> None:
        super().__init__(world, me, config, clock, rng, coven)
        clocks = [clock, Clock(world.queue, clock.offset + 1, clock.rate)]  # else both would think the same
        self.minds = [
            Mind(world, me, config, clocks[side], Random(f"{rng.random()} {side}"), coven, side) for side in (0, 1)
        ]

    def start(self) -> None:
        """Both."""
        for mind in self.minds:
            mind.start()
        self.replica = self.minds[0].replica

    def receive(self, sender: ReplicaId, data: bytes) -> None:
        """Both hear everything."""
        for mind in self.minds:
            mind.receive(sender, data)

    def connected(self, peer: ReplicaId) -> None:
        """Both."""
        for mind in self.minds:
            mind.connected(peer)

    def submit(self, requests: tuple[bytes, ...]) -> bool:
        """Each face spreads them on its own."""
        taken = [mind.submit(requests) for mind in self.minds]
        return any(taken)
