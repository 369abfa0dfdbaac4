"""Samples of the functions that NumPy has not."""

import numpy as np

from tinygrad_bp.engine.rules.activations import relu, sigmoid, softplus

from .sample import Sample

x = np.array([[-2.5, -0.4, 0.3], [1.7, -1.1, 4.0]])
far = np.array([-600.0, -50.0, 40.0, 600.0])

SAMPLES = [
    Sample(function, (array,))
    for function in (relu, sigmoid, softplus)
    for array in (np.array(0.8), x[0], x, far)
]
