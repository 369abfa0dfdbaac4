"""Predictions change nothing and record nothing."""

import numpy as np
import pytest

from tests.train.training import X
from tinygrad_bp import nn, train


def test_predicting_leaves_a_frozen_layer_frozen():
    model = nn.MLP([2, 4, 1], normalization="batch", seed=0)
    model.layers[1].eval()
    train.predict(model, X)
    assert model.training
    assert not model.layers[1].training


def test_predicting_refuses_no_rows_and_no_model():
    with pytest.raises(ValueError, match=r"X must have rows, and it has shape \(0, 2\)"):
        train.predict(nn.MLP([2, 1]), np.zeros((0, 2)))
    with pytest.raises(ValueError, match=r"X must have rows, and it has shape \(\)"):
        train.predict(nn.MLP([2, 1]), 3.0)
    with pytest.raises(TypeError, match="the model must be a Module"):
        train.predict(np.tanh, X)


def test_predictions_are_not_recorded():
    class Watched(nn.Linear):
        def forward(self, x):
            recorded.append(super().forward(x).requires_grad)
            return super().forward(x)

    recorded = []
    train.predict(Watched(2, 1, seed=0), X)
    assert recorded == [False]
