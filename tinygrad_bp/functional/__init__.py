"""Activations and losses: what networks need and NumPy has not, from NumPy's own functions."""

from .functions import LOSSES as LOSSES
from .functions import (
    binary_cross_entropy_with_logits,
    cross_entropy,
    l1_penalty,
    linear,
    log_softmax,
    logsumexp,
    mse_loss,
    put_along_axis,
    relu,
    sigmoid,
    softmax,
    softplus,
    tanh,
)

__all__ = [
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "l1_penalty",
    "linear",
    "log_softmax",
    "logsumexp",
    "mse_loss",
    "put_along_axis",
    "relu",
    "sigmoid",
    "softmax",
    "softplus",
    "tanh",
]


def __dir__() -> list[str]:
    return __all__
