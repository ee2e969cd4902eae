"""What became of the aggregators: their processes, and which of them was killed and went on."""

from typing import Any

from offchain.demo.troupe import Troupe


def committee_report(troupe: Troupe) -> dict[str, Any]:
    """The part `aggregators` of the report. `status` as `wait` gives it: 0 for an end in order, 137 for a kill."""
    return {
        "processes": [
            {
                "name": name,
                "lives": [
                    {"process": life.process, "transactions": life.transactions, "status": life.status}
                    for life in lives
                ],
            }
            for name, lives in troupe.lives.items()
        ],
        "killed": None
        if troupe.cut is None
        else {
            "name": troupe.cut.name,
            "process": troupe.cut.process,
            "after": troupe.cut.after,
            "down_seconds": troupe.cut.seconds,
        },
    }
