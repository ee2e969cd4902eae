"""A replica as a process: `python -m offchain.ledger.process CONFIG.json`.

CONFIG (paths are relative to its folder):

    {"membership": "members.json",       the group, see `membership`
     "key": "replica.key",               file with the private key in hex, for tests and benchmarks; or
     "keystore": "replica.json", "passwordFile": "password",
     "journal": "replica.journal",       null: no journal, for measurements only
     "control": "replica.sock",          optional, see `control`
     "listen": "0.0.0.0:7400",           optional: where the membership says
     "endsWithInput": true,              optional: stop when standard input ends
     "group": {"timeout": 2000, …}}      optional: fields of GroupConfig

It imports nothing that the network's workers need (torch, pandas, web3), so that a hundred of them fit on a machine.
"""

import asyncio
import json
import logging
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from offchain.errors import AssayError, Rejected
from offchain.ledger.control import ControlServer
from offchain.ledger.host_port import parse_host_port
from offchain.ledger.identity import Identity
from offchain.ledger.membership import Membership, read_membership
from offchain.ledger.node import LedgerNode
from offchain.ledger.node_config import NodeConfig
from offchain.ledger.node_thread import new_loop
from offchain.ledger.pbft.application import Application, GroupConfig
from offchain.ledger.types import ReplicaId

_KNOWN = {"membership", "key", "keystore", "passwordFile", "journal", "control", "listen", "group", "endsWithInput"}


@dataclass(frozen=True, slots=True)
class ProcessConfig:
    """A parsed CONFIG."""

    node: NodeConfig
    control: Path | None
    ends_with_input: bool


def read_config(path: Path) -> ProcessConfig:
    """Raises Rejected with one line that names the file and the field."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Rejected(f"{path}: cannot be read ({error})") from error
    if not isinstance(values, dict):
        raise Rejected(f"{path}: expected an object")
    if unknown := sorted(set(values) - _KNOWN):
        raise Rejected(f"{path}: {unknown[0]} is unknown; expected {', '.join(sorted(_KNOWN))}")
    texts = _Texts(path, values)
    membership = read_membership(texts.path("membership"))
    journal = None if "journal" in values and values["journal"] is None else texts.path("journal")
    node = NodeConfig(
        membership=membership,
        identity=_identity(texts),
        journal=journal,
        group=_group(path, values.get("group", {}), membership),
        listen=_listen(path, texts.text("listen")) if "listen" in values else None,
    )
    control = texts.path("control") if "control" in values else None
    return ProcessConfig(node, control, values.get("endsWithInput") is True)


async def serve(config: ProcessConfig, application: Application) -> None:
    """Runs the replica until SIGTERM or SIGINT, or until something stops it, which is raised."""
    node = LedgerNode(config.node, application)
    control = ControlServer(node, config.control) if config.control is not None else None
    await node.start()
    loop = asyncio.get_running_loop()
    stops: list[asyncio.Task[None]] = []

    def stop() -> None:
        stops.append(loop.create_task(node.stop()))

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    if config.ends_with_input:
        loop.add_reader(sys.stdin, _at_end, loop, stop)
    if control is not None:
        await control.start()
    try:
        await node.wait()
    finally:
        if control is not None:
            await control.stop()
        await asyncio.gather(*stops)


def _at_end(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
    if not os.read(sys.stdin.fileno(), 4096):
        loop.remove_reader(sys.stdin)
        stop()


def main(arguments: list[str], make_application: Callable[[Membership], Application]) -> int:
    """Runs the process; its exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    if len(arguments) != 1:
        print("usage: python -m offchain.ledger.process CONFIG.json", file=sys.stderr)
        return 2
    try:
        config = read_config(Path(arguments[0]))
        application = make_application(config.node.membership)
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(serve(config, application))
    except AssayError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


class _Texts:
    """Fields of a config that must be texts."""

    def __init__(self, file: Path, values: dict[str, Any]) -> None:
        self.file = file
        self.values = values

    def text(self, name: str) -> str:
        value = self.values.get(name)
        if not isinstance(value, str) or not value:
            raise Rejected(f"{self.file}: {name} is missing, or no text")
        return value

    def path(self, name: str) -> Path:
        return self.file.parent / self.text(name)


def _identity(texts: _Texts) -> Identity:
    if "key" in texts.values:
        path = texts.path("key")
        try:
            return Identity(bytes.fromhex(path.read_text(encoding="ascii").strip().removeprefix("0x")))
        except (OSError, ValueError) as error:
            raise Rejected(f"{path}: cannot be read as a private key of 64 hex digits") from error
    # Only here: it takes 20 MB and a fifth of a second.
    from offchain.chain.keys import load_key, read_password

    keystore = texts.path("keystore")
    password = read_password(texts.path("passwordFile"), str)
    return Identity(bytes(load_key(keystore.parent, keystore.stem, password).key))


def _listen(file: Path, text: str) -> tuple[str, int]:
    found = parse_host_port(text)
    if found is None:
        raise Rejected(f"{file}: listen: expected HOST:PORT")
    return found


def _group(file: Path, values: object, membership: Membership) -> GroupConfig:
    known = {field.name for field in fields(GroupConfig)} - {"replicas", "me"}
    if not isinstance(values, dict) or not all(isinstance(v, int) and v > 0 for v in values.values()):
        raise Rejected(f"{file}: group: expected an object of positive numbers")
    if unknown := sorted(set(values) - known):
        raise Rejected(f"{file}: group.{unknown[0]} is unknown; expected {', '.join(sorted(known))}")
    return GroupConfig(len(membership.members), ReplicaId(0), **values)


def _records(membership: Membership) -> Application:
    from offchain.ledger.records.application import RecordsApplication, RecordsConfig
    from offchain.ledger.records.bodies import Account
    from offchain.ledger.records.request import Domain

    domain = Domain(membership.chain_id, membership.committee)
    return RecordsApplication(RecordsConfig(domain, frozenset(Account(account) for account in membership.accounts)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], _records))
