"""Runs of training on chain: reads and calls of `TrainingProofs` (docs/training-proofs.md)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from web3.contract.contract import ContractFunction

from offchain.chain.contracts import AssayContracts
from offchain.chain.views import decode, encode
from offchain.proofs.field import Element
from offchain.proofs.training.prove import StepProof
from offchain.proofs.training.run import run_binding
from offchain.proofs.training.terms import RunId, RunStatus, RunTerms, StepLeaf
from offchain.types import Root, Seconds

NAME = "TrainingProofs"


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as of one block.

    :param prove_until: 0 while the draw is not fixed
    :param root: of the run's tree; zeros before the commitment
    :param drawn: the steps that are drawn, in the order of the draws; none while the draw is not fixed
    :param missing: those of the draws (not steps) that are not proven
    :param returned: whether the bond went back
    """

    run: RunId
    terms: RunTerms
    status: RunStatus
    commit_until: Seconds
    prove_until: Seconds
    root: Root
    final_state: int
    draw_block: int
    drawn: tuple[int, ...]
    missing: tuple[int, ...]
    returned: bool


class TrainingRuns:
    """The runs of one deployment's TrainingProofs."""

    def __init__(self, contracts: AssayContracts) -> None:
        self.client = contracts.client
        self.contract = contracts.training_proofs

    def binding(self, run: RunId, terms: RunTerms) -> Element:
        """The public input `prover` of the run's proofs."""
        return run_binding(self.client.chain_id, self.contract.address, run, terms.trainer)

    def view(self, run: RunId, block: int | str = "latest") -> RunView:
        """The run as of one block. Raises ContractRejected (UnknownRun), Retryable."""
        of = self.contract.functions
        asked = [of.termsOf(run), of.statusOf(run), of.runOf(run)]
        terms_read, status, facts = self.client.call_many(asked, block=block, contract=NAME)
        terms: RunTerms = decode(RunTerms, terms_read)
        commit_until, prove_until, root, final_state, draw_block, _, returned = facts
        drawn: tuple[int, ...] = ()
        if prove_until:
            drawn = tuple(self._each(of.stepOf, run, terms, block))
        proven = self._each(of.isProven, run, terms, block) if drawn else []
        return RunView(
            run=run,
            terms=terms,
            status=RunStatus(status),
            commit_until=Seconds(commit_until),
            prove_until=Seconds(prove_until),
            root=Root(bytes(root)),
            final_state=final_state,
            draw_block=draw_block,
            drawn=drawn,
            missing=tuple(draw for draw, done in enumerate(proven) if not done),
            returned=returned,
        )

    def open(self, key: bytes, terms: RunTerms) -> ContractFunction:
        """The call that opens `run_id(sender, key)`; `key` is 32 bytes."""
        return self.contract.functions.open(key, encode(terms))

    def commit(self, run: RunId, root: Root, first: StepLeaf, last: StepLeaf) -> ContractFunction:
        """The trainer's call that commits to all states and locks the bond."""
        return self.contract.functions.commit(run, root, encode(first), encode(last))

    def draw(self, run: RunId) -> ContractFunction:
        """The call that reads the block's hash, or names another block."""
        return self.contract.functions.draw(run)

    def submit(
        self, run: RunId, draw: int, before: StepLeaf, after: StepLeaf, batch_path: Sequence[bytes], proof: StepProof
    ) -> ContractFunction:
        """The call that proves a drawn step."""
        return self.contract.functions.submit(run, draw, encode(before), encode(after), list(batch_path), proof.data)

    def slash_no_show(self, run: RunId) -> ContractFunction:
        """The call that takes the bond of who has not proven in time."""
        return self.contract.functions.slashNoShow(run)

    def return_bond(self, run: RunId) -> ContractFunction:
        """The call that sends the bond of an accepted run back."""
        return self.contract.functions.returnBond(run)

    def _each(
        self, function: Callable[[RunId, int], ContractFunction], run: RunId, terms: RunTerms, block: int | str
    ) -> Sequence[int]:
        calls = [function(run, draw) for draw in range(terms.draws)]
        return self.client.call_many(calls, block=block, contract=NAME)
