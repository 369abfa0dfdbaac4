"""MLPRegressor: a multilayer perceptron that predicts numbers."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeVar

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils import column_or_1d
from sklearn.utils.metaestimators import available_if

from ..functional import mse_loss
from ..support.answers import keyword_advice
from ..support.arguments import look_up
from ..train.routing import has_blocks
from . import lazy
from .base import MultilayerPerceptron
from .rows import Rows, outputs_of

F = TypeVar("F", bound=Callable[..., Any])
LOSSES = dict.fromkeys(("squared_error", "poisson"))


def _sizes_may_be_first(init: F) -> F:
    """Take the layers' sizes in the first place too, where they were before the loss (1.7)."""

    @functools.wraps(init)
    def called(self: Any, *inputs: Any, **keywords: Any) -> None:
        if inputs and not isinstance(inputs[0], str):
            inputs = (keywords.pop("loss", "squared_error"), *inputs)
        init(self, *inputs, **keywords)

    return called  # type: ignore[return-value]  # of the same arguments


class MLPRegressor(RegressorMixin, MultilayerPerceptron):
    """A multilayer perceptron that predicts numbers, one or several to a row.

    Its loss is half the squared error, with ``alpha / 2 · Σ W²`` added for each batch. The
    parameters mean what they mean to ``sklearn.neural_network.MLPRegressor``. Targets that are
    far from 0 or 1 in size are best scaled: ``sklearn.compose.TransformedTargetRegressor``.

    Parameters
    ----------
    hidden_layer_sizes, activation, solver, alpha, batch_size, learning_rate, learning_rate_init,
    power_t, max_iter, shuffle, random_state, tol, verbose, warm_start, momentum,
    nesterovs_momentum, early_stopping, validation_fraction, beta_1, beta_2, epsilon,
    n_iter_no_change, max_fun
        As in `MLPClassifier`; the score that ``early_stopping`` watches is R².
    loss : {'squared_error', 'poisson'}
        Poisson's is half the deviance of counts whose mean is the exponential of the output.

    Attributes
    ----------
    best_loss_, best_validation_score_, coefs_, feature_names_in_, history_, intercepts_, loss_,
    loss_curve_, model_, n_features_in_, n_iter_, n_layers_, n_outputs_, optimizer_, t_,
    validation_scores_
        As in `MLPClassifier`.
    out_activation_ : {'identity', 'exp'}
        What makes predictions of the outputs.

    Examples
    --------
    >>> from tinygrad_bp.data import sine
    >>> X, y = sine(100, noise=0, seed=0)
    >>> regressor = MLPRegressor((16,), "tanh", learning_rate_init=0.05, random_state=0)
    >>> bool(regressor.fit(X, y.ravel()).score(X, y) > 0.9)
    True
    """

    _y_options: ClassVar[dict[str, bool]] = {"multi_output": True, "y_numeric": True}

    @_sizes_may_be_first
    @keyword_advice
    def __init__(
        self,
        loss: str = "squared_error",
        hidden_layer_sizes: int | Sequence[int] = (100,),
        activation: str = "relu",
        *,
        solver: str = "adam",
        alpha: float = 1e-4,
        batch_size: Any = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 1e-3,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
    ):
        shared = dict(locals())  # what the base takes, under the same names
        for name in ("self", "loss", "__class__"):
            del shared[name]
        super().__init__(**shared)
        self.loss = loss

    @available_if(lambda self: self.solver != "lbfgs")
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
        return self._numbers(self._outputs(X))

    def _numbers(self, outputs: Any) -> Any:
        found = self._predictions(outputs)
        return found[:, 0] if found.shape[1] == 1 else found

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """R², the share of the variance of y that is explained; the mean of several outputs'.

        Of Dask's arrays it is found block by block.
        """
        if not (has_blocks(X) or has_blocks(y)):
            return super().score(X, y, sample_weight)
        X, y = lazy.rows_in_blocks(self, X, y, sample_weight, reset=False)
        return lazy.r_squared(self._numbers(outputs_of(self.model_, X)), y)

    def _targets(self, y: Any, classes: None, whole: bool) -> Any:
        """A column for each output."""
        look_up(self.loss, LOSSES, "loss")
        y = column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y
        targets = (y[:, np.newaxis] if y.ndim == 1 else y).astype(float)
        if self.loss == "poisson" and (lowest := float(targets.min())) < 0:
            raise ValueError(f"loss='poisson' is of counts, and y has the number {lowest}")
        self.n_outputs_ = targets.shape[1]
        self.out_activation_ = "exp" if self.loss == "poisson" else "identity"
        return targets

    def _mean_loss(self, outputs: Any, targets: Any, weights: Any) -> Any:
        """The weighted mean of the rows' losses; weights add up to 1."""
        if self.loss == "poisson":
            least = targets * np.log(np.maximum(targets, 1)) * (targets > 0) - targets
            losses = (np.exp(outputs) - targets * outputs + least).sum(axis=1)
        elif weights is None:
            return mse_loss(outputs, targets) * (self.n_outputs_ / 2)
        else:
            losses = mse_loss(outputs, targets, reduction="none").sum(axis=1) / 2
        return np.mean(losses) if weights is None else weights @ losses

    def _predictions(self, outputs: Any) -> Any:
        return np.exp(outputs) if self.out_activation_ == "exp" else outputs

    def _score(self, outputs: Any, data: Rows) -> float:
        found = self._predictions(outputs)
        if not np.isfinite(found).all():
            return math.nan
        if has_blocks(found):
            return lazy.r_squared(found, data.targets)
        return float(r2_score(data.targets, found, sample_weight=data.weights))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
