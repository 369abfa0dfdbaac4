"""Mistakes that were made once: wrong numbers, lost memory, calls that were silently misread."""

from __future__ import annotations

import array
import collections.abc
import copy
import gc
import threading
import weakref

import numpy as np
import pytest

import tinygrad_bp as bp
from tinygrad_bp import Tensor, grad, gradcheck, gradients
from tinygrad_bp.functional import relu

RNG = np.random.default_rng(0)


# What is computed


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


# How a call is read


@pytest.mark.parametrize(("x", "axis"), [([1.0, 2.0], 1), ([1.0, 2.0], -2), (1.0, -1)])
def test_diff_refuses_an_axis_that_is_not_there(x, axis):
    with pytest.raises(np.exceptions.AxisError):
        np.diff(Tensor(x), axis=axis)


def test_gradient_refuses_too_few_places():
    with pytest.raises(ValueError, match="2 places for the 3 points"):
        np.gradient(Tensor([1.0, 2.0, 4.0]), [0.0, 1.0])


def test_too_many_arguments_are_refused():
    x = Tensor([1.0, 2.0], requires_grad=True)
    for call in (lambda: x.exp(5), lambda: relu(x, 0.1), lambda: x.sum(0, None, None, 0, 0, 0, 9)):
        with pytest.raises(TypeError, match="too many"):
            call()


def test_where_needs_something_to_choose_from():
    with pytest.raises(TypeError, match=r"np\.nonzero"):
        np.where(Tensor([1.0, 0.0], requires_grad=True))


def test_a_truth_value_is_not_differentiated():
    with pytest.raises(TypeError, match="the function gave bool"):
        grad(lambda x: np.allclose(x, 2 * x))(1.0)


@pytest.mark.parametrize(
    ("f", "parameter"),
    [
        (np.transpose, [1, 0, 2]),
        (lambda x, axes: np.tensordot(x, x, axes=axes), ([0, 1], [1, 2])),
        (lambda x, where: np.sum(x, where=where), np.arange(27).reshape(3, 3, 3) < 9),
        (lambda x, where: np.max(x, where=where, initial=-9.0), np.arange(3) < 1),
    ],
)
def test_parameters_belong_to_the_graph(f, parameter):
    x = Tensor(RNG.normal(size=(3, 3, 3)), requires_grad=True)
    y = f(x, parameter)
    seed = RNG.normal(size=y.shape)
    (before,) = gradients(y, [x], seed)
    if isinstance(parameter, np.ndarray):
        parameter[...] = ~parameter
    else:
        (parameter if isinstance(parameter, list) else parameter[0]).reverse()
    (after,) = gradients(y, [x], seed)
    assert after.tolist() == before.tolist()


# What is kept in memory


def test_multi_dot_leaves_no_cycle_behind():
    gc.disable()
    try:
        x = Tensor(np.eye(2), requires_grad=True) * 2.0
        alive = weakref.ref(x)
        y = np.linalg.multi_dot([x, x, x])
        del x, y
        assert alive() is None
    finally:
        gc.enable()


class Sequence(collections.abc.Sequence):
    """No list, no tuple and no array."""

    def __init__(self, *items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        return self.items[i]


@pytest.mark.parametrize(
    "index",
    [
        ((0, 0), (1, 1)),
        ((0, 0, 1),),
        (Sequence(0, 0),),
        array.array("q", [0, 0]),
        (slice(None), (0, 0, 1)),
        ((True, False),),
        (np.uint8(1), (0, 0)),
    ],
    ids=repr,
)
def test_every_sequence_of_places_may_name_one_twice(index):
    x = bp.Tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    given = index if isinstance(index, tuple) else (index,)
    same = tuple(np.array(i) if isinstance(i, tuple | Sequence | array.array) else i for i in given)
    out = x[index]
    np.testing.assert_array_equal(out.data, x.data[same])
    out.sum().backward()
    expected = np.zeros((2, 2))
    np.add.at(expected, same, 1.0)
    np.testing.assert_array_equal(x.grad, expected)


def test_the_hessian_of_what_is_read_twice():
    def f(x):
        return np.sum(x[(0, 0), (1, 1)] ** 2)

    assert bp.hessian(f)(np.eye(2))[0, 1, 0, 1] == 4


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint64, np.int8, np.int64])
def test_small_integers_do_not_wrap_in_derivatives(dtype):
    y, x = np.array([0, 1, 2], dtype), np.array([100.0, 200.0, 300.0])
    np.testing.assert_array_equal(bp.grad(lambda x: np.sum(x**y))(x), [0.0, 1.0, 600.0])
    assert bp.grad(lambda x: np.sum(x ** dtype(0)))(x).tolist() == [0.0, 0.0, 0.0]
    places = np.array([3, 2, 0], dtype)
    found = np.gradient(bp.Tensor([1.0, 4.0, 9.0], requires_grad=True), places)
    np.testing.assert_allclose(found.data, np.gradient(np.array([1.0, 4.0, 9.0]), places))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.dot(x, (1.0, 2.0, 3.0)),
        lambda x: np.convolve(x, (1.0, 2.0)).sum(),
        lambda x: np.tensordot(x, (1.0, 2.0, 3.0), axes=1),
        lambda x: np.linalg.solve(np.outer(x, x) + np.eye(3), (1.0, 2.0, 3.0)).sum(),
        lambda x: bp.functional.linear((1.0, 2.0, 3.0), np.outer(x, x)).sum(),
    ],
)
def test_tuples_of_numbers_are_arrays(f):
    assert bp.gradcheck(f, np.array([1.0, -2.0, 0.5]))


