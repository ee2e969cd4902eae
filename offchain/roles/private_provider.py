"""The provider of private orders: claims a model by its hash, proves its score, hands it over, posts pieces."""

from __future__ import annotations

from offchain.chain.private_orders import NOTHING_BEFORE
from offchain.errors import Rejected
from offchain.model.files import decode_network, encode_graph, encode_weights
from offchain.model.graph import IntegerNetwork
from offchain.model.limits import MAX_GRAPH_BYTES, ModelLimits
from offchain.proofs.chunks import ChunkTree
from offchain.proofs.circuit import check_fits
from offchain.proofs.field import ORDER, Element
from offchain.proofs.handover import public_key, seal_key
from offchain.proofs.pieces import PieceTree, cut, seal
from offchain.proofs.poseidon2 import MODEL
from offchain.proofs.private_order import ChunkProof, Handover, PrivateId, PrivatePhase, PrivateState
from offchain.proofs.private_rules import PIECES_AT_ONCE, check_order, opening_of, test_fault
from offchain.proofs.rounds import ProofPhase, RoundView
from offchain.proofs.statement import model_elements, model_hash
from offchain.proofs.system import ProofSystem
from offchain.protocol.hashing import keccak
from offchain.roles.context import RoleContext
from offchain.roles.funding import require_tokens
from offchain.roles.private_desk import ADVANCING, PrivateDesk, PrivateOrder
from offchain.roles.private_records import PrivateClaimRecord
from offchain.storage.cid import Cid
from offchain.storage.store import Store
from offchain.types import CidDigest

LIMITS = ModelLimits(max_model_bytes=10_000_000 + 9 * 2**20, max_tensor_bytes=10_000_000 + 9 * 2**20)
"""Those of every valid network (docs/integer-networks.md)."""


