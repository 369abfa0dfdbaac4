"""Linear maps from or to nothing, and of integers."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_bp as bp


@pytest.mark.parametrize(("inputs", "outputs"), [(4, 0), (0, 3)])
def test_a_linear_map_from_or_to_nothing(inputs, outputs):
    x, W = np.ones((2, 3, inputs)), bp.Tensor(np.ones((outputs, inputs)), requires_grad=True)
    bp.functional.linear(x, W).sum().backward()
    assert W.grad.shape == (outputs, inputs)


def test_a_linear_map_of_integers_with_half_a_bias():
    assert bp.functional.linear(np.array([1, 2]), np.array([[1, 0]]), 10.5).tolist() == [11.5]
