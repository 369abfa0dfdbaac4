"""Layers: each against its formula, its derivatives to second order, its two modes, its errors."""

from __future__ import annotations

import copy
import functools
import math
import pickle

import numpy as np
import pytest

import tinygrad_bp as bp
from tinygrad_bp import nn
from tinygrad_bp.functional import cross_entropy, relu


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def held(layer, **values):
    """The layer, with these in place of its parameters."""
    for name, value in values.items():
        setattr(layer, name, value)
    return layer


# Initialisation

SIZES = [(300, 500), (500, 300)]


@pytest.mark.parametrize(("inputs", "outputs"), SIZES)
@pytest.mark.parametrize(
    ("name", "uniform", "variance"),
    [
        ("he", False, lambda n, m: 2 / n),
        ("he_uniform", True, lambda n, m: 2 / n),
        ("lecun", False, lambda n, m: 1 / n),
        ("lecun_uniform", True, lambda n, m: 1 / n),
        ("xavier", True, lambda n, m: 2 / (n + m)),
        ("xavier_normal", False, lambda n, m: 2 / (n + m)),
    ],
)
def test_weights_have_the_variance_and_the_kind_of_their_paper(
    name, uniform, variance, inputs, outputs
):
    weight = nn.Linear(inputs, outputs, init=name, seed=0).weight.data
    expected = variance(inputs, outputs)
    assert weight.shape == (outputs, inputs)
    np.testing.assert_allclose(weight.var(), expected, rtol=0.02)
    np.testing.assert_allclose(weight.mean(), 0, atol=5 * math.sqrt(expected / weight.size))
    widest = np.abs(weight).max() / math.sqrt(expected)  # in deviations
    assert (widest <= math.sqrt(3)) == uniform
    kurtosis = np.mean(weight**4) / np.mean(weight**2) ** 2
    np.testing.assert_allclose(kurtosis, 1.8 if uniform else 3, rtol=0.03)


@pytest.mark.parametrize("function", [nn.xavier, nn.xavier_normal, nn.lecun, nn.lecun_uniform])
def test_a_gain_scales_the_weights(function):
    plain, scaled = (
        function(np.random.default_rng(0), 4, 3, **options) for options in ({}, {"gain": 3.0})
    )
    np.testing.assert_allclose(scaled, 3 * plain, rtol=1e-15)


@pytest.mark.parametrize("function", [nn.he, nn.he_uniform])
def test_a_slope_below_zero_needs_smaller_weights(function):
    plain, leaky = (
        function(np.random.default_rng(0), 4, 3, **options) for options in ({}, {"slope": 2.0})
    )
    np.testing.assert_allclose(leaky * math.sqrt(5), plain, rtol=1e-14)


@pytest.mark.parametrize(("inputs", "outputs"), [(3, 5), (5, 3), (4, 4), (1, 1)])
def test_orthogonal_weights_are_orthogonal(inputs, outputs):
    init = functools.partial(nn.orthogonal, gain=2.0)
    W = nn.Linear(inputs, outputs, init=init, seed=0).weight.data
    product = W.T @ W if outputs >= inputs else W @ W.T
    np.testing.assert_allclose(product, 4 * np.eye(min(inputs, outputs)), atol=1e-14)


def test_orthogonal_matrices_are_all_equally_likely():
    """The diagonal of a random rotation is as often negative as positive."""
    draws = [nn.orthogonal(np.random.default_rng(seed), 3, 3) for seed in range(2000)]
    np.testing.assert_allclose(np.mean(draws, axis=0), 0, atol=0.07)
    np.testing.assert_allclose(np.mean(np.square(draws), axis=0), 1 / 3, atol=0.04)


def test_he_keeps_signals_through_fifty_layers_and_xavier_does_not(rng):
    X = rng.normal(size=(20, 100))
    size = {}
    for init in ("he", "he_uniform", "xavier"):
        model = nn.MLP([100] * 51, "relu", init=init, seed=0)
        size[init] = float(np.abs(model(X).data).mean())
    assert 0.1 < size["he"] < 10
    assert 0.1 < size["he_uniform"] < 10
    assert size["xavier"] < 1e-4


