"""Write the protocol reference: a page for each deployed contract, from its ABI and its NatSpec.

    python scripts/build_reference.py            # write docs/reference/*.md from forge's build
    python scripts/build_reference.py --check    # exit 1 with one line for each page that differs

The pages are in git, for readers without a compiler; a test holds them to the ABIs that the Python package ships.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from offchain.chain.artifacts import CONTRACTS

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs" / "reference"
FORGE = ROOT / ".build" / "forge"

Json = dict[str, Any]

ENUM = re.compile(r"((?:^[ \t]*///[^\n]*\n)*)^[ \t]*enum (\w+) \{(.*?)\}", re.MULTILINE | re.DOTALL)
STRUCT = re.compile(r"((?:^[ \t]*///[^\n]*\n)*)^[ \t]*struct (\w+) \{", re.MULTILINE)
COMMENT = re.compile(r"^[ \t]*///[ \t]*(?:@\w+[ \t]*)?", re.MULTILINE)


def compiled(name: str) -> Json:
    """What forge made of one contract. Exits when it has not been compiled."""
    path = FORGE / f"{name}.sol" / f"{name}.json"
    if not path.exists():
        raise SystemExit(f"build_reference: {path.relative_to(ROOT)} is missing; run `make artifacts` or `forge build`")
    found: Json = json.loads(path.read_text(encoding="utf-8"))
    return {"abi": found["abi"], **json.loads(found["rawMetadata"])["output"]}  # forge's own copy drops the events'


def signature(entry: Mapping[str, Any]) -> str:
    """The canonical signature, as NatSpec's JSON names an entry: `bond(uint8,uint256)`."""
    return f"{entry['name']}({','.join(_canonical(item) for item in entry['inputs'])})"


