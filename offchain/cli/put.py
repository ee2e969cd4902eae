"""`assay put` and `assay cancel`: a client's orders."""

import secrets
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from offchain.cli import options
from offchain.cli.amounts import parse_tokens
from offchain.cli.durations import parse_duration
from offchain.cli.output import console, errors, print_facts, print_json, tokens
from offchain.cli.session import Session, load_settings, open_session, require_terminal, unlock
from offchain.types import OrderId

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from offchain.roles.prepare import ClientDesk, OrderRequest, PreparedOrder

DATA, MODEL, TIMES, LIMITS = "Data", "Model", "Times, one after the other", "Limits"

HAND_OVER_SECONDS = 60.0
"""How long a running `client run` may take to put an order that it is handed."""


def put(
    train: Annotated[
        str,
        typer.Option(
            "--train",
            rich_help_panel=DATA,
            help="Training data: CSV, Parquet, NPZ, MNIST idx images, CIFAR-10 batches, or a scikit-learn set by name.",
        ),
    ],
    reward: Annotated[str, typer.Option("--reward", help="Reward in tokens, held in escrow.")],
    key: options.Key,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            rich_help_panel=MODEL,
            help="In a word: mlp:64-32, cnn:8-16, resnet:16-32, lstm:64, gru:64, embedding:8+lstm:64.",
        ),
    ] = None,
    spec: Annotated[
        Path | None, typer.Option("--spec", rich_help_panel=MODEL, help="Or a JSON file that describes the layers.")
    ] = None,
    label: Annotated[
        str | None,
        typer.Option("--label", rich_help_panel=DATA, help="Label column of a table, or labels file of idx images."),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option("--task", rich_help_panel=DATA, help="classification or regression, when the guess is wrong."),
    ] = None,
    test: Annotated[
        str | None,
        typer.Option("--test", rich_help_panel=DATA, help="Test data, kept secret until models are revealed."),
    ] = None,
    test_label: Annotated[
        str | None, typer.Option("--test-label", rich_help_panel=DATA, help="Labels file of --test, if it has one.")
    ] = None,
    test_fraction: Annotated[
        float, typer.Option("--test-fraction", rich_help_panel=DATA, help="Without --test: the part to split off.")
    ] = 0.2,
    text: Annotated[
        str | None,
        typer.Option("--text", rich_help_panel=DATA, help="Column of text: its bytes are the samples, as tokens."),
    ] = None,
    text_length: Annotated[
        int, typer.Option("--text-length", rich_help_panel=DATA, help="With --text: tokens a sample.", min=1, max=4096)
    ] = 32,
    score: Annotated[
        str | None,
        typer.Option("--score", help="accuracy, top3, top5 or cross-entropy; mae or mse. By default accuracy or mae."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", rich_help_panel=DATA, help="Of the split; secret and random by default.")
    ] = None,
    title: Annotated[str | None, typer.Option("--title", help="What the order is called.")] = None,
    train_seconds: Annotated[
        str, typer.Option("--train-seconds", rich_help_panel=TIMES, help="To train and claim; 600, 10m or 2h.")
    ] = "10m",
    reveal_seconds: Annotated[
        str, typer.Option("--reveal-seconds", rich_help_panel=TIMES, help="Then to reveal models and test data.")
    ] = "2m",
    validate_seconds: Annotated[
        str, typer.Option("--validate-seconds", rich_help_panel=TIMES, help="Then to score, half of it to commit.")
    ] = "4m",
    challenge_seconds: Annotated[
        str, typer.Option("--challenge-seconds", rich_help_panel=TIMES, help="Then to dispute, before it is sealed.")
    ] = "2m",
    min_validators: Annotated[
        int, typer.Option("--min-validators", rich_help_panel=LIMITS, help="Agreeing validators a model needs.")
    ] = 2,
    minimum_score: Annotated[
        float | None,
        typer.Option(
            "--minimum-score",
            rich_help_panel=LIMITS,
            help="Least share of hits (0 to 1), or largest mean error (in label units, squared for mse, in bits for "
            "cross-entropy), that can win.",
        ),
    ] = None,
    max_model_bytes: Annotated[
        int | None,
        typer.Option(
            "--max-model-bytes", rich_help_panel=LIMITS, help="Largest model file; the protocol's by default."
        ),
    ] = None,
    max_tensor_bytes: Annotated[
        int | None,
        typer.Option("--max-tensor-bytes", rich_help_panel=LIMITS, help="Largest tensor within; likewise."),
    ] = None,
    home: options.Home = None,
    rpc: options.Rpc = None,
    store: options.Store = None,
    chain_id: options.ChainId = None,
    password_file: options.PasswordFile = None,
    yes: options.Yes = False,
    as_json: options.Json = False,
) -> None:
    """Order a model: escrow a reward, and let providers compete to train on your data.

    The test set stays here until the models are revealed. Keep `assay client
    run` running, which releases it then: without it the providers share your
    reward.
    """
    from offchain.roles.order_form import OrderForm, check_form, read_form
    from offchain.roles.prepare import ClientDesk, prepare_order

    form = OrderForm(
        train=train,
        reward=parse_tokens(reward, "--reward"),
        train_seconds=parse_duration(train_seconds, "--train-seconds"),
        reveal_seconds=parse_duration(reveal_seconds, "--reveal-seconds"),
        validate_seconds=parse_duration(validate_seconds, "--validate-seconds"),
        challenge_seconds=parse_duration(challenge_seconds, "--challenge-seconds"),
        model=model,
        spec=spec,
        label=label,
        task=task,
        test=test,
        test_label=test_label,
        test_fraction=test_fraction,
        text=text,
        text_length=text_length,
        score=score,
        seed=seed,
        title=title,
        min_validators=min_validators,
        minimum_score=minimum_score,
        max_model_bytes=max_model_bytes,
        max_tensor_bytes=max_tensor_bytes,
    )
    check_form(form)
    if not yes:
        require_terminal("your consent", "add --yes")
    request = read_form(form, secrets.randbits)
    settings = load_settings(home=home, rpc=rpc, store=store, password_file=password_file)
    session = open_session(settings, chain_id)
    account = unlock(settings, key)
    with session.store() as place, session.journal("client", account.address) as journal:
        desk = ClientDesk(session.contracts, account.address, place, journal)
        with errors.status("quantising and storing the data"):
            prepared = prepare_order(desk, request, archive=session.archive())
        facts = _estimate(session, account, request, prepared)
        if not as_json:
            print_facts(facts, title="The order", as_json=False)
        if not yes and not typer.confirm("Put it?"):
            console.print("Nothing has been sent.")
            raise typer.Exit
        with errors.status("escrowing the reward"):
            oid = _place(session, account, desk, prepared)
    if as_json:
        print_json({"order_id": oid, "manifest": _manifest_cid(prepared)})
    else:
        console.print(f"Order [bold]{oid}[/bold] is open. Keep [bold]assay client run --key {key}[/bold] running.")


