"""The networks that are timed, each with its batch and its weights: the same for every peer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

LEARNING_RATE = 0.01
Arrays = list[np.ndarray]


@dataclass(frozen=True)
class Task:
    """A perceptron with relu between its layers, trained by gradient descent on one batch."""

    sizes: tuple[int, ...]
    batch: int
    dtype: str
    loss: str

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """Inputs, and what they should give: numbers or, for cross-entropy, classes."""
        rng = np.random.default_rng(0)
        X = rng.normal(size=(self.batch, self.sizes[0])).astype(self.dtype)
        if self.loss == "cross-entropy":
            y = rng.integers(self.sizes[-1], size=self.batch)
            y[: self.sizes[-1]] = np.arange(self.sizes[-1])[: self.batch]  # each class, if it fits
            return X, y
        return X, rng.normal(size=(self.batch, self.sizes[-1])).astype(self.dtype)

    def weights(self) -> tuple[Arrays, Arrays]:
        """New weights of shape (out, in), and new biases."""
        rng = np.random.default_rng(1)
        weights, biases = [], []
        for inputs, outputs in zip(self.sizes, self.sizes[1:], strict=False):
            W = rng.normal(size=(outputs, inputs)) * np.sqrt(2 / inputs)
            weights.append(W.astype(self.dtype))
            biases.append(np.zeros(outputs, self.dtype))
        return weights, biases

    def __str__(self) -> str:
        return f"{'-'.join(map(str, self.sizes))}, batch {self.batch}"


SMALL = Task((64, 32, 10), 32, "float32", "cross-entropy")
NETWORKS = [
    Task((2, 16, 16, 1), 100, "float64", "mse"),
    SMALL,
    Task((784, 256, 128, 10), 128, "float32", "cross-entropy"),
    Task((1024, 1024, 1024, 10), 512, "float32", "cross-entropy"),
]


def scaled() -> dict[str, dict[int, Task]]:
    """Tasks of growing batch, depth and width, by what grows."""
    return {
        "batch": {n: replace(SMALL, batch=n) for n in (1, 4, 16, 64, 256, 1024, 4096)},
        "depth": {n: replace(SMALL, sizes=(64, *[32] * n, 10)) for n in (1, 2, 4, 8, 16, 32, 64)},
        "width": {n: replace(SMALL, sizes=(64, n, 10)) for n in (4, 16, 64, 256, 1024, 2048)},
    }


def settings(task: Any) -> dict[str, Any]:
    """What makes a perceptron of scikit-learn's interface train as all other peers do."""
    return {
        "hidden_layer_sizes": task.sizes[1:-1],
        "activation": "relu",
        "solver": "sgd",
        "alpha": 0.0,
        "batch_size": task.batch,
        "learning_rate_init": LEARNING_RATE,
        "momentum": 0.0,
        "nesterovs_momentum": False,
        "shuffle": False,
        "random_state": 0,
        "tol": 0.0,
    }
