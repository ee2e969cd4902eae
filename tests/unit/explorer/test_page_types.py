"""What the page believes the API answers is what it answers."""

from scripts.build_page_types import TARGET, build


def test_the_pages_types_are_those_of_the_api() -> None:
    assert TARGET.read_text(encoding="utf-8") == build(), "run scripts/build_page_types.py"
