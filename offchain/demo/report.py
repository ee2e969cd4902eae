"""What came of it, as one JSON document."""

from collections import defaultdict
from collections.abc import Sequence
from statistics import median
from typing import Any

from eth_typing import ChecksumAddress

from offchain.chain.court import Court
from offchain.data.dataset import Dataset
from offchain.demo.ledger import Ledger
from offchain.demo.stage import Stage
from offchain.model.evaluator import evaluate
from offchain.model.objective import mean_score
from offchain.model.scores import total_score
from offchain.model.training import load_network, pick_device, predict
from offchain.protocol.scores import PPM
from offchain.roles.context import WorkerEvent
from offchain.roles.dispute_summary import summarise_disputes
from offchain.roles.fetch import FetchedModel, fetch_model
from offchain.roles.prepare import PreparedOrder
from offchain.roles.summary import OrderSummary, summarise
from offchain.types import OrderId


def build_report(
    stage: Stage,
    ordered: dict[OrderId, PreparedOrder],
    ledger: Ledger,
    events: Sequence[WorkerEvent],
    aggregators: dict[str, Any],
    elapsed_seconds: float,
) -> dict[str, Any]:
    """The document of `assay demo --json`: amounts in wei, scores in millionths, gas in units. Accounts by address;
    `names` says who they are. `aggregators`: see `committee_report`."""
    conservation = ledger.conservation
    return {
        "chain": {
            "id": stage.client.chain_id,
            "name": stage.client.network.name,
            "endpoint": stage.client.endpoint,
            "blocks": stage.client.head().number,
        },
        "names": stage.names,
        "orders": [_order(stage, oid, prepared) for oid, prepared in ordered.items()],
        "slashed": [
            {"order_id": slash.oid, "account": slash.account, "reason": slash.reason, "amount": slash.amount}
            for slash in ledger.slashes
        ],
        "earned": ledger.earned,
        "bounties": ledger.bounties,
        "aggregators": aggregators,
        "disputes": [item.to_json() for item in summarise_disputes(Court(stage.contracts))],
        "gas": _gas(events),
        "conservation": {
            "minted": conservation.minted,
            "burned": conservation.burned,
            "held": conservation.held,
            "held_by_contracts": conservation.contracts,
            "difference": conservation.difference,
        },
        "elapsed_seconds": round(elapsed_seconds, 1),
    }


def _order(stage: Stage, oid: OrderId, prepared: PreparedOrder) -> dict[str, Any]:
    summary = summarise(stage.contracts, oid)
    fields: dict[str, Any] = {
        "order_id": oid,
        "title": prepared.record.title,
        "outcome": summary.outcome.name.lower(),
        "scores_ppm": _scores(summary),
        "winner": summary.winner,
        "payouts": {payout.account: payout.amount for payout in summary.payouts},
    }
    if summary.winner is None:
        return fields
    fetched = fetch_model(stage.contracts, stage.contexts["client"].store, oid)
    held_out = prepared.test
    return fields | {
        "held_out_samples": len(held_out),
        "float_accuracy": _float_accuracy(fetched, held_out),
        "integer_accuracy": _integer_accuracy(fetched, held_out),
    }


def _scores(summary: OrderSummary) -> dict[ChecksumAddress, int]:
    """The agreed score of each model as a mean per sample; models that validators disagree about are left out."""
    return {model.provider: model.score * PPM // summary.samples for model in summary.models if model.score is not None}


def _integer_accuracy(fetched: FetchedModel, held_out: Dataset) -> float:
    outputs = evaluate(fetched.network, held_out.inputs)
    return total_score(fetched.score_function, outputs, held_out.labels) / len(held_out)


def _float_accuracy(fetched: FetchedModel, held_out: Dataset) -> float:
    """Mean score of the float network that was delivered beside the claimed one."""
    model = fetched.float_model
    outputs = predict(load_network(model), held_out, model.scaling, pick_device())
    return mean_score(outputs, held_out.labels, fetched.score_function)


def _gas(events: Sequence[WorkerEvent]) -> dict[str, dict[str, int]]:
    """By action: how often, and the median and largest gas."""
    by_action: dict[str, list[int]] = defaultdict(list)
    for event in events:
        if "gas" in event.detail:
            by_action[event.what].append(event.detail["gas"])
    return {
        action: {"count": len(used), "median": int(median(used)), "maximum": max(used)}
        for action, used in sorted(by_action.items())
    }
