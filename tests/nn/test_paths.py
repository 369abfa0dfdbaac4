"""Layers and parameters are found wherever a module keeps them, each under one path."""

import numpy as np
import pytest

import tinygrad_bp as bp
from tests.train.training import X, Y, fitted
from tinygrad_bp import nn


def test_layers_in_a_dictionary_are_found():
    class Two(nn.Module):
        def __init__(self):
            self.layers = {"a": nn.Linear(2, 3, seed=0), "b": [nn.Linear(3, 1, seed=1)]}

    expected = ["layers.a.weight", "layers.a.bias", "layers.b.0.weight", "layers.b.0.bias"]
    model = Two()
    assert [name for name, _ in model.named_parameters()] == expected
    assert model.layers["a"].weight.name == "layers.a.weight"
    assert "layers.a: Linear(in_features=2, out_features=3)" in repr(model)


def test_a_sequence_of_layers_is_one():
    model = nn.MLP([2, 3, 1], seed=0)
    assert len(model) == 3
    assert list(model) == list(model.layers)
    assert model[-1] is model.layers[2]


@pytest.mark.parametrize(
    ("shape", "inputs", "hint"),
    [((5,), 1, r"use x\[:, np.newaxis\]"), ((5, 2, 3), 6, r"use x.reshape\(len\(x\), -1\)")],
)
def test_rows_of_another_shape_are_told_how_to_get_it(shape, inputs, hint):
    with pytest.raises(ValueError, match=hint):
        nn.Linear(inputs, 2)(np.zeros(shape))


def test_tables_are_arrays_to_layers_and_losses():
    pandas = pytest.importorskip("pandas")
    model, labels = nn.Linear(2, 2, seed=0), np.arange(20) % 2
    loss = bp.functional.cross_entropy(model(pandas.DataFrame(X)), pandas.Series(labels))
    assert loss.item() == bp.functional.cross_entropy(model(X), labels).item()


def test_layers_that_refuse_stay_as_they_were():
    norm, dropout = nn.BatchNorm(2), nn.Dropout(seed=0)
    before = [layer.state_dict() for layer in (norm, dropout)]
    with pytest.raises(TypeError):
        norm(np.ones((3, 2)) * np.array([1j, "a"], object))
    with pytest.raises(TypeError):
        dropout("ab")
    assert np.isnan(norm(np.full((3, 2), np.nan)).data).all()
    for layer, state in zip((norm, dropout), before, strict=True):
        for name, array in layer.state_dict().items():
            np.testing.assert_array_equal(array, state[name])


def test_what_a_subclass_of_sequential_has_besides_is_found():
    class Scaled(nn.Sequential):
        def __init__(self):
            super().__init__(nn.Linear(2, 1, seed=0))
            self.scale = bp.Tensor(2.0, requires_grad=True)

        def forward(self, x):
            return super().forward(x) * self.scale

    model = Scaled()
    assert [name for name, _ in model.named_parameters()] == ["0.weight", "0.bias", "scale"]
    fitted(X, Y, model=model)
    assert model.scale.item() != 2.0


def test_two_tensors_of_one_path_are_refused():
    model = nn.Module()
    with pytest.raises(ValueError, match=r"two Tensors have the path 'd\.1'"):
        model.d = {1: bp.Tensor(1.0), "1": bp.Tensor(2.0)}


def test_a_dictionary_within_itself():
    model, settings = nn.Module(), {"weight": bp.Tensor(1.0, requires_grad=True)}
    settings["itself"] = settings
    model.settings = settings
    assert [name for name, _ in model.named_parameters()] == ["settings.weight"]
