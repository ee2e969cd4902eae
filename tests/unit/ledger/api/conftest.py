"""One group for each test."""

from collections.abc import Iterator

import httpx
import pytest

from tests.unit.ledger.api.local import Group


@pytest.fixture
def group() -> Iterator[Group]:
    made = Group()
    yield made
    made.close()


@pytest.fixture
def http(group: Group) -> Iterator[httpx.Client]:
    """Talks to replica 0."""
    with httpx.Client(base_url=group.urls[0], timeout=60, trust_env=False) as client:
        yield client
