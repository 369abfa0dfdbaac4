"""Products and diagonals that are made of `matmul`, `einsum` and `diagonal`."""

import functools
import operator

import numpy as np

from ..arrays import like
from ..registry import compose
from ..rules.products import on_diagonal


@compose(np.kron)
def kron(a, b):
    ndim = max(np.ndim(a), np.ndim(b))
    m = (1,) * (ndim - np.ndim(a)) + np.shape(a)
    n = (1,) * (ndim - np.ndim(b)) + np.shape(b)
    left = np.reshape(a, tuple(k for length in m for k in (length, 1)))
    right = np.reshape(b, tuple(k for length in n for k in (1, length)))
    return np.reshape(left * right, tuple(map(operator.mul, m, n)))


def one_last(x, axis):
    """``x`` with one axis, and not a tuple of them, moved to the end."""
    return np.moveaxis(x, operator.index(axis), -1)


@compose(np.cross)
def cross(a, b, axisa=-1, axisb=-1, axisc=-1, axis=None):
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b, axisc = one_last(a, axisa), one_last(b, axisb), operator.index(axisc)
    if not a.shape[-1] == b.shape[-1] == 3:
        lengths = f"{a.shape[-1]} and {b.shape[-1]}"
        raise ValueError(f"np.cross takes vectors of 3 elements, not of {lengths}")

    def turned(x):
        return np.concatenate([x[..., 1:], x[..., :1]], -1)

    return np.moveaxis(turned(a * turned(b) - turned(a) * b), -1, axisc)


@compose(np.linalg.multi_dot)
def multi_dot(arrays):
    """The product in the order that needs the fewest multiplications.

    Cormen, Leiserson, Rivest and Stein, "Introduction to Algorithms", section 15.2: a chain of
    matrices is a dynamic programme too.
    """
    first, *_, last = arrays
    inner = (np.shape(x)[0] for x in arrays[1:])
    rows, columns = (np.shape(x)[i] if np.ndim(x) > 1 else 1 for x, i in ((first, 0), (last, -1)))
    return chain(tuple(arrays), (rows, *inner, columns))


def chain(arrays, lengths):
    """The product of arrays that have ``lengths[i]`` rows and ``lengths[i + 1]`` columns."""
    k = cheapest(lengths)[1]
    if not k:
        return arrays[0]
    return np.matmul(chain(arrays[:k], lengths[: k + 1]), chain(arrays[k:], lengths[k:]))


@functools.lru_cache(maxsize=1024)
def cheapest(lengths):
    """How many multiplications a chain of these lengths takes, and where to split it."""
    costs = (
        (
            cheapest(lengths[: k + 1])[0]
            + cheapest(lengths[k:])[0]
            + lengths[0] * lengths[k] * lengths[-1],
            k,
        )
        for k in range(1, len(lengths) - 1)
    )
    return min(costs, default=(0, 0))


@compose(np.linalg.matrix_power)
def matrix_power(a, n):
    """Square repeatedly: twice log2 n products at most."""
    n = operator.index(n)
    if n < 0:
        return matrix_power(np.linalg.inv(a), -n)
    if n == 0:
        one = like(np.eye(a.shape[-1], dtype=a.dtype), a)
        return np.where(False, a, np.broadcast_to(one, a.shape))
    if n == 1:
        return a[...]
    even = matrix_power(a @ a, n // 2)
    return even @ a if n % 2 else even


@compose(np.trace)
def trace(a, offset=0, axis1=0, axis2=1, dtype=None):
    return np.sum(np.diagonal(a, offset, axis1, axis2), axis=-1, dtype=dtype)


@compose(np.diag)
def diag(v, k=0):
    if v.ndim > 2:
        raise ValueError(f"np.diag takes a vector or a matrix, not an array of shape {v.shape}")
    if v.ndim == 1:
        return on_diagonal(v, shape=2 * (v.size + abs(k),), offset=k)
    return np.diagonal(v, k)


@compose(np.diagflat)
def diagflat(v, k=0):
    return np.diag(np.ravel(v), k)


# Other names that NumPy has for these, with the axes that its linear algebra uses

compose(np.linalg.matmul)(lambda x1, x2, /: np.matmul(x1, x2))

compose(np.linalg.outer)(lambda x1, x2, /: np.einsum("i,j->ij", x1, x2))

compose(np.linalg.tensordot)(lambda x1, x2, /, *, axes=2: np.tensordot(x1, x2, axes))

compose(np.linalg.cross)(lambda x1, x2, /, *, axis=-1: np.cross(x1, x2, axis=axis))

compose(np.linalg.matrix_transpose)(lambda x, /: np.swapaxes(x, -1, -2))

compose(np.linalg.diagonal)(lambda x, /, *, offset=0: np.diagonal(x, offset, -2, -1))

compose(np.linalg.trace)(
    lambda x, /, *, offset=0, dtype=None: np.trace(x, offset, -2, -1, dtype=dtype)
)


@compose(np.vecdot)
def vecdot(x1, x2, /, *, axis=-1, keepdims=False):
    products = np.expand_dims(one_last(x1, axis), -2) @ np.expand_dims(one_last(x2, axis), -1)
    if keepdims:
        return np.moveaxis(np.squeeze(products, -1), -1, axis)
    return np.squeeze(products, (-2, -1))


compose(np.linalg.vecdot)(lambda x1, x2, /, *, axis=-1: vecdot(x1, x2, axis=axis))


if hasattr(np, "matvec"):  # NumPy 2.2
    compose(np.matvec)(lambda x1, x2, /: np.squeeze(x1 @ np.expand_dims(x2, -1), -1))
    compose(np.vecmat)(lambda x1, x2, /: np.squeeze(np.expand_dims(x1, -2) @ x2, -2))
