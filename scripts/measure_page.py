"""Measures how soon the explorer's front page shows something, by the browser's own performance marks.

    python -m scripts.measure_page http://127.0.0.1:7400 [--loads 10]

Each load is in a fresh context (nothing cached). `first paint` and `first contentful paint` are the browser's;
`first content` is when totals and open orders stand on the page. Milliseconds from the start of the navigation.
"""

import argparse
import statistics
import sys
from collections import defaultdict

from playwright.sync_api import Browser, sync_playwright

from tests.integration.explorer.browsing import FLAGS, find_chromium

PATIENCE_MS = 60_000
MARKS = """() => Object.fromEntries([
  ...performance.getEntriesByType('paint').map(entry => [entry.name.replaceAll('-', ' '), entry.startTime]),
  ...performance.getEntriesByName('assay:first-content').map(entry => ['first content', entry.startTime]),
  ['bytes of files', performance.getEntriesByType('resource').reduce((sum, entry) => sum + entry.transferSize, 0)],
])"""


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--loads", type=int, default=10)
    given = parser.parse_args()
    found: dict[str, list[float]] = defaultdict(list)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        print(f"Chromium {browser.version}, {given.loads} loads")
        for _ in range(given.loads):
            for name, value in _load(browser, given.url).items():
                found[name].append(value)
        browser.close()
    for name, values in found.items():
        print(f"{name:24}  median {statistics.median(values):9,.0f}  largest {max(values):9,.0f}")
    return 0


def _load(browser: Browser, url: str) -> dict[str, float]:
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(url, wait_until="commit")
    page.locator(".figures").wait_for()
    while True:
        marks: dict[str, float] = page.evaluate(MARKS)
        if {"first content", "first contentful paint"} <= marks.keys():
            break
        page.wait_for_timeout(50)
    context.close()
    return marks


if __name__ == "__main__":
    sys.exit(main())
