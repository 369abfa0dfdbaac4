"""The rule of differences of neighbours, whose adjoint is a difference too."""

import numpy as np

from ..registry import primitive, rule


@primitive
def differences(x, axis):
    """What `numpy.diff` gives of neighbours along an axis.

    Examples
    --------
    >>> differences(np.array([1.0, 4.0, 9.0]), axis=0)
    array([3., 5.])
    """
    return np.diff(x, axis=axis)


def minus_differences(g, x, axis):
    """The adjoint of taking differences: minus those of ``g`` with zeros before and after."""
    if not x.shape[axis]:
        return np.zeros(x.shape, g.dtype)
    widths = [(int(i == axis), int(i == axis)) for i in range(x.ndim)]
    return -differences(np.pad(g, widths), axis=axis)


rule(
    differences,
    lambda g, out, x, axis: minus_differences(g, x, axis),
    formula=["-differences of 0, g, 0"],
)
