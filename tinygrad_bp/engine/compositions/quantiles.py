"""The median and quantiles: sums of the elements, weighted by their rank."""

import math

import numpy as np

from ..arrays import known
from ..registry import compose
from ..rules.types import as_array, astype


def hat(x, q, axis):
    """The weight of every element of ``x`` in its ``q``-quantile.

    A quantile that falls at position p among the sorted elements is interpolated linearly
    between its neighbours: the element of rank r weighs 1 - |r - p|, if that is above 0.
    NaN ranks last and is not counted.
    """
    axes = tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    last = tuple(range(-len(axes), 0))
    moved = np.moveaxis(x, axes, last)
    kept = x.ndim - len(axes)
    rows = np.reshape(moved, (*moved.shape[:kept], math.prod(moved.shape[kept:])))
    rank = np.argsort(np.argsort(rows, axis=-1), axis=-1)
    position = q * (np.sum(~np.isnan(rows), axis=-1, keepdims=True) - 1)
    weight = np.maximum(1 - np.abs(rank - position), 0)
    weight = astype(weight, np.result_type(x.dtype, getattr(q, "dtype", q)))
    return np.moveaxis(np.reshape(weight, moved.shape), last, axes)


def interpolate(a, q, axis, method, keepdims, *, omit_nan=False, percent=False):
    """The quantile of ``a`` for each of ``q``; whatever weighs nothing, even infinity, adds 0."""
    a = as_array(a)
    q = np.array(q) if isinstance(q, list | tuple) else q
    q = q / 100 if percent else q
    if method != "linear":
        raise TypeError(f"quantiles with method={method!r} have no derivative rule; 'linear' has")
    if np.ndim(q):
        parts = [interpolate(a, p, axis, method, keepdims, omit_nan=omit_nan) for p in q]
        return np.stack(parts)
    if known(q) and not 0 <= q <= 1:
        raise ValueError("quantiles must be in the range [0, 1], percentiles in [0, 100]")
    q = int(q) if as_array(q).dtype.kind in "iu" else q  # 0 or 1, which keep the dtype of a
    weight = hat(a, q, axis)
    counted = (weight > 0) | np.isfinite(a) if omit_nan else (weight > 0) | ~np.isinf(a)
    start = 0 if a.size else np.nan  # nothing has no middle
    found = np.sum(np.where(counted, a, 0) * weight, axis=axis, keepdims=keepdims, initial=start)
    return found * np.where(np.isnan(found), np.nan, found.dtype.type(1))  # its slope is NaN too


@compose(np.quantile)
def quantile(a, q, axis=None, *, overwrite_input=False, method="linear", keepdims=False):
    return interpolate(a, q, axis, method, keepdims)


@compose(np.nanquantile)
def nanquantile(a, q, axis=None, *, overwrite_input=False, method="linear", keepdims=False):
    return interpolate(a, q, axis, method, keepdims, omit_nan=True)


@compose(np.percentile)
def percentile(a, q, axis=None, *, overwrite_input=False, method="linear", keepdims=False):
    return interpolate(a, q, axis, method, keepdims, percent=True)


@compose(np.nanpercentile)
def nanpercentile(a, q, axis=None, *, overwrite_input=False, method="linear", keepdims=False):
    return interpolate(a, q, axis, method, keepdims, omit_nan=True, percent=True)


@compose(np.median)
def median(a, axis=None, *, overwrite_input=False, keepdims=False):
    return interpolate(a, 0.5, axis, "linear", keepdims)


@compose(np.nanmedian)
def nanmedian(a, axis=None, *, overwrite_input=False, keepdims=False):
    return interpolate(a, 0.5, axis, "linear", keepdims, omit_nan=True)
