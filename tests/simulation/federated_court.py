"""Courts for games about an aggregate: the referee, and the contract beside it, which must agree at every step."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cache
from typing import Any, Protocol

from eth_typing import ChecksumAddress
from eth_utils.abi import collapse_if_tuple
from eth_utils.address import to_checksum_address
from web3.types import Nonce
from web3.utils.address import get_create_address

from offchain.chain.enums import Role
from offchain.dispute.proofs import Refused
from offchain.federated.game import referee
from offchain.federated.game.moves import (
    AnswerColumn,
    Begin,
    Descend,
    Move,
    OpenLeaf,
    ProveSelection,
    Segments,
    call_of,
)
from offchain.federated.game.referee import Facts
from offchain.federated.game.state import Game, Shown, Verdict
from offchain.federated.task_state import Posting
from offchain.protocol.scores import PPM
from offchain.types import TaskId, Wei
from tests.contracts.support.solidity import compile_harness
from tests.simulation.evm import Abi, Contract, Evm, Reverted, account, artifact, intrinsic_gas
from tests.simulation.federated_worlds import CHALLENGER, LEADER, START, World
from tests.simulation.lifecycle_state import Parameters

DEPLOYER, ANYBODY, FRIEND = account(101), account(4), account(3)
TASK = TaskId(7)
STAKE = Wei(50)
FUNDS = 10_000
SHARE_PPM = Parameters().dispute_share_ppm
_PLACES = {"UtilityToken": 0, "Parameters": 1, "StakeVault": 2, "FederationHarness": 3, "FederatedCourt": 4}


class Court(Protocol):
    """Where a game is played."""

    @property
    def game(self) -> Game:
        """The game as it stands."""

    @property
    def shown(self) -> Shown:
        """What the leader has shown."""

    def send(self, player: ChecksumAddress, move: Move, now: int) -> None:
        """Makes a move. Raises Refused, and then nothing has changed."""

    def time_out(self, now: int) -> None:
        """Ends the game for the player who is late. Raises Refused."""


class RefereeCourt:
    """The pure rules."""

    def __init__(self, facts: Facts, begin: Begin, now: int = START, challenger: ChecksumAddress = CHALLENGER) -> None:
        self.facts = facts
        self.shown = Shown()
        self.game = referee.begin(facts, begin, challenger, now, stake=STAKE, share_ppm=SHARE_PPM, task=TASK)

    def send(self, player: ChecksumAddress, move: Move, now: int, *, live: bool = True) -> None:
        """See Court."""
        self.game = referee.apply_move(self.game, move, player, now, self.facts, live=live)
        self.shown = after(self.shown, move)

    def time_out(self, now: int, *, live: bool = True) -> None:
        """See Court."""
        self.game = referee.time_out(self.game, now, live=live)

    def close(self, *, live: bool) -> None:
        """Ends a game about what is no longer in force."""
        self.game = referee.close(self.game, live=live)


def after(shown: Shown, move: Move) -> Shown:
    """What is known after a move, by the event that the court emits for it."""
    match move:
        case Descend():
            return shown.after("Descended", {"nodes": move.nodes})
        case OpenLeaf():
            return shown.after("LeafOpened", {"leaf": _pair(move.leaf), "groups": _pair(move.groups)})
        case AnswerColumn():
            rows = {"norms": _pair(move.norms), "groups": _pair(move.groups)}
            return shown.after("ColumnAnswered", {"column": move.column, **rows})
        case Segments():
            return shown.after("SegmentsPosted", {"sums": move.sums})
        case _:
            return shown.after("Moved", {})


def facts_of(world: World, posting: Posting | None = None) -> Facts:
    """What the court reads elsewhere."""
    return Facts(posting or world.posting, world.column_roots, world.material.weights)


@dataclasses.dataclass(frozen=True, slots=True)
class Chain:
    """The contracts in one state."""

    evm: Evm
    contracts: dict[str, Contract]

    def __getitem__(self, name: str) -> Contract:
        return self.contracts[name]

    def put(self, facts: Facts) -> None:
        """Posts, in place of what was posted before."""
        values = (TASK, dataclasses.astuple(facts.posting), facts.column_roots, facts.weights)
        self["FederationHarness"].send(ANYBODY, "put", *values)

    def bond(self, who: ChecksumAddress) -> tuple[int, int]:
        """What an account has as a verifier, and what of it is locked."""
        bonded, locked, *_ = self["StakeVault"].read("bondOf", who, Role.VERIFIER)
        return int(bonded), int(locked)

    def balance(self, who: ChecksumAddress) -> int:
        """What an account has in its purse."""
        return int(self["UtilityToken"].read("balanceOf", who))


@cache
def _deployed() -> tuple[Evm, bytes, dict[str, Contract]]:
    evm = Evm.empty(START)
    places = {name: to_checksum_address(get_create_address(DEPLOYER, Nonce(at))) for name, at in _PLACES.items()}
    parameters = Parameters(challenge_stake=STAKE, move_seconds=60)
    words: dict[str, Any] = {"owner": DEPLOYER, "holder": DEPLOYER, "supply": 10 * FUNDS}
    words |= {"initial": dataclasses.astuple(parameters), "token": places["UtilityToken"]}
    words |= {"parameters": places["Parameters"], "vault": places["StakeVault"]}
    words |= {"federation": places["FederationHarness"]}
    words |= dict.fromkeys(("court", "federatedCourt"), places["FederatedCourt"])
    contracts = {}
    for name in _PLACES:
        if name == "FederationHarness":
            compiled = compile_harness(name)
            contracts[name] = evm.create(DEPLOYER, compiled.creation, Abi(compiled.abi))
        else:
            entries = artifact(name)["abi"]
            inputs: list[Any] = next((entry["inputs"] for entry in entries if entry["type"] == "constructor"), [])
            values = [words.get(item["name"].strip("_"), ANYBODY) for item in inputs]
            contracts[name] = evm.deploy(DEPLOYER, name, tuple(collapse_if_tuple(item) for item in inputs), *values)
        assert contracts[name].address == places[name]
    for who in (LEADER, CHALLENGER, FRIEND):
        contracts["UtilityToken"].send(DEPLOYER, "transfer", who, FUNDS)
        contracts["UtilityToken"].send(who, "approve", places["StakeVault"], FUNDS)
        contracts["StakeVault"].send(who, "bond", Role.VERIFIER, FUNDS // 2)
    return evm, evm.persist(), contracts


def fresh_chain() -> Chain:
    """The contracts as deployed, leader and challengers bonded as verifiers, in a state of its own."""
    evm, root, contracts = _deployed()
    state = evm.at(root)
    state.now = START
    return Chain(state, {name: contract.within(state) for name, contract in contracts.items()})


class ChainCourt:
    """One game in the EVM, and the referee's twin of it. `gas`: what each move costs a transaction's sender."""

    def __init__(
        self,
        facts: Facts,
        begin: Begin,
        now: int = START,
        challenger: ChecksumAddress = CHALLENGER,
        chain: Chain | None = None,
    ) -> None:
        self.chain = chain or fresh_chain()
        if chain is None:
            self.chain.put(facts)
        self.court = self.chain["FederatedCourt"]
        self.challenger = challenger
        self.purses = {who: (self.chain.balance(who), self.chain.bond(who)) for who in (LEADER, challenger)}
        self.chain.evm.now = now
        self.gas: list[tuple[str, int]] = []
        function, arguments = call_of(begin)

        def on_chain() -> None:
            self.id = int(self.court.send(challenger, function, TASK, *arguments))

        def refereed() -> None:
            self._referee = RefereeCourt(facts, begin, now, challenger)

        expected, actual = _refusal(refereed), _refusal(on_chain)
        assert expected == actual, f"the referee refuses with {expected}, the contract with {actual}"
        if expected is not None:
            raise Refused(expected)
        self._count(function, TASK, *arguments)
        self.compare()

    @property
    def game(self) -> Game:
        """The game as it stands."""
        return self._referee.game

    @property
    def shown(self) -> Shown:
        """What the leader has shown."""
        return self._referee.shown

    @property
    def live(self) -> bool:
        """Whether the posting is in force."""
        return int(self.chain["FederationHarness"].read("inForce", TASK)) == self.game.posting

    def send(self, player: ChecksumAddress, move: Move, now: int) -> None:
        """Makes the move in both courts. Raises Refused as both of them do."""
        function, arguments = call_of(move)
        live = self.live
        self._both(
            lambda: self.court.send(player, function, self.id, *arguments),
            lambda: self._referee.send(player, move, now, live=live),
            now,
        )
        self._count(function, self.id, *arguments)

    def time_out(self, now: int) -> None:
        """Ends the game in both courts."""
        live = self.live
        self._both(
            lambda: self.court.send(ANYBODY, "timeout", self.id),
            lambda: self._referee.time_out(now, live=live),
            now,
        )

    def close(self, now: int) -> None:
        """Ends a game about what is no longer in force in both courts."""
        live = self.live
        self._both(lambda: self.court.send(ANYBODY, "close", self.id), lambda: self._referee.close(live=live), now)

    def compare(self) -> None:
        """That both courts see the same game."""
        found = self.court.read("gameOf", self.id)
        assert found == dataclasses.astuple(self.game), f"{found} != {self.game}"

    def check_money(self) -> None:
        """That the loser has paid, the winner has its part, nobody else anything, and nothing stays locked."""
        verdict = self.game.verdict
        lost = STAKE if verdict is Verdict.LEADER_RIGHT else 0
        for who, (balance, (bonded, locked)) in self.purses.items():
            paid = lost * SHARE_PPM // PPM if who == LEADER else 0
            assert self.chain.balance(who) == balance + paid
            assert self.chain.bond(who) == (bonded - (lost if who == self.challenger else 0), locked)
        winner = self.chain["FederationHarness"].read("winner")
        assert (winner == self.challenger) is (verdict is Verdict.LEADER_WRONG)

    def _count(self, function: str, *arguments: Any) -> None:

        self.gas.append((function, self.chain.evm.gas_used + intrinsic_gas(self.court.calldata(function, *arguments))))

    def _both(self, on_chain: Callable[[], object], refereed: Callable[[], None], now: int) -> None:
        self.chain.evm.now = now
        expected, actual = _refusal(refereed), _refusal(on_chain)
        assert expected == actual, f"the referee refuses with {expected}, the contract with {actual}"
        used = self.chain.evm.gas_used
        self.compare()
        self.chain.evm.gas_used = used
        if actual is not None:
            raise Refused(actual)


def prove_selection(chain: Chain, facts: Facts, move: ProveSelection) -> None:
    """The proof before both courts. Raises Refused as both of them do."""
    function, arguments = call_of(move)
    expected = _refusal(lambda: referee.check_selection(facts, move))
    actual = _refusal(lambda: chain["FederatedCourt"].send(CHALLENGER, function, TASK, *arguments))
    assert expected == actual, f"the referee refuses with {expected}, the contract with {actual}"
    if actual is not None:
        raise Refused(actual)


def _pair(opening: Any) -> tuple[bytes, tuple[bytes, ...]]:
    return (opening.content, opening.proof)


def _refusal(act: Callable[[], object]) -> str | None:
    """The name of the error that an act is refused with; None if it is not."""
    try:
        act()
    except Refused as refusal:
        return refusal.name
    except Reverted as revert:
        return revert.name
    return None
