"""One order for each score function, and recurrent models among them: put, trained, claimed, scored, agreed upon."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from offchain.chain.devnet import Anvil, AnvilOptions, dev_accounts, travel
from offchain.data.raw import RawData
from offchain.data.sklearn_sets import load_sklearn
from offchain.model.evaluator import evaluate
from offchain.model.graph import Op
from offchain.model.scores import total_score
from offchain.model.search import SearchSettings
from offchain.protocol.lifecycle import Phase
from offchain.protocol.scores import ScoreFunction, in_range
from offchain.roles.client import prepare_order, put_order
from offchain.roles.fetch import fetch_model
from offchain.roles.materials import fetch_manifest
from offchain.roles.prepare import OrderRequest
from offchain.roles.provider import ProviderOptions, ProviderWorker
from offchain.roles.summary import summarise
from offchain.roles.worker import Worker
from tests.integration.roles.killing import Inline, settle_down
from tests.integration.roles.stage import admit, request, set_stage
from tests.integration.roles.test_kill import client_worker, validator

NAMES = ["client", "provider0", "validator0"]
WINDOWS = {"train_seconds": 600, "reveal_seconds": 600, "validate_seconds": 600, "challenge_seconds": 600}
QUICK = SearchSettings(configurations=1, first_cycle=2, max_epochs=2, patience=1, fine_tune_epochs=1)


def words() -> RawData:
    """Rows of six bytes; the class is whether the first one comes again."""
    random = np.random.default_rng(3)
    inputs = random.integers(ord("a"), ord("e"), (200, 6))
    labels = (inputs[:, 1:] == inputs[:, :1]).any(axis=1).astype(np.int32)
    return RawData("words", "classification", inputs.astype(np.float32), labels, classes=("new", "again"))


def orders() -> dict[ScoreFunction, OrderRequest]:
    digits, diabetes = (load_sklearn(name) for name in ("digits", "diabetes"))
    few = digits.take(np.arange(400))
    made = {
        ScoreFunction.ACCURACY: request(few, "lstm:6", **WINDOWS),
        ScoreFunction.TOP3_ACCURACY: request(few, "gru:6", **WINDOWS),
        ScoreFunction.TOP5_ACCURACY: request(few, "resnet:4", **WINDOWS),
        ScoreFunction.CROSS_ENTROPY: request(words(), "embedding:3+gru:4", maximum_mean_error=5.0, **WINDOWS),
        ScoreFunction.MEAN_ABSOLUTE_ERROR: request(diabetes, "mlp:6", maximum_mean_error=200.0, **WINDOWS),
        ScoreFunction.MEAN_SQUARED_ERROR: request(diabetes, "lstm:3", **WINDOWS),
    }
    return {function: replace(order, score_function=function) for function, order in made.items()}


def test_every_score_function_is_trained_for_and_agreed_upon(tmp_path: Path) -> None:
    with Anvil.start(AnvilOptions()) as anvil:
        stage = set_stage(anvil.client(), tmp_path)
        accounts = dict(zip(NAMES, dev_accounts(len(NAMES) + 1)[1:], strict=True))
        admit(stage, accounts)
        client, provider, judge = (stage.context(accounts[name], name) for name in NAMES)
        prepared = {function: prepare_order(client, order) for function, order in orders().items()}
        placed = {function: put_order(client, order) for function, order in prepared.items()}

        def trainer() -> Worker:
            return ProviderWorker(provider, ProviderOptions(skill=QUICK, slots=6), executor=Inline())

        def work() -> None:
            for worker in (trainer(), client_worker(client), validator(judge)):
                settle_down(worker)

        for phase in (Phase.REVEAL, Phase.SCORE_COMMIT, Phase.SCORE_REVEAL, Phase.CHALLENGE):
            work()
            travel(stage.client, 300 if phase is Phase.SCORE_REVEAL else 601)
            assert {stage.contracts.phase(oid) for oid in placed.values()} == {phase}
        for function, oid in placed.items():
            summary = summarise(stage.contracts, oid)
            held_out = prepared[function].test
            network = fetch_model(stage.contracts, stage.store, oid, provider=accounts["provider0"].address).network
            score = summary.sheets[0].scores[0]
            assert score == total_score(function, evaluate(network, held_out.inputs), held_out.labels)
            assert in_range(function, score, summary.samples)
            preprocessing = fetch_manifest(stage.store, stage.contracts.order(oid).terms).preprocessing
            assert summary.sheets[0].shown(0, lambda total: f"{total}") == f"{score}"
            assert preprocessing.tokens == (function is ScoreFunction.CROSS_ENTROPY)
            if function in (ScoreFunction.ACCURACY, ScoreFunction.MEAN_SQUARED_ERROR):
                assert Op.LOOKUP in {node.op for node in network.nodes}
        for context in (client, provider, judge):
            stage.close(context)
