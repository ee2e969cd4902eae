"""What the committee signs about rewards, and what a cycle does to the tree (docs/rewards.md).

Twin of `RewardTreasury.sol` and `AggregatorCommittee.sol`. Pure: keys sign elsewhere, here signatures are packed and
their signers recovered.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from coincurve import PublicKey
from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address

from offchain.errors import Bug, Rejected
from offchain.protocol.hashing import keccak
from offchain.protocol.reward_tree import RewardTree, State, Witness
from offchain.protocol.settlement import Payout, payouts_hash
from offchain.types import OrderId, Root, Wei

NO_PARENT = Root(bytes(32))
"""The parent of the first root."""

NO_HISTORY = bytes(32)
"""history(0)."""

TYPE = (
    b"RewardRoot(uint64 cycle,uint64 epoch,uint64 attempt,uint32 upTo,uint32 settledOtherwise,"
    b"bytes32 parent,bytes32 history,bytes32 root)"
)
TYPE_HASH = keccak(TYPE)
_DOMAIN_TYPE_HASH = keccak(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
"""Half the order of secp256k1: a signature with a larger s is the mirror of another, and nobody accepts it."""

SIGNATURE_BYTES = 64
BODY_BYTES = 120


@dataclass(frozen=True, slots=True)
class RewardRoot:
    """One statement of the committee: `root` covers the sealed orders up to the sequence number `up_to`.

    `settled_otherwise`: how many orders were settled without a root; `parent`: the root before; `history`:
    history(up_to). `attempt` is 0 while the ledger has not given the statement its number.
    """

    cycle: int
    epoch: int
    attempt: int
    up_to: int
    settled_otherwise: int
    parent: Root
    history: bytes
    root: Root

    @property
    def struct_hash(self) -> bytes:
        """EIP-712's hashStruct, 32 bytes."""
        numbers = (self.cycle, self.epoch, self.attempt, self.up_to, self.settled_otherwise)
        words = b"".join(number.to_bytes(32, "big") for number in numbers)
        return keccak(TYPE_HASH + words + self.parent + self.history + self.root)

    def digest(self, domain: bytes) -> bytes:
        """What members sign; `domain` is a `domain_separator`."""
        return keccak(b"\x19\x01" + domain + self.struct_hash)

    @property
    def body(self) -> bytes:
        """All but the attempt, 120 bytes: the fields in their order, big-endian, packed."""
        numbers = ((self.cycle, 8), (self.epoch, 8), (self.up_to, 4), (self.settled_otherwise, 4))
        packed = b"".join(number.to_bytes(size, "big") for number, size in numbers)
        return packed + self.parent + self.history + self.root

    @classmethod
    def from_body(cls, body: bytes, attempt: int = 0) -> "RewardRoot":
        """Inverse of `body`. Raises Rejected when it has another length."""
        if len(body) != BODY_BYTES:
            raise Rejected(f"a reward proposal has {BODY_BYTES} bytes, this one {len(body)}")
        words = iter((body[0:8], body[8:16], body[16:20], body[20:24]))
        cycle, epoch, up_to, otherwise = (int.from_bytes(word, "big") for word in words)
        parent, history, root = (body[start : start + 32] for start in (24, 56, 88))
        return cls(cycle, epoch, attempt, up_to, otherwise, Root(parent), history, Root(root))

    def at(self, attempt: int) -> "RewardRoot":
        """The same statement under the number that the ledger gave it."""
        return replace(self, attempt=attempt)


def domain_separator(chain_id: int, committee: ChecksumAddress) -> bytes:
    """The EIP-712 domain ("Assay", "1") of the `AggregatorCommittee` at `committee`, 32 bytes."""
    address = bytes(12) + bytes.fromhex(committee[2:])
    return keccak(_DOMAIN_TYPE_HASH + keccak(b"Assay") + keccak(b"1") + chain_id.to_bytes(32, "big") + address)


