"""Functions that fill arrays by a pattern: evenly spaced numbers, grids, triangles, powers."""

import numpy as np

from ..registry import compose
from .types import as_array, cast


def blend(function, start, stop, num, endpoint, dtype, axis):
    """``function(start, stop, t)`` for ``num`` numbers t from 0 to 1, along a new axis."""
    start, stop = as_array(start), as_array(stop)
    t = np.linspace(0, 1, num, endpoint, dtype=np.result_type(start, stop, 0.0))
    t = np.reshape(t, (-1,) + max(start.ndim, stop.ndim) * (1,))
    result = np.moveaxis(function(start, stop, t), 0, axis)
    return result if dtype is None else cast(result, dtype)


@compose(np.linspace)
def linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0):
    steps = blend(lambda a, b, t: a * (1 - t) + b * t, start, stop, num, endpoint, dtype, axis)
    return (steps, (stop - start) / (num - bool(endpoint))) if retstep else steps


@compose(np.logspace)
def logspace(start, stop, num=50, endpoint=True, base=10.0, dtype=None, axis=0):
    exponents = np.linspace(start, stop, num, endpoint, axis=axis)
    base = base if np.ndim(base) == 0 else np.expand_dims(base, axis)
    return cast(np.power(base, exponents), dtype or exponents.dtype)


@compose(np.geomspace)
def geomspace(start, stop, num=50, endpoint=True, dtype=None, axis=0):
    return blend(lambda a, b, t: a * (b / a) ** t, start, stop, num, endpoint, dtype, axis)


@compose(np.meshgrid)
def meshgrid(*xi, copy=True, sparse=False, indexing="xy"):
    numbers = [np.arange(np.size(x)) for x in xi]
    grids = np.meshgrid(*numbers, sparse=sparse, indexing=indexing)
    return tuple(np.ravel(x)[grid] for x, grid in zip(xi, grids, strict=True))


@compose(np.tril)
def tril(m, k=0):
    return np.where(np.tri(*m.shape[-2:], k=k, dtype=bool), m, 0)


@compose(np.triu)
def triu(m, k=0):
    return np.where(np.tri(*m.shape[-2:], k=k - 1, dtype=bool), 0, m)


@compose(np.vander)
def vander(x, N=None, increasing=False):
    exponents = np.arange(x.size if N is None else N)
    return x[:, np.newaxis] ** (exponents if increasing else exponents[::-1])
