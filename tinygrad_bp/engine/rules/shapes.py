"""Rules of the functions that change the shape or the order of the axes."""

import numpy as np

from ..registry import rule


def reshape_back(g, out, x, shape, order="C"):
    if order not in ("C", "F"):
        raise TypeError(f"np.reshape with order={order!r} has no derivative rule: use 'C' or 'F'")
    return reshaped(g, x.shape, order)


def reshaped(x, shape, order="C"):
    """`numpy.reshape`, for other libraries too: some know no ``order``, or no shape but a tuple."""
    shape = (int(shape),) if isinstance(shape, int | np.integer) else shape
    return np.reshape(x, shape) if order == "C" else np.reshape(x, shape, order=order)


def transpose_back(g, out, x, axes=None):
    return np.transpose(g, None if axes is None else inverse(axes))


def inverse(axes):
    """The permutation that undoes ``axes``."""
    return tuple(int(i) for i in np.argsort([axis % len(axes) for axis in axes]))


rule(np.reshape, reshape_back, None, run=reshaped, formula=["g, reshaped"])

rule(np.transpose, transpose_back, formula=["gᵀ"])

rule(np.swapaxes, lambda g, out, x, axis1, axis2: np.swapaxes(g, axis1, axis2), formula=["gᵀ"])

rule(np.expand_dims, lambda g, out, x, axis: np.reshape(g, x.shape), formula=["g, reshaped"])

rule(np.squeeze, lambda g, out, x, axis=None: np.reshape(g, x.shape), formula=["g, reshaped"])

rule(np.flip, lambda g, out, m, axis=None: np.flip(g, axis), formula=["g, flipped"])


def back(shift):
    """The shift, or shifts of several axes, the other way."""
    return tuple(-n for n in shift) if isinstance(shift, list | tuple) else np.negative(shift)


rule(
    np.roll,
    lambda g, out, a, shift, axis=None: np.roll(g, back(shift), axis),
    formula=["g, rolled back"],
)

rule(np.broadcast_to, lambda g, out, x, shape: g, formula=["g, summed"])  # the engine sums
