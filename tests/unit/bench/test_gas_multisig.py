"""Gas of rewards: what the tables derive from the measured actions."""

from rich.console import Console

from offchain.bench.gas_multisig import account_rows, account_table, committee_rows, committee_table

ACTIONS = {
    "propose (3 of 4), to one account": 70,
    "confirm (3 of 4), to one account": 40,
    "execute (3 of 4), to one account": 100,
    "multisig (3 of 4), to one account": 250,
    "postRoot (3 of 4), 1 order": 100,
    "claim, again, 1 account": 60,
    "claim, again, 10 accounts": 50,
    "claim, first of its cycle, 10 accounts": 90,
    "postRoot (7 of 10), 1 order": 100,
}


def test_a_committee_needs_all_its_actions() -> None:
    (row,) = committee_rows(ACTIONS)
    assert (row.threshold, row.members, row.multisig, row.times) == (3, 4, 250, 2.5)
    assert row.paper == 86_875 + 3 * 45_371 + 161_888


def test_accounts_share_the_root_and_the_first_claim_of_its_cycle() -> None:
    one, ten = account_rows(ACTIONS)
    assert (one.accounts, one.by_root) == (1, 160)
    assert (ten.accounts, ten.by_root) == (10, (100 + 40) / 10 + 50)
    assert ten.times == 250 / 64


def test_tables_show_every_row() -> None:
    console = Console(width=200, record=True, file=open("/dev/null", "w"))  # noqa: PTH123, SIM115
    console.print(committee_table(committee_rows(ACTIONS)))
    console.print(account_table(account_rows(ACTIONS)))
    text = console.export_text()
    assert "250" in text
    assert "64" in text
