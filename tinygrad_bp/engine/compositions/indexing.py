"""Functions that read elements at given places, made of indexing."""

import inspect

import numpy as np

from ..registry import compose
from ..rules.indexing import scatter_add
from ..rules.types import as_array, cast
from .rearranging import constant_array


@compose(np.take)
def take(a, indices, axis=None, out=None, mode="raise"):
    a, axis = (np.ravel(a), 0) if axis is None else (as_array(a), axis)
    length = a.shape[axis]
    untyped = not hasattr(indices, "__array__") and not np.size(indices)  # such as []
    indices = as_array(np.asarray(indices, np.intp) if untyped else constant_array(indices))
    if mode != "raise":
        indices = np.take(np.arange(length), indices, mode=mode)  # NumPy says what a mode means
    taken = a[axis % a.ndim * (slice(None),) + (indices,)]
    return taken if indices.ndim else np.copy(taken)  # one index would give a view


@compose(np.take_along_axis)
def take_along_axis(arr, indices, axis=-1):
    if axis is None:
        arr, axis = np.ravel(arr), 0
    return inspect.unwrap(np.take_along_axis)(arr, as_array(constant_array(indices)), axis)


@compose(np.bincount)
def bincount(x, /, weights=None, minlength=0):
    x = np.asarray(x)
    counts = np.bincount(x, minlength=minlength)
    return counts if weights is None else scatter_add(cast(weights, float), x, counts.shape)