# Signatures


def compact(recoverable: bytes) -> bytes:
    """EIP-2098's 64 bytes of the 65 (r, s, y parity) that libraries give; s must be in the lower half."""
    r, s, parity = recoverable[:32], int.from_bytes(recoverable[32:64], "big"), recoverable[64]
    odd = parity - 27 if parity >= 27 else parity
    if len(recoverable) != 65 or odd not in (0, 1) or s > _HALF_ORDER:
        raise Bug("not a recoverable signature in canonical form")
    return r + (odd << 255 | s).to_bytes(32, "big")


def recover(digest: bytes, signature: bytes) -> ChecksumAddress | None:
    """Who signed `digest` with the 64-byte `signature`; None when it is no signature that the contract accepts."""
    if len(signature) != SIGNATURE_BYTES:
        return None
    word = int.from_bytes(signature[32:], "big")
    s, parity = word & (1 << 255) - 1, word >> 255
    if s > _HALF_ORDER:
        return None
    recoverable = signature[:32] + s.to_bytes(32, "big") + bytes([parity])
    try:
        key = PublicKey.from_signature_and_message(recoverable, digest, hasher=None)
    except ValueError:
        return None
    return to_checksum_address(keccak(key.format(compressed=False)[1:])[12:])


def seats_of(members: Sequence[ChecksumAddress], signatures: Mapping[ChecksumAddress, bytes]) -> tuple[int, bytes]:
    """The `signers` bits and the joined signatures, in the order of seats, that `postRoot` wants."""
    bits, joined = 0, b""
    for seat, member in enumerate(members):
        if member in signatures:
            bits |= 1 << seat
            joined += signatures[member]
    return bits, joined


def members_hash(members: Sequence[ChecksumAddress]) -> bytes:
    """What the committee stores of an epoch: keccak256(abi.encodePacked(members)), each padded to 32 bytes."""
    return keccak(b"".join(bytes(12) + bytes.fromhex(member[2:]) for member in members))


# Orders and cycles


@dataclass(frozen=True, slots=True)
class SealedOrder:
    """An order with a place in the treasury's history; amounts in wei.

    `settled_otherwise`: by `execute` or `payDirect`, before the root that covers it.
    """

    sequence: int
    oid: OrderId
    payouts: tuple[Payout, ...]
    tax: Wei
    settled_otherwise: bool = False


def extend_history(history: bytes, oid: OrderId, payouts_digest: bytes) -> bytes:
    """history(q) of history(q - 1): keccak256(abi.encode(history, oid, payoutsHash))."""
    return keccak(history + oid.to_bytes(32, "big") + payouts_digest)


def extend_by(history: bytes, orders: Sequence[SealedOrder]) -> bytes:
    """The history after `orders`."""
    for order in orders:
        history = extend_history(history, order.oid, payouts_hash(order.oid, order.payouts, order.tax))
    return history


def credits_of(order: SealedOrder, members: Sequence[ChecksumAddress]) -> tuple[Payout, ...]:
    """What the step of `order` credits, in order: its payouts, then its tax to the member whose turn it is.

    Nothing when the order was settled otherwise.
    """
    if order.settled_otherwise:
        return ()
    return (*order.payouts, Payout(members[order.sequence % len(members)], order.tax))


def take_step(tree: RewardTree, order: SealedOrder, members: Sequence[ChecksumAddress]) -> tuple[Witness | None, ...]:
    """Credits what `order` earned to `tree`; a witness for each credit, None for those that change nothing."""
    return tuple(tree.credit(payout.account, payout.amount) for payout in credits_of(order, members))


def steps_hash(steps: Sequence[bytes]) -> bytes:
    """keccak256(abi.encodePacked(steps))."""
    return keccak(b"".join(steps))


