"""Anything in a report as JSON values: dataclasses as objects, bytes as hex, enumerations by name, wei as integers."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from pydantic import BaseModel


def plain(value: Any) -> Any:
    """The value for `json.dumps`. Raises TypeError for what has no form in JSON."""
    if isinstance(value, Enum):
        return value.name.lower()
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {_key(key): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence | Set):
        return [plain(item) for item in value]
    raise TypeError(f"not JSON: {type(value).__name__}")


def _key(key: Any) -> str:
    return key.name.lower() if isinstance(key, Enum) else str(key)
