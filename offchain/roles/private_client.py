"""The client of private orders: puts them, releases the test set, opens what is handed over, and shows faults."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from offchain.chain.private_orders import NOTHING_BEFORE
from offchain.errors import Rejected, Retryable
from offchain.model.graph import IntegerNetwork
from offchain.proofs.chunks import ChunkTree
from offchain.proofs.circuit import Circuit
from offchain.proofs.handover import SealedKey, public_key, unseal_key
from offchain.proofs.pieces import PIECE_BYTES, PieceTree, piece_count
from offchain.proofs.private_manifest import MAX_CHUNKS, PrivateManifest, TestFile
from offchain.proofs.private_order import Fault, Handover, PrivateId, PrivatePhase, PrivateState, PrivateTerms
from offchain.proofs.private_rules import Finding, examine, model_pieces, opening_of, whole_file
from offchain.proofs.rounds import ProofPhase
from offchain.proofs.statement import Chunk, chunk_hash, correct_count
from offchain.proofs.unpacking import element_count, layout_hash, layout_of
from offchain.protocol.hashing import keccak
from offchain.roles.context import RoleContext
from offchain.roles.funding import require_tokens
from offchain.roles.private_desk import ADVANCING, PrivateDesk, PrivateOrder
from offchain.roles.private_records import PrivateOrderRecord
from offchain.storage.cid import Cid
from offchain.storage.store import Store
from offchain.types import CidDigest, Root, Wei

NOTHING = bytes(32)


@dataclass(frozen=True, slots=True)
class PrivateWindows:
    """Times of an order, in seconds. `release`: for the key of a sealed test set."""

    claim: int
    release: int
    prove: int
    handover: int
    dispute: int
    answer: int


@dataclass(frozen=True, slots=True)
class PrivateRequest:
    """What a client wants. Amounts in wei; `minimum_correct` over all `draws` chunks; `verifier`: a registry key.

    sealed: nobody sees the test set before claims are over.
    """

    title: str
    circuit: Circuit
    system: str
    verifier: bytes
    chunks: Sequence[Chunk]
    sealed: bool
    reward: Wei
    bond: Wei
    request_bond: Wei
    draws: int
    minimum_correct: int
    maximum_claims: int
    windows: PrivateWindows
    train: bytes | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """What the client got: the model, and its own count of right samples in the drawn chunks beside the proven one."""

    network: IntegerNetwork
    correct: int
    proven: int


class PrivateClient:
    """One client. Every method may be called again after a crash: what was sent is not sent twice."""

    def __init__(self, context: RoleContext, archive: Store) -> None:
        self.context = context
        self.desk = PrivateDesk(context, archive)

    def put(self, request: PrivateRequest) -> PrivateId:
        """Stores the content, journals the keys, escrows the reward; the order's number once that is final.

        Raises Rejected when something does not fit, Retryable.
        """
        # who cannot pay for pieces pays the reward to a winner that shows no file
        pieces = piece_count(element_count(request.circuit))
        most = Wei(request.reward + pieces * request.request_bond)
        require_tokens(self.context.contracts, self.context.account, most, "the order, and the pieces of a model")
        record = self.prepare(request)
        self.context.journal.write(record)
        return self.put_prepared(record)

    def prepare(self, request: PrivateRequest) -> PrivateOrderRecord:
        """Stores manifest and test set; the terms, and the secrets that go with them."""
        if not 1 <= len(request.chunks) <= MAX_CHUNKS:
            raise Rejected(f"{len(request.chunks)} chunks of test samples; give 1 to {MAX_CHUNKS}")
        rng, circuit = self.context.rng, request.circuit
        secret, next_secret, test_key = rng(32), rng(32), rng(32)
        hashes = tuple(chunk_hash(circuit, chunk) for chunk in request.chunks)
        test = self._sealed(circuit, request.chunks, test_key)
        manifest = PrivateManifest(
            title=request.title,
            circuit=circuit,
            system=request.system,
            chunk_hashes=hashes,
            test=self._published(test.data),
            test_key=None if request.sealed else test_key,
            train=None if request.train is None else self.context.store.add(request.train),
        )
        cid = CidDigest(self._published(manifest.encode()).digest)
        terms = _terms(request, test, ChunkTree(hashes).root, cid, public_key(secret), keccak(test_key))
        return PrivateOrderRecord(terms, secret, next_secret, test_key)

    def _published(self, data: bytes) -> Cid:
        """Into the store, and into the own archive, from which the client reads whatever becomes of the store."""
        self.desk.archive.add(data)
        return self.context.store.add(data)

    def _sealed(self, circuit: Circuit, chunks: Sequence[Chunk], key: bytes) -> TestFile:
        return TestFile.of(circuit, chunks, key)

    def put_prepared(self, record: PrivateOrderRecord) -> PrivateId:
        """Puts an order that is in the journal, once."""
        name = record.terms.client_key.hex()
        self.desk.pay(f"private-put:{name}", record.terms.reward, self.desk.orders.put(record.terms))
        oid = self.desk.orders.find(record.terms.client_key)
        if oid is None:
            raise Retryable("the order is on its way; look again")
        return oid

    def unfinished(self) -> tuple[PrivateOrderRecord, ...]:
        """Orders that were being put when a process died: `put_prepared` ends that."""
        records = self.context.journal.all(PrivateOrderRecord)
        return tuple(record for record in records if self.desk.orders.find(record.terms.client_key) is None)

    def cancel(self, oid: PrivateId) -> None:
        """Takes an order back that nobody has claimed. Raises ContractRejected, Retryable."""
        self.context.sender.send(f"private-cancel:{oid}", self.desk.orders.cancel(oid))

    def step(self, oid: PrivateId) -> str:
        """Does what is due of an own order; in words what it did or waits for. Raises Rejected, Retryable."""
        record, state = self._own(oid)
        if state.phase in ADVANCING:
            return self.desk.advance(oid, state)
        match state.phase:
            case PrivatePhase.RELEASE:
                self.desk.attempt(f"private-release:{oid}", self.desk.orders.release(oid, record.test_key))
                return "release: the test set is released"
            case PrivatePhase.PROVE:
                return self._draw(state)
            case PrivatePhase.DISPUTE:
                return self._look(self.desk.order(oid), state, record)
            case _:
                return f"{state.phase.name.lower()}: waiting"

    def open(self, oid: PrivateId) -> Opened:
        """The model that was handed over, checked against the commitment and scored again.

        Raises Rejected when there is none, or it is not what was proven, Retryable while it cannot be had.
        """
        record, state = self._own(oid)
        order = self.desk.order(oid)
        handover = self.desk.orders.handover(oid)
        if not any(handover.root):
            raise Rejected(f"order {oid} has no model handed over (it is in phase {state.phase.name.lower()})")
        pieces = self._gather(order, handover)
        if pieces is None:
            raise Retryable(f"the model of order {oid} cannot be had yet; keep `assay private run` running")
        finding = self._examined(order, state, record, handover, pieces)
        if finding.network is None:
            fault = finding.fault.name.lower().replace("_", " ")
            raise Rejected(f"what was handed over is not what was proven: {fault}; run `assay private run`")
        return self._scored(order, state, record, finding.network)

    def _own(self, oid: PrivateId) -> tuple[PrivateOrderRecord, PrivateState]:
        terms = self.desk.order(oid).terms
        for record in self.context.journal.all(PrivateOrderRecord):
            if record.terms.client_key == terms.client_key:
                return record, self.desk.orders.state(oid)
        raise Rejected(f"order {oid} is none that was put from here: its keys are in the journal of who put it")

    def _draw(self, state: PrivateState) -> str:
        view = self.desk.rounds.view(state.round)
        if view.phase is not ProofPhase.DRAW:
            return "prove: waiting for proofs"
        if view.draw_block and self.context.client.head().number < view.draw_block + 1:
            return "prove: waiting for the block that draws"
        key = f"private-draw:{view.round.hex()}:{view.attempts}:{view.draw_block}"
        self.desk.attempt(key, self.desk.rounds.draw(view.round))
        return "prove: drawing"

    def _look(self, order: PrivateOrder, state: PrivateState, record: PrivateOrderRecord) -> str:
        handover = self.desk.orders.handover(order.oid)
        pieces = self._gather(order, handover)
        if pieces is None:
            return self._ask(order, state)
        finding = self._examined(order, state, record, handover, pieces)
        if finding.fault is Fault.NONE:
            return "dispute: what was handed over is what was proven"
        return self._dispute(order, state, record, handover, pieces, finding)

    def _gather(self, order: PrivateOrder, handover: Handover) -> list[bytes] | None:
        """The pieces under the handover's root, from the store or from the chain; None while they cannot be had."""
        size = model_pieces(order.terms) * PIECE_BYTES
        try:
            data = self.context.store.read(Cid.of(handover.cid), max_bytes=size, size=size)
        except (Rejected, Retryable):
            data = b""
        pieces = whole_file(data, handover.root, order.terms)
        if pieces is not None:
            return pieces
        posted = self.desk.orders.posted(order.oid, self.context.client.head())
        if len(posted) < model_pieces(order.terms):
            return None
        return [posted[number] for number in range(len(posted))]

    def _ask(self, order: PrivateOrder, state: PrivateState) -> str:
        """Asks for all pieces in one request, once half of the window has passed: a download may take its time."""
        if state.missing:
            return f"dispute: {state.missing} pieces are to be posted"
        if state.dispute_until - self.context.client.now() > order.terms.dispute_seconds // 2:
            return "dispute: the model cannot be had yet"
        count = model_pieces(order.terms)
        key = f"private-request:{order.oid}:{state.winner}"
        self.desk.pay(key, Wei(count * order.terms.request_bond), self.desk.orders.request(order.oid, 0, count))
        return f"dispute: asked for {count} pieces"

    def _examined(
        self,
        order: PrivateOrder,
        state: PrivateState,
        record: PrivateOrderRecord,
        handover: Handover,
        pieces: Sequence[bytes],
    ) -> Finding:
        secret = self._secret(state, record)
        context = self.desk.orders.context(order.oid, state.winner, state.client_key, handover.ephemeral_key)
        found = unseal_key(secret, handover.ephemeral_key, SealedKey(handover.sealed_key, handover.tag), context)
        _, model_hash = self.desk.orders.claim(order.oid, state.winner)
        return examine(order.manifest.circuit, order.terms, model_hash, handover.key_hash, found, pieces)

    def _dispute(
        self,
        order: PrivateOrder,
        state: PrivateState,
        record: PrivateOrderRecord,
        handover: Handover,
        pieces: Sequence[bytes],
        finding: Finding,
    ) -> str:
        orders, oid, tree = self.desk.orders, order.oid, PieceTree(pieces)
        secret = self._secret(state, record)
        context = orders.context(oid, state.winner, state.client_key, handover.ephemeral_key)
        sealed = SealedKey(handover.sealed_key, handover.tag)
        key = unseal_key(secret, handover.ephemeral_key, sealed, context).key
        opening = opening_of(pieces, finding.piece, tree)
        if finding.fault is Fault.WRONG_KEY:
            call = orders.dispute_key(oid, secret, public_key(_next(record, secret)))
        elif finding.place is not None:
            circuit = order.manifest.circuit
            layout = layout_of(circuit)
            call = orders.dispute_multiplier(oid, key, circuit.shift, layout, finding.place, finding.piece, opening)
        else:
            before = opening_of(pieces, finding.piece - 1, tree) if finding.piece else NOTHING_BEFORE
            call = orders.dispute_piece(oid, key, finding.piece, before, opening)
        self.desk.attempt(f"private-dispute:{oid}:{state.winner}", call)
        return f"dispute: {finding.fault.name.lower().replace('_', ' ')}"

    def _secret(self, state: PrivateState, record: PrivateOrderRecord) -> bytes:
        """The private key that belongs to what winners seal to now."""
        secret = record.secret
        for _ in range(MAX_KEYS):
            if public_key(secret) == state.client_key:
                return secret
            secret = _next(record, secret)
        raise Rejected("the order's key is none of the journal's")

    def _scored(
        self, order: PrivateOrder, state: PrivateState, record: PrivateOrderRecord, network: IntegerNetwork
    ) -> Opened:
        test, terms = self.desk.test_file(order), order.terms
        drawn = [
            self.context.client.call(self.desk.rounds.contract.functions.chunkOf(state.round, draw))
            for draw in range(terms.draws)
        ]
        circuit = order.manifest.circuit
        correct = sum(correct_count(circuit, network, test.open(record.test_key, chunk)) for chunk in drawn)
        return Opened(network, correct, self.desk.rounds.prover(state.round, state.winner).correct)


