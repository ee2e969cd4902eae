"""Who takes part in an order, with short names: addresses tell nobody apart."""

from collections.abc import Iterable
from dataclasses import dataclass

from offchain.explorer.index import OrderPage
from offchain.reports.document import Cell
from offchain.reports.words import short

PLACES = {"escrow": "escrow", "aggregators": "aggregators", "burned": "burned", "stake": "stakes"}
"""Ends of a flow that are no accounts, as `index/money.py` names them."""


@dataclass(frozen=True, slots=True)
class People:
    """Names by address. Who is none of the order's is shown by its address."""

    names: dict[str, str]

    def name(self, account: str) -> str:
        """A word or two: "provider 1", "burned", or an address cut short."""
        return PLACES.get(account) or self.names.get(account) or short(account)

    def cell(self, account: str | None) -> Cell:
        """The name, with the whole address for who wants it."""
        if account is None:
            return Cell("")
        return Cell(self.name(account), whole=account if account.startswith("0x") else None)


def people_of(page: OrderPage) -> People:
    """Named by what they are in the order first: the client, providers in the order of their claims, and so on."""
    names: dict[str, str] = {page.row.client: "client"}
    _number(names, "provider", (claim.provider for claim in sorted(page.claims, key=lambda claim: claim.sequence)))
    _number(names, "validator", (sheet.validator for sheet in page.sheets))
    _number(names, "displaced validator", page.displaced)
    challengers = [dispute.challenger for dispute in page.disputes]
    holders = [score.holder for sheet in page.sheets for score in sheet.scores]
    _number(names, "verifier", (*challengers, *(request.asker for request in page.requests), *holders))
    return People(names)


def _number(names: dict[str, str], role: str, accounts: Iterable[str]) -> None:
    fresh = [account for account in dict.fromkeys(accounts) if account not in names]
    for place, account in enumerate(fresh, 1):
        names[account] = f"{role} {place}"
