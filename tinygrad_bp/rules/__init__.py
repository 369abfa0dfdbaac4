"""The table of rules: each NumPy function with its local derivatives, one theme to a file.

A rule is a line of NumPy: ``rule(np.sin, lambda g, out, x: g * np.cos(x), formula=["cos x"])``.
"""

from . import arithmetic, linear_algebra, plain, reductions, shapes
from .activations import relu, sigmoid, softplus
from .indexing import getitem, scatter_add
from .types import astype

__all__ = [
    "arithmetic",
    "astype",
    "getitem",
    "linear_algebra",
    "plain",
    "reductions",
    "relu",
    "scatter_add",
    "shapes",
    "sigmoid",
    "softplus",
]
