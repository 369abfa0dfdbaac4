"""Training over Dask arrays: a batch is blocks of rows, whose gradients workers find and sum.

Each step sends the model to the workers, which compute the loss and the gradient of each block
with the ordinary engine; these are added in a tree, and the optimiser steps here. The tree depends
on the blocks alone: with any number of workers, or with some that died, the sums are the same.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import cloudpickle
import dask
import dask.array as da
import numpy as np

from ..check import detect_nan
from ..data.rows import finite, rows
from ..engine.backprop import gradients
from ..engine.recording import no_grad
from ..engine.tensor import Tensor
from ..nn import Module, evaluating
from ..optim import Optimizer
from ..support.arguments import Seed, chance, size
from . import DivergenceError, History
from .progress import bar_of, ctrl_c

Function = Callable[[Any, Any], Any]


def predict_blocks(model: Module, X: Any) -> Any:
    """What the model gives for all rows of X, as a Dask array that nothing was computed of yet.

    The model is taken as it is now; a later step does not reach it.

    Examples
    --------
    >>> from tinygrad_bp import nn
    >>> outputs = predict_blocks(nn.MLP([2, 4, 3], seed=0), da.zeros((10, 2), chunks=(4, 2)))
    >>> outputs.chunks, outputs[:1].compute().shape
    (((4, 4, 2), (3,)), (1, 3))
    """
    X = _of_rows(X)
    one = _outputs(model, np.zeros((1, *X.shape[1:]), X.dtype))
    sent, apply = _sent(model), dask.delayed(_predicted)
    starts = np.cumsum((0, *X.chunks[0]))
    parts = [
        da.from_delayed(apply(sent, block, int(start)), (n, *one.shape[1:]), one.dtype)
        for block, n, start in zip(_blocks(X), X.chunks[0], starts, strict=False)
    ]
    return da.concatenate(parts)


def fit_blocks(
    model: Module,
    X: Any,
    y: Any,
    *,
    loss: Function,
    optimizer: Optimizer,
    epochs: int,
    batch_size: int | None = None,
    shuffle: bool = True,
    seed: Seed = None,
    validation: tuple[Any, Any] | None = None,
    metrics: Mapping[str, Function] | None = None,
    callbacks: Iterable[Callable[[Module, History], Any]] = (),
    progress: bool = True,
) -> History:
    """Train as `fit` does, over Dask arrays: on a cluster if a client is connected to one.

    Parameters
    ----------
    model, optimizer, epochs, callbacks, progress
        As in `fit`.
    X, y : Dask arrays with the same number of rows, or y an array
        Their blocks of rows are what workers get. Nothing but a batch is ever in memory.
    loss : function
        Of outputs and targets, a mean over rows (as all of ours are), plus terms that do not
        depend on them.
    batch_size : int, optional
        Rows to a step. None: all. Blocks are cut into batches if they are larger; else a batch is
        as many whole blocks as hold so many rows.
    shuffle : bool
        Whether chance orders the blocks of an epoch; rows stay in theirs.
    seed : int or Generator, optional
        Of that chance.
    validation : pair of arrays, optional
        NumPy's or Dask's.
    metrics : dictionary of functions, optional
        ``metric(outputs, targets)`` of Dask arrays.

    Raises
    ------
    DivergenceError
        If a loss, a gradient or a step is not finite. The model is as it was before that batch.
    TypeError, ValueError
        What a block's rows, the model or the loss raise on a worker, with the rows named.

    Examples
    --------
    >>> from tinygrad_bp import nn, optim
    >>> from tinygrad_bp.functional import mse_loss
    >>> X = da.random.default_rng(0).normal(size=(100, 2), chunks=(25, 2))
    >>> model = nn.Linear(2, 1, seed=0)
    >>> history = fit_blocks(
    ...     model, X, X.sum(axis=1, keepdims=True), loss=mse_loss, epochs=20, batch_size=25,
    ...     optimizer=optim.SGD(model.parameters(), lr=0.5), progress=False,
    ... )
    >>> bool(history.loss[-1] < 1e-6)
    True
    """
    data = _Rows(X, y, batch_size)
    _check_buffers(model, data.together)
    held_out = None if validation is None else _Rows(*validation, None)
    step = _Step(model, loss, optimizer)
    generator = chance(seed) if shuffle else None
    history, reason = step.history, ""
    with ctrl_c() as interrupted, bar_of(size(epochs, "epochs") * data.steps, progress) as bar:
        try:
            while len(history) < epochs and not reason:
                began = time.perf_counter()
                row = step.epoch(data.batches(generator), bar, interrupted)
                row |= _measured(model, data, metrics or {}, "")
                if held_out:
                    row |= {"validation loss": _loss_of(model, loss, held_out)}
                    row |= _measured(model, held_out, metrics or {}, "validation ")
                history.append(row | {"seconds": time.perf_counter() - began})
                ended = [callback(model, history) is True for callback in callbacks]
                reason = "ended by a callback" if any(ended) else ""
            reason = reason or f"all {len(history)} epochs done"
        except KeyboardInterrupt:
            reason = f"interrupted in epoch {len(history) + 1}"
        except DivergenceError:
            reason = history.stopped
            raise
        finally:
            model.eval()
            history.stopped = reason or "ended by an error"
    return history


class _Rows:
    """The blocks of rows of X and y, and how many of them make a batch."""

    def __init__(self, X: Any, y: Any, batch_size: int | None):
        X, y = _of_rows(X), _of_rows(y)
        rows(X, y)
        if batch_size is not None and size(batch_size, "batch_size") < max(X.chunks[0]):
            X = X.rechunk({0: batch_size})
        self.X, self.y = X, _of_rows(y, X.chunks[0])
        self.counts = X.chunks[0]
        self.starts = np.cumsum((0, *self.counts)).tolist()
        self.blocks = list(zip(_blocks(self.X), _blocks(self.y), strict=True))
        n = len(self.blocks)
        self.together = n if batch_size is None else min(n, -(-batch_size // max(self.counts)))
        self.steps = -(-n // self.together)

    def batches(self, generator: np.random.Generator | None = None) -> Iterator[_Batch]:
        """What each step of an epoch takes, the blocks in a new order if chance is to choose."""
        n = len(self.blocks)
        order = range(n) if generator is None else generator.permutation(n).tolist()
        for start in range(0, n, self.together):
            batch = order[start : start + self.together]
            total = sum(self.counts[i] for i in batch)
            shares = [(*self.blocks[i], self.starts[i], self.counts[i] / total) for i in batch]
            yield _Batch(total, shares)


class _Batch(NamedTuple):
    """Rows of one step, and their blocks: X, y, the first row, and the share of the rows."""

    rows: int
    blocks: list[tuple[Any, Any, int, float]]


class _Step:
    """A step along the gradient that workers found, which lets in nothing that is not finite."""

    def __init__(self, model: Module, loss: Function, optimizer: Optimizer):
        self.model, self.loss, self.optimizer = model, loss, optimizer
        self.tensors = list(dict.fromkeys([*model.named_tensors().values(), *optimizer.parameters]))
        self.history = History()
        self.batch = 0

    def epoch(self, batches: Iterable[_Batch], bar: Any, interrupted: list) -> dict[str, float]:
        """Take the steps of one epoch."""
        bar.set_description(f"epoch {len(self.history) + 1}", refresh=False)
        self.model.train()  # a callback may have looked at it in evaluation mode
        total = lengths = seen = 0.0
        for self.batch, batch in enumerate(batches, 1):
            if interrupted:
                raise KeyboardInterrupt
            value, length = self.take(batch.blocks)
            total, lengths, seen = total + batch.rows * value, lengths + length, seen + batch.rows
            bar.set_postfix_str(f"loss {value:.3g}, gradient norm {length:.3g}", refresh=False)
            bar.update()
        rate = self.optimizer.step_size
        return {"loss": total / seen, "gradient norm": lengths / self.batch, "learning rate": rate}

    def take(self, batch: list[Any]) -> tuple[float, float]:
        """Take one step; give the loss and the length of the gradient."""
        for tensor in self.tensors:
            tensor.grad = None
        parameters = self.optimizer.parameters
        sent = _sent(self.model, self.loss, parameters)
        (value, *found), buffers = _summed(_gradient_of_block, sent, batch)
        for p, g in zip(parameters, found, strict=True):
            p.grad = np.array(g)
        length = self.optimizer.gradient_norm()
        if not math.isfinite(value + length):
            for p in parameters:
                p.grad = None
            raise self.diverged(_culprit(sent, batch))
        before, memory = [tensor._array for tensor in self.tensors], self.optimizer._snapshot()
        with np.errstate(all="ignore"):  # what is not finite is looked for below
            self.optimizer.step()
        for buffer, new in zip(_buffers(self.model), buffers, strict=True):
            buffer.data = new
        if not all(np.isfinite(tensor.data).all() for tensor in self.tensors):
            for tensor, array in zip(self.tensors, before, strict=True):
                tensor._replace(array)
            self.optimizer._restore(memory)
            raise self.diverged("the step made parameters infinite")
        return value, length

    def diverged(self, why: str) -> DivergenceError:
        """The error that ends the training here."""
        where = f"in epoch {len(self.history) + 1}, batch {self.batch}"
        self.history.stopped = f"diverged {where}"
        return DivergenceError(f"the training diverged {where}: {why}", self.history)


def _check_buffers(model: Module, blocks: int) -> None:
    """Refuse layers that remember what they saw, where several blocks make one batch."""
    names = [name for name, tensor in model.named_tensors().items() if not tensor.requires_grad]
    if names and blocks > 1:
        raise ValueError(
            f"the model's {names[0]!r} changes with each batch, and a batch of {blocks} blocks is "
            "never in one place: choose a batch_size of one block, or a model without such layers"
        )


def _measured(model: Module, data: _Rows, metrics: Mapping[str, Function], of: str) -> dict:
    """The metrics of all rows, whose outputs are computed block by block for each."""
    if not metrics:
        return {}
    outputs = predict_blocks(model, data.X)
    return {f"{of}{name}": float(metric(outputs, data.y)) for name, metric in metrics.items()}


def _loss_of(model: Module, loss: Function, data: _Rows) -> float:
    """The loss of all rows, in evaluation mode."""
    (batch,) = data.batches()
    return float(_summed(_loss_of_block, _sent(model, loss), batch.blocks)[0][0])


# What is sent, and how it is summed


def _of_rows(array: Any, counts: tuple[int, ...] | None = None) -> Any:
    """A Dask array whose blocks are rows, of these numbers if they are given."""
    array = array if has_blocks(array) else da.from_array(np.asarray(array), chunks=-1)
    if any(math.isnan(n) for n in array.shape):
        array = array.compute_chunk_sizes()
    others = dict.fromkeys(range(1, array.ndim), -1)
    return array.rechunk({0: counts or array.chunks[0], **others})


def has_blocks(x: Any) -> bool:
    """Whether this is data of Dask's, to be trained on block by block.

    Examples
    --------
    >>> has_blocks(da.zeros(3)), has_blocks(np.zeros(3))
    (True, False)
    """
    return dask.is_dask_collection(x)


def _blocks(array: Any) -> list[Any]:
    return list(array.to_delayed(optimize_graph=False).ravel())  # which share what they can


def _sent(*what: Any) -> Any:
    """Things that belong together, as one task's result: computed again if its worker dies."""
    return dask.delayed(cloudpickle.dumps(what))


