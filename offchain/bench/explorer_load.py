"""A development chain with as many events as one likes: copies of recorded orders, emitted at the contracts' addresses.

Anvil puts a few bytes of code at each of them that do nothing but emit what they are told. Orders, disputes, accounts
and times are renumbered; orders overlap as they would. What nodes serve, and how, is as real as with our contracts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode as abi_decode
from eth_abi.abi import encode as abi_encode
from eth_typing import ChecksumAddress
from eth_utils.abi import collapse_if_tuple, event_abi_to_log_topic

from offchain.bench.explorer_story import Told, Transactions
from offchain.chain.addresses import Addresses
from offchain.chain.artifacts import load_artifact
from offchain.chain.client import ChainClient, RpcFailure
from offchain.chain.devnet import dev_accounts
from offchain.errors import Bug

GROUPS = 500
"""Casts of accounts that take turns."""
TRANSACTIONS_A_BLOCK = 20
LOGS_A_TRANSACTION = 4
"""At least; a recorded transaction stays whole."""
SENT_AT_ONCE = 200
GAS = 100_000_000
DIRECTOR: ChecksumAddress = ChecksumAddress("0x00000000000000000000000000000000000D1EC7")  # type: ignore[arg-type]
YEAR = 365 * 24 * 3600

# Emits one log: calldata is the number of topics (one word), the topics, the data.
_OPS = {
    "ADD": 0x01, "SUB": 0x03, "MUL": 0x02, "LT": 0x10, "EQ": 0x14, "ISZERO": 0x15, "AND": 0x16, "SHR": 0x1C,
    "CALLDATALOAD": 0x35, "CALLDATASIZE": 0x36, "CALLDATACOPY": 0x37, "POP": 0x50, "MLOAD": 0x51, "JUMP": 0x56,
    "JUMPI": 0x57, "GAS": 0x5A, "JUMPDEST": 0x5B, "DUP1": 0x80, "DUP2": 0x81, "DUP3": 0x82, "DUP4": 0x83, "DUP7": 0x86,
    "SWAP1": 0x90, "LOG1": 0xA1, "LOG2": 0xA2, "LOG3": 0xA3, "LOG4": 0xA4, "CALL": 0xF1, "REVERT": 0xFD, "STOP": 0x00,
}  # fmt: skip


def assemble(text: str) -> bytes:
    """Code of a few words: operations, `0x..` to push a byte or more, `@name` to push a label, `name:` to set it."""
    places: dict[str, int] = {}
    code = bytearray()
    holes: list[tuple[int, str]] = []
    for word in text.split():
        if word.endswith(":"):
            places[word[:-1]] = len(code)
            code.append(_OPS["JUMPDEST"])
        elif word.startswith("@"):
            holes.append((len(code) + 1, word[1:]))
            code += b"\x61\0\0"
        elif word.startswith("0x"):
            value = bytes.fromhex(word[2:])
            code += bytes([0x5F + len(value)]) + value
        else:
            code.append(_OPS[word])
    for place, name in holes:
        code[place : place + 2] = places[name].to_bytes(2, "big")
    return bytes(code)


def _emitter() -> bytes:
    branches, bodies = "", ""
    for count in range(1, 5):
        branches += f"0x00 CALLDATALOAD 0x{count:02x} EQ @log{count} JUMPI "
        topics = " ".join(f"0x{32 * place:02x} CALLDATALOAD" for place in range(count, 0, -1))
        start = f"0x{32 * (count + 1):02x}"
        bodies += f"log{count}: {topics} {start} CALLDATASIZE SUB {start} LOG{count} STOP "
    return assemble("CALLDATASIZE 0x00 0x00 CALLDATACOPY " + branches + "0x00 0x00 REVERT " + bodies)


EMITTER = _emitter()

# Calls others in turn: calldata is address (20 bytes), length (4 bytes), that many bytes; and so on.
CALLER = assemble(
    """
    0x00 loop:
    CALLDATASIZE DUP2 LT ISZERO @end JUMPI
    DUP1 CALLDATALOAD DUP1 0x60 SHR SWAP1 0x40 SHR 0xffffffff AND
    DUP1 DUP4 0x18 ADD 0x00 CALLDATACOPY
    0x00 0x00 DUP3 0x00 0x00 DUP7 GAS CALL ISZERO @fail JUMPI
    SWAP1 POP ADD 0x18 ADD @loop JUMP
    fail: 0x00 0x00 REVERT
    end: STOP
    """
)


@dataclass(frozen=True, slots=True)
class _Patch:
    """A word of a log that differs from copy to copy: `place` in bytes; `what` and `number` say by what."""

    place: int
    what: str
    number: int


@dataclass(frozen=True, slots=True)
class _Template:
    """A log: what the emitter is told, and what changes."""

    address: bytes
    payload: bytes
    patches: tuple[_Patch, ...]


@dataclass(frozen=True, slots=True)
class Copies:
    """One recorded order, ready to be copied."""

    bonds: tuple[tuple[_Template, ...], ...]
    order: tuple[tuple[_Template, ...], ...]
    disputes: int

    @property
    def events(self) -> int:
        """Of one copy of the order."""
        return sum(len(logs) for logs in self.order)


def copies_of(told: Told, addresses: Addresses, start: int) -> Copies:
    """Templates of a recorded order. `start`: the timestamp of the chain's first block, before all of it."""
    entries = _entries(addresses)

    def made(transactions: Transactions) -> tuple[tuple[_Template, ...], ...]:
        return tuple(tuple(_template(log, entries, told, start) for log in logs) for logs in transactions)

    order = made(told.order)
    disputes = sum(patch.what == "opened" for logs in order for log in logs for patch in log.patches)
    return Copies(made(told.bonds), order, disputes)


