"""`assay federate status|get`: how far a task is, and the model that came out of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from offchain.cli import options
from offchain.cli.durations import countdown
from offchain.cli.federate_run import Task, open_task
from offchain.cli.output import (
    console,
    errors,
    print_facts,
    print_json,
    print_rows,
    printable,
    rows_table,
    short,
    tokens,
)
from offchain.cli.session import Session, key_names, load_settings, open_session
from offchain.errors import Rejected, Retryable
from offchain.types import TaskId

if TYPE_CHECKING:
    from offchain.chain.federated import Federation
    from offchain.federated.terms import AccuracyTerms
    from offchain.roles.federated_summary import TaskSummary

Test = Annotated[
    str | None,
    typer.Option("--test", help="Samples on which every round's model is tried (a file, or sklearn:NAME:test)."),
]


def status(
    task: Annotated[
        int | None, typer.Argument(metavar="TASK", help="The task's number; without it all tasks are listed.", min=1)
    ] = None,
    test: Test = None,
    limit: Annotated[int, typer.Option("--limit", "-n", help="Without TASK: the latest so many.", min=1)] = 20,
    home: options.Home = None,
    rpc: options.Rpc = None,
    store: options.Store = None,
    chain_id: options.ChainId = None,
    as_json: options.Json = False,
) -> None:
    """Show a task: phase and countdown, participants, who leads, results round by round, games in words."""
    from offchain.chain.federated import Federation
    from offchain.roles.federated_summary import summarise

    session = open_session(load_settings(home=home, rpc=rpc, store=store), chain_id)
    if task is None:
        _list(session, Federation(session.contracts), limit, as_json)
        return
    _, number = open_task(session, task)
    summary = summarise(session.contracts, number)
    accuracies = {} if test is None else _accuracies(session, number, summary, test)
    if as_json:
        print_json(summary.to_json() | ({"accuracy": accuracies} if test else {}))
    else:
        _show(session, summary, accuracies)


def _list(session: Session, federation: "Federation", limit: int, as_json: bool) -> None:
    head, count, rows = session.client.head(), federation.task_count(), []
    for number in range(max(1, count - limit + 1), count + 1):
        view = federation.view(TaskId(number), head)
        rows.append(
            {
                "task": number,
                "phase": view.phase.label,
                "round": f"{view.state.round} of {view.terms.rounds}",
                "participants": f"{view.state.active} of {view.terms.maximum_participants}",
                "reward": tokens(view.terms.reward),
                "stake": tokens(view.terms.bond),
                "parameters": view.terms.dimension,
            }
        )
    print_rows(rows, title="Federated tasks", as_json=as_json, empty="none; create one with `assay federate create`")


def _accuracies(session: Session, task: TaskId, summary: "TaskSummary", test: str) -> dict[int, float]:
    """The part of the samples that each round's model gets right, as far as the files can be had."""
    from offchain.chain.federated import Federation
    from offchain.federated.local_data import dataset_for, load_local
    from offchain.roles.federated_client import fetch_trained
    from offchain.roles.federated_training import model_accuracy

    raw, found = load_local(test), {}
    federation = Federation(session.contracts)
    with session.store() as place, errors.status("trying the models"):
        for number in (0, *(result.round for result in summary.results if not result.failed)):
            try:
                trained = fetch_trained(federation, place, task, number=number)
            except (Rejected, Retryable) as error:
                errors.print(printable(f"round {number}: {error}"), markup=False, soft_wrap=True)
                continue
            samples = dataset_for(trained.manifest, raw)
            found[number] = model_accuracy(trained.manifest, trained.terms, trained.result.model, samples)
    return found


def _show(session: Session, summary: "TaskSummary", accuracies: dict[int, float]) -> None:
    names = key_names(session.settings)

    def name(address: str) -> str:
        return names.get(address, short(address))  # type: ignore[call-overload, no-any-return]

    ends = "" if summary.ends_at is None else f", ends in {countdown(summary.ends_at - summary.now)}"
    facts: dict[str, Any] = {
        "phase": summary.phase + ends,
        "round": f"{summary.round} of {summary.rounds}",
        "client": name(summary.client),
        "rule": summary.rule,
        "optimiser": summary.optimizer,
        "parameters": summary.parameters,
        "reward": f"{tokens(summary.reward)} tokens a round",
        "participants": f"{summary.active} active, {summary.least} to {summary.most} wanted",
        "leader": None if summary.leader is None else name(summary.leader),
        "proofs": None if summary.accuracy is None else _proofs(summary.accuracy),
        "refundable": f"{tokens(summary.refundable)} tokens" if summary.refundable else None,
        "first model": f"{accuracies[0]:.1%} right" if 0 in accuracies else None,
    }
    print_facts(
        {key: value for key, value in facts.items() if value is not None}, title=f"Task {summary.task}", as_json=False
    )
    if summary.participants:
        rows = [
            {
                "index": one.index,
                "participant": name(one.account),
                "stake": tokens(one.stake),
                "this round": one.standing,
                "earned": tokens(one.earned),
            }
            | ({} if summary.accuracy is None else {"proven": "" if one.proven is None else one.proven})
            for one in summary.participants
        ]
        console.print(rows_table(rows, "Participants"))
    if summary.results:
        results: list[dict[str, Any]] = [
            {
                "round": result.round,
                "leader": "" if result.leader is None else name(result.leader),
                "updates": result.included,
                "result": "failed" if result.failed else f"0x{result.root.hex()[:8]}…",
            }
            | (
                {"accuracy": f"{accuracies[result.round]:.1%}" if result.round in accuracies else ""}
                if accuracies
                else {}
            )
            for result in summary.results
        ]
        console.print(rows_table(results, "Results"))
    for line in summary.told(name):
        console.print(line, soft_wrap=True, highlight=False)


def _proofs(terms: "AccuracyTerms") -> str:
    return (
        f"{terms.draws} of {terms.chunks} test chunks a round; out below {terms.minimum_correct} right samples, paid "
        f"above {terms.baseline}"
    )


def get(
    task: Task,
    out: Annotated[Path | None, typer.Option("--out", "-o", help=r"File to write. \[task-TASK.safetensors]")] = None,
    number: Annotated[
        int | None, typer.Option("--round", min=0, help="The model after this round, not the last.")
    ] = None,
    home: options.Home = None,
    rpc: options.Rpc = None,
    store: options.Store = None,
    chain_id: options.ChainId = None,
    as_json: options.Json = False,
) -> None:
    """Download the model after the last final round, verify it against the chain, and write it as safetensors."""
    from offchain.roles.federated_client import fetch_trained

    path = out or Path(f"task-{task}.safetensors")
    if path.is_dir():
        raise typer.BadParameter(f"--out {path}: a directory; give a file, e.g. {path / 'model.safetensors'}")
    session = open_session(load_settings(home=home, rpc=rpc, store=store), chain_id)
    federation, wanted = open_task(session, task)
    with session.store() as place, errors.status("downloading and verifying"):
        trained = fetch_trained(federation, place, wanted, number=number)
    path.write_bytes(trained.float_model.to_bytes())
    if as_json:
        print_json({"task": task, "round": trained.round, "root": trained.result.root, "file": path})
        return
    console.print(f"Verified: this is the model of task {task} after round {trained.round}, result")
    console.print(f"  0x{trained.result.root.hex()}")
    console.print(f"  {path}", soft_wrap=True)
