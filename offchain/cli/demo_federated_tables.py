"""The report of `assay demo federated` as tables."""

from typing import Any

from rich.console import Console

from offchain.cli.output import rows_table, tokens


def print_report(report: dict[str, Any], console: Console) -> None:
    """Shows what `offchain.demo.federated.report` has built to people."""
    conduct = {member["name"]: member["conduct"].replace("_", " ") for member in report["members"]}
    for task in report["tasks"]:
        title = f"\nTask {task['task']}: {task['title']}, rule {task['rule'].replace('_', '-')}"
        console.print(rows_table([_round(item) for item in task["rounds"]], title))
        if task["proven_samples"]:
            title = f"\nProven right, of {task['proven_samples']} samples drawn (task {task['task']})"
            console.print(rows_table(_proven(task, conduct), title))
        rewards = [
            {"participant": name, "conduct": kind, "tokens": tokens(task["rewards"].get(name, 0))}
            for name, kind in conduct.items()
        ]
        console.print(rows_table(rewards, f"\nRewards of task {task['task']}"))
    if report["games"]:
        console.print(rows_table([_game(item) for item in report["games"]], "\nGames about postings"))
    if report["slashed"]:
        amounts = ("amount", "paid", "burned")
        rows = [item | {name: tokens(item[name]) for name in amounts} for item in report["slashed"]]
        console.print(rows_table(rows, "\nSlashed (tokens)"))
    console.print(rows_table(report["gas"], "\nGas by action"))
    books = report["conservation"]
    console.print(
        f"\nminted {tokens(books['minted'])} = burned {tokens(books['burned'])} + held {tokens(books['held'])}; "
        f"difference {books['difference']} wei. {report['elapsed_seconds']} s in all."
    )


def _round(item: dict[str, Any]) -> dict[str, Any]:
    return {
        "round": item["round"],
        "leader": item["leader"] or "failed",
        "included": len(item["included"]),
        "accuracy": "" if item["accuracy"] is None else f"{item['accuracy']:.1%}",
        "proven wrong": ", ".join(item["leaders_wrong"]),
        "late": ", ".join(item["leaders_late"]),
        "dropped": ", ".join(item["dropped"]),
    }


def _proven(task: dict[str, Any], conduct: dict[str, str]) -> list[dict[str, Any]]:
    """A row for each participant, a column for each round; the leader's number has a star."""

    def cell(item: dict[str, Any], name: str) -> str:
        correct = item["proven"].get(name)
        return "not proven" if correct is None else f"{correct}{' *' if item['leader'] == name else ''}"

    return [
        {"participant": name, "conduct": kind}
        | {f"round {item['round']} (* leads)": cell(item, name) for item in task["rounds"]}
        for name, kind in conduct.items()
    ]


def _game(item: dict[str, Any]) -> dict[str, Any]:
    computed = item["computed"] or {"claimed": "", "actual": ""}
    return {
        "game": item["game"],
        "task": item["task"],
        "challenger": item["challenger"],
        "moves": len(item["moves"]),
        "leader says": _numbers(computed["claimed"]),
        "contract computed": _numbers(computed["actual"]),
        "verdict": (item["verdict"] or "").replace("_", " "),
    }


def _numbers(values: Any) -> str:
    return ", ".join(str(value) for value in values) if isinstance(values, list | tuple) else str(values)
