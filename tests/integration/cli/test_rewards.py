"""Rewards by root on the command line: seen, awaited, claimed; and a false root that a user takes down."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from offchain.chain.devnet import ANVIL_CHAIN_ID, dev_accounts
from offchain.roles.reward_adversaries import GreedyTreasurer
from offchain.roles.settled import sealed_payouts
from tests.integration.cli.support import PASSWORD, Answer, assert_refused, call
from tests.integration.roles.reward_stage import MEMBERS, Treasury, treasury

PROVIDER, OTHER, PAYER = "dev2", "dev3", "dev9"
TOKEN = 10**18


@dataclass
class House:
    """A committee at work, and a user's home on the same chain."""

    treasury: Treasury
    home: Path

    def __call__(self, *words: str) -> Answer:
        environment = {
            "ASSAY_HOME": str(self.home),
            "ASSAY_RPC": self.treasury.url,
            "ASSAY_PASSWORD_FILE": str(self.home / "password"),
        }
        return call(words, environment)

    def said(self, *words: str) -> Any:
        answer = self(*words, "--json")
        assert answer.code == 0, answer
        return json.loads(answer.out)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with treasury(tmp_path / "stage") as found:
        home = tmp_path / "home"
        (home / "deployments").mkdir(parents=True)
        (home / "password").write_text(PASSWORD + "\n")
        addresses = (tmp_path / "stage" / "addresses.json").read_text()
        (home / "deployments" / f"{ANVIL_CHAIN_ID}.json").write_text(addresses)
        made = House(found, home)
        assert made("keys", "dev", "--count", "10").code == 0
        yield made


def test_rewards_are_seen_awaited_and_claimed(house: House) -> None:
    table = house.treasury
    for name in MEMBERS:
        table.seat(name)
    assert house("rewards").out.strip().endswith("none yet")
    (oid,) = table.seal(1)
    earned = {payout.account: payout.amount for payout in sealed_payouts(table.stage.contracts, oid)}
    provider = table.address("provider0")
    assert_refused(house("claim-rewards", "--key", PROVIDER), "nothing is credited")
    table.run_until(lambda: table.cycles() == 1, step=10)
    seen = house.said("rewards", PROVIDER)
    assert (seen["pending"], seen["claimable"], seen["paid"]) == (earned[provider], 0, 0)
    assert_refused(house("claim-rewards", "--key", PROVIDER), "can be claimed in 1m")
    (root,) = house.said("rewards", "--roots")
    assert (root["cycle"], root["state"]) == (1, "right")
    assert not house.said("show", "1")["paid"]
    assert "by root" in house("show", "1").out
    table.pass_time(100)
    assert house.said("show", "1")["paid"]
    before = table.stage.contracts.token_balance(provider)
    answer = house("claim-rewards", "--key", PAYER, "--for", PROVIDER)
    assert (answer.code, answer.err) == (0, ""), answer
    assert answer.out.strip() == f"{earned[provider] // TOKEN} tokens paid to {PROVIDER}"
    assert table.stage.contracts.token_balance(provider) - before == earned[provider]
    rows = {row["key"]: row for row in house.said("rewards")}
    assert (rows[PROVIDER]["paid"], rows[PROVIDER]["claimable"]) == (earned[provider], 0)
    assert rows[OTHER]["claimable"] == earned[table.address("provider1")]
    assert PROVIDER in house("rewards").out
    assert_refused(house("claim-rewards", "--key", PROVIDER), "nothing is credited")
    assert_refused(house("refute-root", "1", "--key", PAYER), "cycle 1", "right")


def test_anybody_takes_a_false_root_down(house: House) -> None:
    table = house.treasury
    for name in MEMBERS[:3]:
        table.seat(name, GreedyTreasurer).treasurer.thief = table.address("aggregator0")
    table.seal(2)
    table.run_until(lambda: table.cycles() == 1, step=10)
    (root,) = house.said("rewards", "--roots")
    assert root["state"] == "FALSE from order 2"
    assert table.stake("aggregator0") > 0
    answer = house("refute-root", "1", "--key", PAYER)
    assert answer.code == 0, answer
    assert "step 1 was false; 3 signers are slashed" in " ".join(answer.out.split())
    assert (table.cycles(), table.stake("aggregator0")) == (0, 0)
    assert table.stage.contracts.token_balance(dev_accounts(10)[9].address) > 0, "the reporter's share"
    assert house("rewards", "--roots").out.strip().endswith("none")
