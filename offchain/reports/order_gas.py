"""What it cost in gas, and who paid. Pure."""

from collections.abc import Callable, Sequence

from offchain.reports.document import Block, Cell, Note, Section, Table, Text, Value
from offchain.reports.people import People
from offchain.reports.story import Missing, Spending
from offchain.reports.words import coins, plural


def gas_section(spending: Sequence[Spending] | Missing, people: People, *, open_order: bool) -> Section:
    """By action and by payer, and each transaction."""
    if isinstance(spending, Missing):
        return Section("gas", "Gas", [Note(spending.reason)])
    if not spending:
        return Section("gas", "Gas", [Note("There are no transactions.")])
    gas, fee = sum(item.gas for item in spending), sum(item.fee for item in spending)
    so_far = " so far" if open_order else ""
    words = (
        f"{plural(len(spending), 'transaction')} used {gas:,} gas{so_far}, for {coins(fee)} of the chain's coin. Roots "
        "of rewards and claims are about many orders and not counted here."
    )
    by_action = _grouped(spending, "By action", "action", lambda item: item.action, lambda name: name)
    by_payer = _grouped(spending, "By who paid", "payer", lambda item: item.payer, people.cell)
    blocks: list[Block] = [Text(words), by_action, by_payer, _each(spending, people)]
    return Section("gas", "Gas", blocks)


def _grouped(
    spending: Sequence[Spending],
    caption: str,
    column: str,
    key: Callable[[Spending], str],
    show: Callable[[str], Value],
) -> Table:
    groups: dict[str, list[Spending]] = {}
    for item in spending:
        groups.setdefault(key(item), []).append(item)
    rows: list[list[Value]] = [
        [
            show(name),
            f"{len(items):,}",
            f"{sum(item.gas for item in items):,}",
            f"{max(item.gas for item in items):,}",
            coins(sum(item.fee for item in items)),
        ]
        for name, items in sorted(groups.items(), key=lambda group: -sum(item.gas for item in group[1]))
    ]
    footer = [
        "sum",
        f"{len(spending):,}",
        f"{sum(item.gas for item in spending):,}",
        "",
        coins(sum(item.fee for item in spending)),
    ]
    return Table(
        caption, (column, "transactions", "gas", "most in one", "fee (coin)"), rows, frozenset({1, 2, 3, 4}), footer
    )


def _each(spending: Sequence[Spending], people: People) -> Table:
    rows: list[list[Value]] = [
        [
            Cell("0x" + item.tx.hex(), code=True),
            f"{item.block:,}",
            item.action,
            people.cell(item.payer),
            f"{item.gas:,}",
            coins(item.fee),
        ]
        for item in spending
    ]
    ids = [f"tx-{item.tx.hex()}" for item in spending]
    columns = ("transaction", "block", "action", "payer", "gas", "fee (coin)")
    return Table("Transactions", columns, rows, frozenset({1, 4, 5}), ids=ids)
