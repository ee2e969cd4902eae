"""BN254's scalar field: what every number in a proof is an element of."""

from typing import NewType

from offchain.errors import Rejected

Element = NewType("Element", int)
"""An element of the field, 0 .. ORDER - 1."""

ORDER = 21888242871839275222246405745257275088548364400416034343698204186575808495617
"""The order of the scalar field, a prime of 254 bits."""


def element(value: int) -> Element:
    """The integer's residue; a negative integer z is ORDER + z."""
    return Element(value % ORDER)


def check_element(name: str, value: int) -> Element:
    """The value, if it is one of the field; raises Rejected, with the name, otherwise."""
    if not 0 <= value < ORDER:
        raise Rejected(
            f"{name} is not an element of BN254's scalar field; give a number from 0 to the field's order - 1"
        )
    return Element(value)
