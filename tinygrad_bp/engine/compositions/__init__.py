"""NumPy's functions that are made of functions with rules. There is no calculus here."""

from . import (
    decompositions,
    elementwise,
    grids,
    indexing,
    joining,
    linear_algebra,
    norms,
    not_a_number,
    padding,
    polynomials,
    quantiles,
    rearranging,
    scans,
    shapes,
    signals,
    sorting,
    spreads,
    statistics,
    ufunc_methods,
)

__all__ = [
    "decompositions",
    "elementwise",
    "grids",
    "indexing",
    "joining",
    "linear_algebra",
    "norms",
    "not_a_number",
    "padding",
    "polynomials",
    "quantiles",
    "rearranging",
    "scans",
    "shapes",
    "signals",
    "sorting",
    "spreads",
    "statistics",
    "ufunc_methods",
]


def __dir__() -> list[str]:
    return __all__
