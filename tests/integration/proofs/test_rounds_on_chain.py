"""Rounds of accuracy proofs on Anvil, real proofs of both systems: what is accepted, and what attackers are told."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from eth_account.signers.local import LocalAccount
from web3.contract.contract import ContractFunction

from offchain.chain.artifacts import load_artifact
from offchain.chain.contracts import AssayContracts
from offchain.chain.deploy import deploy, deployment
from offchain.chain.devnet import Anvil, AnvilOptions, dev_accounts, travel
from offchain.chain.errors import ContractRejected
from offchain.chain.proofs import AccuracyRounds, Verifiers
from offchain.chain.sender import Sender, open_sender
from offchain.errors import Rejected
from offchain.proofs.chunks import ChunkTree
from offchain.proofs.circuit import Circuit
from offchain.proofs.confidence import PPM
from offchain.proofs.draw import drawn_chunks
from offchain.proofs.field import Element
from offchain.proofs.prove import open_system, prove_accuracy
from offchain.proofs.rounds import ProofPhase, ProofTerms, ProverStatus, RoundId, round_id
from offchain.proofs.statement import Chunk, chunk_hash, correct_count, model_hash
from offchain.proofs.system import CompiledVerifier, Proof, ProofSystem
from offchain.types import Wei
from tests.integration.proofs.test_ultrahonk import CHUNK, tiny_network

BOND = Wei(10**18)
SALT = Element(20_261_122)
CHUNKS = (CHUNK, Chunk(np.array([[5, 1, 0], [1, 2, 3], [-9, 4, 77]], np.int8), np.array([0, 1, 1], np.int32)))
"""The whole test set: both chunks are drawn, so the count is exact."""
GAS = {"ultrahonk": 950_000, "groth16": 250_000}


@dataclass(frozen=True, slots=True)
class World:
    """A chain with the contracts and a registered verifier of `system`; two accounts that prove."""

    contracts: AssayContracts
    system: ProofSystem
    circuit: Circuit
    verifier: CompiledVerifier
    provers: tuple[Sender, Sender]

    @property
    def rounds(self) -> AccuracyRounds:
        return AccuracyRounds(self.contracts)

    @property
    def tree(self) -> ChunkTree:
        return ChunkTree([chunk_hash(self.circuit, chunk) for chunk in CHUNKS])

    def send(self, call: ContractFunction, who: int = 0) -> int:
        """Gas of the transaction."""
        sender = self.provers[who]
        receipt = sender.send(f"{call.fn_name}:{sender.next_nonce()}", call)
        assert receipt.succeeded
        return receipt.gas_used

    def open(self, key: bytes) -> RoundId:
        terms = ProofTerms(self.verifier.registry_key, self.tree.root, 2, 2, 3, 4, 600, 600, BOND, False)
        self.send(self.rounds.open(key, terms))
        return round_id(self.provers[0].address, key)

    def commit(self, round_: RoundId, who: int, copied: Element | None = None) -> None:
        account = self.provers[who].address
        binding = self.rounds.binding(round_, account)
        self.send(self.contracts.token.functions.approve(self.rounds.address, BOND), who)
        own = model_hash(self.circuit, tiny_network(), SALT, binding)
        self.send(self.rounds.commit(round_, own if copied is None else copied), who)

    def draw(self, round_: RoundId) -> None:
        travel(self.contracts.client, 600)
        self.send(self.rounds.draw(round_))
        self.contracts.client.request("anvil_mine", hex(2))
        self.send(self.rounds.draw(round_))

    def prove(self, round_: RoundId, who: int, chunk: int) -> Proof:
        binding = self.rounds.binding(round_, self.provers[who].address)
        return prove_accuracy(tiny_network(), CHUNKS[chunk], binding, SALT, self.system, circuit=self.circuit)

    def submission(self, round_: RoundId, who: int, draw: int, chunk: int, proof: Proof) -> ContractFunction:
        return self.rounds.submit(round_, self.provers[who].address, draw, proof, self.tree.prove(chunk))

    def refusal(self, call: ContractFunction) -> str:
        """Name of the error that the chain answers with."""
        with pytest.raises(ContractRejected) as caught:
            self.contracts.client.call(call, contract="AccuracyProofs")
        return caught.value.name


@pytest.fixture(scope="module", params=["ultrahonk", "groth16"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    home = tmp_path_factory.mktemp(request.param)
    system = open_system(request.param, home / "proofs")
    circuit = Circuit.of(tiny_network(), len(CHUNK))
    with ExitStack() as stack:
        anvil = stack.enter_context(Anvil.start(AnvilOptions(accounts=2)))
        first, second = (
            stack.enter_context(_sender(anvil, account, home / str(number)))
            for number, account in enumerate(dev_accounts(2))
        )
        contracts = AssayContracts(first.client, deploy(first, home / "addresses.json"))
        verifier = system.verifier(circuit)
        verifiers = Verifiers(contracts)
        with pytest.raises(Rejected, match=r"no verifier 0x[0-9a-f]{64} is registered"):
            verifiers.require(verifier.registry_key, verifier)
        made = first.send("deploy", verifiers.deployment(verifier))
        assert made.contract_address is not None
        first.send("register", verifiers.register(made.contract_address))
        found = verifiers.require(verifier.registry_key, verifier)
        assert (found.address, found.samples) == (made.contract_address, len(CHUNK))
        first.send("fund", contracts.token.functions.transfer(second.address, 10 * BOND))
        yield World(contracts, system, circuit, verifier, (first, second))


@contextmanager
def _sender(anvil: Anvil, account: LocalAccount, folder: Path) -> Iterator[Sender]:
    sender = open_sender(anvil.client(), account, folder)
    try:
        yield sender
    finally:
        sender.close()


def test_a_round_from_opening_to_the_bound_and_what_attackers_are_told(world: World) -> None:
    """One round honest, beside it one whose draw and commitments an attacker would like to share."""
    rounds, client = world.rounds, world.contracts.client
    round_, later = world.open(b"first".ljust(32, b"\0")), world.open(b"later".ljust(32, b"\0"))
    account, copier = (sender.address for sender in world.provers)
    world.commit(round_, 0)
    assert rounds.view(round_).phase is ProofPhase.COMMIT
    honest = rounds.prover(round_, account)
    assert honest.status is ProverStatus.COMMITTED
    world.commit(round_, 1, copied=Element(honest.model_hash))
    world.commit(later, 0, copied=Element(honest.model_hash))
    assert rounds.committed(round_, client.head()) == (account, copier)
    world.draw(round_)
    world.send(rounds.draw(later))
    client.request("anvil_mine", hex(2))
    world.send(rounds.draw(later))

    view = rounds.view(round_)
    assert view.phase is ProofPhase.PROVE
    assert view.seed is not None
    owed = rounds.missing(view, account)
    assert [chunk for _, chunk in owed] == list(drawn_chunks(view.seed, 2, 2))
    assert rounds.contract.functions.binding(round_, account).call() == rounds.binding(round_, account)
    proofs = {chunk: world.prove(round_, 0, chunk) for _, chunk in owed}
    (draw, chunk), (other_draw, other) = owed
    proof = proofs[chunk]

    # another's proof, though the commitment is the same; and the copier's own proof is of another model's hash
    assert world.refusal(world.submission(round_, 1, draw, chunk, proof)) == "InvalidProof"
    assert world.refusal(world.submission(round_, 1, draw, chunk, world.prove(round_, 1, chunk))) == "InvalidProof"
    # another chunk: as what it is, and as what was drawn
    assert world.refusal(world.submission(round_, 0, draw, other, proofs[other])) == "WrongChunk"
    path = world.tree.prove(chunk)
    said = (chunk_hash(world.circuit, CHUNKS[chunk]), list(path), proofs[other].statement.correct, proofs[other].data)
    forged = rounds.contract.functions.submit(round_, account, draw, *said)
    assert world.refusal(forged) == "InvalidProof"
    # one sample more, or fewer
    for off in (1, -1):
        said = (said[0], list(path), proof.statement.correct + off, proof.data)
        assert world.refusal(rounds.contract.functions.submit(round_, account, draw, *said)) == "InvalidProof"
    # another round, with the same author, model and chunk
    there = next(at for at, where in rounds.missing(rounds.view(later), account) if where == chunk)
    assert world.refusal(world.submission(later, 0, there, chunk, proof)) == "InvalidProof"

    gas = world.send(world.submission(round_, 0, draw, chunk, proof), who=1)
    assert gas <= GAS[world.system.name]
    assert world.refusal(world.submission(round_, 0, draw, chunk, proof)) == "AlreadyProven"
    assert rounds.missing(rounds.view(round_), account) == ((other_draw, other),)
    world.send(world.submission(round_, 0, other_draw, other, proofs[other]))
    correct = sum(correct_count(world.circuit, tiny_network(), each) for each in CHUNKS)
    done = rounds.prover(round_, account)
    assert (done.correct, done.proven) == (correct, 2)
    assert done.status is (ProverStatus.ACCEPTED if correct >= 3 else ProverStatus.BELOW_MINIMUM)
    world.send(rounds.publish_bound(round_, account, correct * PPM // 6))
    (published,) = rounds.events("BoundPublished", round_, client.head())
    assert published.arguments["exact"] is True

    travel(client, 600)
    assert rounds.view(round_).phase is ProofPhase.OVER
    world.send(rounds.slash_no_show(round_, copier))
    assert rounds.prover(round_, copier).status is ProverStatus.SLASHED
    world.send(rounds.return_bond(round_, account))
    assert world.refusal(rounds.return_bond(round_, account)) == "NothingToReturn"


def test_what_is_not_the_circuits_verifier_is_refused(world: World) -> None:
    verifiers = Verifiers(world.contracts)
    with pytest.raises(Rejected, match="whoever made it could let false proofs through"):
        verifiers.require(bytes(32), world.verifier)
    assert verifiers.find(bytes(32)) is None


@pytest.mark.parametrize("world", ["ultrahonk"], indirect=True)
def test_no_registry_outside_development_takes_an_insecure_verifier(world: World, tmp_path: Path) -> None:
    """Its constructor refuses to run there, so its code is put there by the node."""
    with Anvil.start(AnvilOptions(accounts=1, chain_id=97)) as other:
        client = other.client()
        sender = dev_accounts(1)[0].address
        made = client.request(
            "eth_sendTransaction",
            {"from": sender, "data": "0x" + deployment(load_artifact("VerifierRegistry"), {}).data.hex()},
        )
        place = client.web3.eth.wait_for_transaction_receipt(made)["contractAddress"]
        registry = client.web3.eth.contract(address=place, abi=load_artifact("VerifierRegistry").abi)
        smuggled = client.web3.to_checksum_address("0x" + "5b" * 20)
        client.request("anvil_setCode", smuggled, "0x" + world.verifier.runtime.hex())
        with pytest.raises(ContractRejected) as caught:
            client.call(registry.functions.register(smuggled), contract="VerifierRegistry")
        assert caught.value.name == "InsecureVerifier"
        assert caught.value.arguments["chainId"] == 97
