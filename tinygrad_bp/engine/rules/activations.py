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


def four_cosh_squared(x):
    """``(e^x + e^-x)²``, held finite: with it the slopes of tanh and sigmoid do not cancel.

    ``1 - out²`` and ``out (1 - out)`` have no digits left where ``out`` is 1 to rounding.
    """
    x = wide(x)
    limit = 43 if x.dtype.itemsize == 4 else 350
    power = np.exp(np.minimum(np.maximum(x, -limit), limit))
    double = power + 1 / power
    return double * double


rule(relu, lambda g, out, x: g * (out > 0), formula=["1 if out > 0"])
rule(sigmoid, lambda g, out, x: g / four_cosh_squared(x / 2), formula=["out (1 - out)"])
rule(softplus, lambda g, out, x: g * sigmoid(x), formula=["sigmoid x"])
