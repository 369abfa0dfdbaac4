"""Shapes: what the forward pass broadcast, gathered or moved, the backward pass puts back."""

import itertools

import numpy as np
import pytest

import tinygrad_bp as bp


def leaf(value, **options):
    return bp.Tensor(value, requires_grad=True, **options)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def numeric_vjp(f, arrays, position, g, h=1e-6):
    """g times the derivative of f by one of the arrays, by central differences."""
    x = np.asarray(arrays[position])
    found = np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        step = np.zeros(x.shape)
        step[i] = h
        up, down = (f(*arrays[:position], x + s, *arrays[position + 1 :]) for s in (step, -step))
        found[i] = np.sum(g * (up - down)) / (2 * h)
    return found


def check(f, *arrays):
    """Compare every gradient of f at the arrays with central differences, under a random seed."""
    tensors = [leaf(x) for x in arrays]
    out = f(*tensors)
    expected = f(*arrays)
    assert out.shape == np.shape(expected)
    assert np.array_equal(out.data, expected)
    g = normal(*out.shape, seed=9)
    out.backward(g)
    for position, tensor in enumerate(tensors):
        assert np.shape(tensor.grad) == tensor.shape
        exact = numeric_vjp(f, arrays, position, g)
        assert np.allclose(tensor.grad, exact, rtol=1e-6, atol=1e-7), f"input {position}"


# Broadcasting

SHAPES = [
    (),
    (1,),
    (3,),
    (1, 1),
    (1, 3),
    (2, 1),
    (2, 3),
    (4, 1, 3),
    (4, 2, 1),
    (1, 2, 3),
    (4, 2, 3),
]


def broadcasts(pair):
    try:
        return bool(np.broadcast_shapes(*pair)) or pair == ((), ())
    except ValueError:
        return False


PAIRS = [
    *filter(broadcasts, itertools.product(SHAPES, repeat=2)),
    ((4, 1), (1, 4)),
    ((1, 1, 1, 1), (3,)),
    ((), (2, 3, 2, 2)),
]


@pytest.mark.parametrize("pair", PAIRS, ids=str)
def test_every_way_to_broadcast_is_summed_back(pair):
    """The sums over the stretched axes, written out: no engine, no finite differences."""
    a, b = normal(*pair[0], seed=1), normal(*pair[1], seed=2)
    x, y = leaf(a), leaf(b)
    out = x * y
    g = normal(*out.shape, seed=3)
    out.backward(g)
    for tensor, term in ((x, g * b), (y, g * a)):
        expected = np.zeros(tensor.shape)
        padded = (1,) * (out.ndim - tensor.ndim) + tensor.shape
        for i in np.ndindex(out.shape):
            j = tuple(k if n > 1 else 0 for k, n in zip(i, padded, strict=True))
            expected[j[out.ndim - tensor.ndim :]] += np.broadcast_to(term, out.shape)[i]
        assert tensor.grad.shape == tensor.shape
        assert np.allclose(tensor.grad, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    "f",
    [
        np.add,
        np.subtract,
        np.divide,
        np.maximum,
        np.minimum,
        lambda x, y: np.where([True, False, True], x, y),
    ],
    ids=["add", "subtract", "divide", "maximum", "minimum", "where"],
)
@pytest.mark.parametrize(
    "shapes", [((2, 3), (3,)), ((), (2, 3)), ((4, 1), (1, 3)), ((3,), (2, 2, 3))]
)
def test_every_operation_broadcasts(f, shapes):
    check(f, normal(*shapes[0], seed=4), normal(*shapes[1], seed=5) + 3.0)


def test_broadcasting_a_tensor_with_itself():
    check(lambda x: x * x.T, normal(4, 1))


def test_broadcasting_is_summed_back_when_differentiated_twice():
    w, b = leaf(normal(3)), leaf(0.7)
    by_w, by_b = bp.gradients((w * w * b * b).sum(), [w, b], create_graph=True)
    assert by_w.shape == (3,)
    assert by_b.shape == ()
    second = bp.gradients(by_b, [w])[0]
    assert np.allclose(second, 4 * w.data * 0.7)


