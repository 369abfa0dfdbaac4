"""Polynomials, by their coefficients."""

import numpy as np

from ..registry import compose
from ..rules.types import as_array


@compose(np.polyval)
def polyval(p, x):
    """By Horner's rule, the highest power first."""
    p, x = as_array(p), as_array(x)
    y = np.zeros_like(x)
    for power in range(p.shape[0]):
        y = y * x + p[power]
    return y
