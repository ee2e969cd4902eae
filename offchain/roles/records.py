"""What a worker cannot read again from the chain: the openings of its own commitments, and what it knew then.

Each record is written before the transaction that depends on it leaves.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self

from offchain.chain.views import OrderTerms, decode, encode
from offchain.protocol.hashing import keccak
from offchain.types import CidDigest, Commitment, OrderId, Root, Salt, Seconds, Wei


class Record(Protocol):
    """Something the journal keeps under its commitment. `kind` names the table of its like."""

    kind: ClassVar[str]

    @property
    def commitment(self) -> Commitment:
        """The key: a commitment is unique, for a fresh salt is in it."""

    @property
    def oid(self) -> OrderId:
        """The order it belongs to; 0 when it has no number yet."""

    def to_json(self) -> dict[str, Any]:
        """Fields as JSON values, bytes as hex."""

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """Inverse of `to_json`."""


@dataclass(frozen=True, slots=True)
class TestSetRecord:
    """A client's opening of its test set. `terms`: the order to be put; `wanted`: the client has decided to put it."""

    kind: ClassVar[str] = "test-set"
    __test__: ClassVar[bool] = False  # not a test, whatever pytest thinks of its name

    commitment: Commitment
    root: Root
    samples: int
    cid: CidDigest
    salt: Salt
    title: str
    terms: OrderTerms
    wanted: bool

    @property
    def oid(self) -> OrderId:
        """The contract numbers an order when it is put, so there is none yet."""
        return OrderId(0)

    def to_json(self) -> dict[str, Any]:
        """See Record."""
        return {
            "commitment": self.commitment.hex(),
            "root": self.root.hex(),
            "samples": self.samples,
            "cid": self.cid.hex(),
            "salt": self.salt.hex(),
            "title": self.title,
            "terms": _terms_to_json(self.terms),
            "wanted": self.wanted,
        }

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """See Record."""
        return cls(
            commitment=Commitment(bytes.fromhex(fields["commitment"])),
            root=Root(bytes.fromhex(fields["root"])),
            samples=fields["samples"],
            cid=CidDigest(bytes.fromhex(fields["cid"])),
            salt=Salt(bytes.fromhex(fields["salt"])),
            title=fields["title"],
            terms=_terms_from_json(fields["terms"]),
            wanted=fields["wanted"],
        )


@dataclass(frozen=True, slots=True)
class CandidateRecord:
    """A provider's model and the opening of its claim. `score`: the sum over the `samples` of its own hold-out, which
    it can compute again from `seed` and the order's training data; `loss` tells apart what scores the same."""

    kind: ClassVar[str] = "candidate"

    oid: OrderId
    commitment: Commitment
    model_root: Root
    cid: CidDigest
    salt: Salt
    score: int
    samples: int
    seed: int
    loss: float

    def to_json(self) -> dict[str, Any]:
        """See Record."""
        return {
            "oid": self.oid,
            "commitment": self.commitment.hex(),
            "model_root": self.model_root.hex(),
            "cid": self.cid.hex(),
            "salt": self.salt.hex(),
            "score": self.score,
            "samples": self.samples,
            "seed": self.seed,
            "loss": self.loss,
        }

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """See Record."""
        return cls(
            oid=OrderId(fields["oid"]),
            commitment=Commitment(bytes.fromhex(fields["commitment"])),
            model_root=Root(bytes.fromhex(fields["model_root"])),
            cid=CidDigest(bytes.fromhex(fields["cid"])),
            salt=Salt(bytes.fromhex(fields["salt"])),
            score=fields["score"],
            samples=fields["samples"],
            seed=fields["seed"],
            loss=fields["loss"],
        )


@dataclass(frozen=True, slots=True)
class ScoresRecord:
    """A validator's scores of all revealed models of an order and the opening of its commitment to them.

    `vstake` is 0 until it is decided what to put behind them.
    """

    kind: ClassVar[str] = "scores"

    oid: OrderId
    commitment: Commitment
    scores: tuple[int, ...]
    salt: Salt
    vstake: Wei

    def to_json(self) -> dict[str, Any]:
        """See Record."""
        return {
            "oid": self.oid,
            "commitment": self.commitment.hex(),
            "scores": list(self.scores),
            "salt": self.salt.hex(),
            "vstake": str(self.vstake),
        }

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """See Record."""
        return cls(
            oid=OrderId(fields["oid"]),
            commitment=Commitment(bytes.fromhex(fields["commitment"])),
            scores=tuple(fields["scores"]),
            salt=Salt(bytes.fromhex(fields["salt"])),
            vstake=Wei(int(fields["vstake"])),
        )


@dataclass(frozen=True, slots=True)
class RootSignatureRecord:
    """A member's signature of a reward root (`body` and `attempt` of `RewardRoot`), kept before anybody sees it.

    `commitment` is `root_place(epoch, attempt)`, in which a member signs one statement only. `signed_at` by the chain's
    clock.
    """

    kind: ClassVar[str] = "root-signature"

    commitment: Commitment
    body: bytes
    attempt: int
    signature: bytes
    signed_at: Seconds

    @property
    def oid(self) -> OrderId:
        """A root is about many orders."""
        return OrderId(0)

    def to_json(self) -> dict[str, Any]:
        """See Record."""
        return {
            "commitment": self.commitment.hex(),
            "body": self.body.hex(),
            "attempt": self.attempt,
            "signature": self.signature.hex(),
            "signed_at": self.signed_at,
        }

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """See Record."""
        return cls(
            commitment=Commitment(bytes.fromhex(fields["commitment"])),
            body=bytes.fromhex(fields["body"]),
            attempt=fields["attempt"],
            signature=bytes.fromhex(fields["signature"]),
            signed_at=Seconds(fields["signed_at"]),
        )


def root_place(epoch: int, attempt: int) -> Commitment:
    """The key of what is signed once only: keccak256 of epoch and attempt, 8 bytes each."""
    return Commitment(keccak(epoch.to_bytes(8, "big") + attempt.to_bytes(8, "big")))


def _terms_to_json(terms: OrderTerms) -> list[Any]:
    """In the order of the Solidity struct; bytes as hex, numbers as text, for JSON has no integers of 256 bits."""
    return ["0x" + value.hex() if isinstance(value, bytes) else str(value) for value in encode(terms)]


def _terms_from_json(values: list[Any]) -> OrderTerms:
    plain = [bytes.fromhex(value[2:]) if value.startswith("0x") else int(value) for value in values]
    return decode(OrderTerms, plain)
