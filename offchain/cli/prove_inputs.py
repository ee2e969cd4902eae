"""What `assay prove` reads: models, test samples, salts, and for whom a proof is."""

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from offchain.cli.output import errors
from offchain.cli.session import account_called, open_session
from offchain.errors import Rejected

if TYPE_CHECKING:
    from offchain.config import Settings
    from offchain.model.graph import IntegerNetwork
    from offchain.proofs.circuit import Circuit
    from offchain.proofs.field import Element
    from offchain.proofs.statement import Chunk
    from offchain.proofs.system import ProofSystem

MAX_DATA_BYTES = 2**30
MAX_MODEL_BYTES = 10_000_000 + 9 * 2**20
"""Of every valid network (docs/integer-networks.md)."""
HASH_BYTES = 32


@dataclass(frozen=True, slots=True)
class ChunkOptions:
    """`chunk` None: all of `data` is the chunk, whatever `samples` says."""

    data: Path
    chunk: int | None
    samples: int
    beacon: str | None


@dataclass(frozen=True, slots=True)
class BindingOptions:
    """The binding itself, or a round and an account."""

    prover: str | None
    round_id: str | None
    account: str | None
    chain_id: int | None


@dataclass(frozen=True, slots=True)
class ToolOptions:
    """Directories of the tools and of Aztec's reference string; None for those of the settings."""

    tools: Path | None
    reference: Path | None


def read_model(folder: Path) -> "IntegerNetwork":
    """The model in a directory, as `assay get` writes it. Raises Rejected."""
    from offchain.model.files import GRAPH_FILE, WEIGHTS_FILE, decode_network
    from offchain.model.limits import MAX_GRAPH_BYTES, ModelLimits

    if not folder.is_dir():
        raise Rejected(f"MODEL {folder}: no such directory; give one with {GRAPH_FILE} and {WEIGHTS_FILE}")
    limits = ModelLimits(max_model_bytes=MAX_MODEL_BYTES, max_tensor_bytes=MAX_MODEL_BYTES)
    graph = _read(folder / GRAPH_FILE, MAX_GRAPH_BYTES)
    return decode_network(graph, _read(folder / WEIGHTS_FILE, limits.max_file_bytes), limits)


def read_chunk(chosen: ChunkOptions) -> "Chunk":
    """The chunk of test samples to prove. Raises Rejected, naming the option."""
    from offchain.data.dataset import Dataset
    from offchain.proofs.chunks import split
    from offchain.proofs.statement import Chunk

    data = Dataset.from_bytes(
        _read(chosen.data, MAX_DATA_BYTES), max_bytes=MAX_DATA_BYTES, name=f"--data {chosen.data}"
    )
    if chosen.chunk is None:
        if chosen.beacon is not None:
            raise Rejected("--beacon: is for one chunk of a test set; add --chunk")
        return Chunk(data.inputs, data.labels)
    if chosen.beacon is None:
        raise Rejected("--chunk: the chunks of a test set are shuffled; add --beacon, 32 bytes in hexadecimal")
    parts = split(data.inputs, data.labels, chosen.samples, parse_hash(chosen.beacon, "--beacon"))
    if chosen.chunk >= len(parts.chunks):
        raise Rejected(f"--chunk {chosen.chunk}: there are {len(parts.chunks)} chunks of {chosen.samples}, from 0 on")
    return parts.chunks[chosen.chunk]


def read_circuit(path: Path, network: "IntegerNetwork | None" = None) -> "Circuit":
    """The circuit of a description, as published. Raises Rejected, also when `network` does not fit it."""
    from offchain.proofs.circuit import MAX_DESCRIPTION_BYTES, check_fits, parse_circuit

    made = parse_circuit(_read(path, MAX_DESCRIPTION_BYTES))
    if network is not None:
        check_fits(made, network)
    return made


def binding_of(settings: "Settings", chosen: BindingOptions) -> "Element":
    """The public input `prover`. Raises Rejected unless either it, or a round and an account, is given."""
    from offchain.proofs.field import check_element
    from offchain.proofs.statement import prover_binding

    if chosen.prover is not None:
        if chosen.round_id is not None or chosen.account is not None:
            raise Rejected("--prover: is instead of --round and --account; leave one of them away")
        return check_element("--prover", _parse_number(chosen.prover))
    if chosen.round_id is None or chosen.account is None:
        raise Rejected("for whom is the proof? Give --round and --account, or --prover")
    round_id = parse_hash(chosen.round_id, "--round")
    session = open_session(settings, chosen.chain_id)
    who = account_called(settings, chosen.account, "--account")
    contract = session.contracts.addresses.accuracy_proofs
    return prover_binding(session.client.chain_id, contract, round_id, who)


def read_salt(path: Path) -> "Element":
    """The commitment's secret: an element in hexadecimal. A file that is not there is made, for its owner alone."""
    from offchain.proofs.field import ORDER, check_element

    if not path.exists():
        made = secrets.randbelow(ORDER)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(f"0x{made:064x}\n")
        errors.print(f"{path} holds the commitment's secret: keep it, and show it to nobody")
    text = _read(path, 128).decode("ascii", errors="replace").strip()
    try:
        return check_element(f"--salt {path}", int(text, 16))
    except ValueError:
        raise Rejected(f"--salt {path}: not a number in hexadecimal; name another file to make one") from None


def open_proof_system(
    name: str, settings: "Settings", chosen: ToolOptions, progress: Callable[[str], None]
) -> "ProofSystem":
    """The proof system, with what it makes kept below --home. Raises Rejected when tools are missing."""
    from offchain.proofs.prove import open_system

    return open_system(
        name,
        settings.proofs,
        tools=chosen.tools or settings.proof_tools,
        reference=chosen.reference or settings.reference_string,
        progress=progress,
    )


def parse_hash(text: str, flag: str) -> bytes:
    """32 bytes in hexadecimal. Raises Rejected, naming `flag`."""
    try:
        value = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        value = b""
    if len(value) != HASH_BYTES:
        raise Rejected(f"{flag} {text[:80]}: not 32 bytes in hexadecimal")
    return value


def _parse_number(text: str) -> int:
    try:
        return int(text, 16) if text.startswith("0x") else int(text)
    except ValueError:
        raise Rejected(f"--prover {text[:80]}: not a number") from None


def _read(path: Path, most: int) -> bytes:
    """A file of at most so many bytes. Raises Rejected."""
    with path.open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise Rejected(f"{path}: larger than {most:,} bytes; this is not the file")
    return data
