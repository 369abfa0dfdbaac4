"""Samples of the change of an array's type."""

import numpy as np

from tinygrad_bp.engine.rules.types import astype

from .sample import Sample

SAMPLES = [Sample(astype, (x, "d")) for x in (np.array(0.8), np.array([[0.5, -1.5], [2.0, 3.0]]))]
