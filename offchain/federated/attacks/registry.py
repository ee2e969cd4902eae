"""The attacks by name, with the parameters that the benchmarks use."""

from __future__ import annotations

from typing import Final

from offchain.errors import Rejected
from offchain.federated.attacks.alie import Alie
from offchain.federated.attacks.backdoor import Backdoor
from offchain.federated.attacks.base import Attack
from offchain.federated.attacks.free_rider import Copied, NoTraining, Replayed
from offchain.federated.attacks.gaussian import Gaussian
from offchain.federated.attacks.halves import AlignedHalves, OpposedHalves
from offchain.federated.attacks.inner_product import InnerProduct
from offchain.federated.attacks.label_flip import LabelFlip
from offchain.federated.attacks.lazy import Lazy
from offchain.federated.attacks.sign_flip import SignFlip

ATTACKS: Final[dict[str, Attack]] = {
    "label-flip": LabelFlip(),
    "sign-flip": SignFlip(),
    "gaussian": Gaussian(),
    "backdoor": Backdoor(),
    "backdoor-hidden": Backdoor(boost=1.0),
    "alie": Alie(),
    "alie-scattered": Alie(scattered=True),
    "inner-product": InnerProduct(),
    "inner-product-large": InnerProduct(epsilon=5.0),
    "halves-opposed": OpposedHalves(),
    "halves-aligned": AlignedHalves(),
    "free-rider": NoTraining(),
    "free-rider-copied": Copied(),
    "free-rider-replayed": Replayed(),
    "lazy": Lazy(),
}


def attack_named(name: str) -> Attack:
    """The attack of that name. Raises Rejected."""
    if name not in ATTACKS:
        raise Rejected(f"attack {name!r} is unknown; choose one of {', '.join(ATTACKS)}")
    return ATTACKS[name]
