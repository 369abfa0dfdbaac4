"""Rules of the functions that reduce axes, and of the running sum."""

import numpy as np

from ..registry import rule
from .types import wide


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
    return np.sum(where, axis=axis, keepdims=keepdims, dtype=np.result_type(out, np.float32))


rule(
    np.sum,
    lambda g, out, x, axis=None, dtype=None, keepdims=False, initial=0, where=True: spread(
        g, x, axis, keepdims, where
    ),
    formula=["g repeated"],
)

rule(
    np.mean,
    lambda g, out, x, axis=None, dtype=None, keepdims=False, where=True: spread(
        wide(g) / count(x, out, axis, keepdims, where), x, axis, keepdims, where
    ),
    formula=["g / n repeated"],
)


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


def prod_rule(g, out, x, axis=None, dtype=None, keepdims=False, initial=1, where=True):
    g = spread(g * initial, x, axis, keepdims, where)
    chosen = x if where is True else np.where(where, x, 1)
    return g * product_of_others(chosen, axis) if x.ndim else g


rule(np.prod, prod_rule, formula=["g × the others"])


def extreme_rule(g, out, x, axis=None, keepdims=False, initial=None, where=True):
    """``g`` shared evenly among the elements that equal the extreme ``out``; NaN where that is."""
    g, extreme = wide(restore(g, x, axis, keepdims)), restore(out, x, axis, keepdims)
    chosen = x == extreme
    if where is not True:
        chosen = chosen & where
    ties = np.sum(chosen, axis=axis, keepdims=True, dtype=g.dtype)
    share = g / np.maximum(ties, 1) * chosen
    return np.where(np.isnan(extreme), extreme, share)


for largest in (np.max, np.amax, np.nanmax):
    rule(largest, extreme_rule, formula=["g at the largest"])

for smallest in (np.min, np.amin, np.nanmin):
    rule(smallest, extreme_rule, formula=["g at the smallest"])


def sum_from_the_end(g, x, axis):
    """The adjoint of a running sum: ``g`` summed from each element to the last."""
    axis = axis or 0  # without an axis, the sum ran over the flattened array
    return np.reshape(np.flip(np.cumsum(np.flip(g, axis), axis=axis), axis), x.shape)


rule(
    np.cumsum,
    lambda g, out, x, axis=None, dtype=None: sum_from_the_end(g, x, axis),
    formula=["g, summed from the end"],
)