def _entries(addresses: Addresses) -> dict[tuple[str, str], tuple[str, dict[str, Any]]]:
    return {
        (addresses.of(name).lower(), "0x" + event_abi_to_log_topic(entry).hex()): (name, entry)  # type: ignore[arg-type]
        for name in addresses.contracts
        for entry in load_artifact(name).abi
        if entry["type"] == "event"
    }


class _Marks:
    """Replaces what differs from copy to copy by values that are found again in the encoding."""

    def __init__(self, told: Told, start: int) -> None:
        self._told = told
        self._start = start
        self._cast = {account.lower(): place for place, account in enumerate(told.cast)}
        self.found: dict[bytes, tuple[str, int]] = {}

    def value(self, contract: str, item: dict[str, Any], value: Any) -> Any:
        """The value itself, or a mark."""
        kind, name = item["type"], item["name"]
        if kind.endswith("[]"):
            return [self.value(contract, {**item, "type": kind[:-2]}, each) for each in value]
        if kind == "tuple":
            return tuple(self.value(contract, part, each) for part, each in zip(item["components"], value, strict=True))
        if kind == "address":
            place = self._cast.get(value.lower())
            return value if place is None else "0x" + self._mark("account", place)[12:].hex()
        what = self._number(contract, kind, name, value)
        if what is None:
            return value
        mark = self._mark(*what, bits=int(kind[4:]) if kind.startswith("uint") else 256)
        return mark if kind == "bytes32" else int.from_bytes(mark, "big")

    def _number(self, contract: str, kind: str, name: str, value: Any) -> tuple[str, int] | None:
        if name == "oid" or (name == "ref" and value == self._told.oid.to_bytes(32, "big")):
            return "oid", 0
        if contract == "DisputeCourt" and name == "id":
            return "dispute", value - self._told.disputes - 1
        if name == "sequence" and contract == "RewardTreasury":
            return "oid", 0
        if kind.startswith("uint") and isinstance(value, int) and self._start <= value < self._start + YEAR:
            return "time", value - self._start
        return None

    def _mark(self, what: str, number: int, bits: int = 160) -> bytes:
        size = min(bits, 160) // 8
        seed = (0xA5A5 << 16) + len(self.found) + 1
        mark = bytes(32 - size) + (seed.to_bytes(4, "big") * 8)[:size]
        self.found[mark] = (what, number)
        return mark


def _template(log: dict[str, Any], entries: dict[Any, tuple[str, dict[str, Any]]], told: Told, start: int) -> _Template:
    contract, entry = entries[log["address"].lower(), log["topics"][0]]
    marks = _Marks(told, start)
    inputs = entry["inputs"]
    indexed = [item for item in inputs if item["indexed"]]
    plain = [item for item in inputs if not item["indexed"]]
    topics = [bytes.fromhex(topic[2:]) for topic in log["topics"]]
    data = bytes.fromhex(log["data"][2:])
    kinds = [collapse_if_tuple(item) for item in plain]
    values = [marks.value(contract, item, value) for item, value in zip(plain, abi_decode(kinds, data), strict=True)]
    marked = [
        abi_encode([item["type"]], [marks.value(contract, item, abi_decode([item["type"]], topic)[0])])
        for item, topic in zip(indexed, topics[1:], strict=True)
    ]
    payload = len(topics).to_bytes(32, "big") + topics[0] + b"".join(marked) + abi_encode(kinds, values)
    patches = []
    for place in range(0, len(payload) - 31, 32):
        found = marks.found.get(payload[place : place + 32])
        if found is not None:
            patches.append(_Patch(place, *found))
    if contract == "DisputeCourt" and entry["name"] == "Opened":
        patches.append(_Patch(0, "opened", len(topics)))
    return _Template(bytes.fromhex(log["address"][2:]), payload, tuple(patches))


