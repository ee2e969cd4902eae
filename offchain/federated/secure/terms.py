"""What everybody in one run of secure aggregation agrees on before it begins.

Bonawitz et al., "Practical Secure Aggregation for Privacy-Preserving Machine Learning" (CCS 2017), figure 4, with a
blockchain as the bulletin board: every message is public and bound to its author by the chain, so all see the same sets
of participants, and there is no server. See docs/secure-aggregation.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, NewType

from offchain.errors import Rejected
from offchain.protocol.hashing import keccak
from offchain.types import Ppm

Position = NewType("Position", int)
"""A member's place in its group, from 0."""

Seed = NewType("Seed", bytes)
"""32 bytes that `masking.add_stream` expands."""

Randomness = Callable[[int], bytes]
"""So many bytes nobody can guess: `os.urandom`, or a test's generator."""

MAX_MEMBERS: Final = 128
MAX_DIMENSION: Final = 1 << 24
MAX_TOTAL_WEIGHT: Final = (1 << 16) - 1
"""2**15 times it is below 2**31: the sum of the survivors fits int32, whatever they hold."""

DROPOUT_PPM: Final = Ppm(380_000)
"""The part of a group that may drop out, as in the second of the papers that Assay builds on."""

_DOMAIN: Final = b"assay secure aggregation 1"
_PPM: Final = 1_000_000


class Stage(IntEnum):
    """Whose messages are awaited. The chain closes a stage; what is posted later does not count."""

    KEYS = 0
    SHARES = 1
    MASKED = 2
    UNMASK = 3


@dataclass(frozen=True, slots=True)
class Session:
    """One group in one round.

    `contract`: 20 bytes. `attempt`: how often this round's sum was begun before. `members`: addresses of 20 bytes, in
    their order. `weights`: what each member multiplies its update with. `threshold`: so many shares reveal a secret.
    `dimension`: coordinates of a vector. Raises Rejected when the terms cannot work.
    """

    chain_id: int
    contract: bytes
    task: int
    round: int
    attempt: int
    group: int
    members: tuple[bytes, ...]
    weights: tuple[int, ...]
    threshold: int
    dimension: int
    digest: bytes = field(init=False, repr=False)
    """32 bytes that stand for these terms in every key, seed, cipher and share of the run."""

    def __post_init__(self) -> None:
        size = len(self.members)
        if not 2 <= size <= MAX_MEMBERS or len(set(self.members)) != size:
            raise Rejected(f"a group of {size} members; 2 to {MAX_MEMBERS} different accounts can sum")
        if any(len(account) != 20 for account in (self.contract, *self.members)):
            raise Rejected("an address of a session has not 20 bytes")
        if not 2 <= self.threshold <= size:
            raise Rejected(f"a threshold of {self.threshold} in a group of {size}; use 2 to {size}")
        if not 1 <= self.dimension <= MAX_DIMENSION:
            raise Rejected(f"{self.dimension} coordinates; 1 to {MAX_DIMENSION} are allowed")
        require_weights(self.weights, size)
        numbers = (self.chain_id, self.task, self.round, self.attempt, self.group, self.threshold, self.dimension)
        words = b"".join(number.to_bytes(32, "big") for number in (*numbers, size, *self.weights))
        object.__setattr__(self, "digest", keccak(keccak(_DOMAIN) + self.contract + b"".join(self.members) + words))

    @property
    def size(self) -> int:
        """Members, whether they take part or not."""
        return len(self.members)

    @property
    def positions(self) -> range:
        """Of all members."""
        return range(self.size)


def require_weights(weights: tuple[int, ...], size: int) -> None:
    """Raises Rejected unless there are `size` weights, each at least 1, whose weighted sum of int16 fits int32."""
    if len(weights) != size or min(weights, default=0) < 1:
        raise Rejected(f"{len(weights)} weights for {size} members; each needs one of at least 1")
    if sum(weights) > MAX_TOTAL_WEIGHT:
        raise Rejected(
            f"weights of {sum(weights)} in all; the sum fits int32 up to {MAX_TOTAL_WEIGHT}: scale them down"
        )


def threshold_for(size: int, dropout: Ppm = DROPOUT_PPM) -> int:
    """The largest threshold that tolerates this part of the group dropping out; at least 2.

    Fewer than so many colluding members learn nothing but the sum (Bonawitz et al. section 6.2). Their bound t > 2n/3
    against a server that shows different survivors to different members is not needed: the chain shows all the same.
    """
    return max(2, size - size * dropout // _PPM)
