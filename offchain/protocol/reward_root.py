"""What the committee signs about rewards (docs/rewards.md, A root); twin of `RewardRoots.sol`.

Pure: keys sign elsewhere, here signatures are packed and their signers recovered.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address

from offchain.errors import Rejected
from offchain.protocol import eip712
from offchain.protocol.hashing import keccak
from offchain.protocol.signatures import COMPACT_BYTES, recover_compact
from offchain.types import Root

TYPE = (
    b"RewardRoot(uint64 cycle,uint64 epoch,uint64 attempt,uint32 upTo,uint32 settledOtherwise,"
    b"bytes32 parent,bytes32 history,bytes32 root)"
)
TYPE_HASH = keccak(TYPE)
SIGNATURE_BYTES = COMPACT_BYTES
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
        return eip712.typed_digest(domain, self.struct_hash)

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
    return eip712.domain_separator("Assay", "1", chain_id, bytes.fromhex(committee[2:]))


# Signatures


def recover(digest: bytes, signature: bytes) -> ChecksumAddress | None:
    """Who signed `digest` with the 64-byte `signature`; None when it is no signature that the contract accepts."""
    signer = recover_compact(digest, signature)
    return None if signer is None else to_checksum_address(signer)


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
