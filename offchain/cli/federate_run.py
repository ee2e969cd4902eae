"""`assay federate join|run|claim|cancel|withdraw`: what accounts do about a task."""

import secrets
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from offchain.cli import options
from offchain.cli.amounts import parse_tokens
from offchain.cli.federate_prove import require_provable, systems_of
from offchain.cli.output import console, errors, print_json, tokens
from offchain.cli.session import Session, load_settings, open_context, open_session, unlock
from offchain.cli.workers import run_worker
from offchain.errors import Rejected
from offchain.types import TaskId, Wei

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount
    from eth_typing import ChecksumAddress

    from offchain.chain.federated import Federation
    from offchain.federated.allow_list import AllowList
    from offchain.federated.round_rules import TaskView
    from offchain.roles.context import RoleContext
    from offchain.roles.federated_participant import FederatedWorker

Task = Annotated[int, typer.Argument(metavar="TASK", help="The task's number (see `assay federate status`).", min=1)]
Allow = Annotated[
    Path | None, typer.Option("--allow", help="Where joining is limited: the client's list of addresses, one a line.")
]
Label = Annotated[str | None, typer.Option("--label", help="Label column of a table, or labels file of idx images.")]

ROLE = "participant"


def join(
    task: Task,
    stake: Annotated[str, typer.Option("--stake", help="Tokens of the free bond as participant, locked in the task.")],
    key: options.Key,
    allow: Allow = None,
    home: options.Home = None,
    rpc: options.Rpc = None,
    store: options.Store = None,
    chain_id: options.ChainId = None,
    password_file: options.PasswordFile = None,
) -> None:
    """Take a place in a task, with a stake that comes back at its end.

    The stake is part of a bond as participant (`assay stake add participant TOKENS`). Before anything is locked the
    task's manifest is checked: that it is the one on chain, that its privacy ledger keeps what it promises, and that
    what proofs of accuracy are checked by is what it should be. Then keep `assay federate run` running.
    """
    from offchain.federated.homomorphic.ckks import require_seal
    from offchain.federated.manifest import SecureMethod
    from offchain.roles.federated_client import fetch_manifest

    wei = parse_tokens(stake, "--stake")
    settings = load_settings(home=home, rpc=rpc, store=store, password_file=password_file)
    session = open_session(settings, chain_id)
    federation, number = open_task(session, task)
    view = federation.view(number, session.client.head())
    account = unlock(settings, key)
    address = _require_room(session, view, account, wei)
    allowed = _allowed(allow, view)
    proof = allowed.prove(address) if any(view.terms.allow_root) else ()
    with session.store() as place:
        manifest = fetch_manifest(place, view.terms)
        manifest.require_honest(view.terms)
        if manifest.secure_method is SecureMethod.HOMOMORPHIC:
            require_seal()
        if manifest.accuracy is not None:
            with errors.status("checking what is to be proven"):
                require_provable(session, place, view.terms.accuracy, manifest.accuracy)
    with closing(session.sender(account)) as sender:
        sender.send(f"federated-join:{number}:{view.state.round}:{wei}", federation.join(number, wei, proof))
    console.print(f"{key} has joined task {task} with {tokens(wei)} tokens; now `assay federate run {task} --data …`")


def _require_room(session: Session, view: "TaskView", account: "LocalAccount", stake: Wei) -> "ChecksumAddress":
    """Raises Rejected, saying why, when the account cannot join now."""
    from eth_utils.address import to_checksum_address

    from offchain.chain.enums import Role
    from offchain.federated.round_rules import require_time
    from offchain.federated.task_state import TaskPhase
    from offchain.roles.federated_deeds import LEAST_WINDOW

    address = to_checksum_address(account.address)
    place = view.place_of(address)
    if view.phase is TaskPhase.OVER:
        raise Rejected(f"TASK {view.task}: it is over; see `assay federate status` for others")
    if place is not None and view.participants[place].active:
        raise Rejected(f"TASK {view.task}: {address} has joined already; go on with `assay federate run {view.task}`")
    require_time(view.terms, LEAST_WINDOW)
    if stake < view.terms.bond:
        raise Rejected(f"--stake {tokens(stake)}: task {view.task} wants {tokens(view.terms.bond)} tokens at least")
    free = session.contracts.bond(address, Role.PARTICIPANT).free
    if free < stake:
        raise Rejected(
            f"--stake {tokens(stake)}: of the bond as participant {tokens(free)} tokens are free; "
            f"add some with `assay stake add participant {tokens(Wei(stake - free))}`"
        )
    return address


