"""Indexing, and its adjoint: what a gather reads from one place is added up there again."""

import numpy as np

from ..registry import primitive, rule
from .placed import LONG, Placed


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
    total = zeros(g, shape)
    if any(may_repeat(i) for i in (index if isinstance(index, tuple) else (index,))):
        np.add.at(total, index, g)
    else:
        total[index] = g
    return total


def part_back(g, out, x, index):
    """``g`` at the index. Of a long array it is not laid out for each slice: see `Placed`."""
    parts = index if isinstance(index, tuple) else (index,)
    short = x.size < LONG or 2 * g.size > x.size
    if short or not isinstance(g, np.ndarray | np.generic) or any(map(may_repeat, parts)):
        return scatter_add(g, index, x.shape)
    return Placed([(index, g)], x.shape)


def zeros(g, shape):
    """Zeros of the kind and type of ``g``; NumPy's own are not touched until they are written."""
    if isinstance(g, np.ndarray | np.generic):
        return np.zeros(shape, g.dtype)
    return np.zeros_like(g, shape=shape)


def may_repeat(i):
    """Whether a part of an index can name a place twice: only an array of integers can."""
    return isinstance(i, list) or (hasattr(i, "__array_function__") and i.dtype != bool)


rule(getitem, part_back, None, formula=["g at index"])

rule(
    scatter_add, lambda g, out, x, index, shape: getitem(g, index), None, None, formula=["g[index]"]
)
