"""One cache of circuits and keys for these tests."""

import pytest

from offchain.proofs.noir.barretenberg import Barretenberg
from offchain.proofs.noir.system import open_barretenberg


@pytest.fixture(scope="package")
def barretenberg(tmp_path_factory: pytest.TempPathFactory) -> Barretenberg:
    return open_barretenberg(tmp_path_factory.mktemp("proofs"))
