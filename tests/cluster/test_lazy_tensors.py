"""A Tensor may hold a Dask array: one lazy graph of both passes, and one computation at the end."""

from __future__ import annotations

import threading
from contextlib import contextmanager

import numpy as np
import pytest

import tinygrad_bp as bp
from tinygrad_bp import functional, nn, optim

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")

rng = np.random.default_rng(3)
ROWS = 24
X = rng.normal(size=(ROWS, 3))
LABELS = np.arange(ROWS) % 3
SHARES = rng.uniform(size=(ROWS, 3))


@pytest.fixture(autouse=True)
def where():
    with dask.config.set(scheduler="synchronous"):
        yield


def lazy(array, rows=5):
    return da.from_array(array, chunks=(rows, *array.shape[1:]))


UPPER = da.from_array(np.arange(2 * ROWS) < ROWS, chunks=7)


@contextmanager
def computations():
    """How often Dask was asked to compute."""
    counted = []
    with dask.callbacks.Callback(start=lambda graph: counted.append(len(graph))):
        yield counted


LOSSES = {
    "cross_entropy": (functional.cross_entropy, LABELS),
    "cross_entropy weighted": (
        lambda z, y: functional.cross_entropy(z, y, weight=[1.0, 2.0, 0.5]),
        LABELS,
    ),
    "cross_entropy sum": (lambda z, y: functional.cross_entropy(z, y, reduction="sum"), LABELS),
    "mse_loss": (functional.mse_loss, SHARES),
    "mae_loss": (functional.mae_loss, SHARES),
    "huber_loss": (lambda z, y: functional.huber_loss(z, y, delta=0.3), SHARES),
    "binary_cross_entropy_with_logits": (functional.binary_cross_entropy_with_logits, SHARES),
    "binary_cross_entropy": (
        lambda z, y: functional.binary_cross_entropy(functional.sigmoid(z), y),
        SHARES,
    ),
    "mse_loss none": (
        lambda z, y: np.sum(functional.mse_loss(z, y, reduction="none") ** 2),
        SHARES,
    ),
}
MODULES = {
    "Linear": lambda: nn.Linear(3, 3, seed=0),
    "BatchNorm": lambda: nn.Sequential(nn.Linear(3, 3, seed=0), nn.BatchNorm(3)),
    "LayerNorm": lambda: nn.Sequential(nn.Linear(3, 3, seed=0), nn.LayerNorm(3)),
    **{name: lambda name=name: nn.MLP([3, 4, 3], name, seed=0) for name in nn.ACTIVATIONS},
}


def trained(wrap, module, loss):
    """What a network holds after three full-batch steps, its data wrapped."""
    compute, targets = LOSSES[loss]
    model, rows, targets = MODULES[module](), wrap(X), wrap(targets)
    steps = optim.Adam(model.parameters(), 0.05, max_norm=0.1)
    for _ in range(3):
        steps.zero_grad()
        compute(model(rows), targets).backward()
        steps.step()
    return model


@pytest.mark.parametrize(
    ("module", "loss"),
    [*((module, "cross_entropy") for module in MODULES), *(("tanh", loss) for loss in LOSSES)],
)
def test_the_full_batch_is_trained_on_as_over_numpys_arrays(module, loss):
    found, expected = trained(lazy, module, loss), trained(np.asarray, module, loss)
    for name, tensor in expected.named_tensors().items():
        other = found.named_tensors()[name].data
        assert isinstance(other, np.ndarray), name  # a parameter stays of its kind
        np.testing.assert_allclose(other, tensor.data, rtol=1e-9, atol=1e-9, err_msg=name)


@pytest.mark.parametrize("loss", LOSSES)
def test_one_computation_finds_all_gradients_of_a_pass(loss):
    compute, targets = LOSSES[loss]
    model = nn.MLP([3, 8, 8, 3], "tanh", seed=0)
    with computations() as counted:
        value = compute(model(lazy(X)), lazy(targets))
        assert not counted
        value.backward()
    assert len(counted) == 1
    assert {type(p.grad) for p in model.parameters()} == {np.ndarray}
    expected = compute(model(X), targets)
    assert value.item() == pytest.approx(expected.item(), rel=1e-12)


def test_a_lazy_leaf_has_a_lazy_gradient():
    leaf, number = bp.Tensor(lazy(X), requires_grad=True), bp.Tensor(2.0, requires_grad=True)
    np.sum(np.sin(leaf) * number).backward()
    assert isinstance(leaf.grad, da.Array)
    assert isinstance(number.grad, np.ndarray)
    np.testing.assert_allclose(leaf.grad.compute(), 2 * np.cos(X), rtol=1e-13)
    np.testing.assert_allclose(number.grad, np.sum(np.sin(X)), rtol=1e-13)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_transformations_differentiate_over_lazy_data(dtype):
    w, v = rng.normal(size=3).astype(dtype), rng.normal(size=3).astype(dtype)

    def loss_over(data):
        return lambda w: np.mean(np.tanh(data @ w) ** 2)

    loss, expected = loss_over(lazy(X.astype(dtype))), loss_over(X.astype(dtype))
    tolerance = {"rtol": 1e-10 if dtype is np.float64 else 1e-4}
    np.testing.assert_allclose(bp.grad(loss)(w), bp.grad(expected)(w), **tolerance)
    value, gradient = bp.value_and_grad(loss)(w)
    assert isinstance(gradient, np.ndarray)
    assert gradient.dtype == dtype
    np.testing.assert_allclose(np.asarray(value), expected(w), **tolerance)
    np.testing.assert_allclose(gradient, bp.grad(expected)(w), **tolerance)
    product = np.asarray(bp.hvp(loss, (w,), (v,)))
    np.testing.assert_allclose(product, bp.hvp(expected, (w,), (v,)), **tolerance)
    _, slope = bp.jvp(loss, (w,), (v,))
    np.testing.assert_allclose(np.asarray(slope), bp.jvp(expected, (w,), (v,))[1], **tolerance)


