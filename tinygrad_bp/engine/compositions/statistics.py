"""Averages, spreads and ranges, made of sums and extremes."""

import numpy as np

from ..arrays import as_array, known, like
from ..registry import compose
from ..rules.reductions import count
from ..rules.types import as_floating, cast, common_dtype, ratio


@compose(np.average)
def average(a, axis=None, weights=None, returned=False, *, keepdims=False):
    a = as_floating(a)
    if weights is None:
        result = np.mean(a, axis=axis, keepdims=keepdims)
        if returned:
            total = np.full(result.shape, float(count(a, result)), result.dtype)
    else:
        weights = along(like(as_array(weights), a), a, axis)
        a, weights = (cast(x, common_dtype(a, weights, 0.0)) for x in (a, weights))
        total = np.sum(weights, axis=axis, keepdims=keepdims)
        if known(total) and not np.all(total):
            raise ZeroDivisionError("the weights of np.average add up to 0")
        result = np.sum(a * weights, axis=axis, keepdims=keepdims) / total
    return (result, total) if returned else result


def along(weights, a, axis):
    """Weights for every element of ``a``, from as many, or from some for the axes alone."""
    if np.shape(weights) == np.shape(a):
        return np.reshape(weights, np.shape(a))
    if axis is None:
        raise TypeError(
            f"np.average needs axis= for shape {np.shape(a)} and weights of {np.shape(weights)}"
        )
    axes = [i % np.ndim(a) for i in (axis if isinstance(axis, tuple) else (axis,))]
    weights = np.transpose(weights, tuple(int(i) for i in np.argsort(axes)))
    shape = tuple(n if i in axes else 1 for i, n in enumerate(np.shape(a)))
    return np.broadcast_to(np.reshape(weights, shape), np.shape(a))


@compose(np.ptp)
def ptp(a, axis=None, *, keepdims=False):
    return np.max(a, axis=axis, keepdims=keepdims) - np.min(a, axis=axis, keepdims=keepdims)


# In these out has its place in NumPy's order; the engine refuses any but None.


@compose(np.var)
def var(
    a,
    axis=None,
    dtype=None,
    out=None,
    ddof=0,
    keepdims=False,
    *,
    where=True,
    mean=None,
    correction=None,
):
    if correction is not None and ddof:
        raise ValueError(f"np.var and np.std take ddof={ddof} or correction={correction}, not both")
    if dtype is not None and np.dtype(dtype).kind not in "fc":
        raise TypeError(f"np.var and np.std with dtype={np.dtype(dtype)} would round; use a float")
    a = as_floating(a)
    if mean is None:
        mean = np.mean(a, axis=axis, dtype=dtype, keepdims=True, where=where)
    distance = a - mean if where is True else np.where(where, a - mean, 0)
    total = np.sum(np.square(distance), axis=axis, dtype=dtype, keepdims=keepdims)
    freedom = count(a, total, axis, keepdims, where) - (ddof if correction is None else correction)
    return ratio(total, np.maximum(freedom, 0))


@compose(np.std)
def std(a, axis=None, dtype=None, out=None, ddof=0, keepdims=False, *, where=True, **names):
    return root(np.var(a, axis, dtype, None, ddof, keepdims, where=where, **names))


def root(variance):
    """The root of a variance, with the derivative of least norm, 0, where it is 0."""
    constant = variance == 0
    return np.where(constant, 0, np.sqrt(np.where(constant, 1, variance)))
