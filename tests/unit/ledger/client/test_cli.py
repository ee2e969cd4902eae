"""`assay ledger` as people and machines see it, before four replicas."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account as EthAccount

from offchain.chain.keys import store_key
from offchain.cli import main
from offchain.cli.output import console
from offchain.ledger.client.client import LedgerClient
from offchain.ledger.membership import Endpoint, Member, Membership, checksum
from offchain.ledger.records.bodies import Body, Challenge
from offchain.ledger.types import Millis
from tests.unit.ledger.api.local import MEMBERSHIP, Group
from tests.unit.ledger.records.samples import (
    ACCOUNTS,
    CHALLENGE,
    CLIENT,
    KEYS,
    MID,
    PROVIDER,
    REVEAL,
    TRAINING,
    VALIDATION,
    VALIDATOR,
    VERIFIER,
    claim,
    model,
    order,
    validation,
)

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(group: Group, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command against all replicas: exit code, output, errors."""
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path))
    # Not by COLUMNS: the console may have read that long ago.
    monkeypatch.setattr(console, "_width", 300)
    monkeypatch.setattr(console, "_height", 100)

    def run(*words: str, api: bool = True) -> tuple[int, str, str]:
        where = [word for url in group.urls for word in ("--api", url)] if api else []
        monkeypatch.setattr(sys, "argv", ["assay", "ledger", *words, *where])
        with pytest.raises(SystemExit) as ended:
            main.run()
        output = capsys.readouterr()
        return int(ended.value.code or 0), output.out, output.err

    return run


def fill(group: Group) -> str:
    """One order with a record of every kind; the validation's VID."""
    steps: list[tuple[Millis, int, Body]] = [
        (TRAINING, CLIENT, order()),
        (TRAINING, PROVIDER, claim()),
        (REVEAL, PROVIDER, model()),
        (VALIDATION, VALIDATOR, validation()),
    ]
    vid = ""
    for now, who, body in steps:
        group.now = now
        with LedgerClient(group.urls, key=KEYS[who], clock=group.clock) as client:
            vid = client.submit([body])[0].digest
    group.now = CHALLENGE
    with LedgerClient(group.urls, key=KEYS[VERIFIER], clock=group.clock) as client:
        client.submit([Challenge(bytes.fromhex(vid[2:]), 5)])
    return vid


def test_everything_can_be_seen(group: Group, run: Run) -> None:
    vid = fill(group)
    code, text, _ = run("status")
    assert code == 0
    assert "4 of 4 replicas are at batch 5" in text
    code, text, _ = run("orders", "--phase", "challenge")
    assert (code, "challenge" in text) == (0, True)
    code, text, _ = run("show", "1")
    assert code == 0
    assert all(part in text for part in (vid, "bafy-model", "0x" + MID.hex()))
    code, text, _ = run("validations", "1")
    assert (code, vid in text) == (0, True)
    code, text, _ = run("get", "0x" + MID.hex())
    assert (code, "bafy-model" in text) == (0, True)


def test_machines_get_json(group: Group, run: Run) -> None:
    vid = fill(group)

    def told(*words: str) -> Any:
        code, text, errors = run(*words, "--json")
        assert (code, errors) == (0, "")
        return json.loads(text)

    assert [item["state"]["sequence"] for item in told("status")] == [5] * 4
    assert [item["oid"] for item in told("orders")] == [1]
    (cycle,) = told("show", "1")
    assert cycle["validations"][0]["challenges"][0]["vid"] == vid
    assert [item["score"] for item in told("validations", "1", "--client", checksum(ACCOUNTS[CLIENT]))] == [90]
    assert [item["link"] for item in told("get", "0x" + MID.hex())] == ["bafy-model"]
    assert told("nodes") == []


def test_a_node_announces_itself(group: Group, run: Run, tmp_path: Path) -> None:
    store_key(tmp_path / "keys", "vera", "secret", EthAccount.from_key(KEYS[VERIFIER].secret), light=True)
    password = tmp_path / "password"
    password.write_text("secret\n")
    flags = ("--key", "vera", "--password-file", str(password))
    # The replicas' time is that of the samples; a nonce must not be ahead of it.
    group.now = Millis(4_000_000_000_000)
    code, text, errors = run("announce", "verifier", "--resources", "2 cores", "--endpoint", "http://here", *flags)
    assert (code, errors) == (0, "")
    assert "on the ledger" in text
    code, text, _ = run("nodes", "--role", "verifier")
    assert (code, "vera" in text, "2 cores" in text) == (0, True, True)
    code, _, errors = run("announce", "verifier", "--resources", "ü", *flags)
    assert (code, "ASCII" in errors) == (2, True)


def test_a_membership_file_names_the_replicas(group: Group, run: Run, tmp_path: Path) -> None:
    members = tuple(
        Member(member.account, Endpoint("127.0.0.1", member.port, url))
        for member, url in zip(MEMBERSHIP.members, group.urls, strict=True)
    )
    file = tmp_path / "members.json"
    file.write_text(Membership(MEMBERSHIP.chain_id, MEMBERSHIP.committee, members).to_json())
    code, text, _ = run("status", "--members", str(file), api=False)
    assert (code, "4 of 4" in text) == (0, True)
    code, _, errors = run("status", "--members", str(file))
    assert (code, "one of the two" in errors) == (2, True)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("show", "7"), "nobody has told the ledger"),
        (("validations", "7"), "nobody has told the ledger"),
        (("get", "0x" + "00" * 32), "nobody has shown it"),
        (("get", "0x00"), "64 hex digits"),
        (("orders", "--phase", "later"), "training, reveal"),
        (("orders", "--client", "me"), "client"),
        (("nodes", "--role", "owner"), "client, provider"),
        (("announce", "owner", "--key", "k"), "client, provider"),
        (("announce", "client", "--key", "nobody"), "no key named nobody"),
        (("orders", "--members", "/nowhere"), "one of the two"),
    ],
)
def test_what_is_wrong_is_one_line(run: Run, words: tuple[str, ...], why: str) -> None:
    code, text, errors = run(*words)
    assert (code, text) == (2, "")
    assert why in errors
    assert errors.startswith("error: ")
    assert errors.count("\n") == 1


def test_replicas_that_are_down_are_said_to_be(group: Group, run: Run) -> None:
    group.stop(3)
    code, text, _ = run("status")
    assert (code, "3 of 4 replicas" in text, "no answer" in text) == (0, True, True)
    code, _, errors = run("orders", "--api", "nonsense", api=False)
    assert (code, "URL" in errors) == (2, True)
    code, _, errors = run("orders", "--api", group.urls[3], "--seconds", "0.3", api=False)
    assert (code, "no answer" in errors) == (2, True)
