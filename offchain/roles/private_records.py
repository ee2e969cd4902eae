"""What the parties of a private order cannot read again from the chain. Written before the transaction leaves."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from offchain.chain.views import encode
from offchain.proofs.private_order import PrivateId, PrivateTerms
from offchain.types import CidDigest, Commitment, OrderId, Root, Wei


@dataclass(frozen=True, slots=True)
class PrivateOrderRecord:
    """A client's secrets of one order, 32 bytes each: the key that models are sealed to, what makes the keys after it,
    the test set's."""

    kind: ClassVar[str] = "private-order"

    terms: PrivateTerms
    secret: bytes
    next_secret: bytes
    test_key: bytes

    @property
    def commitment(self) -> Commitment:
        """The public key, made for this order."""
        return Commitment(self.terms.client_key)

    @property
    def oid(self) -> OrderId:
        """The contract numbers an order when it is put."""
        return OrderId(0)

    def to_json(self) -> dict[str, Any]:
        """See Record."""
        secrets = {"secret": self.secret, "next_secret": self.next_secret, "test_key": self.test_key}
        return {"terms": _terms_to_json(self.terms), **{name: value.hex() for name, value in secrets.items()}}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """See Record."""
        secrets = {name: bytes.fromhex(fields[name]) for name in ("secret", "next_secret", "test_key")}
        return cls(terms=_terms_from_json(fields["terms"]), **secrets)


@dataclass(frozen=True, slots=True)
class PrivateClaimRecord:
    """A provider's opening of a claim, and what it will seal the model with.

    salt: the commitment's; data_key, ephemeral: 32 bytes each; graph, weights: CIDs in the provider's own archive.
    """

    kind: ClassVar[str] = "private-claim"

    private_id: PrivateId
    model_hash: int
    salt: int
    data_key: bytes
    ephemeral: bytes
    graph: CidDigest
    weights: CidDigest

    @property
    def commitment(self) -> Commitment:
        """The model's hash."""
        return Commitment(self.model_hash.to_bytes(32, "big"))

    @property
    def oid(self) -> OrderId:
        """The private order's number, which is none of an ordinary order."""
        return OrderId(self.private_id)

    def to_json(self) -> dict[str, Any]:
        """See Record."""
        return {
            "private_id": self.private_id,
            "model_hash": str(self.model_hash),
            "salt": str(self.salt),
            "data_key": self.data_key.hex(),
            "ephemeral": self.ephemeral.hex(),
            "graph": self.graph.hex(),
            "weights": self.weights.hex(),
        }

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """See Record."""
        return cls(
            private_id=PrivateId(fields["private_id"]),
            model_hash=int(fields["model_hash"]),
            salt=int(fields["salt"]),
            data_key=bytes.fromhex(fields["data_key"]),
            ephemeral=bytes.fromhex(fields["ephemeral"]),
            graph=CidDigest(bytes.fromhex(fields["graph"])),
            weights=CidDigest(bytes.fromhex(fields["weights"])),
        )


def _terms_to_json(terms: PrivateTerms) -> list[int | str]:
    return [value.hex() if isinstance(value, bytes) else str(value) for value in encode(terms)]


def _terms_from_json(values: list[str]) -> PrivateTerms:
    reward, bond, request_bond, verifier, root, chunks, draws, minimum, claims, cid, *rest = values
    key, elements, layout, key_hash, test_root, size, *seconds = rest
    claim, release, prove, handover, dispute, answer = (int(value) for value in seconds)
    return PrivateTerms(
        reward=Wei(int(reward)),
        bond=Wei(int(bond)),
        request_bond=Wei(int(request_bond)),
        verifier=bytes.fromhex(verifier),
        chunk_root=Root(bytes.fromhex(root)),
        chunks=int(chunks),
        draws=int(draws),
        minimum_correct=int(minimum),
        maximum_claims=int(claims),
        manifest_cid=CidDigest(bytes.fromhex(cid)),
        client_key=bytes.fromhex(key),
        elements=int(elements),
        layout_hash=bytes.fromhex(layout),
        test_key_hash=bytes.fromhex(key_hash),
        test_root=Root(bytes.fromhex(test_root)),
        sample_size=int(size),
        claim_seconds=claim,
        release_seconds=release,
        prove_seconds=prove,
        handover_seconds=handover,
        dispute_seconds=dispute,
        answer_seconds=answer,
    )
