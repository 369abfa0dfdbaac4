"""Rules of the elementary functions: exponentials, logarithms, circular and hyperbolic ones."""

import numpy as np

from ..registry import rule
from .activations import four_cosh_squared


def log_of(number, like):
    """The logarithm of a number, with the digits that the type of ``like`` has."""
    return np.log(like.dtype.type(number))


rule(np.exp, lambda g, out, x: g * out, formula=["out"])

rule(np.exp2, lambda g, out, x: g * out * log_of(2, out), formula=["out log 2"])

rule(np.expm1, lambda g, out, x: g * np.exp(x), formula=["exp x"])

rule(np.log, lambda g, out, x: g / x, formula=["1 / x"])

rule(np.log2, lambda g, out, x: g / (x * log_of(2, out)), formula=["1 / (x log 2)"])

rule(np.log10, lambda g, out, x: g / (x * log_of(10, out)), formula=["1 / (x log 10)"])

rule(np.log1p, lambda g, out, x: g / (1 + x), formula=["1 / (1 + x)"])

rule(np.sin, lambda g, out, x: g * np.cos(x), formula=["cos x"])

rule(np.cos, lambda g, out, x: -g * np.sin(x), formula=["-sin x"])

rule(np.tan, lambda g, out, x: g * (1 + out * out), formula=["1 + out²"])

rule(np.arcsin, lambda g, out, x: g / np.sqrt((1 - x) * (1 + x)), formula=["1 / √(1 - x²)"])

rule(np.arccos, lambda g, out, x: -g / np.sqrt((1 - x) * (1 + x)), formula=["-1 / √(1 - x²)"])

rule(
    np.arctan,
    lambda g, out, x: over_square_of_hypotenuse(g, x, 1),
    formula=["1 / (1 + x²)"],
)

rule(np.sinh, lambda g, out, x: g * np.cosh(x), formula=["cosh x"])

rule(np.cosh, lambda g, out, x: g * np.sinh(x), formula=["sinh x"])

rule(np.tanh, lambda g, out, x: g * 4 / four_cosh_squared(x), formula=["1 - out²"])

rule(np.arcsinh, lambda g, out, x: g / np.hypot(x, 1), formula=["1 / √(x² + 1)"])

rule(np.arccosh, lambda g, out, x: g / (np.sqrt(x - 1) * np.sqrt(x + 1)), formula=["1 / √(x² - 1)"])

rule(np.arctanh, lambda g, out, x: g / ((1 - x) * (1 + x)), formula=["1 / (1 - x²)"])

for to_radians in (np.deg2rad, np.radians):
    rule(to_radians, lambda g, out, x: np.deg2rad(g), formula=["π / 180"])

for to_degrees in (np.rad2deg, np.degrees):
    rule(to_degrees, lambda g, out, x: np.rad2deg(g), formula=["180 / π"])


def over_square_of_hypotenuse(z, x, y):
    """``z / (x² + y²)``, where the squares might overflow."""
    hypotenuse = np.hypot(x, y)
    return z / hypotenuse / hypotenuse


rule(
    np.arctan2,
    lambda g, out, x, y: g * over_square_of_hypotenuse(y, x, y),
    lambda g, out, x, y: -g * over_square_of_hypotenuse(x, x, y),
    formula=["y / (x² + y²)", "-x / (x² + y²)"],
)
