from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import torch

from offchain.data.dataset import Dataset
from offchain.data.preprocessing import Quantiser, fit_preprocessing
from offchain.data.source import load_source
from offchain.data.split import split
from offchain.errors import Rejected
from offchain.model.evaluator import evaluate
from offchain.model.objective import Judgement, mean_score, task_of
from offchain.model.oracle import evaluate_slowly
from offchain.model.search import Candidate, SearchSettings, configurations, search
from offchain.model.shorthand import spec_from_shorthand
from offchain.model.suitability import default_function, require_trainable
from offchain.model.training import (
    Judged,
    Progress,
    Settings,
    Trainer,
    TrainingData,
    load_network,
    predict,
)
from offchain.protocol.scores import ScoreFunction

CPU = torch.device("cpu")
QUICK = SearchSettings(configurations=2, first_cycle=2, max_epochs=6, patience=1)


def order(name: str, seed: int = 0) -> tuple[Dataset, Dataset, Quantiser, ScoreFunction]:
    """(training set, test set with 20 %, preprocessing, score function), as a client prepares them."""
    raw = load_source(name)
    train, test = split(raw, fraction=0.2, seed=seed, stratify=raw.task == "classification")
    fitted = fit_preprocessing(train)
    return fitted.apply(train), fitted.apply(test), fitted, default_function(raw.task)


def never() -> bool:
    return False


def after(calls: int) -> Callable[[], bool]:
    """True from the given call on."""
    count = iter(range(10**9))
    return lambda: next(count) >= calls


def run(name: str, text: str, *, seed: int = 0, settings: SearchSettings | None = None) -> list[Candidate]:
    train, _, _, function = order(name)
    outputs = 1 if function.is_regression else int(train.labels.max()) + 1
    spec = spec_from_shorthand(text, input_shape=train.shape, outputs=outputs)
    return list(search(spec, train, function, seed=seed, should_stop=never, settings=settings))


def test_the_same_seed_gives_the_same_models() -> None:
    first, second = (run("wine", "mlp:8", settings=QUICK) for _ in range(2))
    assert len(first) == len(second) >= 1
    for a, b in zip(first, second, strict=True):
        assert a.integer == b.integer
        for node, other in zip(a.network.nodes, b.network.nodes, strict=True):
            np.testing.assert_array_equal(node.weight, other.weight)
            np.testing.assert_array_equal(node.bias, other.bias)
    different = run("wine", "mlp:8", seed=1, settings=QUICK)
    assert any(
        (a.network.nodes[0].weight != b.network.nodes[0].weight).any() for a, b in zip(first, different, strict=False)
    )


def test_the_same_seed_gives_the_same_convolutions() -> None:
    train, _, _, _ = order("digits")
    data = TrainingData(train.take(np.arange(300)), train.take(np.arange(300, 400)), ScoreFunction.ACCURACY)
    spec = spec_from_shorthand("resnet:4-8", input_shape=(8, 8, 1), outputs=10)
    states = []
    for _ in range(2):
        snapshot = Trainer(spec, data, Settings("sgd", 0.05, shift=1), seed=5).run(2, should_stop=never)
        assert snapshot is not None
        states.append(snapshot.model.state)
    for key, values in states[0].items():
        np.testing.assert_array_equal(values, states[1][key])


def test_training_leaves_the_global_generators_alone() -> None:
    torch.manual_seed(3)
    expected = torch.rand(3).tolist()
    torch.manual_seed(3)
    train, _, _, _ = order("iris")
    data = TrainingData(train, train, ScoreFunction.ACCURACY)
    spec = spec_from_shorthand("mlp:4", input_shape=(4,), outputs=3)
    trainer = Trainer(spec, data, Settings("adam", 0.01), seed=1)
    state = torch.get_rng_state()
    trainer.run(1, should_stop=never)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(3)
    assert torch.rand(3).tolist() == expected


def test_candidates_get_better_and_are_what_they_say() -> None:
    seen: list[Progress | Judged] = []
    train, _, _, function = order("digits")
    spec = spec_from_shorthand("mlp:32", input_shape=(8, 8, 1), outputs=10)
    settings = SearchSettings(configurations=3, first_cycle=2, max_epochs=20)
    candidates = list(search(spec, train, function, seed=2, should_stop=never, settings=settings, progress=seen.append))
    assert len(candidates) >= 2
    for earlier, later in pairwise(candidates):
        assert later.integer.better_than(earlier.integer)
    assert {(p.settings.optimiser, p.settings.learning_rate) for p in seen} == {
        (c.optimiser, c.learning_rate) for c in configurations(settings, spec)
    }
    assert max(p.epoch for p in seen) <= 20
    told = [(p.settings, p.epoch, p.score) for p in seen if isinstance(p, Judged) and p.integer]
    assert all((c.settings, c.epochs, c.integer.score) in told for c in candidates)
    floats = [(p.settings, p.epoch, p.score) for p in seen if isinstance(p, Judged) and not p.integer]
    assert all((c.settings, c.epochs, c.float.score) in floats for c in candidates)
    # The hold-out is the search's own; split it off again and recompute what the candidate claims.
    rest, holdout = split(train, fraction=settings.holdout_fraction, seed=2, stratify=True)
    last = candidates[-1]
    assert mean_score(evaluate_slowly(last.network, holdout.inputs), holdout.labels, function) == last.integer.score
    outputs = predict(load_network(last.model), holdout, last.model.scaling, CPU)
    assert mean_score(outputs, holdout.labels, function) == pytest.approx(last.float.score)
    assert len(rest) + len(holdout) == len(train)


