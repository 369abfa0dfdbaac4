"""How the perceptrons' networks are trained: by gradient descent, or by SciPy's L-BFGS."""

from __future__ import annotations

import functools
import math
import operator
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from .. import train
from ..engine.tensor import Tensor
from ..nn import Module
from ..optim import SGD, Adam, Optimizer
from ..train.history import History
from ..train.routing import has_blocks
from .lazy import PenalisedMean
from .networks import affine_layers
from .rows import CHUNK, OfRows, Rows, outputs_of

SOLVERS = dict.fromkeys(("adam", "lbfgs", "sgd"))
NON_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and "
    "need to be preprocessed."
)
SLOWEST = 1e-6  # with learning_rate='adaptive', where the step size ends


class NonFiniteWeightsError(train.DivergenceError, ValueError):
    """A training diverged: a ValueError to those who know scikit-learn's."""


def penalised_loss(estimator: Any) -> Callable[..., Any]:
    """The weighted mean of the rows' losses, and ``alpha / 2 · Σ W²`` for as many rows.

    Its arguments are outputs, targets, and what each row counts, if not all alike.
    """
    layers = affine_layers(estimator.model_) if estimator.alpha else []
    matrices, half = [layer.weight for layer in layers], estimator.alpha / 2

    def loss(outputs: Any, targets: Any, weights: Any = None) -> Any:
        if weights is None:
            share = half / len(targets)
        else:
            weights, share = weights / weights.sum(), half / weights.sum()
        total = estimator._mean_loss(outputs, targets, weights)
        if not matrices:
            return total
        return total + share * functools.reduce(operator.add, (np.vdot(W, W) for W in matrices))

    return loss


# Gradient descent


def optimizer_of(estimator: Any) -> Optimizer:
    """The optimiser that the solver's name stands for."""
    parameters, lr = estimator.model_.parameters(), estimator.learning_rate_init
    if estimator.solver == "adam":
        betas = (estimator.beta_1, estimator.beta_2)
        return PlainEpsilonAdam(parameters, lr, betas=betas, epsilon=estimator.epsilon)
    nesterov = bool(estimator.nesterovs_momentum and estimator.momentum)
    return SGD(parameters, lr, estimator.momentum, nesterov=nesterov)


class PlainEpsilonAdam(Adam):
    """Adam as scikit-learn has it: its epsilon is added to a root that is not corrected.

    Kingma and Ba's second form ("Adam", ICLR 2015, end of section 2); `Adam` is their first. The
    two differ where gradients are as small as epsilon.

    Examples
    --------
    >>> from tinygrad_bp import Tensor
    >>> x = Tensor([1.0], requires_grad=True)
    >>> optimizer = PlainEpsilonAdam([x], lr=0.1, epsilon=1.0)
    >>> x.grad = np.array([1.0])
    >>> optimizer.step()  # m / (1 - 0.9) = 1, and √v = √0.001
    >>> print(x.data.round(6), np.round(1 - 0.1 * 0.001**0.5 / (0.001**0.5 + 1), 6))
    [0.996935] 0.996935
    """

    def _beside_root(self, correction: float) -> float:
        return self.epsilon


class Shuffles(np.random.Generator):
    """The orders in which scikit-learn goes through rows: each shuffles the one before.

    Examples
    --------
    >>> shuffles = Shuffles(np.random.RandomState(0))
    >>> shuffles.permutation(4), shuffles.permutation(4)
    (array([2, 3, 1, 0]), array([2, 1, 3, 0]))
    """

    def __init__(self, source: np.random.RandomState):
        super().__init__(np.random.PCG64(0))  # which is never asked
        self.source = source
        self.order: Any = slice(None)

    def permutation(self, n: Any, axis: int = 0) -> Any:
        """The next order of n rows."""
        moved = np.arange(n)
        self.source.shuffle(moved)
        self.order = np.arange(n)[self.order][moved]
        return self.order

    def integers(self, low: Any, *rest: Any, **options: Any) -> Any:
        """Rows that are taken one by one go once through all, too."""
        return self.permutation(low)


