"""What a trainer does on chain with a run that it has trained: commit, have the draw fixed, prove what was drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from web3.contract.contract import ContractFunction

from offchain.chain.training_proofs import RunView, TrainingRuns
from offchain.errors import Rejected
from offchain.proofs.field import Element
from offchain.proofs.training.prove import StepProof, StepProver
from offchain.proofs.training.run import TrainedRun
from offchain.proofs.training.terms import RunId, RunStatus, RunTerms

Send = Callable[[str, ContractFunction], object]
"""Sends a transaction and waits for it; the text is the same for the same thing to do, also after a restart."""


@dataclass(frozen=True, slots=True)
class Trainer:
    """One trainer. All its methods may be called again after a failure: what is done on chain is not done twice.

    They raise Rejected (nothing can be done, the message says why), Retryable (the chain is away).
    """

    runs: TrainingRuns
    prover: StepProver
    send: Send
    proof_seconds: int = 60
    """How long a proof takes at most, with its transaction; to a run that leaves less for each it does not commit."""

    def commit(self, run: RunId, trained: TrainedRun) -> None:
        """Commits to the run's states, if it keeps the terms and can be proven by them; the allowance for the bond must
        be there."""
        view = self.runs.view(run)
        if view.status is not RunStatus.OPEN:
            return
        require_honest(view.terms, trained)
        require_provable(view.terms, self.prover.verifier(trained.data.shape).registry_key, self.proof_seconds)
        tree = trained.tree()
        first, last = trained.opened(tree, 0), trained.opened(tree, trained.steps)
        self.send(f"commit {run.hex()}", self.runs.commit(run, tree.root, first, last))

    def draw(self, run: RunId) -> None:
        """Has the draw fixed, once its block is there; names another block if nobody came in time for it."""
        view = self.runs.view(run)
        if view.status is RunStatus.DRAWING and self.runs.client.head().number > view.draw_block:
            self.send(f"draw {run.hex()} by {view.draw_block}", self.runs.draw(run))

    def prove(self, run: RunId, trained: TrainedRun) -> tuple[StepProof, ...]:
        """Proves and submits each drawn step that is not proven yet; the proofs that it made."""
        view = self.runs.view(run)
        if view.status is not RunStatus.PROVING:
            return ()
        tree, batches = trained.tree(), trained.data.tree
        binding = self.runs.binding(run, view.terms)
        proofs = []
        for draw in view.missing:
            step = view.drawn[draw]
            proof = self.proof_of(trained, step, binding)
            before, after = trained.opened(tree, step), trained.opened(tree, step + 1)
            call = self.runs.submit(run, draw, before, after, batches.prove(trained.schedule[step]), proof)
            self.send(f"prove {run.hex()} {draw}", call)
            proofs.append(proof)
        return tuple(proofs)

    def proof_of(self, trained: TrainedRun, step: int, binding: Element) -> StepProof:
        """The proof of one step."""
        old, batch, new = trained.step(step)
        return self.prover.prove_step(trained.data.shape, old, batch, new, binding)

    def settle(self, run: RunId) -> RunView:
        """The bond of an accepted run back, if there is one to come; the run as it is then."""
        view = self.runs.view(run)
        if view.status is RunStatus.ACCEPTED and view.terms.bond and not view.returned:
            self.send(f"return {run.hex()}", self.runs.return_bond(run))
        return self.runs.view(run)


def require_honest(terms: RunTerms, trained: TrainedRun) -> None:
    """Refuses a run that does not keep the terms: its steps would be drawn and nothing could prove them."""
    shown = trained.data.tree
    if (terms.batches, terms.batch_root) != (len(shown), shown.root):
        raise Rejected("the run was trained with other batches than its terms name: train with those")
    if terms.schedule() != trained.schedule:
        raise Rejected("the run took its batches in another order than its terms' schedule: train by it")
    if terms.initial_state != trained.hashes[0]:
        raise Rejected("the run began from another state than its terms name: train from that one")


def require_provable(terms: RunTerms, verifier: bytes, proof_seconds: int) -> None:
    """Refuses terms by which an honest trainer loses its bond. `verifier`: registry key of the shape's own."""
    if terms.verifier != verifier:
        raise Rejected(
            "the run's terms name another verifier than its shape has with this reference string: nothing could be "
            "proven to it, so commit to no such run"
        )
    if terms.prove_seconds < terms.draws * proof_seconds:
        raise Rejected(
            f"{terms.prove_seconds} s for {terms.draws} proofs is too short, they may take {proof_seconds} s each: ask "
            "for a run with more time"
        )