@pytest.mark.parametrize(("inputs", "outputs"), [(4, 0), (0, 3)])
def test_a_linear_map_from_or_to_nothing(inputs, outputs):
    x, W = np.ones((2, 3, inputs)), bp.Tensor(np.ones((outputs, inputs)), requires_grad=True)
    bp.functional.linear(x, W).sum().backward()
    assert W.grad.shape == (outputs, inputs)


def test_a_linear_map_of_integers_with_half_a_bias():
    assert bp.functional.linear(np.array([1, 2]), np.array([[1, 0]]), 10.5).tolist() == [11.5]


def test_gradients_that_can_be_differentiated_are_tensors():
    x, unrelated = (bp.Tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
    found = bp.gradients(x.sum(), [x, unrelated], create_graph=True)
    assert [type(g) for g in found] == [bp.Tensor, bp.Tensor]


def test_a_copy_has_a_gradient_of_its_own():
    x = bp.Tensor([1.0, 2.0], requires_grad=True)
    x.sum().backward()
    twin = copy.copy(x)
    twin.grad[0] = 9.0
    assert x.grad.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("bounds", [(np.nan, 2.0), (0.0, np.nan), (np.array([np.nan, 0, 0]), 2.0)])
def test_clip_at_nan_gives_nan(bounds):
    x = np.array([1.0, 2.0, 3.0])
    found = np.clip(bp.Tensor(x, requires_grad=True), *bounds)
    np.testing.assert_array_equal(found.data, np.clip(x, *bounds))


@pytest.mark.parametrize("shape", [(0, 3), (2, 0), (0,)])
def test_an_empty_mask_is_a_mask(shape):
    x = np.zeros(shape)
    found = bp.Tensor(x, requires_grad=True)
    assert found[x > 0].shape == x[x > 0].shape
    with pytest.raises(IndexError, match="arrays used as indices must be of integer"):
        found[np.zeros(0)]
    assert found[[]].shape == x[[]].shape


def test_a_copy_of_a_leaf_whose_gradient_has_a_history():
    x = bp.Tensor([1.0, 2.0], requires_grad=True)
    (x**3).sum().backward(create_graph=True)
    twin = copy.copy(x)
    assert twin.is_leaf
    assert twin.grad.data.tolist() == [3.0, 12.0]
    assert bp.gradients(twin.grad.sum(), [x])[0].tolist() == [6.0, 12.0]


def test_a_no_grad_that_threads_share_is_each_ones_own():
    off, x = bp.no_grad(), bp.Tensor(2.0, requires_grad=True)
    inside, entered, left = threading.Event(), threading.Event(), threading.Event()

    def other():
        with bp.no_grad():
            inside.wait(10)
            with off:
                entered.set()
                left.wait(10)

    thread = threading.Thread(target=other)
    thread.start()
    with off:
        inside.set()
        entered.wait(10)
    recorded = (x * x).requires_grad
    left.set()
    thread.join()
    assert recorded


def test_taking_nothing():
    x = bp.Tensor([1.0, 2.0], requires_grad=True)
    assert np.take(x, []).shape == (0,)


def test_no_grad_does_not_decorate_what_runs_in_parts():
    def numbers():
        yield 1

    async def number():
        return 1

    async def more_numbers():
        yield 1

    for function in (numbers, number, more_numbers):
        with pytest.raises(TypeError, match="runs in parts, which a decorator does not reach"):
            bp.no_grad()(function)


def test_no_grad_can_be_entered_again_and_within_itself():
    off, x = bp.no_grad(), bp.Tensor(2.0, requires_grad=True)
    for _ in range(2):
        with off:
            with off:
                assert not (x * x).requires_grad
            assert not (x * x).requires_grad
        assert (x * x).requires_grad

    @off
    def countdown(n):
        return [(x * x).requires_grad] + (countdown(n - 1) if n else [])

    assert countdown(3) == [False] * 4
    assert (x * x).requires_grad
