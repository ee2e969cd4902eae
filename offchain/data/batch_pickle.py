"""Reads the few things a CIFAR python batch contains out of a pickle without unpickling it.

A pickle is a program for a stack machine, and running it runs whatever its author wrote. Here the standard library's
`pickletools.genops` only splits the file into opcodes; a closed set of them is interpreted as data (dicts, lists,
tuples, numbers, strings, and the one spelling of a uint8 NumPy array), names are never imported, and anything else is
refused.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from offchain.errors import Rejected

_MAX_DEPTH: Final = 64


@dataclass(frozen=True, slots=True)
class _Name:
    """A global that the pickle mentions; never looked up."""

    text: str


@dataclass(frozen=True, slots=True)
class _Dtype:
    code: str


class _Array:
    """An array under construction; `value` is set by BUILD."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value: npt.NDArray[np.uint8] | None = None


class _Mark:
    pass


class _Budget:
    """Bounds the work on a pickle that refers to the same part again and again."""

    def __init__(self, name: str, left: int) -> None:
        self.name = name
        self.left = left

    def spend(self, amount: int) -> None:
        self.left -= amount
        if self.left < 0:
            raise Rejected(f"{self.name}: expands far beyond its size; refused")


_RECONSTRUCT = ("numpy.core.multiarray _reconstruct", "numpy._core.multiarray _reconstruct")
_NAMES = frozenset({*_RECONSTRUCT, "numpy ndarray", "numpy dtype", "_codecs encode"})
_LITERALS: Final[dict[str, Callable[[], Any]]] = {
    "EMPTY_DICT": dict,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "MARK": _Mark,
}
_CONSTANTS = frozenset(
    {
        *("BININT", "BININT1", "BININT2", "LONG1", "BINSTRING", "SHORT_BINSTRING", "BINUNICODE", "SHORT_BINUNICODE"),
        *("BINBYTES", "SHORT_BINBYTES"),
    }
)
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


def read_batch(data: bytes, *, name: str) -> dict[str, Any]:
    """The dict that `data` describes: text keys; values are lists, tuples, numbers, text, bytes and uint8 arrays.

    Raises Rejected, beginning with `name`, for every other content.
    """
    budget = _Budget(name, 4 * len(data) + 64)
    machine = _Machine(name, budget)
    try:
        for opcode, argument, _ in pickletools.genops(data):
            machine.step(opcode.name, argument)
    except (ValueError, IndexError, KeyError, TypeError, OverflowError, UnicodeDecodeError) as error:
        raise Rejected(f"{name}: not a CIFAR python batch ({type(error).__name__}: {error})") from None
    result = machine.result
    if not isinstance(result, dict):
        raise Rejected(f"{name}: not a CIFAR python batch (its top level is no dict)")
    return {_text(key): _finished(value, budget, 0) for key, value in result.items()}