def run(
    task: Task,
    key: options.Key,
    data: Annotated[
        str | None,
        typer.Option(
            "--data",
            help="Your own samples: CSV, Parquet, NPZ, images, or sklearn:NAME, of which sklearn:digits:3/12 is a part "
            "to try things out with. They stay here. Without data the command only watches: it drives the task on, and "
            "challenges what is wrong.",
        ),
    ] = None,
    label: Label = None,
    test: Annotated[
        str | None, typer.Option("--test", help="Samples of your own on which every round's model is tried.")
    ] = None,
    stake: Annotated[
        str | None, typer.Option("--stake", help="Join with so many tokens first, if that has not been done.")
    ] = None,
    allow: Allow = None,
    stay: Annotated[bool, typer.Option("--stay", help="Leave the stake in the task when it is over.")] = False,
    home: options.Home = None,
    rpc: options.Rpc = None,
    store: options.Store = None,
    chain_id: options.ChainId = None,
    password_file: options.PasswordFile = None,
    metrics: options.Metrics = None,
    as_json: options.Json = False,
) -> None:
    """Take part in a task, round after round, until it is over: train, commit, reveal, lead in turn, claim rewards.

    It recomputes every posted aggregate, and with a bond as verifier (`assay stake add verifier TOKENS`) it also asks
    for updates that are withheld and challenges leaders that lie. Killed, it goes on where it was. Ends by itself when
    the task is over and reward and stake are home, or with Ctrl-C.
    """
    from offchain.federated.local_data import load_local
    from offchain.federated.round_rules import Intent
    from offchain.roles.federated_deeds import FederatedOptions

    settings = load_settings(home=home, rpc=rpc, store=store, password_file=password_file)
    samples = None if data is None else load_local(data, label=label)
    held = None if test is None else load_local(test, label=label)
    wei = None if stake is None else parse_tokens(stake, "--stake")
    session = open_session(settings, chain_id)
    federation, number = open_task(session, task)
    view = federation.view(number, session.client.head())
    account = unlock(settings, key)
    if samples is not None:
        wei = _stake_of(session, view, account, wei)
    elif wei is not None:
        raise typer.BadParameter("--stake is for who takes part: give --data too")
    chosen = FederatedOptions(
        folder=folder_of(session, account),
        intent=Intent(stake=wei, leaves=not stay),
        data=samples,
        test=held,
        allowed=_allowed(allow, view) if allow else _anyone(),
        systems=systems_of(settings),
    )

    def build(context: "RoleContext") -> "FederatedWorker":
        from offchain.roles.federated_participant import FederatedWorker

        return FederatedWorker(context, number, chosen)

    run_worker(session, ROLE, key, as_json, build, account, metrics=metrics)


def _stake_of(session: Session, view: "TaskView", account: "LocalAccount", wei: Wei | None) -> Wei:
    """What it takes part with: the stake that it has in the task, or the one that it joins with. Raises Rejected."""
    from eth_utils.address import to_checksum_address

    place = view.place_of(to_checksum_address(account.address))
    if place is not None and view.participants[place].active:
        return view.participants[place].stake
    if place is not None and view.participants[place].excluded:
        raise Rejected(f"TASK {view.task}: this account was excluded from it")
    if wei is None:
        raise Rejected(f"TASK {view.task}: this account has not joined; give --stake, or `assay federate join` first")
    _require_room(session, view, account, wei)
    return wei


