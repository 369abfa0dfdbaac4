"""Data to learn from: toy problems, batches, splits and scales."""

from .making import (
    Standardize,
    batches,
    blobs,
    checkerboard,
    circles,
    linear,
    moons,
    one_hot,
    sine,
    spirals,
    train_test_split,
    xor,
)

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
