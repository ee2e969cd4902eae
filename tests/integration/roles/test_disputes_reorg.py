"""A dispute on a chain that keeps taking blocks back: games are played on final blocks, and no move is made twice."""

import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from offchain.chain.contracts import AssayContracts
from offchain.chain.court import Court
from offchain.dispute.state import Verdict
from offchain.errors import Retryable
from offchain.roles.lies import FlipOneSample
from offchain.roles.worker import Worker
from tests.integration.chain.support import mine, with_confirmations
from tests.integration.roles.court_stage import Courthouse, courthouse, liar, score, validator, verifier

CONFIRMATIONS = 4
MOST_BLOCKS = 400
ONCE = ("Opened", "Countered", "TracePosted", "TensorPicked", "ChunkPosted", "Computed", "Closed")
GAME = Counter({**dict.fromkeys(ONCE, 1), "SumsPosted": 2, "SumPicked": 2, "Moved": 8})
"""The whole game about 48 samples, which are two rounds of sums."""


class Tides:
    """Mines a block a round, and now and then takes back as many as are not final."""

    def __init__(self, house: Courthouse, seed: int) -> None:
        self.random = random.Random(seed)
        self.client = house.client
        mine(self.client, CONFIRMATIONS + 1)
        self.floor = self.client.head().number
        self.turns = 0

    def __call__(self) -> None:
        mine(self.client, 1)
        depth = min(self.random.randint(1, CONFIRMATIONS - 1), self.client.head().number - self.floor)
        if depth > 0 and self.random.random() < 0.25:
            self.client.request("anvil_reorg", depth, [])
            self.turns += 1


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.long)])
def test_a_dispute_survives_reorganisations(tmp_path: Path, seed: int) -> None:
    false = liar(FlipOneSample(1))
    with courthouse(tmp_path) as house:
        score(house, {"validator0": validator, "validator1": false})
        slow = with_confirmations(house.client, CONFIRMATIONS)
        stage = replace(house.stage, client=slow, contracts=AssayContracts(slow, house.stage.contracts.addresses))
        names = {"verifier0": verifier, "validator1": false}
        workers: list[Worker] = [
            build(stage.context(house.accounts[name], f"{name}-slow")) for name, build in names.items()
        ]
        tides = Tides(house, seed)
        for _ in range(MOST_BLOCKS):
            for worker in workers:
                try:
                    worker.tick()
                except Retryable:
                    continue  # the chain moved under the look
            tides()
            cases = Court(stage.contracts).look(slow.head())
            if cases and not cases[0].is_open:
                break
        assert tides.turns >= 3
        (case,) = cases
        assert case.dispute.verdict is Verdict.FALSE
        court = Court(stage.contracts)
        court.look(slow.head())
        told = Counter(event.name for event in court.events(1))
        assert told == GAME
        assert not any(worker.statistics["reverted"] for worker in workers)
        for worker in workers:
            worker.close()
            stage.close(worker.context)