def test_broadcasting_an_empty_axis():
    x, y = leaf(np.zeros((0, 3))), leaf(np.ones(3))
    (x + y).sum().backward()
    assert x.grad.shape == (0, 3)
    assert np.array_equal(y.grad, np.zeros(3))


# Zero axes against one element


def test_no_axes_and_one_element_stay_apart():
    scalar, vector = leaf(2.0), leaf([3.0])
    out = scalar * vector
    assert out.shape == (1,)
    out.backward()
    assert scalar.grad.shape == ()
    assert vector.grad.shape == (1,)
    assert (scalar.grad, vector.grad[0]) == (3.0, 2.0)


@pytest.mark.parametrize("value", [2.0, np.float64(2.0), np.array(2.0), [2.0], [[2.0]]], ids=repr)
def test_shape_survives_the_way_in_and_out(value):
    x = leaf(value)
    assert x.shape == np.shape(value) == x.data.shape == x.numpy().shape
    (x * x).backward()
    assert isinstance(x.grad, np.ndarray)
    assert x.grad.shape == np.shape(value)
    assert x.grad.item() == 4.0
    assert x.item() == 2.0
    assert type(x.item()) is float


# Reductions

AXES = [
    None,
    0,
    1,
    2,
    -1,
    -2,
    -3,
    (0,),
    (0, 1),
    (2, 0),
    (-1, 0),
    (-3, -1),
    (0, 1, 2),
    (-1, -2, -3),
    (),
]


@pytest.mark.parametrize("axis", AXES, ids=str)
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("function", [np.sum, np.mean, np.max, np.min])
def test_reductions_over_any_axes(function, axis, keepdims):
    check(lambda x: function(x, axis=axis, keepdims=keepdims), normal(2, 3, 2))


@pytest.mark.parametrize("method", ["sum", "mean", "max", "min"])
def test_reductions_are_methods_with_numpys_arguments(method):
    check(lambda x: getattr(x, method)(), normal(2, 3))
    check(lambda x: getattr(x, method)(1), normal(2, 3))
    check(lambda x: getattr(x, method)(axis=(0, 1), keepdims=True), normal(2, 3))


def test_reducing_what_has_no_axes():
    for function in (np.sum, np.mean, np.max, np.min):
        check(lambda x, function=function: function(x), np.float64(1.5))


def test_sums_over_empty_axes():
    for shape, axis in (((0,), None), ((0, 3), 0), ((0, 3), 1), ((0, 3), None), ((2, 0), -1)):
        x = leaf(np.zeros(shape))
        out = x.sum(axis=axis)
        assert np.array_equal(out.data, np.zeros(shape).sum(axis=axis))
        out.backward(np.ones(out.shape))
        assert x.grad.shape == shape


def test_arrays_without_elements_go_through_every_kind_of_operation():
    x, w = leaf(np.zeros((0, 3))), leaf(normal(3, 2))
    out = np.exp(np.tanh(x @ w) * 2.0).reshape(-1)[:0]
    np.concatenate([out, out]).sum().backward()
    assert x.grad.shape == (0, 3)
    assert np.array_equal(w.grad, np.zeros((3, 2)))


# Matrix products

MATMULS = [
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((3,), (3, 2)),
    ((2, 3), (3, 4)),
    ((5, 2, 3), (5, 3, 4)),
    ((5, 2, 3), (3, 4)),
    ((2, 3), (5, 3, 4)),
    ((5, 2, 3), (3,)),
    ((3,), (5, 3, 4)),
    ((1, 2, 3), (5, 3, 4)),
    ((6, 1, 2, 3), (5, 3, 4)),
    ((6, 5, 2, 3), (3,)),
    ((3,), (6, 5, 3, 2)),
    ((1, 1), (1, 1)),
]


@pytest.mark.parametrize("shapes", MATMULS, ids=str)
def test_matrix_products_of_every_kind(shapes):
    check(lambda x, y: x @ y, normal(*shapes[0], seed=6), normal(*shapes[1], seed=7))


