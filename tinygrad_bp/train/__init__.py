"""Training: `fit` moves a model's parameters until its loss is small, and tells what happened."""

from typing import TYPE_CHECKING

from ..support.answers import attribute_answers
from .history import History
from .rollback import DivergenceError
from .routing import fit, predict

__all__ = [
    "DivergenceError",
    "History",
    "fit",
    "predict",
]

if not TYPE_CHECKING:  # which knows the names that are there
    __getattr__ = attribute_answers("bp.train", __name__)


def __dir__() -> list[str]:
    return __all__
