"""Networks: modules that hold parameters, the layers made of them, and how they start and are kept.

Layers take rows: ``x`` of shape (n, features). `MLP` puts a whole network together.
"""

from typing import TYPE_CHECKING

from ..support.answers import attribute_answers
from .initialization import (
    INITIALIZATIONS,
    he,
    he_uniform,
    lecun,
    lecun_uniform,
    orthogonal,
    xavier,
    xavier_normal,
    zero,
)
from .layers import Dropout, Embedding, Linear
from .module import Module, evaluating
from .networks import ACTIVATIONS, MLP, NORMALIZATIONS, Sequential
from .normalization import BatchNorm, LayerNorm
from .saving import load, read_state, save
from .summarizing import Summary, summary

__all__ = [
    "ACTIVATIONS",
    "INITIALIZATIONS",
    "MLP",
    "NORMALIZATIONS",
    "BatchNorm",
    "Dropout",
    "Embedding",
    "LayerNorm",
    "Linear",
    "Module",
    "Sequential",
    "Summary",
    "evaluating",
    "he",
    "he_uniform",
    "lecun",
    "lecun_uniform",
    "load",
    "orthogonal",
    "read_state",
    "save",
    "summary",
    "xavier",
    "xavier_normal",
    "zero",
]

if not TYPE_CHECKING:  # which knows the names that are there
    __getattr__ = attribute_answers("bp.nn", __name__)


def __dir__() -> list[str]:
    return __all__