@pytest.mark.parametrize("shapes", MATMULS, ids=str)
def test_matrix_products_differentiated_twice(shapes):
    """The product is bilinear: the mixed second derivative, applied to p and q, is p @ q."""
    a, b = normal(*shapes[0], seed=6), normal(*shapes[1], seed=7)
    p, q = normal(*a.shape, seed=8), normal(*b.shape, seed=9)
    x, y = leaf(a), leaf(b)
    g = normal(*(a @ b).shape, seed=10)
    (by_x,) = bp.gradients(x @ y, [x], g, create_graph=True)
    (by_xy,) = bp.gradients((by_x * p).sum(), [y])
    assert np.sum(by_xy * q) == pytest.approx(np.sum(g * (p @ q)), rel=1e-12)


# Moving axes


@pytest.mark.parametrize("axes", list(itertools.permutations(range(3))), ids=str)
def test_transposes_are_undone_by_the_inverse_permutation(axes):
    check(lambda x: np.transpose(x, axes), normal(2, 3, 4))
    negative = tuple(axis - 3 for axis in axes)
    check(lambda x: np.transpose(x, negative), normal(2, 3, 4))


def test_transposes_are_methods():
    check(lambda x: x.T, normal(2, 3, 4))
    check(lambda x: x.transpose(), normal(2, 3, 4))
    check(lambda x: x.transpose(1, 2, 0), normal(2, 3, 4))
    check(lambda x: x.transpose((1, 2, 0)), normal(2, 3, 4))


def test_reshapes():
    check(lambda x: x.reshape(3, -1), normal(2, 3, 2))
    check(lambda x: x.reshape((4, 3)), normal(2, 3, 2))
    check(lambda x: x.reshape(-1), normal(2, 3, 2))
    check(lambda x: x.T.reshape(-1, 2), normal(2, 3))
    check(lambda x: x.reshape(()), normal(1, 1))
    check(lambda x: np.expand_dims(x, (0, -1)), normal(2, 3))
    check(lambda x: np.squeeze(x, axis=-1), normal(2, 1, 1))
    check(lambda x: x.squeeze(), normal(1, 2, 1))
    check(lambda x: np.broadcast_to(x, (4, 2, 3)), normal(2, 1))
    check(lambda x: np.swapaxes(x, 0, -1), normal(2, 3, 2))


# Assembly


def test_concatenating_a_tensor_with_itself():
    x = leaf([1.0, 2.0])
    np.concatenate([x, x, x * x]).backward([1.0, 10.0, 100.0, 1000.0, 1.0, 2.0])
    assert np.array_equal(x.grad, [101.0 + 2.0, 1010.0 + 2 * 4.0])


def test_assembly():
    check(lambda x, y: np.concatenate([x, y, x]), normal(2, 3), normal(1, 3))
    check(lambda x, y: np.concatenate((x, y), axis=-1), normal(2, 3), normal(2, 1))
    check(lambda x, y: np.stack([x, y, x]), normal(2, 3), normal(2, 3))
    check(lambda x, y: np.stack([x, y], axis=-1), normal(2, 3), normal(2, 3))
    check(lambda x: np.stack([x, x]), np.float64(3.0))
    check(lambda x: np.concatenate([x, np.ones((1, 3)), x]), normal(2, 3))


# Indexing: the adjoint of a gather is a scatter-add

INDICES = [
    0,
    -1,
    slice(1, None),
    slice(None, None, -1),
    slice(5, 5),
    Ellipsis,
    None,
    (0, 1),
    (slice(None), 1),
    (Ellipsis, 0),
    (None, 0, slice(None), None),
    (slice(None, None, 2), slice(None, None, -2)),
    [0, 0],
    [0, 2, 0, -3],
    [],
    [[0, 1], [1, 0]],
    ([0, 0, 1], [1, 1, 0]),
    ([0, 1], slice(None), [0, 0]),
    (slice(None), [0, 0, 2]),
    ([[0], [1]], [0, 0]),
    (0, [1, 1]),
    np.array([2, 2, 1]),
    np.array([], dtype=int),
    np.arange(3) > 0,
    [True, False, True],
    (np.arange(3) > 0, [0, 0]),
    np.arange(24).reshape(3, 4, 2) % 5 == 0,
    np.zeros((3, 4), bool),
    np.int64(1),
    True,
    (),
]


