"""Rounds of many participants, some of them one adversary; everything after training is production's own code."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from offchain.data.dataset import Dataset
from offchain.errors import Rejected
from offchain.federated.aggregation.rule import PPM, Rule, aggregate
from offchain.federated.attacks.backdoor import Backdoor, backdoor_cases
from offchain.federated.attacks.base import Attack, Knowledge, Moves, View
from offchain.federated.contribution import contributions, inner_products, rewards
from offchain.federated.detection import Strike, Watch
from offchain.federated.fixed_point import Update, dequantise, quantise_update
from offchain.federated.local_training import LocalSettings
from offchain.federated.parameters import initial_model
from offchain.federated.server_optimizer import ServerOptimizer, initial_state, step
from offchain.federated.simulation.crowd import Crowd, CrowdTrainer
from offchain.federated.simulation.world import Judge, World
from offchain.types import Wei

_SEED_STRIDE = 1 << 20


@dataclass(frozen=True, slots=True)
class Plan:
    """How the participants of a world train together. `hostile` of them, drawn by the seed, are the attacker's.

    With `exclude` whoever is detected is left out of all later rounds; without, nobody is looked for.
    """

    rule: Rule
    attack: Attack | None = None
    hostile: int = 0
    rounds: int = 50
    seed: int = 0
    scale_bits: int = 14
    exclude: bool = False
    optimiser: ServerOptimizer = field(default_factory=ServerOptimizer)
    settings: LocalSettings = field(default_factory=LocalSettings)


@dataclass(frozen=True, slots=True)
class Round:
    """A finished round: the public updates int16 (n, d), the aggregate, who entered it, and how the model does now.

    `participants` took part, `chosen` of them entered the aggregate, `detected` were accused by now; `rewards` are the
    shares of each participant, parts per million. `backdoor` is the share of foreign samples that the trigger turns,
    None when the attack has no trigger.
    """

    updates: npt.NDArray[np.int16]
    aggregate: Update
    participants: tuple[int, ...]
    chosen: tuple[int, ...]
    detected: dict[int, Strike]
    rewards: tuple[int, ...]
    accuracy: float
    backdoor: float | None


class Federation:
    """One task being played; `play` is one round."""

    def __init__(self, world: World, plan: Plan) -> None:
        if not 0 <= plan.hostile < len(world):
            raise Rejected(f"{plan.hostile} of {len(world)} participants hostile; some have to be honest")
        self.world = world
        self.plan = plan
        self._random = np.random.default_rng([plan.seed, 1])
        drawn = self._random.choice(len(world), size=plan.hostile if plan.attack else 0, replace=False)
        self.hostile: npt.NDArray[np.intp] = np.sort(drawn).astype(np.intp)
        self.honest: npt.NDArray[np.intp] = np.setdiff1d(np.arange(len(world)), self.hostile)
        self._trainer = CrowdTrainer(world.spec, Crowd.of(self._data(), plan.settings), plan.settings)
        self._judge = Judge(world.spec, plan.settings, plan.scale_bits)
        self._state = initial_state(
            plan.optimiser, initial_model(world.spec, seed=plan.seed, scale_bits=plan.scale_bits)
        )
        self._memories: Moves | None = None
        self._turn = 0
        self._public: list[Moves] = []
        self._watch = Watch(len(world))
        self._detected: dict[int, Strike] = {}
        self._cases = backdoor_cases(world.test, plan.attack.target) if isinstance(plan.attack, Backdoor) else None

    def play(self) -> Round:
        """Everybody trains and commits, the rule aggregates, the model moves on, and who is odd is noted."""
        plan = self.plan
        updates = self._updates()
        places = [who for who in range(len(self.world)) if who not in self._detected]
        columns = [updates[who] for who in places]
        outcome = aggregate(plan.rule, columns, [len(self.world.shares[who]) for who in places])
        self._state = step(plan.optimiser, self._state, outcome.aggregate)
        # The attacks look at the first round and at the last; all of them would be the largest thing in memory.
        self._public[1:] = [np.ldexp(updates.astype(np.float64), -plan.scale_bits)]
        self._turn += 1
        if plan.exclude:
            for verdict in self._watch.observe(dict(zip(places, columns, strict=True))):
                self._detected.setdefault(verdict.participant, verdict.reasons)
        shares = np.zeros(len(self.world), dtype=np.int64)
        shares[places] = rewards(Wei(PPM), contributions(inner_products(columns, outcome.aggregate)))
        model = self._state[0]
        return Round(
            updates=updates,
            aggregate=outcome.aggregate,
            participants=tuple(places),
            chosen=tuple(places[index] for index in outcome.chosen),
            detected=dict(self._detected),
            rewards=tuple(int(share) for share in shares),
            accuracy=self._judge.accuracy(model, self.world.test),
            backdoor=None if self._cases is None else self._judge.accuracy(model, self._cases),
        )

    def _data(self) -> list[Dataset]:
        data = list(self.world.shares)
        for who in self.hostile if self.plan.attack else ():
            data[who] = self.plan.attack.poison(data[who], self._random)  # type: ignore[union-attr]
        return data

    def _updates(self) -> npt.NDArray[np.int16]:
        """What all commit to, int16 (n, d)."""
        plan = self.plan
        start = dequantise(self._state[0], plan.scale_bits)
        seeds = [(plan.seed * _SEED_STRIDE + self._turn) * _SEED_STRIDE + who for who in range(len(self.world))]
        moves = self._remembered(self._trainer.moves(start, seeds))
        if plan.attack is not None and len(self.hostile):
            moves[self.hostile] = plan.attack.craft(self._view(plan.attack, moves), self._random)
        return np.stack([quantise_update(move, plan.scale_bits).values for move in moves])

    def _remembered(self, moves: Moves) -> Moves:
        """With `memory`, the average that each would send if it were honest; a copy."""
        memory = self.plan.settings.memory
        if memory == 0:
            return moves
        mixed = moves.copy() if self._memories is None else memory * self._memories + (1 - memory) * moves
        self._memories = mixed
        return mixed.copy()

    def _view(self, attack: Attack, moves: Moves) -> View:
        honest = moves[self.honest] if attack.knowledge is Knowledge.EVERYTHING else None
        return View(len(self.world), self.hostile, moves[self.hostile], self._public, honest)
