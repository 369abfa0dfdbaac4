"""What a worker of a cluster does with one block of rows: ordinary passes over NumPy's arrays."""

from __future__ import annotations

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
from .predicting import predicted

Function = Callable[[Any, Any], Any]
Found = dict[Any, Any]  # sums over blocks, by their names


def packed(*what: Any) -> bytes:
    """Things that belong together, so that what they share stays shared.

    Examples
    --------
    >>> x = Tensor(1.0)
    >>> one, other = cloudpickle.loads(packed(x, [x]))
    >>> one is other[0]
    True
    """
    return cloudpickle.dumps(what)


def added(one: Found, other: Found) -> Found:
    """What two blocks found, together; a parameter that one did not reach has the other's.

    Examples
    --------
    >>> added({"loss": 1.0, 0: None}, {"loss": 2.0, 0: np.ones(1)})
    {'loss': 3.0, 0: array([1.])}
    """
    return {name: _sum(value, other[name]) for name, value in one.items()}


def _sum(a: Any, b: Any) -> Any:
    if isinstance(a, dict):
        return added(a, b)
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
        for array in arrays:
            if np.shape(array)[:1] != (count,):
                raise ValueError(
                    f"the block was to have {count} rows, and has shape {np.shape(array)}"
                )
        with np.errstate(all="ignore"):  # what is not finite is looked for in the results
            return compute()
    except Exception as error:
        where, kinds = f"rows {first} to {first + count - 1}", (TypeError, ValueError)
        kind = next((kind for kind in kinds if isinstance(error, kind)), RuntimeError)
        named = "" if isinstance(error, kinds) else f"{type(error).__name__}: "
        raise kind(f"{where}: {named}{error}") from error


def loss_of(model: Module, loss: Any, X: Any, y: Any, share: float) -> Tensor:
    """The loss of a block, which is this share of its batch's rows.

    A loss that adds something to each batch has a method ``of_batch``: what it gives, told the
    rows of the whole batch, is called instead.
    """
    if hasattr(loss, "of_batch"):
        loss = loss.of_batch(round(len(X) / share))
    value = loss(model(finite(X, "X")), finite(y, "y"))
    if not isinstance(value, Tensor) or value.size != 1:
        raise ValueError(f"the loss must be a Tensor with one number, not {value}")
    if not (value.requires_grad or not model.training):
        raise ValueError("the loss must be computed from the outputs, outside no_grad()")
    return value


def gradient_of_block(sent: bytes, X: Any, y: Any, first: int, count: int, share: float) -> Found:
    """The block's share of the batch's loss and gradient; and what its layers remember."""
    model, loss, parameters, layers = cloudpickle.loads(sent)

    def compute() -> Found:
        value = loss_of(model, loss, X, y, share)
        value.backward(keep_grads=bool(layers))
        found: Found = {"loss": share * value.item()}
        for i, p in enumerate(parameters):
            found[i] = None if p.grad is None else share * p.grad
        means = mean_deltas(value, layers) if layers else {}
        found["deltas"] = {name: share * share * mean for name, mean in means.items()}
        return found | {"buffers": [buffer.numpy() for buffer in buffers(model)]}

    return at_rows(compute, first, count, X, y)


def loss_of_block(sent: bytes, X: Any, y: Any, first: int, count: int, share: float) -> Found:
    """The block's share of the loss of all rows, in evaluation mode."""
    model, loss = cloudpickle.loads(sent)
    with evaluating(model), no_grad():
        compute = lambda: {"loss": share * loss_of(model, loss, X, y, share).item()}  # noqa: E731
        return at_rows(compute, first, count, X, y)


def fault_of_block(sent: bytes, X: Any, y: Any, first: int, count: int, share: float) -> str:
    """The operation that made what is not finite, if there is one in this block."""
    model, loss, *_ = cloudpickle.loads(sent)
    try:
        with detect_nan(), np.errstate(all="ignore"):
            loss_of(model, loss, X, y, share).backward()
    except FloatingPointError as error:
        return f"rows {first} to {first + count - 1}: {error}"
    return ""


def outputs_of_block(sent: bytes, X: Any, first: int, count: int) -> Any:
    """What the model makes of a block, as an array."""
    (model,) = cloudpickle.loads(sent)
    return at_rows(lambda: predicted(model, finite(X, "X")), first, count, X)
