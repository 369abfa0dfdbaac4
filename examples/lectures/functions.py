"""Activations and losses for the pages to choose from, each with its derivative by hand.

The functions run on arrays and on Tensors; the derivatives are plain NumPy, and do not ask the
engine's rules.
"""

import numpy as np

from tinygrad_bp.functional import relu, sigmoid, softplus

# name: (g, its derivative)
ACTIVATIONS = {
    "identity": (np.positive, np.ones_like),
    "relu": (relu, lambda h: np.where(h > 0, 1.0, 0.0)),
    "sigmoid": (sigmoid, lambda h: np.exp(-h) / (1 + np.exp(-h)) ** 2),
    "sine": (np.sin, np.cos),
    "softplus": (softplus, lambda h: 1 / (1 + np.exp(-h))),
    "tanh": (np.tanh, lambda h: 1 - np.tanh(h) ** 2),
}

# name: (loss of a prediction and a target, its derivative by the prediction)
LOSSES = {
    "half squares": (lambda f, y: 0.5 * np.sum(np.square(f - y)), lambda f, y: f - y),
    "log cosh": (lambda f, y: np.sum(np.log(np.cosh(f - y))), lambda f, y: np.tanh(f - y)),
    "logistic": (
        lambda f, y: np.sum(np.logaddexp(0.0, -y * f)),
        lambda f, y: -y / (1 + np.exp(y * f)),
    ),
    "squares": (lambda f, y: np.sum(np.square(f - y)), lambda f, y: 2 * (f - y)),
}
