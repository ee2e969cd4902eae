"""Logs to events, fast: a reader compiled for each event of the ABIs, with the results of `chain.event_decoder`.

A log of which the fast readers do not know what to make (padding that is not zero, an offset beyond the data, a number
that is no member of its enumeration) is left to that decoder, so the two cannot disagree about odd ones.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from enum import IntEnum
from typing import Any

from eth_abi.exceptions import DecodingError
from eth_typing import ChecksumAddress
from eth_utils.abi import event_abi_to_log_topic
from eth_utils.address import to_checksum_address

from offchain.chain.addresses import Addresses
from offchain.chain.artifacts import load_artifact
from offchain.chain.enums import ENUMS
from offchain.chain.event_decoder import decode_arguments
from offchain.chain.views import STRUCTS
from offchain.errors import Bug

Reader = Callable[[bytes, int, int], Any]
"""(data, where the value's head is, where the tuple it is in begins) -> value."""

Abis = Mapping[ChecksumAddress, tuple[str, tuple[dict[str, Any], ...]]]

MAX_KNOWN_ADDRESSES = 100_000
_ADDRESS_PAD = bytes(12)


class OddLogError(Exception):
    """The fast readers leave this one to the other decoder."""


@dataclasses.dataclass(frozen=True, slots=True)
class EventKind:
    """One event of one contract. `indexed`: how many of its arguments are topics."""

    contract: str
    name: str
    entry: Mapping[str, Any]
    indexed: int


def abis_of(addresses: Addresses) -> Abis:
    """Contract names and ABIs of a deployment, by address."""
    return {addresses.of(name): (name, load_artifact(name).abi) for name in addresses.contracts}


def events_of(abis: Abis) -> Iterator[tuple[ChecksumAddress, str, dict[str, Any]]]:
    """All events (address, contract, ABI entry), in the order of their numbers."""
    for address, (contract, abi) in abis.items():
        for entry in abi:
            if entry["type"] == "event" and not entry.get("anonymous", False):
                yield address, contract, entry


class LogDecoder:
    """Decodes logs of the contracts at `abis`' addresses. Not thread-safe where `checksum` grows: one for each thread.

    A log's `raw` bytes are its topics but the first, and its data: with the kind of event all that is to be kept.
    """

    def __init__(self, abis: Abis) -> None:
        self.addresses = tuple(abis)
        self.address_of = {contract: address for address, (contract, _) in abis.items()}
        self._known: dict[bytes, ChecksumAddress] = {}
        self.kinds: list[EventKind] = []
        self._readers: list[tuple[tuple[str, Reader, int, int], ...]] = []
        self._by_topic: dict[tuple[str, str], int] = {}
        for address, contract, entry in events_of(abis):
            topic = "0x" + event_abi_to_log_topic(entry).hex()  # type: ignore[arg-type]  # a TypedDict from JSON
            self._by_topic[address.lower(), topic] = len(self.kinds)
            self._add(contract, entry)
        self.kind_of = {(kind.contract, kind.name): number for number, kind in enumerate(self.kinds)}

    def _add(self, contract: str, entry: Mapping[str, Any]) -> None:
        inputs = entry["inputs"]
        indexed = sum(item["indexed"] for item in inputs)
        self.kinds.append(EventKind(contract, entry["name"], entry, indexed))
        topic, head, base = 0, 32 * indexed, 32 * indexed
        readers = []
        for item in inputs:
            if item["indexed"]:
                readers.append((item["name"], self._reader(item), topic, 0))
                topic += 32
            else:
                readers.append((item["name"], self._reader(item), head, base))
                head += _head_size(item)
        self._readers.append(tuple(readers))

    def match(self, log: Mapping[str, Any]) -> tuple[int, bytes] | None:
        """Kind (its place in `kinds`) and raw bytes of a JSON-RPC log; None when it is not one of ours."""
        topics = log["topics"]
        number = self._by_topic.get((log["address"].lower(), topics[0])) if topics else None
        if number is None or len(topics) != self.kinds[number].indexed + 1:
            return None
        return number, bytes.fromhex("".join([topic[2:] for topic in topics[1:]]) + log["data"][2:])

    def arguments(self, kind: int, raw: bytes) -> dict[str, Any] | None:
        """The arguments as `EventDecoder` gives them; None where it gives no event."""
        try:
            return {name: read(raw, head, base) for name, read, head, base in self._readers[kind]}
        except (OddLogError, ValueError, IndexError):
            return self._slowly(self.kinds[kind], raw)

    def _slowly(self, kind: EventKind, raw: bytes) -> dict[str, Any] | None:
        topics = [raw[32 * place : 32 * place + 32] for place in range(kind.indexed)]
        try:
            return decode_arguments(kind.entry, topics, raw[32 * kind.indexed :])
        except (DecodingError, ValueError, OverflowError):
            return None

    def checksum(self, account: bytes) -> ChecksumAddress:
        """The checksummed form of 20 bytes."""
        known = self._known.get(account)
        if known is None:
            if len(self._known) >= MAX_KNOWN_ADDRESSES:
                self._known.clear()
            known = self._known[account] = to_checksum_address(account)
        return known

    # Readers

    def _reader(self, item: Mapping[str, Any]) -> Reader:
        kind = item["type"]
        if kind.endswith("]"):
            return self._list_reader(item)
        if kind == "tuple":
            return self._tuple_reader(item)
        if kind == "address":
            return self._address
        if kind in ("bytes", "string"):
            return _read_bytes if kind == "bytes" else _read_string
        enum = ENUMS.get(_internal(item))
        return _word_reader(kind, enum)

    def _address(self, data: bytes, head: int, _base: int) -> ChecksumAddress:
        account = data[head + 12 : head + 32]
        known = self._known.get(account)
        if len(account) != 20 or data[head : head + 12] != _ADDRESS_PAD:
            raise OddLogError
        return known if known is not None else self.checksum(account)

    def _list_reader(self, item: Mapping[str, Any]) -> Reader:
        kind = item["type"]
        if not kind.endswith("[]"):
            raise Bug(f"no reader for the type {kind}")
        inner = {**item, "type": kind[:-2]}
        element, size = self._reader(inner), _head_size(inner)

        def read(data: bytes, head: int, base: int) -> tuple[Any, ...]:
            start = base + _number(data, head)
            count = _number(data, start)
            first = start + 32
            if first + size * count > len(data):
                raise OddLogError
            return tuple([element(data, first + size * place, first) for place in range(count)])

        return read

    def _tuple_reader(self, item: Mapping[str, Any]) -> Reader:
        parts = item["components"]
        view = STRUCTS.get(_internal(item))
        if view is not None and len(dataclasses.fields(view)) != len(parts):
            raise Bug(f"{view.__name__} has other fields than the ABI")
        places, offset = [], 0
        for part in parts:
            places.append((self._reader(part), offset))
            offset += _head_size(part)
        dynamic = _is_dynamic(item)

        def read(data: bytes, head: int, base: int) -> Any:
            start = base + _number(data, head) if dynamic else head
            values = [reader(data, start + place, start) for reader, place in places]
            return tuple(values) if view is None else view(*values)

        return read


def _internal(item: Mapping[str, Any]) -> str:
    text: str = item.get("internalType", item["type"])
    return text.split("[")[0].split(" ")[-1].split(".")[-1]


def _is_dynamic(item: Mapping[str, Any]) -> bool:
    kind = item["type"]
    if kind in ("bytes", "string") or kind.endswith("]"):
        return True
    return kind == "tuple" and any(_is_dynamic(part) for part in item["components"])


def _head_size(item: Mapping[str, Any]) -> int:
    if item["type"] != "tuple" or _is_dynamic(item):
        return 32
    return sum(_head_size(part) for part in item["components"])


def _number(data: bytes, head: int) -> int:
    """A length or an offset: nothing that an honest log needs is beyond its data."""
    word = data[head : head + 32]
    value = int.from_bytes(word, "big")
    if len(word) != 32 or value > len(data):
        raise OddLogError
    return value


def _read_bytes(data: bytes, head: int, base: int) -> bytes:
    start = base + _number(data, head)
    size = _number(data, start)
    end = start + 32 + size
    padding = data[end : start + 32 + (size + 31) // 32 * 32]
    if end + len(padding) != start + 32 + (size + 31) // 32 * 32 or any(padding):
        raise OddLogError
    return data[start + 32 : end]


def _read_string(data: bytes, head: int, base: int) -> str:
    return _read_bytes(data, head, base).decode("utf-8")


def _word_reader(kind: str, enum: type[IntEnum] | None) -> Reader:
    if kind.startswith("uint"):
        return _uint_reader(int(kind[4:]), enum)
    if kind.startswith("int"):
        return _int_reader(int(kind[3:]))
    if kind == "bool":
        return _read_bool
    if kind.startswith("bytes"):
        return _fixed_reader(int(kind[5:]))
    raise Bug(f"no reader for the type {kind}")


def _uint_reader(bits: int, enum: type[IntEnum] | None) -> Reader:
    limit = 1 << bits
    members: dict[int, IntEnum] | None = None if enum is None else {int(member): member for member in enum}

    def read(data: bytes, head: int, _base: int) -> int:
        word = data[head : head + 32]
        value = int.from_bytes(word, "big")
        if value >= limit or len(word) != 32:
            raise OddLogError
        return value

    def read_member(data: bytes, head: int, base: int) -> int:
        member = members.get(read(data, head, base)) if members is not None else None
        if member is None:
            raise OddLogError
        return member

    return read if members is None else read_member


def _int_reader(bits: int) -> Reader:
    limit = 1 << (bits - 1)

    def read(data: bytes, head: int, _base: int) -> int:
        word = data[head : head + 32]
        value = int.from_bytes(word, "big", signed=True)
        if not -limit <= value < limit or len(word) != 32:
            raise OddLogError
        return value

    return read


def _read_bool(data: bytes, head: int, _base: int) -> bool:
    value = _number(data, head)
    if value > 1:
        raise OddLogError
    return value == 1


def _fixed_reader(size: int) -> Reader:
    padding = bytes(32 - size)

    def read(data: bytes, head: int, _base: int) -> bytes:
        word = data[head : head + 32]
        if len(word) != 32 or word[size:] != padding:
            raise OddLogError
        return word[:size]

    return read
