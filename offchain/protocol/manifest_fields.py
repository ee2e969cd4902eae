"""The kinds of values that occur in manifests: text for people, CIDs, roots, finite numbers."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, Field, PlainSerializer, PlainValidator, WithJsonSchema

from offchain.errors import Rejected
from offchain.storage.cid import Cid
from offchain.types import Root

MAX_TEXT = 200
_ROOT = re.compile(r"0x[0-9a-f]{64}")


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("only printable characters are allowed, no line breaks or control codes")
    return text


def _cid(value: Any) -> Cid:
    if isinstance(value, Cid):
        return value
    if not isinstance(value, str):
        raise ValueError("a CID is text")
    try:
        return Cid.parse(value)
    except Rejected as error:
        raise ValueError(str(error)) from None


def _root(value: Any) -> Root:
    if isinstance(value, bytes) and len(value) == 32:
        return Root(value)
    if isinstance(value, str) and _ROOT.fullmatch(value):
        return Root(bytes.fromhex(value[2:]))
    raise ValueError("a root is 0x and 64 hexadecimal digits in lower case")


def _hex(value: bytes) -> str:
    return "0x" + value.hex()


Text = Annotated[str, Field(min_length=1, max_length=MAX_TEXT), AfterValidator(_printable)]
"""A line that can be shown in a terminal: what strangers wrote must not carry escape codes."""

CidField = Annotated[
    Cid, PlainValidator(_cid), PlainSerializer(str, return_type=str), WithJsonSchema({"type": "string"})
]
"""A CID, in JSON as CIDv0 text."""

RootField = Annotated[
    Root, PlainValidator(_root), PlainSerializer(_hex, return_type=str), WithJsonSchema({"type": "string"})
]
"""A 32-byte Merkle root, in JSON as 0x and hex."""

Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
