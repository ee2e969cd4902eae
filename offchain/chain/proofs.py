"""Rounds of accuracy proofs as workers see them: one block's view, who committed, calls; and the verifiers' registry.

Views are of the latest block, for windows run and a step that the chain then forgets is refused the next time.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address
from web3.contract.contract import ContractFunction

from offchain.chain.artifacts import load_artifact
from offchain.chain.client import BlockRef
from offchain.chain.contracts import AssayContracts
from offchain.chain.errors import ContractRejected
from offchain.chain.event_decoder import Event, EventDecoder
from offchain.chain.history import History
from offchain.chain.transactions import TxCall
from offchain.chain.views import decode, encode
from offchain.errors import Rejected
from offchain.proofs.draw import drawn_chunks
from offchain.proofs.field import Element
from offchain.proofs.rounds import ProofPhase, ProofTerms, ProverStatus, ProverView, RoundId, RoundView
from offchain.proofs.statement import prover_binding
from offchain.proofs.system import CompiledVerifier, Proof
from offchain.types import Seconds

NAME, REGISTRY = "AccuracyProofs", "VerifierRegistry"


@dataclass(frozen=True, slots=True)
class RegisteredVerifier:
    """A verifier that rounds may name: `key` (32 bytes), where it is, samples in its chunks."""

    key: bytes
    address: ChecksumAddress
    samples: int


class AccuracyRounds:
    """The rounds of one deployment's AccuracyProofs."""

    def __init__(self, contracts: AssayContracts) -> None:
        self.client = contracts.client
        self.contract = contracts.accuracy_proofs
        decoder = EventDecoder({self.contract.address: (NAME, load_artifact(NAME).abi)})
        self._history = History(self.client, decoder, first=contracts.addresses.block)

    @property
    def address(self) -> ChecksumAddress:
        """Of the contract."""
        return self.contract.address

    def binding(self, round_id: RoundId, account: ChecksumAddress) -> Element:
        """The public input `prover` of the account's proofs in the round, and part of its model's hash."""
        return prover_binding(self.client.chain_id, self.address, round_id, account)

    # Reads

    def terms(self, round_id: RoundId) -> ProofTerms:
        """What the round asks for; never changes. Raises ContractRejected (UnknownRound), Retryable."""
        return decode(ProofTerms, self.client.call(self.contract.functions.termsOf(round_id), contract=NAME))

    def view(self, round_id: RoundId, block: int | str = "latest") -> RoundView:
        """The round as of one block. Raises ContractRejected (UnknownRound), Retryable."""
        of = self.contract.functions
        asked = [of.termsOf, of.phaseOf, of.endsOf, of.drawOf, of.countsOf]
        calls = [function(round_id) for function in asked]
        terms, phase, ends, draw, counts = self.client.call_many(calls, block=block, contract=NAME)
        drawn = ends[1] != 0
        return RoundView(
            round=round_id,
            terms=decode(ProofTerms, terms),
            phase=ProofPhase(phase),
            commit_until=Seconds(ends[0]),
            prove_until=Seconds(ends[1]),
            draw_block=draw[0],
            attempts=draw[1],
            seed=bytes(draw[2]) if drawn else None,
            committed=counts[0],
            finished=counts[1],
        )

    def prover(self, round_id: RoundId, account: ChecksumAddress, block: int | str = "latest") -> ProverView:
        """An account in a round. Raises ContractRejected (UnknownRound), Retryable."""
        values = self.client.call(self.contract.functions.proverOf(round_id, account), block=block, contract=NAME)
        return ProverView(ProverStatus(values[0]), *values[1:])

    def missing(self, view: RoundView, account: ChecksumAddress) -> tuple[tuple[int, int], ...]:
        """(draw, chunk) of each proof that the account still owes; none while the draw is not fixed.

        Raises Retryable.
        """
        if view.seed is None:
            return ()
        chunks = drawn_chunks(view.seed, view.terms.draws, view.terms.chunks)
        calls = [self.contract.functions.hasProven(view.round, account, draw) for draw in range(len(chunks))]
        proven = self.client.call_many(calls, contract=NAME)
        return tuple((draw, chunk) for draw, chunk in enumerate(chunks) if not proven[draw])

    def committed(self, round_id: RoundId, head: BlockRef) -> tuple[ChecksumAddress, ...]:
        """Accounts that have committed up to `head`, in order. Raises Retryable."""
        return tuple(to_checksum_address(e.arguments["account"]) for e in self.events("ModelCommitted", round_id, head))

    def events(self, name: str, round_id: RoundId, head: BlockRef) -> tuple[Event, ...]:
        """The round's events of that name up to `head`, in order. Raises Retryable."""
        found: list[Event] = []
        for event in self._history.backwards((None, round_id), last=head.number):
            found.append(event)
            if event.name == "ProofRoundOpened":
                break
        return tuple(event for event in reversed(found) if event.name == name)

    # Calls

    def open(self, key: bytes, terms: ProofTerms) -> ContractFunction:
        """The call that opens the round `round_id(sender, key)`; `key` is 32 bytes."""
        return self.contract.functions.open(key, encode(terms))

    def commit(self, round_id: RoundId, model_hash: Element) -> ContractFunction:
        """The call that commits to a model and locks the bond."""
        return self.contract.functions.commit(round_id, model_hash)

    def draw(self, round_id: RoundId) -> ContractFunction:
        """The call that names the block whose hash draws, or reads it."""
        return self.contract.functions.draw(round_id)

    def submit(
        self, round_id: RoundId, account: ChecksumAddress, draw: int, proof: Proof, path: Sequence[bytes]
    ) -> ContractFunction:
        """The call that proves a drawn chunk; `path` leads from its leaf to the round's root (`ChunkTree.prove`)."""
        said = proof.statement
        return self.contract.functions.submit(
            round_id, account, draw, said.chunk_hash, list(path), said.correct, proof.data
        )

    def publish_bound(self, round_id: RoundId, account: ChecksumAddress, bound_ppm: int) -> ContractFunction:
        """The call that puts on record what the count says (`confidence.lower_bound_ppm`)."""
        return self.contract.functions.publishBound(round_id, account, bound_ppm)

    def slash_no_show(self, round_id: RoundId, account: ChecksumAddress) -> ContractFunction:
        """The call that takes the bond of who has not proven in time."""
        return self.contract.functions.slashNoShow(round_id, account)

    def return_bond(self, round_id: RoundId, account: ChecksumAddress) -> ContractFunction:
        """The call that sends a bond back."""
        return self.contract.functions.returnBond(round_id, account)