MAX_KEYS = 33
"""An order has at most 32 claims, and each wrong key that is shown makes a new one."""


def _next(record: PrivateOrderRecord, secret: bytes) -> bytes:
    """The private key after this one: nobody who has seen this one can compute it."""
    return keccak(record.next_secret + secret)


def _terms(
    request: PrivateRequest, test: TestFile, root: Root, cid: CidDigest, client_key: bytes, key_hash: bytes
) -> PrivateTerms:
    windows, circuit, sealed = request.windows, request.circuit, request.sealed
    return PrivateTerms(
        reward=request.reward,
        bond=request.bond,
        request_bond=request.request_bond,
        verifier=request.verifier,
        chunk_root=root,
        chunks=test.chunks,
        draws=request.draws,
        minimum_correct=request.minimum_correct,
        maximum_claims=request.maximum_claims,
        manifest_cid=cid,
        client_key=client_key,
        elements=element_count(circuit),
        layout_hash=layout_hash(circuit),
        test_key_hash=key_hash if sealed else NOTHING,
        test_root=test.root if sealed else Root(NOTHING),
        sample_size=prod(circuit.input_shape) if sealed else 0,
        claim_seconds=windows.claim,
        release_seconds=windows.release if sealed else 0,
        prove_seconds=windows.prove,
        handover_seconds=windows.handover,
        dispute_seconds=windows.dispute,
        answer_seconds=windows.answer,
    )
