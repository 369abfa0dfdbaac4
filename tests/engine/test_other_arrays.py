"""Arrays of another library, which speak NumPy's protocols, get the gradients that NumPy's get."""

from __future__ import annotations

import operator

import numpy as np
import pytest

import tinygrad_bp as bp
from tinygrad_bp import optim


class Duck:
    """An array of another library: no ndarray, and never written to."""

    def __init__(self, array):
        self.array = np.asarray(array)

    def __array_ufunc__(self, ufunc, method, *inputs, **parameters):
        if method != "__call__" or "out" in parameters:
            return NotImplemented
        return Duck(ufunc(*map(bare, inputs), **parameters))

    def __array_function__(self, function, types, inputs, parameters):
        return Duck(function(*map(bare, inputs), **parameters))

    def __array__(self, dtype=None, copy=None):
        return np.array(self.array, dtype)

    def __getattr__(self, name):
        if name in ("shape", "ndim", "size", "dtype"):
            return getattr(self.array, name)
        if name in ("sum", "reshape", "astype", "copy"):
            return lambda *inputs, **parameters: Duck(
                getattr(self.array, name)(*inputs, **parameters)
            )
        raise AttributeError(name)


def bare(x):
    return x.array if isinstance(x, Duck) else x


def _binary(name):
    function = getattr(operator, name)
    setattr(Duck, f"__{name}__", lambda x, y: Duck(function(x.array, bare(y))))
    setattr(Duck, f"__r{name}__", lambda x, y: Duck(function(bare(y), x.array)))


for _name in ("add", "sub", "mul", "truediv", "pow", "eq", "ne", "lt", "le", "gt", "ge"):
    _binary(_name)
Duck.__neg__ = lambda x: Duck(-x.array)
Duck.__getitem__ = lambda x, index: Duck(x.array[bare(index)])


def both(compute, *arrays):
    """The gradients of a number, from NumPy's arrays and from those of the other library."""
    for wrap in (np.asarray, Duck):
        inputs = [bp.Tensor(wrap(x), requires_grad=True) for x in arrays]
        compute(*inputs).backward()
        assert wrap is np.asarray or all(isinstance(x.data, Duck) for x in inputs)
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
    x = bp.Tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x[Duck(np.array([0, 0, 2]))].sum()
    with pytest.raises(TypeError, match="returned NotImplemented"):
        y.backward()
    assert x.grad is None


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda p: optim.SGD(p, 0.1),
        lambda p: optim.SGD(p, 0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
        lambda p: optim.Adam(p, 0.1, weight_decay=0.01),
        lambda p: optim.AdamW(p, 0.1),
    ],
)
def test_optimisers_remember(optimizer):
    results = []
    for wrap in (np.asarray, Duck):
        x = bp.Tensor(wrap([1.0, -2.0]), requires_grad=True)
        steps = optimizer([x])
        for _ in range(5):
            steps.zero_grad()
            (x * x * x + x).sum().backward()
            steps.step()
        results.append(bare(x.data))
    np.testing.assert_allclose(results[1], results[0], rtol=1e-14)
