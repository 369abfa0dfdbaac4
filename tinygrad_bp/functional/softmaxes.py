"""Softmax, its logarithm, and the logarithm of a sum of exponentials: none of them overflows."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine.registry import primitive, rule
from ..engine.rules.log_sums import difference
from ..engine.rules.reductions import restore
from ..engine.rules.types import real

Axis = int | tuple[int, ...] | None


def _shift(x: Any, axis: Axis) -> Any:
    """``x`` less its largest element, so that the exponentials cannot overflow."""
    x = real(x)
    return x - np.max(x, axis=axis, keepdims=True)


@primitive
def softmax(x: Any, axis: Axis = -1) -> Any:
    """Exponentials divided by their sum: positive numbers that sum to one along ``axis``.

    Examples
    --------
    >>> softmax(np.array([[0.0, 0.0], [1000.0, 0.0]]))
    array([[0.5, 0.5],
           [1. , 0. ]])
    """
    with np.errstate(under="ignore"):
        exponentials = np.exp(_shift(x, axis))
        return exponentials / exponentials.sum(axis=axis, keepdims=True)


@primitive
def log_softmax(x: Any, axis: Axis = -1) -> Any:
    """The logarithm of `softmax`, without the loss of digits of taking one after the other.

    Examples
    --------
    >>> log_softmax(np.array([1000.0, 0.0]))
    array([    0., -1000.])
    """
    x = _shift(x, axis)
    with np.errstate(under="ignore"):
        return x - np.log(np.exp(x).sum(axis=axis, keepdims=True))


@primitive
def logsumexp(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The logarithm of the sum of exponentials along ``axis``: a smooth maximum.

    Without an axis, of all elements, as in SciPy. At infinities it agrees with `numpy.logaddexp`:
    equal ones share the gradient evenly.

    Examples
    --------
    >>> print(logsumexp(np.array([1000.0, 1000.0])).round(3))
    1000.693
    >>> logsumexp(np.zeros((2, 2)), axis=-1).round(3)
    array([0.693, 0.693])
    """
    x = real(x)
    largest = np.max(x, axis=axis, keepdims=True)
    largest = np.where(np.isfinite(largest), largest, 0)  # inf - inf would be nan
    with np.errstate(under="ignore", divide="ignore"):  # the sum of nothing has logarithm -inf
        total = np.log(np.sum(np.exp(x - largest), axis=axis, keepdims=True)) + largest
    return total if keepdims else np.squeeze(total, axis)


rule(
    softmax,
    lambda g, out, x, axis=-1: out * (g - (g * out).sum(axis=axis, keepdims=True)),
    formula=["out (g - Σ g out)"],
)


rule(
    log_softmax,
    lambda g, out, x, axis=-1: g - np.exp(out) * g.sum(axis=axis, keepdims=True),
    formula=["g - softmax x · Σ g"],
)


def _logsumexp_by_x(g: Any, out: Any, x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """``g`` times the softmax, in which equal infinities are equal."""
    x = real(x)
    below = difference(x, np.max(x, axis=axis, keepdims=True))
    return restore(g, x, axis, keepdims) * softmax(below, axis)


rule(logsumexp, _logsumexp_by_x, formula=["softmax x"])
