"""How values become JSON: wei and sums as decimal text, bytes as 0x…, CIDs as text, enumerations in lower case."""

from enum import Enum
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from offchain.errors import Rejected
from offchain.protocol.scores import ABSTAIN
from offchain.storage.cid import Cid

EXAMPLE_ADDRESS = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
EXAMPLE_HASH = "0x" + "5a" * 32
EXAMPLE_CID = "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG"
EXAMPLE_TIME = 1_767_225_600
NO_CID = bytes(32)


def _hex(value: bytes) -> str:
    return "0x" + value.hex()


def _cid(value: Any) -> Any:
    """Contracts hold digests of CIDs; nothing is 32 zero bytes."""
    if isinstance(value, bytes):
        return None if value == NO_CID else str(Cid(value))  # type: ignore[arg-type]  # whichever digest it is
    return str(value) if isinstance(value, Cid) else value


def _name(value: Any) -> Any:
    return value.name.lower() if isinstance(value, Enum) else value


def _unless_abstained(value: Any) -> Any:
    return None if value == ABSTAIN else value


def _number(what: str, example: str, *, negative: bool = False) -> WithJsonSchema:
    pattern = "^-?[0-9]+$" if negative else "^[0-9]+$"
    return WithJsonSchema({"type": "string", "pattern": pattern, "description": what, "examples": [example]})


Amount = Annotated[int, PlainSerializer(str, return_type=str), _number("wei", "1000000000000000000")]
SignedAmount = Annotated[int, PlainSerializer(str, return_type=str), _number("wei", "-5", negative=True)]
Big = Annotated[int, PlainSerializer(str, return_type=str), _number("a large integer", "42", negative=True)]
ScoreSum = Annotated[
    int | None,
    BeforeValidator(_unless_abstained),
    PlainSerializer(lambda value: None if value is None else str(value), return_type=str | None),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string", "pattern": "^-?[0-9]+$"}, {"type": "null"}],
            "description": "Sum over the test set, as the contracts hold it; null: abstained or unknown.",
            "examples": ["172"],
        }
    ),
]
Hash = Annotated[
    bytes,
    PlainSerializer(_hex, return_type=str),
    WithJsonSchema({"type": "string", "pattern": "^0x[0-9a-f]{64}$", "examples": [EXAMPLE_HASH]}),
]
Bytes = Annotated[
    bytes, PlainSerializer(_hex, return_type=str), WithJsonSchema({"type": "string", "pattern": "^0x([0-9a-f]{2})*$"})
]
Address = Annotated[
    str,
    WithJsonSchema(
        {
            "type": "string",
            "pattern": "^0x[0-9a-fA-F]{40}$",
            "description": "checksummed address",
            "examples": [EXAMPLE_ADDRESS],
        }
    ),
]
CidText = Annotated[str, BeforeValidator(_cid), Field(examples=[EXAMPLE_CID])]
MaybeCid = Annotated[str | None, BeforeValidator(_cid), Field(examples=[EXAMPLE_CID])]
Time = Annotated[int, Field(description="seconds of the chain's clock", examples=[EXAMPLE_TIME])]
Named = BeforeValidator(_name)
"""Beside a Literal of the names of an enumeration, in lower case."""


class Json(BaseModel):
    """Base of all answers: made of dataclasses with fields of the same names."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


def parse_cid(text: str) -> Cid:
    """Raises Rejected, in one line."""
    try:
        return Cid.parse(text)
    except Rejected as error:
        raise Rejected(f"cid: {error}") from None
