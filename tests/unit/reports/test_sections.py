"""Sections about the winner, for what the played orders have none of: regressions, and many classes."""

from dataclasses import dataclass
from typing import cast

import numpy as np

from offchain.explorer.index import OrderPage
from offchain.model.evaluator import evaluate
from offchain.model.scores import total_score
from offchain.model.search import SearchSettings
from offchain.protocol.scores import ScoreFunction
from offchain.reports.checking import check_model
from offchain.reports.document import Document, Facts, Figure, Section, Text
from offchain.reports.html import render
from offchain.reports.order_learning import check_section
from offchain.reports.story import Confusion, Residuals
from tests.unit.reports.reading import read
from tests.unit.training.test_training import order, run

MAE = ScoreFunction.MEAN_ABSOLUTE_ERROR


@dataclass
class Unsettled:
    """As much of a page as the section reads."""

    settlement: None = None


def texts(section: Section) -> str:
    return "\n".join(read(render(Document("t", "s", Facts([]), [section], "f"))).texts)


def test_a_regressions_errors_are_in_the_clients_units_whatever_the_batches() -> None:
    settings = SearchSettings(configurations=1, first_cycle=2, max_epochs=2, patience=1, fine_tune_epochs=0)
    network = run("diabetes", "mlp:8", settings=settings)[-1].network
    _, test, _, function = order("diabetes")
    whole, parts = (check_model(network, test, function, None, at_once=size) for size in (1000, 7))
    assert whole == parts
    assert isinstance(whole, Residuals)
    outputs = evaluate(network, test.inputs)
    assert whole.score == total_score(function, outputs, test.labels)
    errors = outputs[:, 0].astype(np.float64) - test.labels
    assert whole.mean_absolute == np.abs(errors).mean() == -whole.score / len(test)
    page = cast(OrderPage, Unsettled())
    section = check_section(page, whole, None, MAE, str)
    shown = texts(section)
    assert f"Its score is {whole.score:,}" in shown
    assert "mean absolute error" in shown
    assert any(isinstance(block, Figure) for block in section.blocks)


def test_many_classes_are_listed_and_not_drawn() -> None:
    size = 40
    counts = tuple(tuple(3 if row == column else int(column == 0) for column in range(size)) for row in range(size))
    check = Confusion(counts, outside=2, score=120, samples=161)
    section = check_section(cast(OrderPage, Unsettled()), check, None, ScoreFunction.ACCURACY, str)
    assert not any(isinstance(block, Figure) for block in section.blocks)
    assert [block.text for block in section.blocks if isinstance(block, Text)][-1].startswith("40 classes")
    shown = texts(section)
    assert "2 samples with labels that are no class of the model." in shown
    assert "The 20 most frequent mistakes" in shown
