"""A browser for the tests of the page. Without one they are skipped, or fail where it must be (`--require-browser`)."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from offchain.explorer.api.pages import STATIC
from tests.integration.explorer.browsing import AXE, find_chromium, launched


def _missing() -> str | None:
    if find_chromium() is None:
        return "no Chromium: apt-get install chromium"
    if not (STATIC / "index.html").exists():
        return "the page is not built: make page"
    return None if AXE.exists() else "no axe-core: npm install"


@pytest.fixture(scope="module")
def browser(request: pytest.FixtureRequest) -> Iterator[Browser]:
    missing = _missing()
    if missing is not None:
        if request.config.getoption("--require-browser"):
            pytest.fail(missing)
        pytest.skip(missing)
    with launched() as found:
        yield found
