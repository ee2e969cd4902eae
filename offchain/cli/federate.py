"""`assay federate`: train one model together on data that nobody hands over. Here: the app, `create`."""

import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from offchain.cli import federate_prove, federate_run, federate_show, options
from offchain.cli.amounts import parse_tokens
from offchain.cli.federate_form import plan_privacy, read_allowed, read_form, read_participants, read_windows
from offchain.cli.output import console, errors, print_facts, print_json, tokens
from offchain.cli.session import load_settings, open_session, require_terminal, unlock
from offchain.types import Ppm

if TYPE_CHECKING:
    from offchain.roles.federated_client import PreparedTask, TaskRequest
    from offchain.storage.store import Store

app = typer.Typer(
    no_args_is_help=True,
    help=(
        "Train one model together on data that never leaves its owners. A client creates a task and escrows a reward "
        "for each round; participants join with a stake, train on their own data and are paid by what they "
        "contributed; whoever posts a wrong aggregate is proven wrong by a contract and loses its stake. "
        "docs/federate.md goes through it."
    ),
)

MODEL, MONEY, TIMES, TRAINING, PRIVACY = "Model and data", "Money", "Times of a round", "Training", "Privacy"

_OPTIONS = {"input_shape": "--features", "classes": "--classes", "units": "--classes", "preprocessing": "--range"}
"""Fields of manifests whose options have other names."""


