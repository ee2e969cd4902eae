"""Moves spoilt at random in ways that the ABI can still say: wrong counts, values, proofs, indices, oversized lists."""

import dataclasses
from typing import Any

from offchain.dispute.moves import Move
from tests.simulation.dispute_worlds import Generator

FIXED = frozenset({"input_shape", "shape", "inputs", "kernel", "stride", "padding", "multipliers"})
"""Fields that are arrays of a fixed length in Solidity."""
DYNAMIC_BYTES = frozenset({"output", "data", "chunk"})
SIGNED = frozenset({"low", "high", "bias", "label"})
_INT64 = range(-(2**63), 2**63)
_UINT32 = range(2**32)
_WORD = range(2**256)
_INT256 = range(-(2**255), 2**255)


def mutate(rng: Generator, move: Move) -> Move:
    """The move with one thing in it changed."""
    field = _choose(rng, dataclasses.fields(move))
    changed = _mutated(rng, field.name, getattr(move, field.name))
    return dataclasses.replace(move, **{field.name: changed})


def _mutated(rng: Generator, name: str, value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        field = _choose(rng, dataclasses.fields(value))
        return dataclasses.replace(value, **{field.name: _mutated(rng, field.name, getattr(value, field.name))})
    if isinstance(value, tuple):
        return _mutated_list(rng, name, value)
    if isinstance(value, bytes):
        return _mutated_bytes(rng, value, fixed=name not in DYNAMIC_BYTES)
    return _mutated_number(rng, value, _range_of(name))


def _mutated_list(rng: Generator, name: str, items: tuple[Any, ...]) -> tuple[Any, ...]:
    kind = int(rng.integers(6))
    if name in FIXED or (items and kind < 2):
        place = int(rng.integers(len(items)))
        return (*items[:place], _mutated(rng, f"item of {name}", items[place]), *items[place + 1 :])
    if not items:
        return (bytes(32),) if name in ("proof", "sample_proof") else items
    match kind:
        case 2:
            return items[:-1]
        case 3:
            return (*items, items[0])
        case 4:
            return ()
        case _:
            return items[::-1] if len(items) > 1 else items * int(rng.choice([2, 33, 600]))


def _mutated_bytes(rng: Generator, value: bytes, *, fixed: bool) -> bytes:
    if not fixed and rng.integers(2):
        return [value[:-1], value + b"\0", b"", value * 3][int(rng.integers(4))]
    if not value:
        return b"\1"
    place = int(rng.integers(len(value)))
    return value[:place] + bytes([value[place] ^ int(rng.integers(1, 256))]) + value[place + 1 :]


def _mutated_number(rng: Generator, value: int, allowed: range) -> int:
    options = [value + 1, value - 1, value + 32, 0, allowed[-1], allowed[0], value ^ 1]
    proper = [option for option in options if option in allowed and option != value]
    return int(proper[int(rng.integers(len(proper)))])


def _range_of(name: str) -> range:
    if name in ("item of sums", "item of parts"):
        return _INT64
    if name == "element":
        return _UINT32
    return _INT256 if name in SIGNED else _WORD


def _choose(rng: Generator, items: Any) -> Any:
    return items[int(rng.integers(len(items)))]
