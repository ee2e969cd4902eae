"""The benchmark end to end: both systems prove the same model, and a round on Anvil takes their proofs."""

from dataclasses import replace
from pathlib import Path

import pytest

from offchain.bench.proofs import Options, Row, facts, run
from offchain.bench.proofs_models import CASES, chosen_cases
from offchain.bench.proofs_tables import BARS, line, missed, verifying
from offchain.errors import Rejected
from offchain.model.layers import Dense
from tests.integration.cli.support import assert_refused, call

TINY = replace(CASES[0], name="MLP 64-4-10", layers=(Dense(name="a", units=4), Dense(name="b", units=10)))


def test_cases_are_chosen_by_name() -> None:
    assert [case.name for case in chosen_cases(False, None)] == ["MLP 64-32-10", "CNN 3x3x8, pool, 72-10"]
    assert chosen_cases(True, None) == CASES
    assert {case.name for case in chosen_cases(False, "784-128, CNN")} == {"MLP 784-128-10", "CNN 3x3x8, pool, 72-10"}
    with pytest.raises(Rejected, match="--cases RNN: there are MLP 64-32-10"):
        chosen_cases(False, "RNN")
    assert_refused(call(("bench", "proofs", "--cases", "RNN"), {}), "--cases RNN")


@pytest.mark.long
def test_both_systems_prove_the_same_count_in_a_round(tmp_path: Path) -> None:
    options = Options((TINY,), ("ultrahonk", "groth16"), 1, 0, tmp_path)
    assert facts(options)["seed"] == 0
    told: list[str] = []
    rows = list(run(options, told.append))
    assert [row.system for row in rows] == ["ultrahonk", "groth16"]
    assert rows[0].correct == rows[1].correct
    assert rows[1].proof_bytes == 256
    for row in rows:
        assert row.verify_gas < row.submit_gas < row.deploy_gas
        assert row.witness_s > 0
        assert row.proof_s > 0
        assert row.memory_mib > 10
        assert verifying(row)["right"] == f"{row.correct}/64"
        assert row.system in line(row)
    assert rows[0].submit_gas <= 950_000
    assert rows[1].submit_gas <= 250_000
    assert any("training MLP 64-4-10" in text for text in told)


def test_a_missed_bar_is_shown() -> None:
    row = Row(*("MLP 64-32-10", 2410, 64, "ultrahonk", 1, None, 1.0, 0.9, 1.9, 1.0, 1, 1.0, 1, 950_000, 1, 1, 59, 97.0))
    assert missed(row) == []
    assert verifying(row)["bars"] == "held"
    assert missed(replace(row, total_s=2.1)) == ["total_s 2.10 > 2.0"]
    assert missed(replace(row, submit_gas=950_001, total_s=2.1))[1] == "submit_gas 950,001 > 950,000"
    assert missed(replace(row, samples=256, total_s=9.0)) == []
    assert {system for _, system in BARS} == {"ultrahonk", "groth16"}
