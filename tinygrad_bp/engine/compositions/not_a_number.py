"""The reductions that leave NaN out: the same ones, with NaN replaced by what does no harm."""

import numpy as np

from ..registry import compose
from ..rules.types import as_floating, ratio
from .statistics import root


@compose(np.nansum)
def nansum(a, axis=None, dtype=None, **others):
    return np.sum(np.where(np.isnan(a), 0, a), axis=axis, dtype=dtype, **others)


@compose(np.nanprod)
def nanprod(a, axis=None, dtype=None, **others):
    return np.prod(np.where(np.isnan(a), 1, a), axis=axis, dtype=dtype, **others)


@compose(np.nancumsum)
def nancumsum(a, axis=None, dtype=None):
    return np.cumsum(np.where(np.isnan(a), 0, a), axis=axis, dtype=dtype)


@compose(np.nancumprod)
def nancumprod(a, axis=None, dtype=None):
    return np.cumprod(np.where(np.isnan(a), 1, a), axis=axis, dtype=dtype)


def numbers(a, axis, keepdims):
    """How many elements of ``a`` are not NaN."""
    return np.sum(~np.isnan(a), axis=axis, keepdims=keepdims, dtype=np.result_type(a, np.float32))


@compose(np.nanmean)
def nanmean(a, axis=None, *, keepdims=False):
    a = as_floating(a)
    return ratio(np.nansum(a, axis=axis, keepdims=keepdims), numbers(a, axis, keepdims))


@compose(np.nanvar)
def nanvar(a, axis=None, *, ddof=0, keepdims=False, mean=None, correction=None):
    a = as_floating(a)
    if mean is None:
        mean = np.nanmean(a, axis=axis, keepdims=True)
    distance = np.where(np.isnan(a), 0, a - mean)
    freedom = numbers(a, axis, keepdims) - (ddof if correction is None else correction)
    freedom = np.where(freedom > 0, freedom, freedom.dtype.type(np.nan))
    return ratio(np.sum(np.square(distance), axis=axis, keepdims=keepdims), freedom)


@compose(np.nanstd)
def nanstd(a, axis=None, *, keepdims=False, **names):
    variance = np.nanvar(a, axis=axis, keepdims=keepdims, **names)
    return root(variance)
