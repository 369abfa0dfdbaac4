"""Rules of the element-wise functions."""

import operator

import numpy as np

from ..registry import rule

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
rule(
    np.power,  # 0 ** 0 is 1, whose derivative by x is 0; x ** y at x = 0 <= y has 0 by y
    lambda g, out, x, y: g * y * np.power(x, np.where((x == 0) & (y == 0), 1, y - 1)),
    lambda g, out, x, y: g * out * np.log(np.where((x == 0) & (y >= 0), 1, x)),
    formula=["y x^(y-1)", "out log x"],
)
rule(np.negative, lambda g, out, x: -g, formula=["-1"])
rule(np.positive, lambda g, out, x: g, formula=["1"])
rule(np.absolute, lambda g, out, x: g * np.sign(x), formula=["sign x"])
rule(np.sign, lambda g, out, x: np.zeros_like(g), formula=["0"])
rule(np.floor_divide, *2 * [lambda g, out, x, y: np.zeros_like(g)], formula=["0", "0"])
rule(
    np.remainder,
    lambda g, out, x, y: g,
    lambda g, out, x, y: -g * np.floor_divide(x, y),
    formula=["1", "-floor(x / y)"],
)
rule(np.square, lambda g, out, x: g * 2 * x, formula=["2 x"])
rule(np.sqrt, lambda g, out, x: g * 0.5 / out, formula=["1 / (2 out)"])
rule(np.exp, lambda g, out, x: g * out, formula=["out"])
rule(np.log, lambda g, out, x: g / x, formula=["1 / x"])
rule(np.log1p, lambda g, out, x: g / (1 + x), formula=["1 / (1 + x)"])
rule(np.sin, lambda g, out, x: g * np.cos(x), formula=["cos x"])
rule(np.cos, lambda g, out, x: -g * np.sin(x), formula=["-sin x"])
rule(np.tanh, lambda g, out, x: g * (1 - out * out), formula=["1 - out²"])


def share(x, y, larger):
    """The part of the gradient that x gets of the larger of x and y: half where they tie."""
    return np.where(x == y, 0.5, larger)


rule(
    np.maximum,
    lambda g, out, x, y: g * share(x, y, x > y),
    lambda g, out, x, y: g * share(x, y, y > x),
    formula=["1 if x > y", "1 if y > x"],
)
rule(
    np.minimum,
    lambda g, out, x, y: g * share(x, y, x < y),
    lambda g, out, x, y: g * share(x, y, y < x),
    formula=["1 if x < y", "1 if y < x"],
)
rule(
    np.where,
    None,
    lambda g, out, condition, x, y: np.where(condition, g, 0),
    lambda g, out, condition, x, y: np.where(condition, 0, g),
    formula=["0", "g where condition", "g where not condition"],
)
