"""What a participant of federated tasks cannot read again from the chain: the openings of its own commitments."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from offchain.types import CidDigest, Commitment, OrderId, Root, Salt


@dataclass(frozen=True, slots=True)
class UpdateRecord:
    """An update and the opening of the commitment to it, kept before the commitment leaves. `oid` is the task."""

    kind: ClassVar[str] = "update"

    oid: OrderId
    commitment: Commitment
    round: int
    root: Root
    cid: CidDigest
    samples: int
    salt: Salt

    def to_json(self) -> dict[str, Any]:
        """See Record."""
        return {
            "oid": self.oid,
            "commitment": self.commitment.hex(),
            "round": self.round,
            "root": self.root.hex(),
            "cid": self.cid.hex(),
            "samples": self.samples,
            "salt": self.salt.hex(),
        }

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """See Record."""
        return cls(
            oid=OrderId(fields["oid"]),
            commitment=Commitment(bytes.fromhex(fields["commitment"])),
            round=fields["round"],
            root=Root(bytes.fromhex(fields["root"])),
            cid=CidDigest(bytes.fromhex(fields["cid"])),
            samples=fields["samples"],
            salt=Salt(bytes.fromhex(fields["salt"])),
        )


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """A local model that is committed to, kept before the commitment leaves: `salt`, and where its network's files are.

    `commitment` is the model's hash, 32 bytes big-endian; `oid` the task.
    """

    kind: ClassVar[str] = "local-model"

    oid: OrderId
    commitment: Commitment
    round: int
    salt: int
    graph: CidDigest
    weights: CidDigest

    @property
    def model_hash(self) -> int:
        """The commitment as a number of the field."""
        return int.from_bytes(self.commitment, "big")

    def to_json(self) -> dict[str, Any]:
        """See Record."""
        return {
            "oid": self.oid,
            "commitment": self.commitment.hex(),
            "round": self.round,
            "salt": f"{self.salt:x}",
            "graph": self.graph.hex(),
            "weights": self.weights.hex(),
        }

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """See Record."""
        return cls(
            oid=OrderId(fields["oid"]),
            commitment=Commitment(bytes.fromhex(fields["commitment"])),
            round=fields["round"],
            salt=int(fields["salt"], 16),
            graph=CidDigest(bytes.fromhex(fields["graph"])),
            weights=CidDigest(bytes.fromhex(fields["weights"])),
        )
