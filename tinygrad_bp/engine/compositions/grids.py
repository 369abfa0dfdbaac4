"""Functions that fill arrays by a pattern: evenly spaced numbers, grids, triangles, powers."""

import numpy as np

from ..registry import compose
from ..rules.types import cast, common_dtype


def blend(function, start, stop, num, endpoint, dtype, axis):
    """``function(start, stop, t)`` for ``num`` numbers t from 0 to 1, along a new axis."""
    t = np.linspace(0, 1, num, endpoint, dtype=dtype)
    t = np.reshape(t, (-1,) + max(np.ndim(start), np.ndim(stop)) * (1,))
    return np.moveaxis(function(cast(start, dtype), cast(stop, dtype), t), 0, axis)


@compose(np.linspace)
def linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0):
    exact = common_dtype(start, stop, 0.0)
    numbers = blend(lambda a, b, t: a * (1 - t) + b * t, start, stop, num, endpoint, exact, axis)
    numbers = cast(numbers, exact if dtype is None else dtype)
    steps = num - bool(endpoint)
    return (numbers, (stop - start) / steps if steps else np.nan) if retstep else numbers


@compose(np.logspace)
def logspace(start, stop, num=50, endpoint=True, base=10.0, dtype=None, axis=0):
    exponents = np.linspace(start, stop, num, endpoint, axis=axis)
    powers = np.power(np.expand_dims(base, axis) if np.ndim(base) else base, exponents)
    return powers if dtype is None else cast(powers, dtype)


@compose(np.geomspace)
def geomspace(start, stop, num=50, endpoint=True, dtype=None, axis=0):
    dtype = np.result_type(common_dtype(start, stop, 0.0), np.zeros((), dtype))
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