@pytest.mark.parametrize("index", INDICES, ids=lambda i: str(i).replace("\n", ""))
def test_every_kind_of_index(index):
    check(lambda x: x[index], normal(3, 4, 2))


def test_a_repeated_index_is_added_up():
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    x[[0, 0]].backward([[1.0, 2.0], [10.0, 20.0]])
    assert np.array_equal(x.grad, [[11.0, 22.0], [0.0, 0.0]])


def test_a_mask_selects_and_gives_back():
    x = leaf([-1.0, 2.0, 3.0])
    x[x > 0].backward([5.0, 6.0])
    assert np.array_equal(x.grad, [0.0, 5.0, 6.0])


def test_tensors_of_integers_and_booleans_are_indices():
    values = normal(3, 2)
    for index in ([2, 0, 2], [True, False, True], 1):
        x = leaf(values)
        x[bp.Tensor(index)].sum().backward()
        y = leaf(values)
        y[np.array(index)].sum().backward()
        assert np.array_equal(x.grad, y.grad)
    x = leaf(values)
    x[bp.Tensor([1, 1]), bp.Tensor([0, 0])].sum().backward()
    assert np.array_equal(x.grad, [[0, 0], [2, 0], [0, 0]])


@pytest.mark.parametrize(
    "index", [np.array([0, 0]), np.array([True, False, False]), [0, 0]], ids=str
)
def test_an_index_that_is_changed_afterwards_changes_nothing(index):
    x = leaf([1.0, 2.0, 3.0])
    y = x[index] + x[index, None][:, 0]
    count = len(y)
    index[0], index[1] = index[1] + 1, True
    y.sum().backward()
    assert np.array_equal(x.grad, [2.0 * count, 0.0, 0.0])


def test_indexing_differentiated_twice():
    x = leaf([1.0, 2.0, 3.0])
    y = (x[[0, 0, 2]] ** 3).sum()
    (first,) = bp.gradients(y, [x], create_graph=True)
    (second,) = bp.gradients(first, [x], [1.0, 1.0, 1.0])
    assert np.allclose(second, [12.0, 0.0, 18.0])


def test_iteration_and_unpacking_record():
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    top, bottom = x
    (top * bottom).sum().backward()
    assert np.array_equal(x.grad, [[3.0, 4.0], [1.0, 2.0]])


# Memory layouts


@pytest.mark.parametrize(
    "layout",
    [
        np.asfortranarray,
        lambda a: np.repeat(a, 2, axis=1)[:, ::2],
        lambda a: a[::-1, ::-1].copy()[::-1, ::-1],
        lambda a: a.T.copy().T,
        lambda a: a.astype(a.dtype.newbyteorder()),
        lambda a: np.frombuffer(a.tobytes()).reshape(a.shape),
    ],
    ids=["fortran", "strided", "reversed", "transposed", "byte-swapped", "read-only"],
)
def test_the_layout_of_an_array_does_not_matter(layout):
    a, b = normal(3, 4, seed=1), normal(4, 3, seed=2)

    def f(x, y):
        return (np.tanh(x @ y) * y.T[:, :3].sum(axis=0)).sum() + x.reshape(-1)[[0, 0, 5]].sum()

    plain, laid_out = [leaf(a), leaf(b)], [leaf(layout(a)), leaf(layout(b))]
    f(*plain).backward()
    f(*laid_out).backward()
    for x, y in zip(plain, laid_out, strict=True):
        assert np.array_equal(x.data, y.data)
        assert np.allclose(x.grad, y.grad, rtol=1e-14, atol=0)


def test_a_broadcast_input_is_safe_to_differentiate():
    """All elements of such an array share one place in memory."""
    x = leaf(np.broadcast_to(2.0, (3, 2)))
    (x * np.arange(6.0).reshape(3, 2)).sum().backward()
    assert np.array_equal(x.grad, np.arange(6.0).reshape(3, 2))
