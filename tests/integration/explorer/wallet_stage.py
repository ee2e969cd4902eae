"""A deployment served with its desk, and people whose browsers have wallets."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_account.signers.local import LocalAccount
from playwright.sync_api import Browser, Locator, Page, expect

from offchain.chain.client import ChainClient
from offchain.chain.contracts import AssayContracts
from offchain.explorer.desk import Desk, desk_router
from offchain.storage.store import Store
from tests.integration.explorer.browsing import PATIENCE_MS, Tab, opened
from tests.integration.explorer.desk_stage import POLICY, desk_place
from tests.integration.explorer.injected import InjectedWallet, inject
from tests.integration.explorer.serving import serving

expect.set_options(timeout=PATIENCE_MS)


@contextmanager
def served_with_desk(client: ChainClient, contracts: AssayContracts, store: Store, home: Path) -> Iterator[str]:
    """The explorer as `assay explorer` serves it on a loopback address; its URL."""
    desk = Desk(desk_place(client, contracts, store, home), policy=POLICY)
    try:
        with serving(contracts, store, desk=desk_router(desk)) as explorer:
            yield explorer.url
    finally:
        desk.close()


@dataclass
class Person:
    """Somebody at a browser with a wallet; does what people do, by what they see."""

    tab: Tab
    wallet: InjectedWallet

    @property
    def page(self) -> Page:
        return self.tab.page

    @property
    def dialog(self) -> Locator:
        return self.page.get_by_role("dialog")

    def connect(self) -> None:
        self.press("Connect wallet")
        self.dialog.get_by_role("button", name=self.wallet.name).click()
        expect(self.dialog).to_contain_text(self.wallet.key.address)
        self.dialog.get_by_role("button", name="Close", exact=True).click()

    def press(self, name: str, *, within: Locator | None = None) -> None:
        (within or self.page).get_by_role("button", name=name).click()

    def confirm(self) -> None:
        """Confirms what was decoded, tried and priced."""
        self.press("Confirm in the wallet", within=self.dialog)

    def sign_permit(self) -> None:
        self.press("Sign the permit in the wallet", within=self.dialog)

    def lines(self) -> dict[str, str]:
        """What is about to be signed, by the names of its arguments."""
        rows = self.dialog.locator(".lines > div")
        expect(rows.first).to_be_visible()
        names, texts = rows.locator("dt").all_inner_texts(), rows.locator("dd").all_inner_texts()
        return dict(zip(names, texts, strict=True))

    def sent(self, stage: str) -> Locator:
        """The newest transaction, once it has got as far as `stage`."""
        expect(self.dialog).to_have_count(0)
        newest = self.page.locator(".transaction").first
        expect(newest).to_have_attribute("data-stage", stage)
        return newest


@contextmanager
def person(
    browser: Browser, url: str, wallet: InjectedWallet, *others: InjectedWallet, **options: Any
) -> Iterator[Person]:
    """A browser of one's own, for the length of a `with`; no console may complain in it."""
    with opened(browser, url, **options) as tab:
        inject(tab.page.context, tab.page, wallet, *others)
        yield Person(tab, wallet)


def wallet_of(client: ChainClient, *keys: LocalAccount, name: str = "Foxlike", **options: Any) -> InjectedWallet:
    """A wallet that knows the test's chain."""
    return InjectedWallet(name, keys, client.chain_id, {client.chain_id: client.endpoint}, **options)
