"""Rules of linear algebra."""

import numpy as np

from ..registry import rule


def matmul_by_left(g, out, x, y):
    """``g @ yᵀ``, where an operand without a row or column axis is lent one."""
    if y.ndim == 1:
        return g[..., np.newaxis] * y
    if x.ndim == 1:
        return np.squeeze(y @ g[..., np.newaxis], -1)
    return g @ np.swapaxes(y, -1, -2)


def matmul_by_right(g, out, x, y):
    """``xᵀ @ g``, where an operand without a row or column axis is lent one."""
    if x.ndim == 1:
        return x[:, np.newaxis] * np.expand_dims(g, -2) if y.ndim > 1 else g * x
    if y.ndim == 1:
        return np.squeeze(np.swapaxes(x, -1, -2) @ g[..., np.newaxis], -1)
    return np.swapaxes(x, -1, -2) @ g


rule(np.matmul, matmul_by_left, matmul_by_right, formula=["g @ yᵀ", "xᵀ @ g"])