class Watch:
    """A callback that says what happens, moves the step size, and stops when progress has stalled.

    It watches the loss or, if there are rows held out, the score on them, and then remembers the
    network's state when that was best.
    """

    def __init__(self, estimator: Any, rows: int, held_out: Rows | None):
        self.estimator, self.rows, self.held_out = estimator, rows, held_out
        self.best_state: dict[str, np.ndarray] | None = None
        self.stalled = False

    def __call__(self, model: Module, history: History) -> bool:
        """Look at an epoch that has ended, and tell whether it was the last."""
        own, loss = self.estimator, history.rows[-1]["loss"]
        own.t_ += self.rows
        own.loss_curve_ = [*own.loss_curve_, loss]
        self.say(f"Iteration {len(history)}, loss = {loss:.8f}")
        if self.held_out is None:
            better = loss <= own.best_loss_ - own.tol
            own.best_loss_ = min(own.best_loss_, loss)
        else:
            better = self.judge(self.held_out)
        own._no_improvement_count = 0 if better else own._no_improvement_count + 1
        if own.solver == "sgd" and own.learning_rate == "invscaling":
            self.set_step_size(own.learning_rate_init / (own.t_ + 1) ** own.power_t)
        if own._no_improvement_count > own.n_iter_no_change:
            self.stalled = self.slow_down()
        return self.stalled

    def judge(self, held_out: Rows) -> bool:
        """Note the score on the rows held out, and tell whether it is better by ``tol``."""
        own = self.estimator
        with np.errstate(all="ignore"):  # a network that diverges has the score nan
            score = own._score(outputs_of(own.model_, held_out.X), held_out)
        own.validation_scores_ = [*own.validation_scores_, score]
        self.say(f"Validation score: {score:f}")
        better = score >= own.best_validation_score_ + own.tol
        if score > own.best_validation_score_:
            own.best_validation_score_ = score
            self.best_state = own.model_.state_dict()
        return better

    def slow_down(self) -> bool:
        """Make smaller steps where that is wanted; else it is time to stop."""
        own = self.estimator
        watched = "Training loss" if self.held_out is None else "Validation score"
        stall = (
            f"{watched} did not improve more than tol={own.tol:f} "
            f"for {own.n_iter_no_change} consecutive epochs."
        )
        if own.solver != "sgd" or own.learning_rate != "adaptive":
            self.say(f"{stall} Stopping.")
            return True
        if own.optimizer_.step_size <= SLOWEST:
            self.say(f"{stall} Learning rate too small. Stopping.")
            return True
        self.set_step_size(own.optimizer_.step_size / 5)
        self.say(f"{stall} Setting learning rate to {own.optimizer_.step_size:f}")
        own._no_improvement_count = 0
        return False

    def set_step_size(self, lr: float) -> None:
        """Change the step size, and not the steps that momentum carries on.

        The velocity is kept without its step size, which so has to be taken out.
        """
        optimizer = self.estimator.optimizer_
        state, ratio = optimizer.state_dict(), optimizer.step_size / lr
        optimizer.load_state_dict(
            {name: v * ratio if name.endswith("velocity") else v for name, v in state.items()}
        )
        optimizer.lr = lr

    def say(self, line: str) -> None:
        """Print a line, if the estimator is to say what it does."""
        if self.estimator.verbose:
            print(line)


def descend(estimator: Any, data: Rows, watch: Watch, random: Any, incremental: bool) -> str:
    """Train by `train.fit`, and say why that did not end by itself, if it did not."""
    own = estimator
    epochs = 1 if incremental else own.max_iter
    model, X, targets, loss, usual = _arguments_of_fit(own, data)
    try:
        own.history_ = train.fit(
            model,
            X,
            targets,
            loss=loss,
            optimizer=own.optimizer_,
            epochs=epochs,
            batch_size=usual if own.batch_size == "auto" else own.batch_size,
            shuffle=own.shuffle,
            seed=Shuffles(random),
            callbacks=[watch],
            progress=False,
        )
    except train.DivergenceError as error:
        own.history_ = error.history
        if watch.best_state is None:
            raise NonFiniteWeightsError(f"{NON_FINITE} {error}", error.history) from error
        own.validation_scores_ = [*own.validation_scores_, math.nan]
        complaint = f"{error}; the network is the one that scored best"
    else:
        complaint = ""
        if not (incremental or watch.stalled) and len(own.history_) == epochs:
            complaint = f"max_iter={epochs} epochs were over before the training had settled"
    own.n_iter_, own.loss_ = len(own.history_), [math.nan, *own.loss_curve_][-1]
    if watch.best_state is not None:
        own.model_.load_state_dict(watch.best_state)
    if own.history_.stopped.startswith("interrupted"):
        warnings.warn("Training interrupted by user.", stacklevel=5)
    return complaint


