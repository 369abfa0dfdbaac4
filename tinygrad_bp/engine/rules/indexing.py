"""Indexing, and its adjoint: what a gather reads from one place is added up there again."""

import math

import numpy as np

from ..arrays import as_array, asks, like
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
    if not isinstance(x, np.ndarray) and not asks(x):
        parts = index if isinstance(index, tuple) else (index,)
        wide = [i for i, part in enumerate(parts) if may_repeat(part) and np.ndim(part) > 1]
        if len(wide) == 1 and not any(map(may_repeat, parts[: wide[0]] + parts[wide[0] + 1 :])):
            return with_wide_index(x, parts, wide[0])
    return x[index]


def with_wide_index(x, parts, axis):
    """``x[parts]`` of a library that knows no array of several axes as an index."""
    if any(type(part) is not slice for part in parts[:axis]):
        return x[parts]
    places = as_array(parts[axis])
    rows = x[(*parts[:axis], np.ravel(places), *parts[axis + 1 :])]
    return np.reshape(rows, (*rows.shape[:axis], *places.shape, *rows.shape[axis + 1 :]))


@primitive
def scatter_add(g, index, shape):
    """Zeros of ``shape`` with ``g`` added at ``index``; what is named twice is added twice.

    Examples
    --------
    >>> scatter_add(np.array([1.0, 10.0, 100.0]), [0, 0, 2], (3,))
    array([ 11.,   0., 100.])
    """
    total, parts = zeros(g, shape), index if isinstance(index, tuple) else (index,)
    if not any(map(may_repeat, parts)):
        if not isinstance(total, np.ndarray):  # not every library takes new axes here
            index = tuple(part for part in parts if part is not None)
            g = np.reshape(g, total[index].shape)
        total[index] = g
        return total
    try:
        np.add.at(total, index, g)
    except TypeError:  # not every library adds at places
        if isinstance(total, np.ndarray):
            raise
        return add_up(g, parts, shape)
    return total


def add_up(g, parts, shape):
    """The same by a product with ones where an element of ``g`` goes, and zeros elsewhere."""
    arrays = [i for i, part in enumerate(parts) if may_repeat(part)]
    first, last = arrays[0], arrays[-1] + 1
    others = parts[:first] + parts[last:]
    if len(arrays) < last - first or not all(
        isinstance(part, slice) and part == slice(None) for part in others
    ):
        raise TypeError(f"arrays of integers beside other indices, {others}, have no derivative")
    places, lengths = like(np.intp(0), g), shape[first:last]
    for part, n in zip(parts[first:last], lengths, strict=True):
        places = places * n + like(as_array(part), g) % n
    chosen = np.expand_dims(places, -1) == like(np.arange(math.prod(lengths)), g)
    axes = range(places.ndim)
    total = np.tensordot(chosen.astype(g.dtype), g, (axes, [first + i for i in axes]))
    return np.reshape(np.moveaxis(total, 0, first), shape)


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
