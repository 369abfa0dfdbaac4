"""Over Dask arrays every function is right or refused, and what the page promises is kept."""

from __future__ import annotations

import pytest

pytest.importorskip("dask.array")

from tinygrad_bp.engine.registry import COMPOSITIONS, RULES
from tinygrad_bp.engine.signatures import full_name

from ..engine.foreign import RIGHT, WRONG
from .dask_table import outcomes, right_on_the_page

PROMISED = right_on_the_page()


@pytest.mark.parametrize("function", [*RULES, *COMPOSITIONS], ids=full_name)
def test_a_function_over_dask_is_right_or_refused(function):
    found = outcomes(function)
    assert WRONG not in found
    assert found == {RIGHT} or full_name(function) not in PROMISED


def test_the_page_promises_what_networks_are_made_of():
    layers = {"linear", "relu", "sigmoid", "softplus", "np.tanh", "softmax", "np.matmul"}
    losses = {"mse_loss", "huber_loss", "cross_entropy", "binary_cross_entropy_with_logits"}
    assert layers | losses <= PROMISED
