"""`fit`: for each epoch, for each batch, one step down the gradient; then measure."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..nn import Module
from ..optim import Optimizer
from ..support.answers import keyword_advice
from ..support.arguments import Seed, flag
from .batching import Batches
from .checking import as_callbacks
from .history import History
from .measuring import Measures
from .preparing import Prepared
from .progress import bar_of, ctrl_c
from .rollback import DivergenceError, Rollback
from .steps import Steps
from .stopping import Stopping

Function = Callable[[Any, Any], Any]
Callback = Callable[[Module, History], Any]
_WORTH_COMPILING = 64  # steps of a shape: two are recorded, and a program is made


@keyword_advice
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
    validation: tuple[Any, Any] | float | None = None,
    metrics: Sequence[str | Function] | Mapping[str, Function] = (),
    sample_weight: Any = None,
    class_weight: str | Mapping[int, float] | None = None,
    observe: str | None = None,
    tolerance: float | None = None,
    patience: int | None = None,
    monitor: str | None = None,
    callbacks: Iterable[Callback] = (),
    progress: bool = True,
    compile: bool = True,
) -> History:
    """Move the model's parameters until its loss is small.

    Each step takes the gradient of one batch's loss and gives it to the optimiser. An epoch is
    as many steps as cover the rows once.

    Parameters
    ----------
    model : Module
    X, y : arrays with the same number of rows
        Inputs and targets, as the model and the loss take them. Dask arrays are trained on block by
        block, on a cluster if there is one: see `train.blocks.fit_blocks`.
    loss : {'mse', 'mae', 'huber', 'cross_entropy', 'binary_cross_entropy'} or function
        ``loss(outputs, targets)`` gives one number to make small. A function of your own can
        add terms, such as `functional.l1_penalty`. The two cross-entropies take logits: no
        activation comes after the output layer. PyTorch's, Keras's and scikit-learn's names of
        these are understood.
    optimizer : Optimizer
        The optimiser of the model's parameters.
    epochs : int
        The largest number of epochs.
    batch_size : int, optional
        The number of rows in a step. None: all rows. 1: stochastic gradient descent, in which each
        step draws its row from all rows, independently and with equal probability (Robbins and
        Monro 1951). In between, each epoch goes through all rows in a new random order.
    shuffle : bool
        Whether the rows of a step are chosen at random; with False they are taken in order.
    seed : int or Generator, optional
        The seed of that choice. With an integer, an epoch's order depends on it and on the number
        of steps that the optimiser has taken: a training whose model and optimiser were saved is
        resumed, with the same seed, as if it had never stopped. A Generator continues from its
        present state.
    validation : pair of arrays or float, optional
        ``X, y`` that are not learned from, whose loss and metrics are measured after each epoch. Or
        the share of the rows to set aside for that, such as 0.2, or their number; ``seed`` draws
        them.
    metrics : sequence of {'accuracy', 'mae', 'mse', 'r2'} or functions, or a dictionary of these
        ``metric(outputs, targets)``, measured after each epoch, on all rows. The keys of a
        dictionary are their names. PyTorch's, Keras's and scikit-learn's names are understood.
    sample_weight : array of shape (n,), optional
        The weight of each row in the training loss: the mean of the rows' losses, each times its
        weight, with the weights scaled to a mean of 1. Metrics, and the loss of the validation
        data, count all rows alike.
    class_weight : 'balanced' or dictionary, optional
        The weight of the rows of each class, by class number. ``'balanced'`` gives all classes the
        same total weight, however rare they are.
    observe : {'deltas'}, optional
        What else to record: 'deltas' is the error signal δ of each layer, see `History.deltas`.
    tolerance : float, optional
        Stop when an epoch changes the loss by no more than this share of it.
    patience : int, optional
        Stop after this many epochs in a row without a lower loss (of the validation data if there
        are any, else `History.loss`). However the training ends, the model and the optimiser are
        then as they were after the best epoch.
    monitor : str, optional
        What ``patience`` watches instead: the name of a metric, such as ``'validation accuracy'``.
        Larger is better, unless the name ends in loss, error or deviance, or is that of an error.
    callbacks : iterable of functions
        ``callback(model, history)`` after each epoch; one that returns True ends the training.
    progress : bool
        Whether to show a bar.
    compile : bool
        Whether to run repeated steps as NumPy programs, which give the same results to the last bit
        in less time: see `tinygrad_bp.compile`. A step that cannot be compiled is taken by the
        engine, and `History.why_eager` says why. In each epoch's first step the program's loss is
        compared with the engine's.

    Returns
    -------
    History
        The completed epochs. Ctrl-C stops after the current step, and what was measured and learned
        until then is kept. The model is left in evaluation mode.

    Raises
    ------
    DivergenceError
        If a loss or a gradient is not finite: it names the epoch, the batch and the operation
        that made it so. The model and the optimiser are as they were before that batch, unless
        ``patience`` takes them further back.
    TypeError, ValueError
        If an argument, a shape, a type or a label is wrong. The model, the loss and the metrics go
        through all rows before any step is taken. An error that they raise later, in training,
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
    callbacks = as_callbacks(callbacks)
    weights = (sample_weight, class_weight)
    data = Prepared(model, optimizer, X, y, loss, metrics, validation, weights, seed)
    batches = Batches(model, optimizer, len(data.X), batch_size, flag(shuffle, "shuffle"), seed)
    rollback = Rollback(model, optimizer, History())
    stopping = Stopping(rollback, data, epochs, tolerance, patience, monitor)
    compiled = flag(compile, "compile") and batches.lengths(stopping.epochs, _WORTH_COMPILING)
    steps = Steps(model, data.weighted_loss, optimizer, rollback, observe, compiled or ())
    training, measures = Training(data, steps, rollback), Measures(model, data, rollback)
    return run_epochs(training, measures, batches, stopping, callbacks, flag(progress, "progress"))


