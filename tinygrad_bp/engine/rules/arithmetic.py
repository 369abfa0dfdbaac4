"""Rules of arithmetic: sums, products, quotients, remainders and powers."""

import operator

import numpy as np

from ..registry import rule
from .types import as_array, cast

# On NumPy's scalars an operator is many times faster than its ufunc, and the same elsewhere.
rule(
    np.add,
    lambda g, out, x, y: g,
    lambda g, out, x, y: g,
    formula=["1", "1"],
    run=operator.add,
)

rule(
    np.subtract,
    lambda g, out, x, y: g,
    lambda g, out, x, y: -g,
    formula=["1", "-1"],
    run=operator.sub,
)

rule(
    np.multiply,
    lambda g, out, x, y: g * y,
    lambda g, out, x, y: g * x,
    formula=["y", "x"],
    run=operator.mul,
)

rule(
    np.divide,
    lambda g, out, x, y: g / y,
    lambda g, out, x, y: -g * out / y,
    formula=["1 / y", "-out / y"],
    run=operator.truediv,
)

rule(np.negative, lambda g, out, x: -g, formula=["-1"])

rule(np.positive, lambda g, out, x: g, formula=["1"])

rule(np.reciprocal, lambda g, out, x: -g * out * out, formula=["-out²"])

rule(np.square, lambda g, out, x: g * 2 * x, formula=["2 x"])

rule(np.sqrt, lambda g, out, x: g * 0.5 / out, formula=["1 / (2 out)"])

rule(np.cbrt, lambda g, out, x: g / (3 * out * out), formula=["1 / (3 out²)"])


def power_by_base(g, out, x, y):
    """``g y x^(y-1)``; 0 ** 0 is 1 whatever y does to it, so its derivative is 0, not 0 / 0."""
    if type(y) in (int, float):  # a constant: no array of exponents is needed
        return g * (y * x ** (y - (y != 0)))
    y = cast(y, float) if as_array(y).dtype.kind == "u" else y  # or 0 - 1 would be huge
    return g * (y * x ** np.where((x == 0) & (y == 0), 0, y - 1))


def power_by_exponent(g, out, x, y):
    """``g x^y log x``, which tends to 0 where x does and y does not."""
    return g * out * np.log(np.where((x == 0) & (y >= 0), 1, x))


rule(
    np.power,
    power_by_base,
    power_by_exponent,
    formula=["y x^(y-1)", "out log x"],
    run=operator.pow,
)

rule(np.float_power, power_by_base, power_by_exponent, formula=["y x^(y-1)", "out log x"])

rule(np.ldexp, lambda g, out, x, n: np.ldexp(g, n), None, formula=["2ⁿ"])
