"""What the desk says: why something is to be signed, and errors by the names of its own fields. Pure."""

import re
from dataclasses import dataclass

_FLAG = re.compile(r"(?<![\w-])--([a-z]+(?:-[a-z]+)*)\b")

_MOVES = {
    "post-sums": "show the sums of the samples in play",
    "pick-sum": "pick a sum that is false",
    "post-trace": "show the tensors of the sample in play",
    "pick-tensor": "pick the first tensor that is false",
    "post-hashes": "show the hashes below the tensor in play",
    "pick-hash": "pick a hash that is false",
    "post-chunk": "show the chunk in play",
    "compute": "have the false element computed",
    "contest": "ask for the parts of the false element",
    "post-parts": "show the parts of the element in play",
    "compute-part": "have the false part computed",
    "contest-part": "ask for the parts of the false part",
}


_ABOUT_ORDERS = {
    "put": "Puts your order, and its reward into escrow.",
    "approve": "Lets the order book take the reward of your order, and no more.",
    "release-test": "Releases the test set of your order {oid}: without it the providers share the reward.",
    "seal": "Order {oid} is over: seals it, so that everybody is paid.",
    "answer": "Somebody asks for data of order {oid} that you answer for: shows it before it is void.",
    "challenge": "Challenges the score that {validator} gave model {model} of order {oid}.",
    "fill": "Puts the true score of model {model} of order {oid} in the emptied place of {validator}.",
}
_ENDINGS = {
    "time-out": "The other side of dispute {} is late: ends it, and you have won.",
    "dismiss": "What dispute {} is about does not count any more: ends it.",
}


@dataclass(frozen=True, slots=True)
class Why:
    """Why something is to be signed, in a sentence, and what it is about."""

    text: str
    oid: int | None
    dispute: int | None = None


def explain(key: str, label: str) -> Why:
    """Says what an intent of the workers is for, by its idempotency key `WHAT:OID[:MORE]`. `label`: its function."""
    what, *rest = key.partition("#")[0].split(":")
    oid = int(rest[0]) if rest and rest[0].isdigit() else None
    number = int(rest[1]) if len(rest) > 1 and rest[1].isdigit() else None
    if what in _ABOUT_ORDERS:
        more = dict(zip(("validator", "model"), rest[1:], strict=False))
        return Why(_ABOUT_ORDERS[what].format_map({"oid": oid, "validator": "", "model": "", **more}), oid)
    if oid is None or number is None:
        return Why(f"Calls {label}.", oid)
    if what in _ENDINGS:
        return Why(_ENDINGS[what].format(number), oid, number)
    move = _MOVES.get(what, what.replace("-", " "))
    return Why(f"Your move in dispute {number}: {move}. Who does not move in time loses.", oid, number)


def field_of(message: str) -> str | None:
    """The field that an error names by its flag, if it names one."""
    found = _FLAG.search(message)
    return None if found is None else found.group(1).replace("-", "_")


def in_fields(message: str) -> str:
    """The error in one line, with the desk's fields in the place of flags of the command line."""
    plain = _FLAG.sub(lambda found: found.group(1).replace("-", "_"), message)
    return " ".join(plain.split())