def run_epochs(
    training: Training,
    measures: Measures,
    batches: Batches,
    stopping: Stopping,
    callbacks: Iterable[Callback],
    shown: bool,
) -> History:
    """One epoch after the other, until there is a reason to end."""
    model, history, reason = training.model, training.history, ""
    with ctrl_c() as interrupted:
        try:
            with bar_of(stopping.epochs * batches.count, shown) as bar:
                while not reason:
                    began = time.perf_counter()
                    row = training.epoch(batches, bar, interrupted)
                    last = len(history) + 1 == stopping.epochs
                    row = {"loss": row["loss"], **measures.of_epoch(last), **row}
                    history.append(row | {"seconds": time.perf_counter() - began})
                    bar.say(row)
                    reason = _call_callbacks(callbacks, model, history, stopping.reason(history))
        except KeyboardInterrupt:
            reason = f"interrupted in epoch {len(history) + 1}"
        except DivergenceError:
            reason = history.stopped
            raise
        finally:
            model.eval()
            history.stopped = (reason or "ended by an error") + stopping.back_to_best()
    return history


def _call_callbacks(
    callbacks: Iterable[Callback], model: Module, history: History, reason: str
) -> str:
    """Call all callbacks; the reason to end, if there is one or one of them gave True."""
    answers = [callback(model, history) for callback in callbacks]
    ended = any(isinstance(answer, bool | np.bool_) and answer for answer in answers)
    return reason or ("ended by a callback" if ended else "")


class Training:
    """The steps of a training, which let nothing into the model that is not finite."""

    def __init__(self, data: Prepared, steps: Steps, rollback: Rollback):
        self.model, self.data, self.steps = steps.model, data, steps
        self.rollback, self.history = rollback, rollback.history

    @np.errstate(all="ignore")  # what is not finite is looked for in the loss and the gradient
    def epoch(self, batches: Batches, bar: Any, interrupted: list[int]) -> dict[str, float]:
        """Take the steps of one epoch."""
        bar.set_description(f"epoch {len(self.history) + 1}", refresh=False)
        self.model.train()  # a callback may have looked at it in evaluation mode
        losses = lengths = 0.0
        arrays = (self.data.X, *self.data.targets)
        for batch, part in enumerate(batches, 1):
            if interrupted:
                raise KeyboardInterrupt
            rows, *targets = (_read_only(array[part]) for array in arrays)
            with self.rollback.guard(batch):
                first, last = batch == 1, batch == batches.count
                loss, length = self.steps.take(first, last, rows, *targets)
            if self.steps.why_eager and not self.history.why_eager:
                self.history.why_eager = self.steps.why_eager
                bar.note(f"steps are not compiled: {self.history.why_eager}")
            losses += loss * len(rows)
            lengths += length
            if bar.update():  # it was drawn, and will be again
                before = self.history.rows[-1] if self.history else {}
                bar.say(before | {"loss": loss, "gradient norm": length})
        self.rollback.check_last_step()
        return {
            "loss": losses / len(self.data.X),
            "gradient norm": lengths / batches.count,
            **self.steps.observed,
        }


def _read_only(rows: Any) -> Any:
    """Rows that a recorded graph can keep without a copy."""
    if isinstance(rows, np.ndarray):
        rows.setflags(write=False)
    return rows