class PrivateProvider:
    """One provider. Every method may be called again after a crash: what was sent is not sent twice."""

    def __init__(self, context: RoleContext, archive: Store, system: ProofSystem) -> None:
        self.context = context
        self.desk = PrivateDesk(context, archive)
        self.system = system

    def check(self, oid: PrivateId) -> PrivateOrder:
        """The order, if only an own fault can cost a provider its bond. Raises Rejected, saying why not, Retryable."""
        order = self.desk.order(oid)
        if order.manifest.system != self.system.name:
            raise Rejected(f"order {oid} asks for {order.manifest.system} proofs; open that proof system")
        check_order(order.terms, order.manifest, self.desk.test_file(order))
        self.desk.verifiers.require(order.terms.verifier, self.system.verifier(order.manifest.circuit))
        return order

    def claim(self, oid: PrivateId, network: IntegerNetwork) -> PrivateClaimRecord:
        """Claims with a model; waits until that is final. Raises Rejected when order or model do not fit, Retryable."""
        known = self._record(oid)
        order = self.check(oid)
        record = known or self._new_record(order, network)
        require_tokens(self.context.contracts, self.context.account, order.terms.bond, "the claim")
        self.context.journal.write(record)
        self.desk.pay(f"private-claim:{oid}", order.terms.bond, self.desk.orders.claim_model(oid, record.model_hash))
        return record

    def step(self, oid: PrivateId) -> str:
        """Does what is due of an order that it has claimed; in words what it did or waits for.

        Raises Rejected when it has no claim there, Retryable.
        """
        record = self._record(oid)
        if record is None:
            raise Rejected(f"order {oid} is none that this key has claimed from here; see `assay private claim`")
        state = self.desk.orders.state(oid)
        mine = state.winner == self.context.account
        if state.phase in ADVANCING:
            return self.desk.advance(oid, state)
        match state.phase:
            case PrivatePhase.PROVE:
                return self._prove(self.desk.order(oid), state, record)
            case PrivatePhase.HANDOVER if mine:
                return self._hand_over(self.desk.order(oid), state, record)
            case PrivatePhase.DISPUTE if mine and state.missing:
                return self._answer(self.desk.order(oid), state, record)
            case _:
                return f"{state.phase.name.lower()}: waiting"

    def network(self, record: PrivateClaimRecord) -> IntegerNetwork:
        """The claimed model, from the archive."""
        graph = self.desk.archive.read(Cid.of(record.graph), max_bytes=MAX_GRAPH_BYTES)
        weights = self.desk.archive.read(Cid.of(record.weights), max_bytes=LIMITS.max_file_bytes)
        return decode_network(graph, weights, LIMITS)

    def _record(self, oid: PrivateId) -> PrivateClaimRecord | None:
        """The claim that is on chain, or else the last that was to be."""
        records = [r for r in self.context.journal.all(PrivateClaimRecord) if r.private_id == oid]
        if len(records) > 1:
            _, on_chain = self.desk.orders.claim(oid, self.context.account)
            records = [r for r in records if on_chain in (0, r.model_hash)]
        return records[-1] if records else None

    def _new_record(self, order: PrivateOrder, network: IntegerNetwork) -> PrivateClaimRecord:
        circuit = order.manifest.circuit
        check_fits(circuit, network)
        rng = self.context.rng
        salt = Element(int.from_bytes(rng(64), "big") % ORDER)
        binding = self.desk.rounds.binding(self.desk.orders.state(order.oid).round, self.context.account)
        return PrivateClaimRecord(
            private_id=order.oid,
            model_hash=model_hash(circuit, network, salt, binding),
            salt=salt,
            data_key=rng(32),
            ephemeral=rng(32),
            graph=CidDigest(self.desk.archive.add(encode_graph(network)).digest),
            weights=CidDigest(self.desk.archive.add(encode_weights(network)).digest),
        )

    def _prove(self, order: PrivateOrder, state: PrivateState, record: PrivateClaimRecord) -> str:
        view = self.desk.rounds.view(state.round)
        if view.phase is ProofPhase.DRAW:
            return self._draw(view)
        missing = self.desk.rounds.missing(view, self.context.account)
        if view.phase is not ProofPhase.PROVE or not missing:
            return "prove: waiting for the others"
        key = state.test_key if order.terms.is_sealed else order.manifest.test_key
        if key is None:
            raise Rejected(f"order {order.oid} has no key of its test set")
        test = self.desk.test_file(order)
        fault = test_fault(test, order.manifest, key, [chunk for _, chunk in missing])
        if fault is not None:
            return self._dispute_test(order, *fault)
        network, binding = self.network(record), self.desk.rounds.binding(state.round, self.context.account)
        tree, sent = ChunkTree(order.manifest.chunk_hashes), []
        for draw, chunk in missing:
            samples = test.open(key, chunk)
            proof = self.system.prove(order.manifest.circuit, network, samples, binding, Element(record.salt))
            call = self.desk.rounds.submit(state.round, self.context.account, draw, proof, tree.prove(chunk))
            # another proof of the same after a crash is another call
            name = f"private-prove:{order.oid}:{draw}:{keccak(proof.data).hex()[:16]}"
            sent.append(self.desk.begin(name, call))
        self.desk.finish([ticket for ticket in sent if ticket is not None])
        return f"prove: proved {len(missing)} chunks"

    def _draw(self, view: RoundView) -> str:
        number = self.context.client.head().number
        if view.draw_block and number < view.draw_block + 1:
            return "prove: waiting for the block that draws"
        key = f"private-draw:{view.round.hex()}:{view.attempts}:{view.draw_block}"
        self.desk.attempt(key, self.desk.rounds.draw(view.round))
        return "prove: drawing"

    def _dispute_test(self, order: PrivateOrder, chunk: int, piece: int) -> str:
        test, tree = self.desk.test_file(order), ChunkTree(order.manifest.chunk_hashes)
        number = chunk * test.each + piece
        before = opening_of(test.pieces, number - 1, test.tree) if piece else NOTHING_BEFORE
        leaf = ChunkProof(chunk, order.manifest.chunk_hashes[chunk], tree.prove(chunk))
        opening = opening_of(test.pieces, number, test.tree)
        call = self.desk.orders.dispute_test(order.oid, leaf, piece, before, opening)
        self.desk.attempt(f"private-dispute-test:{order.oid}", call)
        return f"prove: the released test set is not the promised one (chunk {chunk}, piece {piece})"

    def _pieces(self, order: PrivateOrder, record: PrivateClaimRecord) -> list[bytes]:
        state = self.desk.orders.state(order.oid)
        binding = self.desk.rounds.binding(state.round, self.context.account)
        elements = [*model_elements(order.manifest.circuit, self.network(record)), record.salt, binding]
        return cut(seal(record.data_key, MODEL, elements))

    def _hand_over(self, order: PrivateOrder, state: PrivateState, record: PrivateClaimRecord) -> str:
        handover = self._handover(order, state, record)
        self.desk.attempt(f"private-handover:{order.oid}", self.desk.orders.hand_over(order.oid, handover))
        return "handover: handed over"

    def _handover(self, order: PrivateOrder, state: PrivateState, record: PrivateClaimRecord) -> Handover:
        pieces = self._pieces(order, record)
        ephemeral = public_key(record.ephemeral)
        context = self.desk.orders.context(order.oid, self.context.account, state.client_key, ephemeral)
        sealed = seal_key(record.data_key, record.ephemeral, state.client_key, context)
        return Handover(
            ephemeral_key=ephemeral,
            sealed_key=sealed.data,
            tag=sealed.tag,
            key_hash=keccak(record.data_key),
            root=PieceTree(pieces).root,
            cid=self._publish(pieces),
        )

    def _publish(self, pieces: list[bytes]) -> CidDigest:
        return CidDigest(self.context.store.add(b"".join(pieces)).digest)

    def _answer(self, order: PrivateOrder, state: PrivateState, record: PrivateClaimRecord) -> str:
        pieces = self._pieces(order, record)
        tree = PieceTree(pieces)
        missing = self.desk.orders.missing(order.oid, state)[:PIECES_AT_ONCE]
        sent = []
        for piece in missing:
            call = self.desk.orders.answer(order.oid, piece, opening_of(pieces, piece, tree))
            # the same piece may be asked for twice, with other deadlines
            sent.append(self.desk.begin(f"private-answer:{order.oid}:{piece}:{state.answer_until}", call))
        self.desk.finish([ticket for ticket in sent if ticket is not None])
        return f"dispute: posted {len(missing)} pieces"
