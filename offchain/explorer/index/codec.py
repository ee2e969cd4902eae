"""Folded states to JSON text and back: dataclasses as lists of their fields, bytes as hex, enumerations as numbers."""

import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from types import UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from offchain.errors import Bug

State = TypeVar("State")
Convert = Callable[[Any], Any]


def dump(state: Any) -> str:
    """The state (a dataclass) as text."""
    kind: Any = type(state)
    return json.dumps(_encoder(kind)(state), separators=(",", ":"))


def load(kind: type[State], text: str) -> State:
    """The state of class `kind` in a text that `dump` made."""
    hint: Any = kind
    state: State = _decoder(hint)(json.loads(text))
    return state


def _as_is(value: Any) -> Any:
    return value


@cache
def _encoder(hint: Any) -> Convert:
    base, optional = _inner(hint)
    plain = _plain_encoder(base)
    if plain is _as_is or not optional:
        return plain
    return lambda value: None if value is None else plain(value)


def _plain_encoder(base: Any) -> Convert:
    if get_origin(base) is tuple:
        return _tuple_encoder(get_args(base))
    if is_dataclass(base):
        parts = [(field.name, _encoder(hint)) for field, hint in _fields(base)]
        names = [name for name, _ in parts]
        if all(encode is _as_is for _, encode in parts):
            return lambda value: [getattr(value, name) for name in names]
        return lambda value: [encode(getattr(value, name)) for name, encode in parts]
    if base is bytes:
        return bytes.hex
    return _as_is


def _tuple_encoder(arguments: tuple[Any, ...]) -> Convert:
    if len(arguments) == 2 and arguments[1] is ...:
        element = _encoder(arguments[0])
        return list if element is _as_is else lambda value: [element(item) for item in value]
    each = [_encoder(argument) for argument in arguments]
    return lambda value: [encode(item) for encode, item in zip(each, value, strict=True)]


@cache
def _decoder(hint: Any) -> Convert:
    base, optional = _inner(hint)
    plain = _plain_decoder(base)
    if plain is _as_is or not optional:
        return plain
    return lambda value: None if value is None else plain(value)


def _plain_decoder(base: Any) -> Convert:
    if get_origin(base) is tuple:
        return _tuple_decoder(get_args(base))
    if is_dataclass(base):
        each, make = [_decoder(hint) for _, hint in _fields(base)], cast(Any, base)
        return lambda value: make(*[decode(item) for decode, item in zip(each, value, strict=True)])
    if isinstance(base, type) and issubclass(base, Enum):
        return base
    return bytes.fromhex if base is bytes else _as_is


def _tuple_decoder(arguments: tuple[Any, ...]) -> Convert:
    if len(arguments) == 2 and arguments[1] is ...:
        element = _decoder(arguments[0])
        return tuple if element is _as_is else lambda value: tuple([element(item) for item in value])
    each = [_decoder(argument) for argument in arguments]
    return lambda value: tuple([decode(item) for decode, item in zip(each, value, strict=True)])


def _inner(hint: Any) -> tuple[Any, bool]:
    """The type itself, without NewType and None, and whether it may be None."""
    if get_origin(hint) in (Union, UnionType):
        arguments = [argument for argument in get_args(hint) if argument is not type(None)]
        if len(arguments) != 1:
            raise Bug(f"no state has a field of type {hint}")
        return _inner(arguments[0])[0], True
    supertype = getattr(hint, "__supertype__", None)
    return (hint, False) if supertype is None else _inner(supertype)


def _fields(kind: Any) -> list[tuple[Any, Any]]:
    hints = get_type_hints(kind)
    return [(field, hints[field.name]) for field in fields(kind)]
