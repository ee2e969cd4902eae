"""The manifest of a federated task: what everybody trains, on data of which form, and how.

`FederatedTerms.specHash` is keccak256 of this file's bytes and `specCid` the digest of its CID. It comes from a
stranger, so size, depth and every field are checked before anything is used. Canonical JSON, as all manifests.
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from offchain.data.preprocessing import Quantiser
from offchain.errors import Rejected
from offchain.federated.accuracy_part import AccuracyPart
from offchain.federated.homomorphic.messages import LEAST_DIMENSION
from offchain.federated.homomorphic.parameters import choose
from offchain.federated.local_training import LocalSettings
from offchain.federated.privacy.budget import Mechanism, check_honest, terms_for
from offchain.federated.privacy.budget import PrivacyTerms as PrivacyBudget
from offchain.federated.secure.terms import threshold_for
from offchain.federated.terms import MAX_PARTICIPANTS, FederatedTerms, PrivacyTerms
from offchain.model.float_model import Scaling
from offchain.model.spec import ModelSpec, parse_spec
from offchain.protocol.hashing import keccak
from offchain.protocol.manifest import MAX_CLASSES, CanonicalManifest, Preprocessing
from offchain.protocol.manifest_fields import Finite, Positive, Text
from offchain.protocol.scores import ScoreFunction

_STRICT = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)

Share = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]


class SecureMethod(StrEnum):
    """How secure mode hides single updates in sums: docs/secure-aggregation.md, docs/homomorphic.md."""

    MASKING = "masking"
    HOMOMORPHIC = "homomorphic"


class LocalTerms(BaseModel):
    """How everybody trains: `LocalSettings` in a file."""

    model_config = _STRICT

    epochs: Annotated[int, Field(ge=1, le=1000)] = 2
    batch_size: Annotated[int, Field(ge=1, le=65_536)] = 16
    learning_rate: Positive = 0.1
    momentum: Share = 0.0
    weight_decay: Annotated[Finite, Field(ge=0)] = 0.0
    proximal: Annotated[Finite, Field(ge=0)] = 0.0
    memory: Share = 0.0
    input_scale: Positive = 1 / 64


class ExamplePrivacy(BaseModel):
    """DP-SGD at each participant (offchain/federated/privacy/dp_sgd.py): protects each example on its own.

    The task fixes the preprocessing: fitted to a participant's data, one example would move what all others become.
    """

    model_config = _STRICT

    mechanism: Literal["dp-sgd"] = "dp-sgd"
    epsilon: Positive
    delta: Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]
    sample_rate: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]
    noise_multiplier: Positive
    clip_norm: Positive
    steps: Annotated[int, Field(ge=1, le=1_000_000)]

    def release(self, _terms: FederatedTerms) -> Mechanism:
        """What one round releases."""
        from offchain.federated.privacy.accountant import SampledGaussian

        return SampledGaussian(self.sample_rate, self.noise_multiplier, self.steps)


class SumPrivacy(BaseModel):
    """Each adds its share of discrete Gaussian noise (privacy/distributed_noise.py): protects each participant.

    `clip_norm` and `variance` (of one share) in units of the fixed-point updates; `contributors`: so many shares that
    the adversary does not know are in a sum.
    """

    model_config = _STRICT

    mechanism: Literal["noise-shares"] = "noise-shares"
    epsilon: Positive
    delta: Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]
    clip_norm: Annotated[int, Field(ge=1, le=(1 << 15) - 1)]
    variance: Annotated[int, Field(ge=1)]
    contributors: Annotated[int, Field(ge=1, le=128)]

    def release(self, terms: FederatedTerms) -> Mechanism:
        """What one round releases. Raises Rejected when sums of this task hide less than is claimed."""
        return _sum_release(terms, float(self.clip_norm), self.variance, self.contributors)


class GradientPrivacy(BaseModel):
    """One clipped gradient step a round and noise in shares: protects each example from who sees sums.

    `clip_norm` of an example's gradient and `rate` as in `ClippedGradient` (privacy/dp_sgd.py); `variance` and
    `contributors` as in `SumPrivacy`.
    """

    model_config = _STRICT

    mechanism: Literal["gradient-shares"] = "gradient-shares"
    epsilon: Positive
    delta: Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]
    clip_norm: Positive
    rate: Positive
    variance: Annotated[int, Field(ge=1)]
    contributors: Annotated[int, Field(ge=1, le=128)]

    def release(self, terms: FederatedTerms) -> Mechanism:
        """What one round releases. Raises Rejected when sums of this task hide less than is claimed."""
        from offchain.federated.privacy.dp_sgd import ClippedGradient

        sensitivity = ClippedGradient(self.clip_norm, self.rate).sensitivity(terms.scale_bits, terms.dimension)
        return _sum_release(terms, sensitivity, self.variance, self.contributors)


def _sum_release(terms: FederatedTerms, sensitivity: float, variance: int, contributors: int) -> Mechanism:
    from offchain.federated.privacy.distributed_noise import DistributedGaussian

    if not terms.is_secure:
        raise Rejected("privacy: shares of noise protect a sum, and in plain mode updates are seen alone; use dp-sgd")
    sure = fewest_survivors(terms)
    if contributors > sure:
        raise Rejected(
            f"privacy: {contributors} shares of noise are counted on, but a group's sum may hold {sure}; "
            "count on fewer, or use larger groups"
        )
    return DistributedGaussian(sensitivity, variance, contributors, terms.dimension)


Privacy = ExamplePrivacy | SumPrivacy | GradientPrivacy


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) != len(names):
        raise ValueError("names must differ from each other")
    return names


class FederatedManifest(CanonicalManifest):
    """What is trained: `spec` is the JSON of a `ModelSpec`; its input is the form of everybody's samples.

    `preprocessing`: how real numbers become the int8 that the network reads; null: each fits it to its own data.
    `accuracy`: how local models are proven, in tasks that ask for it. `secure_method`: how groups sum, in a task whose
    mode is secure; others have no use for it.
    """

    _noun: ClassVar[str] = "federated manifest"

    title: Text
    spec: dict[str, Any]
    classes: Annotated[tuple[Text, ...], Field(min_length=2, max_length=MAX_CLASSES), AfterValidator(_distinct)]
    preprocessing: Preprocessing | None = None
    local: LocalTerms = Field(default_factory=LocalTerms)
    privacy: Annotated[Privacy, Field(discriminator="mechanism")] | None = None
    accuracy: AccuracyPart | None = None
    secure_method: Annotated[SecureMethod, Field(strict=False)] = SecureMethod.MASKING

    @model_validator(mode="after")
    def _fits(self) -> Self:
        try:
            spec = self.model_spec
            spec.require(input_shape=spec.input_shape, outputs=len(self.classes))
            if self.preprocessing is not None:
                self.preprocessing.require(spec.input_shape)
            self._require_sound_privacy()
            self._require_circuit()
        except Rejected as error:
            raise ValueError(str(error)) from None
        return self

    def _require_sound_privacy(self) -> None:
        by_example = isinstance(self.privacy, ExamplePrivacy | GradientPrivacy)
        if by_example and self.preprocessing is None and not self.model_spec.reads_tokens:
            raise Rejected(
                "privacy of examples needs a scaling that the task fixes; give the range of values (--range)"
            )
        if isinstance(self.privacy, SumPrivacy | GradientPrivacy) and self.local.memory:
            raise Rejected("privacy: with a memory later sums tell of the noise in earlier ones; leave one of them out")

    def _require_circuit(self) -> None:
        if self.accuracy is None:
            return
        circuit = self.accuracy.shape
        if (circuit.input_shape, circuit.output_count) != (self.model_spec.input_shape, len(self.classes)):
            raise Rejected("proofs of accuracy: the circuit has another input or other classes than the model")
        if self.preprocessing is None and not self.model_spec.reads_tokens:
            raise Rejected("proofs of accuracy need a scaling that the task fixes; give --like or --range")

    @property
    def model_spec(self) -> ModelSpec:
        """The architecture. Raises Rejected."""
        return parse_spec(json.dumps(self.spec, separators=(",", ":"), allow_nan=False), source="spec")

    @property
    def spec_hash(self) -> bytes:
        """keccak256 of the file, 32 bytes."""
        return keccak(self.to_bytes())

    @property
    def settings(self) -> LocalSettings:
        """What local training takes."""
        local = self.local
        return LocalSettings(
            epochs=local.epochs,
            batch_size=local.batch_size,
            learning_rate=local.learning_rate,
            momentum=local.momentum,
            weight_decay=local.weight_decay,
            proximal=local.proximal,
            memory=local.memory,
            function=ScoreFunction.ACCURACY,
            scaling=Scaling(input_scale=local.input_scale),
        )

    @property
    def quantiser(self) -> Quantiser | None:
        """The arithmetic of the preprocessing, if the task fixes it."""
        return None if self.preprocessing is None else Quantiser(**self.preprocessing.model_dump())

    def budget(self, terms: FederatedTerms) -> PrivacyBudget | None:
        """The ledger's terms that the mechanism and its (epsilon, delta) ask for. Raises Rejected."""
        if self.privacy is None:
            return None
        return terms_for(self.privacy.epsilon, self.privacy.delta, self.privacy.release(terms))

    def require_honest(self, terms: FederatedTerms) -> None:
        """What a participant checks before it joins. Raises Rejected when the task does not keep what it promises."""
        if self.model_spec.weight_count != terms.dimension:
            raise Rejected(
                f"manifest: a model of {self.model_spec.weight_count} parameters; the task says {terms.dimension}"
            )
        self._require_adders(terms)
        self._require_proofs(terms)
        if self.privacy is None:
            if terms.privacy.orders:
                raise Rejected("privacy: the task keeps a ledger, but its manifest names no mechanism; do not join")
            return
        if not terms.privacy.orders:
            raise Rejected("privacy: the manifest names a mechanism, but the task keeps no ledger; do not join")
        check_honest(budget_of(self.privacy.epsilon, self.privacy.delta, terms.privacy), self.privacy.release(terms))

    def _require_proofs(self, terms: FederatedTerms) -> None:
        if (self.accuracy is not None) != terms.accuracy.asked:
            raise Rejected("proofs of accuracy: manifest and terms differ on whether they are asked for; do not join")
        if self.accuracy is not None:
            self.accuracy.require(terms.accuracy)

    def _require_adders(self, terms: FederatedTerms) -> None:
        if self.secure_method is not SecureMethod.HOMOMORPHIC:
            return
        if not terms.is_secure:
            raise Rejected("homomorphic: sums are of groups; give the size of a group (--secure)")
        if terms.minimum_participants < 2 * terms.group_size:
            raise Rejected(
                f"homomorphic: {terms.minimum_participants} participants may be one group of {terms.group_size}, and "
                "who adds must be of another; let the least be two groups"
            )
        if terms.dimension < LEAST_DIMENSION:
            raise Rejected(f"homomorphic: a model of {terms.dimension} parameters; {LEAST_DIMENSION} are the least")
        choose(min(2 * terms.group_size - 1, MAX_PARTICIPANTS))


def fewest_survivors(terms: FederatedTerms) -> int:
    """So many updates at least are in every group sum that can be unmasked (offchain/federated/groups.py)."""
    return threshold_for(min(terms.group_size, terms.minimum_participants))


def budget_of(epsilon: float, delta: float, ledger: PrivacyTerms) -> PrivacyBudget:
    """The ledger on chain with what it is to keep. Raises Rejected when no contract's ledger looks like that."""
    from offchain.federated.privacy.budget import ATTO, NANO

    promised = int(epsilon * NANO), int(delta * ATTO)
    return PrivacyBudget(*promised, orders=ledger.orders, costs=ledger.costs, limits=ledger.limits)


def ledger_of(budget: PrivacyBudget | None) -> PrivacyTerms:
    """A budget as the contract holds it."""
    return PrivacyTerms() if budget is None else PrivacyTerms(budget.orders, budget.costs, budget.limits)
