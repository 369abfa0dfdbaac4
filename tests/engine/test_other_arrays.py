"""Arrays of another library, which speak NumPy's protocols, get the gradients that NumPy's get."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_bp as bp
from tinygrad_bp import functional, nn, optim
from tinygrad_bp.engine.signatures import full_name

from .catalogue import SAMPLES_OF
from .foreign import RIGHT, WRONG, Stranger, bare, outcome

# What needs a value to know a shape or a place, or is given a list of NumPy's beside a stranger.
NAMES = """
concatenate getitem np.choose np.concatenate np.cov np.extract np.linalg.cholesky np.linalg.lstsq
np.mean np.nanquantile np.pad np.quantile np.reshape np.select np.std np.trapezoid np.var np.where
put_along_axis scatter_add solution times_sparse
"""
MAY_REFUSE = set(NAMES.split())


def both(compute, *arrays):
    """The gradients of a number, from NumPy's arrays and from those of the other library."""
    for wrap in (np.asarray, Stranger):
        inputs = [bp.Tensor(wrap(x), requires_grad=True) for x in arrays]
        compute(*inputs).backward()
        assert wrap is np.asarray or all(isinstance(x.data, Stranger) for x in inputs)
        yield [bare(x.grad) for x in inputs]


@pytest.mark.parametrize(
    "compute",
    [
        lambda x, y: (x * y).sum(),
        lambda x, y: (np.sin(x) + y / x).sum(),
        lambda x, y: (y - x).reshape((3, 2)).sum(),
        lambda x, y: np.maximum(x, y).sum(),
    ],
)
def test_a_number_that_was_broadcast_gets_the_sum(compute):
    arrays = np.array(0.5), np.array([[1.0, -2.0, 3.0], [0.25, 0.75, -1.0]])
    for one, other in zip(*both(compute, *arrays), strict=True):
        assert one.shape == other.shape
        np.testing.assert_allclose(other, one, rtol=1e-15)


def test_an_index_that_names_a_place_twice_is_added_twice_or_refused():
    x = bp.Tensor(Stranger([1.0, 2.0, 3.0]), requires_grad=True)
    y = x[np.array([0, 0, 2])].sum()
    try:
        y.backward()
    except TypeError:
        assert x.grad is None
    else:
        np.testing.assert_array_equal(bare(x.grad), [2.0, 0.0, 1.0])


@pytest.mark.parametrize("function", SAMPLES_OF, ids=full_name)
def test_every_function_is_right_or_refused(function):
    found = {outcome(sample, Stranger, bare) for sample in SAMPLES_OF[function]}
    assert WRONG not in found
    assert (found != {RIGHT}) == (full_name(function) in MAY_REFUSE)


def second_order(wrap, function, arrays):
    """The gradients of the gradient's length, as NumPy's arrays."""
    xs = [bp.Tensor(wrap(x), requires_grad=True) for x in arrays]
    first = bp.gradients(np.sum(np.tanh(function(*xs))), xs, create_graph=True)
    length = sum(np.sum(g * g) for g in first)
    return [bare(g) for g in bp.gradients(length, xs)]


@pytest.mark.parametrize(
    "function",
    [
        lambda x, y: x @ y.T,
        lambda x, y: x / (2 + y) ** 2,
        lambda x, y: np.var(x, axis=0) * np.max(y, axis=0),
        lambda x, y: functional.softmax(x) * functional.logsumexp(y, axis=-1, keepdims=True),
        functional.linear,
        lambda x, y: np.concatenate([x, y])[1:3] * np.where(x > 0, y, x)[:2],
        lambda x, y: np.einsum("ij,ij->i", x, y),
        lambda x, y: x[np.array([0, 0, 1])] * np.sort(y, axis=1),
        lambda x, y: np.linalg.det(x @ y.T) + np.linalg.norm(x),
    ],
)
def test_second_derivatives_ask_for_no_value(function):
    rng = np.random.default_rng(1)
    arrays = rng.normal(size=(3, 3)), rng.normal(size=(3, 3))
    expected = second_order(np.asarray, function, arrays)
    for found, right in zip(second_order(Stranger, function, arrays), expected, strict=True):
        np.testing.assert_allclose(found, right, rtol=1e-9, atol=1e-12)


def test_nothing_of_networks_refuses():
    assert set(functional.__all__) & MAY_REFUSE == {"put_along_axis"}


# Networks whose parameters are elsewhere

