"""Writes what the explorer's API answers as TypeScript interfaces, from the same models that make the answers.

python scripts/build_page_types.py            # writes offchain/explorer/page/src/api/schema.ts
python scripts/build_page_types.py --check    # whether it is up to date; changes nothing
"""

import argparse
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from offchain.explorer.api import schema
from offchain.explorer.api.fields import Json

TARGET = Path(__file__).resolve().parent.parent / "offchain" / "explorer" / "page" / "src" / "api" / "schema.ts"
HEAD = """// Made by scripts/build_page_types.py from offchain/explorer/api/schema*.py: not to be edited.
//
// Wei and other large integers are decimal strings, times integer seconds of the chain's clock, addresses checksummed,
// hashes 0x…, CIDs text.
"""
PLAIN = {"integer": "number", "number": "number", "string": "string", "boolean": "boolean", "null": "null"}


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    text = build()
    if not parser.parse_args().check:
        TARGET.write_text(text, encoding="utf-8")
    elif TARGET.read_text(encoding="utf-8") != text:
        print(f"{TARGET.name} is not what the API answers: run scripts/build_page_types.py", file=sys.stderr)
        return 1
    return 0


def build() -> str:
    """The whole file."""
    definitions: dict[str, Any] = {}
    for model in _models():
        adapter = TypeAdapter(model)
        found = adapter.json_schema(mode="serialization", ref_template="{model}")
        definitions |= found.pop("$defs", {})
        definitions[model.__name__] = found
    return HEAD + "".join(_interface(name, definitions[name]) for name in sorted(definitions))


def _models() -> Iterator[type[Json]]:
    for name in schema.__all__:
        found = getattr(schema, name)
        if isinstance(found, type) and issubclass(found, Json):
            yield found


def _interface(name: str, definition: Mapping[str, Any]) -> str:
    fields = definition.get("properties", {})
    lines = [f"  {key}: {_type(value)};\n" for key, value in fields.items()]
    return f"\nexport interface {name} {{\n{''.join(lines)}}}\n"


def _type(value: Mapping[str, Any]) -> str:
    if "$ref" in value:
        return str(value["$ref"])
    if "enum" in value:
        return " | ".join(f'"{item}"' for item in value["enum"])
    if "const" in value:
        return f'"{value["const"]}"'
    if "anyOf" in value:
        return " | ".join(dict.fromkeys(_type(item) for item in value["anyOf"]))
    match value.get("type"):
        case "array":
            return _array(value)
        case "object":
            inner = value.get("additionalProperties")
            return f"Record<string, {_type(inner) if isinstance(inner, dict) else 'unknown'}>"
        case str(plain):
            return PLAIN[plain]
        case _:
            return "unknown"


def _array(value: Mapping[str, Any]) -> str:
    if "prefixItems" in value:
        return f"[{', '.join(_type(item) for item in value['prefixItems'])}]"
    inner = _type(value.get("items", {}))
    return f"({inner})[]" if "|" in inner else f"{inner}[]"


if __name__ == "__main__":
    raise SystemExit(main())
