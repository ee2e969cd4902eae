"""`assay`: the entry point. Gathers the commands and turns errors into one line and exit code 2."""

import atexit
import gc
import os
import sys
from importlib import metadata
from typing import Annotated, Any

import typer
from rich.text import Text

from offchain.cli import (
    backup,
    bench,
    ceremony,
    challenge,
    demo,
    deploy,
    devnet,
    disputes,
    doctor,
    explorer,
    federate,
    get,
    keys,
    ledger,
    orders,
    parameters,
    private,
    prove,
    prove_train,
    put,
    report,
    request_data,
    rewards,
    stake,
    verification,
    workers,
)
from offchain.cli.output import console, errors, printable
from offchain.errors import AssayError

app = typer.Typer(
    name="assay",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help=(
        "A decentralised training network: clients escrow a reward for a model, service providers compete to train it, "
        "validators score it, verifiers challenge what is false, aggregators pay.\n\n"
        "Start with [bold]assay demo[/bold]. To do it by hand: [bold]assay devnet[/bold] in one terminal, then "
        "[bold]assay keys dev[/bold], [bold]assay deploy[/bold], and each role in a terminal of its own; the README "
        "goes through it.\n\n"
        "Commands end with 0, with 2 and one line on standard error when something is wrong or not ready (and then "
        "nothing has changed), or with 130 after Ctrl-C."
    ),
)

START, CLIENT, ROLES, TOOLS = "Start here", "As a client", "As a worker", "Tools"

app.add_typer(demo.app, name="demo", rich_help_panel=START)
app.command("doctor", rich_help_panel=START)(doctor.doctor)
app.command("devnet", rich_help_panel=START)(devnet.devnet)
app.add_typer(keys.app, name="keys", rich_help_panel=START)
app.command("deploy", rich_help_panel=START)(deploy.deploy)
app.command("explorer", rich_help_panel=START)(explorer.explorer)

app.command("put", rich_help_panel=CLIENT)(put.put)
app.command("cancel", rich_help_panel=CLIENT)(put.cancel)
app.command("orders", rich_help_panel=CLIENT)(orders.orders)
app.command("show", rich_help_panel=CLIENT)(orders.show)
app.command("get", rich_help_panel=CLIENT)(get.get)
app.command("report", rich_help_panel=CLIENT)(report.report)

app.add_typer(federate.app, name="federate", rich_help_panel=CLIENT)
app.add_typer(private.app, name="private", rich_help_panel=CLIENT)

app.add_typer(stake.app, name="stake", rich_help_panel=ROLES)
for role in workers.ROLES:
    app.add_typer(workers.role_app(role), name=role, rich_help_panel=ROLES)
app.command("challenge", rich_help_panel=ROLES)(challenge.challenge)
app.command("disputes", rich_help_panel=ROLES)(disputes.disputes)
app.command("request-data", rich_help_panel=ROLES)(request_data.request_data)
app.command("rewards", rich_help_panel=ROLES)(rewards.rewards)
app.command("claim-rewards", rich_help_panel=ROLES)(rewards.claim_rewards)
app.command("refute-root", rich_help_panel=ROLES)(rewards.refute_root)

prove.app.command("train")(prove_train.train)
app.add_typer(prove.app, name="prove", rich_help_panel=TOOLS)
app.command("verify-proof", rich_help_panel=TOOLS)(prove.verify_proof)
app.add_typer(ceremony.app, name="ceremony", rich_help_panel=TOOLS)
app.add_typer(ledger.app, name="ledger", rich_help_panel=TOOLS)
app.add_typer(parameters.app, name="parameters", rich_help_panel=TOOLS)
app.command("verification", rich_help_panel=TOOLS)(verification.verification)
app.command("backup", rich_help_panel=TOOLS)(backup.backup)
app.command("restore", rich_help_panel=TOOLS)(backup.restore)
app.add_typer(bench.app, name="bench", rich_help_panel=TOOLS)

UsageError: Any = typer.BadParameter.__base__
"""What a wrong command line raises. Typer carries a click of its own and exports only this subclass."""

HELP_SHOWN = "NoArgsIsHelpError"
"""A usage error that has printed the help already."""


def _print_version(wanted: bool) -> None:
    if wanted:
        console.print(f"assay {metadata.version('assay-network')}")
        raise typer.Exit


@app.callback()
def assay(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """See `app`."""


def run() -> None:
    """Run the command line; the process ends with 0, 2 (bad input, or a world not ready) or 130 (interrupted)."""
    # Looking for cycles in all of PyTorch before it goes would take most of a second, and workers are to end promptly.
    atexit.register(gc.freeze)
    sys.exit(_run())


def _run() -> int:
    try:
        code = app(standalone_mode=False)
    except AssayError as error:
        return _fail(str(error))
    except UsageError as error:
        if type(error).__name__ == HELP_SHOWN:
            return 2
        where = error.ctx.command_path if error.ctx else "assay"
        return _fail(f"{error.format_message().rstrip('.')}; see `{where} --help`")
    except BrokenPipeError:
        return _close_output()
    except OSError as error:
        if error.filename is None:
            raise
        return _fail(f"{error.filename}: {error.strerror}; check the path, its permissions and the disk")
    except (KeyboardInterrupt, typer.Abort):
        errors.print("stopped")
        return 130
    return code if isinstance(code, int) else 0


def _fail(message: str) -> int:
    """One line, whatever is in the message."""
    line = printable(" ".join(message.split()))
    errors.print(Text.assemble(("error: ", "bold red"), line), soft_wrap=True)
    return 2


def _close_output() -> int:
    """Whoever read our output has seen enough (`assay orders | head`); Python must not flush into the pipe again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
