"""Clients, leaders and participants of federated tasks that are out for an honest worker's money or time."""

import tracemalloc
from concurrent.futures import Executor, Future
from dataclasses import replace
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from offchain.chain.federated import Story
from offchain.data.dataset import Dataset
from offchain.errors import Rejected
from offchain.federated.local_training import LocalSettings, batches, local_update
from offchain.federated.results import initial_result
from offchain.federated.round_actions import (
    Answer,
    Ask,
    Compute,
    Join,
    Train,
)
from offchain.federated.round_rules import ASK_LIMIT, Asked, Intent, Knowledge, actions, require_time
from offchain.federated.server_optimizer import ServerOptimizer
from offchain.federated.task_state import TaskPhase
from offchain.model.shorthand import spec_from_shorthand
from offchain.roles.federated_deeds import Deeds
from offchain.roles.federated_files import RoundFiles
from offchain.roles.federated_participant import topic_of
from offchain.roles.federated_table import Table
from offchain.storage.local import LocalStore
from offchain.types import TOKEN, CidDigest, Seconds, Wei
from tests.unit.federated.views import STATE, TERMS, account, view

STAKE = Wei(100 * TOKEN)
NOWHERE = CidDigest(b"n" * 32)
"""A CID of nothing, or of something else: no contract can see that."""


def files_in(folder: Path) -> RoundFiles:
    own = LocalStore(folder / "own", seconds=1, clock=lambda: 0.0)
    return RoundFiles(own, LocalStore(folder / "shared", seconds=1, clock=lambda: 0.0), folder / "roots")


def test_a_leader_that_posts_right_roots_with_wrong_cids_stops_nobody_who_has_computed(tmp_path: Path) -> None:
    optimizer = ServerOptimizer()
    result = initial_result(optimizer, np.arange(300, dtype=np.int32))
    files = files_in(tmp_path)
    files.keep_computed(result.file, result.root)
    for reader in (files, files_in(tmp_path)):  # after a restart too
        found = reader.result(NOWHERE, result.root, result.shape)
        assert found.root == result.root


def test_what_is_noted_about_a_root_is_not_believed(tmp_path: Path) -> None:
    optimizer = ServerOptimizer()
    result, other = (initial_result(optimizer, np.full(300, value, dtype=np.int32)) for value in (1, 2))
    files = files_in(tmp_path)
    files.keep_computed(other.file, result.root)
    with pytest.raises(Rejected, match="root is not the one on chain"):
        files.result(NOWHERE, result.root, result.shape)
    (tmp_path / "roots" / result.root.hex()).write_bytes(b"torn")
    assert files.own(result.root) is None


@pytest.mark.parametrize("stake", [STAKE, None])
def test_no_task_takes_a_verifiers_whole_bond_through_requests(stake: Wei | None) -> None:
    """Client and author in league: a huge bond for requests, an update that nobody can have, answers on chain."""
    rich, most = Wei(10_000 * TOKEN), stake or ASK_LIMIT
    for bond in (TERMS.request_bond, Wei(30 * TOKEN), Wei(5_000 * TOKEN)):
        terms, spent = replace(TERMS, request_bond=bond), Wei(0)
        for _ in range(50):
            looking = view(TaskPhase.REQUEST, now=990, terms=terms, request_ends=Seconds(1000))
            known = Knowledge(place=None, missing=frozenset({1}), bond=rich, spent=spent)
            asked = [action for action in actions(looking, known, Intent(stake=stake)) if isinstance(action, Ask)]
            spent = Wei(spent + len(asked) * bond)
        assert spent <= most
        assert spent > most - bond  # and up to there it does ask


def test_a_file_that_a_store_searches_for_without_end_is_asked_for_in_time(tmp_path: Path) -> None:
    class Endless(Executor):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
            return Future()

    table = Table(1, account(7), files_in(tmp_path), Endless())
    story = cast(Story, SimpleNamespace(update_cids=lambda _: {1: NOWHERE}, answered=lambda *_: {}))
    for now, missing in ((900, set()), (924, set()), (925, {1}), (1000, {1})):  # a window of 100 seconds
        looking = view(TaskPhase.REQUEST, now=now, request_ends=Seconds(1000))
        table.gather(looking, story)
        assert table.missing(looking) == missing


def test_the_same_question_four_times_is_answered_at_once() -> None:
    """One answer in a block, one block after the other, would not fit a short window."""
    sent: list[str] = []
    deeds = SimpleNamespace(
        task=1,
        federation=SimpleNamespace(answer=lambda *_: None),
        table=SimpleNamespace(open_chunk=lambda *_: None),
        _send_once=lambda key, _: sent.append(key),
    )
    asked = tuple(Asked(1, 5, account(9), open=place != 0) for place in range(4))
    looking = view(TaskPhase.ANSWER, asked=asked)
    Deeds._answer(cast(Deeds, deeds), looking, cast(Story, None), Answer(1, 5))
    assert sent == [f"answer:1:1:5:{place}" for place in (1, 2, 3)]


def test_who_joins_and_leaves_shuts_nobody_out() -> None:
    """Places ever taken say nothing: `active` does."""
    taken = replace(STATE, participants=TERMS.maximum_participants, active=0)
    looking = view(TaskPhase.JOINING, now=10, state=taken)
    assert actions(looking, Knowledge(place=None), Intent(stake=STAKE)) == (Join(STAKE),)


@pytest.mark.parametrize("name", ["answer", "aggregate", "move"])
def test_no_stake_goes_into_a_task_that_leaves_no_time(name: str) -> None:
    require_time(TERMS, Seconds(60))
    short = replace(TERMS, windows=replace(TERMS.windows, **{name: Seconds(1)}))
    with pytest.raises(Rejected, match=f"{name} window: 1 s"):
        require_time(short, Seconds(30))


def test_what_is_refused_in_one_round_is_tried_in_the_next() -> None:
    for action in (Train(), Compute(), Ask(1, 2)):
        assert topic_of(action, 1) != topic_of(action, 2)


def test_a_manifest_with_endless_epochs_takes_no_memory() -> None:
    """A thousand epochs over 60,000 samples one by one would be sixty million arrays."""
    settings = LocalSettings(epochs=1000, batch_size=1)
    tracemalloc.start()
    try:
        drawn = list(islice(batches(60_000, settings, np.random.default_rng(0)), 100))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len({int(batch[0]) for batch in drawn}) == 100
    assert peak < 4 << 20


@pytest.mark.parametrize("settings", [LocalSettings(learning_rate=1e30), LocalSettings(weight_decay=1e30)])
def test_a_model_that_diverges_is_refused_and_not_sent(settings: LocalSettings) -> None:
    spec = spec_from_shorthand("mlp:4", input_shape=(3,), outputs=2)
    generator = np.random.default_rng(0)
    data = Dataset(
        generator.integers(-127, 127, (20, 3)).astype(np.int8), generator.integers(0, 2, 20).astype(np.int32)
    )
    model = generator.integers(-(1 << 31), 1 << 31, spec.weight_count).astype(np.int32)
    with pytest.raises(Rejected, match="not finite"):
        local_update(spec, model, 1, data, replace(settings, epochs=5), 0)
