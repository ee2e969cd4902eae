"""A private order in words, for tables and programs."""

from typing import Any

from offchain.amounts import format_wei
from offchain.chain.contracts import AssayContracts
from offchain.chain.private_orders import PrivateOrders
from offchain.chain.proofs import AccuracyRounds
from offchain.proofs.private_order import PrivateId, PrivatePhase, PrivateState, PrivateTerms
from offchain.roles.private_desk import PrivateOrder
from offchain.types import Seconds

NEXT = {
    PrivatePhase.CLAIM: "providers claim",
    PrivatePhase.RELEASE: "the client releases its test set",
    PrivatePhase.PROVE: "providers prove their scores",
    PrivatePhase.HANDOVER: "the winner hands its model over",
    PrivatePhase.DISPUTE: "the client looks at what it has got",
    PrivatePhase.CLOSED: "nothing",
}
"""What is to come; in the other phases somebody advances the order."""


def row(oid: PrivateId, terms: PrivateTerms, state: PrivateState) -> dict[str, Any]:
    """One line of a list."""
    return {
        "order": oid,
        "phase": state.phase.name.lower(),
        "reward": format_wei(terms.reward),
        "claims": state.claims,
        "outcome": "" if state.phase is not PrivatePhase.CLOSED else state.outcome.name.lower(),
    }


def ends_in(terms: PrivateTerms, state: PrivateState, now: Seconds) -> int | None:
    """Seconds until the phase is over by the clock; None where no clock runs, or AccuracyProofs has it."""
    ends = {
        PrivatePhase.CLAIM: state.put_at + terms.claim_seconds,
        PrivatePhase.RELEASE: state.put_at + terms.claim_seconds + terms.release_seconds,
        PrivatePhase.HANDOVER: state.handover_until,
        PrivatePhase.DISPUTE: state.answer_until if state.missing else state.dispute_until,
    }
    return ends[state.phase] - now if state.phase in ends else None


def facts(contracts: AssayContracts, order: PrivateOrder) -> dict[str, Any]:
    """All about an order. Raises Retryable."""
    oid, terms = order.oid, order.terms
    orders, rounds = PrivateOrders(contracts), AccuracyRounds(contracts)
    state = orders.state(oid)
    providers = []
    for account in orders.claimants(oid):
        status, _ = orders.claim(oid, account)
        prover = rounds.prover(state.round, account)
        said = f"{prover.status.name.lower()}, {prover.correct} right, bond {status.name.lower()}"
        providers.append({"provider": account, "is": said, "winner": account == state.winner})
    return {
        **row(oid, terms, state),
        "title": order.manifest.title,
        "next": NEXT.get(state.phase, "anybody advances it"),
        "client": state.client,
        "proofs": order.manifest.system,
        "test set": f"{terms.chunks} chunks of {order.manifest.circuit.samples}, {terms.draws} drawn",
        "test set is": "sealed until claims are over" if terms.is_sealed else "open",
        "minimum": f"{terms.minimum_correct} of {terms.draws * order.manifest.circuit.samples} right",
        "bond": format_wei(terms.bond),
        "bond for a piece": format_wei(terms.request_bond),
        "round": f"0x{state.round.hex()}",
        "held": format_wei(state.held),
        "providers": providers,
    }
