"""Operands that are not NumPy's: kept, converted, given way to, or refused by name."""

import threading

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

import tinygrad_bp as bp
from tinygrad_bp import Tensor, gradients
from tinygrad_bp.engine.recording import is_recording

DENSE = np.array([[1.0, 2.0, 0.0], [0.0, 3.0, 4.0]])
SPARSE = [
    kind(DENSE)
    for kind in (sp.csr_matrix, sp.csc_matrix, sp.coo_matrix, sp.csr_array, sp.csc_array)
]


def leaf(values):
    return Tensor(values, requires_grad=True)


@pytest.mark.parametrize("matrix", SPARSE, ids=lambda m: type(m).__name__)
@pytest.mark.parametrize("shape", [(), (4,)])
def test_a_sparse_matrix_is_a_constant_on_either_side_of_a_product(matrix, shape):
    rng = np.random.default_rng(0)
    by_left, by_right = rng.normal(size=(*shape, 2)), rng.normal(size=(3, *shape))
    for f, g, at in (
        (lambda t: t @ matrix, lambda t: t @ DENSE, by_left),
        (lambda t: matrix @ t, lambda t: DENSE @ t, by_right),
    ):
        assert np.allclose(f(Tensor(at)).data if shape else f(leaf(at)).data, g(at), rtol=1e-14)

        def square(t, f=f):
            return np.sum(f(t) ** 2)

        found = bp.grad(square)(at)
        assert type(found) is np.ndarray
        assert np.allclose(found, bp.grad(lambda t, g=g: np.sum(g(t) ** 2))(at), rtol=1e-13)
        assert bp.gradcheck(square, at, order=2)


@pytest.mark.parametrize("matrix", SPARSE, ids=lambda m: type(m).__name__)
def test_the_rest_of_a_sparse_matrix_is_refused_by_name(matrix):
    t = leaf([1.0, 2.0])
    for f in (
        lambda: t * matrix,
        lambda: matrix.T * t,
        lambda: t + matrix,
        lambda: np.multiply(t, matrix),
        lambda: np.matmul(t, matrix),
        lambda: Tensor(matrix),
    ):
        with pytest.raises(TypeError, match=rf"a {type(matrix).__name__[:2]}.*toarray"):
            f()


TABLES = {
    "series": pd.Series([1.0, 2.0], index=[7, 3]),
    "nullable": pd.array([1, 2], dtype="Int64"),
    "index": pd.Index([1.0, 2.0]),
}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_tables_of_pandas_are_taken_for_their_arrays(table):
    values = np.asarray(table, float)
    for f in (lambda t, c: t * c, lambda t, c: c / t, np.multiply, lambda t, c: c - t):
        t = leaf([2.0, 4.0])
        result = f(t, table)
        assert type(result) is Tensor
        (found,) = gradients(result.sum(), [t])
        assert type(found) is np.ndarray
        assert np.array_equal(found, gradients(f(t, values).sum(), [t])[0])


def test_targets_and_frames_of_pandas():
    frame = pd.DataFrame({"x": [1.0, 2.0], "y": [3.0, 5.0]}, index=[4, 2])
    w = leaf([1.0, 1.0])
    loss = bp.functional.mse_loss(frame.to_numpy() @ w, frame["y"])
    assert type(gradients(loss, [w])[0]) is np.ndarray
    assert (w @ frame).data.tolist() == [3.0, 8.0]
    with pytest.raises(TypeError, match="to_numpy"):
        frame @ w


def test_text_is_refused_by_the_name_of_its_type():
    with pytest.raises(TypeError, match=r"pandas\.Series does not convert to an array of numbers"):
        leaf([1.0, 2.0]) * pd.Series(["a", "b"])


class Container:
    """Answers ufuncs and holds what it is given, as xarray's arrays do."""

    __array_priority__ = 60

    def __init__(self, held):
        self.held = held

    def __array_ufunc__(self, ufunc, method, *inputs, **keywords):
        held = [x.held if isinstance(x, Container) else x for x in inputs]
        return Container(getattr(ufunc, method)(*held, **keywords))

    def __rmul__(self, other):
        return np.multiply(other, self)


def test_a_tensor_gives_way_to_a_container_that_can_hold_it():
    t, container = leaf([1.0, 2.0]), Container(np.array([3.0, 4.0]))
    for result in (t * container, np.multiply(t, container), np.multiply(container, t)):
        assert type(result) is Container
        assert gradients(result.held.sum(), [t])[0].tolist() == [3, 4]


class Labelled(np.ndarray):
    """A subclass of ndarray."""


def test_subclasses_of_ndarray_are_arrays():
    t = leaf([1.0, 2.0])
    result = t * np.array([3.0, 4.0]).view(Labelled)
    assert type(result.data.base) is np.ndarray
    assert type(gradients(result.sum(), [t])[0]) is np.ndarray


def test_an_array_without_a_copy_is_shared_or_refused():
    t = Tensor([1.0, 2.0])
    shared = np.asarray(t, copy=False)
    assert np.shares_memory(shared, t.data)
    assert not shared.flags.writeable
    with pytest.raises(ValueError, match="without a copy"):
        np.asarray(t, np.float32, copy=False)


def test_no_grad_may_be_left_in_any_order():
    first, second = bp.no_grad(), bp.no_grad()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert not is_recording()
    second.__exit__(None, None, None)
    assert is_recording()
    with pytest.raises(RuntimeError, match="not entered"):
        second.__exit__(None, None, None)


def test_no_grad_may_be_left_by_another_thread():
    region = bp.no_grad()
    region.__enter__()
    thread = threading.Thread(target=region.__exit__, args=(None, None, None))
    thread.start()
    thread.join()
    assert is_recording()


def test_generators_in_no_grad_that_are_mixed_leave_recording_as_it_was():
    def pausing():
        with bp.no_grad():
            yield
            yield

    one, two = pausing(), pausing()
    next(one), next(two), next(one), next(two)
    one.close()
    two.close()
    assert is_recording()


def test_many_operands_are_joined_in_linear_time():
    """Counted: each edge is handed the tuple of all inputs, and copies none of it."""
    parts = [leaf(1.0) for _ in range(50)]
    node = np.stack(parts)
    assert node.arguments[1] is node.values
