"""The names that other libraries have for the same argument or initialiser are taken too."""

import numpy as np
import pytest

from tinygrad_bp import nn


@pytest.mark.parametrize("layer", [nn.BatchNorm, nn.LayerNorm])
def test_eps_is_epsilon(layer):
    assert layer(2, eps=0.25).epsilon == layer(2, epsilon=0.25).epsilon == 0.25
    with pytest.raises(ValueError, match="eps must be positive, not 0"):
        layer(2, eps=0)


def test_features_are_inputs_and_outputs():
    layer = nn.Linear(in_features=3, out_features=2, seed=0)
    np.testing.assert_array_equal(layer.weight.data, nn.Linear(3, 2, seed=0).weight.data)
    with pytest.raises(ValueError, match="in_features must be at least 1, not 0"):
        nn.Linear(in_features=0, out_features=2)
    with pytest.raises(TypeError, match="Linear needs out_features"):
        nn.Linear(3)
    assert nn.Linear(inputs=3, outputs=2).weight.shape == (2, 3)
    with pytest.raises(ValueError, match=r"^inputs must be at least 1, not 0"):
        nn.Linear(inputs=0, outputs=2)


@pytest.mark.parametrize(
    ("other", "name"),
    [
        ("glorot", "xavier"),
        ("glorot_normal", "xavier_normal"),
        ("glorot_uniform", "xavier"),
        ("kaiming", "he"),
        ("kaiming_normal", "he"),
        ("kaiming_uniform", "he_uniform"),
        ("xavier_uniform", "xavier"),
        ("zeros", "zero"),
    ],
)
def test_initialisers_have_their_other_names(other, name):
    weights = [nn.Linear(3, 2, init=init, seed=0).weight.data for init in (other, name)]
    np.testing.assert_array_equal(*weights)