def _canonical(item: Mapping[str, Any]) -> str:
    kind: str = item["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(_canonical(part) for part in item['components'])}){kind.removeprefix('tuple')}"


def shown_type(item: Mapping[str, Any]) -> str:
    """The type as in the sources: `Role`, `OrderTerms`, `uint256`."""
    internal: str = item.get("internalType", item["type"])
    return internal.split(" ")[-1].split(".")[-1] if " " in internal else internal.split(".")[-1]


def declaration(entry: Mapping[str, Any]) -> str:
    """One line of code: name, parameters, what is returned."""

    def listed(items: list[Json]) -> str:
        words = ((shown_type(item), "indexed" if item.get("indexed") else "", item["name"]) for item in items)
        return ", ".join(" ".join(word for word in parts if word) for parts in words)

    outputs = entry.get("outputs") or []
    mutability = entry.get("stateMutability", "")
    told = f" {mutability}" if mutability in ("view", "pure", "payable") else ""
    return f"{entry['name']}({listed(entry['inputs'])}){told}" + (f" → ({listed(outputs)})" if outputs else "")


def documentation(entry: Mapping[str, Any], user: Json, dev: Json) -> list[str]:
    """Paragraphs of NatSpec about one entry."""
    group = {"function": "methods", "event": "events", "error": "errors"}[entry["type"]]
    notes, details = user.get(group, {}).get(signature(entry), {}), dev.get(group, {}).get(signature(entry), {})
    if entry["type"] == "error":  # several errors may share a signature
        notes, details = (found[0] if isinstance(found, list) and found else {} for found in (notes, details))
    found = [notes.get("notice", ""), details.get("details", "")]
    found += [f"`{name}`: {text}" for name, text in details.get("params", {}).items()]
    found += [
        f"Returns {text}" if name.startswith("_") else f"Returns `{name}`: {text}"
        for name, text in details.get("returns", {}).items()
    ]
    return [text for text in found if text]


def entries(abi: list[Json], user: Json, dev: Json) -> Iterator[str]:
    """The sections of a page about functions, events and errors."""
    for kind, heading in (("function", "Functions"), ("event", "Events"), ("error", "Errors")):
        found = sorted((entry for entry in abi if entry["type"] == kind), key=lambda entry: str(entry["name"]))
        if not found:
            continue
        yield f"## {heading}"
        for entry in found:
            yield f"### {entry['name']}"
            yield f"    {declaration(entry)}"
            yield from documentation(entry, user, dev)


def types_of(abi: list[Json]) -> dict[str, Json | None]:
    """Structs (with their ABI item) and enums (None) that the entries mention, by name."""
    found: dict[str, Json | None] = {}

    def visit(item: Json) -> None:
        internal: str = item.get("internalType", "")
        name = internal.split(" ")[-1].split(".")[-1].split("[")[0]
        if internal.startswith("struct"):
            found[name] = item
            for part in item["components"]:
                visit(part)
        elif internal.startswith("enum"):
            found[name] = None

    for entry in abi:
        for item in [*entry.get("inputs", []), *entry.get("outputs", [])]:
            visit(item)
    return found


def declared() -> tuple[dict[str, tuple[str, list[str]]], dict[str, str]]:
    """(comment and members of every enum, comment of every struct) in the sources."""
    enums: dict[str, tuple[str, list[str]]] = {}
    structs: dict[str, str] = {}
    for path in sorted((ROOT / "contracts").rglob("*.sol")):
        text = path.read_text(encoding="utf-8")
        for comment, name, body in ENUM.findall(text):
            members = [word.strip() for word in re.sub(r"//[^\n]*", "", body).split(",")]
            enums[name] = (_plain(comment), [word for word in members if word])
        for comment, name in STRUCT.findall(text):
            structs[name] = _plain(comment)
    return enums, structs


def _plain(comment: str) -> str:
    return " ".join(COMMENT.sub("", comment).split())


def type_sections(abi: list[Json]) -> Iterator[str]:
    """Structs with their fields and enums with their values."""
    enums, structs = declared()
    found = types_of(abi)
    if found:
        yield "## Types"
    for name in sorted(found):
        item = found[name]
        yield f"### {name}"
        if item is None:
            comment, members = enums.get(name, ("", []))
            rows = ", ".join(f"{value} {member}" for value, member in enumerate(members))
            yield from (text for text in (comment, f"Values: {rows}.") if text)
        else:
            yield from (text for text in (structs.get(name, ""),) if text)
            yield "\n".join(f"    {shown_type(part)} {part['name']}" for part in item["components"])


def page(name: str) -> str:
    """The whole page of one contract."""
    made = compiled(name)
    abi, user, dev = made["abi"], made["userdoc"], made["devdoc"]
    head = [f"# {name}", "<!-- made by scripts/build_reference.py; edit the NatSpec instead -->"]
    described = [_interface_docs(name, part) for part in ("notice", "details")]
    own = [user.get("notice", ""), dev.get("details", "")]
    said = [text for text in (described if any(described) else own) if text]
    return "\n\n".join([*head, *said, *entries(abi, user, dev), *type_sections(abi)]) + "\n"


def _interface_docs(name: str, part: str) -> str:
    """A contract's documentation stands at its interface."""
    if not (FORGE / f"I{name}.sol").exists():
        return ""
    made = compiled(f"I{name}")
    return str((made["userdoc"] if part == "notice" else made["devdoc"]).get(part, ""))


def index() -> str:
    """The page that lists the others."""
    rows = "\n".join(f"- [{name}]({name}.md)" for name in CONTRACTS)
    return (
        "# Protocol reference\n\n<!-- made by scripts/build_reference.py -->\n\n"
        "Every function, event, error and type of the deployed contracts. Amounts are in wei of the token, times in "
        "seconds, shares in parts per million (ppm), unless an entry says otherwise. What the rules mean together is "
        f"in [the protocol](../protocol.md).\n\n{rows}\n"
    )


def main() -> int:
    """Write or check the pages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing; say what differs")
    wanted = {"README.md": index()} | {f"{name}.md": page(name) for name in CONTRACTS}
    if not parser.parse_args().check:
        PAGES.mkdir(parents=True, exist_ok=True)
        for name, text in wanted.items():
            (PAGES / name).write_text(text, encoding="utf-8")
        return 0
    there = {path.name: path.read_text(encoding="utf-8") for path in PAGES.glob("*.md")}
    differing = sorted(name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name))
    for name in differing:
        print(f"docs/reference/{name} is not what the contracts say; run `python scripts/build_reference.py`")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
