"""Training: `fit` moves a model's parameters until its loss is small, and tells what happened."""

from .fitting import DivergenceError, fit, predict
from .history import History

__all__ = [
    "DivergenceError",
    "History",
    "fit",
    "predict",
]


def __dir__() -> list[str]:
    return __all__