LOSSES = {
    "cross_entropy": functional.cross_entropy,
    "weighted": lambda z, y: functional.cross_entropy(z, y, weight=[1.0, 2.0, 0.5]),
    "none": lambda z, y: np.sum(functional.cross_entropy(z, y, reduction="none")),
    "mse": lambda z, y: functional.mse_loss(z[:, 0], y),
    "huber": lambda z, y: functional.huber_loss(z[:, 0], y, delta=0.5),
    "logits": lambda z, y: functional.binary_cross_entropy_with_logits(z[:, 0], y % 2),
    "probabilities": lambda z, y: functional.binary_cross_entropy(
        functional.sigmoid(z[:, 0]), y % 2
    ),
    "l1": lambda z, y: functional.l1_penalty([z]) + 0 * np.sum(z * y[:, np.newaxis]),
}
MODULES = {
    "MLP": lambda: nn.MLP([3, 4, 3], "tanh", seed=0),
    "BatchNorm": lambda: nn.Sequential(nn.Linear(3, 3, seed=0), nn.BatchNorm(3)),
    "LayerNorm": lambda: nn.Sequential(nn.Linear(3, 3, seed=0), nn.LayerNorm(3)),
    "Dropout": lambda: nn.Sequential(nn.Linear(3, 3, seed=0), nn.Dropout(0.4, seed=1)),
    **{
        name: lambda name=name: nn.MLP([3, 4, 3], name, seed=0)
        for name in nn.ACTIVATIONS
        if name != "tanh"
    },
}
OPTIMIZERS = {
    "SGD": lambda p: optim.SGD(p, 0.1),
    "momentum": lambda p: optim.SGD(p, 0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    "clipped": lambda p: optim.SGD(p, 0.1, max_norm=0.01),
    "schedule": lambda p: optim.SGD(p, bp.schedules.exponential(0.1, 0.5)),
    "Adam": lambda p: optim.Adam(p, 0.1, weight_decay=0.01, max_norm=0.01),
    "AdamW": lambda p: optim.AdamW(p, 0.1),
}


def trained(wrap, module="MLP", loss="cross_entropy", optimizer="SGD"):
    """What a network holds after three steps, on arrays of one library alone."""
    rng = np.random.default_rng(2)
    X, y = wrap(rng.normal(size=(7, 3))), wrap(np.arange(7) % 3)
    model = MODULES[module]()
    for tensor in model.named_tensors().values():
        if tensor.dtype.kind == "f":
            tensor.data = wrap(np.array(tensor.data))
    steps = OPTIMIZERS[optimizer](model.parameters())
    for _ in range(3):
        steps.zero_grad()
        LOSSES[loss](model(X), y).backward()
        steps.step()
    held = {name: tensor.data for name, tensor in model.named_tensors().items()}
    assert wrap is np.asarray or all(
        isinstance(array, Stranger) for array in held.values() if array.dtype.kind == "f"
    )
    return {name: bare(array) for name, array in held.items()}


@pytest.mark.parametrize(
    "kinds",
    [
        *({"module": name} for name in MODULES),
        *({"loss": name} for name in LOSSES),
        *({"optimizer": name} for name in OPTIMIZERS),
    ],
    ids=str,
)
def test_networks_train_where_their_parameters_are(kinds):
    found, expected = trained(Stranger, **kinds), trained(np.asarray, **kinds)
    for name, array in expected.items():
        np.testing.assert_allclose(found[name], array, rtol=1e-12, atol=1e-15, err_msg=name)


def test_rows_of_a_table_are_read_where_it_is():
    table = nn.Embedding(5, 2, seed=0)
    numbers = np.array([[0, 4], [4, 4], [1, 0]])
    expected = bp.gradients(np.sum(table(numbers) ** 2), [table.weight])[0]
    table.weight.data = Stranger(np.array(table.weight.data))
    found = bp.gradients(np.sum(table(Stranger(numbers)) ** 2), [table.weight])[0]
    np.testing.assert_allclose(bare(found), expected, rtol=1e-14)


def test_a_stranger_gives_no_value_away():
    x = Stranger([1.0])
    for ask in (np.asarray, float, int, bool, list):
        with pytest.raises(TypeError):
            ask(x)


@pytest.mark.parametrize("label", [-1, 3])
def test_a_label_that_nobody_can_see_to_be_wrong_has_loss_infinity(label):
    logits, labels = Stranger(np.zeros((2, 3))), Stranger(np.array([0, label]))
    assert bare(functional.cross_entropy(logits, labels)) == np.inf
