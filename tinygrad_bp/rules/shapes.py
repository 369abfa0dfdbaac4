"""Rules of the functions that move elements and change shapes."""

import numpy as np

from ..registry import compose, primitive, rule

rule(np.reshape, lambda g, out, x, shape: np.reshape(g, x.shape), formula=["g, reshaped"])
rule(
    np.transpose,
    lambda g, out, x, axes=None: np.transpose(g, None if axes is None else _inverse(axes)),
    formula=["gᵀ"],
)
rule(np.swapaxes, lambda g, out, x, axis1, axis2: np.swapaxes(g, axis1, axis2), formula=["gᵀ"])
rule(np.expand_dims, lambda g, out, x, axis: np.reshape(g, x.shape), formula=["g, reshaped"])
rule(np.squeeze, lambda g, out, x, axis=None: np.reshape(g, x.shape), formula=["g, reshaped"])
rule(np.broadcast_to, lambda g, out, x, shape: g, formula=["g, summed"])  # the engine sums


def _inverse(axes):
    return tuple(int(i) for i in np.argsort([axis % len(axes) for axis in axes]))


@primitive
def joined(*arrays, axis):
    """`numpy.concatenate` of arrays given one by one."""
    return np.concatenate(arrays, axis)


rule(
    joined,
    each=lambda position, g, out, *arrays, axis: g[_part(position, arrays, axis)],
    formula=["g, its part"],
)


def _part(position, arrays, axis):
    """The index of what array ``position`` became in the concatenation of all."""
    start = sum(x.shape[axis] for x in arrays[:position])
    return axis % arrays[0].ndim * (slice(None),) + (
        slice(start, start + arrays[position].shape[axis]),
    )


@compose(np.concatenate)
def concatenate(arrays, axis=0):
    if axis is None:
        return joined(*map(np.ravel, arrays), axis=0)
    return joined(*arrays, axis=axis)


@compose(np.stack)
def stack(arrays, axis=0):
    return joined(*(np.expand_dims(x, axis) for x in arrays), axis=axis)
