"""Optimisers, which move parameters down their gradients, and schedules of their step sizes."""

from . import schedules
from .adam import Adam, AdamW
from .optimizer import Optimizer
from .sgd import SGD

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "Optimizer",
    "schedules",
]


def __dir__() -> list[str]:
    return __all__
