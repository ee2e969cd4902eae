"""Debian's Chromium, driven by Playwright, and tabs that notice everything that should not happen in one."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page, Response, expect, sync_playwright

PATIENCE_MS = 60_000
NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
AXE = Path(__file__).parents[3] / "node_modules" / "axe-core" / "axe.min.js"


def find_chromium() -> str | None:
    return next((found for name in NAMES if (found := shutil.which(name))), None)


@contextmanager
def launched() -> Iterator[Browser]:
    """A headless browser with a fresh profile. While it is open no event loop can be run in this thread."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Tab:
    """A page of the explorer. `troubles`: what a console, an exception or a refused request said."""

    page: Page
    url: str
    troubles: list[str] = field(default_factory=list)
    pardoned: tuple[str, ...] = ()

    def open(self, path: str) -> None:
        """Goes there, as by the address bar, and waits for the first answer."""
        self.page.goto(self.url + path, wait_until="domcontentloaded")
        self.settle()

    def go(self, path: str) -> None:
        """Goes there without loading the page anew, as by the browser's buttons."""
        self.page.evaluate(
            "path => { history.pushState(null, '', path); dispatchEvent(new PopStateEvent('popstate')) }", path
        )
        self.settle()

    def settle(self) -> None:
        """Until nothing is read for the first time any more."""
        self.page.locator("h1").wait_for()
        expect(self.page.locator(".waiting")).to_have_count(0, timeout=PATIENCE_MS)

    def pardon(self, *parts: str) -> None:
        """What is expected: troubles with one of these in them."""
        self.pardoned += parts

    def check(self) -> None:
        bad = [text for text in self.troubles if not any(part in text for part in self.pardoned)]
        assert not bad, bad

    def axe(self) -> list[str]:
        """Serious and critical violations, as axe-core names them, with the first offender of each."""
        if not self.page.evaluate("'axe' in window"):
            # Not as a script element: the page's Content-Security-Policy lets none but its own in.
            self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found: dict[str, Any] = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{item['id']}: {item['nodes'][0]['html'][:200]} {item['nodes'][0]['failureSummary'][:300]}"
            for item in found["violations"]
            if item["impact"] in ("serious", "critical")
        ]

    def overflow(self) -> int:
        """By how many pixels the page is wider than its window, or what is in a panel than the panel."""
        width: int = self.page.evaluate(
            "Math.max(...[document.documentElement, ...document.querySelectorAll('.panel, .race')]"
            ".map(part => part.scrollWidth - part.clientWidth))"
        )
        return width


def _watch(tab: Tab) -> None:
    def on_console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            tab.troubles.append(f"console {message.type}: {message.text} {message.location.get('url', '')}")

    def on_response(response: Response) -> None:
        if response.status >= 400:
            tab.troubles.append(f"{response.status} {response.url}")

    tab.page.on("console", on_console)
    tab.page.on("response", on_response)
    tab.page.on("pageerror", lambda error: tab.troubles.append(f"exception: {error}"))


@contextmanager
def opened(browser: Browser, url: str, **options: Any) -> Iterator[Tab]:
    """A tab in a context of its own; at the end nothing but what was pardoned may have gone wrong in it."""
    context = browser.new_context(**{"viewport": {"width": 1200, "height": 900}, **options})
    context.set_default_timeout(PATIENCE_MS)
    tab = Tab(context.new_page(), url)
    _watch(tab)
    try:
        yield tab
        tab.check()
    finally:
        context.close()
