"""Training over Dask arrays: a batch is blocks of rows, whose gradients workers find and sum.

Each step sends the model to the workers, which compute the loss and the gradient of each block
with the ordinary engine; these are added in a tree, and the optimiser steps here. The tree depends
on the blocks alone: with any number of workers, or with some that died, the sums are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import dask
import numpy as np

from ..data.rows import finite
from ..engine.tensor import Tensor
from ..functional.losses import LOSSES
from ..nn import Dropout, Module
from ..optim import Optimizer
from ..optim.schedules import PerEpoch
from ..support.arguments import Seed, flag, function, shown, some
from . import workers
from .batching import Chance
from .block_rows import Batch, Blocks, pair_blocks, validation_pair
from .block_weights import block_weights
from .checking import as_callbacks, by_name, check_model
from .fitting import Training, run_epochs
from .history import History
from .measuring import Measures
from .packing import Packed
from .predicting import predict_rows
from .rollback import Rollback
from .steps import Steps
from .stopping import Stopping
from .weighting import weighted_loss

Function = Callable[[Any, Any], Any]


def predict_blocks(model: Module, X: Any) -> Any:
    """What the model gives for all rows of X, as a Dask array that nothing was computed of yet.

    The model is taken as it is now; a later step does not reach it.

    Examples
    --------
    >>> import dask.array as da
    >>> from tinygrad_bp import nn
    >>> outputs = predict_blocks(nn.MLP([2, 4, 3], seed=0), da.zeros((10, 2), chunks=(4, 2)))
    >>> outputs.chunks, outputs[:1].compute().shape
    (((4, 4, 2), (3,)), (1, 3))
    """
    if not isinstance(model, Module):
        raise TypeError(f"the model must be a Module, such as nn.MLP, not {shown(model)}")
    blocks = Blocks(X, "X")
    X = blocks.array
    one = predict_rows(model, finite(np.zeros((1, *X.shape[1:]), X.dtype), "X"))
    return X.map_blocks(
        workers.outputs_of_block,
        _sent(model, chance=True),
        starts=[*blocks.starts, len(blocks)],
        dtype=one.dtype,
        chunks=(blocks.counts, *((n,) for n in one.shape[1:])),
        drop_axis=list(range(1, X.ndim)),
        new_axis=list(range(1, one.ndim)),
        meta=one[:0],
    )


def fit_blocks(
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
    metrics: Sequence[str | Function] | Mapping[str, Function] = (),
    sample_weight: Any = None,
    class_weight: str | Mapping[int, float] | None = None,
    observe: str | None = None,
    tolerance: float | None = None,
    patience: int | None = None,
    monitor: str | None = None,
    callbacks: Iterable[Callable[[Module, History], Any]] = (),
    progress: bool = True,
    compile: bool = True,
) -> History:
    """Train as `fit` does, over Dask arrays: on a cluster if a client is connected to one.

    `fit` calls it, if X or y is Dask's. What differs is said here.

    Parameters
    ----------
    model, optimizer, epochs, seed, observe, tolerance, patience, monitor, callbacks, progress
        As in `fit`.
    X, y : Dask arrays with the same number of rows, or one of them an array
        The blocks of rows of X are what workers get. Nothing but a batch is ever in memory.
        Unknown numbers of rows are counted first.
    loss : str or function
        As in `fit`; a mean over rows (as all of ours are), plus terms that do not depend on them.
    batch_size : int, optional
        The number of rows in a step. None: all rows. Larger blocks are cut into batches; otherwise
        a batch is as many whole blocks as hold this many rows.
    shuffle : bool
        Whether the blocks of an epoch come in random order; rows stay in their blocks.
    validation : pair of arrays, optional
        NumPy's or Dask's.
    metrics : sequence of str or functions, or a dictionary of functions
        As in `fit`. They are given Dask arrays.
    sample_weight : array of shape (n,), optional
        NumPy's or Dask's, in blocks of any sizes.
    class_weight : 'balanced' or dictionary, optional
        As in `fit`. All weights are gone through once before any step, and for this all of y.
    compile : bool
        Whether workers compile their passes, as `fit` does its steps, from the second epoch on: in
        the first the engine looks at the values of all blocks. The results are the same.

    Raises
    ------
    DivergenceError, TypeError, ValueError
        As in `fit`, with the rows named that a worker found at fault when it came to them. The
        model is as it was before that batch.
    RuntimeError
        If anything else goes wrong on a worker, with the rows named.

    Examples
    --------
    >>> import dask.array as da
    >>> from tinygrad_bp import nn, optim
    >>> X = da.random.default_rng(0).normal(size=(100, 2), chunks=(25, 2))
    >>> model = nn.Linear(2, 1, seed=0)
    >>> history = fit_blocks(
    ...     model, X, X.sum(axis=1, keepdims=True), loss="mse", epochs=20, batch_size=25,
    ...     optimizer=optim.SGD(model.parameters(), lr=0.5), progress=False,
    ... )
    >>> bool(history.loss[-1] < 1e-6)
    True
    """
    callbacks = as_callbacks(callbacks)
    shuffle = flag(shuffle, "shuffle")
    check_model(model, optimizer)
    pair, weights = pair_blocks(X, y, batch_size, shuffle), (sample_weight, class_weight)
    data: Any = _BlockData(loss, metrics, pair, validation, weights)
    batches: Any = _BlockBatches(optimizer, data.X, batch_size, shuffle, seed)
    rollback = Rollback(model, optimizer, History())
    steps = _BlockSteps(model, data.weighted_loss, optimizer, rollback, observe, compiled=())
    steps.compiled = flag(compile, "compile")
    stopping = Stopping(rollback, data, epochs, tolerance, patience, monitor)
    training, measures = Training(data, steps, rollback), _BlockMeasures(model, data, rollback)
    return run_epochs(training, measures, batches, stopping, callbacks, flag(progress, "progress"))


class _BlockData:
    """`Prepared` for blocks: rows are looked at where a worker comes to them."""

    def __init__(
        self,
        loss: Any,
        metrics: Any,
        pair: tuple[Blocks, Blocks],
        validation: Any,
        weights: tuple[Any, Any],
    ):
        self.loss = self.weighted_loss = function(loss, LOSSES, "loss")
        self.metrics = by_name(metrics)
        self.X, self.y = pair
        self.targets = [self.y]
        self.held_out = None if validation is None else validation_pair(validation)
        if any(given is not None for given in weights):
            self.weighted_loss = weighted_loss(self.loss)
            self.targets.append(block_weights(self.y, *weights))


class _BlockBatches:
    """The blocks of each step of an epoch, in an order that chance gives anew for each epoch."""

    def __init__(
        self,
        optimizer: Optimizer,
        features: Blocks,
        batch_size: int | None,
        shuffle: bool,
        seed: Seed,
    ):
        self.chance, numbers = Chance(optimizer, seed), range(len(features.counts))
        if batch_size is None:
            self.batches = [list(numbers)]
        elif shuffle:
            together = -(-batch_size // max(features.counts))
            self.batches = [list(numbers[i : i + together]) for i in numbers[::together]]
        else:
            batch_of = [first // batch_size for first in features.starts]
            self.batches = [[*group] for _, group in groupby(numbers, batch_of.__getitem__)]
        self.count = len(self.batches)
        self.shuffle = shuffle and self.count > 1
        if isinstance(optimizer.lr, PerEpoch):
            optimizer.lr.told = self.count

    def __iter__(self) -> Iterator[list[int]]:
        if not self.shuffle:
            return iter(self.batches)
        order = self.chance.of_epoch().permutation(sum(map(len, self.batches))).tolist()
        return ([order[i] for i in batch] for batch in self.batches)


# What is asked of the workers


class _BlockSteps(Steps):
    """The steps of a training, along gradients that workers found."""

    compiled = True  # by the workers, once the engine has looked at the values of all blocks

    def take(self, first: bool, last: bool, *batch: Any) -> tuple[float, float]:
        """Take one step, if the loss and the length of the gradient, which it gives, are finite."""
        self.rollback.zero_grad()
        parameters, observe = self.optimizer.parameters, last and self.deltas
        sent = _sent(
            self.model,
            self.loss,
            parameters,
            self.layers if observe else {},
            parameters=parameters,
            compiled=self.compiled and bool(self.rollback.history) and not observe,
        )
        found = _sum_blocks(workers.gradient_of_block, sent, *batch)
        self.why_eager = found[workers.WHY_EAGER]
        for i, p in enumerate(parameters):
            p.grad = None if found[i] is None else np.array(found[i])
        value, length = found["loss"], self.optimizer.gradient_norm()
        self.rollback.check_step(value, length, lambda: _look_for_fault(sent, *batch))
        self._remember(found["buffers"], len(batch[0].parts))
        if last:
            self.observed = {"learning rate": self.optimizer.step_size, **found["deltas"]}
        self.optimizer.step()
        return value, length

    def _remember(self, changed: list[tuple[int, Any]], blocks: int) -> None:
        """Give the layers what they remember of a batch, which of several blocks is nowhere."""
        names = {tensor: name for name, tensor in self.model.named_tensors().items()}
        parts = [part for _, part in self.model.named_modules()]
        draws = {part.draws for part in parts if isinstance(part, Dropout)}
        for i, new in changed:
            buffer = workers.buffers(self.model)[i]
            if blocks > 1 and buffer not in draws:
                raise ValueError(
                    f"the model's {names[buffer]!r} changes with each batch, and a batch of "
                    f"{blocks} blocks is never in one place: choose a batch_size of one block, "
                    "or a model without such layers"
                )
            buffer.data = new


class _BlockMeasures(Measures):
    """The loss and the metrics of a model, of all rows, which are gone through for each."""

    def of(self, X: Blocks, y: Blocks, prefix: str = "") -> dict[str, float]:
        """The metrics; with a prefix, which goes before their names, the loss too."""
        batch = range(len(X.counts))
        sent = _sent(self.model, self.data.loss, chance=True)
        loss = _sum_blocks(workers.loss_of_block, sent, X[batch], y[batch])["loss"]
        self.rollback.check_measure(loss, lambda: _look_for_fault(sent, X[batch], y[batch]))
        outputs = predict_blocks(self.model, X.array) if self.data.metrics else None
        row = {f"{prefix}{n}": float(m(outputs, y.array)) for n, m in self.data.metrics.items()}
        return {f"{prefix}loss": loss, **row} if prefix else row


def gradient_of_blocks(
    model: Module,
    loss: Function,
    parameters: Sequence[Tensor],
    X: Any,
    y: Any,
    compiled: bool = False,
) -> tuple[float, list[Any]]:
    """The loss of all rows and its gradient, computed on the workers; nothing is moved.

    They may compile what they do if the engine has looked at the values of all blocks before.

    Examples
    --------
    >>> import dask.array as da
    >>> from tinygrad_bp import nn
    >>> model, X = nn.Linear(1, 1, seed=0), da.ones((6, 1), chunks=4)
    >>> loss = lambda outputs, targets: np.mean(outputs - targets)
    >>> value, (weight, bias) = gradient_of_blocks(model, loss, model.parameters(), X, 0 * X)
    >>> weight, bias
    (array([[1.]]), array([1.]))
    """
    features, targets = pair_blocks(X, y)
    numbers = range(len(features.counts))
    sent = _sent(model, loss, parameters, {}, parameters=parameters, compiled=compiled)
    found = _sum_blocks(workers.gradient_of_block, sent, features[numbers], targets[numbers])
    return found["loss"], [
        np.zeros_like(p.data) if found[i] is None else found[i] for i, p in enumerate(parameters)
    ]


def _sent(model: Module, *more: Any, parameters: Any = (), **options: bool) -> Any:
    """What belongs together, as one task's result: computed again if its worker dies."""
    tensors = list(dict.fromkeys([*model.named_tensors().values(), *parameters]))
    return dask.delayed(Packed((model, *more), tensors, **options), traverse=False)


