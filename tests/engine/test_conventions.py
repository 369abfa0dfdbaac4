"""The table of conventions at the corners, row by row."""

import warnings

import numpy as np
import pytest

import tinygrad_bp as bp

ZERO, ONES = np.zeros(3), np.ones(3)
ROWS = {
    "relu": (bp.functional.relu, 0.0, 0.0),
    "absolute": (np.absolute, 0.0, 0.0),
    "fabs": (np.fabs, 0.0, 0.0),
    "maximum": (lambda x: np.maximum(x, 1.0), 1.0, 0.5),
    "minimum": (lambda x: np.minimum(x, 1.0), 1.0, 0.5),
    "max": (np.max, ONES, ONES / 3),
    "min": (np.min, ONES, ONES / 3),
    "ptp": (np.ptp, ONES, ZERO),
    "std": (np.std, ONES, ZERO),
    "nanstd": (np.nanstd, ONES, ZERO),
    "std of rows": (lambda x: np.sum(np.std(x, axis=1)), np.ones((2, 3)), np.zeros((2, 3))),
    "svdvals": (lambda x: np.sum(np.linalg.svdvals(x)), np.zeros((2, 2)), np.zeros((2, 2))),
    "clip": (lambda x: np.clip(x, 0.0, 1.0), 1.0, 1.0),
    "quantile": (lambda q: np.quantile(np.array([1.0, 2.0, 4.0]), q), 0.5, 3.0),
    "sign": (np.sign, 0.0, 0.0),
    "floor": (np.floor, 1.0, 0.0),
    "hypot": (lambda x: np.hypot(x[0], x[1]), np.zeros(2), np.zeros(2)),
    "square of a norm": (lambda x: np.linalg.norm(x) ** 2, ZERO, ZERO),
}
ORDERS = [None, 1, 2, 3, 2.5, 0.5, np.inf, -np.inf, 0]
MATRIX_ORDERS = [None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf]


@pytest.mark.parametrize(("f", "at", "wanted"), ROWS.values(), ids=ROWS)
def test_a_row_of_the_table(f, at, wanted):
    assert bp.grad(f)(at) == pytest.approx(wanted)


@pytest.mark.parametrize("order", ORDERS)
def test_norms_of_vectors_are_flat_at_zero(order):
    assert bp.grad(lambda x: np.linalg.norm(x, ord=order))(ZERO).tolist() == [0, 0, 0]
    rows = np.array([[0.0, 0.0], [3.0, 4.0]])
    found = bp.grad(lambda x: np.sum(np.linalg.norm(x, axis=1)))(rows)
    assert found == pytest.approx(np.array([[0, 0], [0.6, 0.8]]))


@pytest.mark.parametrize("order", MATRIX_ORDERS)
def test_norms_of_matrices_are_flat_at_zero(order):
    found = bp.grad(lambda x: np.linalg.norm(x, ord=order))(np.zeros((2, 2)))
    assert found.tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize("f", [np.sqrt, np.log])
def test_what_is_infinite_stays_so(f):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        assert bp.grad(f)(0.0) == np.inf


@pytest.mark.parametrize("f", [np.max, np.min, np.ptp, np.median, np.std, np.var])
def test_a_nan_in_the_value_is_a_nan_in_the_gradient(f):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        found = bp.grad(f)(np.array([np.nan, 1.0, 2.0]))
    assert np.isnan(found).all()


SECOND = {
    "hypot": (lambda x: np.hypot(x, 4.0), 3.0, 16 / 125),
    "std": (lambda x: np.std(np.stack([x, 0 * x, -x])), 1.0, 0.0),
    "tanh far out": (np.tanh, 19.0, -8 * np.exp(-38.0)),
    "sigmoid far out": (bp.functional.sigmoid, 36.0, -np.exp(-36.0)),
    "arccosh": (np.arccosh, 2.0, -2 / 3**1.5),
}


@pytest.mark.parametrize(("f", "at", "wanted"), SECOND.values(), ids=SECOND)
def test_the_second_derivative_where_it_exists(f, at, wanted):
    assert bp.grad(bp.grad(f))(at) == pytest.approx(wanted, rel=1e-9, abs=1e-300)


@pytest.mark.parametrize("f", [np.mean, np.max, np.min, np.average])
def test_counts_that_a_half_cannot_hold(f):
    found = bp.grad(f)(np.ones(70_000, np.float16))
    assert found.dtype == np.float16
    assert float(found[0]) == pytest.approx(1 / 70_000, rel=2e-3)


def test_values_at_the_ends_of_a_type():
    assert bp.grad(np.arccosh)(1e160) == pytest.approx(1e-160)
    assert float(bp.grad(np.arccosh)(np.float16(300))) == pytest.approx(1 / 300, rel=1e-3)
    assert bp.grad(np.tanh)(19.0) == pytest.approx(4 * np.exp(-38.0))
    assert bp.grad(bp.functional.sigmoid)(36.0) == pytest.approx(np.exp(-36.0))
    one = np.longdouble(1)
    assert bp.grad(np.log2)(3 * one) * 3 * np.log(2 * one) == pytest.approx(1, abs=4e-19)
