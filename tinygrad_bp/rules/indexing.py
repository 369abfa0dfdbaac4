"""Indexing, and its adjoint: what a gather reads from one place is added up there again."""

import inspect

import numpy as np

from ..registry import compose, primitive, rule
from .types import as_array, cast


@primitive
def getitem(x, index):
    """``x[index]``, for every kind of index that NumPy has.

    Examples
    --------
    >>> getitem(np.array([1.0, 2.0, 3.0]), [0, 0, 2])
    array([1., 1., 3.])
    """
    return x[index]


@primitive
def scatter_add(g, index, shape):
    """Zeros of ``shape`` with ``g`` added at ``index``; what is named twice is added twice.

    Examples
    --------
    >>> scatter_add(np.array([1.0, 10.0, 100.0]), [0, 0, 2], (3,))
    array([ 11.,   0., 100.])
    """
    total = np.zeros(shape, g.dtype)
    if any(may_repeat(i) for i in (index if isinstance(index, tuple) else (index,))):
        np.add.at(total, index, g)
    else:
        total[index] = g
    return total


def may_repeat(i):
    """Whether a part of an index can name a place twice: only an array of integers can."""
    return isinstance(i, list) or (hasattr(i, "__array_function__") and i.dtype != bool)


rule(getitem, lambda g, out, x, index: scatter_add(g, index, x.shape), None, formula=["g at index"])
rule(
    scatter_add, lambda g, out, x, index, shape: getitem(g, index), None, None, formula=["g[index]"]
)


@compose(np.take)
def take(a, indices, axis=None, out=None, mode="raise"):
    a, axis = (np.ravel(a), 0) if axis is None else (as_array(a), axis)
    length = a.shape[axis]
    untyped = not hasattr(indices, "__array__") and not np.size(indices)  # such as []
    indices = np.asarray(indices, np.intp if untyped else None)
    if mode == "wrap":
        indices = indices % length
    elif mode == "clip":
        indices = np.clip(indices, 0, length - 1)
    return a[axis % a.ndim * (slice(None),) + (indices,)]


@compose(np.take_along_axis)
def take_along_axis(arr, indices, axis=-1):
    if axis is None:
        arr, axis = np.ravel(arr), 0
    return inspect.unwrap(np.take_along_axis)(arr, np.asarray(indices), axis)


@compose(np.bincount)
def bincount(x, /, weights=None, minlength=0):
    x = np.asarray(x)
    if weights is None:
        return np.bincount(x, minlength=minlength)
    return scatter_add(cast(weights, float), x, (max(minlength, np.max(x, initial=-1) + 1),))
