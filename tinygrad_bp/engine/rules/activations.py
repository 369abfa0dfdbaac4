"""Functions that NumPy has not, written so that they neither overflow nor underflow."""

import numpy as np

from ..registry import primitive, rule
from .types import real, wide


def decay(x):
    """Exp(-abs(x)), held so far above the smallest normal number that a mean of it is too."""
    limit = {2: 9, 4: 75}.get(np.result_type(x).itemsize, 690)  # for the bytes of a float
    return np.exp(-np.minimum(np.abs(x), limit))


@primitive
def relu(x):
    """The rectified linear unit, max(x, 0); its derivative at 0 is 0.

    Examples
    --------
    >>> relu(np.array([-1.0, 0.0, 2.0]))
    array([0., 0., 2.])
    """
    return np.maximum(x, 0)


@primitive
def sigmoid(x):
    """The logistic function, 1 / (1 + exp(-x)), for x of any size.

    Examples
    --------
    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0])).round(3)
    array([0. , 0.5, 1. ])
    """
    x = real(x)
    small = decay(x)
    return np.where(x < 0, small, 1) / (1 + small)


@primitive
def softplus(x):
    """Log(1 + exp(x)), for x of any size.

    Examples
    --------
    >>> softplus(np.array([-1.0, 0.0, 1000.0])).round(3)
    array([3.13e-01, 6.93e-01, 1.00e+03])
    """
    x = real(x)
    return np.maximum(x, 0) + np.log1p(decay(x))


def bell(x):
    """``e^x / (1 + e^x)²``, the slope of the logistic function, which does not cancel.

    ``out (1 - out)`` is the same, but has no digits left where ``out`` is 1 to rounding.
    """
    x = wide(x)
    limit = 80 if x.dtype.itemsize == 4 else 700  # e^x is finite, and next to nothing is lost
    power = np.exp(np.minimum(np.maximum(x, -limit), limit))
    return power / (1 + power) / (1 + power)


rule(relu, lambda g, out, x: g * (out > 0), formula=["1 if out > 0"])
rule(sigmoid, lambda g, out, x: g * bell(x), formula=["out (1 - out)"])
rule(softplus, lambda g, out, x: g * sigmoid(x), formula=["sigmoid x"])
