"""The accounts that may join a task, under a Merkle root in OpenZeppelin's convention.

A leaf is keccak256(bytes.concat(keccak256(abi.encode(account)))); a parent is keccak256 of its children in ascending
order (`MerkleProof.sol`); an odd last node moves up. Hashing twice keeps inner nodes from passing as leaves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eth_typing import ChecksumAddress
from eth_utils.address import is_address, to_checksum_address

from offchain.errors import Rejected
from offchain.federated.terms import NO_ROOT
from offchain.protocol.hashing import keccak
from offchain.types import Root

MAX_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class AllowList:
    """Accounts in ascending order, each once; none: anyone may join."""

    accounts: tuple[ChecksumAddress, ...] = ()

    @property
    def root(self) -> Root:
        """What the terms hold; 32 zero bytes when anyone may join."""
        return Root(self._levels()[-1][0]) if self.accounts else NO_ROOT

    def prove(self, account: ChecksumAddress) -> tuple[bytes, ...]:
        """The siblings from the account's leaf to the root. Raises Rejected when it is not on the list."""
        if account not in self.accounts:
            raise Rejected(f"{account} is not among the {len(self.accounts)} accounts that may join; ask the client")
        place, proof = self.accounts.index(account), []
        for level in self._levels()[:-1]:
            if place ^ 1 < len(level):
                proof.append(level[place ^ 1])
            place //= 2
        return tuple(proof)

    def to_bytes(self) -> bytes:
        """The file: an address on each line."""
        return "".join(f"{account}\n" for account in self.accounts).encode()

    def _levels(self) -> list[list[bytes]]:
        levels = [[leaf_of(account) for account in self.accounts]]
        while len(levels[-1]) > 1:
            level = levels[-1]
            levels.append([_parent(level[at : at + 2]) for at in range(0, len(level), 2)])
        return levels


def leaf_of(account: ChecksumAddress) -> bytes:
    """The leaf of one account, 32 bytes."""
    return keccak(keccak(bytes(12) + bytes.fromhex(account[2:])))


def allow(accounts: Sequence[str]) -> AllowList:
    """The list of some addresses."""
    return AllowList(tuple(sorted({to_checksum_address(account) for account in accounts}, key=str.lower)))


def parse_allow_list(data: bytes, *, source: str) -> AllowList:
    """Reads a file with an address on each line; `#` begins a comment. Raises Rejected, naming `source`."""
    if len(data) > MAX_BYTES:
        raise Rejected(f"{source}: {len(data)} bytes; at most {MAX_BYTES} are read")
    try:
        lines = [line.partition("#")[0].strip() for line in data.decode().splitlines()]
    except UnicodeDecodeError:
        raise Rejected(f"{source}: not a text file; give one address a line") from None
    found = [line for line in lines if line]
    wrong = next((line for line in found if not is_address(line)), None)
    if wrong is not None or not found:
        raise Rejected(
            f"{source}: {'no address in it' if wrong is None else repr(wrong[:60])}; give one address a line"
        )
    return allow(found)


def _parent(pair: list[bytes]) -> bytes:
    return pair[0] if len(pair) == 1 else keccak(b"".join(sorted(pair)))
