"""Rules of the functions that choose, clip, round or jump: one formula on each piece.

A derivative exists within a piece; where pieces meet, the convention is the one said here.
"""

import numpy as np

from ..registry import primitive, rule


def share(g, out, x, y):
    """The part of ``g`` that x gets of the larger or smaller of x and y: half where they tie.

    Compared with ``out``, so that for `numpy.fmax` it goes to the operand that is not NaN.
    """
    part = np.where(x == y, g * 0.5, g * (x == out))
    return np.where(np.isnan(out), out, part)


for function, sign in ((np.maximum, ">"), (np.fmax, ">"), (np.minimum, "<"), (np.fmin, "<")):
    rule(
        function,
        share,
        lambda g, out, x, y: share(g, out, y, x),
        formula=[f"1 if x {sign} y", f"1 if y {sign} x"],
    )


def where(condition, x, y):
    if x is None or y is None:
        raise TypeError("there is nothing to choose from; to find where it is true use np.nonzero")
    return np.where(condition, x, y)


# What is not chosen gets 0 times its gradient, which is NaN if that is infinite. So keep the
# branch finite: np.where(x > 0, np.log(np.where(x > 0, x, 1)), 0), and not np.log(x) in it.
rule(
    np.where,
    None,
    lambda g, out, condition, x, y: np.where(condition, g, 0),
    lambda g, out, condition, x, y: np.where(condition, 0, g),
    formula=["0", "g where condition", "g where not condition"],
    run=where,
)


@primitive
def at_least(x, bound):
    """x, and the bound where x is below it; nan where the bound is nan."""
    return np.where((x < bound) | np.isnan(bound), bound, x)


@primitive
def at_most(x, bound):
    """x, and the bound where x is above it; nan where the bound is nan."""
    return np.where((x > bound) | np.isnan(bound), bound, x)


rule(
    at_least,
    lambda g, out, x, bound: np.where((x < bound) | np.isnan(bound), 0, g),
    lambda g, out, x, bound: np.where((x < bound) | np.isnan(bound), g, 0),
    formula=["0 if x < bound else 1", "1 if x < bound else 0"],
)

rule(
    at_most,
    lambda g, out, x, bound: np.where((x > bound) | np.isnan(bound), 0, g),
    lambda g, out, x, bound: np.where((x > bound) | np.isnan(bound), g, 0),
    formula=["0 if x > bound else 1", "1 if x > bound else 0"],
)

# The sign of 0 is 0, and so is the derivative of |x| there.
rule(np.absolute, lambda g, out, x: g * np.sign(x), formula=["sign x"])

rule(np.fabs, lambda g, out, x: g * np.sign(x), formula=["sign x"])

rule(
    np.copysign,
    lambda g, out, x, y: g * np.sign(x) * np.sign(out),
    lambda g, out, x, y: np.zeros_like(g),
    formula=["sign(x y)", "0"],
)

rule(
    np.heaviside,
    lambda g, out, x, y: np.zeros_like(g),
    lambda g, out, x, y: g * (x == 0),
    formula=["0", "1 if x = 0"],
)


def nan_to_num(x, copy=True, **keywords):
    """Always a copy: a recorded array never changes."""
    return np.nan_to_num(x, **keywords)


rule(
    np.nan_to_num,
    lambda g, out, x, copy=True, nan=0.0, posinf=None, neginf=None: g * np.isfinite(x),
    formula=["1 if x is finite"],
    run=nan_to_num,
)

# Steps are flat: their derivative is 0, which is not the same as no derivative.
for step in (np.sign, np.floor, np.ceil, np.trunc, np.rint, np.fix):
    rule(step, lambda g, out, x: np.zeros_like(g), formula=["0"])

rule(np.round, lambda g, out, x, decimals=0: np.zeros_like(g), formula=["0"])

rule(np.floor_divide, *2 * [lambda g, out, x, y: np.zeros_like(g)], formula=["0", "0"])

rule(
    np.remainder,
    lambda g, out, x, y: g,
    lambda g, out, x, y: -g * np.floor_divide(x, y),
    formula=["1", "-floor(x / y)"],
)

rule(
    np.fmod,  # x / y itself may round up to a whole number, and (x - out) / y is next to one
    lambda g, out, x, y: g,
    lambda g, out, x, y: -g * np.rint((x - out) / y),
    formula=["1", "-trunc(x / y)"],
)
