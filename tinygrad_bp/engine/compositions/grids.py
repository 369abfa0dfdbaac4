"""Functions that fill arrays by a pattern: evenly spaced numbers, grids, triangles, powers."""

import numpy as np

from ..arrays import like
from ..registry import compose
from ..rules.types import as_array, cast, common_dtype


def blend(function, start, stop, num, endpoint, dtype, axis):
    """``function(start, stop, t)`` for ``num`` numbers t from 0 to 1, along a new axis."""
    steps = np.linspace(0, num, num, endpoint=False, dtype=dtype)  # which refuses a wrong num
    t = steps / max(num - bool(endpoint), 1)  # in its own type: longdouble has the digits
    t = like(like(t, start), stop)
    t = np.reshape(t, (-1,) + max(np.ndim(start), np.ndim(stop)) * (1,))
    return np.moveaxis(function(cast(start, dtype), cast(stop, dtype), t), 0, axis)


@compose(np.linspace)
def linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0):
    exact = common_dtype(start, stop, 0.0)
    numbers = blend(lambda a, b, t: a * (1 - t) + b * t, start, stop, num, endpoint, exact, axis)
    if dtype is not None:
        numbers = cast(np.floor(numbers) if np.dtype(dtype).kind in "iu" else numbers, dtype)
    steps = num - bool(endpoint)
    return (numbers, (stop - start) / steps if steps else np.nan) if retstep else numbers


@compose(np.logspace)
def logspace(start, stop, num=50, endpoint=True, base=10.0, dtype=None, axis=0):
    exponents = np.linspace(start, stop, num, endpoint, axis=axis)
    powers = np.power(np.expand_dims(base, axis) if np.ndim(base) else base, exponents)
    return powers if dtype is None else cast(powers, dtype)


@compose(np.geomspace)
def geomspace(start, stop, num=50, endpoint=True, dtype=None, axis=0):
    exact = np.result_type(common_dtype(start, stop, 0.0), np.zeros((), dtype))
    touches_zero = (as_array(start) == 0) | (as_array(stop) == 0)
    if isinstance(touches_zero, np.ndarray | np.generic) and np.any(touches_zero):
        raise ValueError("np.geomspace cannot go from 0 or to 0: its ratio would be infinite")
    numbers = blend(lambda a, b, t: a * (b / a) ** t, start, stop, num, endpoint, exact, axis)
    return numbers if dtype is None else cast(numbers, dtype)


@compose(np.meshgrid)
def meshgrid(*xi, copy=True, sparse=False, indexing="xy"):
    numbers = [np.arange(np.size(x)) for x in xi]
    grids = np.meshgrid(*numbers, sparse=sparse, indexing=indexing)
    return tuple(np.ravel(x)[grid] for x, grid in zip(xi, grids, strict=True))


@compose(np.tril)
def tril(m, k=0):
    return np.where(like(np.tri(*m.shape[-2:], k=k, dtype=bool), m), m, 0)


@compose(np.triu)
def triu(m, k=0):
    return np.where(like(np.tri(*m.shape[-2:], k=k - 1, dtype=bool), m), 0, m)


@compose(np.vander)
def vander(x, N=None, increasing=False):
    if N is not None and N < 0:
        raise ValueError(f"np.vander makes N >= 0 columns, not {N}")
    exponents = like(np.arange(x.size if N is None else N), x)
    return np.expand_dims(x, 1) ** (exponents if increasing else exponents[::-1])
