"""Modules: what they find, what they are called, how they start, and how they are copied."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import tinygrad_bp as bp
from tinygrad_bp import nn
from tinygrad_bp.functional import cross_entropy


class Nested(nn.Module):
    """Parameters of every kind: direct, in parts, in lists of both, shared, and one frozen."""

    def __init__(self):
        self.scale = bp.Tensor(2.0, requires_grad=True)
        self.first = nn.Linear(2, 3, seed=0)
        self.rest = [nn.Linear(3, 3, seed=1), (bp.Tensor([1.0], requires_grad=True),)]
        self.again = self.first
        self.mean = bp.Tensor([0.0, 0.0])
        self.sizes = (2, 3)

    def forward(self, x):
        return self.scale * self.rest[0](self.again(x - self.mean)) + self.rest[1][0]


PATHS = ["scale", "first.weight", "first.bias", "rest.0.weight", "rest.0.bias", "rest.1.0"]


def test_parameters_are_found_once_in_order_and_named():
    model = Nested()
    assert [path for path, _ in model.named_parameters()] == PATHS
    assert [p.name for p in model.parameters()] == PATHS
    assert model.parameters() == [p for _, p in model.named_parameters()]
    assert list(model.state_dict()) == [*PATHS, "mean"]


def test_every_parameter_gets_a_gradient_and_loses_it():
    model = Nested()
    model(np.ones((4, 2))).sum().backward()
    assert all(p.grad is not None and p.grad.shape == p.shape for p in model.parameters())
    model.zero_grad()
    assert all(p.grad is None for p in model.parameters())


def test_what_a_module_computed_and_kept_is_no_parameter():
    model = nn.Linear(2, 1)
    model.last = model(np.ones((1, 2)))
    assert len(model.parameters()) == 2
    assert "last" not in model.state_dict()


def test_a_frozen_parameter_is_saved_but_not_trained():
    model = nn.MLP([2, 3, 1])
    model.layers[0].weight.requires_grad = False
    assert "0.weight" not in dict(model.named_parameters())
    assert "0.weight" in model.state_dict()


def test_sequential_numbers_its_layers():
    model = nn.Sequential(nn.Linear(2, 3), np.tanh, nn.Sequential(nn.Linear(3, 1)))
    names = [p.name for p in model.parameters()]
    assert names == ["0.weight", "0.bias", "2.0.weight", "2.0.bias"]
    x = np.ones((5, 2))
    hidden = np.tanh(x @ model.layers[0].weight.data.T)
    expected = hidden @ model.layers[2].layers[0].weight.data.T
    np.testing.assert_allclose(model(x).data, expected, rtol=1e-14)


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "softplus", "tanh"])
def test_mlp_is_its_formula(activation):
    functions = {
        "relu": lambda z: z * (z > 0),
        "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
        "softplus": lambda z: np.log(1 + np.exp(z)),
        "tanh": np.tanh,
    }
    model = nn.MLP([3, 5, 4, 2], activation, seed=1)
    X = np.random.default_rng(0).normal(size=(7, 3))
    a = X
    weights = model.parameters()[::2]
    for i, W in enumerate(weights):
        a = a @ W.data.T
        a = functions[activation](a) if i + 1 < len(weights) else a
    np.testing.assert_allclose(model(X).data, a, rtol=1e-12)
    np.testing.assert_allclose(model(X[0]).data, a[0], rtol=1e-12)


def test_the_same_seed_draws_the_same_weights():
    def weights(seed, **options):
        return np.concatenate(
            [p.numpy().ravel() for p in nn.MLP([4, 8, 3], seed=seed, **options).parameters()]
        )

    np.testing.assert_array_equal(weights(7), weights(7))
    assert (weights(7) != weights(8)).any()
    assert (weights(None) != weights(None)).any()
    np.testing.assert_array_equal(weights(np.random.default_rng(7)), weights(7))
    np.testing.assert_array_equal(weights(7, dtype=np.float32), weights(7).astype(np.float32))


def test_initial_weights_have_the_variance_that_they_should():
    inputs, outputs = 300, 500
    he = nn.Linear(inputs, outputs, init="he", seed=0)
    xavier = nn.Linear(inputs, outputs, init="xavier", seed=0)
    assert he.weight.shape == (outputs, inputs)
    np.testing.assert_allclose(he.weight.data.var(), 2 / inputs, rtol=0.02)
    np.testing.assert_allclose(xavier.weight.data.var(), 2 / (inputs + outputs), rtol=0.02)
    np.testing.assert_allclose(np.abs(xavier.weight.data).max(), np.sqrt(6 / 800), rtol=1e-3)
    assert not he.bias.data.any()


def test_the_activation_chooses_the_initialization():
    sizes = [50, 400, 1]
    for activation, variance in (("relu", 2 / 50), ("tanh", 2 / 450), ("sigmoid", 2 / 450)):
        weight = nn.MLP(sizes, activation, seed=0).layers[0].weight
        np.testing.assert_allclose(weight.data.var(), variance, rtol=0.05)


def test_single_precision_stays_single_through_a_step():
    model = nn.MLP([4, 8, 3], seed=0, dtype=np.float32)
    optimizer = bp.optim.SGD(
        model.parameters(), lr=np.float64(0.1), momentum=0.9, weight_decay=np.float64(0.1)
    )
    X = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
    for _ in range(2):
        optimizer.zero_grad()
        out = model(X)
        loss = cross_entropy(out, np.arange(6) % 3)
        loss.backward()
        optimizer.step()
    assert out.dtype == loss.dtype == np.float32
    assert all(p.dtype == p.grad.dtype == np.float32 for p in model.parameters())


def test_state_moves_from_one_model_to_another():
    source, target = nn.MLP([2, 3, 1], seed=0), nn.MLP([2, 3, 1], seed=1)
    state = source.state_dict()
    target.load_state_dict(state)
    X = np.ones((1, 2))
    np.testing.assert_array_equal(source(X).data, target(X).data)
    state["0.weight"][:] = 0  # a copy: neither model sees this
    np.testing.assert_array_equal(source(X).data, target(X).data)
    assert source.layers[0].weight.data.any()


def test_a_state_that_does_not_fit_changes_nothing():
    model = nn.MLP([2, 3, 1], seed=0)
    before = model.state_dict()
    state = nn.MLP([2, 4, 1], seed=1).state_dict()
    state["9.weight"] = state.pop("2.bias")
    state["0.bias"] = np.array(["a", "b", "c"])
    with pytest.raises(ValueError, match="does not fit this MLP") as caught:
        model.load_state_dict(state)
    message = str(caught.value)
    for part in (
        "no '2.bias'",
        "unknown '9.weight'",
        "'0.weight' of shape (4, 2), not (3, 2)",
        "'0.bias' of <U1, not float64",
    ):
        assert part in message
    assert "\n" not in message
    for path, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[path])


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_trained_model_can_be_copied(copied):
    model = nn.MLP([2, 3, 2], "tanh", seed=0)
    cross_entropy(model(np.ones((4, 2))), np.array([0, 1, 1, 1])).backward()
    twin = copied(model)
    for (path, p), (twin_path, q) in zip(
        model.named_parameters(), twin.named_parameters(), strict=True
    ):
        assert path == twin_path == q.name
        assert p is not q
        np.testing.assert_array_equal(p.data, q.data)
        np.testing.assert_array_equal(p.grad, q.grad)
    before = model.state_dict()
    bp.optim.SGD(twin.parameters(), lr=1.0).step()
    assert all((before[path] == p.data).all() for path, p in model.named_parameters())


def test_a_shared_part_is_still_shared_in_a_copy():
    twin = copy.deepcopy(Nested())
    assert twin.again is twin.first


def test_pictures_of_architectures():
    assert repr(nn.Linear(3, 2, bias=False)) == "Linear(in_features=3, out_features=2, bias=False)"
    assert repr(Nested()).splitlines() == [
        "Nested(",
        "  scale: float64 ()",
        "  first: Linear(in_features=2, out_features=3)",
        "  rest.0: Linear(in_features=3, out_features=3)",
        "  rest.1.0: float64 (1,)",
        "  again: Linear(in_features=2, out_features=3)",
        "  mean: float64 (2,)",
        ")",
    ]
    nested = nn.Sequential(nn.MLP([2, 1]), np.tanh)
    assert (
        repr(nested)
        == "Sequential(\n  0: MLP(\n    0: Linear(in_features=2, out_features=1)\n  )\n  1: tanh\n)"
    )
    assert repr(nn.Module()) == "Module()"


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: nn.Linear(0, 3), ValueError, "in_features must be at least 1, not 0"),
        (lambda: nn.Linear(2, -1), ValueError, "out_features must be at least 1, not -1"),
        (lambda: nn.Linear(2.5, 3), TypeError, "in_features must be an integer, not 2.5"),
        (lambda: nn.Linear(2, 3, init="hee"), ValueError, "'hee': did you mean 'he'?"),
        (lambda: nn.Linear(2, 3, dtype=int), TypeError, "dtype"),
        (lambda: nn.MLP([3]), ValueError, "input and the output"),
        (lambda: nn.MLP(3), ValueError, "input and the output"),
        (lambda: nn.MLP([2, "a"]), TypeError, "must be an integer, not 'a'"),
        (
            lambda: nn.MLP([2, 1], "rely"),
            ValueError,
            "unknown activation 'rely': did you mean 'relu'[?] "
            "known are gelu, identity, leaky_relu, relu, sigmoid, silu, softmax, softplus, tanh",
        ),
        (lambda: nn.MLP([2, 1], "xyz"), ValueError, "'xyz': known are gelu, identity"),
        (lambda: nn.MLP([2, 0, 1]), ValueError, "each of sizes must be at least 1, not 0"),
        (lambda: nn.MLP([2, 1], "RELU"), ValueError, "did you mean 'relu'"),
        (lambda: nn.MLP([2, 1], None), ValueError, "unknown activation None"),
        (lambda: nn.Sequential(nn.Linear(2, 1), 3), TypeError, "layer 1 is not a function but 3"),
        (lambda: nn.Module()(1.0), NotImplementedError, "Module has to define forward"),
        (lambda: nn.MLP([2, 1])(np.ones((5, 3))), ValueError, r"0.weight \(1, 2\)"),
    ],
)
def test_errors_are_one_clear_line(make, error, message):
    with pytest.raises(error, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_a_module_within_itself_is_shown_once():
    model = nn.Module()
    model.layer, model.itself = nn.Linear(2, 1), [model]
    assert (
        repr(model) == "Module(\n  layer: Linear(in_features=2, out_features=1)\n  itself.0: ...\n)"
    )
    assert [path for path, _ in model.named_modules()] == ["", "layer"]
