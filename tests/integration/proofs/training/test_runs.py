"""Whole runs of training on Anvil, with real proofs: one that is true, and one with a false step."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from eth_typing import ChecksumAddress
from web3.contract.contract import ContractFunction

from offchain.chain.client import ChainClient
from offchain.chain.contracts import AssayContracts
from offchain.chain.deploy import deploy
from offchain.chain.devnet import Anvil, AnvilOptions, dev_accounts, travel
from offchain.chain.errors import ContractRejected
from offchain.chain.proofs import Verifiers
from offchain.chain.sender import open_sender
from offchain.chain.training_proofs import TrainingRuns
from offchain.errors import Rejected
from offchain.proofs.field import Element
from offchain.proofs.training.prove import StepProof, StepProver
from offchain.proofs.training.run import (
    BatchSet,
    TrainedRun,
    bond_that_deters,
    commit_to,
    escape_probability,
    run_binding,
    train,
)
from offchain.proofs.training.sgd import State, initial_state
from offchain.proofs.training.terms import RunId, RunStatus, RunTerms, run_id
from offchain.proofs.training.trainer import Trainer, require_provable
from offchain.proofs.training.witness import Salted, step_inputs
from offchain.types import Wei
from tests.integration.proofs.training.conftest import SHAPE

BOND = Wei(10**18)
GAS_BAR = 1_100_000
INITIAL = Salted(initial_state(SHAPE, b"i" * 32), Element(0))


@dataclass(frozen=True)
class Stage:
    """A deployment with the verifier registered; accounts opener and trainer are Anvil's own and hold tokens."""

    client: ChainClient
    contracts: AssayContracts
    runs: TrainingRuns
    key: bytes
    opener: ChecksumAddress
    account: ChecksumAddress

    def send(self, sender: ChecksumAddress) -> Callable[[str, ContractFunction], int]:
        """Sends at once; the gas that it took."""

        def sent(_key: str, call: ContractFunction) -> int:
            receipt = call.w3.eth.wait_for_transaction_receipt(call.transact({"from": sender}))
            assert receipt["status"] == 1
            return int(receipt["gasUsed"])

        return sent

    def opened(self, data: BatchSet, name: bytes, **changes: Any) -> tuple[RunId, RunTerms]:
        terms = RunTerms(
            verifier=self.key,
            initial_state=commit_to(data, [INITIAL], []).hashes[0],
            batch_root=data.tree.root,
            schedule_seed=b"s" * 32,
            trainer=self.account,
            bond=BOND,
            batches=len(data.batches),
            steps=8,
            draws=2,
            commit_seconds=1000,
            prove_seconds=1000,
        )
        terms = replace(terms, **changes)
        key = name.ljust(32, b"\0")
        self.send(self.opener)("", self.runs.open(key, terms))
        self.send(self.account)("", self.contracts.token.functions.approve(self.runs.contract.address, BOND))
        return run_id(self.opener, key), terms


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, prover: StepProver) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("chain")
    with Anvil.start(AnvilOptions()) as anvil:
        client = anvil.client(timeout=120.0)
        trainer, opener = (account.address for account in dev_accounts(2))
        sender = open_sender(client, dev_accounts(1)[0], folder)
        contracts = AssayContracts(client, deploy(sender, folder / "addresses.json"))
        verifiers, compiled = Verifiers(contracts), prover.verifier(SHAPE)
        deployed = sender.send("verifier", verifiers.deployment(compiled))
        assert deployed.contract_address is not None
        sender.send("register", verifiers.register(deployed.contract_address))
        sender.close()
        assert verifiers.require(compiled.registry_key, compiled).samples == SHAPE.batch
        yield Stage(client, contracts, TrainingRuns(contracts), compiled.registry_key, opener, trainer)


def test_a_true_run_is_accepted_and_no_other_proof_takes_the_place_of_its_own(
    stage: Stage, prover: StepProver, data: BatchSet
) -> None:
    run, terms = stage.opened(data, b"true")
    trained = train(data, INITIAL, terms.schedule_seed, terms.steps, b"secret of this run".ljust(32))
    gas: list[int] = []
    sent = stage.send(stage.account)
    trainer = Trainer(stage.runs, prover, lambda key, call: gas.append(sent(key, call)))
    balance = stage.contracts.token.functions.balanceOf(stage.account)
    before = stage.client.call(balance)

    trainer.commit(run, trained)
    trainer.commit(run, trained)  # nothing more
    assert stage.client.call(balance) == before - BOND
    trainer.draw(run)
    stage.client.request("anvil_mine", hex(2))
    trainer.draw(run)
    view = stage.runs.view(run)
    assert view.status is RunStatus.PROVING
    assert len(set(view.drawn)) == 2
    assert view.missing == (0, 1)

    first, second = view.drawn
    elsewhere = run_binding(stage.client.chain_id, stage.runs.contract.address, RunId(b"o" * 32), stage.account)
    stolen = trainer.proof_of(trained, first, elsewhere)
    assert refused(stage, run, trained, 0, stolen) == "InvalidStepProof"
    gas.clear()
    proofs = trainer.prove(run, trained)
    assert [proof.statement.old_hash for proof in proofs] == [trained.hashes[first], trained.hashes[second]]
    assert max(gas) < GAS_BAR
    # a replay, also of the very step
    assert refused(stage, run, trained, 0, proofs[0]) == "WrongRunStatus"
    view = trainer.settle(run)
    assert (view.status, view.final_state, view.returned) == (RunStatus.ACCEPTED, trained.hashes[-1], True)
    assert stage.client.call(balance) == before
    assert trainer.prove(run, trained) == ()


