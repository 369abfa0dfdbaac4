"""What both perceptrons share: parameters, checks, the network, and fits that leave all or nothing.

They take the names that scikit-learn gave its own perceptrons' parameters, work in its pipelines,
grid searches and cross-validation, and draw random numbers as its own do: the same
``random_state`` gives the same training.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from ..functional import sigmoid
from ..nn import ACTIVATIONS as KNOWN
from ..nn import MLP
from ..optim import Optimizer
from ..support.answers import keyword_advice
from ..support.arguments import below_one, flag, look_up, not_negative, number, positive, size
from ..train.history import History
from ..train.routing import has_blocks
from . import lazy
from .networks import LayerArrays, affine_layers, network_of, random_network
from .rows import FLOATS, Rows, outputs_of, weighted_rows
from .solvers import SOLVERS, Watch, descend, minimize, optimizer_of

ACTIVATIONS: dict[str, Any] = {"logistic": sigmoid} | {name: name for name in KNOWN}
SCHEDULES = dict.fromkeys(("constant", "invscaling", "adaptive"))


class InvalidParameterError(ValueError, TypeError):
    """A parameter's value is wrong: an error of both kinds, as scikit-learn's of that name is."""


class MultilayerPerceptron(BaseEstimator):
    """What the classifier and the regressor share: everything but the targets and the loss."""

    _y_options: ClassVar[dict[str, bool]]
    _several_labels = False
    model_: MLP
    optimizer_: Optimizer
    history_: History
    loss_curve_: list[float]
    n_outputs_: int

    @keyword_advice
    def __init__(
        self,
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
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Train a new network, or with ``warm_start`` go on with the one there is.

        Parameters
        ----------
        X : array or sparse matrix of shape (n, features)
            A sparse one is made dense batch by batch. An array of Dask's is gone through block by
            block: see `train.blocks.fit_blocks`. ``batch_size='auto'`` is then that of a block.
        y : array of shape (n,), or (n, outputs) for a regressor and for several labels to a row
            Of Dask's too, in blocks of any sizes; classes are found by one pass over it.
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
            If the loss grew out of bounds; it is a ValueError too. Whenever a fit fails, the one
            before it stays.
        """
        return self._fit(X, y, sample_weight)

    fit.__qualname__ = "fit"  # for Python's own errors, which would name this class

    def _fit(self, X: Any, y: Any, weights: Any, **how: Any) -> Any:
        """Train, or if that fails leave everything as it was."""
        before = dict(self.__dict__)
        trained = [before[name] for name in ("model_", "optimizer_") if name in before]
        states = [part.state_dict() for part in trained]
        try:
            complaint = self._train(X, y, weights, **how)
        except BaseException:
            self.__dict__ = before
            for part, state in zip(trained, states, strict=True):
                part.load_state_dict(state)
            raise
        if complaint:
            warnings.warn(complaint, ConvergenceWarning, stacklevel=3)
        return self

    def _train(
        self, X: Any, y: Any, weights: Any, *, incremental: bool = False, classes: Any = None
    ) -> str:
        """Train, and say why that did not end by itself, if it did not."""
        try:
            self._check_parameters(incremental)
        except (TypeError, ValueError) as error:
            raise InvalidParameterError(str(error)) from None
        resume = self._has_network() and (incremental or self.warm_start)
        if has_blocks(X) or has_blocks(y):
            X, y = lazy.rows_in_blocks(self, X, y, weights, reset=not resume)
        else:
            options = {"dtype": FLOATS, "accept_sparse": "csr", **self._y_options}
            X, y = validate_data(self, X, y, reset=not resume, **options)
            X, y, weights = weighted_rows(X, y, weights)
        known = getattr(self, "classes_", None) if resume else classes
        targets = self._targets(y, classes if known is None else known, whole=not incremental)
        random = check_random_state(self.random_state)
        if resume:
            self._adopt()
        else:
            self._start(X, random)
        data, held_out = Rows(X, targets, weights), None
        if self.solver == "lbfgs":
            return minimize(self, data)
        if not (resume and incremental and hasattr(self, "optimizer_")):
            self.optimizer_ = optimizer_of(self)
        if self.early_stopping:
            data, held_out = self._split(data, random)
        return descend(self, data, Watch(self, len(data), held_out), random, incremental)

    def _check_parameters(self, incremental: bool) -> None:
        """Refuse what is wrong by the name that the user knows, before any work."""
        for n in self._hidden_sizes():
            size(n, "each of hidden_layer_sizes")
        look_up(self.activation, ACTIVATIONS, "activation")
        look_up(self.solver, SOLVERS, "solver")
        look_up(self.learning_rate, SCHEDULES, "learning_rate")
        for name in ("max_iter", "max_fun"):
            size(getattr(self, name), name)
        if self.n_iter_no_change != math.inf:
            size(self.n_iter_no_change, "n_iter_no_change")
        if self.batch_size != "auto":
            size(self.batch_size, "batch_size")
        for name in ("alpha", "tol", "power_t"):
            not_negative(getattr(self, name), name)
        for name in ("learning_rate_init", "epsilon"):
            positive(getattr(self, name), name)
        for name in ("momentum", "beta_1", "beta_2"):
            below_one(getattr(self, name), name)
        if not isinstance(self.verbose, bool | np.bool_):
            size(self.verbose, "verbose", least=0)
        for name in ("early_stopping", "nesterovs_momentum", "shuffle", "warm_start"):
            flag(getattr(self, name), name)
        if not 0 < number(self.validation_fraction, "validation_fraction") < 1:
            raise ValueError(
                f"validation_fraction must be between 0 and 1, not {self.validation_fraction}"
            )
        if incremental and self.early_stopping:
            raise ValueError(
                "partial_fit does not support early_stopping=True: it takes a single epoch"
            )

    def _hidden_sizes(self) -> list[int]:
        sizes = self.hidden_layer_sizes
        return list(sizes) if isinstance(sizes, Sequence | np.ndarray) else [sizes]

    # The network

    def _has_network(self) -> bool:
        return hasattr(self, "model_") or len(self.__dict__.get("_given", {})) == 2

    def _start(self, X: Any, random: np.random.RandomState) -> None:
        """A new network, and nothing known of its training."""
        sizes = [X.shape[1], *self._hidden_sizes(), self.n_outputs_]
        self.model_ = random_network(sizes, ACTIVATIONS[self.activation], random, X.dtype)
        self.__dict__.pop("_given", None)
        self.__dict__ |= self._reset_counts()

    def _adopt(self) -> None:
        """Go on with the network there is, or with one of arrays that were set before."""
        given = self.__dict__.pop("_given", None)
        if given:
            self.model_ = network_of(**given, activation=ACTIVATIONS[self.activation])
        known = {name: value for name, value in self.__dict__.items() if value is not None}
        self.__dict__ |= self._reset_counts() | known

    def _reset_counts(self) -> dict[str, Any]:
        """Set what is counted in a training to what it is before the first epoch."""
        stops_early = self.early_stopping and self.solver != "lbfgs"
        return {
            "n_layers_": 2 + len(self._hidden_sizes()),
            "t_": 0,
            "loss_curve_": [],
            "best_loss_": None if stops_early else math.inf,
            "best_validation_score_": -math.inf if stops_early else None,
            "validation_scores_": [] if stops_early else None,
            "_no_improvement_count": 0,
        }

    def _arrays(self, name: str) -> Any:
        given = self.__dict__.get("_given", {})
        if name in given:
            return given[name]
        return LayerArrays([getattr(layer, name) for layer in affine_layers(self.model_)])

    def _set_arrays(self, name: str, arrays: Any) -> None:
        if hasattr(self, "model_"):
            self._arrays(name)[:] = arrays
        else:
            self.__dict__.setdefault("_given", {})[name] = arrays

    @property
    def coefs_(self) -> Any:
        """The weights of each layer, of shape (inputs, outputs) as scikit-learn keeps them.

        They can be set, one by one or all together.
        """
        return self._arrays("weight")

    @coefs_.setter
    def coefs_(self, arrays: Any) -> None:
        self._set_arrays("weight", arrays)

    @property
    def intercepts_(self) -> Any:
        """The biases of each layer, which can be set too."""
        return self._arrays("bias")

    @intercepts_.setter
    def intercepts_(self, arrays: Any) -> None:
        self._set_arrays("bias", arrays)

    # The rows

    def _split(self, data: Rows, random: np.random.RandomState) -> tuple[Rows, Rows]:
        """The rows to train on and, for early stopping, those to validate on."""
        if has_blocks(data.X):
            learn, judge = lazy.hold_out(data, self.validation_fraction, random.randint(2**31 - 1))
            self._check_held_out(len(judge), len(data))
            return learn, judge
        two_classes = is_classifier(self) and self.n_outputs_ == 1  # of more theirs draws freely
        learn, judge = train_test_split(
            np.arange(len(data)),
            test_size=self.validation_fraction,
            random_state=random,
            stratify=data.targets if two_classes and not self._several_labels else None,
        )
        self._check_held_out(len(judge), len(data))
        return data[learn], data[judge]

    def _check_held_out(self, judge: int, rows: int) -> None:
        if judge < 2:
            raise ValueError(
                "The validation set is too small: "
                f"validation_fraction={self.validation_fraction} of {rows} rows "
                "leaves fewer than 2 to validate on"
            )

    def _outputs(self, X: Any) -> Any:
        check_is_fitted(self, "model_")
        if has_blocks(X):
            return outputs_of(self.model_, lazy.features(self, X, reset=False))
        X = validate_data(self, X, dtype=FLOATS, accept_sparse="csr", reset=False)
        return outputs_of(self.model_, X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
