"""How much memory an object holds on to."""

import gc
import sys
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType

_SHARED = (type, ModuleType, FunctionType, BuiltinFunctionType, MethodType)


def weight(thing: object, without: tuple[object, ...] = ()) -> int:
    """Bytes of `thing` and of everything reachable from it, but for code and for what is reachable from `without`."""
    seen = _reachable(list(without), set(), [])
    found: list[object] = []
    _reachable([thing], seen, found)
    return sum(map(sys.getsizeof, found))


def _reachable(waiting: list[object], seen: set[int], found: list[object]) -> set[int]:
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen or isinstance(thing, _SHARED):
            continue
        seen.add(id(thing))
        found.append(thing)
        waiting.extend(gc.get_referents(thing))
    return seen