class Load:
    """Emits copies on a development chain."""

    def __init__(self, client: ChainClient, addresses: Addresses, kinds: Sequence[Copies]) -> None:
        self._client = client
        self._kinds = kinds
        self._sender = dev_accounts(1)[0].address
        self._oid = self._disputes = 0
        self._begun = client.now()
        for name in addresses.contracts:
            client.request("anvil_setCode", addresses.of(name), "0x" + EMITTER.hex())
        client.request("anvil_setCode", DIRECTOR, "0x" + CALLER.hex())

    def emit(self, orders: int, events: int) -> int:
        """Emits `orders` orders in about `events` events; how many events it were."""
        self._client.request("evm_setAutomine", False)
        count, block, waiting, emitted = 0, [], 0, 0
        calls: list[bytes] = []
        for logs in self._script(orders, events):
            calls.append(b"".join(logs))
            emitted += len(logs)
            waiting += len(logs)
            if waiting >= LOGS_A_TRANSACTION:
                block.append(b"".join(calls))
                calls, waiting = [], 0
            if len(block) == TRANSACTIONS_A_BLOCK:
                self._mine(block)
                count, block = count + len(block), []
        block += [b"".join(calls)] if calls else []
        self._mine(block)
        self._client.request("evm_setAutomine", True)
        return emitted

    def _mine(self, calls: Sequence[bytes]) -> None:
        requests = [
            (
                "eth_sendTransaction",
                [{"from": self._sender, "to": DIRECTOR, "gas": hex(GAS), "data": "0x" + data.hex()}],
            )
            for data in calls
        ]
        for answer in self._client.batch([*requests, ("evm_mine", [])]):
            if isinstance(answer, RpcFailure):
                raise Bug(f"Anvil refused to emit: {answer.message}")

    def _script(self, orders: int, events: int) -> Iterator[list[bytes]]:
        """The transactions in their order: the bonds of all casts, then overlapping orders."""
        groups = min(GROUPS, orders)
        bonds = self._kinds[0].bonds
        spent = 0
        for group in range(groups):
            for logs in bonds:
                spent += len(logs)
                yield [self._made(log, 0, 0, group, self._begun) for log in logs]
        few, many = self._kinds[0].events, self._kinds[1].events
        share = min(max(((events - spent) / orders - few) / (many - few), 0.0), 1.0)
        active: list[Iterator[list[bytes]]] = []
        due = 0.0
        for number in range(orders):
            due += share
            disputed = due >= 1.0
            due -= 1.0 if disputed else 0.0
            active.append(self._order(self._kinds[1 if disputed else 0], number % groups))
            # All go on by one transaction when one begins: so many are under way, and stay open at the end, as there
            # are transactions in an order.
            yield from self._turn(active)
        yield from self._turn(active)  # the last one's approval came first: now it is put too

    def _turn(self, active: list[Iterator[list[bytes]]]) -> Iterator[list[bytes]]:
        for story in list(active):
            logs = next(story, None)
            if logs is None:
                active.remove(story)
            else:
                yield logs

    def _order(self, copies: Copies, group: int) -> Iterator[list[bytes]]:
        self._oid += 1
        oid, dispute = self._oid, self._disputes + 1
        self._disputes += copies.disputes
        begun = self._begun + oid
        for logs in copies.order:
            yield [self._made(log, oid, dispute, group, begun) for log in logs]

    def _made(self, log: _Template, oid: int, dispute: int, group: int, begun: int) -> bytes:
        payload = bytearray(log.payload)
        for patch in log.patches:
            match patch.what:
                case "oid":
                    value = oid
                case "dispute":
                    value = dispute + patch.number
                case "time":
                    value = begun + patch.number
                case "account":
                    value = int.from_bytes(b"\xac" * 10, "big") << 64 | (patch.number << 32) | (group + 1)
                case _:
                    value = patch.number
            payload[patch.place : patch.place + 32] = value.to_bytes(32, "big")
        return log.address + len(payload).to_bytes(4, "big") + bytes(payload)