def test_a_false_step_that_is_drawn_cannot_be_proven_and_costs_the_bond(
    stage: Stage, prover: StepProver, data: BatchSet
) -> None:
    run, terms = stage.opened(data, b"false", steps=2, draws=2)
    honest = train(data, INITIAL, terms.schedule_seed, 2, b"secret of that run".ljust(32))
    wished = with_another_bias(honest.states[1])
    false = commit_to(data, (INITIAL, wished, honest.states[2]), honest.schedule)
    trainer = Trainer(stage.runs, prover, stage.send(stage.account))
    trainer.commit(run, false)
    stage.client.request("anvil_mine", hex(2))
    trainer.draw(run)
    view = stage.runs.view(run)
    binding = stage.runs.binding(run, terms)

    with pytest.raises(Rejected, match="not the step"):
        trainer.prove(run, false)
    # who leaves our checks out is stopped by the circuit
    old, batch, new = false.step(0)
    _, inputs = step_inputs(SHAPE, old, batch, new, binding)
    with pytest.raises(Rejected, match="not true"):
        prover.barretenberg.prove(prover.program(SHAPE), inputs)
    # and the true step's proof, or bytes of its length, by the contract
    true = trainer.proof_of(honest, 0, binding)
    draw = view.drawn.index(0)
    assert refused(stage, run, false, draw, true) == "InvalidStepProof"
    assert refused(stage, run, false, draw, replace(true, data=bytes(len(true.data)))) == "InvalidStepProof"
    assert refused(stage, run, honest, draw, true) == "WrongLeaf"

    travel(stage.client, 1000)
    supply = stage.contracts.token.functions.totalSupply()
    before = stage.client.call(supply)
    stage.send(stage.opener)("", stage.runs.slash_no_show(run))
    assert stage.runs.view(run).status is RunStatus.SLASHED
    assert before - stage.client.call(supply) > BOND // 2


def test_open_a_false_step_that_is_not_drawn_goes_through(stage: Stage, prover: StepProver, data: BatchSet) -> None:
    """What sampling cannot stop, and the bond must: all is as trained but for the last step, which jumps."""
    trainer = Trainer(stage.runs, prover, stage.send(stage.account))
    for attempt in range(40):
        run, terms = stage.opened(data, b"jump%d" % attempt, draws=1)
        honest = train(data, INITIAL, terms.schedule_seed, terms.steps, b"secret".ljust(32))
        false = commit_to(data, (*honest.states[:-1], with_another_bias(honest.states[-1])), honest.schedule)
        trainer.commit(run, false)
        stage.client.request("anvil_mine", hex(2))
        trainer.draw(run)
        if stage.runs.view(run).drawn != (terms.steps - 1,):
            break
    trainer.prove(run, false)
    view = trainer.settle(run)
    assert (view.status, view.final_state) == (RunStatus.ACCEPTED, false.hashes[-1])
    assert false.hashes[-1] != honest.hashes[-1]
    assert escape_probability(terms.steps, 1, terms.draws) == 1 - 1 / 8
    assert bond_that_deters(10**18, terms.steps, terms.draws) == 7 * 10**18


def test_a_trainer_that_left_the_terms_is_stopped_before_it_commits(
    stage: Stage, prover: StepProver, data: BatchSet
) -> None:
    run, terms = stage.opened(data, b"other", steps=3)
    trainer = Trainer(stage.runs, prover, stage.send(stage.account))
    for seed, batches, initial in (
        (b"t" * 32, data, INITIAL),
        (terms.schedule_seed, BatchSet(SHAPE, data.batches[1:], data.hashes[1:]), INITIAL),
        (terms.schedule_seed, data, Salted(INITIAL.state, Element(1))),
    ):
        with pytest.raises(Rejected, match="train"):
            trainer.commit(run, train(batches, initial, seed, 3, bytes(32)))
    assert stage.runs.view(run).status is RunStatus.OPEN
    hasty, terms = stage.opened(data, b"hasty", prove_seconds=100)
    with pytest.raises(Rejected, match="too short"):
        trainer.commit(hasty, train(data, INITIAL, terms.schedule_seed, terms.steps, bytes(32)))
    with pytest.raises(Rejected, match="another verifier"):
        require_provable(terms, bytes(32), 1)


def with_another_bias(state: Salted) -> Salted:
    """The same state but for one parameter."""
    biases = tuple(b.copy() for b in state.state.biases)
    biases[0][0] += 1
    return Salted(State(state.state.weights, biases), state.salt)


def refused(stage: Stage, run: RunId, trained: TrainedRun, draw: int, proof: StepProof) -> str:
    """The error with which the contract refuses the proof for this draw."""
    step = stage.client.call(stage.runs.contract.functions.stepOf(run, draw))
    tree = trained.tree()
    path = trained.data.tree.prove(trained.schedule[step])
    call = stage.runs.submit(run, draw, trained.opened(tree, step), trained.opened(tree, step + 1), path, proof)
    with pytest.raises(ContractRejected) as caught:
        stage.client.call(call)
    return caught.value.name
