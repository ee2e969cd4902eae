"""The deployed contracts as a court: each move is made in the EVM and before the referee, which must agree."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from eth_typing import ChecksumAddress
from eth_utils.abi import collapse_if_tuple
from eth_utils.address import to_checksum_address
from web3.types import Nonce
from web3.utils.address import get_create_address

from offchain.chain.artifacts import CONTRACTS
from offchain.chain.enums import Role
from offchain.chain.plan import WIRES
from offchain.dispute.moves import Move, call_of
from offchain.dispute.proofs import Refused
from offchain.dispute.state import Dispute, Posted, Verdict
from offchain.protocol import commitments
from offchain.protocol.lifecycle import Phase
from offchain.protocol.scores import ABSTAIN, NO_MINIMUM, PPM
from offchain.types import CidDigest, OrderId, Root, Salt
from tests.simulation.dispute_arena import CHALLENGER, DEFENDANT, MOVE_SECONDS, STAKE, Referee
from tests.simulation.dispute_worlds import World
from tests.simulation.evm import Contract, Evm, Reverted, account, artifact
from tests.simulation.lifecycle_model import Parameters
from tests.simulation.revm import FastEvm

DEPLOYER, CLIENT, PROVIDER, ACCOMPLICE = account(101), account(4), account(5), account(3)
FUNDS = 100_000
V_STAKE = 40
SHARE_PPM = Parameters().dispute_share_ppm
UNLIMITED = 2**256 - 1
BEFORE = 1_000
"""Seconds between the order and its first possible challenge."""
CHALLENGE_SECONDS = 500
_WORD = bytes([7]) * 32


@dataclass(frozen=True, slots=True)
class Chain:
    """The contracts in one state, by name."""

    evm: Evm
    contracts: dict[str, Contract]

    def __getitem__(self, name: str) -> Contract:
        return self.contracts[name]

    def wealth(self, who: ChecksumAddress) -> int:
        """Everything that an account owns: its balance and its bonds, locked or leaving."""
        bonds = (self["StakeVault"].read("bondOf", who, role) for role in Role if role is not Role.NONE)
        return int(self["UtilityToken"].read("balanceOf", who)) + sum(bond[0] + bond[2] for bond in bonds)


@cache
def _deployed(now: int, machine: type[Evm]) -> tuple[Evm, bytes, dict[str, Contract]]:
    evm = machine.empty(now)
    places = {n: to_checksum_address(get_create_address(DEPLOYER, Nonce(i))) for i, n in enumerate(CONTRACTS)}
    parameters = Parameters(challenge_stake=STAKE, move_seconds=MOVE_SECONDS)
    words: dict[str, Any] = {"owner": DEPLOYER, "holder": DEPLOYER, "supply": 10 * FUNDS}
    words |= {"initial": dataclasses.astuple(parameters), **{wire: places[name] for wire, name in WIRES.items()}}
    contracts = {}
    for name in CONTRACTS:
        inputs = _constructor(name)
        types = tuple(collapse_if_tuple(item) for item in inputs)
        contracts[name] = evm.deploy(DEPLOYER, name, types, *(words[item["name"].strip("_")] for item in inputs))
        assert contracts[name].address == places[name]
    chain = Chain(evm, contracts)
    bonds = {
        DEFENDANT: Role.VALIDATOR,
        CHALLENGER: Role.VERIFIER,
        ACCOMPLICE: Role.VERIFIER,
        PROVIDER: Role.PROVIDER,
        CLIENT: Role.VERIFIER,
    }
    for who, role in bonds.items():
        chain["UtilityToken"].send(DEPLOYER, "transfer", who, FUNDS)
        for spender in ("StakeVault", "OrderBook"):
            chain["UtilityToken"].send(who, "approve", places[spender], UNLIMITED)
        chain["StakeVault"].send(who, "bond", role, FUNDS // 2)
    return evm, evm.persist(), contracts


def _constructor(name: str) -> list[dict[str, Any]]:
    entries = artifact(name)["abi"]
    return next((list(entry["inputs"]) for entry in entries if entry["type"] == "constructor"), [])


def fresh_chain(now: int, machine: type[Evm] = FastEvm) -> Chain:
    """The contracts as deployed, with everybody bonded, in a state of its own."""
    evm, root, contracts = _deployed(now, machine)
    state = evm.at(root)
    return Chain(state, {name: contract.within(state) for name, contract in contracts.items()})


def challengeable(world: World, claimed: int, start: int) -> Chain:
    """An order whose one model DEFENDANT says has this score; its challenge phase begins at `start`."""
    chain = fresh_chain(start - BEFORE)
    evm, book, proof = chain.evm, chain["OrderBook"], chain["ProofOfTraining"]
    setting, salt = world.work.setting, Salt(_WORD)
    test = (Root(setting.test_root), setting.sample_count, CidDigest(_WORD), salt)
    quarter = BEFORE // 4
    times = (quarter, quarter, 2 * quarter, CHALLENGE_SECONDS)
    input_size = world.work.inputs[0].size
    commitment = commitments.client_commitment(CLIENT, *test)
    limits = (1, 10_000, 1_000, input_size, setting.output_size)
    terms = (1_000, _WORD, commitment, int(setting.score_function), NO_MINIMUM, *times, *limits)
    book.send(CLIENT, "put", terms)
    model = (Root(setting.model_root), CidDigest(_WORD), salt)
    proof.send(PROVIDER, "claim", 1, commitments.claim_commitment(OrderId(1), PROVIDER, *model))
    evm.now += quarter
    proof.send(PROVIDER, "reveal", 1, *model)
    book.send(CLIENT, "releaseTest", 1, *test)
    evm.now += quarter
    proof.send(
        DEFENDANT, "commitScores", 1, commitments.scores_commitment(OrderId(1), DEFENDANT, [claimed], salt), V_STAKE
    )
    evm.now += quarter
    proof.send(DEFENDANT, "revealScores", 1, [claimed], salt)
    evm.now += quarter
    assert evm.now == start
    return chain


class ChainCourt:
    """One dispute in the EVM, and the referee's twin of it."""

    def __init__(
        self,
        world: World,
        claimed: int,
        start: int,
        *,
        chain: Chain | None = None,
        challenger: ChecksumAddress = CHALLENGER,
        counter: int | None = None,
    ) -> None:
        """A dispute about the validation in DEFENDANT's place. counter: what is to take the place, if anything.

        By default the truth, in every other world.
        """
        self.chain = chain or challengeable(world, claimed, start)
        self.chain.evm.now = self.start = start
        if counter is None:
            counter = world.score if (claimed + len(world.scores)) % 2 else ABSTAIN
        self._referee = Referee(world, claimed, start)
        holder, _, self.at_stake, version, _ = self.seat
        self._referee.dispute = dataclasses.replace(
            self._referee.dispute, defendant=holder, challenger=challenger, counter=counter, version=version
        )
        self.wealth = {who: self.chain.wealth(who) for who in (holder, challenger)}
        self._locked = self._locked_by(challenger)
        self._court = self.chain["DisputeCourt"]
        if counter == ABSTAIN:
            self.id = int(self._court.send(challenger, "open", 1, DEFENDANT, 0))
        else:
            self.id = int(self._court.send(challenger, "counter", 1, DEFENDANT, 0, counter))
        self.compare()

    @property
    def dispute(self) -> Dispute:
        """The dispute as it stands."""
        return self._referee.dispute

    @property
    def posted(self) -> Posted:
        """What the defendant posted last."""
        return self._referee.posted

    @property
    def seat(self) -> tuple[ChecksumAddress, int, int, int, bool]:
        """The validation as it stands: whose it is, its score, the stake behind it, its version, whether it counts."""
        holder, score, stake, version, live = self.chain["ProofOfTraining"].read("seatOf", 1, DEFENDANT, 0)
        return holder, score, stake, version, live

    @property
    def live(self) -> bool:
        """Whether the validation is still the one that was challenged."""
        *_, version, live = self.seat
        return bool(live) and version == self.dispute.version

    def send(self, player: ChecksumAddress, move: Move, now: int) -> None:
        """Makes the move in both courts. Raises Refused as both of them do."""
        function, arguments = call_of(move)
        live = self.live
        self._both(
            lambda: self._court.send(player, function, self.id, *arguments),
            lambda: self._referee.send(player, move, now, live=live),
            now,
        )

    def time_out(self, now: int) -> None:
        """Ends the dispute in both courts."""
        live = self.live
        self._both(
            lambda: self._court.send(CLIENT, "timeOut", self.id),
            lambda: self._referee.time_out(now, live=live),
            now,
        )

    def dismiss(self, now: int) -> None:
        """Ends a dispute about what no longer counts in both courts."""
        live = self.live
        self._both(lambda: self._court.send(CLIENT, "dismiss", self.id), lambda: self._referee.dismiss(live=live), now)

    def again(self, now: int) -> "ChainCourt":
        """A further dispute about the same validation, in the same order, by another verifier."""
        other = ACCOMPLICE if self.dispute.challenger == CHALLENGER else CHALLENGER
        return ChainCourt(self._referee.world, self._referee.claimed, now, chain=self.chain, challenger=other)

    def check_money(self) -> None:
        """Asserts that loser, winner and fire got what the order says, and what stays locked."""
        dispute = self.dispute
        lost, winner = {
            Verdict.FALSE: (self.at_stake, dispute.challenger),
            Verdict.STANDS: (STAKE, dispute.defendant),
            Verdict.MOOT: (0, CLIENT),
        }[dispute.verdict]
        paid = lost * SHARE_PPM // PPM
        for who, before in self.wealth.items():
            assert self.chain.wealth(who) == before + (paid if who == winner else -lost)
        seated = dispute.verdict is Verdict.FALSE and dispute.counter != ABSTAIN
        assert self._locked_by(dispute.challenger) == self._locked + (STAKE if seated else 0)
        self._check_seat(seated=seated)

    def _check_seat(self, *, seated: bool) -> None:
        """A validation counts until it is proven false; then the winner's, if it has one, does."""
        proof, dispute = self.chain["ProofOfTraining"], self.dispute
        if dispute.verdict is Verdict.FALSE:
            assert not self.live
            assert proof.read("isRemoved", 1, DEFENDANT, 0)
        if seated:
            assert self.seat == (dispute.challenger, dispute.counter, STAKE, dispute.version + 1, True)
        assert proof.read("phaseOf", 1) == Phase.CHALLENGE  # there is time for others to challenge

    def _locked_by(self, who: ChecksumAddress) -> int:
        return int(self.chain["StakeVault"].read("bondOf", who, Role.VERIFIER)[1])

    def compare(self) -> None:
        """That both courts see the same dispute."""
        found = self._court.read("disputeOf", self.id)
        assert found == dataclasses.astuple(self.dispute), f"{found} != {self.dispute}"

    def _both(self, on_chain: Callable[[], object], refereed: Callable[[], None], now: int) -> None:
        self.chain.evm.now = now
        expected, actual = _refusal(refereed), _refusal(on_chain)
        assert expected == actual, f"the referee refuses with {expected}, the contract with {actual}"
        self.compare()
        if actual is not None:
            raise Refused(actual)


def _refusal(act: Callable[[], object]) -> str | None:
    """The name of the error that an act is refused with; None if it is not."""
    try:
        act()
    except Refused as refusal:
        return refusal.name
    except Reverted as revert:
        return revert.name
    return None
