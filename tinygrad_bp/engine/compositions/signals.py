"""Functions of sampled signals: differences, correlation, interpolation."""

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..arrays import known, like
from ..registry import compose
from ..rules.differences import differences
from ..rules.types import as_array, as_floating, cast


@compose(np.diff)
def diff(a, n=1, axis=-1, prepend=None, append=None):
    a = as_array(a)
    if n == 0:
        return a[...]  # as NumPy: a itself, which is shown
    axis = normalize_axis_index(axis, a.ndim)
    edges = [x if x is None else edge(a, x, axis) for x in (prepend, append)]
    parts = [x for x in (edges[0], a, edges[1]) if x is not None]
    a = np.concatenate(parts, axis) if len(parts) > 1 else a
    if n < 0:
        raise ValueError(f"np.diff takes differences n >= 0 times, not {n}")
    for _ in range(n):
        a = differences(a, axis=axis)
    return a


def edge(a, x, axis):
    """``x`` as `numpy.diff` joins it to ``a``: a number becomes a slice of ``a``'s shape."""
    if np.ndim(x):
        return x
    return np.broadcast_to(x, [1 if i == axis else n for i, n in enumerate(a.shape)])


@compose(np.ediff1d)
def ediff1d(ary, to_end=None, to_begin=None):
    ary = as_array(ary)
    parts = (to_begin, np.diff(np.ravel(ary)), to_end)
    return np.concatenate([np.ravel(cast(x, ary.dtype)) for x in parts if x is not None])


@compose(np.gradient)
def gradient(f, *varargs, axis=None, edge_order=1):
    f = as_floating(f)
    axes = range(f.ndim) if axis is None else np.ravel(axis).tolist()
    spacings = varargs or (1.0,)
    if len(spacings) == 1 and np.ndim(spacings[0]) == 0:
        spacings *= len(axes)
    if len(spacings) != len(axes):
        raise TypeError(f"np.gradient got {len(spacings)} spacings for {len(axes)} axes")
    slopes = [
        cast(slope(f, h, i, edge_order), f.dtype) for h, i in zip(spacings, axes, strict=True)
    ]
    return slopes[0] if len(slopes) == 1 else tuple(slopes)


def slope(f, spacing, axis, edge_order):
    """The derivative along an axis, by the parabola through three neighbours.

    Fornberg, "Generation of finite difference formulas on arbitrarily spaced grids",
    Mathematics of Computation 51 (1988) 699.
    """
    if edge_order > 2:
        raise ValueError(f"np.gradient takes edge_order 1 or 2, not {edge_order}")
    f = np.moveaxis(f, axis, -1)
    if f.shape[-1] < edge_order + 1:
        raise ValueError(
            f"np.gradient with edge_order={edge_order} needs {edge_order + 1} points along axis "
            f"{axis}, not {f.shape[-1]}"
        )
    if np.shape(spacing) not in ((), f.shape[-1:]):
        raise ValueError(
            f"np.gradient got {np.size(spacing)} places for the {f.shape[-1]} points along axis "
            f"{axis}"
        )
    spacing = as_floating(spacing)
    evenly = not np.ndim(spacing)
    step = spacing * like(np.ones(f.shape[-1] - 1), f) if evenly else np.diff(spacing)
    sides = np.diff(f) / step
    left, right, h, k = sides[..., :-1], sides[..., 1:], step[:-1], step[1:]
    middle = (f[..., 2:] - f[..., :-2]) / (h + k) if evenly else (k * left + h * right) / (h + k)
    first, last = sides[..., :1], sides[..., -1:]
    if edge_order != 1:
        first = first + ((left - right) * h / (h + k))[..., :1]
        last = last + ((right - left) * k / (h + k))[..., -1:]
    return np.moveaxis(np.concatenate([first, middle, last], -1), -1, axis)


@compose(np.correlate)
def correlate(a, v, mode="valid"):
    if np.size(v) > np.size(a):  # NumPy aligns the shorter with the longer
        return np.flip(np.convolve(v, np.flip(a), mode))
    return np.convolve(a, np.flip(v), mode)


def around(period, x, xp, fp):
    """What `numpy.interp` reads between: one period, and the neighbours on both its sides."""
    if known(period) and period == 0:
        raise ValueError("np.interp needs a period that is not 0")
    period = abs(period)
    x, xp = x % period, xp % period
    order = np.argsort(xp)
    xp, fp = xp[order], fp[order]
    xp = np.concatenate((xp[-1:] - period, xp, xp[:1] + period))
    return x, xp, np.concatenate((fp[-1:], fp, fp[:1]))


@compose(np.interp)
def interp(x, xp, fp, left=None, right=None, period=None):
    """Piecewise linear, so differentiable by all three: at a knot, as on its right side."""
    x, xp, fp = (cast(as_array(array), float) for array in (x, xp, fp))
    if fp.shape != xp.shape or xp.size < 2:
        raise ValueError(f"np.interp needs two points or more, got {xp.shape} and {fp.shape}")
    if period is not None:
        x, xp, fp = around(period, x, xp, fp)
        left = right = None
    i = np.clip(np.searchsorted(xp, x, side="right") - 1, 0, xp.size - 2)
    slope = (fp[i + 1] - fp[i]) / (xp[i + 1] - xp[i])
    inside = fp[i] + slope * (x - xp[i])
    beyond = np.where(x > xp[-1], fp[-1] if right is None else cast(right, float), inside)
    return np.where(x < xp[0], fp[0] if left is None else cast(left, float), beyond)


@compose(np.unwrap)
def unwrap(p, discont=None, axis=-1, *, period=2 * np.pi):
    """Add whole periods where a step is longer than half of one; they do not change with ``p``."""
    p = as_array(p)
    steps = np.diff(p, axis=axis)
    whole = np.result_type(steps.dtype, period).kind in "iu"
    half = period // 2 if whole else period / 2
    wrapped = np.remainder(steps + half, period) - half
    if not (whole and period % 2):  # half a period up stays up
        wrapped = np.where((wrapped == -half) & (steps > 0), half, wrapped)
    shorter = np.abs(steps) < (period / 2 if discont is None else discont)
    added = np.cumsum(np.where(shorter, 0, wrapped - steps), axis=axis)
    before = normalize_axis_index(axis, p.ndim) * (slice(None),)
    first, rest = p[(*before, slice(None, 1))], p[(*before, slice(1, None))]
    return np.concatenate([first, rest + added], axis)
