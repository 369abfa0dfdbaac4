"""Rules of the functions that join arrays: each gets back its own part of the gradient."""

import numpy as np

from ..registry import primitive, rule


@primitive
def concatenate(*arrays, axis, ends):
    """`numpy.concatenate` of arrays given one by one, which end at ``ends`` along the axis."""
    return np.concatenate(arrays, axis)


@primitive
def stack(*arrays, axis):
    """`numpy.stack` of arrays given one by one."""
    return np.stack(arrays, axis)


def part(position, g, out, arrays, axis, ends):
    """The part of ``g`` where array ``position`` went."""
    end = ends[position]
    start = end - arrays[position].shape[axis]
    return g[axis % g.ndim * (slice(None),) + (slice(start, end),)]


rule(concatenate, each=part, formula=["part of g"])

rule(
    stack,
    each=lambda position, g, out, arrays, axis: g[axis % g.ndim * (slice(None),) + (position,)],
    formula=["part of g"],
)
