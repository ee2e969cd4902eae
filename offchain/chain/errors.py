"""Errors of the chain in words: transport failures, refusals by the node, and the contracts' own custom errors."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from eth_utils.abi import abi_to_signature, function_abi_to_4byte_selector

from offchain.chain.enums import ENUMS
from offchain.errors import Rejected

ERROR_STRING = bytes.fromhex("08c379a0")
WORD = 32
PANIC = bytes.fromhex("4e487b71")
PANIC_WORDS = {
    0x01: "assertion failed",
    0x11: "arithmetic overflow",
    0x12: "division by zero",
    0x21: "value outside its enum",
    0x31: "pop of an empty array",
    0x32: "index out of bounds",
    0x41: "out of memory",
}


class RpcRefused(Rejected):
    """The node answered a JSON-RPC request with an error. `code`, `reason` and `data` are the node's."""

    def __init__(self, message: str, code: int, reason: str, data: bytes) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.data = data


class ContractRejected(Rejected):
    """A contract reverted.

    `contract` and `name` say which error ("OrderBook", "RewardTooSmall"; name is "" when it is not one of ours),
    `arguments` are its decoded arguments by name.
    """

    def __init__(self, message: str, contract: str, name: str, arguments: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.contract = contract
        self.name = name
        self.arguments = dict(arguments)


@dataclass(frozen=True, slots=True)
class Revert:
    """A decoded revert: `text` for people, the rest for programs."""

    text: str
    contract: str
    name: str
    arguments: dict[str, Any]

    def rejection(self, doing: str) -> ContractRejected:
        """The exception that says that `doing` was reverted, and why."""
        return ContractRejected(f"{doing}: {self.text}", self.contract, self.name, self.arguments)


@dataclass(frozen=True, slots=True)
class _ErrorAbi:
    contract: str
    name: str
    names: tuple[str, ...]
    types: tuple[str, ...]
    internal: tuple[str, ...]


def endpoint_name(url: str) -> str:
    """`url` without what may be secret in it (user, password, path and query, where providers put their keys)."""
    parts = urlsplit(url)
    if not parts.hostname:
        return url
    port = f":{parts.port}" if parts.port else ""
    hidden = "/…" if parts.path.strip("/") or parts.query else ""
    return f"{parts.scheme}://{parts.hostname}{port}{hidden}"


class ErrorDecoder:
    """Turns revert data into words with the ABIs of all contracts."""

    def __init__(self, abis: Mapping[str, Iterable[Mapping[str, Any]]]) -> None:
        self._errors: dict[bytes, list[_ErrorAbi]] = {}
        for contract, abi in abis.items():
            for entry in abi:
                if entry.get("type") == "error":
                    self._add(contract, entry)

    def _add(self, contract: str, entry: Mapping[str, Any]) -> None:
        signature = abi_to_signature(entry)  # type: ignore[arg-type]  # a TypedDict read from JSON
        inputs = entry.get("inputs", [])
        error = _ErrorAbi(
            contract=contract,
            name=entry["name"],
            names=tuple(item["name"] for item in inputs),
            types=tuple(_canonical_types(signature)),
            internal=tuple(item.get("internalType", item["type"]) for item in inputs),
        )
        selector = function_abi_to_4byte_selector({**entry, "type": "function"})  # type: ignore[arg-type]
        self._errors.setdefault(bytes(selector), []).append(error)

    def decode(self, data: bytes, contract: str | None = None) -> Revert:
        """Revert data in words.

        `contract`: the name of the contract that was called; it decides between errors with one selector.
        Data that nobody knows is shown as hex.
        """
        selector, body = data[:4], data[4:]
        if not data:
            return Revert("reverted without a reason (no such function, or out of gas)", contract or "", "", {})
        if selector in self._errors and len(body) % WORD:
            return Revert(f"reverted with malformed data 0x{data.hex()}", contract or "", "", {})
        try:
            if selector == ERROR_STRING:
                reason = str(decode(["string"], body)[0])
                return Revert(f"reverted: {reason}", contract or "", "Error", {"reason": reason})
            if selector == PANIC:
                code = int(decode(["uint256"], body)[0])
                words = PANIC_WORDS.get(code, f"code {code:#x}")
                return Revert(f"panicked: {words}", contract or "", "Panic", {"code": code})
            return self._custom(selector, body, contract)
        except (DecodingError, OverflowError):
            return Revert(f"reverted with malformed data 0x{data.hex()}", contract or "", "", {})

    def _custom(self, selector: bytes, body: bytes, contract: str | None) -> Revert:
        candidates = self._errors.get(selector)
        if not candidates:
            return Revert(f"reverted with unknown error 0x{(selector + body).hex()}", contract or "", "", {})
        error = next((item for item in candidates if item.contract == contract), candidates[0])
        values = decode(list(error.types), body)
        arguments = dict(zip(error.names, values, strict=True))
        shown = ", ".join(
            f"{name}={_shown(value, internal)}"
            for name, value, internal in zip(error.names, values, error.internal, strict=True)
        )
        return Revert(f"{error.contract}.{error.name}({shown})", error.contract, error.name, arguments)


def _canonical_types(signature: str) -> list[str]:
    """Types in a canonical signature, split at the commas of the outermost level."""
    inner = signature[signature.index("(") + 1 : -1]
    types: list[str] = []
    depth = start = 0
    for position, letter in enumerate(inner):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            types.append(inner[start:position])
            start = position + 1
    return [*types, inner[start:]] if inner else []


def _shown(value: Any, internal: str) -> str:
    enum = ENUMS.get(internal.removeprefix("enum ").split(".")[-1]) if internal.startswith("enum ") else None
    if enum is not None and value in iter(enum):
        return enum(value).name
    if isinstance(value, bytes):
        return "0x" + value.hex()
    return str(value)
