"""An array that counts the multiplications that are made with it.

The engine keeps whatever speaks NumPy's protocols, so a network of such arrays counts what the
forward pass, the backward pass and the derivatives of derivatives really do.
"""

from collections import Counter

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

import tinygrad_bp as bp

PRODUCTS = {np.multiply, np.divide, np.square}  # one multiplication an element; a matmul has more
made = Counter()


class Counted(NDArrayOperatorsMixin):
    """An array whose products are counted in ``made``."""

    def __init__(self, values):
        self.values = np.asarray(values)

    shape = property(lambda self: self.values.shape)
    ndim = property(lambda self: self.values.ndim)
    size = property(lambda self: self.values.size)
    dtype = property(lambda self: self.values.dtype)

    def __getitem__(self, key):
        return Counted(self.values[key])

    def __setitem__(self, key, values):
        self.values[key] = _plain(values)

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype, copy=copy)

    def astype(self, *arguments, **keywords):
        """Convert the numbers, as NumPy does."""
        return Counted(self.values.astype(*arguments, **keywords))

    def copy(self):
        """Give an array of the same numbers."""
        return Counted(self.values.copy())

    def __array_ufunc__(self, ufunc, method, *inputs, **keywords):
        if any(isinstance(x, bp.Tensor) for x in inputs):
            return NotImplemented  # the Tensor records it, and then comes back here
        found = getattr(ufunc, method)(*map(_plain, inputs), **keywords)
        if ufunc in PRODUCTS:
            made["multiplications"] += np.size(found)
        if ufunc is np.matmul:
            made["multiplications"] += np.size(found) * np.shape(inputs[0])[-1]
        return Counted(found)

    def __array_function__(self, function, types, arguments, keywords):
        if any(issubclass(kind, bp.Tensor) for kind in types):
            return NotImplemented
        found = function(*_plain(arguments), **_plain(keywords))
        return Counted(found) if isinstance(found, np.ndarray | np.generic) else found


def multiplications(compute):
    """How many multiplications of counted arrays a function of no arguments makes."""
    made.clear()
    compute()
    return made["multiplications"]


def _plain(x):
    if isinstance(x, Counted):
        return x.values
    if isinstance(x, tuple | list):
        return type(x)(map(_plain, x))
    return {key: _plain(value) for key, value in x.items()} if isinstance(x, dict) else x
