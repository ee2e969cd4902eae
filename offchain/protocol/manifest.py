"""Manifests: the small JSON files whose CIDs stand in for everything else on chain.

An order's manifest says what a client wants and where the training data is; a model's manifest says where the parts of
a claimed model are. Both come from strangers: their size, depth and every field are checked before anything is used.
"""

from __future__ import annotations

import json
import math
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_serializer,
    model_validator,
)

from offchain.errors import Rejected
from offchain.protocol.manifest_fields import CidField, Finite, Positive, RootField, Text
from offchain.protocol.scores import ScoreFunction
from offchain.protocol.strict_json import check_json

MAX_MANIFEST_BYTES = 1024 * 1024
"""Upper bound of a manifest file; read no more than this many bytes of one."""
MAX_DEPTH = 16
"""Nesting of objects and arrays in a manifest."""
MAX_CLASSES = 65_536
MAX_FEATURES = 65_536
MAX_FILE_BYTES = 2**48

_STRICT = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)
TOKEN_OFFSET = 128.0
"""Token 0 is kept as −128."""


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) != len(names):
        raise ValueError("names must differ from each other")
    return names


class FileRef(BaseModel):
    """A file by content: its CID and its exact `size` in bytes, known before a download starts."""

    model_config = _STRICT

    cid: CidField
    size: Annotated[int, Field(ge=0, le=MAX_FILE_BYTES)]


class Preprocessing(BaseModel):
    """How the client turned real numbers into integers: round((x − offset) / scale), inputs clamped to [−127, 127].

    With `tokens` the inputs are tokens from 0 to 255, kept as token − 128: offset 128, scale 1, and nothing is clamped.
    `offset` and `scale` have the same length: 1 (images: one pair for all) or the number of features. For regression
    `label_offset` and `label_scale` say the same about the label, which is not clamped.
    """

    model_config = _STRICT

    offset: Annotated[tuple[Finite, ...], Field(min_length=1, max_length=MAX_FEATURES)]
    scale: Annotated[tuple[Positive, ...], Field(min_length=1, max_length=MAX_FEATURES)]
    label_offset: Finite | None = None
    label_scale: Positive | None = None
    tokens: bool = False

    @model_validator(mode="after")
    def _lengths(self) -> Self:
        if self.tokens and (self.offset, self.scale) != ((TOKEN_OFFSET,), (1.0,)):
            raise ValueError(f"tokens have the offset {TOKEN_OFFSET:g} and the scale 1")
        if len(self.offset) != len(self.scale):
            raise ValueError(f"offset has {len(self.offset)} numbers and scale {len(self.scale)}; give as many of each")
        if (self.label_offset is None) != (self.label_scale is None):
            raise ValueError("give both label_offset and label_scale or neither")
        return self

    def require(self, input_shape: tuple[int, ...]) -> None:
        """Raises Rejected unless there is one pair in all or one per number of an input of that shape."""
        features = math.prod(input_shape)
        if len(self.offset) not in {1, features}:
            raise Rejected(f"preprocessing has {len(self.offset)} offsets; the inputs have {features} features")


class CanonicalManifest(BaseModel):
    """What both kinds of manifest share: bounded parsing and one way of writing."""

    model_config = _STRICT
    _noun: ClassVar[str]

    version: Annotated[int, Field(ge=1, le=1)] = 1

    @classmethod
    def parse(cls, data: bytes, *, source: str) -> Self:
        """Reads a manifest from the bytes of its JSON file; `source` (a CID or path) is named in every error.

        Raises Rejected for anything but one UTF-8 JSON object of at most MAX_MANIFEST_BYTES and MAX_DEPTH levels, with
        exactly the known fields, no key twice and no NaN or infinity.
        """
        try:
            check_json(data, max_bytes=MAX_MANIFEST_BYTES, max_depth=MAX_DEPTH)
            return cls.model_validate_json(data)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "JSON"
            raise Rejected(f"{source}: {cls._noun}: {where[:100]!r}: {first['msg']}") from None
        except Rejected as error:
            raise Rejected(f"{source}: {cls._noun}: {error}") from None

    def to_bytes(self) -> bytes:
        """Canonical JSON: sorted keys, no spaces, UTF-8. Equal manifests have equal bytes and so equal CIDs.

        Raises Rejected when it would be larger than a reader accepts.
        """
        fields = self.model_dump(mode="json")
        text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        data = text.encode()
        if len(data) > MAX_MANIFEST_BYTES:
            raise Rejected(f"{self._noun} has {len(data)} bytes; at most {MAX_MANIFEST_BYTES} are allowed")
        return data


class OrderManifest(CanonicalManifest):
    """What a client wants: `OrderTerms.manifestCid` is the CID of this file.

    `spec` is the JSON of a `ModelSpec`; build it with `parse_spec(manifest.spec_json(), source=…)`.
    """

    _noun: ClassVar[str] = "order manifest"

    title: Text
    task: Literal["classification", "regression"]
    spec: dict[str, Any]
    score_function: Literal[
        "accuracy",
        "top3_accuracy",
        "top5_accuracy",
        "cross_entropy",
        "mean_absolute_error",
        "mean_squared_error",
    ]
    train: FileRef
    classes: Annotated[tuple[Text, ...], Field(min_length=2, max_length=MAX_CLASSES), AfterValidator(_distinct)] | None
    preprocessing: Preprocessing

    @model_validator(mode="after")
    def _task_fits(self) -> Self:
        regression = self.task == "regression"
        if self.score_function_id.is_regression != regression:
            raise ValueError(f"a {self.task} is not scored by {self.score_function}")
        if regression and self.classes is not None:
            raise ValueError("regression has no classes; set them to null")
        if regression != (self.preprocessing.label_scale is not None):
            raise ValueError("preprocessing needs label_offset and label_scale for regression, and only for that")
        return self

    @property
    def score_function_id(self) -> ScoreFunction:
        """The score function as the contracts number it."""
        return ScoreFunction[self.score_function.upper()]

    def spec_json(self) -> bytes:
        """The spec alone, as JSON."""
        return json.dumps(self.spec, separators=(",", ":"), allow_nan=False).encode()


def _or_none(value: Any, parse: ValidatorFunctionWrapHandler) -> FileRef | None:
    """What is told beside a model must not decide whether the model counts."""
    try:
        return parse(value)  # type: ignore[no-any-return]
    except ValidationError:
        return None


class ModelManifest(CanonicalManifest):
    """Where the parts of a claimed model are: the CID in a reveal is the CID of this file.

    `graph` is JSON, `weights` and `float_weights` are safetensors; `model_root` is the 32-byte root that was revealed.
    `training` is the provider's own account of its training (`offchain/model/curves.py`), if it gives one; one that is
    malformed counts as none.
    """

    _noun: ClassVar[str] = "model manifest"

    graph: FileRef
    weights: FileRef
    float_weights: FileRef
    model_root: RootField
    training: Annotated[FileRef | None, WrapValidator(_or_none)] = None

    @model_serializer(mode="wrap")
    def _without_none(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without an account the bytes, and so the CID, are those from before there were any."""
        fields: dict[str, Any] = dump(self)
        if fields.get("training") is None:
            fields.pop("training", None)
        return fields
