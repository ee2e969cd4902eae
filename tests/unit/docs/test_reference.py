"""The protocol reference names what the deployed contracts have: every function, event, error, with its parameters."""

import re
from pathlib import Path
from typing import Any

import pytest

from offchain.chain.artifacts import CONTRACTS, load_artifact

PAGES = Path(__file__).resolve().parents[3] / "docs" / "reference"
HEADINGS = {"function": "Functions", "event": "Events", "error": "Errors"}


def parameters(items: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """(type as in the sources, name) of each."""
    return [(re.split(r"[ .]", item.get("internalType", item["type"]))[-1], item["name"]) for item in items]


def written(page: str, heading: str) -> set[tuple[str, tuple[tuple[str, str], ...]]]:
    """(name, parameters) of every entry under a heading of a page."""
    section = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    found = set()
    for name, code in re.findall(r"^### (\w+)\n\n    (.*)$", section.group(1) if section else "", re.MULTILINE):
        said = re.match(rf"{name}\((.*?)\)", code)
        assert said is not None, code
        words = [part.replace(" indexed ", " ").split(" ") for part in said.group(1).split(", ") if part]
        found.add((name, tuple((item[0], item[1] if len(item) > 1 else "") for item in words)))
    return found


@pytest.mark.parametrize("contract", CONTRACTS)
def test_a_page_names_what_the_contract_has(contract: str) -> None:
    page = (PAGES / f"{contract}.md").read_text(encoding="utf-8")
    for kind, heading in HEADINGS.items():
        there = {
            (entry["name"], tuple(parameters(entry["inputs"])))
            for entry in load_artifact(contract).abi
            if entry["type"] == kind
        }
        assert written(page, heading) == there


@pytest.mark.parametrize("contract", CONTRACTS)
def test_a_page_names_the_fields_of_every_structure(contract: str) -> None:
    page = (PAGES / f"{contract}.md").read_text(encoding="utf-8")
    structures: dict[str, list[dict[str, Any]]] = {}

    def visit(item: dict[str, Any]) -> None:
        if item["type"].startswith("tuple"):
            structures[re.split(r"[ .\[]", item["internalType"].replace("struct ", ""))[0]] = item["components"]
            for part in item["components"]:
                visit(part)

    for entry in load_artifact(contract).abi:
        for item in [*entry.get("inputs", []), *entry.get("outputs", [])]:
            visit(item)
    for name, fields in structures.items():
        lines = "\n".join(f"    {kind} {field}" for kind, field in parameters(fields))
        assert re.search(rf"^### {name}\n\n(?:[^\n]+\n\n)?{re.escape(lines)}\n", page, re.MULTILINE), name


def test_no_page_is_left_over() -> None:
    assert {path.stem for path in PAGES.glob("*.md")} == {"README", *CONTRACTS}