@pytest.mark.parametrize("calls", [0, 1, 7, 60])
def test_however_early_it_stops_there_is_a_candidate(calls: int) -> None:
    train, _, _, function = order("wine")
    spec = spec_from_shorthand("mlp:8", input_shape=(13,), outputs=3)
    candidates = list(search(spec, train, function, seed=0, should_stop=after(calls)))
    assert candidates
    assert len(candidates[-1].network.nodes) == 2


def test_stopping_costs_at_most_one_batch() -> None:
    train, _, _, function = order("digits")
    spec = spec_from_shorthand("mlp:8", input_shape=(8, 8, 1), outputs=10)
    asked = 0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return asked > 50

    list(search(spec, train, function, seed=0, should_stop=stop))
    # 50 batches, then: the batch loop, perhaps fine-tuning, and the search itself each learn that it is over.
    assert asked <= 54


def test_a_diverging_configuration_yields_nothing() -> None:
    train, _, _, _ = order("wine")
    data = TrainingData(train, train, ScoreFunction.ACCURACY)
    spec = spec_from_shorthand("mlp:8", input_shape=(13,), outputs=3)
    trainer = Trainer(spec, data, Settings("sgd", 1e38), seed=0)
    assert trainer.run(2, should_stop=never) is None


def test_judgement_prefers_score_then_loss() -> None:
    assert Judgement(0.9, 5.0).better_than(None)
    assert Judgement(0.9, 5.0).better_than(Judgement(0.8, 0.1))
    assert Judgement(0.9, 0.1).better_than(Judgement(0.9, 0.2))
    assert not Judgement(0.9, 0.1).better_than(Judgement(0.9, 0.1))


@pytest.mark.parametrize(
    ("name", "text", "outputs", "message"),
    [
        ("digits", "mlp:4", 9, "spec layer 2 'outputs' has 9 units, but labels go from 0 to 9"),
        ("diabetes", "mlp:4", 2, "has 2 units; the data needs 1"),
    ],
)
def test_specs_that_do_not_fit_the_data(name: str, text: str, outputs: int, message: str) -> None:
    train, _, _, function = order(name)
    spec = spec_from_shorthand(text, input_shape=train.shape, outputs=outputs)
    with pytest.raises(Rejected, match=message):
        require_trainable(spec, train, task_of(function))
    with pytest.raises(Rejected, match=message):
        next(search(spec, train, function, seed=0, should_stop=never))


def test_too_few_samples() -> None:
    train, _, _, function = order("wine")
    spec = spec_from_shorthand("mlp:4", input_shape=(13,), outputs=3)
    with pytest.raises(Rejected, match="training data has 3 samples; at least 4"):
        require_trainable(spec, train.take(np.arange(3)), task_of(function))


def test_samples_of_another_shape() -> None:
    train, _, _, function = order("wine")
    spec = spec_from_shorthand("mlp:4", input_shape=(12,), outputs=3)
    with pytest.raises(Rejected, match=r"spec input_shape \[12\] does not match the data's \[13\]"):
        require_trainable(spec, train, task_of(function))


def accuracies(name: str, text: str, *, seed: int, settings: SearchSettings | None = None) -> tuple[float, float]:
    """(integer, float) accuracy or minus mean absolute error of the last candidate on the client's test set."""
    train, test, _, function = order(name, seed)
    outputs = 1 if function.is_regression else int(train.labels.max()) + 1
    spec = spec_from_shorthand(text, input_shape=train.shape, outputs=outputs)
    last = list(search(spec, train, function, seed=seed, should_stop=never, settings=settings))[-1]
    integer = mean_score(evaluate(last.network, test.inputs), test.labels, function)
    return integer, mean_score(predict(load_network(last.model), test, last.model.scaling, CPU), test.labels, function)


def test_digits_mlp_meets_its_bar() -> None:
    integer, real = accuracies("digits", "mlp:64-32", seed=0)
    assert integer >= 0.96
    assert abs(integer - real) <= 0.005


def test_digits_cnn_meets_its_bar() -> None:
    settings = SearchSettings(configurations=3, max_epochs=60)
    integer, real = accuracies("digits", "cnn:16-32", seed=1, settings=settings)
    assert integer >= 0.98
    assert abs(integer - real) <= 0.005


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(("text", "bar"), [("mlp:64-32", 0.96), ("cnn:16-32", 0.98)])
def test_digits_bars_over_seeds(text: str, bar: float, seed: int) -> None:
    integer, real = accuracies("digits", text, seed=seed)
    assert integer >= bar
    assert abs(integer - real) <= 0.005


def test_tables_are_learnt() -> None:
    integer, real = accuracies("breast_cancer", "mlp:32", seed=0)
    assert integer >= 0.93
    assert abs(integer - real) <= 0.02


def test_regression_answers_in_label_units() -> None:
    train, test, fitted, _ = order("diabetes")
    integer, real = accuracies("diabetes", "mlp:32", seed=0)
    middle = -float(np.mean(np.abs(np.median(train.labels) - test.labels)))
    # Better than the constant that minimises the error, and the integer network as good as the float one.
    assert integer > 0.85 * middle
    assert abs(integer - real) < 0.02 * -middle
    assert -integer * fitted.label_scale < 60
