"""Which tasks may sum homomorphically, and which of the signed sums is the group's."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from offchain.errors import Rejected, Retryable
from offchain.federated.groups import mean_of
from offchain.federated.homomorphic.sums import signed_file
from offchain.federated.manifest import FederatedManifest, SecureMethod
from offchain.federated.secure.terms import Position
from offchain.federated.terms import Mode
from offchain.model.shorthand import spec_from_shorthand
from offchain.protocol.hashing import keccak
from offchain.roles.federated_files import RoundFiles
from offchain.roles.federated_homomorphic import Posted, signed_mean
from offchain.storage.local import LocalStore
from offchain.types import CidDigest
from tests.unit.federated.homomorphic.play import session_of
from tests.unit.federated.views import TERMS

SPEC = spec_from_shorthand("mlp:8", input_shape=(30,), outputs=2)
SECURE = replace(
    TERMS,
    mode=Mode.SECURE,
    group_size=3,
    dimension=SPEC.weight_count,
    minimum_participants=6,
    maximum_participants=12,
)


def manifest(**changes: Any) -> FederatedManifest:
    spec = SPEC.model_dump(mode="json", exclude_none=True)
    return FederatedManifest(title="t", spec=spec, classes=("benign", "malignant"), **changes)


def test_the_method_is_part_of_the_manifest_and_masking_unless_it_says_otherwise() -> None:
    made = manifest(secure_method=SecureMethod.HOMOMORPHIC)
    assert FederatedManifest.parse(made.to_bytes(), source="x") == made
    old = manifest().to_bytes().replace(b'"secure_method":"masking",', b"")
    assert FederatedManifest.parse(old, source="x").secure_method is SecureMethod.MASKING
    with pytest.raises(Rejected, match="secure_method"):
        FederatedManifest.parse(made.to_bytes().replace(b"homomorphic", b"homeopathic"), source="x")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"minimum_participants": 5}, "5 participants may be one group of 3"),
        ({"mode": Mode.PLAIN, "group_size": 0}, "sums are of groups"),
    ],
)
def test_tasks_in_which_nobody_could_add_are_refused(changes: dict[str, Any], words: str) -> None:
    made = manifest(secure_method=SecureMethod.HOMOMORPHIC)
    made.require_honest(SECURE)
    with pytest.raises(Rejected, match=words):
        made.require_honest(replace(SECURE, **changes))


SESSION = session_of(0, 5, 20)
MEMBERS = tuple(map(Position, range(4)))
Post = Callable[[bytes], Posted]


@pytest.fixture
def files(tmp_path: Path) -> RoundFiles:
    own, shared = (LocalStore(tmp_path / name, seconds=5, clock=time.monotonic) for name in ("own", "shared"))
    return RoundFiles(own, shared, tmp_path / "roots")


@pytest.fixture
def post(files: RoundFiles) -> Post:
    return lambda data: Posted(0, keccak(data), files.keep(data))


def total(value: int) -> "np.typing.NDArray[np.int32]":
    return np.full(20, value, dtype=np.int32)


def test_the_sum_that_most_have_signed_is_the_groups(files: RoundFiles, post: Post) -> None:
    right, wrong = signed_file(SESSION, MEMBERS, total(40)), signed_file(SESSION, MEMBERS, total(400))
    ciphertexts, torn = post(bytes(1000)), post(right[:-1])
    for posted, value in (
        ([post(wrong), post(right), post(right)], 40),
        ([post(right), post(wrong)], 40),
        ([ciphertexts, post(right)], 40),
        ([torn, torn, post(right)], 40),
        ([ciphertexts, ciphertexts], 0),
        ([], 0),
    ):
        assert np.array_equal(signed_mean(files, SESSION, MEMBERS, posted), mean_of(total(value), 4))


def test_a_sum_that_cannot_be_had_is_waited_for_unless_others_have_more_votes(files: RoundFiles, post: Post) -> None:
    right = post(signed_file(SESSION, MEMBERS, total(40)))
    gone = Posted(0, bytes(32), CidDigest(bytes(32)))
    assert signed_mean(files, SESSION, MEMBERS, [gone, right, right]).any()
    with pytest.raises(Retryable):
        signed_mean(files, SESSION, MEMBERS, [gone, gone, right])
    elsewhere = Posted(0, right.hash, gone.cid)
    assert signed_mean(files, SESSION, MEMBERS, [elsewhere, right]).any()