class _Machine:
    """The pickle stack machine, reduced to data."""

    def __init__(self, name: str, budget: _Budget) -> None:
        self.name = name
        self.budget = budget
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.result: Any = None

    def step(self, opcode: str, argument: Any) -> None:
        if opcode in _CONSTANTS:
            self.stack.append(argument)
        elif opcode in _LITERALS:
            self.stack.append(_LITERALS[opcode]())
        elif opcode in _TUPLES:
            self.stack.append(self._pop(_TUPLES[opcode]))
        elif opcode not in ("PROTO", "FRAME"):
            handler = _HANDLERS.get(opcode)
            if handler is None:
                raise Rejected(f"{self.name}: holds the pickle opcode {opcode}, which no CIFAR batch needs; refused")
            handler(self, argument)

    def put(self, argument: Any) -> None:
        self.memo[len(self.memo) if argument is None else argument] = self.stack[-1]

    def get(self, argument: Any) -> None:
        self.stack.append(self.memo[argument])

    def name_global(self, argument: Any) -> None:
        text = " ".join(_text(part) for part in self._pop(2)) if argument is None else str(argument)
        if text not in _NAMES:
            raise Rejected(f"{self.name}: the pickle asks for {text[:60]!r}, which no CIFAR batch needs; refused")
        self.stack.append(_Name(text))

    def reduce(self, _argument: Any) -> None:
        function, arguments = self._pop(2)
        if not isinstance(function, _Name) or not isinstance(arguments, tuple):
            raise ValueError("REDUCE of something else than an array")
        if function.text in _RECONSTRUCT and arguments[:1] == (_Name("numpy ndarray"),):
            self.stack.append(_Array())
        elif function.text == "numpy dtype":
            self.stack.append(_Dtype(_text(arguments[0])))
        elif function.text == "_codecs encode" and _text(arguments[1]) == "latin1":
            text = _text(arguments[0])
            self.budget.spend(len(text))
            self.stack.append(text.encode("latin-1"))
        else:
            raise ValueError(f"call of {function.text}")

    def build(self, _argument: Any) -> None:
        state = self.stack.pop()
        target = self.stack[-1]
        if isinstance(target, _Array):
            target.value = _array(state, self.budget)
        elif not isinstance(target, _Dtype):
            raise ValueError("BUILD of something else than an array")

    def tuple_(self, _argument: Any) -> None:
        self.stack.append(tuple(self._to_mark()))

    def append(self, _argument: Any) -> None:
        (item,) = self._pop(1)
        self._list().append(item)

    def appends(self, _argument: Any) -> None:
        items = self._to_mark()
        self._list().extend(items)

    def set_item(self, _argument: Any) -> None:
        key, value = self._pop(2)
        self._dict()[_text(key)] = value

    def set_items(self, _argument: Any) -> None:
        items = self._to_mark()
        target = self._dict()
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[_text(key)] = value

    def stop(self, _argument: Any) -> None:
        (self.result,) = self._pop(1)
        if self.stack:
            raise ValueError("values left over at its end")

    def _list(self) -> list[Any]:
        if not isinstance(self.stack[-1], list):
            raise ValueError("APPENDS to something else than a list")
        return self.stack[-1]

    def _dict(self) -> dict[str, Any]:
        if not isinstance(self.stack[-1], dict):
            raise ValueError("SETITEMS of something else than a dict")
        return self.stack[-1]

    def _pop(self, count: int) -> tuple[Any, ...]:
        if len(self.stack) < count or any(isinstance(item, _Mark) for item in self.stack[-count:]):
            raise ValueError("stack underflow")
        items = tuple(self.stack[-count:])
        del self.stack[-count:]
        return items

    def _to_mark(self) -> list[Any]:
        for place in range(len(self.stack) - 1, -1, -1):
            if isinstance(self.stack[place], _Mark):
                items = self.stack[place + 1 :]
                del self.stack[place:]
                return items
        raise ValueError("no mark on the stack")


_HANDLERS: Final[dict[str, Callable[[_Machine, Any], None]]] = {
    "BINPUT": _Machine.put,
    "LONG_BINPUT": _Machine.put,
    "MEMOIZE": _Machine.put,
    "BINGET": _Machine.get,
    "LONG_BINGET": _Machine.get,
    "GLOBAL": _Machine.name_global,
    "STACK_GLOBAL": _Machine.name_global,
    "REDUCE": _Machine.reduce,
    "BUILD": _Machine.build,
    "TUPLE": _Machine.tuple_,
    "APPEND": _Machine.append,
    "APPENDS": _Machine.appends,
    "SETITEM": _Machine.set_item,
    "SETITEMS": _Machine.set_items,
    "STOP": _Machine.stop,
}


def _array(state: Any, budget: _Budget) -> npt.NDArray[np.uint8]:
    """An array from ndarray's `__setstate__` tuple (version, shape, dtype, is_fortran, raw bytes)."""
    _, shape, dtype, fortran, content = state
    budget.spend(len(content))
    raw = content.encode("latin-1") if isinstance(content, str) else content
    if not isinstance(dtype, _Dtype) or dtype.code != "u1" or not isinstance(raw, bytes):
        raise ValueError("an array of another type than unsigned bytes")
    if not isinstance(shape, tuple) or not all(type(side) is int and side >= 0 for side in shape):
        raise ValueError("an array of a malformed shape")
    if prod(shape) != len(raw):
        raise ValueError(f"an array of shape {list(shape)} with {len(raw)} bytes")
    return np.frombuffer(raw, dtype=np.uint8).reshape(shape, order="F" if fortran else "C")


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if not isinstance(value, str):
        raise ValueError("a key or name that is no text")
    return value


def _finished(value: Any, budget: _Budget, depth: int) -> Any:
    name = budget.name
    budget.spend(1)
    if depth > _MAX_DEPTH:
        raise Rejected(f"{name}: nested more than {_MAX_DEPTH} deep; refused")
    if isinstance(value, _Array):
        if value.value is None:
            raise Rejected(f"{name}: holds an array without content; refused")
        return value.value
    if isinstance(value, _Name | _Dtype | _Mark | dict):
        raise Rejected(f"{name}: holds a {type(value).__name__.strip('_').lower()} where data belongs; refused")
    if isinstance(value, list | tuple):
        return type(value)(_finished(item, budget, depth + 1) for item in value)
    return value
