"""Covariances and correlations of variables, each a row unless ``rowvar`` is false."""

import numpy as np

from ..registry import compose
from ..rules.types import as_array, cast, common_dtype


@compose(np.cov)
def cov(
    m,
    y=None,
    rowvar=True,
    bias=False,
    ddof=None,
    fweights=None,
    aweights=None,
    *,
    dtype=None,
):
    if ddof is not None and ddof != int(ddof):
        raise ValueError(f"np.cov takes a whole ddof, not {ddof}")
    given = [as_array(x) for x in (m, y) if x is not None]
    dtype = common_dtype(*given, np.float64()) if dtype is None else np.dtype(dtype)
    if dtype.kind not in "fc":
        raise TypeError(f"np.cov with dtype={dtype} would round; use a float")
    rows = [variables(cast(x, dtype), rowvar) for x in given]
    x = np.concatenate(rows) if len(rows) > 1 else rows[0]
    if ddof is None:
        ddof = int(not bias)
    count, weights, correction = total_weights(fweights, aweights, x.shape[1], ddof)
    x = x - np.sum(x * weights, axis=1, keepdims=True) / count
    scale = 1 / np.maximum(count - correction, 0)
    return np.squeeze((x * weights) @ x.T * cast(scale, x.dtype))


def variables(x, rowvar):
    """One row for each variable."""
    if x.ndim > 2:
        raise ValueError(f"np.cov takes vectors and matrices, not an array of shape {x.shape}")
    return x.T if x.ndim == 2 and not rowvar else np.atleast_2d(x)


def total_weights(fweights, aweights, length, ddof):
    """The total weight, the weights, and what is lost of the total to the mean."""
    if fweights is None and aweights is None:
        return length, 1, ddof
    for name, w in (("fweights", fweights), ("aweights", aweights)):
        if w is not None and np.shape(w) != (length,):
            raise ValueError(f"np.cov needs one of {name} for each of {length}, not {np.shape(w)}")
        if isinstance(w, np.ndarray | list | tuple) and np.any(np.asarray(w) < 0):
            raise ValueError(f"np.cov needs {name} that are not negative")
    if isinstance(fweights, np.ndarray) and np.any(fweights != np.rint(fweights)):
        raise TypeError("np.cov needs whole fweights, for they count; aweights need not be whole")
    counts = 1 if fweights is None else cast(fweights, float)
    importance = 1 if aweights is None else cast(aweights, float)
    weights = counts * importance
    total = np.sum(weights)
    return total, weights, ddof * np.sum(weights * importance) / total


@compose(np.corrcoef)
def corrcoef(x, y=None, rowvar=True, *, dtype=None):
    c = np.cov(x, y, rowvar, dtype=dtype)
    if c.ndim == 0:
        return c / c
    deviation = np.sqrt(np.diagonal(c))
    return np.clip(c / np.expand_dims(deviation, 1) / deviation, -1, 1)
