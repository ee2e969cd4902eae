"""What a client is told before it pays."""

import numpy as np
import pytest

from offchain.data.raw import build_raw
from offchain.errors import Rejected
from offchain.model.limits import MAX_TEST_SAMPLES
from offchain.model.shorthand import spec_from_shorthand
from offchain.roles.prepare import OrderRequest, quantise_data


def test_a_test_set_that_nobody_would_score_is_refused() -> None:
    few = build_raw("few", np.arange(8.0).reshape(4, 2), np.array([0, 1, 0, 1]))
    n = MAX_TEST_SAMPLES + 1
    many = build_raw("many", np.zeros((n, 2), np.float32), np.arange(n) % 2)
    spec = spec_from_shorthand("mlp:2", input_shape=(2,), outputs=2)
    request = OrderRequest("t", few, spec, 1, 1, 1, 1, 1, test=many)
    with pytest.raises(Rejected, match=f"--test: {n} samples; validators score at most"):
        quantise_data(request)
