"""Four replicas behind real sockets, shared by the tests of a file and as new for each."""

from collections.abc import Iterator

import pytest

from tests.unit.ledger.api.local import Group


@pytest.fixture(scope="module")
def servers() -> Iterator[Group]:
    made = Group(servers=4)
    yield made
    made.close()


@pytest.fixture
def group(servers: Group) -> Group:
    servers.reset()
    return servers
