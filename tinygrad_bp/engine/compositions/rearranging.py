"""Functions that only move elements about: NumPy moves their numbers, indexing does the rest.

The derivative of a move is known once it is known where each element came from. So NumPy's own
function is run on the numbers 0, 1, 2, ... of the elements, and the result is read by them.
"""

import inspect
import operator

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..recording import Recorded
from ..registry import compose
from ..rules.indexing import getitem
from ..rules.types import as_array, cast, common_dtype


def moved(move, *sources):
    """What ``move``, which only moves elements, makes of the sources.

    NumPy moves the numbers of the elements; then each element is read where its number is.
    """
    ends = np.cumsum([np.size(x) for x in sources])
    numbers = [
        np.arange(end - np.size(x), end).reshape(np.shape(x))
        for x, end in zip(sources, ends, strict=True)
    ]
    elements = [np.ravel(x) for x in sources]
    return getitem(np.concatenate(elements) if len(elements) > 1 else elements[0], move(*numbers))


def moves(function, name):
    """Say that ``function`` only moves the elements of the argument called ``name``."""
    signature = inspect.signature(function)

    @compose(function)
    def composition(*inputs, **parameters):
        given = signature.bind(*inputs, **parameters).arguments
        source = given.pop(name)
        settings = {key: constant_array(value) for key, value in given.items()}
        return moved(lambda numbers: function(**{name: numbers}, **settings), source)


def constant_array(x):
    """A Tensor that says where, not what, as an array; it cannot require grad."""
    if not isinstance(x, Recorded):
        return x
    return np.asarray(x) if x._requires_grad else x._array  # the first refuses, and says what to do


@compose(np.fliplr)
def fliplr(m):
    return np.flip(m, 1)


@compose(np.flipud)
def flipud(m):
    return np.flip(m, 0)


@compose(np.rot90)
def rot90(m, k=1, axes=(0, 1)):
    """Quarter turns, of the second of two axes towards the first."""
    first, second = (normalize_axis_index(axis, m.ndim) for axis in axes)
    if first == second:
        raise ValueError(f"np.rot90 needs two different axes, not {axes}")
    if k % 4 == 0:
        return m[...]
    if k % 4 == 2:
        return np.flip(np.flip(m, first), second)
    if k % 4 == 1:
        return np.swapaxes(np.flip(m, second), first, second)
    return np.flip(np.swapaxes(m, first, second), second)


moves(np.compress, "a")

moves(np.delete, "arr")

moves(np.extract, "arr")

moves(np.resize, "a")


@compose(np.lib.stride_tricks.sliding_window_view)
def sliding_window_view(x, *inputs, **parameters):
    """A copy here, and a view of NumPy's: what is written to it may not be lost."""
    windows = moved(
        lambda numbers: np.lib.stride_tricks.sliding_window_view(numbers, *inputs, **parameters), x
    )
    if isinstance(windows, Recorded):
        windows._shows = True
    return windows


def put_along_axis(x, indices, values, axis):
    """A copy of ``x`` with ``values`` where `numpy.put_along_axis` would write them.

    Parameters
    ----------
    x, values : array or Tensor
        Derivatives flow to both. ``values`` broadcasts against ``indices``.
    indices : array of int
        Of the same number of axes as ``x``.
    axis : int or None
        The axis that the indices count along; None: ``x`` is taken as flat.

    Returns
    -------
    array or Tensor
        Of the shape and dtype of ``x``. Where a place is named twice, the later value stands.

    Raises
    ------
    ValueError, IndexError
        If the shapes do not go together, or an index is out of range.

    Examples
    --------
    >>> put_along_axis(np.zeros((2, 3)), np.array([[2], [0]]), 1.0, axis=1)
    array([[0., 0., 1.],
           [1., 0., 0.]])
    """
    x, indices = as_array(x), np.asarray(indices)
    shape = list(x.shape) if axis is not None else [x.size]
    shape[axis or 0] = indices.shape[axis or 0]

    def put(places, new):
        np.put_along_axis(places, indices, new, axis)
        return places

    return moved(put, x, np.broadcast_to(cast(values, x.dtype), shape))


@compose(np.insert)
def insert(arr, obj, values, axis=None):
    arr = as_array(arr)
    return moved(
        lambda places, new: np.insert(places, constant_array(obj), new, axis),
        arr,
        cast(values, arr.dtype),
    )


@compose(np.choose)
def choose(a, choices, out=None, mode="raise"):
    dtype, how = common_dtype(*choices), {} if mode == "raise" else {"mode": mode}
    return moved(
        lambda *numbers: np.choose(constant_array(a), numbers, **how),
        *(cast(x, dtype) for x in choices),
    )


@compose(np.select)
def select(condlist, choicelist, default=0):
    dtype = common_dtype(default, *choicelist)
    return moved(
        lambda other, *numbers: np.select([*map(constant_array, condlist)], [*numbers], other),
        *(cast(x, dtype) for x in (default, *choicelist)),
    )


@compose(np.tile)
def tile(A, reps):
    """Broadcast along a new axis before each, whose adjoint is a sum."""
    A = as_array(A)
    reps = tuple(np.atleast_1d(reps).tolist())
    shape = (1,) * (len(reps) - A.ndim) + A.shape
    reps = (1,) * (len(shape) - len(reps)) + reps
    apart = np.reshape(A, tuple(n for length in shape for n in (1, length)))
    wide = tuple(n for pair in zip(reps, shape, strict=True) for n in pair)
    return np.reshape(np.broadcast_to(apart, wide), tuple(map(operator.mul, reps, shape)))