def test_zero_weights_are_zero_and_a_function_can_draw():
    assert not nn.Linear(3, 2, init="zero").weight.data.any()
    layer = nn.Linear(3, 2, init=lambda generator, n, m: np.full((m, n), 7.0))
    np.testing.assert_array_equal(layer.weight.data, np.full((2, 3), 7.0))


# Dropout


def test_dropout_keeps_the_mean_and_drops_the_share_that_it_should(rng):
    x = rng.normal(size=(400, 500))
    out = nn.Dropout(0.2, seed=1)(x)
    dropped = out == 0
    np.testing.assert_allclose(dropped.mean(), 0.2, atol=0.005)
    np.testing.assert_allclose(out[~dropped], x[~dropped] / 0.8, rtol=1e-15)


def test_dropout_draws_anew_each_time_and_the_same_from_the_same_seed():
    x = np.ones(1000)
    first, second = nn.Dropout(seed=3), nn.Dropout(seed=3)
    one, two = first(x), first(x)
    assert (one != two).any()
    np.testing.assert_array_equal(one, second(x))
    np.testing.assert_array_equal(two, second(x))


def test_dropout_does_nothing_in_use_and_at_p_zero():
    x = bp.Tensor(np.ones(50), requires_grad=True)
    assert nn.Dropout(0.9).eval()(x) is x
    assert nn.Dropout(0)(x) is x


def test_dropout_sends_back_through_what_it_kept():
    x = bp.Tensor(np.full(100, 3.0), requires_grad=True)
    out = nn.Dropout(0.5, seed=0)(x)
    out.sum().backward()
    np.testing.assert_array_equal(x.grad, np.where(out.data == 0, 0.0, 2.0))


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.float64])
def test_dropout_keeps_the_type(dtype):
    assert nn.Dropout(0.3, seed=0)(np.ones((3, 3), dtype)).dtype == dtype
    np.testing.assert_allclose(nn.Dropout(0.2, seed=0)([4, 4, 4]).max(), 5.0, rtol=1e-15)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_copy_of_dropout_goes_on_from_where_it_was(copied):
    layer = nn.Dropout(0.5, seed=0)
    layer(np.ones(10))
    twin = copied(layer)
    np.testing.assert_array_equal(layer(np.ones(100)), twin(np.ones(100)))


def test_the_masks_to_come_are_part_of_the_state():
    layer, twin = nn.Dropout(0.5, seed=0), nn.Dropout(0.5, seed=1)
    layer(np.ones(10))
    twin.load_state_dict(layer.state_dict())
    for _ in range(2):
        np.testing.assert_array_equal(layer(np.ones(100)), twin(np.ones(100)))


# Normalisation


def test_batch_norm_is_its_formula(rng):
    X, w, b = rng.normal(3, 2, size=(7, 4)), rng.normal(size=4), rng.normal(size=4)
    layer = nn.BatchNorm(4, momentum=0.3, epsilon=0.1)
    layer.weight.data, layer.bias.data = w, b
    expected = (X - X.mean(0)) / np.sqrt(X.var(0) + 0.1) * w + b
    np.testing.assert_allclose(layer(X).data, expected, rtol=1e-12)
    mean, variance = 0.3 * X.mean(0), 0.7 + 0.3 * X.var(0, ddof=1)
    np.testing.assert_allclose(layer.running_mean.data, mean, rtol=1e-12)
    np.testing.assert_allclose(layer.running_var.data, variance, rtol=1e-12)
    before = layer.state_dict()
    in_use = (X - mean) / np.sqrt(variance + 0.1) * w + b
    np.testing.assert_allclose(layer.eval()(X).data, in_use, rtol=1e-12)
    np.testing.assert_allclose(layer(X[:1]).data, in_use[:1], rtol=1e-12)
    for name, array in layer.state_dict().items():  # which use does not change
        np.testing.assert_array_equal(array, before[name])


