"""Sorting: the order is found on plain arrays, then the elements are read in it."""

import numpy as np

from ..registry import compose


@compose(np.sort)
def sort(a, axis=-1, kind=None, order=None, *, stable=None):
    np.sort(np.empty(0), kind=kind, order=order, stable=stable)  # NumPy refuses what is unknown
    return np.take_along_axis(a, np.argsort(a, axis, kind="stable"), axis)


@compose(np.partition)
def partition(a, kth, axis=-1, kind="introselect", order=None):
    np.partition(np.empty(1), 0, kind=kind, order=order)  # NumPy refuses what it does not know
    return np.take_along_axis(a, np.argpartition(a, kth, axis), axis)
