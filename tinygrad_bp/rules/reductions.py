"""Rules of the functions that reduce axes."""

import numpy as np

from ..registry import rule


def restore(g, x, axis, keepdims):
    """``g`` with the axes that a reduction of ``x`` took away put back, with length 1."""
    if keepdims or x.ndim == 0:
        return g
    return np.expand_dims(g, tuple(range(x.ndim)) if axis is None else axis)


def spread(g, x, axis, keepdims):
    """``g`` repeated along the axes that a reduction of ``x`` took away."""
    return np.broadcast_to(restore(g, x, axis, keepdims), x.shape)


def tied(g, out, x, axis, keepdims):
    """``g`` shared evenly among the elements that equal the extreme ``out``."""
    is_extreme = x == restore(out, x, axis, keepdims)
    count = np.sum(is_extreme, axis=axis, keepdims=True)
    return restore(g, x, axis, keepdims) * is_extreme / count


rule(
    np.sum,
    lambda g, out, x, axis=None, dtype=None, keepdims=False: spread(g, x, axis, keepdims),
    formula=["g, spread"],
)
rule(
    np.mean,
    lambda g, out, x, axis=None, dtype=None, keepdims=False: spread(
        g * (out.size / x.size), x, axis, keepdims
    ),
    formula=["g / n, spread"],
)
rule(
    np.max,
    lambda g, out, x, axis=None, keepdims=False: tied(g, out, x, axis, keepdims),
    formula=["g at the largest"],
)
rule(
    np.min,
    lambda g, out, x, axis=None, keepdims=False: tied(g, out, x, axis, keepdims),
    formula=["g at the smallest"],
)