class Verifiers:
    """The registry of accuracy verifiers of one deployment."""

    def __init__(self, contracts: AssayContracts) -> None:
        self.client = contracts.client
        self.contract = contracts.registry

    def find(self, key: bytes) -> RegisteredVerifier | None:
        """The verifier of a key, None where there is none. Raises Retryable."""
        try:
            address, samples = self.client.call(self.contract.functions.verifierOf(key), contract=REGISTRY)
        except ContractRejected:
            return None
        return RegisteredVerifier(key, to_checksum_address(address), samples)

    def require(self, key: bytes, honest: CompiledVerifier) -> RegisteredVerifier:
        """The verifier of a key, if it has the code that the circuit gives. Raises Rejected otherwise, Retryable.

        The key is made of circuit and code, so who computes it again from the circuit knows what was registered.
        """
        if key != honest.registry_key:
            raise Rejected(
                f"verifier 0x{key.hex()} is not what circuit 0x{honest.circuit_hash.hex()} gives "
                f"(0x{honest.registry_key.hex()}): whoever made it could let false proofs through; take no part"
            )
        found = self.find(key)
        if found is None:
            raise Rejected(f"no verifier 0x{key.hex()} is registered; deploy and register it first")
        return found

    def deployment(self, verifier: CompiledVerifier) -> TxCall:
        """The transaction that deploys a verifier; `register` comes next."""
        return TxCall(None, verifier.creation, label="deployment of a verifier of proofs")

    def register(self, verifier: ChecksumAddress) -> ContractFunction:
        """The call that registers a deployed verifier."""
        return self.contract.functions.register(verifier)
