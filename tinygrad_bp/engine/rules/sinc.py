"""The rule of the cardinal sine, whose slope cancels near 0."""

import math

import numpy as np

from ..registry import rule

# sinc x = Σ (-1)^k (πx)^2k / (2k + 1)!, term by term differentiated and divided by x.
SINC_SERIES = [
    2 * k * (-1) ** k * math.pi ** (2 * k) / math.factorial(2 * k + 1) for k in range(15)
]


def sinc_slope(x):
    """``(cos πx - sinc x) / x``: near 0, where that cancels, its series, right to any order."""
    near = np.abs(x) < 0.5
    small, large = np.where(near, x, 0), np.where(near, 1, x)
    square, series = small * small, 0
    for coefficient in SINC_SERIES[:0:-1]:
        series = series * square + coefficient
    return np.where(near, small * series, (np.cos(math.pi * large) - np.sinc(large)) / large)


rule(np.sinc, lambda g, out, x: g * sinc_slope(x), formula=["(cos πx - out) / x"])
