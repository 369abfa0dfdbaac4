"""Optimisers, which move parameters down their gradients, and schedules of their step sizes."""

from . import schedules
from .optimizers import SGD, Adam, AdamW, Optimizer

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "Optimizer",
    "schedules",
]


def __dir__() -> list[str]:
    return __all__
