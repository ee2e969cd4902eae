"""What a request can say: the paper's data structures (Table 1). Amounts in wei, times in seconds since the Unix epoch.

An order is known by its number on the chain *and* its client: the ledger doesn't read the chain, so whoever puts
another's number here makes an order of its own and harms nobody's.
"""

from dataclasses import dataclass
from enum import IntEnum

from offchain.ledger.identity import Address

Account = Address
"""Who signs a request."""

STATEMENT_BYTES = 120
"""Size of a reward proposal's statement, `reward_root.BODY_BYTES`."""


class Kind(IntEnum):
    """First byte of a body."""

    ORDER = 1
    CLAIM = 2
    MODEL = 3
    VALIDATION = 4
    CHALLENGE = 5
    NODE = 6
    REWARD_PROPOSAL = 7


class Role(IntEnum):
    """What a node does for the network; the values are those of the contracts' roles."""

    CLIENT = 0
    PROVIDER = 1
    VALIDATOR = 2
    VERIFIER = 3
    AGGREGATOR = 4


@dataclass(frozen=True, slots=True)
class Order:
    """A client asks for a model. `type`: the kind of model, `link`: where data and metadata are.

    `t0`: the order's start; `t1` … `t4`: ends of training, reveal, validation and challenge.
    """

    oid: int
    reward: int
    type: str
    t0: int
    t1: int
    t2: int
    t3: int
    t4: int
    link: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A provider's commitment to the model that it has trained for an order of `client`."""

    oid: int
    client: Account
    commitment: bytes


@dataclass(frozen=True, slots=True)
class Model:
    """A provider reveals its model: `mid` the model's root, `link` where it is."""

    oid: int
    client: Account
    mid: bytes
    link: str


@dataclass(frozen=True, slots=True)
class Validation:
    """A validator's score of a model, and the stake behind it."""

    oid: int
    client: Account
    mid: bytes
    score: int
    v_stake: int


@dataclass(frozen=True, slots=True)
class Challenge:
    """A verifier holds that the validation `vid` (the digest of its request) is wrong, and stakes on it."""

    vid: bytes
    c_stake: int


@dataclass(frozen=True, slots=True)
class Node:
    """A participant says what it does, with what, and where it answers."""

    role: Role
    resources: str
    endpoint: str


@dataclass(frozen=True, slots=True)
class RewardProposal:
    """A member proposes the next reward root: `RewardRoot.body`, that is the statement without its attempt."""

    statement: bytes


Body = Order | Claim | Model | Validation | Challenge | Node | RewardProposal