def _summed(task: Callable[..., Any], sent: Any, batch: list[Any]) -> tuple[list[Any], list[Any]]:
    """The results of all blocks, added in pairs, and pairs of pairs, in the order of the batch."""
    apply, add = dask.delayed(task), dask.delayed(_added)
    parts = [apply(sent, *block) for block in batch]
    while len(parts) > 1:
        pairs = [add(*parts[i : i + 2]) for i in range(0, len(parts) - 1, 2)]
        parts = pairs + parts[2 * len(pairs) :]
    return dask.compute(parts[0])[0]


# What runs on a worker


def _added(one: tuple[list, list], other: tuple[list, list]) -> tuple[list, list]:
    return [a + b for a, b in zip(one[0], other[0], strict=True)], one[1]


def _buffers(model: Module) -> list[Tensor]:
    return [tensor for tensor in model.named_tensors().values() if not tensor.requires_grad]


def _at_rows(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function of a block, whose errors name the rows; warnings of arithmetic are silenced."""

    def named(X: Any, first: int, *rest: Any) -> Any:
        try:
            with np.errstate(all="ignore"):  # what is not finite is looked for in the results
                return function(X, *rest)
        except (TypeError, ValueError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"rows {first} to {first + len(X) - 1}: {error}") from error

    return named


def _loss(model: Module, loss: Function, X: Any, y: Any) -> Tensor:
    value = loss(model(finite(X, "X")), finite(y, "y"))
    if not isinstance(value, Tensor) or value.size != 1:
        raise ValueError(f"the loss must be a Tensor with one number, not {value}")
    return value


def _gradient_of_block(sent: bytes, X: Any, y: Any, first: int, share: float) -> Any:
    """The block's share of the batch's loss and gradient, and what its layers remember."""
    model, loss, parameters = cloudpickle.loads(sent)

    def compute(X: Any) -> Any:
        value = _loss(model, loss, X, y)
        return value.item(), gradients(value, parameters)

    value, found = _at_rows(compute)(X, first)
    buffers = [buffer.numpy() for buffer in _buffers(model)]
    return [share * value, *(share * g for g in found)], buffers


def _loss_of_block(sent: bytes, X: Any, y: Any, first: int, share: float) -> Any:
    model, loss = cloudpickle.loads(sent)
    with evaluating(model), no_grad():
        return [share * _at_rows(lambda X: _loss(model, loss, X, y).item())(X, first)], []


def _predicted(sent: bytes, X: Any, first: int) -> Any:
    (model,) = cloudpickle.loads(sent)
    return _at_rows(lambda X: _outputs(model, finite(X, "X")))(X, first)


def _outputs(model: Module, X: Any) -> Any:
    with evaluating(model), no_grad():
        outputs = model(X)
    if not isinstance(outputs, Tensor) or outputs.shape[:1] != X.shape[:1]:
        raise ValueError(
            f"of X of shape {X.shape} the model must make a Tensor of {len(X)} rows, "
            f"not {getattr(outputs, 'shape', outputs)}"
        )
    return outputs.numpy()


def _culprit(sent: Any, batch: list[Any]) -> str:
    """The operation that made what is not finite, in the first block where there is one."""
    tasks = [dask.delayed(_fault)(sent, *block) for block in batch]
    whys = [why for why in dask.compute(*tasks) if why]
    return whys[0] if whys else "the sum of the blocks is not finite, though each block is"


def _fault(sent: bytes, X: Any, y: Any, first: int, share: float) -> str:
    model, loss, _ = cloudpickle.loads(sent)
    try:
        with detect_nan(), np.errstate(all="ignore"):
            _loss(model, loss, X, y).backward()
    except FloatingPointError as error:
        return f"rows {first} to {first + len(X) - 1}: {error}"
    return ""
