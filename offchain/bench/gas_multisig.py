"""What it costs to pay accounts: the paper's propose, confirm and execute beside one root, on the same fork.

Both come from the measured actions of `gas`. The paper's way pays one account (its Table 6); there the proposal is the
proposer's confirmation, so that k - 1 more follow. A root covers any number of accounts, each of which then claims with
a proof; the first claim of a cycle also makes the root effective. What the receiver of the paper's way pays to fetch
its tokens from the treasury (`claimRewards`) is not counted, to that way's favour.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich import box
from rich.table import Table

from offchain.bench.gas import PAPER

COMMITTEES = ((3, 4), (7, 10), (21, 30), (67, 100))
"""k of n."""
ACCOUNTS = (1, 10, 100, 1_000, 10_000)


@dataclass(frozen=True, slots=True)
class CommitteeRow:
    """Gas for one committee. `multisig`: propose, confirmations and execute together; `paper`: the same by its figures
    with k confirmations; `times`: how often `post_root` fits into `multisig`.
    """

    threshold: int
    members: int
    propose: int
    confirm: int
    execute: int
    multisig: int
    paper: int
    post_root: int
    times: float


@dataclass(frozen=True, slots=True)
class AccountRow:
    """Gas for each of `accounts` that one root pays, its claim included; `by_multisig`: for each by the paper's way."""

    threshold: int
    members: int
    accounts: int
    claim: int
    by_root: float
    by_multisig: int
    times: float


def committee_rows(actions: Mapping[str, int]) -> list[CommitteeRow]:
    """A row for each committee whose actions were all measured."""
    rows = []
    for k, n in COMMITTEES:
        size = f" ({k} of {n})"
        names = [f"{action}{size}, to one account" for action in ("propose", "confirm", "execute", "multisig")]
        names.append(f"postRoot{size}, 1 order")
        if all(name in actions for name in names):
            propose, confirm, execute, multisig, post_root = (actions[name] for name in names)
            rows.append(
                CommitteeRow(k, n, propose, confirm, execute, multisig, _paper(k), post_root, multisig / post_root)
            )
    return rows


def account_rows(actions: Mapping[str, int]) -> list[AccountRow]:
    """A row for each committee and number of accounts that was measured."""
    rows = []
    for row in committee_rows(actions):
        for count in ACCOUNTS:
            size = f"{count} account{'s' * (count > 1)}"
            claim = actions.get(f"claim, again, {size}")
            if claim is None:
                continue
            # Of one account the only claim is the first of its cycle.
            first = actions.get(f"claim, first of its cycle, {size}", claim)
            by_root = (row.post_root + first - claim) / count + claim
            rows.append(
                AccountRow(row.threshold, row.members, count, claim, by_root, row.multisig, row.multisig / by_root)
            )
    return rows


def committee_table(rows: Sequence[CommitteeRow]) -> Table:
    """For a terminal."""
    table = _table(
        "One account by the paper's multisig, any number by one root (gas)",
        "paper: 86,875 + k x 45,371 + 161,888 (Table 6). postRoot: one order, one signature of 64 bytes for each of k.",
    )
    for name in ("k", "n", "propose", "confirm", "execute", "multisig", "paper", "postRoot", "times less"):
        table.add_column(name, justify="right")
    for row in rows:
        figures = (row.propose, row.confirm, row.execute, row.multisig, row.paper, row.post_root)
        table.add_row(str(row.threshold), str(row.members), *(f"{gas:,}" for gas in figures), f"{row.times:.1f}")
    return table


def account_table(rows: Sequence[AccountRow]) -> Table:
    """For a terminal: a line for each committee, a column for each number of accounts."""
    counts = list(dict.fromkeys(row.accounts for row in rows))
    claims = ", ".join(f"{row.accounts:,}: {row.claim:,}" for row in rows if row.members == rows[0].members)
    table = _table(
        "Gas for each account that a root pays, its claim included, beside the paper's way",
        f"postRoot shared by so many accounts, and a claim each ({claims}) of accounts that have claimed before.",
    )
    for name in ("k", "n", *(f"{count:,}" for count in counts), "multisig"):
        table.add_column(name, justify="right")
    for k, n in dict.fromkeys((row.threshold, row.members) for row in rows):
        found = {row.accounts: row for row in rows if row.members == n}
        by_root = [f"{found[count].by_root:,.0f}" for count in counts]
        table.add_row(str(k), str(n), *by_root, f"{found[counts[0]].by_multisig:,}")
    return table


def _table(title: str, caption: str) -> Table:
    table = Table(title=title, caption=caption, title_justify="left", caption_justify="left", box=box.SIMPLE_HEAD)
    table.show_edge, table.pad_edge, table.padding = False, False, (0, 1, 0, 0)
    return table


def _paper(confirmations: int) -> int:
    propose, confirm, execute = PAPER.values()
    return propose + confirmations * confirm + execute