def _place(session: Session, account: "LocalAccount", desk: "ClientDesk", prepared: "PreparedOrder") -> OrderId:
    """Puts the order, or leaves it to the `client run` that has the key."""
    from offchain.chain.journal import KeyInUse
    from offchain.roles.client import hand_over, put_order
    from offchain.roles.context import RoleContext

    try:
        sender = session.sender(account)
    except KeyInUse:
        return hand_over(session.contracts, desk.journal, prepared, seconds=HAND_OVER_SECONDS)
    with closing(sender):
        return put_order(RoleContext(session.client, session.contracts, sender, desk.store, desk.journal), prepared)


def cancel(
    oid: options.Oid,
    key: options.Key,
    home: options.Home = None,
    rpc: options.Rpc = None,
    chain_id: options.ChainId = None,
    password_file: options.PasswordFile = None,
) -> None:
    """Take an order back, and the escrow with it, while nobody has claimed."""
    from offchain.roles.client import require_cancellable

    settings = load_settings(home=home, rpc=rpc, password_file=password_file)
    session = open_session(settings, chain_id)
    order = session.contracts.order(session.order(oid))
    account = unlock(settings, key)
    require_cancellable(session.contracts, OrderId(oid), account.address)
    with closing(session.sender(account)) as sender:
        sender.send(f"cancel:{oid}", session.contracts.book.functions.cancel(oid))
    console.print(f"Order {oid} is cancelled; {tokens(order.terms.reward)} tokens are back")


def _estimate(
    session: Session, account: "LocalAccount", request: "OrderRequest", prepared: "PreparedOrder"
) -> dict[str, Any]:
    """What is about to be spent; the gas is measured by the node."""
    from offchain.roles.estimate import estimate_put

    estimate = estimate_put(session.contracts, account, prepared.terms)
    return {
        "title": request.title,
        "training samples": len(prepared.train),
        "test samples": len(prepared.test),
        "weights": request.spec.weight_count,
        "scored by": request.scored_by.name.lower().replace("_", " "),
        "reward": f"{tokens(request.reward)} tokens, held in escrow",
        "gas": estimate.gas,
        "cost of gas": f"{estimate.cost / 10**18:.6f} coins at most",
    }


def _manifest_cid(prepared: "PreparedOrder") -> str:
    from offchain.storage.cid import Cid

    return str(Cid(prepared.terms.manifest_cid))
