"""The table of rules: each NumPy function with its local derivatives, one theme to a file.

A rule is a line of NumPy: ``rule(np.sin, lambda g, out, x: g * np.cos(x), formula=["cos x"])``.
No rule needs a file of ``compositions`` to be written; when one runs on Tensors, the functions it
calls, such as `numpy.flip`, may be compositions of others with rules.
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
    piecewise,
    products,
    reductions,
    shapes,
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
    "piecewise",
    "products",
    "reductions",
    "shapes",
    "types",
]
