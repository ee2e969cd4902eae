"""`assay backup` and `assay restore`: keys, journals and content of a home, while its workers run."""

import time
from pathlib import Path
from typing import Annotated

import typer

from offchain.cli import options
from offchain.cli.output import console, print_facts
from offchain.cli.session import load_settings
from offchain.types import Seconds

STAMP = "%Y%m%dT%H%M%SZ"


def backup(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where backups are kept; each gets a name by its time.")
    ],
    keep: Annotated[int, typer.Option("--keep", min=1, help="Delete all but the newest N backups there.")] = 30,
    with_store: Annotated[
        bool, typer.Option("--with-store/--without-store", help="The content of the local store, too.")
    ] = True,
    home: options.Home = None,
    as_json: options.Json = False,
) -> None:
    """Copy keys, journals and content while the workers run.

    Everything in a backup fits together. Content that an older backup in DIR has already is linked. The keys in it are
    as encrypted as they are at home, but what is in the journals is secret: keep it where nobody else reads it.
    """
    from offchain.roles.backup import back_up, prune

    settings = load_settings(home=home)
    now = Seconds(int(time.time()))
    made = back_up(settings.home, folder / time.strftime(STAMP, time.gmtime(now)), now=now, with_store=with_store)
    gone = prune(folder, keep)
    facts = {"backup": str(made.folder), "files": len(made.files), "bytes": made.size, "deleted": len(gone)}
    print_facts(facts, title="Backed up", as_json=as_json)


def restore(
    folder: Annotated[Path, typer.Argument(metavar="BACKUP", help="One backup that `assay backup` made.")],
    home: options.Home = None,
    as_json: options.Json = False,
) -> None:
    """Make a home from a backup, after checking every file of it. --home must be empty, and its workers stopped.

    Workers go on from the chain, and do nothing twice. What they did after the backup they see there; secrets made
    after it are gone (see docs/operations.md). An aggregator waits until the epoch is over.
    """
    from offchain.roles.backup import restore as restore_home

    settings = load_settings(home=home)
    now = Seconds(int(time.time()))
    made = restore_home(folder, settings.home, now=now)
    facts = {"home": str(settings.home), "files": len(made.files), "backup is old": f"{(now - made.made_at) // 60} min"}
    print_facts(facts, title="Restored", as_json=as_json)
    if not as_json:
        console.print("Its former workers must never run again: two of one key would take each other's nonces.")
