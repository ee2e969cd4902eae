"""Either side of a dispute is killed at every write and send, and the game ends as it does in peace.

A run has failed if its end, anybody's wealth, or anybody's number of transactions differs from the peaceful one's.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from offchain.dispute.state import Verdict
from offchain.roles.lies import FlipOneSample
from tests.integration.roles.court_stage import Courthouse, courthouse, liar, nonces, score, validator, verifier
from tests.integration.roles.killing import Build, Killer

MOVES = ("challenge", "post-sums", "pick-sum", "post-trace", "pick-tensor", "post-chunk", "compute")
LIAR = liar(FlipOneSample(1))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Courthouse]:
    """A false score waits to be challenged."""
    with courthouse(tmp_path_factory.mktemp("court")) as found:
        score(found, {"validator0": validator, "validator1": LIAR})
        yield found


def scene(house: Courthouse, victim: str, killer: Killer) -> Any:
    """A whole dispute; everybody goes on with what they have on disk."""
    players: dict[str, Build] = {"verifier0": verifier, "validator1": LIAR}
    mortals = {name: house.mortal(name, killer if name == victim else Killer()) for name in players}
    for _ in range(len(MOVES)):
        for name, build in players.items():
            mortals[name].work(build)
    (case,) = house.cases()
    assert case.dispute.verdict is Verdict.FALSE
    return case, nonces(house), {name: house.wealth(name) for name in house.accounts}


def play(house: Courthouse, victim: str, at: tuple[str, int] | None) -> tuple[Any, Killer]:
    snapshot = house.client.request("evm_snapshot")
    house.run += 1
    killer = Killer(at)
    try:
        return scene(house, victim, killer), killer
    finally:
        assert house.client.request("evm_revert", snapshot)


def timeless(end: Any) -> Any:
    """The end without the second in which it came."""
    case, *rest = end
    return case.dispute.challenger, case.dispute.verdict, case.dispute.value, *rest


def every_death(house: Courthouse, victim: str, names: tuple[str, ...] | None) -> int:
    expected, clean = play(house, victim, None)
    assert clean.seen["broadcast"] >= 3, clean.seen
    deaths = 0
    for name, count in clean.seen.items():
        if names is not None and name not in names:
            continue
        for occurrence in range(1, count + 1):
            end, killer = play(house, victim, (name, occurrence))
            assert timeless(end) == timeless(expected), f"killed at the {occurrence}. {name}"
            deaths += killer.killed
            # How many outcomes are written at once depends on how fast the chain was.
            assert killer.killed or name in ("journal:outcome", "done"), f"no {occurrence}. {name}"
    return deaths


@pytest.mark.parametrize("victim", ["verifier0", pytest.param("validator1", marks=pytest.mark.long)])
def test_either_side_may_die_after_any_move_is_written_down(house: Courthouse, victim: str) -> None:
    assert every_death(house, victim, ("broadcast",)) >= 3


@pytest.mark.long
@pytest.mark.parametrize("victim", ["verifier0", "validator1"])
def test_either_side_may_die_anywhere(house: Courthouse, victim: str) -> None:
    assert every_death(house, victim, None) >= 12
