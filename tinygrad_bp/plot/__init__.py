"""Pictures of what a model does and of how it was trained (extra ``plot``: matplotlib).

Blue is a value and orange a gradient, as in `draw`. A class has a marker of its own beside its
colour, so that nothing is told by colour alone. Each picture is a matplotlib Figure, which a
notebook shows, and is written to ``path`` if one is given; the suffix chooses PNG, SVG or PDF.
"""

from typing import TYPE_CHECKING

from ..support.answers import attribute_answers
from .boundary import BoundaryAnimation, decision_boundary
from .curves import loss_curves
from .filters import weights
from .layers import LayerStatistics, layer_histograms, layer_statistics
from .regression import regression_fit

__all__ = [
    "BoundaryAnimation",
    "LayerStatistics",
    "decision_boundary",
    "layer_histograms",
    "layer_statistics",
    "loss_curves",
    "regression_fit",
    "weights",
]


def __dir__() -> list[str]:
    return __all__


if not TYPE_CHECKING:  # which knows the names that are there
    __getattr__ = attribute_answers("bp.plot", __name__)
