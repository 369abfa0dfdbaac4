"""The table of rules: each NumPy function with its local derivatives, one theme to a file.

A rule is a line of NumPy: ``rule(np.sin, lambda g, out, x: g * np.cos(x), formula=["cos x"])``.
"""

from . import (
    arithmetic,
    assembly,
    decompositions,
    elementary,
    grids,
    linear_algebra,
    not_a_number,
    piecewise,
    plain,
    quantiles,
    reductions,
    refused,
    scans,
    shapes,
    signals,
    sorting,
)
from .activations import relu, sigmoid, softplus
from .indexing import getitem, scatter_add
from .rearranging import put_along_axis
from .types import astype

from . import ufunc_methods  # isort: skip  # it goes through the whole table

__all__ = [
    "arithmetic",
    "assembly",
    "astype",
    "decompositions",
    "elementary",
    "getitem",
    "grids",
    "linear_algebra",
    "not_a_number",
    "piecewise",
    "plain",
    "put_along_axis",
    "quantiles",
    "reductions",
    "refused",
    "relu",
    "scans",
    "scatter_add",
    "shapes",
    "sigmoid",
    "signals",
    "softplus",
    "sorting",
    "ufunc_methods",
]