def test_running_statistics_approach_those_of_the_data(rng):
    layer = nn.BatchNorm(3)
    for _ in range(200):
        layer(rng.normal([0, 5, -5], [1, 2, 0.1], size=(200, 3)))
    np.testing.assert_allclose(layer.running_mean.data, [0, 5, -5], atol=0.1)
    np.testing.assert_allclose(layer.running_var.data, [1, 4, 0.01], rtol=0.1)


def test_running_statistics_are_saved_and_not_trained():
    layer = nn.BatchNorm(3)
    assert [name for name, _ in layer.named_parameters()] == ["weight", "bias"]
    assert list(layer.state_dict()) == ["weight", "bias", "running_mean", "running_var"]


def test_running_statistics_do_not_reach_an_older_graph(rng):
    X = rng.normal(size=(5, 3))
    layer = nn.BatchNorm(3).eval()
    x = bp.Tensor(X, requires_grad=True)
    out = layer(x).sum()
    layer.train()(100 * X)
    out.backward()
    np.testing.assert_allclose(x.grad, 1 / np.sqrt(1 + 1e-5), rtol=1e-12)


def test_layer_norm_is_its_formula(rng):
    X, w, b = rng.normal(3, 2, size=(2, 7, 4)), rng.normal(size=4), rng.normal(size=4)
    layer = nn.LayerNorm(4, epsilon=0.1)
    layer.weight.data, layer.bias.data = w, b
    mean, variance = X.mean(-1, keepdims=True), X.var(-1, keepdims=True)
    expected = (X - mean) / np.sqrt(variance + 0.1) * w + b
    np.testing.assert_allclose(layer(X).data, expected, rtol=1e-12)
    np.testing.assert_allclose(layer(X[0, 0]).data, expected[0, 0], rtol=1e-12)
    np.testing.assert_allclose(layer(X.tolist()).data, expected, rtol=1e-12)


@pytest.mark.parametrize("layer", [nn.BatchNorm(3, dtype=np.float32), nn.LayerNorm(3, dtype="f4")])
def test_normalisation_keeps_single_precision(layer, rng):
    x = bp.Tensor(rng.normal(size=(5, 3)), dtype=np.float32, requires_grad=True)
    out = layer(x)
    out.sum().backward()
    assert out.dtype == x.grad.dtype == layer.weight.grad.dtype == np.float32
    assert {array.dtype for array in layer.state_dict().values()} == {np.dtype(np.float32)}


# Embedding


def test_embedding_reads_rows_and_sums_what_they_send_back():
    layer = nn.Embedding(5, 2, seed=0)
    indices = np.array([[4, 1, 4], [0, 4, 1]])
    out = layer(indices)
    np.testing.assert_array_equal(out.data, layer.weight.data[indices])
    g = np.arange(12.0).reshape(2, 3, 2)
    out.backward(g)
    expected = np.zeros((5, 2))
    for i in range(2):
        for j in range(3):
            expected[indices[i, j]] += g[i, j]
    np.testing.assert_array_equal(layer.weight.grad, expected)


@pytest.mark.parametrize("indices", [3, [0, 4], np.array([1], np.uint8), bp.Tensor([2, 2])])
def test_embedding_takes_integers_of_any_kind(indices):
    layer = nn.Embedding(5, 2, seed=0)
    positions = indices.data if isinstance(indices, bp.Tensor) else indices
    np.testing.assert_array_equal(layer(indices).data, layer.weight.data[positions])


def test_an_index_changed_afterwards_changes_no_gradient():
    layer, indices = nn.Embedding(3, 1, seed=0), np.array([0, 0])
    out = layer(indices)
    indices[:] = 2
    out.sum().backward()
    np.testing.assert_array_equal(layer.weight.grad, [[2], [0], [0]])


