"""The demonstration's result as tables."""

from collections import defaultdict
from typing import Any

from rich.console import Console

from offchain.cli.output import rows_table, tokens
from offchain.protocol.scores import PPM


def print_report(report: dict[str, Any], console: Console) -> None:
    """Shows the document to people."""
    names = report["names"]
    for order in report["orders"]:
        rows = [
            {
                "provider": names[provider],
                "score": f"{score_ppm / PPM:.2%}",
                "": "winner" if provider == order["winner"] else "",
            }
            for provider, score_ppm in sorted(order["scores_ppm"].items(), key=lambda item: -item[1])
        ]
        console.print(f"\n[italic]Order {order['order_id']}: {order['title']} ({order['outcome']})[/italic]")
        if rows:
            console.print(rows_table(rows, None))
        if order["winner"]:
            console.print(
                f"The downloaded, verified model on {order['held_out_samples']} held-out samples: "
                f"[bold]{order['integer_accuracy']:.2%}[/bold] as integers, {order['float_accuracy']:.2%} as floats"
            )
    _print_disputes(report, console)
    _print_aggregators(report, console)
    console.print(rows_table(_earnings(report), "\nWho earned what (tokens)"))
    gas = [{"action": action, **figures} for action, figures in report["gas"].items()]
    console.print(rows_table(gas, "\nGas by action"))
    books = report["conservation"]
    console.print(
        f"\nminted {tokens(books['minted'])} = burned {tokens(books['burned'])} + held {tokens(books['held'])}; "
        f"difference {books['difference']} wei. {report['elapsed_seconds']} s in all."
    )


def _print_disputes(report: dict[str, Any], console: Console) -> None:
    """One row for each, and one of them move by move."""
    names, disputes = report["names"], report["disputes"]
    if not disputes:
        return
    rows = [
        {
            "order": item["order_id"],
            "model": item["model"],
            "against": names.get(item["defendant"], item["defendant"]),
            "said": item["score"],
            "by": names.get(item["challenger"], item["challenger"]),
            "says": "" if item["counter"] is None else item["counter"],
            "verdict": item["verdict"] + (", by the clock" if item["timed_out"] else ""),
            "won": tokens(item["paid"]),
            "burned": tokens(item["burned"]),
            "gas": f"{item['gas']:,}",
        }
        for item in disputes
    ]
    console.print(rows_table(rows, "\nDisputes (scores in samples, amounts in tokens)"))
    computed = [item for item in disputes if any(move["move"] == "Computed" for move in item["moves"])]
    if computed:
        moves = [
            {"who": move["side"] or "contract", "what": move["text"], "gas": f"{move['gas']:,}" if move["gas"] else ""}
            for move in computed[0]["moves"]
        ]
        console.print(rows_table(moves, f"\nDispute {computed[0]['id']}, move by move"))


def _print_aggregators(report: dict[str, Any], console: Console) -> None:
    """Who ran as which process, and who was killed."""
    part = report["aggregators"]
    rows = [
        {
            "aggregator": item["name"],
            "process": life["process"],
            "transactions": life["transactions"],
            "roots signed": life["roots_signed"],
            "end": _ENDS.get(life["status"], f"status {life['status']}"),
        }
        for item in part["processes"]
        for life in item["lives"]
    ]
    console.print(rows_table(rows, "\nThe aggregators' processes"))
    killed = part["killed"]
    if killed is not None:
        console.print(
            f"{killed['name']} (process {killed['process']}) was killed after the first event {killed['after']!r} and "
            f"started again {killed['down_seconds']} s later."
        )
    names = report["names"]
    for slash in part["slashed"]:
        console.print(
            f"{names[slash['account']]} had the ledger order {part['lies']['propose-false-root']} false roots, which "
            f"nobody signed, signed two under one number, and lost {tokens(slash['amount'])} tokens for that."
        )
    _print_roots(part, names, console)


def _print_roots(part: dict[str, Any], names: dict[str, str], console: Console) -> None:
    """What each root paid, and what was pulled."""
    if not part["roots"]:
        return
    rows = [
        {
            "cycle": root["cycle"],
            "orders paid": ", ".join(map(str, root["orders"])),
            "accounts": root["accounts"],
            "signatures": root["signatures"],
            "gas": root["gas"],
        }
        for root in part["roots"]
    ]
    console.print(rows_table(rows, "\nRewards by root: one transaction each, refuted: " + str(part["refuted"])))
    rows = [
        {
            "who": names[claim["account"]],
            "tokens": tokens(claim["amount"]),
            "cycle": claim["cycle"],
            "gas": claim["gas"],
        }
        for claim in part["claims"]
    ]
    if rows:
        console.print(rows_table(rows, "\nPulled with a proof"))


_ENDS = {0: "in order", 137: "killed"}


def _earnings(report: dict[str, Any]) -> list[dict[str, Any]]:
    slashed: dict[str, int] = defaultdict(int)
    for slash in report["slashed"]:
        slashed[slash["account"]] += slash["amount"]
    accounts = [*dict.fromkeys([*report["earned"], *report["bounties"], *slashed])]
    rows = [
        {
            "who": report["names"].get(account, account),
            "rewards": tokens(report["earned"].get(account, 0)),
            "for proof of faults": tokens(report["bounties"].get(account, 0)),
            "slashed": tokens(-slashed[account]),
        }
        for account in accounts
    ]
    order = list(report["names"].values())
    return sorted(rows, key=lambda row: order.index(row["who"]) if row["who"] in order else len(order))