def _arguments_of_fit(estimator: Any, data: Rows) -> tuple[Module, Any, Any, Any, int]:
    """The model, X, targets and loss for `train.fit`, and how many rows a batch usually has."""
    model, X = estimator.model_, data.X
    if has_blocks(X):
        return model, X, data.targets, PenalisedMean(estimator), max(X.chunks[0])
    loss = penalised_loss(estimator)
    if isinstance(X, np.ndarray) and data.weights is None:
        return model, X, data.targets, loss, 200
    numbers = np.arange(len(data))  # which lead to weights too, and to the rows of a sparse matrix

    def loss_of_rows(outputs: Any, rows: Any) -> Any:
        return loss(outputs, *data.of_loss(rows))

    if isinstance(X, np.ndarray):
        return model, X, numbers, loss_of_rows, 200
    return OfRows(model, data), numbers, numbers, loss_of_rows, 200


# L-BFGS


def minimize(estimator: Any, data: Rows) -> str:
    """Train by SciPy's L-BFGS on all rows, and say why that did not end by itself, if so.

    Byrd, Lu, Nocedal and Zhu, "A limited memory algorithm for bound constrained optimization",
    SIAM Journal on Scientific Computing 16 (1995) 1190.
    """
    from scipy.optimize import minimize as lowest

    own, history = estimator, History()
    loss, tensors = penalised_loss(own), own.model_.parameters()

    def value_and_slope(flat: np.ndarray) -> tuple[float, np.ndarray]:
        put_flat(tensors, flat)
        own.model_.zero_grad()
        if has_blocks(data.X):
            from ..train.blocks import gradient_of_blocks  # it needs Dask

            asked = own.model_, PenalisedMean(own), tensors, data.X, data.targets
            value, found = gradient_of_blocks(*asked, compiled=bool(history))
            return value, flat_of(found)
        value = 0.0
        for start in range(0, len(data), CHUNK):  # the gradients add up
            rows = np.arange(start, min(start + CHUNK, len(data)))
            share = data[rows].weight_sum / data.weight_sum
            part = loss(own.model_(data.dense(rows)), *data.of_loss(rows)) * share
            part.backward()
            value += part.item()
        return value, flat_of(tensor.grad for tensor in tensors)

    def note(intermediate_result: Any) -> None:
        history.append({"loss": float(intermediate_result.fun)})
        if own.verbose:
            print(f"Iteration {len(history)}, loss = {intermediate_result.fun:.8f}")

    options = {"maxfun": own.max_fun, "maxiter": own.max_iter, "gtol": own.tol}
    how = {"method": "L-BFGS-B", "jac": True, "options": options, "callback": note}
    with np.errstate(all="ignore"):
        found = lowest(value_and_slope, flat_of(tensor.data for tensor in tensors), **how)
    if not (np.isfinite(found.fun) and np.isfinite(found.x).all()):
        raise NonFiniteWeightsError(f"{NON_FINITE} L-BFGS ended with the loss {found.fun}", history)
    put_flat(tensors, found.x)
    own.model_.zero_grad()
    own.model_.eval()
    history.stopped = str(found.message).lower()
    own.history_, own.n_iter_, own.loss_ = history, min(found.nit, own.max_iter), found.fun
    own.loss_curve_ = [*own.loss_curve_, *(row["loss"] for row in history.rows)]
    if found.success:
        return ""
    return (
        f"lbfgs failed to converge after {own.n_iter_} iterations ({history.stopped}): "
        "increase max_iter or max_fun, or scale the data"
    )


def flat_of(arrays: Iterable[Any]) -> np.ndarray:
    """All numbers of some arrays in one vector of float64.

    Examples
    --------
    >>> flat_of([np.ones((1, 2)), np.zeros(1)])
    array([1., 1., 0.])
    """
    return np.concatenate([np.ravel(array) for array in arrays], dtype=float)


def put_flat(tensors: Sequence[Tensor], flat: np.ndarray) -> None:
    """Give each Tensor its part of the vector.

    Examples
    --------
    >>> x = Tensor([[0.0, 0.0]], requires_grad=True)
    >>> put_flat([x], np.array([1.0, 2.0]))
    >>> x
    Tensor([[1., 2.]], requires_grad=True)
    """
    ends = np.cumsum([tensor.size for tensor in tensors])[:-1]
    for tensor, part in zip(tensors, np.split(flat, ends), strict=True):
        tensor.data = part.reshape(tensor.shape).astype(tensor.dtype)
