"""Numbers and operations on them as text that has a type of NumPy's in compiled code."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

FORMS = {
    np.negative: "-{0}",
    operator.neg: "-{0}",
    np.positive: "{0}",
    np.square: "{0} * {0}",
    np.logical_not: "not {0}",
    np.invert: "~{0}",
}
POWERS = {1: "{0}", 2: "{0} * {0}", 0.5: "np.sqrt({0})", -1: "1 / {0}"}
SUMS = {
    np.add: ("{0} + {1}", 0),
    np.multiply: ("{0} * {1}", 1),
    np.maximum: ("np.maximum({0}, {1})", -np.inf),
    np.minimum: ("np.minimum({0}, {1})", np.inf),
    np.logical_and: ("{0} and {1}", True),
    np.logical_or: ("{0} or {1}", False),
}


def literal(value: Any, dtype: Any) -> str:
    """A number as text that has a type of NumPy's in compiled code."""
    if isinstance(dtype, type):
        return repr(value) if np.isfinite(value) else f"np.float64({_not_finite(value)})"
    number = np.asarray(value).astype(dtype)[()]
    text = repr(number.item()) if np.isfinite(number) else _not_finite(number)
    plain = dtype in (np.dtype("f8"), np.dtype("i8"), np.dtype("?")) and np.isfinite(number)
    return text if plain else f"np.{dtype.name}({text})"


def _not_finite(x: Any) -> str:
    return "np.nan" if np.isnan(x) else "np.inf" if x > 0 else "-np.inf"


def is_uniform(x: Any) -> bool:
    """Whether all elements of a constant are the same number."""
    return np.size(x) > 0 and np.array_equal(
        x, np.broadcast_to(np.ravel(x)[0], np.shape(x)), equal_nan=True
    )


def cast(text: str, old: Any, new: Any) -> str:
    """A value as another type."""
    if isinstance(new, type) or np.dtype(old) == new:
        return text
    if new == np.dtype(bool):
        return f"({text} != 0)"
    return f"np.{np.dtype(new).name}({text})"


def supported() -> frozenset[Any]:
    """The ufuncs that numba has a form for."""
    from numba.np.ufunc_db import get_ufuncs

    return frozenset(get_ufuncs())
