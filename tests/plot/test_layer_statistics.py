"""The statistics of layers are of finite numbers."""

import numpy as np
import pytest

import tinygrad_bp as bp
from tinygrad_bp import nn


@pytest.mark.parametrize("X", [np.zeros((0, 2)), np.full((3, 2), np.nan)])
def test_statistics_of_layers_need_numbers(X):
    with pytest.raises(ValueError, match="X must hold finite numbers"):
        bp.plot.layer_statistics(nn.MLP([2, 4, 1], seed=0), X)
