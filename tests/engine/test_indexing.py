"""Indexing against NumPy's own and against a loop over the elements."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from tinygrad_bp import Tensor, gradients
from tinygrad_bp.engine.compositions.rearranging import put_along_axis
from tinygrad_bp.engine.rules.indexing import scatter_add


def scattered(g, index, shape):
    """What the gradient must be, element by element: no indexing of ours, no np.add.at."""
    numbers = np.arange(np.prod(shape, dtype=int)).reshape(shape)[index]
    total = [0.0] * int(np.prod(shape))
    for number, term in zip(np.ravel(numbers).tolist(), np.ravel(g).tolist(), strict=True):
        total[number] += term
    return np.array(total).reshape(shape)


def check(shape, index):
    values = np.arange(1.0, 1 + np.prod(shape)).reshape(shape)
    x = Tensor(values, requires_grad=True)
    y = x[index]
    assert np.array_equal(y.data, values[index])
    assert y.shape == np.shape(values[index])
    g = np.sin(1 + np.arange(float(y.size))).reshape(y.shape)
    seed = Tensor(g, requires_grad=True)
    (plain,) = gradients(y, [x], g)
    (recorded,) = gradients(y, [x], seed, create_graph=True)
    assert np.allclose(plain, scattered(g, index, shape), 1e-14, 1e-14)
    assert np.array_equal(recorded.data, plain)
    if y.size:
        (back,) = gradients(recorded, [seed], values)
        assert np.array_equal(back, values[index])


SHAPES = arrays_of.array_shapes(min_dims=1, max_dims=4, max_side=4)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.data())
def test_basic_indices(data):
    shape = data.draw(SHAPES)
    check(shape, data.draw(arrays_of.basic_indices(shape, allow_newaxis=True)))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.data())
def test_integer_arrays(data):
    shape = data.draw(SHAPES)
    index = data.draw(
        arrays_of.integer_array_indices(shape[: data.draw(st.integers(1, len(shape)))])
    )
    check(shape, index)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.data())
def test_masks(data):
    shape = data.draw(SHAPES)
    masked = shape[: data.draw(st.integers(0, len(shape)))]
    check(shape, data.draw(arrays_of.arrays(bool, masked)))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.data())
def test_mixed_indices(data):
    shape = data.draw(SHAPES)
    length = data.draw(st.integers(0, 3))
    parts = [data.draw(part_of(side, length)) for side in shape]
    if data.draw(st.booleans()):
        parts.insert(data.draw(st.integers(0, len(parts))), None)
    if data.draw(st.booleans()):
        parts[-1] = Ellipsis
    check(shape, tuple(parts))


def part_of(side, length):
    """An index of one axis: an integer, a slice, or ``length`` integers."""
    places = st.integers(-side, side - 1)
    return st.one_of(places, st.slices(side), st.lists(places, min_size=length, max_size=length))


@pytest.mark.parametrize(
    "index",
    [
        [],
        [[]],
        True,
        False,
        np.array(True),
        ([], [1]),
        (0, [True, False, True]),
        (True, 1),
        ([0, 1], slice(None), [1, 1]),
        (slice(None), [0, 0], [1, 1]),
        np.ix_([1, 0, 1], [2, 0]),
        (np.int64(1), np.array(2)),
        ...,
        (),
    ],
    ids=str,
)
def test_rare_indices(index):
    check((2, 3, 2), index)


def test_a_number_is_indexed_by_what_names_no_axis():
    for index in [(), ..., None, True, (None, ..., None)]:
        check((), index)


def test_tensors_as_indices():
    x = Tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)
    rows = Tensor(np.array([1, 0, 0]))
    assert np.array_equal(x[rows].data, x.data[[1, 0, 0]])
    assert np.array_equal(x[:, rows].data, x.data[:, [1, 0, 0]])
    assert np.array_equal(x[[Tensor(1), 0]].data, x.data[[1, 0]])
    assert np.array_equal(np.take(x, rows, axis=1).data, x.data[:, [1, 0, 0]])
    assert x[Tensor(1), Tensor(2)].item() == 5.0
    with pytest.raises(IndexError, match=r"getitem of Tensor \(2, 3\)"):
        x[Tensor(1.0)]


def test_an_index_that_the_caller_changes_does_not_change_the_graph():
    x = Tensor([1.0, 2.0, 3.0], requires_grad=True)
    array, numbers = np.array([0, 0]), [1, 1]
    y = x[array].sum() + 10 * x[(numbers,)].sum()
    array[:], numbers[:] = 2, [2, 2]
    y.backward()
    assert np.array_equal(x.grad, [2.0, 20.0, 0.0])


def test_scatter_add_takes_a_list():
    assert np.array_equal(scatter_add(np.ones(3), [0, 0, 2], (4,)), [2.0, 0.0, 1.0, 0.0])


def test_a_later_value_stands_where_put_along_axis_names_a_place_twice():
    values = Tensor([5.0, 7.0], requires_grad=True)
    x = Tensor([1.0, 2.0], requires_grad=True)
    y = put_along_axis(x, np.array([1, 1]), values, 0)
    y.backward([10.0, 100.0])
    assert np.array_equal(y.data, [1.0, 7.0])
    assert np.array_equal(x.grad, [10.0, 0.0])
    assert np.array_equal(values.grad, [0.0, 100.0])


def test_put_along_axis_of_arrays_leaves_them_as_they_were():
    x = np.zeros((2, 2))
    expected = x.copy()
    np.put_along_axis(expected, np.array([[1], [0]]), 3.0, 1)
    assert np.array_equal(put_along_axis(x, np.array([[1], [0]]), 3.0, 1), expected)
    assert not x.any()


@pytest.mark.parametrize(
    ("call", "hint"),
    [
        (lambda t: np.put(t, 0, 1.0), "np.where"),
        (lambda t: np.place(t, [True] * 3, 1.0), "np.where"),
        (lambda t: np.copyto(t, 1.0), "np.where"),
        (lambda t: np.fill_diagonal(t, 1.0), "np.where"),
        (lambda t: np.put_along_axis(t, np.array([0]), 1.0, 0), "put_along_axis"),
        (lambda t: t.sort(), r"np\.sort"),
        (lambda t: t.fill(0), r"np\.full_like"),
        (lambda t: t.partition(1), r"np\.partition"),
        (np.unique, r"np\.sort"),
        (lambda t: np.pad(t, 1, mode="mean"), "edge, reflect"),
        (lambda t: np.repeat(t, t), r"\.data"),
    ],
)
def test_what_is_refused_says_what_to_use(call, hint):
    with pytest.raises(TypeError, match=hint):
        call(Tensor([1.0, 2.0, 3.0], requires_grad=True))