def test_rows_of_a_table_are_chosen_lazily():
    numbers = rng.integers(5, size=(ROWS, 2))
    table = nn.Embedding(5, 2, seed=0)
    with computations() as counted:
        chosen = table(lazy(numbers))
        assert not counted
    np.testing.assert_array_equal(chosen.data.compute(), table(numbers).data)
    found, expected = (
        bp.gradients(np.sum(table(n) ** 3), [table.weight])[0] for n in (lazy(numbers), numbers)
    )
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    numbers[7, 1] = 5
    with pytest.raises(ValueError, match=r"in the block \[5:10, 0:2\]: indices .* 0 to 4.* 5"):
        table(lazy(numbers)).data.compute()
    with pytest.raises(TypeError, match="must be integers, not float64"):
        table(lazy(X))


def test_dropout_draws_each_block_when_it_is_computed():
    dropout = nn.Dropout(0.5, seed=0)
    with computations() as counted:
        outputs = dropout(bp.Tensor(da.ones((400, 10), chunks=(100, 10)), requires_grad=True))
        assert not counted
    values = outputs.data.compute()
    assert set(np.unique(values)) == {0.0, 2.0}
    np.testing.assert_array_equal(values, outputs.data.compute())
    parts = np.split(values, 4)
    assert not any(np.array_equal(parts[0], part) for part in parts[1:])
    assert abs(np.mean(values) - 1) < 0.1
    assert not np.array_equal(values, dropout(da.ones((400, 10), chunks=(100, 10))).compute())


def test_wrong_labels_are_told_when_they_are_computed_with_their_block():
    wrong = LABELS.copy()
    wrong[12] = 3
    loss = functional.cross_entropy(lazy(X), lazy(wrong))
    with pytest.raises(ValueError, match=r"in the block \[10:15\]: .*position 2 holds 3"):
        loss.compute()


def test_no_more_than_a_few_blocks_are_in_memory():
    alive, most, lock = set(), [0], threading.Lock()

    class Block(np.ndarray):
        def __del__(self):
            alive.discard(id(self))

    def make(seed):
        block = np.random.default_rng(seed).normal(size=(100, 3)).view(Block)
        with lock:
            alive.add(id(block))
            most[0] = max(most[0], len(alive))
        return block

    parts = [da.from_delayed(dask.delayed(make)(i), (100, 3), float) for i in range(40)]
    data = da.concatenate(parts)
    model = nn.MLP([3, 4, 1], "tanh", seed=0)
    functional.mse_loss(model(data), data[:, :1]).backward()
    assert 0 < most[0] <= 8


@pytest.mark.parametrize(
    "make",
    [
        lambda x: lazy(x).persist(),
        lambda x: da.from_array(x, chunks=((5, 0, 7, 12), (2, 1))),
        lambda x: lazy(x).map_blocks(lambda block: block, meta=np.empty((0, 0), np.float64)),
        lambda x: da.from_delayed(dask.delayed(x), x.shape, float),
        lambda x: lazy(np.concatenate([x, x]))[UPPER].compute_chunk_sizes(),
    ],
    ids=["persisted", "empty block", "map_blocks", "delayed", "masked"],
)
def test_arrays_made_in_every_way(make):
    w = bp.Tensor(np.array([1.0, -2.0, 0.5]), requires_grad=True)
    ends = []
    for data in (make(X), X):
        w.zero_grad()
        np.sum(np.exp(np.sin(data @ w) - 0.1 * w[0])).backward()
        ends.append(w.grad)
    assert isinstance(ends[0], np.ndarray)
    np.testing.assert_allclose(ends[0], ends[1], rtol=1e-12)


def test_lengths_that_nobody_knows_are_refused_where_they_come_in():
    unknown = lazy(np.concatenate([X, X]))[UPPER]
    w = bp.Tensor(np.ones(3), requires_grad=True)
    for use in (
        lambda: bp.Tensor(unknown),
        lambda: unknown @ w,
        lambda: w * unknown,
        lambda: bp.Tensor(lazy(X), requires_grad=True)[lazy(X)[:, 0] > 0],
    ):
        with pytest.raises(ValueError, match=r"\(nan, 3\) are not known yet.*compute_chunk_sizes"):
            use()


@pytest.mark.parametrize("scheduler", ["threads", "synchronous"])
def test_numbers_are_python_numbers(scheduler):
    with dask.config.set(scheduler=scheduler):
        total = bp.Tensor(lazy(X), requires_grad=True).sum()
        assert type(total.item()) is float
        assert total.item() == pytest.approx(X.sum(), rel=1e-13)
        assert bp.Tensor(lazy(X)).reshape(-1).shape == (3 * ROWS,)
        with pytest.raises(ValueError, match="scalar"):
            bp.Tensor(lazy(X)).item()
