"""The real contracts on py-evm without blocks or signatures: calls at any time, custom errors decoded, cheap resets."""

import json
from dataclasses import dataclass
from importlib import resources
from typing import Any

from eth.constants import ZERO_ADDRESS
from eth.db.atomic import AtomicDB
from eth.vm.execution_context import ExecutionContext
from eth.vm.forks.cancun import CancunVM
from eth.vm.message import Message
from eth_abi.abi import decode, encode
from eth_typing import ChecksumAddress
from eth_utils.abi import abi_to_signature, collapse_if_tuple, function_abi_to_4byte_selector
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

GAS = 50_000_000
CHAIN_ID = 1337
BLANK_ROOT = bytes.fromhex("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421")


class Reverted(Exception):  # noqa: N818 - it is an outcome, not a mishap
    """A custom error of a contract."""

    def __init__(self, name: str, *arguments: Any) -> None:
        super().__init__(name, *arguments)
        self.name = name
        self.arguments = arguments

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reverted) and self.args == other.args

    def __hash__(self) -> int:
        return hash(self.args)


def account(index: int) -> ChecksumAddress:
    """A made-up account."""
    return to_checksum_address(keccak(b"account" + bytes([index]))[-20:])


@dataclass(frozen=True, slots=True)
class Function:
    """One function of an ABI."""

    selector: bytes
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


class Abi:
    """Functions by name and errors by selector."""

    def __init__(self, entries: list[dict[str, Any]]) -> None:
        self.functions: dict[str, Function] = {}
        self.errors: dict[bytes, tuple[str, tuple[str, ...]]] = {}
        for entry in entries:
            types = tuple(collapse_if_tuple(item) for item in entry.get("inputs", ()))
            if entry["type"] == "function":
                outputs = tuple(collapse_if_tuple(item) for item in entry["outputs"])
                selector = bytes(function_abi_to_4byte_selector(entry))
                self.functions[entry["name"]] = Function(selector, types, outputs)
            elif entry["type"] == "error":
                self.errors[keccak(text=abi_to_signature(entry))[:4]] = (entry["name"], types)


def artifact(name: str) -> dict[str, Any]:
    """One contract of the package."""
    path = resources.files("offchain.chain") / "artifacts" / f"{name}.json"
    return dict(json.loads(path.read_text(encoding="utf-8")))


