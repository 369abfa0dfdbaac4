"""Optimisers, which move parameters down their gradients, and schedules of their step sizes."""

from typing import TYPE_CHECKING

from ..support.answers import attribute_answers
from . import schedules
from .adaptive import Adam, AdamW
from .gradient_descent import SGD
from .optimizer import Optimizer

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "Optimizer",
    "schedules",
]

if not TYPE_CHECKING:  # which knows the names that are there
    __getattr__ = attribute_answers("bp.optim", __name__)


def __dir__() -> list[str]:
    return __all__
