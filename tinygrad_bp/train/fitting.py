"""Training: `fit` moves a model's parameters until its loss is small, and tells what happened."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from ..check import detect_nan
from ..data.batches import row_numbers
from ..data.rows import as_rows, finite, rows
from ..engine.backprop import topological_order
from ..engine.recording import no_grad
from ..engine.tensor import Tensor
from ..functional.losses import LOSSES
from ..nn import BatchNorm, Module, evaluating
from ..nn.summarizing import PRODUCTS
from ..optim import Optimizer
from ..support.answers import told_keywords
from ..support.arguments import Seed, chance, flag, function, not_negative, number, shown, size
from .history import DELTA, MEASURED, VALIDATION, History
from .metrics import METRICS
from .progress import bar_of, ctrl_c

Function = Callable[[Any, Any], Any]
Callback = Callable[[Module, History], Any]

_WEIGHTED = PRODUCTS | {"einsum"}  # what makes a pre-activation of weights
CHUNK = 4096  # rows that are evaluated at once, so that memory stays bounded


class DivergenceError(FloatingPointError):
    """The training diverged. What it measured until then is in ``history``."""

    def __init__(self, message: str, history: History):
        super().__init__(message)
        self.history = history


def predict(model: Module, X: Any) -> Any:
    """What the model gives for all rows of X, as an array: in use, not in training.

    Nothing is recorded, and every layer's ``training`` is as it was afterwards.

    Raises
    ------
    TypeError
        If the model is no Module, or X does not hold real numbers.
    ValueError
        If X has no rows or a number that is not finite, or the model makes another number of rows
        of it.

    Examples
    --------
    >>> from tinygrad_bp import nn
    >>> predict(nn.MLP([2, 4, 3], seed=0), np.zeros((10, 2))).shape
    (10, 3)
    """
    if not isinstance(model, Module):
        raise TypeError(f"the model must be a Module, such as nn.MLP, not {shown(model)}")
    return _predicted(model, finite(_array(X, "X"), "X"))


def _predicted(model: Module, X: Any) -> Any:
    if len(X) <= CHUNK:
        with evaluating(model), no_grad():
            return _outputs(model, X)
    parts = []
    for start in range(0, len(X), CHUNK):
        part = X[start : start + CHUNK]
        try:
            parts.append(_predicted(model, part))
        except (TypeError, ValueError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"rows {start} to {start + len(part) - 1}: {error}") from error
    return np.concatenate(parts)


def _outputs(model: Module, X: Any) -> Any:
    """What the model makes of rows: as many rows."""
    outputs = model(X)
    if not isinstance(outputs, Tensor) or outputs.shape[:1] != X.shape[:1]:
        raise ValueError(
            f"of X of shape {X.shape} the model must make a Tensor of {len(X)} rows, "
            f"not {getattr(outputs, 'shape', outputs)}"
        )
    return outputs.numpy()


@told_keywords
def fit(
    model: Module,
    X: Any,
    y: Any,
    *,
    loss: str | Function,
    optimizer: Optimizer,
    epochs: int,
    batch_size: int | None = None,
    shuffle: bool = True,
    seed: Seed = None,
    validation: tuple[Any, Any] | None = None,
    metrics: Sequence[str | Function] = (),
    tolerance: float | None = None,
    patience: int | None = None,
    callbacks: Iterable[Callback] = (),
    progress: bool = True,
) -> History:
    """Move the model's parameters until its loss is small.

    Each step takes the gradient of one batch's loss and gives it to the optimiser. An epoch is
    as many steps as cover the rows once.

    Parameters
    ----------
    model : Module
    X, y : arrays with the same number of rows
        Inputs and targets, as the model and the loss take them.
    loss : {'mse', 'cross_entropy', 'binary_cross_entropy'} or function
        ``loss(outputs, targets)`` gives one number to make small. A function of your own can
        add terms, such as `functional.l1_penalty`. The two cross-entropies take logits: no
        activation comes after the output layer.
    optimizer : Optimizer
        Of the model's parameters, with its step size.
    epochs : int
        How many at most.
    batch_size : int, optional
        Rows to a step. None: all of them. 1: stochastic gradient descent, where the row i_t of
        step t is drawn from all rows, each as likely, whatever was drawn before (Robbins and
        Monro 1951). In between, each epoch goes through all rows in a new random order.
    shuffle : bool
        Whether chance chooses the rows of a step. False: as they stand.
    seed : int or Generator, optional
        Of that chance. With an integer, an epoch's order depends on it and on the number of steps
        that the optimiser has taken: a training whose model and optimiser were saved goes on,
        with the same seed, as if it had never ended. A Generator goes on from where it is.
    validation : pair of arrays, optional
        ``X, y`` that are not learned from: their loss and metrics are measured each epoch.
    metrics : sequence of {'accuracy', 'mae', 'r2'} or functions
        ``metric(outputs, targets)``, measured after each epoch, on all rows.
    tolerance : float, optional
        Stop when an epoch changes the loss by no more than this share of it.
    patience : int, optional
        Stop when so many epochs in a row brought no lower loss (of the validation data, if
        there are some; else `History.loss`). Then, and however else the training ends, the model
        and the optimiser are as they were after the best epoch.
    callbacks : iterable of functions
        ``callback(model, history)`` after each epoch; one that returns True ends the training.
    progress : bool
        Whether to show a bar.

    Returns
    -------
    History
        Of the epochs that were completed. Ctrl-C stops after the step being taken, and what was
        measured and learned until then is kept. The model is left in use: ``model.eval()``.

    Raises
    ------
    DivergenceError
        If a loss or a gradient is not finite: it names the epoch, the batch and the operation
        that made it so. The model and the optimiser are as they were before that batch, unless
        ``patience`` takes them further back.
    TypeError, ValueError
        If an argument, a shape, a type or a label is wrong. The model, the loss and the metrics
        go through all rows before any step is taken. What they raise later, in training alone,
        leaves the model as it was before that batch.

    Examples
    --------
    >>> from tinygrad_bp import data, nn, optim
    >>> X, y = data.xor(100, seed=0)
    >>> model = nn.MLP([2, 8, 2], activation="tanh", seed=0)
    >>> history = fit(
    ...     model, X, y, loss="cross_entropy", optimizer=optim.Adam(model.parameters(), 0.05),
    ...     epochs=30, batch_size=20, seed=0, metrics=["accuracy"], progress=False,
    ... )
    >>> print(len(history), history["accuracy"][-1])
    30 1.0
    """
    run = _Run(model, function(loss, LOSSES, "loss"), optimizer, _named(metrics))
    X, y = run.checked(X, y)
    held_out = None if validation is None else run.checked_validation(*_pair(validation))
    batches = _Batches(run, len(X), batch_size, flag(shuffle, "shuffle"), seed)
    stopping = _Stopping(run, epochs, tolerance, patience, VALIDATION if held_out else "")
    callbacks = [function(c, {}, "callback") for c in _listed(callbacks, "callbacks")]
    progress, history, reason = flag(progress, "progress"), run.history, ""
    with ctrl_c() as interrupted:
        try:
            with bar_of(stopping.epochs * batches.count, progress) as bar:
                while not reason:
                    began = time.perf_counter()
                    row = run.epoch(X, y, batches, bar, interrupted)
                    last = len(history) + 1 == stopping.epochs  # no step after it shows its effect
                    found = run.measured(X, y) if run.metrics or (last and not held_out) else {}
                    found |= run.measured(*held_out, of=VALIDATION) if held_out else {}
                    row = {"loss": row["loss"], **found, **row}
                    history.append(row | {"seconds": time.perf_counter() - began})
                    bar.set_postfix_str(_shown(row), refresh=False)
                    reason = stopping.reason(history)
                    ended = [_is_true(callback(model, history)) for callback in callbacks]
                    reason = reason or "ended by a callback" * any(ended)
        except KeyboardInterrupt:
            reason = f"interrupted in epoch {len(history) + 1}"
        except DivergenceError:
            reason = history.stopped
            raise
        finally:
            model.eval()
            history.stopped = (reason or "ended by an error") + stopping.back_to_best()
    return history


class _Run:
    """The steps of a training, which let nothing into the model that is not finite."""

    def __init__(self, model: Any, loss: Function, optimizer: Any, metrics: dict[str, Function]):
        if not isinstance(model, Module):
            raise TypeError(f"the model must be a Module, such as nn.MLP, not {shown(model)}")
        if not isinstance(optimizer, Optimizer):
            raise TypeError(
                "the optimizer must be one of optim's, such as "
                f"optim.SGD(model.parameters(), lr=0.1), not {shown(optimizer)}"
            )
        tensors = model.named_tensors()
        if not set(optimizer.parameters) & set(tensors.values()):
            raise ValueError("the optimizer has none of the model's parameters")
        for path, tensor in tensors.items():
            if not np.isfinite(tensor.data).all():
                raise ValueError(f"the model's {path!r} holds numbers that are not finite")
        self.model, self.loss, self.optimizer, self.metrics = model, loss, optimizer, metrics
        self.tensors = list(dict.fromkeys([*tensors.values(), *optimizer.parameters]))
        self.layers = {tensor: path.removesuffix(".weight") for path, tensor in tensors.items()}
        self.earlier = self.before = self.state()
        self.batch = 0
        self.observed: dict[str, float] = {}
        self.history = History()

    def checked(self, X: Any, y: Any) -> tuple[Any, Any]:
        """The data as arrays, once the model, the loss and the metrics have gone through it."""
        X, y = finite(_array(X, "X"), "X"), finite(_array(y, "y"), "y")
        rows(X, y)
        with evaluating(self.model), np.errstate(all="ignore"):
            outputs = _predicted(self.model, X)
            loss = self.loss(Tensor(outputs, requires_grad=True), y)
            if not isinstance(loss, Tensor) or loss.size != 1:
                raise ValueError(f"the loss must be a Tensor with one number, not {shown(loss)}")
            if not loss.requires_grad:
                raise ValueError("the loss must be computed from the outputs, outside no_grad()")
            for name, metric in self.metrics.items():
                number(metric(outputs, y), f"the metric {name}")
        return X, y

    def checked_validation(self, X: Any, y: Any) -> tuple[Any, Any]:
        """The same for validation data, which errors call so."""
        try:
            return self.checked(X, y)
        except (TypeError, ValueError) as error:
            raise type(error)(f"validation data: {error}") from None

    @np.errstate(all="ignore")  # what is not finite is looked for in the loss and the gradient
    def epoch(
        self, X: Any, y: Any, batches: _Batches, bar: Any, interrupted: list[int]
    ) -> dict[str, float]:
        """Take the steps of one epoch."""
        bar.set_description(f"epoch {len(self.history) + 1}", refresh=False)
        self.model.train()  # a callback may have looked at it in use
        losses = lengths = 0.0
        for self.batch, part in enumerate(batches, 1):
            if interrupted:
                raise KeyboardInterrupt
            X_part, y_part = X[part], y[part]
            try:
                loss, length = self.step(X_part, y_part, observe=self.batch == batches.count)
            except BaseException:  # half a step is none
                self.restore(self.before)
                raise
            if not math.isfinite(loss + length):
                raise self.diverged(self.undo(X_part, y_part))
            losses += loss * len(X_part)
            lengths += length
            if bar.update():  # it was drawn, and will be again
                bar.set_postfix_str(f"loss {loss:.3g}, gradient norm {length:.3g}", refresh=False)
        if not _all_finite(self.state()[0]):  # no further step would have shown it
            self.restore(self.before)
            raise self.diverged("the step made parameters infinite")
        return {"loss": losses / len(X), "gradient norm": lengths / batches.count, **self.observed}

    def step(self, X: Any, y: Any, observe: bool) -> tuple[float, float]:
        """Take one step, if the loss and the length of the gradient, which it gives, are finite."""
        self.earlier, self.before = self.before, self.state()
        self.zero_grad()
        loss = self.loss(self.model(X), y)
        loss.backward(keep_grads=observe)
        value, length = loss.item(), self.optimizer.gradient_norm()
        if math.isfinite(value + length):
            if observe:
                rate = self.optimizer.step_size
                self.observed = {"learning rate": rate, **_mean_deltas(loss, self.layers)}
            self.optimizer.step()
        return value, length

    def undo(self, X: Any, y: Any) -> str:
        """Give the model back what it held before a batch that diverged, and say why it did."""
        if not _all_finite(self.before[0]):
            self.restore(self.earlier)
            return "the step before made parameters infinite"
        self.restore(self.before)
        why = self.culprit(lambda: self.loss(self.model(X), y).backward())
        self.restore(self.before)
        self.zero_grad()
        return why

    def culprit(self, compute: Callable[[], Any]) -> str:
        """The operation that made what is not finite, found by doing it again."""
        try:
            with detect_nan():
                compute()
        except FloatingPointError as error:
            return str(error)
        return "there is nan or infinity, though no operation on its own is to blame"

    def diverged(self, why: str) -> DivergenceError:
        """The error that ends the training here."""
        self.history.stopped = f"diverged in epoch {len(self.history) + 1}, batch {self.batch}"
        what = f"{self.history.stopped}: {why}; a smaller step size may help"
        return DivergenceError(what, self.history)

    def zero_grad(self) -> None:
        """Forget all gradients, of parameters that the optimiser does not have too."""
        for tensor in self.tensors:
            tensor.grad = None

    def state(self) -> tuple[list[Any], Any]:
        """What the model and the optimiser hold. No copies: these arrays never change."""
        return [tensor._array for tensor in self.tensors], self.optimizer._snapshot()

    def restore(self, state: tuple[list[Any], Any]) -> None:
        """Give them back what they held."""
        arrays, snapshot = state
        for tensor, array in zip(self.tensors, arrays, strict=True):
            tensor._replace(array)
        self.optimizer._restore(snapshot)

    def measured(self, X: Any, y: Any, of: str = "") -> dict[str, float]:
        """The metrics; with ``of``, which goes before their names, the loss too."""

        def evaluated() -> tuple[Any, float]:
            with evaluating(self.model), no_grad():
                outputs = _predicted(self.model, X)
                return outputs, self.loss(Tensor(outputs), y).item()

        with np.errstate(all="ignore"):
            outputs, loss = evaluated()
            row = {f"{of}{name}": float(m(outputs, y)) for name, m in self.metrics.items()}
        if not math.isfinite(loss):
            why = self.culprit(evaluated)
            self.restore(self.before)
            raise self.diverged(f"after it, {why}")
        return {f"{of}loss": loss, **row} if of else row


class _Batches:
    """The rows of each step of an epoch, in an order that chance gives anew for each epoch."""

    def __init__(self, run: _Run, n: int, batch_size: int | None, shuffle: bool, seed: Seed):
        self.n, self.optimizer = n, run.optimizer
        self.generator = chance(seed)
        started: Any = None if self.generator is seed else self.generator.bit_generator.seed_seq
        self.seed = started  # None: the generator goes on from where it is
        self.batch_size = n if batch_size is None else min(size(batch_size, "batch_size"), n)
        self.count = -(-n // self.batch_size)
        self.shuffle = shuffle and self.count > 1
        last = n - (self.count - 1) * self.batch_size
        if last == 1 and any(isinstance(part, BatchNorm) for _, part in run.model.named_modules()):
            raise ValueError(
                f"batch_size={self.batch_size} leaves one of {n} rows alone in a batch, "
                "which BatchNorm cannot learn from; choose another"
            )

    def __iter__(self) -> Iterator[Any]:
        if not self.shuffle:
            return row_numbers(self.n, self.batch_size)
        generator = self.generator
        if self.seed:  # the same in a training that is resumed here
            key = (*self.seed.spawn_key, self.optimizer.steps)
            seed = np.random.SeedSequence(self.seed.entropy, spawn_key=key)
            generator = np.random.default_rng(seed)
        if self.batch_size == 1:
            drawn = generator.integers(self.n, size=self.n)
            return (drawn[i : i + 1] for i in range(self.n))
        return row_numbers(self.n, self.batch_size, generator)


class _Stopping:
    """When to end a training, and what the model held when it was best."""

    def __init__(self, run: _Run, epochs: Any, tolerance: Any, patience: Any, of: str):
        self.run, self.watched = run, f"{of}loss"
        self.epochs = size(epochs, "epochs")
        self.tolerance = None if tolerance is None else not_negative(tolerance, "tolerance")
        self.patience = None if patience is None else size(patience, "patience")
        self.lowest, self.best, self.state = math.inf, 0, run.state()

    def reason(self, history: History) -> str:
        """Why to end here, if there is a reason."""
        epoch, now = len(history), history.rows[-1]
        if self.patience and now[self.watched] < self.lowest:
            self.lowest, self.best, self.state = now[self.watched], epoch, self.run.state()
        if self.patience and epoch - self.best >= self.patience:
            return f"no lower {self.watched} in {self.patience} epochs"
        if self.tolerance is not None and epoch > 1:
            before = history.rows[-2]["loss"]
            if abs(now["loss"] - before) <= self.tolerance * abs(before):
                return f"converged: the loss changed by at most {self.tolerance:g} of itself"
        if epoch < self.epochs:
            return ""
        grew = now["loss"] > history.rows[0]["loss"]
        return f"all {epoch} epochs done" + grew * ", but the loss grew: try a smaller step size"

    def back_to_best(self) -> str:
        """Give the model back what it held when it was best, where that was watched; and say so."""
        if not self.best:
            return ""
        self.run.restore(self.state)
        return f"; the model is as after epoch {self.best}"


def _all_finite(arrays: Iterable[Any]) -> bool:
    return all(np.isfinite(array).all() for array in arrays)


def _is_true(told: Any) -> bool:
    """Whether a callback gave True, and not just something, such as a picture."""
    return isinstance(told, bool | np.bool_) and bool(told)


def _mean_deltas(loss: Tensor, layers: dict[Tensor, str]) -> dict[str, float]:
    """The mean |δ| of each layer, from the input's side to the output's.

    δ is the adjoint of a product with weights. A bias added to it has the same adjoint.
    """
    found: dict[str, list[float]] = {}
    for node in reversed(topological_order(loss)):
        if not node.is_leaf and node.rule.name in _WEIGHTED:
            bias = 2 if node.rule.name == "linear" else None
            factors = [_untransposed(node.inputs[i]) for i in node.edges if i != bias]
            for x in layers.keys() & factors:
                found.setdefault(layers[x], []).append(float(np.mean(np.abs(node.grad))))
    return {f"{DELTA}{layer}": sum(means) / len(means) for layer, means in found.items()}


def _untransposed(x: Tensor) -> Tensor:
    return x if x.is_leaf or "transpose" not in x.rule.name else x.inputs[0]


def _shown(row: dict[str, float]) -> str:
    names = [name for name in row if not name.startswith(DELTA) and name != "learning rate"]
    names.sort(key=lambda name: name.startswith(VALIDATION))  # where a line ends, they go first
    return ", ".join(f"{name} {row[name]:.3g}" for name in names)


# Arguments


def _listed(values: Any, name: str) -> list[Any]:
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise TypeError(f"{name} must be a list, not {shown(values)}")
    return list(values)


def _named(metrics: Any) -> dict[str, Function]:
    """The metrics by their names."""
    listed = _listed(metrics, "metrics")
    functions = [function(metric, METRICS, "metric") for metric in listed]
    named = {getattr(f, "__name__", type(f).__name__): f for f in functions}
    if len(named) < len(functions):
        raise ValueError(
            f"metrics must have different names, and two of these share one: {shown(listed)}"
        )
    for name in named:
        if name in MEASURED or name.startswith((DELTA, VALIDATION)):
            raise ValueError(f"a metric cannot be called {name!r}: the history has one of its own")
    return named


def _pair(validation: Any) -> tuple[Any, Any]:
    if not isinstance(validation, tuple | list) or len(validation) != 2:
        raise TypeError(f"validation must be a pair of arrays (X, y), not {shown(validation)}")
    return validation[0], validation[1]


def _array(x: Any, name: str) -> Any:
    if isinstance(x, Tensor):
        return x.data
    return as_rows(x, name)
