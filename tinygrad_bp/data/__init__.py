"""Data to learn from: toy problems, batches, splits and scales."""

from typing import TYPE_CHECKING

from ..support.answers import attribute_answers
from .batching import batches, train_test_split
from .scales import Standardize, one_hot
from .toy import blobs, checkerboard, circles, linear, moons, sine, spirals, xor

__all__ = [
    "Standardize",
    "batches",
    "blobs",
    "checkerboard",
    "circles",
    "linear",
    "moons",
    "one_hot",
    "sine",
    "spirals",
    "train_test_split",
    "xor",
]

if not TYPE_CHECKING:  # which knows the names that are there
    __getattr__ = attribute_answers("bp.data", __name__)


def __dir__() -> list[str]:
    return __all__
