"""What the methods of ufuncs, such as ``np.add.reduce`` and ``np.multiply.outer``, are made of.

A method is looked up by its name and told the ufunc, so that a ufunc of any library that has a
rule has its methods too.
"""

import functools

import numpy as np

from ..registry import RULES, compose_method
from .scans import scan_by_doubling

REDUCTIONS = {np.add: np.sum, np.multiply: np.prod, np.maximum: np.max, np.minimum: np.min}
SCANS = {
    np.add: np.cumsum,
    np.multiply: np.cumprod,
    np.maximum: functools.partial(scan_by_doubling, np.maximum),
    np.minimum: functools.partial(scan_by_doubling, np.minimum),
}


def look_up_method(table, ufunc, method):
    """The entry of ``table`` for this method of ``ufunc``; an error if there is none."""
    if ufunc not in table:
        known = ", ".join(f"np.{f.__name__}.{method}" for f in table)
        raise TypeError(f"np.{ufunc.__name__}.{method} has no derivative rule; {known} have one")
    return table[ufunc]


@compose_method("reduce")
def reduce(ufunc, array, axis=0, **others):
    return look_up_method(REDUCTIONS, ufunc, "reduce")(array, axis=axis, **others)


@compose_method("accumulate")
def accumulate(ufunc, array, axis=0, dtype=None):
    scan = look_up_method(SCANS, ufunc, "accumulate")
    return scan(array, axis=axis) if dtype is None else scan(array, axis=axis, dtype=dtype)


@compose_method("outer")
def outer(ufunc, x, y, **others):
    if ufunc not in RULES:
        raise TypeError(
            f"np.{ufunc.__name__}.outer has no derivative rule, as the function has none"
        )
    return ufunc(np.reshape(x, np.shape(x) + np.ndim(y) * (1,)), y, **others)


@compose_method("reduceat")
def reduceat(ufunc, array, indices, axis=0, dtype=None):
    raise TypeError(
        f"np.{ufunc.__name__}.reduceat has no derivative rule: reduce the slices one by one, "
        "such as np.sum(t[2:5])"
    )


@compose_method("at")
def at(ufunc, array, indices, *others):
    raise TypeError(
        f"np.{ufunc.__name__}.at cannot be applied to a Tensor: it writes in place; "
        "use np.where or np.bincount"
    )
