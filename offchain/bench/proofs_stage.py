"""Brings one account to the point where it may submit a proof, on a chain of its own: where their gas is measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from offchain.chain.contracts import AssayContracts
from offchain.chain.deploy import deploy
from offchain.chain.devnet import Anvil, AnvilOptions, dev_accounts, travel
from offchain.chain.errors import ContractRejected
from offchain.chain.sender import Sender, open_sender
from offchain.chain.transactions import TxCall
from offchain.chain.views import encode
from offchain.errors import Bug
from offchain.proofs.chunks import ChunkTree
from offchain.proofs.field import Element
from offchain.proofs.rounds import ProofTerms, RoundId, round_id
from offchain.proofs.statement import prover_binding
from offchain.proofs.system import CompiledVerifier, Proof
from offchain.types import Seconds, Wei

WINDOW = Seconds(10_000)
ENOUGH_GAS = 2_000_000


@dataclass(frozen=True, slots=True)
class Gas:
    """Gas of whole transactions: the verifier called alone, a proof through AccuracyProofs, the verifier's creation."""

    verify: int
    submit: int
    deploy: int


@dataclass(frozen=True, slots=True)
class ProofStage:
    """One sender, who opens rounds and proves in them."""

    sender: Sender
    contracts: AssayContracts

    def measure(
        self,
        verifier: CompiledVerifier,
        chunk_hashes: Sequence[int],
        commitment: Callable[[Element], Element],
        prove: Callable[[int, Element], Proof],
    ) -> Gas:
        """A round of one draw over these chunks, from opening to acceptance.

        commitment: the model's hash for a binding; prove: a chunk, by its number, for a binding. Raises Bug when the
        chain does not accept the proof, or accepts one sample more.
        """
        deployed = self._deploy(verifier)
        tree = ChunkTree(chunk_hashes)
        round_ = self._open(verifier, tree)
        binding = prover_binding(
            self.sender.client.chain_id, self.contracts.accuracy_proofs.address, round_, self.sender.address
        )
        self._commit(round_, commitment(binding))
        chunk = self._draw(round_)
        proof = prove(chunk, binding)
        submit = self._submission(round_, chunk_hashes[chunk], tree.prove(chunk), proof)
        self._refuse(submit(proof.statement.correct + 1))
        paid = self.sender.send(f"submit:{round_.hex()}", submit(proof.statement.correct))
        status = self.contracts.accuracy_proofs.functions.proverOf(round_, self.sender.address).call()
        if not paid.succeeded or status[2] != proof.statement.correct or status[3] != 1:
            raise Bug(f"the round says {status} of a proof of {proof.statement.correct}")
        bare = self._contract(verifier, deployed[0]).functions.verify(proof.data, *proof.statement.elements())
        # With too little gas a verifier says no instead of reverting, and an estimate would find just that.
        verify = self.sender.send(f"verify:{round_.hex()}", bare, gas=ENOUGH_GAS)
        return Gas(verify.gas_used, paid.gas_used, deployed[1])

    def _deploy(self, verifier: CompiledVerifier) -> tuple[Any, int]:
        key = verifier.registry_key
        receipt = self.sender.send(f"deploy:{key.hex()}", TxCall(None, verifier.creation, label="a verifier"))
        registry = self.contracts.registry.functions
        if not registry.isRegistered(key).call():
            self.sender.send(f"register:{key.hex()}", registry.register(receipt.contract_address))
        return registry.verifierOf(key).call()[0], receipt.gas_used

    def _contract(self, verifier: CompiledVerifier, address: Any) -> Any:
        abi = [item for item in verifier.abi if item.get("name") != "verify" or len(item["inputs"]) == 5]
        return self.sender.client.web3.eth.contract(address=address, abi=abi)

    def _open(self, verifier: CompiledVerifier, tree: ChunkTree) -> RoundId:
        terms = ProofTerms(
            verifier=verifier.registry_key,
            chunk_root=tree.root,
            chunks=len(tree),
            draws=1,
            minimum_correct=1,
            maximum_provers=1,
            commit_seconds=WINDOW,
            prove_seconds=WINDOW,
            bond=Wei(0),
            gated=False,
        )
        key = verifier.registry_key
        call = self.contracts.accuracy_proofs.functions.open(key, encode(terms))
        self.sender.send(f"open:{key.hex()}", call)
        return round_id(self.sender.address, key)

    def _commit(self, round_: RoundId, model_hash: Element) -> None:
        call = self.contracts.accuracy_proofs.functions.commit(round_, model_hash)
        self.sender.send(f"commit:{round_.hex()}", call)
        travel(self.sender.client, WINDOW)

    def _draw(self, round_: RoundId) -> int:
        proofs = self.contracts.accuracy_proofs.functions
        self.sender.send(f"schedule:{round_.hex()}", proofs.draw(round_))
        self.sender.client.request("anvil_mine", hex(2))
        self.sender.send(f"draw:{round_.hex()}", proofs.draw(round_))
        return int(proofs.chunkOf(round_, 0).call())

    def _submission(self, round_: RoundId, chunk_hash: int, path: tuple[bytes, ...], proof: Proof) -> Any:
        functions, account = self.contracts.accuracy_proofs.functions, self.sender.address
        return lambda correct: functions.submit(round_, account, 0, chunk_hash, list(path), correct, proof.data)

    def _refuse(self, call: Any) -> None:
        try:
            self.sender.client.call(call, contract="AccuracyProofs")
        except ContractRejected:
            return
        raise Bug("the chain accepts one sample more than was proven")


@contextmanager
def proof_stage(folder: Path) -> Iterator[ProofStage]:
    """A fresh Anvil with the contracts; `folder` holds the journal."""
    with (
        Anvil.start(AnvilOptions()) as anvil,
        closing(open_sender(anvil.client(), dev_accounts(1)[0], folder)) as sender,
    ):
        yield ProofStage(sender, AssayContracts(sender.client, deploy(sender, folder / "addresses.json")))
