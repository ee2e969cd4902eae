from collections.abc import Iterator

import pytest

from tests.contracts.arithmetic.asking import Harness, harness


@pytest.fixture(scope="package")
def evm() -> Iterator[Harness]:
    """An Anvil with the harness on it."""
    with harness() as deployed:
        yield deployed
