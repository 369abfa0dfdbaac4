"""The table of rules: each NumPy function with its local derivatives, one theme to a file.

A rule is a line of NumPy: ``rule(np.sin, lambda g, out, x: g * np.cos(x), formula=["cos x"])``.
No rule needs a file of ``compositions`` to be written; when one runs on Tensors, the functions it
calls, such as `numpy.flip`, may be compositions of others with rules.

At a kink where a subgradient exists, the derivative is the subgradient of least norm:

======================================  =======================  ==============================
function                                where                    derivative
======================================  =======================  ==============================
relu                                    0                        0
absolute, fabs                          0                        0
maximum, minimum, max, min, ptp         ties                     shared evenly
norm of every order, hypot              0                        0
std, nanstd                             all elements are equal   0
svdvals, nuclear and spectral norm      a singular value is 0    0
clip                                    at a bound               1
quantile, by q                          on an element            the mean of both slopes
sign, floor, ceil, round, trunc         everywhere               0
sqrt, log                               0                        infinite, as it truly is
max, min, median, norm, std, …          the value is NaN         NaN
======================================  =======================  ==============================
"""

from . import (
    activations,
    arithmetic,
    bessel,
    constant,
    decompositions,
    differences,
    elementary,
    indexing,
    joining,
    lengths,
    log_sums,
    piecewise,
    products,
    reductions,
    shapes,
    sinc,
    types,
)

__all__ = [
    "activations",
    "arithmetic",
    "bessel",
    "constant",
    "decompositions",
    "differences",
    "elementary",
    "indexing",
    "joining",
    "lengths",
    "log_sums",
    "piecewise",
    "products",
    "reductions",
    "shapes",
    "sinc",
    "types",
]


def __dir__() -> list[str]:
    return __all__
