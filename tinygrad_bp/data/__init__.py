"""Data to learn from: toy problems, batches, splits and scales."""

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


def __dir__() -> list[str]:
    return __all__
