"""Bounds that a JSON text from a stranger must keep before a parser builds anything from it."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from offchain.errors import Rejected

# The closing quote is optional and the repetition possessive, so that a text of escaped quotes costs linear time too.
_STRUCTURE = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)


def check_json(data: bytes, *, max_bytes: int, max_depth: int) -> None:
    """Raises Rejected unless `data` is one UTF-8 JSON object within the bounds, no key twice, no NaN or infinity.

    Parsers differ about duplicate keys and non-finite numbers; refusing them leaves one meaning for all readers.
    """
    if len(data) > max_bytes:
        raise Rejected(f"{len(data)} bytes of JSON; at most {max_bytes} are allowed")
    if _depth(data) > max_depth:
        raise Rejected(f"JSON is nested deeper than {max_depth} levels")
    try:
        text = data.decode("utf-8")
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse, parse_float=_finite)
    except UnicodeDecodeError as error:
        raise Rejected(f"not UTF-8 at byte {error.start}") from None
    except ValueError as error:
        raise Rejected(f"not valid JSON: {error}") from None
    if not isinstance(value, dict):
        raise Rejected("not a JSON object")


def _depth(data: bytes) -> int:
    """The deepest nesting of brackets outside strings, without building anything."""
    deepest = depth = 0
    for match in _STRUCTURE.finditer(data):
        token = match.group()
        if token in (b"{", b"["):
            depth += 1
            deepest = max(deepest, depth)
        elif token in (b"}", b"]"):
            depth -= 1
    return deepest


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object has the same key twice")
    return found


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"{text[:40]} is too large")
    return value
