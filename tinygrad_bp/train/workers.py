"""What a worker of a cluster does with one block of rows: ordinary passes over NumPy's arrays."""

from __future__ import annotations

import functools
import traceback
from collections.abc import Callable
from typing import Any

import cloudpickle
import numpy as np

from ..check import detect_nan
from ..data.rows import finite
from ..engine.recording import no_grad
from ..engine.tensor import Tensor
from ..nn import Module, evaluating
from .measuring import mean_deltas
from .predicting import predict_rows

Found = dict[Any, Any]  # what is added up over blocks, by name
FAILED = "failed"


def pack(*what: Any) -> bytes:
    """Things that belong together, so that what they share stays shared.

    Examples
    --------
    >>> x = Tensor(1.0)
    >>> one, other = cloudpickle.loads(pack(x, [x]))
    >>> one is other[0]
    True
    """
    return cloudpickle.dumps(what)


def add(one: Found, other: Found) -> Found:
    """What two blocks found, together; a parameter that one did not reach has the other's.

    Examples
    --------
    >>> add({"loss": 1.0, 0: None}, {"loss": 2.0, 0: np.ones(1)})
    {'loss': 3.0, 0: array([1.])}
    >>> add({"loss": 1.0}, {"failed": ["rows 5 to 9: ..."]})
    {'failed': ['rows 5 to 9: ...']}
    """
    if FAILED in one or FAILED in other:
        return {FAILED: one.get(FAILED, []) + other.get(FAILED, [])}
    return {name: _sum(value, other[name]) for name, value in one.items()}


def _sum(a: Any, b: Any) -> Any:
    if isinstance(a, dict):
        return add(a, b)
    return b if a is None else a if b is None else a + b


def buffers(model: Module) -> list[Tensor]:
    """What the model's layers remember, and no optimiser moves.

    Examples
    --------
    >>> from tinygrad_bp import nn
    >>> buffers(nn.Linear(2, 1)), len(buffers(nn.BatchNorm(2)))
    ([], 2)
    """
    return [tensor for tensor in model.named_tensors().values() if not tensor.requires_grad]


def at_rows(compute: Callable[[], Any], first: int, count: int, *arrays: Any) -> Any:
    """What is computed of a block, which must have so many rows; errors name the rows.

    Examples
    --------
    >>> at_rows(lambda: 0, 10, 5, np.zeros((4, 2)))
    Traceback (most recent call last):
        ...
    ValueError: rows 10 to 14: the block was to have 5 rows, and has shape (4, 2)
    """
    try:
        for shape in map(np.shape, arrays):
            if shape[:1] != (count,):
                raise ValueError(f"the block was to have {count} rows, and has shape {shape}")
        with np.errstate(all="ignore"):  # what is not finite is looked for in the results
            return compute()
    except Exception as error:
        kind = next((k for k in (TypeError, ValueError) if isinstance(error, k)), RuntimeError)
        other = f"{type(error).__name__}: " if kind is RuntimeError else ""
        raise kind(f"rows {first} to {first + count - 1}: {other}{error}") from error


def careful_task(task: Callable[..., Found]) -> Callable[..., Found]:
    """The task of a block, which raises nothing, but gives the error with its first row.

    So that of several errors the first is told, whichever worker comes to its own before.
    """

    @functools.wraps(task)
    def told(sent: bytes, X: Any, y: Any, first: int, count: int, share: float) -> Found:
        try:
            return at_rows(lambda: task(*cloudpickle.loads(sent), X, y, share), first, count, X, y)
        except Exception as error:
            trace = "".join(traceback.format_exception(error.__cause__ or error))
            return {FAILED: [(first, type(error), str(error), f"On the worker:\n{trace}")]}

    return told


def loss_of(model: Module, loss: Any, X: Any, y: Any, share: float) -> Tensor:
    """The loss of a block, which is this share of its batch's rows.

    A loss that adds something for each batch has a method ``of_batch``: what it gives, told how
    many rows the whole batch has, is called instead.

    Examples
    --------
    >>> from tinygrad_bp import functional, nn
    >>> layer = nn.Linear(1, 1, init=lambda generator, inputs, outputs: np.ones((1, 1)))
    >>> loss_of(layer, functional.mse_loss, np.ones((2, 1)), np.zeros((2, 1)), 1.0).item()
    1.0
    """
    if hasattr(loss, "of_batch"):
        loss = loss.of_batch(round(len(X) / share))
    value = loss(model(finite(X, "X")), finite(y, "y"))
    if not isinstance(value, Tensor) or value.size != 1:
        raise ValueError(f"the loss must be a Tensor with one number, not {value}")
    if model.training and not value.requires_grad:
        raise ValueError("the loss must be computed from the outputs, outside no_grad()")
    return value


@careful_task
def gradient_of_block(
    model: Module, loss: Any, parameters: Any, layers: Any, X: Any, y: Any, share: float
) -> Found:
    """The block's share of the batch's loss, gradient and |δ|; and what its layers remember."""
    value = loss_of(model, loss, X, y, share)
    value.backward(keep_grads=bool(layers))
    found: Found = {"loss": share * value.item()}
    for i, p in enumerate(parameters):
        found[i] = None if p.grad is None else share * p.grad
    means = mean_deltas(value, layers) if layers else {}
    found["deltas"] = {name: share * share * mean for name, mean in means.items()}
    return found | {"buffers": [buffer.numpy() for buffer in buffers(model)]}


@careful_task
def loss_of_block(model: Module, loss: Any, X: Any, y: Any, share: float) -> Found:
    """The block's share of the loss of all rows, in evaluation mode."""
    with evaluating(model), no_grad():
        return {"loss": share * loss_of(model, loss, X, y, share).item()}


def fault_of_block(sent: bytes, X: Any, y: Any, first: int, count: int, share: float) -> str:
    """The operation that made what is not finite, if there is one in this block."""
    model, loss, *_ = cloudpickle.loads(sent)
    try:
        with detect_nan():
            loss_of(model, loss, X, y, share).backward()
    except FloatingPointError as error:
        return f"rows {first} to {first + count - 1}: {error}"
    return ""


def outputs_of_block(sent: bytes, X: Any, first: int, count: int) -> Any:
    """What the model makes of a block, as an array."""
    (model,) = cloudpickle.loads(sent)
    return at_rows(lambda: predict_rows(model, finite(X, "X")), first, count, X)
