"""Flags of the aggregator's node and of `assay ledger` that are refused before anything is dialled or written."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from offchain.cli.seat import seat_place
from tests.integration.cli.support import assert_refused, call

NOBODY = ("--api", "http://127.0.0.1:1", "--seconds", "0.5")
RUN = ("aggregator", "run", "--key", "me")
REFUSED: tuple[tuple[Sequence[str], Sequence[str]], ...] = (
    ((*RUN, "--listen", "here"), ("--listen here", "HOST:PORT")),
    ((*RUN, "--listen", "127.0.0.1:65536"), ("--listen 127.0.0.1:65536", "HOST:PORT")),
    ((*RUN, "--listen", "127.0.0.1:65535"), ("no port is left", "--api")),
    ((*RUN, "--listen", "127.0.0.1:7400", "--api", "127.0.0.1:7400"), ("--api 127.0.0.1:7400", "another one")),
    ((*RUN, "--listen", "0.0.0.0:7400"), ("--listen 0.0.0.0", "--announce")),
    ((*RUN, "--listen", "127.0.0.1:7400", "--announce", "x"), ("--announce", "HOST:PORT URL")),
    ((*RUN, "--listen", "127.0.0.1:7400", "--members", "/nowhere"), ("/nowhere", "cannot be read")),
    ((*RUN, "--api", "127.0.0.1:7400"), ("--api", "--listen")),
    ((*RUN, "--announce", "x:1 http://x"), ("--announce", "--listen")),
    ((*RUN, "--members", "/nowhere"), ("--members", "--listen")),
    (("ledger", "get", "0x12", *NOBODY), ("MID 0x12", "64 hex digits")),
    (("ledger", "validations", "1", "--mid", "12", *NOBODY), ("--mid 12", "64 hex digits")),
    (("ledger", "show", "1", "--client", "me", *NOBODY), ("--client me", "neither a key")),
    (("ledger", "orders", "--client", "0x12", *NOBODY), ("--client 0x12", "nor an address")),
    (("ledger", "orders", *NOBODY), ("http://127.0.0.1:1", "no answer")),
    (("ledger", "orders", "--api", "replica"), ("replica", "http")),
    (("claim-rewards", "--key", "me"), ("no key named me", "assay keys create")),
)


@pytest.mark.parametrize(("words", "parts"), REFUSED, ids=lambda words: " ".join(words))
def test_refused_in_one_line_that_says_what_to_do(tmp_path: Path, words: Sequence[str], parts: Sequence[str]) -> None:
    answer = call(words, {"ASSAY_HOME": str(tmp_path / "home"), "ASSAY_RPC": "http://127.0.0.1:1"})
    assert_refused(answer, *parts)
    assert list(tmp_path.iterdir()) == []


def test_a_survey_without_any_answer_shows_who_was_asked_and_fails(tmp_path: Path) -> None:
    answer = call(("ledger", "status", *NOBODY), {"ASSAY_HOME": str(tmp_path)})
    assert answer.code == 2
    assert "http://127.0.0.1:1: no answer" in answer.out
    assert "--listen" in answer.err


def test_the_api_is_at_the_next_port_unless_it_is_told_another() -> None:
    place = seat_place(listen="127.0.0.1:65534", api=None, announce=None, members=None)
    assert place is not None
    assert (place.api, place.announced) == (("127.0.0.1", 65535), "127.0.0.1:65534 http://127.0.0.1:65535")
    place = seat_place(listen="127.0.0.1:65535", api="[::1]:80", announce=None, members=None)
    assert place is not None
    assert (place.api, place.announced) == (("::1", 80), "127.0.0.1:65535 http://[::1]:80")