class Evm:
    """A state with contracts in it. `now` is the timestamp of the next call; set it at will.

    `gas_used` is what the last call burned, of a transaction's gas all but the intrinsic part (see `intrinsic_gas`).
    """

    def __init__(self, database: AtomicDB, root: bytes, now: int) -> None:
        self._database = database
        self.now = now
        self.gas_used = 0
        context = ExecutionContext(
            coinbase=ZERO_ADDRESS,
            timestamp=now,
            block_number=1,  # type: ignore[arg-type]
            difficulty=0,
            mix_hash=bytes(32),  # type: ignore[arg-type]
            gas_limit=GAS,
            prev_hashes=[],
            chain_id=CHAIN_ID,
            base_fee_per_gas=0,
            excess_blob_gas=0,
        )
        self._state: Any = CancunVM.get_state_class()(database, context, root)  # type: ignore[arg-type]
        self._errors: dict[bytes, tuple[str, tuple[str, ...]]] = {}

    @classmethod
    def empty(cls, now: int) -> "Evm":
        """A state without accounts."""
        return cls(AtomicDB(), BLANK_ROOT, now)

    def persist(self) -> bytes:
        """Writes the state to the database; its root, from which `at` starts again."""
        self._state.persist()
        return bytes(self._state.state_root)

    def at(self, root: bytes) -> "Evm":
        """A fresh state that begins at `root`."""
        other = Evm(self._database, root, self.now)
        other._errors = self._errors
        return other

    def deploy(self, sender: ChecksumAddress, name: str, constructor: tuple[str, ...], *values: Any) -> "Contract":
        """Creates the contract of the artifact `name`; `constructor`: its argument types."""
        found = artifact(name)
        code = bytes.fromhex(found["bytecode"].removeprefix("0x")) + encode(constructor, values)
        return self.create(sender, code, Abi(found["abi"]))

    def create(self, sender: ChecksumAddress, code: bytes, abi: Abi) -> "Contract":
        """Creates a contract from creation code."""
        origin = _raw(sender)
        nonce = self._state.get_nonce(origin)
        address = keccak(_rlp_address_nonce(origin, nonce))[-20:]
        self._state.increment_nonce(origin)
        self._run(Message(GAS, b"", origin, 0, b"", code, create_address=address), create=True)  # type: ignore[arg-type]
        self._state.lock_changes()
        self._errors.update(abi.errors)
        return Contract(self, address, abi)

    def transact(self, sender: ChecksumAddress, to: bytes, data: bytes) -> bytes:
        """Executes a call and keeps its effects. Raises Reverted, and then nothing has changed."""
        try:
            return self._run(self._message(sender, to, data), create=False)
        finally:
            self._state.clear_transient_storage()
            self._state.lock_changes()

    def call(self, sender: ChecksumAddress, to: bytes, data: bytes) -> bytes:
        """Executes a call and drops its effects. Raises Reverted."""
        snapshot = self._state.snapshot()
        try:
            return self._run(self._message(sender, to, data), create=False)
        finally:
            self._state.revert(snapshot)

    def _message(self, sender: ChecksumAddress, to: bytes, data: bytes) -> Message:
        return Message(GAS, to, _raw(sender), 0, data, self._state.get_code(to))  # type: ignore[arg-type]

    def _run(self, message: Message, *, create: bool) -> bytes:
        state = self._state
        state.execution_context._timestamp = self.now
        context = state.get_transaction_context_class()(gas_price=0, origin=message.sender)
        apply = state.computation_class.apply_create_message if create else state.computation_class.apply_message
        computation = apply(state, message, context)
        self.gas_used = computation.get_gas_used()
        if computation.is_error:
            raise self._decoded(bytes(computation.output), computation.error)
        return bytes(computation.output)

    def _decoded(self, data: bytes, cause: Exception) -> Exception:
        known = self._errors.get(data[:4])
        if known is None:
            return AssertionError(f"reverted with {data.hex() or cause!r}")
        name, types = known
        return Reverted(name, *(_plain(value) for value in decode(types, data[4:])))


class Contract:
    """One deployed contract."""

    def __init__(self, evm: Evm, address: bytes, abi: Abi) -> None:
        self.evm = evm
        self.raw = address
        self.address = to_checksum_address(address)
        self.abi = abi

    def within(self, evm: Evm) -> "Contract":
        """The same contract in another state."""
        return Contract(evm, self.raw, self.abi)

    def send(self, sender: ChecksumAddress, function: str, *values: Any) -> Any:
        """A transaction; the decoded result."""
        return self._decoded(function, self.evm.transact(sender, self.raw, self.calldata(function, *values)))

    def read(self, function: str, *values: Any) -> Any:
        """A view; the decoded result."""
        sender = to_checksum_address(ZERO_ADDRESS)
        return self._decoded(function, self.evm.call(sender, self.raw, self.calldata(function, *values)))

    def calldata(self, function: str, *values: Any) -> bytes:
        """The call as bytes."""
        return self._encoded(function, values)

    def _encoded(self, function: str, values: tuple[Any, ...]) -> bytes:
        known = self.abi.functions[function]
        return known.selector + encode(known.inputs, values)

    def _decoded(self, function: str, data: bytes) -> Any:
        values = tuple(_plain(value) for value in decode(self.abi.functions[function].outputs, data))
        return values[0] if len(values) == 1 else values


def intrinsic_gas(data: bytes) -> int:
    """What a transaction with this calldata costs before anything is executed."""
    return 21_000 + sum(16 if byte else 4 for byte in data)


def _plain(value: Any) -> Any:
    """Addresses with checksums, lists as tuples."""
    if isinstance(value, str) and value.startswith("0x") and len(value) == 42:
        return to_checksum_address(value)
    if isinstance(value, list | tuple):
        return tuple(_plain(item) for item in value)
    return value


def _raw(address: ChecksumAddress) -> bytes:
    return bytes.fromhex(address[2:])


def _rlp_address_nonce(address: bytes, nonce: int) -> bytes:
    import rlp

    return bytes(rlp.encode([address, nonce]))
