"""Training: `fit` moves a model's parameters until its loss is small, and tells what happened."""

from typing import TYPE_CHECKING

from ..support.answers import answering
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

if not TYPE_CHECKING:  # which knows the names that are there
    __getattr__ = answering("bp.train", __name__)


def __dir__() -> list[str]:
    return __all__
