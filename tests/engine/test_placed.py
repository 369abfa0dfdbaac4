"""Gradients of parts of a long array are noted, not laid out: the sums are those of full arrays."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

import tinygrad_bp as bp
from tinygrad_bp.check import detect_nan
from tinygrad_bp.engine.rules.placed import LONG, MANY, Placed

N = 2 * LONG
X = np.random.default_rng(0).normal(size=N)


def written_out(f, x):
    """The gradient of ``f`` where every part is laid out: by functions that are not indexing."""
    return bp.grad(lambda x: f(x, lambda x, a, b: np.split(x, [a, b])[1]))(x)


FUNCTIONS = {
    "one": lambda x, cut: cut(x, 3, 50).sum(),
    "overlapping": lambda x, cut: sum((cut(x, i, i + 99) ** 2).sum() for i in range(20)),
    "as much as it is long": lambda x, cut: sum(
        (cut(x, 10 * i, 10 * i + N // 3) ** 2).sum() for i in range(9)
    ),
    "many": lambda x, cut: sum(cut(x, i, i + 1).sum() ** 2 for i in range(3 * MANY)),
    "after the whole": lambda x, cut: (cut(x, 3, 50) ** 2).sum() + (x * x).sum(),
    "before the whole": lambda x, cut: (x * x).sum() + (cut(x, 3, 50) ** 2).sum(),
    "among the whole": lambda x, cut: (
        (cut(x, 3, 50) ** 2).sum() + (x * x).sum() + (cut(x, 9, 90) ** 3).sum() + x.sum()
    ),
    "of what was computed": lambda x, cut: sum(
        (cut(y, i, i + 7) ** 2).sum() for y in [np.sin(x)] for i in range(5)
    ),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_gradient_is_that_of_parts_laid_out(name):
    f = FUNCTIONS[name]

    def g(x):
        return f(x, lambda x, a, b: x[a:b])

    expected = written_out(f, X)
    np.testing.assert_allclose(bp.grad(g)(X), expected, rtol=1e-13)
    x = bp.Tensor(X, requires_grad=True)
    for times in (1, 2):  # the second adds to what an earlier pass has found
        g(x).backward()
        assert type(x.grad) is np.ndarray
        np.testing.assert_allclose(x.grad, times * expected, rtol=1e-13)


@pytest.mark.parametrize("index", [5, np.arange(N) % 7 == 0, (slice(None, None, -2),), ...])
def test_every_index_that_names_a_place_once(index):
    x = bp.Tensor(X, requires_grad=True)
    (x[index] * 2).sum().backward()
    expected = np.zeros(N)
    expected[index] = 2
    np.testing.assert_array_equal(x.grad, expected)


def test_the_second_derivative():
    v = np.random.default_rng(1).normal(size=N)

    def f(x):
        return sum((x[i : i + 9] ** 3).sum() for i in range(4))

    expected = bp.grad(lambda x: (written_like(x) * v).sum())(X)
    np.testing.assert_allclose(bp.hvp(f, X, v), expected, rtol=1e-12)


def written_like(x):
    """The gradient of the sum of cubes of four overlapping slices, as a formula."""
    counts = np.zeros(N)
    for i in range(4):
        counts[i : i + 9] += 1
    return 3 * counts * x**2


def test_two_leaves_and_what_is_between_get_arrays_of_their_own():
    x, y = (bp.Tensor(X, requires_grad=True) for _ in range(2))
    z = x + y
    z[10:20].sum().backward(keep_grads=True)
    grads = [x.grad, y.grad, z.grad]
    for i, grad in enumerate(grads):
        grad += i + 1
    for i, grad in enumerate(grads):
        assert grad[0] == i + 1
        assert grad[10] == i + 2


def test_narrow_types_stay_narrow():
    x = bp.Tensor(X, dtype=np.float32, requires_grad=True)
    (x[:9].astype(float).sum() + x[3:8].sum()).backward()
    assert x.grad.dtype == np.float32
    assert x.grad[:10].tolist() == [1, 1, 1, 2, 2, 2, 2, 2, 1, 0]


def test_blocks_of_dask_stay_lazy_and_add_to_noted_parts():
    lazy = pytest.importorskip("dask.array").from_array(X, chunks=LONG)
    x = bp.Tensor(lazy, requires_grad=True)
    (x[:9].sum() + x[3:8].sum()).backward()
    assert isinstance(x.grad, type(lazy))
    assert x.grad[:10].compute().tolist() == [1, 1, 1, 2, 2, 2, 2, 2, 1, 0]
    y = bp.Tensor(X, requires_grad=True)
    (y[:9].sum() + (y * lazy.round()).sum() + y[3:8].sum()).backward()
    expected = X.round()
    expected[:9] += 1
    expected[3:8] += 1
    np.testing.assert_allclose(y.grad, expected)


def test_a_watched_pass_and_a_picture_s_edge_see_an_array():
    x = bp.Tensor(X, requires_grad=True)
    with detect_nan():
        x[:9].sum().backward()
    term = x[:9].rule.derivatives[0](np.ones(9), X[:9], X, slice(9))
    assert np.isfinite(term).all()
    assert (term.sum(), len(term), term[8], term[9]) == (9, N, 1, 0)
    assert np.concatenate([term, term]).sum() == 18


def test_a_sum_leaves_its_terms_as_they_were():
    one, two = (Placed([(slice(i, i + 2), np.ones(2))], (N,)) for i in (0, 1))
    base = np.zeros(N)
    total = base + one
    more = total + two
    assert np.asarray(more)[:4].tolist() == [1, 2, 1, 0]
    assert np.asarray(total)[:4].tolist() == [1, 1, 0, 0]
    assert np.asarray(one)[:4].tolist() == [1, 1, 0, 0]
    assert not base.any()


def test_slices_take_no_memory_for_the_whole_each():
    n, parts = 1_000_000, 50
    x = bp.Tensor(np.ones(n), requires_grad=True)
    loss = sum(x[i * 100 : i * 100 + 100].sum() for i in range(parts))
    tracemalloc.start()
    loss.backward()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.5 * 8 * n
    assert x.grad.sum() == 100 * parts
