"""Parts of a gradient that are noted and not laid out: what slices of a long array send back."""

import math

import numpy as np

LONG = 4096  # elements: fewer are laid out as fast as they are noted
MANY = 64


class Placed(np.lib.mixins.NDArrayOperatorsMixin):
    """An array that is zero, or its base, but where its parts are added.

    Laid out, what a slice sends back is as long as the array that was read, and so is each sum of
    two. So a sum with it only notes the part. It is laid out when anything else is asked of it, as
    any array that speaks NumPy's protocols can be, or when as much was noted as it is long.

    Parameters
    ----------
    parts : tuple of (index, array)
        What to add at which index, one after the other. No index names a place twice.
    shape : tuple of int
    base : array, optional
        What they are added to, in place of zeros. It is not written to.

    Examples
    --------
    >>> total = np.arange(4.0) + Placed([(slice(0, 2), np.ones(2))], (4,))
    >>> total = total + Placed([(3, np.float64(10.0))], (4,))
    >>> len(total.parts), np.asarray(total)
    (2, array([ 1.,  2.,  2., 13.]))
    """

    def __init__(self, parts, shape, base=None):
        self.parts, self.shape, self.base = parts, shape, base
        self.dtype = parts[0][1].dtype
        self.ndim, self.size = len(shape), math.prod(shape)

    def __array__(self, dtype=None, copy=None):
        if self.parts:
            total = np.zeros(self.shape, self.dtype) if self.base is None else self.base.copy()
            for index, g in self.parts:
                total[index] += g
            self.parts, self.base = [], total
        return self.base.astype(dtype or self.dtype, copy=bool(copy))

    def __array_ufunc__(self, ufunc, method, *inputs, **keywords):
        if ufunc is np.add and method == "__call__" and not keywords:
            first, second = inputs
            if is_one_part(second):
                return second.plus(first)
            if is_one_part(first):
                return first.plus(second)
        return getattr(ufunc, method)(*place_parts(inputs), **place_parts(keywords))

    def __array_function__(self, function, types, inputs, keywords):
        return function(*place_parts(inputs), **place_parts(keywords))

    def __getitem__(self, index):
        return np.asarray(self)[index]

    def __len__(self):
        return self.shape[0]

    def __getattr__(self, name):
        if name.startswith("__"):  # what NumPy looks for on its way to __array__
            raise AttributeError(name)
        return getattr(np.asarray(self), name)

    def plus(self, other):
        """The sum with ``other``, on which the one part of this array is noted."""
        ours = isinstance(other, Placed)
        alike = (ours or isinstance(other, np.ndarray)) and other.shape == self.shape
        if not alike or other.dtype != self.dtype:
            return place_parts(other) + np.asarray(self)
        base, parts = (other.base, other.parts) if ours else (other, [])
        total = Placed([*parts, *self.parts], self.shape, base)
        if len(total.parts) > MANY or sum(g.size for _, g in total.parts) >= self.size:
            np.asarray(total)
        return total


def is_one_part(x):
    """Whether nothing but one part was noted."""
    return isinstance(x, Placed) and len(x.parts) == 1 and x.base is None


def place_parts(x):
    """``x`` with ordinary arrays in place of noted parts, those in containers too."""
    if isinstance(x, tuple | list):
        return type(x)(map(place_parts, x))
    if isinstance(x, dict):
        return {name: place_parts(value) for name, value in x.items()}
    return np.asarray(x) if isinstance(x, Placed) else x
