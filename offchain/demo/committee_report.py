"""What became of the aggregators: their processes, the one that was killed, the one that lied, and how they paid."""

from collections.abc import Sequence
from typing import Any

from offchain.demo.ledger import EQUIVOCATED, Ledger
from offchain.demo.troupe import Troupe
from offchain.roles.context import WorkerEvent


def committee_report(troupe: Troupe, ledger: Ledger, events: Sequence[WorkerEvent]) -> dict[str, Any]:
    """The part `aggregators` of the report: amounts in wei, gas in units, accounts by address.

    `status` of a process as `wait` gives it: 0 for an end in order, 137 for a kill. `lies`: what the liar tried, by the
    word of its events.
    """
    cut, roots = troupe.cut, ledger.roots
    return {
        "processes": [
            {
                "name": name,
                "lives": [
                    {
                        "process": life.process,
                        "transactions": life.transactions,
                        "roots_signed": life.roots_signed,
                        "status": life.status,
                    }
                    for life in lives
                ],
            }
            for name, lives in troupe.lives.items()
        ],
        "killed": None
        if cut is None
        else {"name": cut.name, "process": cut.process, "after": cut.after, "down_seconds": cut.seconds},
        "roots": [
            {
                "cycle": root.cycle,
                "orders": root.oids,
                "accounts": root.accounts,
                "signatures": root.signatures,
                "gas": root.gas,
            }
            for root in roots.posted
        ],
        "refuted": roots.refuted,
        "claims": [
            {"account": claim.account, "cycle": claim.cycle, "amount": claim.amount, "gas": claim.gas}
            for claim in roots.claims
        ],
        "lies": {what: sum(event.what == what for event in events) for what in ("propose-false-root", "equivocate")},
        "slashed": [
            {"account": slash.account, "amount": slash.amount}
            for slash in ledger.slashes
            if slash.reason == EQUIVOCATED
        ],
    }
