"""The affine map of a layer, of weights of shape (out, in) and rows of inputs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..engine.registry import primitive, rule
from ..engine.rules.types import as_array


@primitive
def linear(x: Any, weight: Any, bias: Any = None) -> Any:
    """The affine map of each row of ``x``: ``x @ weight.T + bias``.

    Parameters
    ----------
    x : array of shape (..., n)
        One input, or rows of inputs with any leading axes.
    weight : array of shape (m, n)
    bias : array of shape (m,) or (), optional

    Returns
    -------
    array of shape (..., m)

    Raises
    ------
    ValueError
        If the shapes are not these.

    Examples
    --------
    >>> linear(np.array([1.0, 2.0]), np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 3.0]]), 10.0)
    array([11., 13., 16.])
    """
    x, weight = as_array(x), as_array(weight)
    if weight.ndim != 2 or not x.ndim or x.shape[-1] != weight.shape[1]:
        raise ValueError(_misfit(x.shape, weight.shape))
    out = x @ weight.T
    if bias is None:
        return out
    bias = np.asarray(bias) if isinstance(bias, list) else bias
    shape = getattr(bias, "shape", ())
    if shape and shape != weight.shape[:1]:
        raise ValueError(
            f"a weight of shape {weight.shape} needs a bias of shape {weight.shape[:1]} or (), "
            f"not {shape}"
        )
    own = type(out) is np.ndarray and out.dtype.kind == "f"
    if not own or getattr(bias, "dtype", out.dtype) is not out.dtype:
        return out + bias
    out += bias  # a fresh array of NumPy's, which nobody else has seen yet
    return out


def _misfit(x: tuple[int, ...], weight: tuple[int, ...]) -> str:
    """Why these shapes do not fit, and which shape of x would."""
    if len(weight) != 2:
        return f"a weight of shape {weight} is no matrix of shape (m, n)"
    n = weight[1]
    usual = f"a weight of shape {weight} takes rows of {n} numbers, and x has shape {x}"
    if len(x) == 1 and n == 1:
        return f"{usual}: use x[:, np.newaxis]"
    return f"{usual}: use x.reshape(len(x), -1)" if math.prod(x[1:]) == n else usual


def _linear_by_weight(g: Any, out: Any, x: Any, weight: Any, bias: Any) -> Any:
    """``gᵀ @ x``, with all leading axes as one axis of rows."""
    if x.ndim != 2:
        rows = math.prod(x.shape[:-1])
        g, x = np.reshape(g, (rows, g.shape[-1])), np.reshape(x, (rows, x.shape[-1]))
    return g.T @ x


rule(
    linear,
    lambda g, out, x, weight, bias: g @ weight,
    _linear_by_weight,
    lambda g, out, x, weight, bias: g,
    formula=["g @ weight", "gᵀ @ x", "g, summed"],
)