@app.command()
def create(
    model: Annotated[
        str,
        typer.Option(
            "--model", rich_help_panel=MODEL, help="In a word: mlp:64-32, cnn:8-16, lstm:64 …; no batch normalisation."
        ),
    ],
    reward: Annotated[str, typer.Option("--reward", rich_help_panel=MONEY, help="Tokens for each round, in escrow.")],
    bond: Annotated[
        str, typer.Option("--bond", rich_help_panel=MONEY, help="Least stake of a participant, in tokens.")
    ],
    key: options.Key,
    like: Annotated[
        str | None,
        typer.Option(
            "--like",
            metavar="DATA",
            rich_help_panel=MODEL,
            help="A file, or sklearn:NAME, with samples of the right form: shape, classes and scaling are taken from "
            "it. The samples themselves go nowhere.",
        ),
    ] = None,
    features: Annotated[
        str | None,
        typer.Option("--features", rich_help_panel=MODEL, help="Without --like: 30 numbers a sample, or 8x8x1."),
    ] = None,
    classes: Annotated[
        str | None,
        typer.Option("--classes", rich_help_panel=MODEL, help="Without --like: how many, or names: benign,malignant."),
    ] = None,
    value_range: Annotated[
        str | None,
        typer.Option(
            "--range",
            metavar="LOW:HIGH",
            rich_help_panel=MODEL,
            help="Without --like: of all values. Without both each participant scales by its own data.",
        ),
    ] = None,
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="How many.")] = 10,
    participants: Annotated[
        str, typer.Option("--participants", metavar="LEAST:MOST", help="How many have to be in a round, and may join.")
    ] = "3:16",
    rule: Annotated[
        str,
        typer.Option(
            "--rule",
            help="mean, median, trimmed-mean:PART, clipped-mean:NORM, krum:HOSTILE or multi-krum:HOSTILE:MEAN; all but "
            "NORM are parts of the updates, 0.3 for three in ten.",
        ),
    ] = "trimmed-mean:0.2",
    optimizer: Annotated[
        str,
        typer.Option(
            "--optimizer",
            help="What the model does with the aggregate: fedavg:RATE, fedavgm:RATE:BETA or fedadam:RATE:B1:B2:TAU.",
        ),
    ] = "fedavg:1.0",
    secure: Annotated[
        int,
        typer.Option(
            "--secure",
            metavar="GROUP",
            min=0,
            help="Mask updates, so that only sums of groups of this size are seen; the rule then works on groups.",
        ),
    ] = 0,
    homomorphic: Annotated[
        bool,
        typer.Option(
            "--homomorphic",
            help="With --secure: encrypt updates instead of masking them; each group's are added by another group.",
        ),
    ] = False,
    title: Annotated[str | None, typer.Option("--title", help="What the task is called.")] = None,
    allow: Annotated[
        Path | None, typer.Option("--allow", help="A file with the addresses that may join, one a line.")
    ] = None,
    scale_bits: Annotated[
        int, typer.Option("--scale-bits", min=1, max=24, help="Fixed point of updates and model: 2^-BITS.")
    ] = 14,
    seed: Annotated[int | None, typer.Option("--seed", help="Of the first model; random by default.")] = None,
    leader_share: Annotated[
        float, typer.Option("--leader-share", min=0, max=0.5, rich_help_panel=MONEY, help="Of a round's reward.")
    ] = 0.05,
    join: Annotated[str, typer.Option("--join", rich_help_panel=TIMES, help="To join; 600, 10m or 2h.")] = "10m",
    commit: Annotated[str, typer.Option("--commit", rich_help_panel=TIMES, help="To train and commit.")] = "10m",
    reveal: Annotated[str, typer.Option("--reveal", rich_help_panel=TIMES, help="To publish updates.")] = "5m",
    request: Annotated[str, typer.Option("--request", rich_help_panel=TIMES, help="To say what is missing.")] = "2m",
    answer: Annotated[str, typer.Option("--answer", rich_help_panel=TIMES, help="To post what is missing.")] = "5m",
    aggregate: Annotated[str, typer.Option("--aggregate", rich_help_panel=TIMES, help="For each leader.")] = "5m",
    challenge: Annotated[str, typer.Option("--challenge", rich_help_panel=TIMES, help="To object to it.")] = "10m",
    move: Annotated[str, typer.Option("--move", rich_help_panel=TIMES, help="For a move of a game.")] = "5m",
    mask: Annotated[
        str, typer.Option("--mask", rich_help_panel=TIMES, help="With --secure: for keys, shares and unmasking each.")
    ] = "5m",
    epochs: Annotated[int, typer.Option("--epochs", min=1, rich_help_panel=TRAINING, help="Of a round.")] = 2,
    batch_size: Annotated[int, typer.Option("--batch-size", min=1, rich_help_panel=TRAINING, help="Samples.")] = 16,
    learning_rate: Annotated[
        float, typer.Option("--learning-rate", min=0, rich_help_panel=TRAINING, help="Of the participants' SGD.")
    ] = 0.1,
    momentum: Annotated[
        float, typer.Option("--momentum", min=0, max=0.999, rich_help_panel=TRAINING, help="0 to 1.")
    ] = 0,
    memory: Annotated[
        float,
        typer.Option(
            "--memory", min=0, max=0.999, rich_help_panel=TRAINING, help="Part of the last update in this one."
        ),
    ] = 0,
    proximal: Annotated[
        float, typer.Option("--proximal", min=0, rich_help_panel=TRAINING, help="FedProx's pull to the round's model.")
    ] = 0,
    epsilon: Annotated[
        float | None,
        typer.Option("--epsilon", min=0, rich_help_panel=PRIVACY, help="Differential privacy over all rounds."),
    ] = None,
    delta: Annotated[float, typer.Option("--delta", rich_help_panel=PRIVACY, help="With --epsilon.")] = 1e-5,
    sample_rate: Annotated[
        float, typer.Option("--sample-rate", min=0, max=1, rich_help_panel=PRIVACY, help="Of a step of DP-SGD.")
    ] = 0.1,
    clip_norm: Annotated[
        float,
        typer.Option(
            "--clip-norm", min=0, rich_help_panel=PRIVACY, help="Of an example's gradient; with --secure of an update."
        ),
    ] = 1.0,
    gradient_rate: Annotated[
        float | None,
        typer.Option(
            "--gradient-rate",
            min=0,
            rich_help_panel=PRIVACY,
            help="With --secure: protect examples, by one clipped gradient a round; a step is so many times their sum.",
        ),
    ] = None,
    prove: federate_prove.Prove = None,
    minimum: federate_prove.Minimum = 0.6,
    baseline: federate_prove.Baseline = 0.5,
    chunk: federate_prove.Chunk = 64,
    draws: federate_prove.Draws = 1,
    prove_time: federate_prove.ProveTime = "10m",
    system: federate_prove.System = "ultrahonk",
    home: options.Home = None,
    rpc: options.Rpc = None,
    store: options.Store = None,
    chain_id: options.ChainId = None,
    password_file: options.PasswordFile = None,
    yes: options.Yes = False,
    as_json: options.Json = False,
) -> None:
    """Create a task: publish what is to be trained, and escrow the reward of all rounds.

    Nobody needs to wait for it: every step of a round can be driven by any account. `assay federate status TASK` shows
    how far it is, `assay federate get TASK` fetches the model after any round.
    """
    from offchain.federated.manifest import LocalTerms, SecureMethod
    from offchain.federated.shorthand import parse_optimizer, parse_rule
    from offchain.federated.terms import Mode
    from offchain.model.shorthand import spec_from_shorthand
    from offchain.roles.federated_accuracy import publish_verifier
    from offchain.roles.federated_client import TaskRequest, create_task

    if not yes:
        require_terminal("your consent", "add --yes")
    _require_secure(secure, homomorphic, gradient_rate is not None, epsilon is not None)
    shape, names, preprocessing = read_form(like, features, classes, value_range)
    lengths = (join, mask, mask, commit, reveal, request, answer, mask, aggregate, challenge, move)
    least, most = read_participants(participants)
    with _explained():
        asked = TaskRequest(
            title=title or f"{model} for {len(names)} classes",
            spec=spec_from_shorthand(model, input_shape=shape, outputs=len(names), batch_norm=False),
            classes=names,
            rounds=rounds,
            reward=parse_tokens(reward, "--reward"),
            bond=parse_tokens(bond, "--bond"),
            windows=read_windows(lengths, secure=secure > 0, prove=prove_time if prove else None, draws=draws),
            preprocessing=preprocessing,
            local=LocalTerms(
                epochs=epochs,
                batch_size=batch_size,
                learning_rate=learning_rate,
                momentum=float(momentum),
                memory=float(memory),
                proximal=float(proximal),
            ),
            secure_method=SecureMethod.HOMOMORPHIC if homomorphic else SecureMethod.MASKING,
            mode=Mode.SECURE if secure else Mode.PLAIN,
            group_size=secure,
            minimum_participants=least,
            maximum_participants=most,
            rule=parse_rule(rule, scale_bits=scale_bits),
            optimizer=parse_optimizer(optimizer, scale_bits=scale_bits),
            scale_bits=scale_bits,
            leader_share_ppm=Ppm(round(leader_share * 1_000_000)),
            allowed=read_allowed(allow),
            seed=secrets.randbits(32) if seed is None else seed,
        )
        if epsilon is not None:
            asked = replace(asked, privacy=plan_privacy(asked, epsilon, delta, sample_rate, clip_norm, gradient_rate))
    settings = load_settings(home=home, rpc=rpc, store=store, password_file=password_file)
    session = open_session(settings, chain_id)
    if prove is not None:
        shares, cut = (minimum, baseline), (chunk, draws)
        accuracy = federate_prove.ask_for_proofs(settings, session.client, prove, shares, cut, system)
        asked = replace(asked, accuracy=accuracy)
    account = unlock(settings, key)
    with session.store() as place:
        with errors.status("making the first model" if prove is None else "making first model, circuit and verifier"):
            prepared = _prepared(place, asked)
        if not as_json:
            print_facts(_facts(asked, prepared, rule), title="The task", as_json=False)
            if prepared.accuracy is not None:
                federate_prove.show_proofs(prepared.accuracy, chunk)
        if not yes and not typer.confirm("Create it?"):
            console.print("Nothing has been sent.")
            raise typer.Exit
        with closing(session.sender(account)) as sender, errors.status("escrowing the rewards"):
            if prepared.accuracy is not None:
                publish_verifier(session.contracts, sender, prepared.accuracy.verifier)
            task = create_task(session.contracts, sender, prepared.terms, intent=secrets.token_hex(8))
    if as_json:
        print_json({"task": task, "parameters": prepared.terms.dimension, "escrow": str(prepared.terms.escrow)})
    else:
        console.print(
            f"Task [bold]{task}[/bold] is open for participants; see [bold]assay federate status {task}[/bold]."
        )