# Derivatives of every layer, to second order

X = np.random.default_rng(1).normal(size=(4, 3))
W, ROW, COLUMN = (np.random.default_rng(i).normal(size=s) for i, s in ((2, (2, 3)), (3, 3), (4, 2)))
DERIVATIVES = {
    "linear": (lambda x, w, b: held(nn.Linear(3, 2), weight=w, bias=b)(x), X, W, COLUMN),
    "dropout": (lambda x: nn.Dropout(0.5, seed=0)(x) ** 3, X),
    "batch norm": (lambda x, w, b: held(nn.BatchNorm(3), weight=w, bias=b)(x), X, ROW, ROW),
    "batch norm in use": (
        lambda x, w, b: held(nn.BatchNorm(3).eval(), weight=w, bias=b)(x),
        X,
        ROW,
        ROW,
    ),
    "layer norm": (lambda x, w, b: held(nn.LayerNorm(3), weight=w, bias=b)(x), X, ROW, ROW),
    "embedding": (lambda w: held(nn.Embedding(2, 3), weight=w)(np.array([0, 1, 0])) ** 3, W),
}


@pytest.mark.parametrize("name", DERIVATIVES)
def test_derivatives_to_second_order(name):
    f, *inputs = DERIVATIVES[name]
    assert bp.gradcheck(f, *inputs, order=2)


@pytest.mark.parametrize("normalization", [None, "batch", "layer"])
def test_a_whole_network_to_second_order(normalization):
    model = nn.MLP([3, 4, 2], np.tanh, dropout=0.3, normalization=normalization, seed=0)

    def loss(x, weight):
        twin = copy.deepcopy(model)  # the same mask each time
        twin.layers[0].weight = weight
        return cross_entropy(twin(x), np.array([0, 1, 1, 0]))

    assert bp.gradcheck(loss, X, model.layers[0].weight.data, order=2)


# Networks


def test_an_mlp_has_its_parts_in_their_order():
    model = nn.MLP([2, 8, 4, 3], "tanh", "softmax", dropout=0.1, normalization="batch", seed=0)
    assert repr(model).splitlines()[1:-1] == [
        "  0: Linear(in_features=2, out_features=8)",
        "  1: BatchNorm(8)",
        "  2: tanh",
        "  3: Dropout(p=0.1)",
        "  4: Linear(in_features=8, out_features=4)",
        "  5: BatchNorm(4)",
        "  6: tanh",
        "  7: Dropout(p=0.1)",
        "  8: Linear(in_features=4, out_features=3)",
        "  9: softmax",
    ]
    np.testing.assert_allclose(model(np.eye(2)).data.sum(axis=-1), 1, rtol=1e-12)


def test_options_of_an_mlp_reach_its_layers():
    model = nn.MLP(
        [2, 8, 3], bias=False, init="orthogonal", normalization="layer", dtype=np.float32, seed=0
    )
    assert [name for name, _ in model.named_parameters()] == [
        "0.weight",
        "1.weight",
        "1.bias",
        "3.weight",
    ]
    assert {p.dtype for p in model.parameters()} == {np.dtype(np.float32)}
    W = model.layers[0].weight.data
    np.testing.assert_allclose(W.T @ W, np.eye(2), atol=1e-6)


def test_dropout_leaves_the_weights_of_a_seed_as_they_are():
    plain, dropping = nn.MLP([3, 5, 5, 2], seed=4), nn.MLP([3, 5, 5, 2], dropout=0.5, seed=4)
    for p, q in zip(plain.parameters(), dropping.parameters(), strict=True):
        np.testing.assert_array_equal(p.data, q.data)
    x = np.ones((50, 3))
    again = nn.MLP([3, 5, 5, 2], dropout=0.5, seed=4)
    np.testing.assert_array_equal(dropping(x).data, again(x).data)
    masks = [dropping.layers[i](np.ones(40)) for i in (2, 5)]
    assert (masks[0] != masks[1]).any()  # each layer drops for itself


