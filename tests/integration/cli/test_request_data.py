"""`assay request-data`: what it refuses in one line, asks for, lists, and sees through to the end."""

import json
from pathlib import Path

import pytest

from offchain.chain.availability import Availability
from offchain.chain.devnet import dev_accounts, travel
from offchain.cli.session import load_settings, open_context, open_session
from offchain.dispute.answers import answer_from_model
from offchain.dispute.requests import Item, Target
from offchain.model.roots import ModelTree
from offchain.protocol.lifecycle import Phase
from offchain.roles.client import ClientWorker
from offchain.types import OrderId
from tests.integration.cli.revealing import MAX_MODEL_BYTES, Revealed, reveal_all, with_sender
from tests.integration.cli.support import Cli, assert_refused
from tests.integration.cli.test_put_refuses import put

ASKER, POOR, HOLDER = "dev1", "dev15", 14
GOOD, HIDDEN = 0, 9
"""Indices of models in order of reveal."""


@pytest.fixture(scope="module")
def revealed(cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> Revealed:
    """An order in ScoreCommit with a good model and bad ones; dev1, its client, is a verifier as well."""
    table = tmp_path_factory.mktemp("data") / "points.csv"
    table.write_text("x,y,kind\n" + "".join(f"{i % 3},{i % 5},{'abc'[i % 3]}\n" for i in range(60)))
    times = {"train_seconds": "1h", "reveal_seconds": "1h", "validate_seconds": "2h", "challenge_seconds": "1h"}
    answer = cli(*put(cli, table, "--json", max_model_bytes=str(MAX_MODEL_BYTES), **times))
    assert answer.code == 0, answer
    found = reveal_all(cli, OrderId(json.loads(answer.out)["order_id"]))
    session = open_session(load_settings(home=cli.home, rpc=cli.rpc))
    with open_context(session, dev_accounts(2)[1], "client") as context:
        worker = ClientWorker(context)
        while not cli.contracts.test_set(found.oid).sample_count:
            worker.tick()
        worker.close()
    travel(cli.client, cli.contracts.windows(found.oid).reveal_end - cli.client.now())
    assert cli.contracts.phase(found.oid) is Phase.SCORE_COMMIT
    answer = cli("stake", "add", "verifier", "200", "--key", ASKER)
    assert answer.code == 0, answer
    return found


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--item", "node"], ["--model K or --test"]),
        (["--wait"], ["--model K or --test"]),
        (["--model", "0", "--test"], ["--model and --test"]),
        (["--model", "0", "--item", "soul"], ["--item", "soul", "weights"]),
        (["--model", "0", "--item", "sample"], ["--item sample", "--test"]),
        (["--test", "--item", "node"], ["--item node", "--model"]),
        (["--test"], ["--sample", "say which"]),
        (["--model", "0", "--item", "node"], ["--node", "say which"]),
        (["--model", "0", "--item", "unit", "--node", "1"], ["--unit", "say which"]),
        (["--model", "0", "--node", "1"], ["--node", "means nothing", "header"]),
        (["--model", "0", "--item", "node", "--node", "-1"], ["--node"]),
        (["--model", "0", "--item", "node", "--node", str(2**32)], ["--node", "below"]),
        (["--model", "65536"], ["--model", "below"]),
        (["--model", "0"], ["--key"]),
        (["--model", "0", "--key", "nobody"], ["nobody"]),
        (["--model", "99", "--key", ASKER], ["--model 99", "revealed models"]),
        (["--model", "0", "--key", POOR], ["assay stake add verifier"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_what_it_refuses(cli: Cli, revealed: Revealed, words: list[str], said: list[str]) -> None:
    with cli.unchanged():
        assert_refused(cli("request-data", str(revealed.oid), *words), *said)


def test_a_leaf_that_somebody_shows(cli: Cli, revealed: Revealed) -> None:
    oid = str(revealed.oid)
    words = ("request-data", oid, "--model", str(GOOD), "--item", "node", "--node", "0", "--key", ASKER)
    asked = json.loads(cli(*words, "--json").out)
    assert (asked["status"], asked["payload"], asked["node"]) == ("open", None, 0)
    number = asked["id"]
    assert json.loads(cli(*words, "--json").out)["id"] == number, "asked for once"
    table = cli("request-data", oid)
    assert "node 0" in table.out
    assert "left" in table.out
    target = Target(revealed.oid, Item.NODE, GOOD)
    answer = answer_from_model(target, ModelTree(revealed.good.network))
    call = Availability(cli.contracts).answer(number, answer)
    with_sender(cli, dev_accounts(HOLDER + 1)[HOLDER], lambda sender: sender.send(f"answer:{number}", call))
    shown = json.loads(cli(*words, "--wait", "--json").out)
    assert shown["status"] == "answered"
    # The descriptor, and the way to the root: where it is, how long it is, and the one hash of two nodes.
    assert len(bytes.fromhex(shown["payload"][2:])) == (33 + 3) * 32
    assert "shown" in cli(*words).out
    listed = json.loads(cli("request-data", oid, "--json").out)
    assert [(item["id"], item["status"]) for item in listed] == [(number, "answered")]


def test_a_leaf_that_nobody_shows(cli: Cli, revealed: Revealed, tmp_path: Path) -> None:
    words = ("request-data", str(revealed.oid), "--model", str(HIDDEN), "--key", ASKER)
    answer = cli(*words)
    assert answer.code == 0, answer
    travel(cli.client, cli.contracts.order(revealed.oid).move_seconds)
    assert "time is up" in cli("request-data", str(revealed.oid)).out
    ended = cli(*words, "--wait")
    assert ended.code == 0, ended
    assert f"model {HIDDEN} is void" in ended.out
    contracts = cli.contracts
    assert contracts.read(contracts.proof.functions.isVoid(revealed.oid, HIDDEN))
    assert_refused(cli(*words, "--item", "node", "--node", "3"), "void already")


def test_an_order_in_which_nothing_can_be_asked(cli: Cli, revealed: Revealed, tmp_path: Path) -> None:
    table = tmp_path / "points.csv"
    table.write_text("x,y,kind\n" + "".join(f"{i % 3},{i % 5},{'abc'[i % 3]}\n" for i in range(60)))
    oid = json.loads(cli(*put(cli, table, "--json")).out)["order_id"]
    with cli.unchanged():
        answer = cli("request-data", str(oid), "--test", "--sample", "0", "--key", ASKER)
        assert_refused(answer, "training", "end of the reveals")
        assert_refused(cli("request-data", "4711", "--model", "0", "--key", ASKER), "OID 4711")
    assert "nothing" in cli("request-data", str(oid)).out
