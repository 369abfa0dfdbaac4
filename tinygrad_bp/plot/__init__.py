"""Pictures of what a model does and of how it was trained (extra ``plot``: matplotlib).

Blue is a value and orange a gradient, as in `draw`. A class has a marker of its own beside its
colour, so that nothing is told by colour alone. Each picture is a matplotlib Figure, which a
notebook shows, and is written to ``path`` if one is given; the suffix chooses PNG, SVG or PDF.

Each function that draws takes ``theme`` ("auto", "light" or "dark"), ``font_size`` in points, 10 by
default, ``caption=False`` to leave out the line above a picture of one panel, and ``size="slide"``
for 16 : 9 and no text under 14 points at 1920 x 1080.

Each function raises ImportError if matplotlib is not installed, ValueError if the suffix of
``path`` is another, and OSError if ``path`` cannot be written.
"""

from typing import TYPE_CHECKING

from ..support.answers import answering
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

if not TYPE_CHECKING:  # which knows the names that are there
    __getattr__ = answering("bp.plot", __name__)
