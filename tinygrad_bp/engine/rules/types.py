"""The type of an array's elements, and the parts of a real number."""

import numpy as np

from ..arrays import as_array
from ..registry import primitive, rule


@primitive
def astype(x, dtype):
    """``x`` with elements of another type, as ndarray's method gives it.

    Examples
    --------
    >>> astype(np.array([1.0, 2.0]), np.float32)
    array([1., 2.], dtype=float32)
    """
    return x.astype(dtype)


rule(astype, lambda g, out, x, dtype: g, None, formula=["1"])  # the engine gives g the type of x


# A real number is its own real part and its own conjugate. NumPy gives the array itself as its
# real part, of which [...] is a view that can be told from it.
rule(np.real, lambda g, out, x: g, formula=["1"], run=lambda x: np.real(x)[...])

rule(np.imag, lambda g, out, x: np.zeros_like(g), formula=["0"])

rule(np.conjugate, lambda g, out, x: g, formula=["1"])

rule(
    np.real_if_close,
    lambda g, out, x, tol=100: g,
    formula=["1"],
    run=lambda x, tol=100: np.real_if_close(x, tol)[...],
)

rule(np.angle, lambda g, out, x, deg=False: np.zeros_like(g), formula=["0"])


def cast(x, dtype):
    """``x`` with elements of ``dtype``; itself where it has them already."""
    x = as_array(x)
    return x if x.dtype == dtype else astype(x, dtype)


def as_floating(x):
    """``x`` with integers and booleans as float64, as NumPy averages and measures them."""
    x = as_array(x)
    return x if x.dtype.kind in "fc" else cast(x, float)


def wide(x):
    """``x`` with halves as singles: a half counts exactly to 2,048, and not beyond 65,504."""
    return cast(x, np.float32) if x.dtype == np.float16 else x


def ratio(total, count):
    """``total / count`` of the type of ``total``, with a count that its type may not hold."""
    return cast(wide(total) / count, total.dtype)


def real(x, name="x"):
    """``x`` with integers and booleans as float64; of other than real numbers an error.

    Examples
    --------
    >>> real([1, 2]).dtype
    dtype('float64')
    """
    x = as_array(x)
    if x.dtype.kind in "fbiu":
        return x if x.dtype.kind == "f" else cast(x, float)
    raise TypeError(f"{name} must be real numbers, not {x.dtype}")


def common_dtype(*arrays):
    """The dtype of what is computed of these; a Python number takes that of the others."""
    return np.result_type(*(x if np.isscalar(x) else as_array(x).dtype for x in arrays))
