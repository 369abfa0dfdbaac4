"""Training: `fit` moves a model's parameters until its loss is small, and tells what happened."""

from .fitting import fit
from .history import History
from .predicting import predict
from .rollback import DivergenceError

__all__ = [
    "DivergenceError",
    "History",
    "fit",
    "predict",
]


def __dir__() -> list[str]:
    return __all__
