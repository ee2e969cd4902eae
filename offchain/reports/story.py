"""What a report about an order is made of: what the chain says, what the store gave, and what was computed from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eth_typing import ChecksumAddress

from offchain.explorer.index import DisputePage, OrderPage
from offchain.model.curves import TrainingAccount
from offchain.protocol.manifest import OrderManifest
from offchain.types import OrderId, Seconds, Wei


@dataclass(frozen=True, slots=True)
class Missing:
    """A part that is not there, and why, in one line."""

    reason: str


@dataclass(frozen=True, slots=True)
class Spending:
    """A transaction and who paid for it. `action`: the contract's event that names it; `fee` in wei of the coin."""

    tx: bytes
    block: int
    payer: ChecksumAddress
    action: str
    gas: int
    fee: Wei


@dataclass(frozen=True, slots=True)
class Confusion:
    """A classifier on the test set: `counts[label][said]`. `outside`: samples whose label is no class of the model.

    `score`: the sum that the protocol counts, computed anew.
    """

    counts: tuple[tuple[int, ...], ...]
    outside: int
    score: int
    samples: int


@dataclass(frozen=True, slots=True)
class Residuals:
    """A regression on the test set: what was said less what is, in label units (`unit`: "steps" if they are unknown).

    `edges` of the histogram's `counts`, one more than those; `mean`, `spread` (standard deviation), `mean_absolute`,
    `largest`; `score` as in `Confusion`.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    mean: float
    spread: float
    mean_absolute: float
    largest: float
    unit: str
    score: int
    samples: int


Check = Confusion | Residuals


@dataclass(frozen=True, slots=True)
class Place:
    """Which chain, and as of which of its blocks. `contracts`: addresses by name."""

    network: str
    chain_id: int
    block: int
    now: Seconds
    contracts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class OrderStory:
    """Everything about one order. `curves`: by model, None where the provider says nothing."""

    oid: OrderId
    place: Place
    page: OrderPage
    disputes: Sequence[DisputePage]
    manifest: OrderManifest | Missing
    curves: Mapping[int, TrainingAccount | Missing | None]
    check: Check | Missing
    spending: Sequence[Spending] | Missing
