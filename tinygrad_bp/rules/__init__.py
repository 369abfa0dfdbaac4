"""The table of rules: each NumPy function with its local derivatives, one theme to a file.

A rule is a line of NumPy: ``rule(np.sin, lambda g, out, x: g * np.cos(x), formula=["cos x"])``.
"""

from . import (
    arithmetic,
    elementary,
    linear_algebra,
    not_a_number,
    piecewise,
    plain,
    quantiles,
    reductions,
    scans,
    shapes,
)
from .activations import relu, sigmoid, softplus
from .indexing import getitem, scatter_add
from .types import astype

from . import ufunc_methods  # isort: skip  # it goes through the whole table

__all__ = [
    "arithmetic",
    "astype",
    "elementary",
    "getitem",
    "linear_algebra",
    "not_a_number",
    "piecewise",
    "plain",
    "quantiles",
    "reductions",
    "relu",
    "scans",
    "scatter_add",
    "shapes",
    "sigmoid",
    "softplus",
    "ufunc_methods",
]
