"""Private orders as their clients and providers see them: one block's view, what was posted, and calls."""

from collections.abc import Sequence

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address
from web3.contract.contract import ContractFunction

from offchain.chain.artifacts import load_artifact
from offchain.chain.client import BlockRef
from offchain.chain.contracts import AssayContracts
from offchain.chain.event_decoder import Event, EventDecoder
from offchain.chain.history import History
from offchain.chain.views import decode, encode
from offchain.errors import Rejected
from offchain.proofs.handover import sealing_context
from offchain.proofs.private_order import (
    ChunkProof,
    ClaimStatus,
    Handover,
    PieceOpening,
    PrivateId,
    PrivateState,
    PrivateTerms,
    UnitPlace,
)
from offchain.proofs.unpacking import NodeLayout

NAME = "PrivateOrders"
NOTHING_BEFORE = PieceOpening(b"", ())
"""Stands for the piece before a message's first."""


class PrivateOrders:
    """The private orders of one deployment. Reads raise ContractRejected (PrivateOrderUnknown) and Retryable."""

    def __init__(self, contracts: AssayContracts) -> None:
        self.client = contracts.client
        self.contract = contracts.private_orders
        decoder = EventDecoder({self.contract.address: (NAME, load_artifact(NAME).abi)})
        self._history = History(self.client, decoder, first=contracts.addresses.block)

    @property
    def address(self) -> ChecksumAddress:
        """Of the contract."""
        return self.contract.address

    # Reads

    def count(self) -> int:
        """Orders so far; their ids are 1 to this."""
        return int(self.client.call(self.contract.functions.orderCount(), contract=NAME))

    def require(self, oid: PrivateId) -> None:
        """Raises Rejected unless there is such an order."""
        count = self.count()
        if not 1 <= oid <= count:
            there = "there are none yet" if count == 0 else f"there are 1 to {count}"
            raise Rejected(f"OID {oid}: no such private order, {there}; see `assay private list`")

    def terms(self, oid: PrivateId) -> PrivateTerms:
        """What the order asks for; never changes."""
        return decode(PrivateTerms, self.client.call(self.contract.functions.termsOf(oid), contract=NAME))

    def state(self, oid: PrivateId) -> PrivateState:
        """What the order has come to, as of the latest block."""
        return decode(PrivateState, self.client.call(self.contract.functions.stateOf(oid), contract=NAME))

    def claim(self, oid: PrivateId, account: ChecksumAddress) -> tuple[ClaimStatus, int]:
        """What became of an account's claim, and its model's hash; 0 where there is none."""
        status, model_hash = self.client.call(self.contract.functions.claimOf(oid, account), contract=NAME)
        return ClaimStatus(status), int(model_hash)

    def claimants(self, oid: PrivateId) -> tuple[ChecksumAddress, ...]:
        """Who has claimed, in order."""
        found = self.client.call(self.contract.functions.claimantsOf(oid), contract=NAME)
        return tuple(to_checksum_address(account) for account in found)

    def handover(self, oid: PrivateId) -> Handover:
        """What the winner of now handed over; zeros before."""
        return decode(Handover, self.client.call(self.contract.functions.handoverOf(oid), contract=NAME))

    def missing(self, oid: PrivateId, state: PrivateState) -> tuple[int, ...]:
        """The pieces that were asked for and are not posted yet."""
        if state.missing == 0:
            return ()
        asked = range(state.first_piece, state.first_piece + state.pieces)
        calls = [self.contract.functions.isMissing(oid, piece) for piece in asked]
        flags = self.client.call_many(calls, contract=NAME)
        return tuple(piece for piece, missing in zip(asked, flags, strict=True) if missing)

    def posted(self, oid: PrivateId, head: BlockRef) -> dict[int, bytes]:
        """The pieces that were posted since the last handover, by number. The contract has checked them."""
        found: dict[int, bytes] = {}
        for event in self.story(oid, head):
            if event.name == "ModelHandedOver":
                found = {}
            elif event.name == "PieceAnswered":
                found[event.arguments["piece"]] = event.arguments["data"]
        return found

    def story(self, oid: PrivateId, head: BlockRef) -> tuple[Event, ...]:
        """The order's events up to `head`, in order."""
        found: list[Event] = []
        for event in self._history.backwards((None, oid.to_bytes(32, "big")), last=head.number):
            found.append(event)
            if event.name == "PrivateOrderPut":
                break
        return tuple(reversed(found))

    def find(self, client_key: bytes) -> PrivateId | None:
        """The order with this client's key, the latest first; keys are made for one order each."""
        for number in range(self.count(), 0, -1):
            if self.terms(PrivateId(number)).client_key == client_key:
                return PrivateId(number)
        return None

    def context(self, oid: PrivateId, provider: ChecksumAddress, client_key: bytes, ephemeral_key: bytes) -> bytes:
        """See `sealing_context`."""
        chain_id = self.client.chain_id
        return sealing_context(chain_id, self.address, oid, provider, client_key, ephemeral_key)

    # Calls

    def put(self, terms: PrivateTerms) -> ContractFunction:
        """The call that escrows the reward; needs an allowance."""
        return self.contract.functions.put(encode(terms))

    def cancel(self, oid: PrivateId) -> ContractFunction:
        """The call that takes an order back which nobody has claimed."""
        return self.contract.functions.cancel(oid)

    def claim_model(self, oid: PrivateId, model_hash: int) -> ContractFunction:
        """The call that commits to a model and locks the bond; needs an allowance."""
        return self.contract.functions.claim(oid, model_hash)

    def release(self, oid: PrivateId, test_key: bytes) -> ContractFunction:
        """The call that shows a sealed test set."""
        return self.contract.functions.release(oid, test_key)

    def advance(self, oid: PrivateId) -> ContractFunction:
        """The call that does what clock and proofs have decided."""
        return self.contract.functions.advance(oid)

    def hand_over(self, oid: PrivateId, handover: Handover) -> ContractFunction:
        """The winner's call."""
        return self.contract.functions.handOver(oid, encode(handover))

    def request(self, oid: PrivateId, first: int, count: int) -> ContractFunction:
        """The client's call for pieces that it cannot get; needs an allowance."""
        return self.contract.functions.request(oid, first, count)

    def answer(self, oid: PrivateId, piece: int, opening: PieceOpening) -> ContractFunction:
        """The call that posts a piece."""
        return self.contract.functions.answer(oid, piece, _opening(opening))

    def dispute_key(self, oid: PrivateId, private_key: bytes, next_key: bytes) -> ContractFunction:
        """The call that shows that the sealed key is another; `next_key` is what a next winner seals to."""
        return self.contract.functions.disputeKey(oid, private_key, next_key)

    def dispute_piece(
        self, oid: PrivateId, data_key: bytes, piece: int, previous: PieceOpening, opening: PieceOpening
    ) -> ContractFunction:
        """The call that shows a piece which does not follow."""
        return self.contract.functions.disputePiece(oid, data_key, piece, _opening(previous), _opening(opening))

    def dispute_multiplier(
        self,
        oid: PrivateId,
        data_key: bytes,
        shift: int,
        layout: Sequence[NodeLayout],
        place: UnitPlace,
        piece: int,
        opening: PieceOpening,
    ) -> ContractFunction:
        """The call that shows a multiplier that no network has."""
        rows = [encode(node) for node in layout]
        return self.contract.functions.disputeMultiplier(
            oid, data_key, shift, rows, encode(place), piece, _opening(opening)
        )

    def dispute_test(
        self, oid: PrivateId, chunk: ChunkProof, piece: int, previous: PieceOpening, opening: PieceOpening
    ) -> ContractFunction:
        """The call that shows that a released test set is another; `piece` by its place in the chunk."""
        leaf = (chunk.chunk, chunk.chunk_hash, list(chunk.path))
        return self.contract.functions.disputeTest(oid, leaf, piece, _opening(previous), _opening(opening))


def _opening(opening: PieceOpening) -> tuple[bytes, list[bytes]]:
    return opening.data, list(opening.proof)
