"""Decoded arguments and terms as JSON. What has up to 48 bits is a number, what may have more is decimal text."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import IntEnum
from functools import cache
from typing import Any, get_type_hints

from offchain.chain.artifacts import load_artifact
from offchain.storage.cid import Cid
from offchain.types import CidDigest, Wei

SMALL_BITS = 48
MOST_BYTES = 512
"""Of a `bytes` argument; what is longer is cut, for the transaction has it."""
MOST_TEXT = 500
MOST_ITEMS = 4_096

AbiEntry = Mapping[str, Any]


def arguments_json(contract: str, name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of an event by their names in the ABI. Structs become objects, enumerations names."""
    inputs = _inputs(contract, name)
    return {key: shown(inputs[key], value) for key, value in arguments.items() if key in inputs}


def shown(item: AbiEntry, value: Any) -> Any:
    """One value of an ABI type."""
    kind = str(item["type"])
    if kind.endswith("]"):
        inner = {**item, "type": kind[: kind.rindex("[")]}
        return [shown(inner, element) for element in value[:MOST_ITEMS]]
    if kind == "tuple":
        return _struct(item["components"], value)
    if isinstance(value, IntEnum):
        return value.name.lower()
    if kind.startswith(("uint", "int")):
        return int(value) if _bits(kind) <= SMALL_BITS else str(value)
    if isinstance(value, bytes):
        return "0x" + value[:MOST_BYTES].hex() + ("…" if len(value) > MOST_BYTES else "")
    return value[:MOST_TEXT] if isinstance(value, str) else value


def terms_json(record: Any) -> dict[str, Any]:
    """A frozen dataclass by its field names: amounts as text, CIDs and bytes likewise, enumerations as names."""
    hints = _hints(type(record))  # type: ignore[arg-type]  # classes are hashable
    return {field.name: _field(hints[field.name], getattr(record, field.name)) for field in fields(record)}


def _struct(components: Sequence[AbiEntry], value: Any) -> dict[str, Any]:
    values = [getattr(value, field.name) for field in fields(value)] if is_dataclass(value) else list(value)
    return {str(part["name"]): shown(part, item) for part, item in zip(components, values, strict=True)}


def _bits(kind: str) -> int:
    digits = kind.lstrip("uint")
    return int(digits) if digits else 256


def _field(hint: Any, value: Any) -> Any:
    if is_dataclass(value):
        return terms_json(value)
    if isinstance(value, IntEnum):
        return value.name.lower()
    if hint is Wei or (isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > SMALL_BITS):
        return str(value)
    if isinstance(value, bytes):
        return str(Cid.of(value)) if hint is CidDigest else "0x" + value.hex()
    return [_field(None, item) for item in value] if isinstance(value, (tuple, list)) else value


@cache
def _hints(kind: type[Any]) -> dict[str, Any]:
    return get_type_hints(kind)


@cache
def _inputs(contract: str, name: str) -> dict[str, AbiEntry]:
    for entry in load_artifact(contract).abi:
        if entry["type"] == "event" and entry["name"] == name:
            return {str(item["name"]): item for item in entry["inputs"]}
    return {}
