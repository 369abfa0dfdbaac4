"""Norms of vectors and matrices, and condition numbers."""

import numpy as np

from ..arrays import like
from ..registry import compose
from ..rules.lengths import root_of_squares
from ..rules.types import as_floating

# Norms


def vector_norm(x, order, axis, keepdims):
    x = as_floating(x)
    if order in (None, 2):
        return root_of_squares(x, axis=axis, keepdims=keepdims)
    sizes = np.abs(x)
    if order == np.inf:
        return np.max(sizes, axis=axis, keepdims=keepdims)
    if order == -np.inf:
        return np.min(sizes, axis=axis, keepdims=keepdims)
    if order == 0:
        return np.sum(np.sign(sizes), axis=axis, keepdims=keepdims)
    if order == 1:
        return np.sum(sizes, axis=axis, keepdims=keepdims)
    if isinstance(order, str):
        raise ValueError(f"np.linalg.norm of vectors with ord={order!r}: that is for matrices")
    zero = np.sum(sizes, axis=axis, keepdims=True) == 0  # where the slope of least norm is 0
    total = np.sum(np.where(zero, 1, sizes) ** order, axis=axis, keepdims=keepdims)
    return np.where(np.reshape(zero, total.shape), 0, total ** (1 / order))


def matrix_norm(x, order, axes, keepdims):
    x = np.moveaxis(as_floating(x), axes, (-2, -1))
    sums = {1: -2, -1: -2, np.inf: -1, -np.inf: -1}
    if order in (None, "fro"):
        norm = root_of_squares(x, axis=(-2, -1))
    elif order == "nuc":
        norm = np.sum(np.linalg.svdvals(x), axis=-1)
    elif order in (2, -2):
        singular = np.linalg.svdvals(x)
        norm = np.max(singular, axis=-1) if order > 0 else np.min(singular, axis=-1)
    elif order in sums:
        totals = np.sum(np.abs(x), axis=sums[order])
        norm = np.max(totals, axis=-1) if order > 0 else np.min(totals, axis=-1)
    else:
        raise ValueError(f"np.linalg.norm of matrices has no ord={order!r}")
    return np.expand_dims(norm, axes) if keepdims else norm


@compose(np.linalg.norm)
def norm(x, ord=None, axis=None, keepdims=False):
    if axis is None and ord is not None:
        axis = tuple(range(x.ndim))
    if ord is None or not np.iterable(axis) or len(axis) == 1:
        return vector_norm(x, ord, axis, keepdims)
    if len(axis) != 2:
        raise ValueError(f"np.linalg.norm of {len(axis)} axes needs ord=None, or one or two axes")
    return matrix_norm(x, ord, axis, keepdims)


compose(np.linalg.vector_norm)(
    lambda x, /, *, axis=None, keepdims=False, ord=2: vector_norm(x, ord, axis, keepdims)
)

compose(np.linalg.matrix_norm)(
    lambda x, /, *, keepdims=False, ord="fro": matrix_norm(x, ord, (-2, -1), keepdims)
)


@compose(np.linalg.cond)
def cond(x, p=None):
    if p in (None, 2, -2):
        singular = np.linalg.svdvals(x)
        ends = singular[..., 0], singular[..., -1]
        above, below = ends if p != -2 else ends[::-1]
        return infinite_where(below == 0, above / np.where(below == 0, 1, below))
    singular = np.linalg.det(x) == 0  # which has no inverse
    one = like(np.eye(x.shape[-1], dtype=x.dtype), x)
    x = np.where(singular[..., np.newaxis, np.newaxis], one, x)
    inverse = matrix_norm(np.linalg.inv(x), p, (-2, -1), False)
    return infinite_where(singular, matrix_norm(x, p, (-2, -1), False) * inverse)


def infinite_where(singular, condition):
    """A condition number; that of a singular matrix is infinite."""
    return np.where(singular, condition.dtype.type(np.inf), condition)
