"""Rewards by root as workers see them: the book kept up with the chain's final blocks, and what is done as calls.

Only final blocks are believed. A member that signed on what the chain forgets later could be slashed for it: the same
count of orders settled otherwise may then stand for other orders.
"""

import dataclasses
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from eth_typing import ChecksumAddress
from web3.contract.contract import ContractFunction

from offchain.chain.artifacts import load_artifact
from offchain.chain.contracts import AssayContracts
from offchain.chain.event_decoder import Event, EventDecoder
from offchain.chain.events import Applied, EventFollower, MemoryCursor
from offchain.chain.views import PostedRoot, decode
from offchain.protocol.reward_book import Epoch, RewardBook
from offchain.protocol.reward_cycle import Cycle, Refutation, RewardClaim
from offchain.protocol.reward_root import RewardRoot, domain_separator, seats_of
from offchain.types import Seconds, Wei

SOURCES = ("ProofOfTraining", "RewardTreasury", "AggregatorCommittee")
"""The contracts whose events tell the story."""


class Rewards:
    """The rewards of one deployment. `look` brings `book` up to date; nothing else reads the chain but the views."""

    def __init__(self, contracts: AssayContracts) -> None:
        self._contracts = contracts
        self.book = RewardBook()
        addresses = contracts.addresses
        self.domain = domain_separator(contracts.client.chain_id, addresses.aggregator_committee)
        decoder = EventDecoder({addresses.of(name): (name, load_artifact(name).abi) for name in SOURCES})
        self._follow: Callable[[], EventFollower] = lambda: EventFollower(
            contracts.client, decoder, MemoryCursor(), start=addresses.block, final_only=True
        )
        self._follower = self._follow()

    def look(self) -> RewardBook:
        """The book as of the newest final block. Raises Retryable when the node is down."""
        # From the start, the trees of years would lie side by side if nothing were forgotten on the way.
        start = self._follower.cursor.position == self._contracts.addresses.block
        now = self._contracts.client.now() if start else None
        for change in self._follower.catch_up():
            if not isinstance(change, Applied):
                # A node that has changed its mind about a final block: what it says now is the story, from the start.
                self.book, self._follower = RewardBook(), self._follow()
                return self.look()
            tell(self.book, change.event)
            if now is not None and change.event.name == "RootPosted":
                self.book.forget(now)
        return self.book

    # Views, of the latest block

    def claimed(self, account: ChecksumAddress) -> Wei:
        """What was paid to the account through roots. Raises Retryable."""
        return Wei(self._contracts.read(self._contracts.treasury.functions.claimedOf(account)))

    def is_suspended(self) -> bool:
        """Whether the present epoch's certificates are refused. Raises Retryable."""
        return bool(self._contracts.read(self._contracts.committee.functions.isSuspended()))

    # Calls

    def post(
        self,
        cycle: Cycle,
        attempt: int,
        members: Sequence[ChecksumAddress],
        signatures: Mapping[ChecksumAddress, bytes],
    ) -> ContractFunction:
        """The call that posts a cycle's root with the members' signatures (64 bytes each) of its `attempt`."""
        signers, joined = seats_of(members, signatures)
        statement = dataclasses.astuple(cycle.statement.at(attempt))
        state = dataclasses.astuple(cycle.state)
        functions = self._contracts.treasury.functions
        return functions.postRoot(statement, state, list(cycle.steps), list(members), signers, joined)

    def refute(self, refutation: Refutation) -> ContractFunction:
        """The call that takes a false root down."""
        return self._contracts.treasury.functions.refute(dataclasses.astuple(refutation))

    def claim(self, claim: RewardClaim) -> ContractFunction:
        """The call that pays an account what it has earned through roots."""
        return self._contracts.treasury.functions.claim(dataclasses.astuple(claim))

    def slash_equivocation(
        self,
        first: tuple[RewardRoot, bytes],
        second: tuple[RewardRoot, bytes],
        members: Sequence[ChecksumAddress],
    ) -> ContractFunction:
        """The call that slashes who signed both; `members` of the statements' epoch."""
        (a, signature_a), (b, signature_b) = first, second
        functions = self._contracts.committee.functions
        return functions.slashEquivocation(
            dataclasses.astuple(a), signature_a, dataclasses.astuple(b), signature_b, list(members)
        )

    def announce(self, endpoint: str) -> ContractFunction:
        """The call that says where the sender's node can be reached, in at most 256 bytes."""
        return self._contracts.committee.functions.announce(endpoint)


def pays_at(contracts: AssayContracts, sequence: int) -> Seconds | None:
    """When the root that covers the order with this sequence number takes effect; None while none covers it.

    Raises Retryable.
    """
    functions = contracts.treasury.functions

    def root_of(cycle: int) -> PostedRoot:
        return decode(PostedRoot, contracts.read(functions.rootOf(cycle)))

    last = int(contracts.read(functions.cycles()))
    cycle = 1 + bisect_left(range(1, last + 1), sequence, key=lambda each: root_of(each).up_to)
    return root_of(cycle).effective_at if cycle <= last else None


def tell(book: RewardBook, event: Event) -> None:
    """Tells the book what an event says; events that are not about rewards change nothing."""
    found = _TELL.get(event.name)
    if found is not None:
        found(book, event.arguments)


def _posted(book: RewardBook, said: Mapping[str, Any]) -> None:
    book.post(said["statement"], said["steps"], said["signers"], Seconds(said["effectiveAt"]))


def _epoch(book: RewardBook, said: Mapping[str, Any]) -> None:
    book.start_epoch(Epoch(said["epoch"], tuple(said["members"]), said["threshold"]))


_TELL: dict[str, Callable[[RewardBook, Mapping[str, Any]], None]] = {
    "OrderSealed": lambda book, said: book.seal(said["oid"], said["payouts"], Wei(said["tax"])),
    "Held": lambda book, said: book.hold(said["sequence"], said["oid"], said["payoutsHash"], Seconds(said["sealedAt"])),
    "Refunded": lambda book, said: book.refund(said["oid"]),
    "RewardExecuted": lambda book, said: book.settle(said["oid"]),
    "RewardPaidDirectly": lambda book, said: book.settle(said["oid"]),
    "RootPosted": _posted,
    "RootRefuted": lambda book, said: book.fall(said["cycle"]),
    "RootClaimed": lambda book, said: book.claim(said["account"], Wei(said["total"])),
    "EpochStarted": _epoch,
    "MemberSlashed": lambda book, said: book.slash(said["account"], said["epoch"]),
    "EpochSuspended": lambda book, said: book.suspend(said["epoch"]),
}
