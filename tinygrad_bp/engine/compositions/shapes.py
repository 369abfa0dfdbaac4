"""Functions that change shapes, made of `reshape` and `transpose`."""

import inspect

import numpy as np

from ..recording import Recorded
from ..registry import compose
from ..rules.types import astype, cast


def by_own_code(*functions):
    """Say that NumPy's own code of these is a composition of functions that have rules."""
    for function in functions:
        compose(function)(inspect.unwrap(function))


by_own_code(np.moveaxis, np.rollaxis)


@compose(np.matrix_transpose)
def matrix_transpose(x):
    return np.swapaxes(x, -1, -2)


@compose(np.ravel)
def ravel(a, order="C"):
    return np.reshape(a, (-1,), order=order)


@compose(np.broadcast_arrays)
def broadcast_arrays(*args):
    shape = np.broadcast_shapes(*map(np.shape, args))
    return tuple(np.broadcast_to(x, shape) for x in args)


def at_least(function):
    """Let NumPy's function say what shape an array gets."""

    @compose(function)
    def reshaped(*arys):
        shapes = [function(np.empty(np.shape(x))).shape for x in arys]
        results = tuple(map(np.reshape, arys, shapes))
        return results if len(results) > 1 else results[0]


at_least(np.atleast_1d)

at_least(np.atleast_2d)

at_least(np.atleast_3d)


@compose(np.copy)
def copy(a, order="K", subok=False):
    np.copy(np.empty(0), order, subok)  # NumPy refuses what it does not know
    return astype(a, a.dtype)


@compose(np.full_like)
def full_like(a, fill_value, dtype=None, order="K", subok=True, shape=None):
    if not isinstance(fill_value, Recorded):
        given = {"dtype": dtype, "order": order, "subok": subok, "shape": shape}
        usual = {"dtype": None, "order": "K", "subok": True, "shape": None}
        others = {name: value for name, value in given.items() if value is not usual[name]}
        return np.full_like(np.empty_like(a), fill_value, **others)
    shape = a.shape if shape is None else shape
    np.full_like(np.empty(0), 0, order=order)  # NumPy refuses what it does not know
    return np.copy(np.broadcast_to(cast(fill_value, a.dtype if dtype is None else dtype), shape))
