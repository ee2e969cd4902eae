"""`assay challenge`: hold a validator's scores against the truth, and have what is false proven so."""

from typing import TYPE_CHECKING, Annotated

import typer

from offchain.cli import options
from offchain.cli.disputes import print_disputes
from offchain.cli.output import console, errors, print_json, print_rows
from offchain.cli.session import Session, load_settings, open_context, open_session, unlock

if TYPE_CHECKING:
    from offchain.roles.challenge import Judgement
    from offchain.roles.context import RoleContext
    from offchain.types import OrderId


def challenge(
    oid: options.Oid,
    validator: Annotated[str, typer.Argument(metavar="VALIDATOR", help="Whose score: a key of yours or an address.")],
    key: options.Key,
    model: Annotated[
        int | None, typer.Option("--model", help="Index of the model; by default the first false score.", min=0)
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Challenge --model's score even if it is true, and lose the stake then.")
    ] = False,
    take_place: Annotated[
        bool, typer.Option("--take-place", help="Put the true score in its place, your stake behind it until the seal.")
    ] = False,
    play: Annotated[bool, typer.Option("--play", help="Play the dispute to its end before returning.")] = False,
    home: options.Home = None,
    rpc: options.Rpc = None,
    store: options.Store = None,
    chain_id: options.ChainId = None,
    password_file: options.PasswordFile = None,
    as_json: options.Json = False,
) -> None:
    """Score the models anew; open a dispute if VALIDATOR's score of one is false. Locks part of a verifier bond."""
    from offchain.errors import Rejected
    from offchain.roles.challenge import judge, open_challenge, view_order

    if force and model is None:
        raise typer.BadParameter("--force: say which score, with --model")
    session = open_session(load_settings(home=home, rpc=rpc, store=store, password_file=password_file), chain_id)
    order, accused = session.order(oid), session.account_called(validator, "VALIDATOR")
    account = unlock(session.settings, key)
    with open_context(session, account, "verifier") as context:
        view = view_order(context.contracts, order)
        with errors.status("fetching and scoring the models"):
            judged = judge(context, view, accused, model)
        if not as_json:
            print_rows([_row(item) for item in judged], title=f"Scores of {validator}", as_json=False)
        chosen = next((item for item in judged if item.is_false or force), None)
        if chosen is None:
            scores = "the score is" if model is not None else "all scores are"
            raise Rejected(f"VALIDATOR {validator}: {scores} true; a challenge would lose its stake")
        with errors.status("opening the dispute"):
            number = open_challenge(context, view, chosen, take_place=take_place)
        if not as_json:
            console.print(
                f"dispute {number} is open: model {chosen.validation.model_index} scores {chosen.true}", highlight=False
            )
        if play:
            with errors.status("playing; the other side has its time for each move"):
                _play(context, order, number)
        elif not as_json:
            console.print(f"play it with `assay verifier run --key {key}`; `assay disputes --id {number}` shows it")
        _report(session, number, chosen, as_json)


def _row(item: "Judgement") -> dict[str, object]:
    said = item.validation
    return {"model": said.model_index, "said": said.score, "true": item.true, "": "false" if item.is_false else ""}


def _play(context: "RoleContext", order: "OrderId", number: int) -> None:
    """Moves until the dispute is decided."""
    from offchain.errors import Retryable
    from offchain.roles.challenge import DisputePlayer

    player = DisputePlayer(context, order, number)
    try:
        while True:
            try:
                busy = player.tick()
            except Retryable as error:
                console.print(f"{error}; trying again", style="yellow")
                busy = False
            if player.is_done and not busy:
                return
            context.sleep(context.client.network.poll_seconds)
    finally:
        player.close()


def _report(session: Session, number: int, chosen: "Judgement", as_json: bool) -> None:
    from offchain.chain.court import Court
    from offchain.roles.dispute_summary import summarise_disputes

    found = summarise_disputes(Court(session.contracts), number=number)
    if as_json:
        print_json(found[0].to_json() | {"true_score": chosen.true})
    else:
        print_disputes(session, found, moves=True)
