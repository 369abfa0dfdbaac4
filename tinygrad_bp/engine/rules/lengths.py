"""Rules of Euclidean lengths, whose derivative at 0 is the subgradient of least norm, 0."""

import numpy as np

from ..registry import primitive, rule
from .reductions import restore


def unit(x, out):
    """``x / out``; of the least norm, 0, where ``out`` is."""
    zero = out == 0
    return np.where(zero, 0, x) / np.where(zero, 1, out)


rule(
    np.hypot,
    lambda g, out, x, y: g * unit(x, out),
    lambda g, out, x, y: g * unit(y, out),
    formula=["x / out", "y / out"],
)


@primitive
def root_of_squares(x, axis=None, keepdims=False):
    """The root of the sum of squares: the length of a vector, with the derivative 0 at 0.

    Examples
    --------
    >>> print(root_of_squares(np.array([3.0, 4.0])))
    5.0
    """
    return np.sqrt(np.sum(x * x, axis=axis, keepdims=keepdims))


rule(
    root_of_squares,
    lambda g, out, x, axis=None, keepdims=False: (
        restore(g, x, axis, keepdims) * unit(x, restore(out, x, axis, keepdims))
    ),
    formula=["g x / out"],
)
