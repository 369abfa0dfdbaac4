"""Activations beyond relu, sigmoid and tanh."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..engine.registry import primitive, rule
from ..engine.rules.activations import sigmoid
from ..engine.rules.types import real
from ..support.arguments import not_negative


def silu(x: Any) -> Any:
    """``x sigmoid(x)``, the sigmoid-weighted linear unit, also known as swish.

    Elfwing, Uchibe and Doya, "Sigmoid-weighted linear units for neural network function
    approximation in reinforcement learning", Neural Networks 107 (2018) 3.

    Examples
    --------
    >>> silu(np.array([-1000.0, 0.0, 1000.0])).round(3) + 0
    array([   0.,    0., 1000.])
    """
    x = real(x)
    return x * sigmoid(x)


def gelu(x: Any) -> Any:
    """``x Φ(x)``, the Gaussian error linear unit, with the normal distribution's Φ by a tanh.

    The approximation that its authors give: within 0.0005 of it, and PyTorch's
    ``approximate="tanh"``, because NumPy has no error function. Hendrycks and Gimpel, "Gaussian
    error linear units (GELUs)", 2016.

    Examples
    --------
    >>> gelu(np.array([-1.0, 0.0, 2.0])).round(3)
    array([-0.159,  0.   ,  1.955])
    """
    x = real(x)
    inner = math.sqrt(2 / math.pi) * x * (1 + 0.044715 * x * x)
    return 0.5 * x * (1 + np.tanh(inner))


@primitive
def leaky_relu(x: Any, negative_slope: float = 0.01) -> Any:
    """``x`` above 0, and ``negative_slope`` times ``x`` below, so that no unit is ever dead.

    Its derivative at 0 is ``negative_slope``. Maas, Hannun and Ng, "Rectifier nonlinearities
    improve neural network acoustic models", ICML 2013.

    Examples
    --------
    >>> leaky_relu(np.array([-1.0, 0.0, 2.0]))
    array([-0.01,  0.  ,  2.  ])
    """
    x = real(x)
    return np.where(x > 0, x, not_negative(negative_slope, "negative_slope") * x)


rule(
    leaky_relu,
    lambda g, out, x, negative_slope=0.01: np.where(x > 0, g, negative_slope * g),
    formula=["1 if x > 0 else the slope"],
)
