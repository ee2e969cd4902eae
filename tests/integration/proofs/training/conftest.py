"""One cache of circuits and keys for these tests, and a small MLP to train."""

import numpy as np
import pytest

from offchain.proofs.noir.system import open_barretenberg
from offchain.proofs.training.prove import StepProver
from offchain.proofs.training.run import BatchSet, cut_batches
from offchain.proofs.training.shape import StepShape

SHAPE = StepShape((3, 4, 2), 2, (6, 8), weight_bits=16, activation_bits=18, error_bits=18)


@pytest.fixture(scope="package")
def prover(tmp_path_factory: pytest.TempPathFactory) -> StepProver:
    return StepProver(open_barretenberg(tmp_path_factory.mktemp("proofs")))


@pytest.fixture(scope="package")
def data() -> BatchSet:
    rng = np.random.default_rng(7)
    labels = rng.integers(0, 2, 11)
    inputs = rng.integers(0, 9, (11, 3)) + 7 * labels[:, np.newaxis]
    return cut_batches(SHAPE, inputs, labels, b"d" * 32)
