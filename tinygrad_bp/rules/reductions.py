"""Rules of the functions that reduce axes: sums, means, products, extremes, spreads."""

import numpy as np

from ..registry import compose, rule
from .types import floating


def restore(g, x, axis, keepdims):
    """``g`` with the axes that a reduction of ``x`` took away put back, so that it broadcasts."""
    return g if keepdims or axis is None or x.ndim == 0 else np.expand_dims(g, axis)


def spread(g, x, axis, keepdims, where=True):
    """``g`` repeated along the axes that a reduction of ``x`` took away."""
    g = np.broadcast_to(restore(g, x, axis, keepdims), x.shape)
    return g if where is True else np.where(where, g, 0)


def count(x, out, axis=None, keepdims=False, where=True):
    """How many elements of ``x`` went into each of ``out``."""
    if where is True:
        return x.size // max(out.size, 1)
    where = np.broadcast_to(where, x.shape)
    return np.sum(where, axis=axis, keepdims=keepdims, dtype=out.dtype)


rule(
    np.sum,
    lambda g, out, x, axis=None, dtype=None, keepdims=False, initial=0, where=True: spread(
        g, x, axis, keepdims, where
    ),
    formula=["g, spread"],
)
rule(
    np.mean,
    lambda g, out, x, axis=None, dtype=None, keepdims=False, where=True: spread(
        g / count(x, out, axis, keepdims, where), x, axis, keepdims, where
    ),
    formula=["g / n, spread"],
)


@compose(np.average)
def average(a, axis=None, weights=None, returned=False, *, keepdims=False):
    a = floating(a)
    if weights is None:
        result = np.mean(a, axis=axis, keepdims=keepdims)
        total = np.full(result.shape, float(count(a, result)), result.dtype)
    else:
        weights = along(weights, a, axis)
        total = np.sum(weights, axis=axis, keepdims=keepdims)
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


def product_of_others(x, axis):
    """For each element, the product of all others on its axes; nothing is divided by."""
    first, *rest = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    columns = np.swapaxes(x, 0, first)
    one = np.ones_like(columns[:1])
    before = np.cumprod(np.concatenate((one, columns[:-1])), axis=0)
    after = np.cumprod(np.concatenate((one, columns[:0:-1])), axis=0)[::-1]
    others = np.swapaxes(before * after, 0, first)
    if rest:
        others = others * product_of_others(np.prod(x, axis=first, keepdims=True), tuple(rest))
    return others


def prod_rule(g, out, x, axis=None, dtype=None, keepdims=False, where=True):
    g = spread(g, x, axis, keepdims, where)
    chosen = x if where is True else np.where(where, x, 1)
    return g * product_of_others(chosen, axis) if x.ndim else g


rule(np.prod, prod_rule, formula=["g × the others"])


def extreme_rule(g, out, x, axis=None, keepdims=False, initial=None, where=True):
    """``g`` shared evenly among the elements that equal the extreme ``out``."""
    chosen = x == restore(out, x, axis, keepdims)
    if where is not True:
        chosen = chosen & where
    ties = np.sum(chosen, axis=axis, keepdims=True, dtype=g.dtype)
    return restore(g, x, axis, keepdims) / np.maximum(ties, 1) * chosen


for largest in (np.max, np.amax, np.nanmax):
    rule(largest, extreme_rule, formula=["g at the largest"])
for smallest in (np.min, np.amin, np.nanmin):
    rule(smallest, extreme_rule, formula=["g at the smallest"])


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
    if mean is None:
        mean = np.mean(a, axis=axis, dtype=dtype, keepdims=True, where=where)
    distance = a - mean if where is True else np.where(where, a - mean, 0)
    total = np.sum(np.square(distance), axis=axis, dtype=dtype, keepdims=keepdims)
    freedom = count(a, total, axis, keepdims, where) - (ddof if correction is None else correction)
    return total / np.maximum(freedom, total.dtype.type(0))


@compose(np.std)
def std(a, axis=None, dtype=None, out=None, ddof=0, keepdims=False, *, where=True, **names):
    variance = np.var(a, axis, dtype, None, ddof, keepdims, where=where, **names)
    alone = names.get("mean") is None and count(a, variance, axis, keepdims, where) == 1
    return root(variance, alone)


def root(variance, alone):
    """The root of a variance; of one element alone it is always 0, which has no slope."""
    if isinstance(alone, bool):
        return variance if alone else np.sqrt(variance)
    return np.where(alone, variance, np.sqrt(np.where(alone, 1, variance)))
