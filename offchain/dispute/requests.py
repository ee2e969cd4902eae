"""What can be asked for in the availability game: the twin of the types of `IAvailabilityCourt.sol`."""

from dataclasses import dataclass
from enum import IntEnum

from eth_typing import ChecksumAddress

from offchain.types import OrderId, Seconds, Wei


class Item(IntEnum):
    """A kind of leaf; the values are those of the contract's enum."""

    NONE = 0
    HEADER = 1
    NODE = 2
    UNIT = 3
    WEIGHTS = 4
    SAMPLE = 5


class RequestStatus(IntEnum):
    """Where a request stands; the values are those of the contract's enum."""

    NONE = 0
    OPEN = 1
    ANSWERED = 2
    EXPIRED = 3
    MOOT = 4


@dataclass(frozen=True, slots=True)
class Target:
    """A leaf of a committed root. What an item does not need is 0; `unit` of a SAMPLE is the sample's index."""

    oid: OrderId
    item: Item
    model_index: int = 0
    node: int = 0
    unit: int = 0
    chunk: int = 0


@dataclass(frozen=True, slots=True)
class Request:
    """A request; it can be answered before `deadline`, and expires from then on."""

    asker: ChecksumAddress
    deadline: Seconds
    status: RequestStatus
    bond: Wei
    target: Target

    @property
    def is_open(self) -> bool:
        """Whether nothing has ended it yet; its time may be up."""
        return self.status is RequestStatus.OPEN


_USED: dict[Item, frozenset[str]] = {
    Item.HEADER: frozenset({"model_index"}),
    Item.NODE: frozenset({"model_index", "node"}),
    Item.UNIT: frozenset({"model_index", "node", "unit"}),
    Item.WEIGHTS: frozenset({"model_index", "node", "unit", "chunk"}),
    Item.SAMPLE: frozenset({"unit", "chunk"}),
}


def unused_fields(target: Target) -> tuple[str, ...]:
    """Fields that are not 0 though the item does not need them; the contract wants none (`MalformedTarget`)."""
    used = _USED.get(target.item, frozenset())
    fields = ("model_index", "node", "unit", "chunk")
    return tuple(name for name in fields if getattr(target, name) != 0 and name not in used)


def is_of_test(target: Target) -> bool:
    """Whether it is a leaf of the test set, not of a model."""
    return target.item is Item.SAMPLE


def describe_target(target: Target) -> str:
    """The leaf in words: "model 0, node 7, unit 3, weights chunk 0"."""
    if is_of_test(target):
        return f"sample {target.unit} of the test set, chunk {target.chunk}"
    model = f"model {target.model_index}"
    match target.item:
        case Item.HEADER:
            return f"{model}, header"
        case Item.NODE:
            return f"{model}, node {target.node}"
        case Item.UNIT:
            return f"{model}, node {target.node}, unit {target.unit}"
        case _:
            return f"{model}, node {target.node}, unit {target.unit}, weights chunk {target.chunk}"
