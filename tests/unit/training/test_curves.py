"""Learning curves: what is recorded is what happened, within bounds; what strangers write is parsed strictly."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.errors import Rejected
from offchain.model.curves import MAX_POINTS, MAX_RUNS, MAX_TRAINING_BYTES, Run, TrainingAccount, thinned
from offchain.model.limits import ModelLimits
from offchain.model.recording import Recorder
from offchain.model.search import SearchSettings, search
from offchain.model.shorthand import spec_from_shorthand
from offchain.model.training import Judged, Progress, Settings
from offchain.protocol.manifest import FileRef, ModelManifest
from offchain.roles.package import fetch_account, fetch_model_manifest, pack, unpack
from offchain.storage.store import open_store
from tests.unit.training.test_training import never, order

ADAM, SGD = Settings("adam", 0.01), Settings("sgd", 0.05)

points = st.dictionaries(
    st.integers(0, 10**7), st.floats(allow_nan=False, allow_infinity=False), max_size=MAX_POINTS
).map(lambda found: tuple(sorted(found.items())))
runs = st.builds(
    Run,
    optimiser=st.sampled_from(["adam", "sgd"]),
    learning_rate=st.floats(1e-9, 10),
    loss=points,
    score=points,
    integer=points,
)


def good(**changes: Any) -> dict[str, Any]:
    run = {"optimiser": "adam", "learning_rate": 0.1, "loss": [[1, 0.5], [2, 0.4]], "score": [[2, 0.9]], "integer": []}
    return {"version": 1, "holdout_samples": 10, "runs": [{**run, **changes.pop("run", {})}], "chosen": 0, **changes}


def parse(fields: dict[str, Any]) -> TrainingAccount:
    return TrainingAccount.parse(json.dumps(fields).encode(), source="x")


@given(st.lists(runs, min_size=1, max_size=3))
def test_an_account_reads_back_and_has_one_encoding(found: list[Run]) -> None:
    account = TrainingAccount(holdout_samples=5, runs=tuple(found), chosen=len(found) - 1)
    assert TrainingAccount.parse(account.to_bytes(), source="x") == account
    assert TrainingAccount.parse(account.to_bytes(), source="x").to_bytes() == account.to_bytes()


def test_the_largest_account_that_is_written_can_be_read() -> None:
    recorder = Recorder()
    settings = [Settings("adam", 0.1 + place / 7) for place in range(MAX_RUNS)]
    for chosen in settings:
        for epoch in range(3 * MAX_POINTS):
            recorder(Progress(chosen, epoch, -1.23456789e-100 * epoch))
            for integer in (True, False):
                recorder(Judged(chosen, epoch, -1.23456789e-100 * epoch, integer))
    account = recorder.account(settings[3], 2**31)
    assert account is not None
    assert len(account.runs[0].loss) == MAX_POINTS
    assert TrainingAccount.parse(account.to_bytes(), source="x") == account
    assert len(account.to_bytes()) <= MAX_TRAINING_BYTES


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"extra": 1}, "extra"),
        ({"chosen": 1}, "run 1 was chosen"),
        ({"runs": []}, "runs"),
        ({"runs": [good()["runs"][0]] * (MAX_RUNS + 1)}, "runs"),
        ({"holdout_samples": 0}, "holdout_samples"),
        ({"run": {"optimiser": "<script>"}}, "optimiser"),
        ({"run": {"learning_rate": 0}}, "learning_rate"),
        ({"run": {"loss": [[1, 0.5], [1, 0.4]]}}, "increase"),
        ({"run": {"loss": [[1, "0.5"]]}}, "loss"),
        ({"run": {"loss": [[1.5, 0.5]]}}, "loss"),
        ({"run": {"loss": [[-1, 0.5]]}}, "loss"),
        ({"run": {"loss": [[1, 2, 3]]}}, "loss"),
        ({"run": {"score": [[epoch, 0] for epoch in range(MAX_POINTS + 1)]}}, "score"),
        ({"run": {"integer": None}}, "integer"),
    ],
)
def test_a_bad_account_is_refused_in_one_line(change: dict[str, Any], says: str) -> None:
    with pytest.raises(Rejected) as caught:
        parse(good(**change))
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b" " * (MAX_TRAINING_BYTES + 1), b'{"version":1,"runs":NaN}'])
def test_what_is_no_account_is_refused(data: bytes) -> None:
    with pytest.raises(Rejected):
        TrainingAccount.parse(data, source="x")


def test_what_is_not_finite_is_left_out_and_the_last_word_about_an_epoch_counts() -> None:
    recorder = Recorder()
    assert recorder.account(ADAM, 10) is None
    for seen in (Progress(ADAM, 1, float("nan")), Progress(ADAM, 2, 0.123456789), Judged(ADAM, 2, 0.5, False)):
        recorder(seen)
    for seen in (Judged(ADAM, 2, 0.75, False), Judged(ADAM, 2, 0.7, True), Progress(SGD, 1, float("inf"))):
        recorder(seen)
    account = recorder.account(ADAM, 10)
    assert account is not None
    assert account.runs[0].loss == ((2, 0.123457),)
    assert account.runs[0].score == ((2, 0.75),)
    assert account.runs[0].integer == ((2, 0.7),)
    assert account.runs[1].loss == ()
    assert (account.chosen, account.holdout_samples) == (0, 10)


@given(st.integers(0, 1000), st.integers(2, 50))
def test_thinning_keeps_both_ends_and_the_order(count: int, limit: int) -> None:
    curve = [(epoch, float(epoch)) for epoch in range(count)]
    kept = thinned(curve, limit)
    assert len(kept) == min(count, limit)
    assert list(kept) == sorted(set(kept))
    assert count == 0 or (kept[0], kept[-1]) == (curve[0], curve[-1])


def test_a_model_is_published_with_its_account_and_stands_without_it(tmp_path: Path) -> None:
    train, _, _, function = order("wine")
    spec = spec_from_shorthand("mlp:8", input_shape=(13,), outputs=3)
    recorder, chosen = Recorder(), SearchSettings(configurations=2, first_cycle=2, max_epochs=6, patience=1)
    found = list(search(spec, train, function, seed=0, should_stop=never, settings=chosen, progress=recorder))[-1]
    account = recorder.account(found.settings, 21)
    assert account is not None
    mine = account.runs[account.chosen]
    assert (found.epochs, pytest.approx(found.integer.score, rel=1e-5)) in mine.integer
    assert [epoch for epoch, _ in mine.loss] == list(range(1, len(mine.loss) + 1))
    assert len(account.runs) == 2

    limits = ModelLimits(max_model_bytes=10**6, max_tensor_bytes=10**6)
    with open_store(f"local:{tmp_path}") as store:
        package = pack(store, found.network, found.model, limits, account=account)
        manifest = fetch_model_manifest(store, package.cid, package.model_root)
        assert fetch_account(store, manifest) == account
        for content in (b"not json", b"{}"):
            lying = FileRef(cid=store.add(content), size=len(content))
            bad = ModelManifest.model_validate({**manifest.model_dump(), "training": lying})
            cid = store.add(bad.to_bytes()).digest
            assert unpack(store, cid, package.model_root, limits).nodes
            with pytest.raises(Rejected):
                fetch_account(store, fetch_model_manifest(store, cid, package.model_root))
        assert fetch_account(store, manifest.model_copy(update={"training": None})) is None
