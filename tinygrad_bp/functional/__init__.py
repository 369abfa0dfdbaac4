"""Activations and losses: what networks need and NumPy lacks, made of NumPy's functions.

Each takes Tensors or arrays.
"""

from typing import TYPE_CHECKING

from numpy import tanh

from ..engine.compositions.rearranging import put_along_axis
from ..engine.rules.activations import relu, sigmoid, softplus
from ..support.answers import attribute_answers
from .activations import gelu, leaky_relu, silu
from .affine import linear
from .classes import cross_entropy
from .losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    huber_loss,
    l1_penalty,
    mae_loss,
    mse_loss,
)
from .softmaxes import log_softmax, logsumexp, softmax

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "gelu",
    "huber_loss",
    "l1_penalty",
    "leaky_relu",
    "linear",
    "log_softmax",
    "logsumexp",
    "mae_loss",
    "mse_loss",
    "put_along_axis",
    "relu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "tanh",
]

if not TYPE_CHECKING:  # which knows the names that are there
    __getattr__ = attribute_answers("bp.functional", __name__)


def __dir__() -> list[str]:
    return __all__
