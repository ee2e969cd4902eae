"""Names for the quantities that cross rooms. Bytes inside, hex at the edges."""

from typing import NewType

OrderId = NewType("OrderId", int)
"""OID: orders count up from 1."""

TaskId = NewType("TaskId", int)
"""A federated task: they count up from 1."""

Wei = NewType("Wei", int)
"""An amount of the utility token (or of the chain's coin, for gas) in its smallest unit."""

Seconds = NewType("Seconds", int)
"""A Unix timestamp or a duration, in seconds of the chain's clock."""

Ppm = NewType("Ppm", int)
"""Parts per million."""

Root = NewType("Root", bytes)
"""A 32-byte Merkle root (keccak256, OpenZeppelin's MerkleProof convention)."""

Commitment = NewType("Commitment", bytes)
"""A 32-byte keccak256 commitment; what it binds is said in `protocol/commitments.py`."""

Salt = NewType("Salt", bytes)
"""32 random bytes that blind a commitment."""

CidDigest = NewType("CidDigest", bytes)
"""The 32-byte SHA-256 digest inside a CID; the form in which contracts hold CIDs."""

TOKEN = 10**18
"""Wei of one utility token."""
