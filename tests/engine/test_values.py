"""What functions give at the edges of what they take: empty, narrow, of one element."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_bp as bp
from tinygrad_bp import Tensor, grad, gradcheck

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    "axes",
    [([0, 1], [1, 2]), ([0, 1], [1, 2], [2, 0]), ([..., 0], [0, 1], [..., 1]), ([1, 0], [0, 0])],
)
def test_einsum_takes_lists_of_axes(axes):
    shapes = [[4 if i is ... else 3 for i in places] for places in axes[:2]]
    x, y = (RNG.normal(size=shape) for shape in shapes)

    def f(x, y):
        return np.einsum(x, axes[0], y, *axes[1:])

    assert gradcheck(f, x, y, order=2)
    assert f(Tensor(x), Tensor(y)).data == pytest.approx(f(x, y), rel=1e-14)


@pytest.mark.skipif(not hasattr(np, "matvec"), reason="NumPy has it since 2.2")
def test_products_of_vectors_refuse_lengths_that_would_broadcast():
    x, one = Tensor(np.ones((2, 3)), requires_grad=True), np.ones((2, 1))
    for product in (lambda: np.vecdot(x, one), lambda: np.matvec(one[:, np.newaxis], x)):
        with pytest.raises(ValueError, match="matmul"):
            product()


@pytest.mark.parametrize(
    "f",
    [
        np.linalg.norm,
        np.linalg.vector_norm,
        lambda x: np.linalg.norm(x[np.newaxis], 1),
        np.cumprod,
        np.gradient,
        np.nanmean,
        np.nanstd,
        lambda x: np.average(x, weights=x),
    ],
)
@pytest.mark.parametrize("dtype", [np.int8, np.uint8])
def test_small_integers_do_not_overflow(f, dtype):
    x = np.array([100, 90, 70], dtype)
    result, expected = f(Tensor(x)), f(x)
    assert result.dtype == expected.dtype
    assert result.data == pytest.approx(expected, rel=1e-14)


def test_nanmean_counts_what_is_true():
    x = np.array([True, False, True])
    assert np.nanmean(Tensor(x)).data == np.nanmean(x)


def test_nothing_has_no_median():
    empty = Tensor(np.empty((0, 3)))
    assert np.isnan(np.median(empty, axis=0).data).all()
    assert np.isnan(np.nanmedian(empty).data)
    assert np.median(empty, axis=1).shape == (0,)


def test_nanvar_without_degrees_of_freedom_is_not_a_number():
    assert np.isnan(np.nanvar(Tensor([1.0, np.nan, 3.0]), ddof=3).data)


def test_the_quantile_of_a_list_follows_q():
    assert grad(lambda q: np.percentile([1.0, 2.0, 4.0], q))(80.0) == pytest.approx(0.04)


@pytest.mark.parametrize("q", [[0, 1], np.array([[1, 0]]), np.array(1), np.int64(0), 1])
def test_the_quantiles_of_integers_keep_the_type_of_the_array(q):
    x = np.array([3.0, 1.0, 2.0], np.float32)
    result = np.quantile(Tensor(x), q)
    assert result.dtype == np.float32
    assert result.data.tolist() == np.quantile(x, q).tolist()


def test_ediff1d_keeps_the_type_of_the_array():
    x = Tensor(np.ones(3, np.float32), requires_grad=True)
    assert np.ediff1d(x, to_begin=[1.0], to_end=2).dtype == np.float32


def test_cumprod_takes_a_dtype():
    assert np.cumprod(Tensor(np.ones(3, np.float32)), dtype=float).dtype == np.float64


@pytest.mark.parametrize(("shape", "axis"), [((), None), ((1,), 0), ((1, 3), 0), ((3, 1), (1,))])
def test_the_standard_deviation_of_one_element_is_flat(shape, axis):
    x = Tensor(np.full(shape, 2.0), requires_grad=True)
    np.std(x, axis=axis).sum().backward()
    assert not np.any(x.grad)


@pytest.mark.parametrize("keepdims", [False, True])
def test_the_standard_deviation_of_one_number_in_a_row_is_flat(keepdims):
    rows = np.array([[1.0, np.nan], [2.0, 4.0]])
    for deviation in (
        lambda x: np.nanstd(x, axis=1, keepdims=keepdims),
        lambda x: np.std(x, axis=1, keepdims=keepdims, where=~np.isnan(rows)),
    ):
        x = Tensor(rows, requires_grad=True)
        y = deviation(x)
        y.sum().backward()
        assert y.data.tolist() == deviation(rows).tolist()
        assert x.grad.tolist() == [[0.0, 0.0], [-0.5, 0.5]]


def test_the_deviation_of_one_element_from_a_given_mean():
    assert np.nanstd(Tensor([5.0]), mean=np.array([2.0])).data == 3.0
    assert np.std(Tensor([5.0]), mean=np.array([2.0])).data == 3.0


@pytest.mark.parametrize("read", ["L", "U"])
def test_the_gradient_reads_the_triangle_that_numpy_reads(read):
    x = RNG.normal(size=(2, 3, 3))
    other = np.triu_indices(3, 1) if read == "L" else np.tril_indices(3, -1)
    definite = x @ np.swapaxes(x, -1, -2) + np.eye(3)
    definite[:, *other] = 99.0
    for f, x in (
        (lambda x: np.linalg.eigvalsh(x, read), x),
        (lambda x: np.linalg.eigh(x, UPLO=read).eigenvectors, x),
        (lambda x: np.linalg.cholesky(x, upper=read == "U"), definite),
    ):
        assert gradcheck(f, x, order=2)
        y = Tensor(x, requires_grad=True)
        f(y).sum().backward()
        assert not y.grad[:, *other].any()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint64, np.int8, np.int64])
def test_small_integers_do_not_wrap_in_derivatives(dtype):
    y, x = np.array([0, 1, 2], dtype), np.array([100.0, 200.0, 300.0])
    np.testing.assert_array_equal(bp.grad(lambda x: np.sum(x**y))(x), [0.0, 1.0, 600.0])
    assert bp.grad(lambda x: np.sum(x ** dtype(0)))(x).tolist() == [0.0, 0.0, 0.0]
    places = np.array([3, 2, 0], dtype)
    found = np.gradient(bp.Tensor([1.0, 4.0, 9.0], requires_grad=True), places)
    np.testing.assert_allclose(found.data, np.gradient(np.array([1.0, 4.0, 9.0]), places))


@pytest.mark.parametrize("bounds", [(np.nan, 2.0), (0.0, np.nan), (np.array([np.nan, 0, 0]), 2.0)])
def test_clip_at_nan_gives_nan(bounds):
    x = np.array([1.0, 2.0, 3.0])
    found = np.clip(bp.Tensor(x, requires_grad=True), *bounds)
    np.testing.assert_array_equal(found.data, np.clip(x, *bounds))