def claim(
    task: Task,
    key: options.Key,
    home: options.Home = None,
    rpc: options.Rpc = None,
    store: options.Store = None,
    chain_id: options.ChainId = None,
    password_file: options.PasswordFile = None,
    as_json: options.Json = False,
) -> None:
    """Take the rewards of all final rounds that this account has not claimed yet; `run` does it by itself."""
    from offchain.federated.round_rules import Intent
    from offchain.roles.federated_deeds import FederatedOptions
    from offchain.roles.federated_participant import FederatedWorker

    settings = load_settings(home=home, rpc=rpc, store=store, password_file=password_file)
    session = open_session(settings, chain_id)
    _, number = open_task(session, task)
    account = unlock(settings, key)
    intent = Intent(drives=False, watches=False, leaves=False)
    with open_context(session, account, ROLE) as context:
        before = session.contracts.token_balance(context.account)
        worker = FederatedWorker(context, number, FederatedOptions(folder_of(session, account), intent))
        with closing(worker):
            _until_at_rest(worker)
        gained = session.contracts.token_balance(context.account) - before
    if as_json:
        print_json({"task": task, "wei": str(gained)})
    else:
        console.print(f"{tokens(Wei(gained))} tokens of task {task} are paid out" if gained else "nothing to claim")


def _until_at_rest(worker: "FederatedWorker") -> None:
    """Ticks until it has nothing to do any more."""
    pause = threading.Event()
    while worker.tick() or worker.in_flight or worker.busy:
        pause.wait(0.2)


def cancel(
    task: Task,
    key: options.Key,
    home: options.Home = None,
    rpc: options.Rpc = None,
    chain_id: options.ChainId = None,
    password_file: options.PasswordFile = None,
) -> None:
    """End a task that too few have joined in time; then `withdraw` takes the escrow back."""
    from offchain.federated.task_state import TaskPhase

    settings = load_settings(home=home, rpc=rpc, password_file=password_file)
    session = open_session(settings, chain_id)
    federation, number = open_task(session, task)
    view = federation.view(number, session.client.head())
    if view.phase is not TaskPhase.JOINING:
        raise Rejected(
            f"TASK {task}: it is {view.phase.label}; a task can be cancelled only while it waits for members"
        )
    if view.now < view.state.join_ends or view.state.active >= view.terms.minimum_participants:
        raise Rejected(
            f"TASK {task}: {view.state.active} of {view.terms.minimum_participants} have joined, and there are "
            f"{max(view.state.join_ends - view.now, 0)} seconds left; only a task that too few joined is cancelled"
        )
    with closing(session.sender(unlock(settings, key))) as sender:
        sender.send(f"federated-cancel:{number}", federation.plain("cancel", number))
    console.print(f"Task {task} is cancelled; `assay federate withdraw {task}` takes the escrow back")


def withdraw(
    task: Task,
    key: options.Key,
    home: options.Home = None,
    rpc: options.Rpc = None,
    chain_id: options.ChainId = None,
    password_file: options.PasswordFile = None,
) -> None:
    """Pay the client what can be refunded: rewards of rounds that failed or were not played. Any key may ask."""
    settings = load_settings(home=home, rpc=rpc, password_file=password_file)
    session = open_session(settings, chain_id)
    federation, number = open_task(session, task)
    state = federation.view(number, session.client.head()).state
    if state.refundable == 0:
        raise Rejected(f"TASK {task}: nothing can be refunded now; see `assay federate status {task}`")
    with closing(session.sender(unlock(settings, key))) as sender:
        sender.send(f"federated-withdraw:{number}:{secrets.token_hex(8)}", federation.plain("withdraw", number))
    console.print(f"{tokens(state.refundable)} tokens went back to the client of task {task}")


def open_task(session: Session, number: int) -> "tuple[Federation, TaskId]":
    """The federated tasks, and the one with that number. Raises Rejected when there is none."""
    from offchain.chain.federated import Federation

    federation = Federation(session.contracts)
    return federation, federation.require(number)


def folder_of(session: Session, account: "LocalAccount") -> Path:
    """Where an account keeps its files of federated tasks on this chain."""
    return session.settings.home / "federated" / f"{session.client.chain_id}-{account.address[2:10].lower()}"


def _anyone() -> "AllowList":
    from offchain.federated.allow_list import AllowList

    return AllowList()


def _allowed(path: Path | None, view: "TaskView") -> "AllowList":
    """The list, which has to be the one under the task's root. Raises Rejected."""
    from offchain.federated.allow_list import parse_allow_list

    if not any(view.terms.allow_root):
        return _anyone()
    if path is None:
        raise Rejected(f"TASK {view.task}: joining is limited; give the client's list with --allow")
    found = parse_allow_list(path.read_bytes(), source=f"--allow {path}")
    if found.root != view.terms.allow_root:
        raise Rejected(f"--allow {path}: not the list of task {view.task}; ask the client for it")
    return found
