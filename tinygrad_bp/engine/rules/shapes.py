"""Rules of the functions that change the shape or the order of the axes."""

import numpy as np

from ..registry import rule


def reshape_back(g, out, x, shape, order="C"):
    if order not in ("C", "F"):
        raise TypeError(f"np.reshape with order={order!r} has no derivative rule: use 'C' or 'F'")
    return np.reshape(g, x.shape, order=order)


def transpose_back(g, out, x, axes=None):
    return np.transpose(g, None if axes is None else inverse(axes))


def inverse(axes):
    """The permutation that undoes ``axes``."""
    return tuple(int(i) for i in np.argsort([axis % len(axes) for axis in axes]))


rule(np.reshape, reshape_back, None, formula=["g, reshaped"])

rule(np.transpose, transpose_back, formula=["gᵀ"])

rule(np.swapaxes, lambda g, out, x, axis1, axis2: np.swapaxes(g, axis1, axis2), formula=["gᵀ"])

rule(np.expand_dims, lambda g, out, x, axis: np.reshape(g, x.shape), formula=["g, reshaped"])

rule(np.squeeze, lambda g, out, x, axis=None: np.reshape(g, x.shape), formula=["g, reshaped"])

rule(np.flip, lambda g, out, m, axis=None: np.flip(g, axis), formula=["g, flipped"])

rule(
    np.roll,
    lambda g, out, a, shift, axis=None: np.roll(g, np.negative(shift), axis),
    formula=["g, rolled back"],
)

rule(np.broadcast_to, lambda g, out, x, shape: g, formula=["g, summed"])  # the engine sums