def test_dropout_draws_nothing_from_the_generator_of_the_weights():
    generator = np.random.default_rng(4)
    model = nn.MLP([3, 5, 2], dropout=0.5, seed=generator)
    before = generator.bit_generator.state
    model(np.ones((50, 3)))
    assert generator.bit_generator.state == before


@pytest.mark.parametrize(
    ("given", "variance"), [(relu, 2 / 50), (np.tanh, 2 / 450), (np.sin, 2 / 450)]
)
def test_an_activation_may_be_a_function(given, variance):
    model = nn.MLP([50, 400, 1], given, given, seed=0)
    assert model.layers[1] is model.layers[3] is given
    np.testing.assert_allclose(model.layers[0].weight.data.var(), variance, rtol=0.05)


def test_train_and_eval_reach_every_part():
    inner = nn.Sequential(nn.Dropout(0.5), nn.MLP([2, 2, 1], dropout=0.5))
    model = nn.Sequential(nn.Linear(2, 2), inner, nn.BatchNorm(1))
    assert all(module.training for _, module in model.named_modules())
    assert model.eval() is model
    assert not any(module.training for _, module in model.named_modules())
    assert [path for path, _ in model.named_modules()] == [
        *("", "0", "1", "1.0", "1.1", "1.1.0", "1.1.2", "1.1.3", "2")
    ]
    assert inner.train() is inner
    assert inner.layers[1].layers[2].training
    assert not model.training
    assert nn.Dropout().training  # the flag is each module's own


def test_a_part_that_knows_its_whole_is_visited_once():
    part, whole = nn.Linear(2, 1), nn.Module()
    whole.part, part.whole = part, whole
    assert [path for path, _ in whole.named_parameters()] == ["part.weight", "part.bias"]
    assert len(whole.eval().named_modules()) == 2


def test_a_network_with_all_layers_learns(rng):
    X = rng.normal(size=(200, 2))
    labels = (X[:, 0] * X[:, 1] > 0).astype(int)
    model = nn.MLP([2, 16, 16, 2], "tanh", dropout=0.1, normalization="batch", seed=0)
    optimizer = bp.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(100):
        optimizer.zero_grad()
        cross_entropy(model(X), labels).backward()
        optimizer.step()
    accuracy = np.mean(model.eval()(X).argmax(axis=1) == labels)
    assert accuracy > 0.95


