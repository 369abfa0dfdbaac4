"""Rules of the logarithm of a sum of two exponentials, whose slopes are logistic."""

import math

import numpy as np

from ..registry import rule
from .activations import sigmoid

LOG2 = math.log(2)


def difference(x, y):
    """``x - y``, where equal infinities differ by 0."""
    same = (x == y) & np.isinf(x)
    return np.where(same, 0, x) - np.where(same, 0, y)


rule(
    np.logaddexp,
    lambda g, out, x, y: g * sigmoid(difference(x, y)),
    lambda g, out, x, y: g * sigmoid(difference(y, x)),
    formula=["exp(x - out)", "exp(y - out)"],
)

rule(
    np.logaddexp2,
    lambda g, out, x, y: g * sigmoid(difference(x, y) * LOG2),
    lambda g, out, x, y: g * sigmoid(difference(y, x) * LOG2),
    formula=["2^(x - out)", "2^(y - out)"],
)
