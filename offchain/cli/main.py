"""`assay`: the entry point. Gathers the commands and turns errors into one line and exit code 2."""

import sys

import typer
from rich.text import Text

from offchain.cli import bench, demo, deploy, devnet, doctor, get, keys, orders, put, rewards, stake, workers
from offchain.cli.output import errors
from offchain.errors import AssayError

app = typer.Typer(
    name="assay",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help=(
        "A decentralised training network: clients escrow a reward for a model, service providers compete to train it, "
        "validators score it, aggregators pay.\n\n"
        "Start with [bold]assay demo[/bold]. To do it by hand: [bold]assay devnet[/bold] in one terminal, then "
        "[bold]assay deploy[/bold], [bold]assay keys dev[/bold], and each role in a terminal of its own."
    ),
)

START, CLIENT, ROLES, TOOLS = "Start here", "As a client", "As a worker", "Tools"

app.command("demo", rich_help_panel=START)(demo.demo)
app.command("doctor", rich_help_panel=START)(doctor.doctor)
app.command("devnet", rich_help_panel=START)(devnet.devnet)
app.command("deploy", rich_help_panel=START)(deploy.deploy)
app.add_typer(keys.app, name="keys", rich_help_panel=START)

app.command("put", rich_help_panel=CLIENT)(put.put)
app.command("cancel", rich_help_panel=CLIENT)(put.cancel)
app.command("orders", rich_help_panel=CLIENT)(orders.orders)
app.command("show", rich_help_panel=CLIENT)(orders.show)
app.command("get", rich_help_panel=CLIENT)(get.get)

app.add_typer(stake.app, name="stake", rich_help_panel=ROLES)
for role in workers.ROLES:
    app.add_typer(workers.role_app(role), name=role, rich_help_panel=ROLES)
app.command("claim-rewards", rich_help_panel=ROLES)(rewards.claim_rewards)

app.add_typer(bench.app, name="bench", rich_help_panel=TOOLS)


def run() -> None:
    """Run the command line; the process ends with 0, 2 (bad input, or a world not ready) or 130 (interrupted)."""
    try:
        app()
    except AssayError as error:
        errors.print(Text.assemble(("error: ", "bold red"), str(error)), soft_wrap=True)
        sys.exit(2)
    except KeyboardInterrupt:
        errors.print("stopped")
        sys.exit(130)
