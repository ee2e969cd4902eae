"""What came of it, as one JSON document: read from the contracts' events, and from what the workers reported."""

from collections import defaultdict
from collections.abc import Sequence
from statistics import median
from typing import Any

from offchain.chain.event_decoder import Event
from offchain.demo.federated.scenario import FederatedScenario, ProofPlan
from offchain.demo.federated.stage import FederatedStage
from offchain.demo.ledger import read_conservation, read_events
from offchain.federated.game.state import Stage, Verdict
from offchain.federated.task_state import indices
from offchain.roles.context import WorkerEvent
from offchain.types import TaskId

COURT = "FederatedCourt"


def build_report(
    scenario: FederatedScenario,
    stage: FederatedStage,
    tasks: tuple[TaskId, ...],
    told: Sequence[WorkerEvent],
    elapsed_seconds: float,
) -> dict[str, Any]:
    """The document of `assay demo federated --json`: amounts in wei, gas in units, accounts by name."""
    client = stage.client
    events = read_events(client, stage.contracts)
    conservation = read_conservation(stage.contracts, events)
    names = {str(address): name for address, name in stage.names.items()}
    return {
        "chain": {"id": client.chain_id, "name": client.network.name, "blocks": client.head().number},
        "members": [
            {"name": member.name, "conduct": member.conduct.name.lower(), "stake": member.stake}
            for member in scenario.members
        ],
        "tasks": [
            _task(plan.title, task, events, told, names)
            | {"rule": plan.rule.id.name.lower(), "proven_samples": _proven_samples(plan.proofs)}
            for plan, task in zip(scenario.tasks, tasks, strict=True)
        ],
        "games": _games(events, names),
        "slashed": [
            {
                "account": names[event.arguments["account"]],
                "amount": event.arguments["amount"],
                "paid_to": names.get(event.arguments["beneficiary"], ""),
                "paid": event.arguments["paid"],
                "burned": event.arguments["burned"],
            }
            for event in events
            if event.name == "Slashed"
        ],
        "gas": _gas(told),
        "conservation": {
            "minted": conservation.minted,
            "burned": conservation.burned,
            "held": conservation.held,
            "held_by_contracts": conservation.contracts,
            "difference": conservation.difference,
        },
        "elapsed_seconds": round(elapsed_seconds, 1),
    }


def _task(
    title: str, task: TaskId, events: list[Event], told: Sequence[WorkerEvent], names: dict[str, str]
) -> dict[str, Any]:
    mine = [event for event in events if event.arguments.get("task") == task]
    members = {e.arguments["index"]: names[e.arguments["account"]] for e in mine if e.name == "Joined"}
    accuracy = {
        e.detail["number"]: e.detail["accuracy"]
        for e in told
        if e.oid is not None and int(e.oid) == task and "accuracy" in e.detail
    }
    rewards: dict[str, int] = defaultdict(int)
    for event in mine:
        if event.name == "RewardPaid":
            rewards[names[event.arguments["account"]]] += event.arguments["amount"]
    rounds = [_round(event, mine, members, accuracy) for event in mine if event.name in ("RoundFinal", "RoundFailed")]
    return {"task": task, "title": title, "rounds": rounds, "rewards": dict(rewards)}


def _round(event: Event, events: list[Event], members: dict[int, str], accuracy: dict[int, float]) -> dict[str, Any]:
    number = event.arguments["round"]

    def named(name: str) -> list[str]:
        found = (e.arguments for e in events if e.name == name and e.arguments["round"] == number)
        return [members[said["index"]] for said in found]

    final = event.name == "RoundFinal"
    counted = (e.arguments for e in events if e.name == "AccuracyCounted" and e.arguments["round"] == number)
    return {
        "round": number,
        "final": final,
        "leader": members[event.arguments["leader"]] if final else None,
        "included": [members[index] for index in indices(event.arguments["included"])] if final else [],
        "leaders_wrong": named("LeaderWrong"),
        "leaders_late": named("LeaderReplaced"),
        "dropped": named("Dropped"),
        "proven": {members[said["index"]]: said["correct"] if said["accepted"] else None for said in counted},
        "accuracy": accuracy.get(number),
    }


def _proven_samples(plan: ProofPlan | None) -> int:
    """Samples that each proves on in a round."""
    return 0 if plan is None else plan.samples * plan.draws


def _games(events: list[Event], names: dict[str, str]) -> list[dict[str, Any]]:
    """Every game about a posting, with the moves in order and what the contract computed."""
    games: dict[int, dict[str, Any]] = {}
    for event in events:
        said = event.arguments
        if event.contract != COURT or "id" not in said:
            continue
        game = games.setdefault(said["id"], {"game": said["id"], "moves": [], "computed": None, "verdict": None})
        if event.name == "Challenged":
            game |= {"task": said["task"], "challenger": names[said["challenger"]]}
        elif event.name == "Moved":
            game["moves"].append(Stage(said["next"]).name.lower())
        elif event.name in ("Computed", "Falsified"):
            game["computed"] = {"claimed": said["claimed"], "actual": said.get("computed", said.get("actual"))}
        elif event.name == "Closed":
            game["verdict"] = Verdict(said["verdict"]).name.lower()
    return list(games.values())


def _gas(told: Sequence[WorkerEvent]) -> list[dict[str, Any]]:
    by_action: dict[str, list[int]] = defaultdict(list)
    for event in told:
        if "gas" in event.detail:
            by_action[event.what].append(event.detail["gas"])
    return [
        {"action": action, "times": len(used), "median_gas": int(median(used)), "most": max(used)}
        for action, used in sorted(by_action.items())
    ]
