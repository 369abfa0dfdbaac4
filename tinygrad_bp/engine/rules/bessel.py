"""The modified Bessel functions of whole order, of which NumPy has the one of order 0."""

import numpy as np

from ..arrays import like
from ..registry import primitive, rule
from .types import real

# The trapezoidal rule over a period converges faster than any power: so many nodes are enough
# for every x whose exponential is finite.
ANGLES = (np.arange(256) + 0.5) * np.pi / 256


@primitive
def bessel(x, order):
    """``I_n(x)``, the mean over angles of ``exp(x cos t) cos(n t)``.

    Of the exponential only the part is taken that is odd or even as the order is, so that no two
    large terms cancel.

    Examples
    --------
    >>> bessel(np.array([0.0, 1.0]), 1).round(6)
    array([0.      , 0.565159])
    """
    x = real(x)
    part = np.sinh if order % 2 else np.cosh
    waves, cosines = (like(np.cos(n * ANGLES).astype(x.dtype), x) for n in (order, 1))
    return np.mean(part(x[..., np.newaxis] * cosines) * waves, axis=-1)


rule(
    bessel,
    lambda g, out, x, order: g * (bessel(x, abs(order - 1)) + bessel(x, order + 1)) / 2,
    None,
    formula=["(bessel(x, n - 1) + bessel(x, n + 1)) / 2"],
)

rule(np.i0, lambda g, out, x: g * bessel(x, 1), formula=["bessel(x, 1)"])
