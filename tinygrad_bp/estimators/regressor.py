"""A multilayer perceptron that predicts numbers, in scikit-learn's interface."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils import (
    column_or_1d,
)

from ..functional import mse_loss
from .base import MultilayerPerceptron, Rows


class MLPRegressor(RegressorMixin, MultilayerPerceptron):
    """A multilayer perceptron that predicts numbers, one or several to a row.

    Its loss is half the squared error, with ``alpha / 2 · Σ W²`` added for each batch. The
    parameters mean what they mean to ``sklearn.neural_network.MLPRegressor``. Targets that are
    far from 0 or 1 in size are best scaled: ``sklearn.compose.TransformedTargetRegressor``.

    Parameters
    ----------
    hidden_layer_sizes, activation, solver, alpha, batch_size, learning_rate_init, max_iter,
    random_state, tol, verbose, warm_start, momentum, nesterovs_momentum, early_stopping,
    validation_fraction, n_iter_no_change
        As in `MLPClassifier`; the score that ``early_stopping`` watches is R².

    Attributes
    ----------
    coefs_, feature_names_in_, history_, intercepts_, loss_curve_, model_, n_features_in_,
    n_iter_, n_outputs_, optimizer_, validation_scores_
        As in `MLPClassifier`.

    Examples
    --------
    >>> from tinygrad_bp.data import sine
    >>> X, y = sine(100, noise=0, seed=0)
    >>> regressor = MLPRegressor((16,), "tanh", learning_rate_init=0.05, random_state=0)
    >>> bool(regressor.fit(X, y.ravel()).score(X, y) > 0.9)
    True
    """

    _y_options: ClassVar[dict[str, bool]] = {"multi_output": True, "y_numeric": True}

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Train for one epoch on these rows, going on where the last call stopped.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.

        Returns
        -------
        self
        """
        return self._fit(X, y, sample_weight, incremental=True)

    def predict(self, X: Any) -> np.ndarray:
        """The numbers for each row: of shape (n,) if there is one output, else (n, outputs)."""
        outputs = self._outputs(X)
        return outputs.ravel() if outputs.shape[1] == 1 else outputs

    def _targets(self, y: Any, classes: None) -> Any:
        """A column for each output."""
        y = column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y
        targets = y.reshape(len(y), -1).astype(float)
        self.n_outputs_ = targets.shape[1]
        return targets

    @staticmethod
    def _losses(outputs: Any, targets: Any) -> Any:
        return mse_loss(outputs, targets, reduction="none").sum(axis=1) / 2

    @staticmethod
    def _score(outputs: Any, data: Rows) -> float:
        return r2_score(data.targets, outputs, sample_weight=data.weights)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
