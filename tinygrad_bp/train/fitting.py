"""`fit`: for each epoch, for each batch, one step down the gradient; then measure."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from ..functional.losses import LOSSES
from ..nn import Module
from ..optim import Optimizer
from ..support.answers import told_keywords
from ..support.arguments import Seed, flag, function
from .batching import Batches
from .checking import as_list, by_name, check_model, checked_data, checked_validation
from .history import History
from .measuring import Measures, mean_deltas, row_text
from .progress import bar_of, ctrl_c
from .rollback import DivergenceError, Rollback
from .stopping import Stopping

Function = Callable[[Any, Any], Any]
Callback = Callable[[Module, History], Any]


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
        Inputs and targets, as the model and the loss take them. Dask's are gone through block by
        block, on a cluster if there is one: see `train.blocks.fit_blocks`.
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
        measured and learned until then is kept. The model is left in evaluation mode.

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
    check_model(model, optimizer)
    loss_of, measured = function(loss, LOSSES, "loss"), by_name(metrics)
    callbacks = [function(c, {}, "callback") for c in as_list(callbacks, "callbacks")]
    X, y = checked_data(model, loss_of, measured, X, y)
    held_out = checked_validation(model, loss_of, measured, validation)
    history = History()
    training = _Training(model, loss_of, optimizer, history)
    measures = Measures(model, loss_of, measured, training.rollback)
    batches = Batches(model, optimizer, len(X), batch_size, flag(shuffle, "shuffle"), seed)
    stopping = Stopping(training.rollback, epochs, tolerance, patience, bool(held_out))
    shown, reason = flag(progress, "progress"), ""
    with ctrl_c() as interrupted:
        try:
            with bar_of(stopping.epochs * batches.count, shown) as bar:
                while not reason:
                    began = time.perf_counter()
                    row = training.epoch(X, y, batches, bar, interrupted)
                    last = len(history) + 1 == stopping.epochs
                    row = {"loss": row["loss"], **measures.of_epoch(X, y, held_out, last), **row}
                    history.append(row | {"seconds": time.perf_counter() - began})
                    bar.set_postfix_str(row_text(row), refresh=False)
                    reason = _told_to_end(callbacks, model, history, stopping.reason(history))
        except KeyboardInterrupt:
            reason = f"interrupted in epoch {len(history) + 1}"
        except DivergenceError:
            reason = history.stopped
            raise
        finally:
            model.eval()
            history.stopped = (reason or "ended by an error") + stopping.back_to_best()
    return history


def _told_to_end(
    callbacks: Iterable[Callback], model: Module, history: History, reason: str
) -> str:
    """Call all callbacks; the reason to end, if there is one or one of them gave True."""
    answers = [callback(model, history) for callback in callbacks]
    ended = any(isinstance(answer, bool | np.bool_) and answer for answer in answers)
    return reason or ("ended by a callback" if ended else "")


class _Training:
    """The steps of a training, which let nothing into the model that is not finite."""

    def __init__(self, model: Module, loss: Function, optimizer: Optimizer, history: History):
        self.model, self.loss, self.optimizer, self.history = model, loss, optimizer, history
        self.rollback = Rollback(model, optimizer, history)
        tensors = model.named_tensors().items()
        self.layers = {tensor: path.removesuffix(".weight") for path, tensor in tensors}
        self.observed: dict[str, float] = {}

    @np.errstate(all="ignore")  # what is not finite is looked for in the loss and the gradient
    def epoch(
        self, X: Any, y: Any, batches: Batches, bar: Any, interrupted: list[int]
    ) -> dict[str, float]:
        """Take the steps of one epoch."""
        bar.set_description(f"epoch {len(self.history) + 1}", refresh=False)
        self.model.train()  # a callback may have looked at it in evaluation mode
        losses = lengths = 0.0
        for batch, part in enumerate(batches, 1):
            if interrupted:
                raise KeyboardInterrupt
            rows, targets = _read_only(X[part]), _read_only(y[part])
            with self.rollback.guard(batch):
                loss, length = self.step(rows, targets, observe=batch == batches.count)
            losses += loss * len(rows)
            lengths += length
            if bar.update():  # it was drawn, and will be again
                bar.set_postfix_str(f"loss {loss:.3g}, gradient norm {length:.3g}", refresh=False)
        self.rollback.check_last_step()
        return {"loss": losses / len(X), "gradient norm": lengths / batches.count, **self.observed}

    def step(self, X: Any, y: Any, observe: bool) -> tuple[float, float]:
        """Take one step, if the loss and the length of the gradient, which it gives, are finite."""
        self.rollback.zero_grad()
        loss = self.loss(self.model(X), y)
        loss.backward(keep_grads=observe)
        value, length = loss.item(), self.optimizer.gradient_norm()
        self.rollback.check_step(value, length, lambda: self.loss(self.model(X), y).backward())
        if observe:
            rate = self.optimizer.step_size
            self.observed = {"learning rate": rate, **mean_deltas(loss, self.layers)}
        self.optimizer.step()
        return value, length


def _read_only(rows: Any) -> Any:
    """Rows that a recorded graph can keep without a copy."""
    if isinstance(rows, np.ndarray):
        rows.setflags(write=False)
    return rows
