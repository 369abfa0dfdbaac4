"""An epoch of training on the digits, as each library's own loop takes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .peers import ByHand, Ours, set_weights
from .tasks import Task, settings

EPOCHS = 5  # in one call, so that what a call checks and measures once is shared


@dataclass(frozen=True)
class Digits(Task):
    """The 1,797 digits of scikit-learn, in batches as they stand."""

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        from sklearn.datasets import load_digits

        X, y = load_digits(return_X_y=True)
        return (X / 16).astype(self.dtype), y

    def __str__(self) -> str:
        return f"digits, {super().__str__()}: fit, one epoch"


DIGITS = Digits((64, 32, 10), 32, "float32", "cross-entropy")


class LoopByHand(ByHand):
    """A loop over the batches, and nothing else."""

    def __init__(self, task: Task):
        super().__init__(task)
        self.batch = task.batch

    def step(self) -> float:
        for _ in range(EPOCHS):
            total = 0.0
            for start in range(0, len(self.X), self.batch):
                X, y = (rows[start : start + self.batch] for rows in (self.X, self.y))
                total += self.learn(X, y) * len(X)
        return total / len(self.X)


class Fit(Ours):
    """`train.fit`, which checks its data, looks for divergence and can take a step back."""

    compiled = False

    def __init__(self, task: Task):
        super().__init__(task)
        self.batch = task.batch

    def step(self) -> float:
        from tinygrad_bp.train import fit

        history = fit(
            self.model,
            self.X,
            self.y,
            loss="cross_entropy",
            optimizer=self.optimizer,
            epochs=EPOCHS,
            batch_size=self.batch,
            shuffle=False,
            progress=False,
            compile=self.compiled,
        )
        return history["loss"][-1]


class CompiledFit(Fit):
    """`train.fit` as it is called by most."""

    compiled = True


class Estimator:
    """A perceptron of scikit-learn's interface, trained by ``fit``, which goes on where it was."""

    def __init__(self, task: Task, kind: Callable[..., Any]):
        self.X, self.y = task.data()
        self.model = kind(**settings(task), max_iter=1, warm_start=True)
        fitted(self.model, self.X, self.y)
        set_weights(self.model, task)
        self.model.set_params(max_iter=EPOCHS)

    def step(self) -> float:
        return fitted(self.model, self.X, self.y)


def fitted(model: Any, X: np.ndarray, y: np.ndarray) -> float:
    """The last epoch's loss of a training that is not told off for ending early."""
    import warnings

    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return float(model.fit(X, y).loss_)


def ours(task: Task) -> Estimator:
    from tinygrad_bp.estimators import MLPClassifier

    return Estimator(task, MLPClassifier)


def scikit_learns(task: Task) -> Estimator:
    from sklearn.neural_network import MLPClassifier

    return Estimator(task, MLPClassifier)


def loops() -> dict[str, Callable[[Task], Any]]:
    """The loops that can be timed, by name."""
    return {
        "NumPy by hand": LoopByHand,
        "ours, fit eager": Fit,
        "ours, fit": CompiledFit,
        "ours, estimator": ours,
        "scikit-learn": scikit_learns,
    }