def root_of(steps: Sequence[bytes]) -> Root:
    """The root over state hashes, at least one: keccak256(abi.encode(last, keccak256(abi.encodePacked(steps))))."""
    return Root(keccak(steps[-1] + steps_hash(steps)))


@dataclass(frozen=True, slots=True)
class Before:
    """Where a cycle starts: the `cycle` before it (0: none), its root, last order and steps' hash, and the history.

    `tree` is not changed by anything here.
    """

    cycle: int
    root: Root
    up_to: int
    history: bytes
    steps_hash: bytes
    tree: RewardTree


def genesis() -> Before:
    """Where the first cycle starts."""
    return Before(0, NO_PARENT, 0, NO_HISTORY, bytes(32), RewardTree())


@dataclass(frozen=True, slots=True)
class Cycle:
    """A cycle computed: the statement (attempt 0), the state hashes order by order, and the tree after it."""

    statement: RewardRoot
    steps: tuple[bytes, ...]
    tree: RewardTree

    @property
    def state(self) -> State:
        """The state after the last step."""
        return self.tree.state

    def after(self) -> Before:
        """Where the next cycle starts."""
        found = self.statement
        return Before(found.cycle, found.root, found.up_to, found.history, steps_hash(self.steps), self.tree)


def build_cycle(
    before: Before,
    orders: Sequence[SealedOrder],
    members: Sequence[ChecksumAddress],
    *,
    epoch: int,
    settled_otherwise: int,
) -> Cycle:
    """The cycle that covers `orders`, at least one, which follow each other and `before`.

    `members` of `epoch` in the contract's order; `settled_otherwise`: the treasury's count.
    """
    _require_next(before, orders)
    tree, steps = before.tree.copy(), []
    for order in orders:
        take_step(tree, order, members)
        steps.append(tree.state_hash)
    statement = RewardRoot(
        cycle=before.cycle + 1,
        epoch=epoch,
        attempt=0,
        up_to=orders[-1].sequence,
        settled_otherwise=settled_otherwise,
        parent=before.root,
        history=extend_by(before.history, orders),
        root=root_of(steps),
    )
    return Cycle(statement, tuple(steps), tree)


def find_false_step(claimed: Sequence[bytes], right: Sequence[bytes]) -> int | None:
    """The first step of `claimed` that is not the right one; None when all are. Both have one step for each order."""
    if len(claimed) != len(right):
        raise Bug(f"{len(claimed)} steps for {len(right)} orders")
    return next((j for j, (theirs, ours) in enumerate(zip(claimed, right, strict=True)) if theirs != ours), None)


@dataclass(frozen=True, slots=True)
class Refutation:
    """What shows that step `step` (from 0) of a cycle is false, whatever its liars wrote there.

    `previous` is the state before the step, `parent` the one before the whole cycle. `credits`: a witness for each
    payout of the order and for its tax, None where nothing is credited; none when the order was settled otherwise.
    """

    cycle: int
    step: int
    parent: State
    parent_steps_hash: bytes
    previous: State
    order: SealedOrder
    credits: tuple[Witness | None, ...]


def refute_step(
    before: Before, orders: Sequence[SealedOrder], members: Sequence[ChecksumAddress], step: int
) -> Refutation:
    """The refutation of the step with index `step`, all before it being right. `members`: of the cycle's epoch."""
    _require_next(before, orders)
    tree = before.tree.copy()
    for order in orders[:step]:
        take_step(tree, order, members)
    previous = tree.state
    return Refutation(
        cycle=before.cycle + 1,
        step=step,
        parent=before.tree.state,
        parent_steps_hash=before.steps_hash,
        previous=previous,
        order=orders[step],
        credits=take_step(tree, orders[step], members),
    )


def _require_next(before: Before, orders: Sequence[SealedOrder]) -> None:
    found = [order.sequence for order in orders]
    if not orders or found != list(range(before.up_to + 1, before.up_to + 1 + len(orders))):
        raise Bug(f"after order {before.up_to} come not {found}")
