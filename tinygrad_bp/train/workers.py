"""What a worker of a cluster does with one block of rows: ordinary passes over NumPy's arrays."""

from __future__ import annotations

import functools
import traceback
from collections.abc import Callable
from typing import Any

import numpy as np

from ..check import detect_nan
from ..compiling import CannotCompileError
from ..data.rows import finite
from ..engine.recording import no_grad
from ..engine.tensor import Tensor
from ..nn import Dropout, Module, evaluating
from .measuring import mean_deltas
from .packing import Packed
from .predicting import predict_rows
from .replicas import kept

Found = dict[Any, Any]  # what is add up over blocks, by name
Place = tuple[int, int, float, int]  # of a block: first row, rows, share of the batch's, number
FAILED, WHY_EAGER = "failed", "why eager"


def add(one: Found, other: Found) -> Found:
    """What two blocks found, together; a parameter that one did not reach has the other's.

    What is no number and no array is the first's, if that has something.

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
    if isinstance(a, list | str):
        return a or b
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
    def told(packed: Packed, place: Place, *block: Any) -> Found:
        try:
            return at_rows(lambda: task(packed, place, *block), *place[:2], *block)
        except Exception as error:
            trace = "".join(traceback.format_exception(error.__cause__ or error))
            return {FAILED: [(place[0], type(error), str(error), f"On the worker:\n{trace}")]}

    return told


def block_loss(model: Module, loss: Any, batch: int) -> Callable[..., Tensor]:
    """The loss of a block of a batch with so many rows.

    A loss that adds something for each batch has a method ``of_batch``: what it gives, told how
    many rows the whole batch has, is called instead.

    Examples
    --------
    >>> from tinygrad_bp import functional, nn
    >>> layer = nn.Linear(1, 1, init=lambda generator, inputs, outputs: np.ones((1, 1)))
    >>> block_loss(layer, functional.mse_loss, 2)(np.ones((2, 1)), np.zeros((2, 1))).item()
    1.0
    """
    if hasattr(loss, "of_batch"):
        loss = loss.of_batch(batch)

    def loss_of(X: Any, *targets: Any) -> Tensor:
        value = loss(model(X), *targets)
        if not isinstance(value, Tensor) or value.size != 1:
            raise ValueError(f"the loss must be a Tensor with one number, not {value}")
        if model.training and not value.requires_grad:
            raise ValueError("the loss must be computed from the outputs, outside no_grad()")
        return value

    return loss_of


def checked(X: Any, y: Any, *weights: Any) -> tuple[Any, ...]:
    """The arrays of a block, which are finite."""
    return finite(X, "X"), finite(y, "y"), *weights


def apart(model: Module, number: int) -> list[Any]:
    """Let each block of a batch drop other elements, the first what one block would; all buffers.

    Examples
    --------
    >>> dropout = Dropout(seed=0)
    >>> before = dropout.draws.data
    >>> (apart(dropout, 0)[0] == before).tolist(), (apart(dropout, 1)[0] == before).tolist()
    ([True, True], [False, True])
    """
    for _, part in model.named_modules() if number else ():
        if isinstance(part, Dropout):
            key, drawn = part.draws.data.tolist()
            (key,) = np.random.SeedSequence([key, number]).generate_state(1, np.uint64).tolist()
            part.draws.data = np.array([key, drawn], np.uint64)
    return [buffer._array for buffer in buffers(model)]


@careful_task
def gradient_of_block(packed: Packed, place: Place, *block: Any) -> Found:
    """The block's share of the batch's loss, gradient and |δ|; and what its layers remember."""
    _, count, share, number = place
    block, batch, known = checked(*block), round(count / share), kept(packed)
    if packed.compiled and known.repeats((batch, *(x.shape for x in block))):
        try:
            with known.replica(packed, block_loss) as replica:
                before = apart(replica.objects[0], number)
                value = replica.passed(batch, *block)
                if np.isfinite(value._array):  # else the engine says what is wrong
                    return _found(value, share, before, *replica.objects)
        except CannotCompileError as error:
            known.why_eager = str(error)
        except Exception as error:  # the engine raises it too, or else can do without
            known.why_eager = f"recording it gave {type(error).__name__}: {error}"
    objects, _ = packed.unpacked()
    model, loss, _, layers = objects
    before = apart(model, number)
    value = block_loss(model, loss, batch)(*block)
    value.backward(keep_grads=bool(layers))
    return _found(value, share, before, *objects) | {WHY_EAGER: known.why_eager}


def _found(
    value: Tensor,
    share: float,
    before: list[Any],
    model: Module,
    loss: Any,
    parameters: Any,
    layers: Any,
) -> Found:
    """The results of a block's passes, with the buffers that have changed."""
    found: Found = {"loss": share * value.item(), WHY_EAGER: ""}
    for i, p in enumerate(parameters):
        found[i] = None if p.grad is None else share * p.grad
    means = mean_deltas(value, layers) if layers else {}
    found["deltas"] = {name: share * share * mean for name, mean in means.items()}
    now = [buffer._array for buffer in buffers(model)]
    pairs = enumerate(zip(now, before, strict=True))
    return found | {"buffers": [(i, np.array(new)) for i, (new, old) in pairs if new is not old]}


@careful_task
def loss_of_block(packed: Packed, place: Place, *block: Any) -> Found:
    """The block's share of the loss of all rows, in evaluation mode."""
    _, count, share, _ = place
    (model, loss), _ = packed.unpacked()
    with evaluating(model), no_grad():
        value = block_loss(model, loss, round(count / share))(*checked(*block))
    return {"loss": share * value.item()}


def fault_of_block(packed: Packed, place: Place, *block: Any) -> str:
    """The operation that made what is not finite, if there is one in this block."""
    first, count, share, number = place
    (model, loss, *_), _ = packed.unpacked()
    apart(model, number)
    try:
        with detect_nan():
            block_loss(model, loss, round(count / share))(*checked(*block)).backward()
    except FloatingPointError as error:
        return f"rows {first} to {first + count - 1}: {error}"
    return ""


def outputs_of_block(X: Any, packed: Packed, starts: list[int], block_id: Any = (0,)) -> Any:
    """What the model makes of a block, as an array."""
    (model,), _ = packed.unpacked()
    number = block_id[0]
    first, count = starts[number], starts[number + 1] - starts[number]
    return at_rows(lambda: predict_rows(model, finite(X, "X")), first, count, X)
