"""What both perceptrons share: parameters, network, optimiser, and training by `train.fit`.

They take the names that scikit-learn gave its own perceptrons' parameters, work in its pipelines,
grid searches and cross-validation, and train by `train.fit`.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import (
    check_array,
    check_consistent_length,
    check_random_state,
)
from sklearn.utils.validation import check_is_fitted, validate_data

from .. import nn, train
from ..functional import sigmoid
from ..nn import MLP
from ..optim import SGD, Adam, Optimizer
from ..support.arguments import below_one, flag, look_up, not_negative, number, positive, size
from ..train.history import History

FLOATS = (np.float64, np.float32)  # an X of either is used as it is; others become the first
ACTIVATIONS: dict[str, Any] = {"logistic": sigmoid} | {name: name for name in nn.ACTIVATIONS}
SOLVERS = {"adam": Adam, "sgd": SGD}


@dataclass
class Rows:
    """Rows with their targets and weights; indexing gives some of the rows."""

    X: Any
    targets: Any
    weights: Any

    def __getitem__(self, rows: Any) -> Rows:
        return Rows(self.X[rows], self.targets[rows], self.weights[rows])


class Watch:
    """A callback that stops the training when what it watches has stalled.

    It watches the loss, or if it is given a function of the model its score, and then remembers
    the model's state when that was best.
    """

    def __init__(self, tol: float, patience: int, score: Callable[[nn.Module], float] | None):
        self.tol, self.patience, self.score = tol, patience, score
        self.best = -math.inf
        self.best_state: dict[str, np.ndarray] | None = None
        self.scores: list[float] = []
        self.idle = 0

    def __call__(self, model: nn.Module, history: History) -> bool:
        """Whether to stop: what is watched has not improved for so long."""
        value = self.score(model) if self.score else -history.rows[-1]["loss"]
        self.scores.append(value)
        self.idle = self.idle + 1 if value < self.best + self.tol else 0
        if value > self.best:
            self.best = value
            self.best_state = model.state_dict() if self.score else None
        return self.stalled

    @property
    def stalled(self) -> bool:
        """Whether too many epochs in a row brought less than ``tol``."""
        return self.idle > self.patience


class MultilayerPerceptron(BaseEstimator):
    """What the classifier and the regressor share: everything but the targets and the loss."""

    _y_options: ClassVar[dict[str, bool]]
    model_: MLP
    optimizer_: Optimizer
    loss_curve_: list[float]
    n_outputs_: int

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (100,),
        activation: str = "relu",
        *,
        solver: str = "adam",
        alpha: float = 1e-4,
        batch_size: Any = "auto",
        learning_rate_init: float = 1e-3,
        max_iter: int = 200,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Train a new network, or with ``warm_start`` go on with the one there is.

        Parameters
        ----------
        X : array of shape (n, features)
        y : array of shape (n,), or for a regressor also (n, outputs)
        sample_weight : array of shape (n,), optional
            How much each row's loss counts in its batch's weighted mean. While a batch holds
            all rows, an integer weight is worth as many copies of the row.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            If a parameter, a shape, a type or a value is wrong.
        tinygrad_bp.train.DivergenceError
            If the loss grew out of bounds. Whenever a fit fails, the one before it stays.
        """
        return self._fit(X, y, sample_weight)

    def _fit(self, X: Any, y: Any, weights: Any, **how: Any) -> Any:
        """Train, or if that fails leave everything as it was."""
        before = dict(self.__dict__)
        trained = [before[name] for name in ("model_", "optimizer_") if name in before]
        states = [part.state_dict() for part in trained]
        try:
            settled = self._train(X, y, weights, **how)
        except BaseException:
            self.__dict__ = before
            for part, state in zip(trained, states, strict=True):
                part.load_state_dict(state)
            raise
        if not settled:
            warnings.warn(
                f"max_iter={self.max_iter} epochs were over before the training had settled",
                ConvergenceWarning,
                stacklevel=3,
            )
        return self

    def _train(
        self, X: Any, y: Any, weights: Any, *, incremental: bool = False, classes: Any = None
    ) -> bool:
        """Train, and tell whether that ended by itself."""
        self._check_parameters(incremental)
        resume = hasattr(self, "model_") and (incremental or self.warm_start)
        X, y = validate_data(self, X, y, dtype=FLOATS, reset=not resume, **self._y_options)
        X, y, weights = rows_that_count(X, y, weights)
        targets = self._targets(y, getattr(self, "classes_", None) if resume else classes)
        generator = np.random.default_rng(check_random_state(self.random_state).randint(2**31))
        if not resume:
            self.model_, self.loss_curve_ = self._network(X, generator), []
        if not (resume and incremental):
            self.optimizer_ = self._optimizer()
        data, held_out = self._split(Rows(X, targets, weights), generator)
        watch = Watch(self.tol, self.n_iter_no_change, self._scorer(held_out))
        self.history_ = train.fit(
            self.model_,
            data.X,
            np.arange(len(data.X)),  # for targets row numbers, which lead to weights too
            loss=self._loss(data),
            optimizer=self.optimizer_,
            epochs=1 if incremental else self.max_iter,
            batch_size=200 if self.batch_size == "auto" else self.batch_size,
            seed=int(generator.integers(2**63)),
            callbacks=[] if incremental else [watch],
            progress=bool(self.verbose),
        )
        if watch.best_state is not None:
            self.model_.load_state_dict(watch.best_state)
        self.n_iter_ = len(self.history_)
        self.loss_curve_ = [*self.loss_curve_, *(row["loss"] for row in self.history_.rows)]
        self.validation_scores_ = watch.scores if held_out else None
        return incremental or watch.stalled or self.n_iter_ < self.max_iter

    def _check_parameters(self, incremental: bool) -> None:
        """Refuse what is wrong by the name that the user knows, before any work."""
        for n in self._hidden_sizes():
            size(n, "each of hidden_layer_sizes")
        look_up(self.activation, ACTIVATIONS, "activation")
        look_up(self.solver, SOLVERS, "solver")
        for name in ("max_iter", "n_iter_no_change"):
            size(getattr(self, name), name)
        if self.batch_size != "auto":
            size(self.batch_size, "batch_size")
        for name in ("alpha", "tol"):
            not_negative(getattr(self, name), name)
        positive(self.learning_rate_init, "learning_rate_init")
        below_one(self.momentum, "momentum")
        for name in ("early_stopping", "nesterovs_momentum", "warm_start"):
            flag(getattr(self, name), name)
        if not 0 < number(self.validation_fraction, "validation_fraction") < 1:
            raise ValueError(
                f"validation_fraction must be between 0 and 1, not {self.validation_fraction}"
            )
        if incremental and self.early_stopping:
            raise ValueError("partial_fit takes one epoch, which early_stopping=True cannot stop")

    def _hidden_sizes(self) -> list[int]:
        sizes = self.hidden_layer_sizes
        return list(sizes) if isinstance(sizes, Sequence | np.ndarray) else [sizes]

    def _network(self, X: Any, generator: np.random.Generator) -> MLP:
        sizes = [X.shape[1], *self._hidden_sizes(), self.n_outputs_]
        return MLP(sizes, ACTIVATIONS[self.activation], seed=generator, dtype=X.dtype)

    def _optimizer(self) -> Optimizer:
        parameters, lr, momentum = self.model_.parameters(), self.learning_rate_init, self.momentum
        if self.solver == "adam":
            return Adam(parameters, lr)
        return SGD(parameters, lr, momentum, nesterov=bool(self.nesterovs_momentum and momentum))

    def _split(self, data: Rows, generator: np.random.Generator) -> tuple[Rows, Rows | None]:
        """The rows to learn from and, for early stopping, those to judge by."""
        if not self.early_stopping:
            return data, None
        learn, judge = train_test_split(
            np.arange(len(data.X)),
            test_size=self.validation_fraction,
            random_state=int(generator.integers(2**31)),
            stratify=data.targets if is_classifier(self) else None,
        )
        if len(judge) < 2:
            raise ValueError(
                f"validation_fraction={self.validation_fraction} of {len(data.X)} rows "
                "leaves fewer than 2 to judge by"
            )
        return data[learn], data[judge]

    def _loss(self, data: Rows) -> Callable[[Any, Any], Any]:
        """The weighted mean of the rows' losses, and ``alpha / 2 · Σ W²`` for as many rows."""
        matrices = [layer.weight for layer in affine_layers(self.model_)] if self.alpha else []

        def loss(outputs: Any, rows: Any) -> Any:
            weights = data.weights[rows]
            total = weights @ self._losses(outputs, data.targets[rows])
            for W in matrices:
                total = total + self.alpha / 2 * np.vdot(W, W)
            return total / weights.sum()

        return loss

    def _scorer(self, data: Rows | None) -> Callable[[nn.Module], float] | None:
        if data is None:
            return None
        return lambda model: self._score(train.predict(model, data.X), data)

    def _outputs(self, X: Any) -> Any:
        check_is_fitted(self, "model_")
        return train.predict(self.model_, validate_data(self, X, dtype=FLOATS, reset=False))

    @property
    def coefs_(self) -> list[np.ndarray]:
        """The weights of each layer, of shape (inputs, outputs) as scikit-learn keeps them."""
        return [layer.weight.data.T for layer in affine_layers(self.model_)]

    @property
    def intercepts_(self) -> list[np.ndarray]:
        """The biases of each layer."""
        return [layer.bias.data for layer in affine_layers(self.model_)]


def affine_layers(model: MLP) -> list[Any]:
    """The layers that have weights, from the input on."""
    return [layer for layer in model.layers if isinstance(layer, nn.Linear)]


def rows_that_count(X: Any, y: Any, weights: Any) -> tuple[Any, Any, Any]:
    """The rows that count, with their weights."""
    if weights is None:
        return X, y, np.ones(len(X), X.dtype)
    weights = check_array(weights, ensure_2d=False, dtype=X.dtype, input_name="sample_weight")
    if weights.ndim != 1:
        raise ValueError(f"sample_weight must have shape (n,), not {weights.shape}")
    check_consistent_length(X, weights)
    if weights.min() < 0 or not weights.any():
        raise ValueError("sample_weight must have no number below zero and not be all zeros")
    rows = weights > 0
    return X[rows], y[rows], weights[rows]