def _tasks(task: Callable[..., Any], sent: Any, *batch: Batch) -> list[Any]:
    """The task of each block, told its share of the batch's rows."""
    apply, total = dask.delayed(task), len(batch[0])
    return [
        apply(sent, (first, n, n / total, i), *(part.parts[i][0] for part in batch))
        for i, (_, first, n) in enumerate(batch[0].parts)
    ]


def _sum_blocks(task: Callable[..., Any], sent: Any, *batch: Batch) -> dict[Any, Any]:
    """The results of all blocks, added in pairs, and pairs of pairs, in the order of the batch."""
    add, parts = dask.delayed(workers.add), _tasks(task, sent, *batch)
    while len(parts) > 1:
        pairs = [add(*parts[i : i + 2]) for i in range(0, len(parts) - 1, 2)]
        parts = pairs + parts[2 * len(pairs) :]
    (found,) = _compute(batch[0], parts[0])
    if workers.FAILED in found:
        _, kind, message, trace = min(found[workers.FAILED], key=lambda failure: failure[0])
        error = kind(message)
        error.add_note(trace)
        raise error
    return found


def _compute(X: Batch, *what: Any) -> Any:
    """What Dask computes; what goes wrong before our own tasks, in the data's, names the rows."""
    try:
        return dask.compute(*what)
    except Exception as error:
        ends = [f"{first} to {first + n - 1}" for _, first, n in X.parts]
        error.add_note(f"while the blocks of rows {some(ends)} were computed")
        raise


def _look_for_fault(sent: Any, *batch: Batch) -> None:
    """Say which operation made what is not finite, in the first block where there is one."""
    tasks = _tasks(workers.fault_of_block, sent, *batch)
    found = [why for why in _compute(batch[0], *tasks) if why]
    if not found:
        raise FloatingPointError("the sum of the blocks is not finite, though each block is")
    raise FloatingPointError(found[0])
