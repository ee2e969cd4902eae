"""Who leads a round: a draw weighted by stake. Pure; twin of `Sortition.sol` (docs/federated.md, Leaders)."""

from collections.abc import Mapping

from offchain.errors import Bug
from offchain.protocol.hashing import keccak
from offchain.types import Wei

MAX_WEIGHT = 16


def weight_of(stake: Wei, bond: Wei) -> int:
    """Whole bonds in the stake that a participant joined with, 1 to 16."""
    if not 0 < bond <= stake:
        raise Bug(f"a stake of {stake} where the bond is {bond}")
    return min(stake // bond, MAX_WEIGHT)


def draw(seed: bytes, number: int, attempt: int, weights: Mapping[int, int]) -> int:
    """The index that leads round `number` at this attempt (both from the chain), of `weights` by index.

    `seed`: 32 bytes. Raises Bug when there is nobody to draw from.
    """
    if len(seed) != 32 or not weights:
        raise Bug(f"a draw among {len(weights)} with a seed of {len(seed)} bytes")
    words = seed + number.to_bytes(32, "big") + attempt.to_bytes(32, "big")
    ticket = int.from_bytes(keccak(words), "big") % sum(weights.values())
    for index in sorted(weights):
        if ticket < weights[index]:
            return index
        ticket -= weights[index]
    raise Bug("a ticket beyond all weights")
