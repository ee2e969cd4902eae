"""The real treasury, committee, vault and token on py-evm, with members whose keys we have.

Orders are sealed by an account that sits where ProofOfTraining is: what they pay is the test's choice.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from coincurve import PrivateKey
from eth_typing import ChecksumAddress
from eth_utils.abi import collapse_if_tuple
from eth_utils.address import to_checksum_address
from web3.types import Nonce
from web3.utils.address import get_create_address

from offchain.chain.enums import Role
from offchain.protocol.hashing import keccak
from offchain.protocol.reward_book import Epoch, RewardBook
from offchain.protocol.reward_cycle import Cycle, Refutation, RewardClaim
from offchain.protocol.reward_root import RewardRoot, domain_separator, seats_of
from offchain.protocol.settlement import Payout, payouts_hash
from offchain.protocol.signatures import compact
from offchain.types import OrderId, Seconds, Wei
from tests.simulation.evm import CHAIN_ID, Contract, Evm, account, artifact
from tests.simulation.lifecycle_state import Parameters
from tests.simulation.revm import FastEvm

START = 1_700_000_000
DEPLOYER, PROOF, ANYBODY = account(101), account(103), account(104)
STAKE = 600
FUNDS = 10**30
NAMES = ("UtilityToken", "Parameters", "StakeVault", "AggregatorCommittee", "RewardTreasury")


def member_key(index: int) -> PrivateKey:
    """The key of a candidate; the same in every test."""
    return PrivateKey(keccak(b"aggregator" + index.to_bytes(2, "big")))


def address_of(key: PrivateKey) -> ChecksumAddress:
    return to_checksum_address(keccak(key.public_key.format(compressed=False)[1:])[12:])


@dataclass
class RewardWorld:
    """One state, and the book that was told the same story."""

    evm: Evm
    token: Contract
    vault: Contract
    committee: Contract
    treasury: Contract
    keys: dict[ChecksumAddress, PrivateKey]
    book: RewardBook = field(default_factory=RewardBook)

    @property
    def domain(self) -> bytes:
        return domain_separator(CHAIN_ID, self.committee.address)

    @property
    def members(self) -> tuple[ChecksumAddress, ...]:
        return tuple(self.committee.read("members"))

    @property
    def threshold(self) -> int:
        return int(self.committee.read("threshold"))

    def start_epoch(self) -> None:
        self.committee.send(ANYBODY, "advanceEpoch")
        self.book.start_epoch(Epoch(self.committee.read("epoch"), self.members, self.threshold))

    def seal(self, oid: int, payouts: Sequence[Payout], tax: int) -> None:
        amount = sum(payout.amount for payout in payouts) + tax
        digest = payouts_hash(OrderId(oid), payouts, Wei(tax))
        self.token.send(DEPLOYER, "transfer", self.treasury.address, amount)
        self.treasury.send(PROOF, "hold", oid, digest, amount, tax, DEPLOYER)
        self.book.seal(OrderId(oid), payouts, Wei(tax))
        self.book.hold(self.book.sealed + 1, OrderId(oid), digest, Seconds(self.evm.now))

    def pay_directly(self, oid: int, payouts: Sequence[Payout]) -> None:
        self.evm.now = max(self.evm.now, self.treasury.read("holdingOf", oid)[4])
        self.treasury.send(ANYBODY, "payDirect", oid, [(payout.account, payout.amount) for payout in payouts])
        self.book.settle(OrderId(oid))

    def sign(self, statement: RewardRoot, signers: Sequence[ChecksumAddress]) -> dict[ChecksumAddress, bytes]:
        digest = statement.digest(self.domain)
        return {who: compact(self.keys[who].sign_recoverable(digest, hasher=None)) for who in signers}

    def post(
        self, cycle: Cycle, *, attempt: int = 1, signers: Sequence[ChecksumAddress] | None = None
    ) -> dict[ChecksumAddress, bytes]:
        """Posts a cycle, right or wrong, with the signatures of the first k members or of `signers`."""
        statement = cycle.statement.at(attempt)
        signatures = self.sign(statement, signers or self.members[: self.threshold])
        self.treasury.send(ANYBODY, "postRoot", *post_arguments(cycle, attempt, self.members, signatures))
        posted = self.treasury.read("rootOf", statement.cycle)
        self.book.post(statement, cycle.steps, posted[3], Seconds(posted[4]))
        return signatures

    def refute(self, refutation: Refutation) -> None:
        self.treasury.send(ANYBODY, "refute", dataclasses.astuple(refutation))
        self.book.fall(refutation.cycle)

    def claim(self, claim: RewardClaim) -> int:
        """Claims; what the account's balance grew by."""
        before = self.token.read("balanceOf", claim.leaf.account)
        self.treasury.send(ANYBODY, "claim", dataclasses.astuple(claim))
        self.book.claim(claim.leaf.account, claim.leaf.total)
        return int(self.token.read("balanceOf", claim.leaf.account)) - int(before)


