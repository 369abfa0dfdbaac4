"""Running products and sums along an axis, and the trapezoidal rule."""

import numpy as np

from ..registry import compose
from ..rules.types import as_array, cast


def scan_by_doubling(combine, x, axis):
    """Combine each element with all before it: with what is 1, then 2, 4, ... places back.

    Nothing is divided by, so a product may pass through zero.
    Hillis and Steele, "Data parallel algorithms", Communications of the ACM 29 (1986) 1170.
    """
    x = np.swapaxes(x, 0, axis)
    reach = 1
    while reach < x.shape[0]:
        x = np.concatenate((x[:reach], combine(x[reach:], x[:-reach])))
        reach *= 2
    if x.shape[0] < 2:  # and nothing was combined
        x = np.copy(x)
    return np.swapaxes(x, 0, axis)


@compose(np.cumprod)
def cumprod(a, axis=None, dtype=None):
    a = cast(a, np.cumprod(np.empty(0, a.dtype), dtype=dtype).dtype)
    flat = axis is None or a.ndim == 0  # NumPy takes axis 0 of one number too
    return scan_by_doubling(np.multiply, np.reshape(a, -1) if flat else a, axis or 0)


def cumulative(scan, neutral, x, axis, dtype, include_initial):
    """``scan`` along an axis, which only a vector may leave out, after ``neutral`` on demand."""
    if axis is None:
        if x.ndim > 1:
            raise ValueError(f"a cumulative function of shape {x.shape} needs axis=")
        axis = 0
    result = scan(x, axis=axis, dtype=dtype)
    if include_initial:
        first = np.full_like(np.sum(result, axis=axis, keepdims=True), neutral)
        result = np.concatenate((first, result), axis=axis)
    return result


if hasattr(np, "cumulative_sum"):  # since NumPy 2.1

    @compose(np.cumulative_sum)
    def cumulative_sum(x, *, axis=None, dtype=None, include_initial=False):
        return cumulative(np.cumsum, 0, x, axis, dtype, include_initial)

    @compose(np.cumulative_prod)
    def cumulative_prod(x, *, axis=None, dtype=None, include_initial=False):
        return cumulative(np.cumprod, 1, x, axis, dtype, include_initial)


@compose(np.trapezoid)
def trapezoid(y, x=None, dx=1.0, axis=-1):
    before = (slice(None),) * (axis % np.ndim(y)) + (slice(None, -1),)
    after = (*before[:-1], slice(1, None))
    y = as_array(y)
    if x is not None:
        x = as_array(x)
        if x.ndim == 1:
            dx = np.reshape(np.diff(x), (-1,) + (y.ndim - 1 - axis % y.ndim) * (1,))
        else:
            dx = np.diff(x, axis=axis)
    return np.sum(dx * (y[before] + y[after]) / 2, axis=axis)
