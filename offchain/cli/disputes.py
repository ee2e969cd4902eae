"""`assay disputes`: what is disputed, and every move of it in words."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from offchain.cli import options
from offchain.cli.durations import countdown
from offchain.cli.output import console, print_json, print_rows, rows_table, short, tokens
from offchain.cli.session import Session, key_names, load_settings, open_session

if TYPE_CHECKING:
    from offchain.roles.dispute_summary import DisputeSummary, MoveSummary
    from offchain.types import Seconds


def disputes(
    oid: Annotated[int | None, typer.Option("--oid", help="Only disputes about scores of this order.", min=1)] = None,
    number: Annotated[int | None, typer.Option("--id", help="Only this dispute, move by move.", min=1)] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", help="The latest so many.", min=1)] = 20,
    home: options.Home = None,
    rpc: options.Rpc = None,
    chain_id: options.ChainId = None,
    as_json: options.Json = False,
) -> None:
    """List disputes about scores: who says what, whose turn it is, how it ended."""
    from offchain.chain.court import Court
    from offchain.errors import Rejected
    from offchain.roles.dispute_summary import summarise_disputes

    session = open_session(load_settings(home=home, rpc=rpc), chain_id)
    only = None if oid is None else session.order(oid)
    found = summarise_disputes(Court(session.contracts), oid=only, number=number, latest=limit)
    if number is not None and not found:
        raise Rejected(f"--id {number}: no such dispute; `assay disputes` lists them")
    if as_json:
        print_json([item.to_json() for item in found])
        return
    print_disputes(session, found, moves=number is not None)


def print_disputes(session: Session, found: "list[DisputeSummary]", *, moves: bool) -> None:
    """A table of the disputes; with `moves`, each of them move by move."""
    names, now = key_names(session.settings), session.client.now()

    def name(address: str) -> str:
        return names.get(address, short(address))  # type: ignore[call-overload, no-any-return]

    rows = [
        {
            "ID": item.id,
            "OID": item.oid,
            "model": item.model_index,
            "score": item.score,
            "defendant": name(item.defendant),
            "challenger": name(item.challenger),
            "state": _standing(item, now),
        }
        for item in found
    ]
    print_rows(rows, title="Disputes", as_json=False, empty="none")
    if moves:
        for item in found:
            console.print(rows_table([_row(move) for move in item.moves], f"Dispute {item.id}, move by move"))
            if item.winner is not None:
                paid = f"{tokens(item.paid)} tokens to {name(item.winner)}, {tokens(item.burned)} burned"
                console.print(f"{item.verdict.name.lower()}: {paid}", highlight=False)


def _standing(item: "DisputeSummary", now: "Seconds") -> str:
    if item.on_turn is None:
        return item.verdict.name.lower() + (", by the clock" if item.timed_out else "")
    return f"{item.on_turn.name.lower()}'s turn, {countdown(item.deadline - now)} left"


def _row(move: "MoveSummary") -> dict[str, Any]:
    who = "" if move.side is None else move.side.name.lower()
    return {"who": who, "what": move.text, "gas": move.gas or None}