# Errors


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: nn.Dropout(1), ValueError, "p must be from 0 to less than 1, not 1"),
        (lambda: nn.Dropout(-0.1), ValueError, "p must be from 0"),
        (lambda: nn.Dropout("half"), TypeError, "p must be a number, not 'half'"),
        (lambda: nn.BatchNorm(0), ValueError, "features must be at least 1, not 0"),
        (lambda: nn.BatchNorm(2.0), TypeError, "features must be an integer, not 2.0"),
        (lambda: nn.BatchNorm(2, momentum=0), ValueError, "momentum must be positive"),
        (lambda: nn.BatchNorm(2, momentum=1.5), ValueError, "momentum must be at most 1, not 1.5"),
        (lambda: nn.BatchNorm(2, epsilon=0), ValueError, "epsilon must be positive"),
        (lambda: nn.BatchNorm(2, dtype=int), TypeError, "dtype"),
        (lambda: nn.LayerNorm(0), ValueError, "features must be at least 1, not 0"),
        (lambda: nn.LayerNorm(2, epsilon=-1), ValueError, "epsilon must be positive"),
        (lambda: nn.Embedding(0, 2), ValueError, "count must be at least 1, not 0"),
        (lambda: nn.Embedding(2, -2), ValueError, "features must be at least 1, not -2"),
        (
            lambda: nn.BatchNorm(2)(np.ones((4, 3))),
            ValueError,
            r"BatchNorm\(2\) takes x of shape \(n, 2\), not \(4, 3\)",
        ),
        (lambda: nn.BatchNorm(2)(np.ones(2)), ValueError, r"takes x of shape \(n, 2\), not \(2,\)"),
        (lambda: nn.BatchNorm(2)(np.ones((1, 2))), ValueError, "needs at least 2 rows in training"),
        (
            lambda: nn.BatchNorm(2)(np.ones((0, 2))),
            ValueError,
            "at least 2 rows in training, not 0",
        ),
        (
            lambda: nn.LayerNorm(2)(np.ones((4, 3))),
            ValueError,
            r"LayerNorm\(2\) takes x of shape \(..., 2\), not \(4, 3\)",
        ),
        (lambda: nn.LayerNorm(2)(1.0), ValueError, r"not \(\)"),
        (
            lambda: nn.Embedding(5, 2)(np.array([0, 5])),
            ValueError,
            r"indices of Embedding\(5, 2\) must be 0 to 4, and position 1 holds 5",
        ),
        (lambda: nn.Embedding(5, 2)([-1]), ValueError, "position 0 holds -1"),
        (lambda: nn.Embedding(5, 2)([1.0]), TypeError, "must be integers, not float64"),
        (lambda: nn.Embedding(5, 2)([True]), TypeError, "must be integers, not bool"),
        (lambda: nn.MLP([2, 1], dropout=1.0), ValueError, "dropout must be from 0 to less than 1"),
        (
            lambda: nn.MLP([2, 1], normalization="bach"),
            ValueError,
            "unknown normalization 'bach': did you mean 'batch'[?] known are batch, layer",
        ),
        (lambda: nn.MLP([2, 1], output_activation="sofmax"), ValueError, "mean 'softmax'[?]"),
        (lambda: nn.MLP([2, 1], init="xavir"), ValueError, "did you mean 'xavier'[?]"),
        (lambda: nn.MLP([2, 1], init=3), ValueError, "unknown initialization 3: known are glorot"),
        (
            lambda: nn.Linear(3, 2, init=lambda generator, n, m: np.ones((n, m))),
            ValueError,
            r"init must give weights of shape \(2, 3\), not \(3, 2\)",
        ),
    ],
)
def test_errors_are_one_clear_line(make, error, message):
    with pytest.raises(error, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_a_refused_batch_leaves_the_running_statistics():
    layer = nn.BatchNorm(2)
    before = layer.state_dict()
    for x in (np.ones((4, 3)), np.ones((1, 2))):
        with pytest.raises(ValueError, match="BatchNorm"):
            layer(x)
    for name, array in layer.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


# Summary


def test_summary_counts_by_hand():
    model = nn.MLP([4, 8, 3], "relu", "softmax", dropout=0.5, normalization="batch", seed=0)
    table = nn.summary(model, 4)
    found = [(r.path, r.layer, r.shape, r.parameters, r.multiplications) for r in table.rows]
    assert found == [
        ("0", "Linear(in_features=4, out_features=8)", (8,), 4 * 8 + 8, 4 * 8),
        ("1", "BatchNorm(8)", (8,), 16, 16),
        ("2", "relu", (8,), 0, 0),
        ("3", "Dropout(p=0.5)", (8,), 0, 0),
        ("4", "Linear(in_features=8, out_features=3)", (3,), 8 * 3 + 3, 8 * 3),
        ("5", "softmax", (3,), 0, 0),
    ]
    assert table.parameters == sum(p.size for p in model.parameters())
    assert table.multiplications == 32 + 16 + 24


def test_summary_leaves_the_model_as_it_was():
    model = nn.MLP([4, 8, 3], dropout=0.5, normalization="batch", seed=0)
    model.layers[1].eval()
    before, modes = pickle.dumps(model), [m.training for _, m in model.named_modules()]
    nn.summary(model, (4,))
    assert pickle.dumps(model) == before
    assert [m.training for _, m in model.named_modules()] == modes
    assert model(np.ones((2, 4))).requires_grad


class Residual(nn.Module):
    """A part that is used twice, one with parameters of its own, and one that is not used."""

    def __init__(self):
        self.scale = bp.Tensor(np.ones(3), requires_grad=True)
        self.again = nn.Linear(3, 3, seed=0)
        self.body = nn.Sequential(nn.Sequential(self.again, np.tanh), self.again)
        self.unused = nn.Linear(3, 2, seed=0)

    def forward(self, x):
        return x + self.scale * self.body(x)


def test_summary_of_a_model_of_one_s_own():
    model = Residual()
    table = nn.summary(model, (5, 3))
    found = [(r.path, r.layer, r.shape, r.parameters, r.multiplications) for r in table.rows]
    assert found == [
        ("", "Residual", (5, 3), 3, 15),
        ("again", "Linear(in_features=3, out_features=3)", (5, 3), 12, 45),
        ("body.0.1", "tanh", (5, 3), 0, 0),
        ("again", "Linear(in_features=3, out_features=3)", (5, 3), 0, 45),
        ("unused", "Linear(in_features=3, out_features=2)", None, 8, 0),
    ]
    assert table.parameters == sum(p.size for p in model.parameters())
    assert repr(table).splitlines() == [
        "Residual of an example of shape (5, 3)",
        "",
        "          layer                                  output  parameters  multiplications",
        "          Residual                               (5, 3)           3               15",
        "again     Linear(in_features=3, out_features=3)  (5, 3)          12               45",
        "body.0.1  tanh                                   (5, 3)           0                0",
        "again     Linear(in_features=3, out_features=3)  (5, 3)           0               45",
        "unused    Linear(in_features=3, out_features=2)  -                8                0",
        "          in all                                                 23              105",
    ]


def test_summary_of_integers():
    model = nn.Sequential(nn.Embedding(10, 4), nn.LayerNorm(4), nn.Linear(4, 2, dtype=np.float64))
    rows = nn.summary(model, 6, dtype=int).rows
    assert [row.shape for row in rows] == [(6, 4), (6, 4), (6, 2)]
    assert [row.parameters for row in rows] == [40, 8, 10]


class Quadratic(nn.Module):
    """x M x / 2 for each of a batch, without a layer."""

    def __init__(self):
        self.M = bp.Tensor(np.eye(4), requires_grad=True)

    def forward(self, x):
        return np.sum(np.dot(0.5, np.dot(x, self.M)) * x, axis=-1)


def test_summary_counts_products_outside_of_layers():
    (row,) = nn.summary(Quadratic(), 4).rows
    assert (row.layer, row.shape, row.parameters) == ("Quadratic", (), 16)
    assert row.multiplications == 4 * 4 + 4 + 4


def test_a_shared_weight_is_counted_once():
    model = nn.MLP([3, 3, 3], bias=False, seed=0)
    model.layers[2].weight = model.layers[0].weight
    assert [row.parameters for row in nn.summary(model, 3).rows] == [9, 0, 0]


def test_summary_of_one_layer():
    (row,) = nn.summary(nn.Linear(3, 2), 3).rows
    assert (row.path, row.layer, row.parameters, row.multiplications) == (
        "",
        "Linear(in_features=3, out_features=2)",
        8,
        6,
    )


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: nn.summary(np.tanh, 3), TypeError, "needs a Module, not a ufunc"),
        (lambda: nn.summary(nn.MLP([2, 1]), "3"), TypeError, "must be an integer, not '3'"),
        (lambda: nn.summary(nn.MLP([2, 1]), (0,)), ValueError, "must be at least 1, not 0"),
        (lambda: nn.summary(nn.MLP([2, 1]), 3), ValueError, r"0.weight \(1, 2\)"),
        (lambda: nn.summary(nn.Embedding(3, 1), 3), TypeError, "must be integers, not float64"),
    ],
)
def test_what_summary_refuses(make, error, message):
    with pytest.raises(error, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)