def post_arguments(
    cycle: Cycle, attempt: int, members: Sequence[ChecksumAddress], signatures: Mapping[ChecksumAddress, bytes]
) -> tuple[Any, ...]:
    """What `postRoot` takes."""
    signers, joined = seats_of(members, signatures)
    statement = dataclasses.astuple(cycle.statement.at(attempt))
    return statement, dataclasses.astuple(cycle.state), cycle.steps, members, signers, joined


@cache
def _deployed(members: int) -> tuple[Evm, bytes, dict[str, Contract], tuple[PrivateKey, ...]]:
    evm = FastEvm.empty(START)
    token, parameters, vault, committee, treasury = (
        to_checksum_address(get_create_address(DEPLOYER, Nonce(i))) for i in range(len(NAMES))
    )
    initial = dataclasses.astuple(Parameters(max_members=members, aggregator_minimum=500, fraud_seconds=20))
    arguments: dict[str, tuple[object, ...]] = {
        "UtilityToken": (DEPLOYER, FUNDS),
        "Parameters": (DEPLOYER, initial),
        "StakeVault": (token, parameters, PROOF, committee, *(account(index) for index in (100, 102, 103, 104))),
        "AggregatorCommittee": (parameters, vault, treasury),
        "RewardTreasury": (token, parameters, PROOF, committee),
    }
    found: dict[str, Contract] = {}
    for name in NAMES:
        entry = next(item for item in artifact(name)["abi"] if item["type"] == "constructor")
        types = tuple(collapse_if_tuple(item) for item in entry["inputs"])
        found[name] = evm.deploy(DEPLOYER, name, types, *arguments[name])
    assert found["RewardTreasury"].address == treasury
    keys = tuple(member_key(index) for index in range(members + 1))
    for place, key in enumerate(keys):
        who, stake = address_of(key), 2 * STAKE - place
        found["UtilityToken"].send(DEPLOYER, "transfer", who, stake)
        found["UtilityToken"].send(who, "approve", vault, stake)
        found["StakeVault"].send(who, "bond", int(Role.AGGREGATOR), stake)
        found["AggregatorCommittee"].send(who, "join", stake)
    return evm, evm.persist(), found, keys


def reward_world(members: int = 4) -> RewardWorld:
    """A committee of so many members in its first epoch, a candidate on the bench, and no orders."""
    evm, root, contracts, keys = _deployed(members)
    state = evm.at(root)
    state.now = START
    found = {name: contract.within(state) for name, contract in contracts.items()}
    world = RewardWorld(
        evm=state,
        token=found["UtilityToken"],
        vault=found["StakeVault"],
        committee=found["AggregatorCommittee"],
        treasury=found["RewardTreasury"],
        keys={address_of(key): key for key in keys},
    )
    world.start_epoch()
    return world
