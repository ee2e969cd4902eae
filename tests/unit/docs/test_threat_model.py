"""Every row of the threat model names a test, and the test exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w./]+?)(?:::(\w+))?`", PAGE)))


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_what_it_names_exists(path: str, name: str) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    assert re.search(rf"(?:def|function) {name}\(" if name else r"(?:def|function) (?:test_|invariant_)", text), name


def test_every_attack_names_a_test() -> None:
    tables = re.findall(r"^\| attack .*?\n\|[-|]+\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    rows = [row for table in tables for row in table.splitlines()]
    assert len(rows) > 30
    assert [row for row in rows if not re.search(r"\| [^|]*`tests/[^|]*\|$", row)] == []