def _require_secure(secure: int, homomorphic: bool, by_gradient: bool, private: bool) -> None:
    if by_gradient and not (secure and private):
        raise typer.BadParameter("--gradient-rate is for --secure with --epsilon; give both")
    if homomorphic and not secure:
        raise typer.BadParameter("--homomorphic is how groups sum; give the size of a group with --secure")


def _prepared(place: "Store", asked: "TaskRequest") -> "PreparedTask":
    from offchain.roles.federated_client import prepare_task

    with _explained():
        return prepare_task(place, asked)


@contextmanager
def _explained() -> Iterator[None]:
    """Turns what a manifest does not take into a refusal that names the option."""
    from pydantic import ValidationError

    try:
        yield
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        names = [str(part) for part in first["loc"]]
        field = next((name for name in reversed(names) if name in _OPTIONS), names[0] if names else "")
        option = _OPTIONS.get(field, f"--{field.replace('_', '-')}") + ": " if field else ""
        message = first["msg"].removeprefix("Value error, ")
        raise typer.BadParameter(f"{option}{message[:1].lower()}{message[1:]}") from None


def _facts(asked: "TaskRequest", prepared: "PreparedTask", rule: str) -> dict[str, Any]:
    terms = prepared.terms
    facts: dict[str, Any] = {
        "title": asked.title,
        "parameters": terms.dimension,
        "classes": ", ".join(asked.classes[:8]) + (" …" if len(asked.classes) > 8 else ""),
        "rounds": terms.rounds,
        "participants": f"{terms.minimum_participants} to {terms.maximum_participants}",
        "rule": rule,
        "escrow": f"{tokens(terms.escrow)} tokens, {tokens(terms.reward)} a round",
        "stake": f"{tokens(terms.bond)} tokens at least",
    }
    if asked.privacy is not None:
        facts["privacy"] = (
            f"epsilon {asked.privacy.epsilon:g}, delta {asked.privacy.delta:g} ({asked.privacy.mechanism})"
        )
    return facts


app.command("join")(federate_run.join)
app.command("run")(federate_run.run)
app.command("status")(federate_show.status)
app.command("get")(federate_show.get)
app.command("claim")(federate_run.claim)
app.command("cancel")(federate_run.cancel)
app.command("withdraw")(federate_run.withdraw)
