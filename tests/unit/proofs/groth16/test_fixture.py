"""The contracts' fixture is what its script writes: constraints, key and proofs are the same everywhere."""

from scripts.build_groth16_fixture import PLACE, fixture


def test_the_fixture_is_what_the_script_writes() -> None:
    assert PLACE.read_text() == fixture()
