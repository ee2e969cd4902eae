"""`assay parameters`: the protocol's parameters in force, and changing them by who may."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from offchain.cli import options
from offchain.cli.deploy import parameter_text
from offchain.cli.durations import countdown, format_duration
from offchain.cli.output import console, print_facts, print_json, print_rows
from offchain.cli.session import Session, load_settings, open_session, require_terminal, unlock
from offchain.errors import Rejected

if TYPE_CHECKING:
    from web3.contract import Contract

    from offchain.chain.governance import Difference, Operation
    from offchain.chain.sender import Sender
    from offchain.chain.views import ProtocolParameters

app = typer.Typer(
    no_args_is_help=True,
    help="Show the protocol's parameters and who owns them; change them through the timelock, or directly.",
)

File = Annotated[
    Path, typer.Argument(metavar="FILE", help="A file of parameters, like the networks' own.", dir_okay=False)
]
Identity = Annotated[
    str | None,
    typer.Argument(metavar="ID", help="The operation's id, or how it begins; needless if it is the only one."),
]


@app.command()
def show(
    file: Annotated[
        Path | None, typer.Option("--parameters", help="Compare with this file, not with the network's own.")
    ] = None,
    home: options.Home = None,
    rpc: options.Rpc = None,
    chain_id: options.ChainId = None,
    as_json: options.Json = False,
) -> None:
    """Show what is in force beside the reviewed file, who owns it, and what waits in the timelock."""
    from dataclasses import asdict

    from offchain.chain import governance
    from offchain.chain.terms import load_terms, read_terms

    session = open_session(load_settings(home=home, rpc=rpc), chain_id)
    contracts = session.contracts
    present = contracts.protocol_parameters()
    reviewed = (load_terms(session.client.chain_id) if file is None else read_terms(file)).protocol
    timelock = governance.timelock_of(contracts)
    waiting = () if timelock is None else governance.open_operations(contracts, timelock)
    owner = governance.owner_of(contracts)
    delay = None if timelock is None else int(contracts.read(timelock.functions.getMinDelay()))
    if as_json:
        operations = [_operation_facts(session, operation, present) for operation in waiting]
        differing = [asdict(item) for item in governance.differences(present, reviewed)]
        facts = {"owner": owner, "delay_seconds": delay, "parameters": asdict(present)}
        print_json({**facts, "differences": differing, "operations": operations})
        return
    differing_names = {item.name for item in governance.differences(present, reviewed)}
    rows = [
        {
            "parameter": name,
            "in force": parameter_text(name, value),
            "file": parameter_text(name, getattr(reviewed, name)) if name in differing_names else "the same",
        }
        for name, value in asdict(present).items()
    ]
    print_rows(rows, title="Parameters", as_json=False)
    console.print()
    lock = "" if delay is None else f", a timelock of {format_duration(delay)}"
    print_facts({"owner": f"{owner}{lock}"}, title="Governance", as_json=False)
    for operation in waiting:
        print_facts(_operation_facts(session, operation, present), title="\nOpen operation", as_json=False)


@app.command("set")
def set_directly(
    file: File,
    key: options.Key,
    yes: options.Yes = False,
    home: options.Home = None,
    rpc: options.Rpc = None,
    chain_id: options.ChainId = None,
    password_file: options.PasswordFile = None,
) -> None:
    """Put the parameters of FILE in force at once, where an account owns them (development chains)."""
    from offchain.chain import governance

    session = open_session(load_settings(home=home, rpc=rpc, password_file=password_file), chain_id)
    if governance.timelock_of(session.contracts) is not None:
        raise Rejected("a timelock owns the parameters: `assay parameters schedule FILE`")
    proposed = _read(session, file)
    if not _agreed(session, proposed, yes=yes):
        return
    call = governance.set_call(session.contracts, proposed)
    owner = governance.owner_of(session.contracts)

    def check(sender: Sender) -> None:
        if sender.address != owner:
            raise Rejected(f"--key {key}: {owner} owns the parameters, not {sender.address}")

    _send(session, key, check, lambda: call)
    console.print("in force now")


@app.command()
def schedule(
    file: File,
    key: options.Key,
    yes: options.Yes = False,
    home: options.Home = None,
    rpc: options.Rpc = None,
    chain_id: options.ChainId = None,
    password_file: options.PasswordFile = None,
) -> None:
    """Schedule the parameters of FILE with the timelock; after its delay `assay parameters execute` makes them hold."""
    from offchain.chain import governance

    session, timelock = _governed(home, rpc, chain_id, password_file)
    proposed = _read(session, file)
    if not _agreed(session, proposed, yes=yes):
        return
    contracts = session.contracts
    _send(
        session,
        key,
        lambda sender: governance.require_role(contracts, timelock, "PROPOSER_ROLE", sender.address),
        lambda: governance.schedule_call(contracts, timelock, proposed),
    )
    operation = next(o for o in governance.open_operations(contracts, timelock) if o.parameters == proposed)
    wait = countdown(operation.ready_at - session.client.now())
    console.print(f"operation 0x{operation.id.hex()}: `assay parameters execute` in {wait}", soft_wrap=True)


@app.command()
def execute(
    key: options.Key,
    identity: Identity = None,
    home: options.Home = None,
    rpc: options.Rpc = None,
    chain_id: options.ChainId = None,
    password_file: options.PasswordFile = None,
) -> None:
    """Execute an operation whose delay is over. On the shipped networks anybody may."""
    from offchain.chain import governance

    session, timelock = _governed(home, rpc, chain_id, password_file)
    contracts = session.contracts
    operation = governance.chosen_operation(governance.open_operations(contracts, timelock), identity)
    governance.require_ready(operation, session.client.now())
    _send(
        session,
        key,
        lambda sender: governance.require_role(contracts, timelock, "EXECUTOR_ROLE", sender.address),
        lambda: governance.execute_call(timelock, operation),
    )
    console.print(f"operation 0x{operation.id.hex()} is done")


@app.command()
def cancel(
    key: options.Key,
    identity: Identity = None,
    home: options.Home = None,
    rpc: options.Rpc = None,
    chain_id: options.ChainId = None,
    password_file: options.PasswordFile = None,
) -> None:
    """Cancel an operation that waits."""
    from offchain.chain import governance

    session, timelock = _governed(home, rpc, chain_id, password_file)
    contracts = session.contracts
    operation = governance.chosen_operation(governance.open_operations(contracts, timelock), identity)
    _send(
        session,
        key,
        lambda sender: governance.require_role(contracts, timelock, "CANCELLER_ROLE", sender.address),
        lambda: timelock.functions.cancel(operation.id),
    )
    console.print(f"operation 0x{operation.id.hex()} is cancelled")


def _governed(
    home: options.Home, rpc: options.Rpc, chain_id: options.ChainId, password_file: options.PasswordFile
) -> tuple[Session, Contract]:
    from offchain.chain import governance

    session = open_session(load_settings(home=home, rpc=rpc, password_file=password_file), chain_id)
    timelock = governance.timelock_of(session.contracts)
    if timelock is None:
        owner = governance.owner_of(session.contracts)
        raise Rejected(f"no timelock of ours owns the parameters, {owner} does: `assay parameters set FILE`")
    return session, timelock


def _read(session: Session, file: Path) -> ProtocolParameters:
    from offchain.chain.terms import read_terms

    terms = read_terms(file)
    if terms.chain_id != session.client.chain_id:
        raise Rejected(f"{file}: for chain {terms.chain_id}, but the node is on chain {session.client.chain_id}")
    return terms.protocol


def _agreed(session: Session, proposed: ProtocolParameters, *, yes: bool) -> bool:
    """Shows what would change and asks; False when nothing would."""
    from offchain.chain.governance import differences

    found = differences(session.contracts.protocol_parameters(), proposed)
    if not found:
        console.print("nothing to change: these are in force")
        return False
    print_rows([_difference_row(item) for item in found], title="Changes", as_json=False)
    if not yes:
        require_terminal("your consent", "give --yes")
        typer.confirm("Change this?", abort=True, err=True)
    return True


def _send(session: Session, key: str, check: Callable[[Sender], None], call: Callable[[], Any]) -> None:
    with closing(session.sender(unlock(session.settings, key))) as sender:
        check(sender)
        sender.send(f"parameters:{secrets.token_hex(8)}", call())


def _difference_row(item: Difference) -> dict[str, str]:
    return {
        "parameter": item.name,
        "in force": parameter_text(item.name, item.present),
        "proposed": parameter_text(item.name, item.proposed),
    }


def _operation_facts(session: Session, operation: Operation, present: ProtocolParameters) -> dict[str, Any]:
    from offchain.chain.governance import differences

    if operation.parameters is None:
        place = session.contracts.addresses.contract_at(operation.target) or operation.target
        what: Any = f"{operation.calls} call(s), the first 0x{operation.data[:4].hex()} of {place}"
    else:
        changes = differences(present, operation.parameters)
        what = [
            f"{item.name}: {parameter_text(item.name, item.present)} to {parameter_text(item.name, item.proposed)}"
            for item in changes
        ] or "what is in force already"
    return {
        "id": "0x" + operation.id.hex(),
        "state": operation.state.name.lower(),
        "ready": countdown(operation.ready_at - session.client.now()),
        "changes": what,
    }
