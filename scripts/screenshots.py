"""Takes the README's pictures of the explorer: plays the demonstration, serves it, looks at it with Chromium.

    python -m scripts.screenshots            # writes docs/images/*.png; takes as long as the demonstration

Needs what the tests of the page need: a built page (`make page`) and Debian's Chromium.
"""

import asyncio
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright
from rich.console import Console

from offchain.chain.court import Court
from offchain.demo.play import play
from offchain.demo.scenario import DIGITS
from offchain.demo.stage import Stage
from offchain.explorer.api.serving import Explorer, Options
from offchain.protocol.lifecycle import Phase
from offchain.types import OrderId
from tests.integration.explorer.browsing import FLAGS, find_chromium

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
LARGEST = 250_000
PATIENCE_MS = 60_000
SETTLE_MS = 1_500


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture: of `path`, from the top or from the panel with that title; `height` in pixels."""

    name: str
    path: str
    height: int
    panel: str | None = None
    dark: bool = False


def main() -> int:
    """The exit status."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    play(DIGITS, "auto", Console(stderr=True), beside=_looking)
    too_large = [path.name for path in IMAGES.glob("explorer-*.png") if path.stat().st_size > LARGEST]
    print("\n".join(f"{path.name}: {path.stat().st_size:,} B" for path in sorted(IMAGES.glob("explorer-*.png"))))
    return 1 if too_large else 0


@contextmanager
def _looking(stage: Stage) -> Iterator[None]:
    """Looks at the race while it is run, and at the rest when all is over."""
    with _served(stage) as url:
        racing = threading.Thread(target=_take_race, args=(stage, url))
        racing.start()
        yield
        racing.join()
        _take(url, _after(stage))


@contextmanager
def _served(stage: Stage) -> Iterator[str]:
    store = next(iter(stage.contexts.values())).store
    explorer = Explorer(stage.contracts, store, Options("127.0.0.1", 0, None))
    loop, stop = asyncio.new_event_loop(), asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(explorer.serve(stop),))
    thread.start()
    try:
        yield explorer.url
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
        explorer.close()


def _take_race(stage: Stage, url: str) -> None:
    """The front page when the first scores are shown."""
    pause = threading.Event()
    while stage.contracts.order_count() == 0 or stage.contracts.phase(OrderId(1)) < Phase.SCORE_REVEAL:
        pause.wait(0.5)
    pause.wait(2)
    _take(url, [Shot("explorer-network", "/", 800)])


def _after(stage: Stage) -> list[Shot]:
    """What there is to see at the end; of the disputes one that the contract had to compute in the most steps."""
    cases = Court(stage.contracts).look(stage.client.head())
    deepest = max(cases, key=lambda case: (case.dispute.high - case.dispute.low, case.dispute.node)).id if cases else 1
    return [
        Shot("explorer-order", "/orders/2", 1180),
        Shot("explorer-dispute", f"/disputes/{deepest}", 1010, panel="How the disagreement narrows"),
        Shot("explorer-dark", "/orders/1", 860, dark=True),
    ]


def _take(url: str, shots: list[Shot]) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        for shot in shots:
            _take_one(browser, url, shot)
        browser.close()


def _take_one(browser: Browser, url: str, shot: Shot) -> None:
    context = browser.new_context(
        viewport={"width": 1200, "height": shot.height}, color_scheme="dark" if shot.dark else "light"
    )
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(url + shot.path)
    page.locator(".panel").first.wait_for()
    page.wait_for_timeout(SETTLE_MS)
    target = IMAGES / f"{shot.name}.png"
    if shot.panel is None:
        page.screenshot(path=target)
    else:
        page.get_by_role("region", name=shot.panel, exact=True).screenshot(path=target)
    context.close()


if __name__ == "__main__":
    sys.exit(main())
