"""What losses share: comparable arrays, checks of the targets, and the mean or sum of all losses.

Nothing here asks for a value of an array that is not NumPy's own.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ..engine.rules.types import as_array, cast, real
from ..support.arguments import refuse_values, suggestion

REDUCTIONS = ("mean", "sum", "none")


def verify(values: Any, check: Callable[[Any], Any]) -> Any:
    """``values``, once ``check`` has looked at them, which raises an error where one is wrong.

    NumPy's arrays are looked at now. An array made of blocks, such as Dask's, is looked at block
    by block whenever it is computed. The values of other libraries' arrays are not asked for.

    Examples
    --------
    >>> verify(np.array([0.5, 2.0]), probabilities)
    Traceback (most recent call last):
        ...
    ValueError: targets must be probabilities, 0 to 1, and position 1 holds 2.0
    """
    if isinstance(values, np.ndarray | np.generic):
        check(values)
        return values
    by_block = getattr(values, "map_blocks", None)
    return by_block(partial(_verify_block, check=check), dtype=values.dtype) if by_block else values


def _verify_block(block: Any, check: Callable[[Any], Any], block_info: Any = None) -> Any:
    """One block, once it was checked; an error says where in the whole array it is."""
    if block.size:
        try:
            check(block)
        except ValueError as error:
            where = block_info[0]["array-location"] if block_info else []
            part = ", ".join(f"{start}:{stop}" for start, stop in where)
            raise ValueError(f"in the block [{part}]: {error}") from None
    return block


def finite_targets(targets: Any) -> None:
    """Refuse nan and infinity."""
    refuse_values(targets, ~np.isfinite(targets), "targets must be finite")


def probabilities(values: Any, name: str = "targets") -> None:
    """Refuse what is below 0 or above 1."""
    refuse_values(values, (values < 0) | (values > 1), f"{name} must be probabilities, 0 to 1")


def comparable(predictions: Any, targets: Any) -> tuple[Any, Any]:
    """Two arrays of one shape; integer targets become floats of the predictions' width."""
    predictions, targets = real(predictions, "predictions"), as_array(targets)
    if predictions.shape != targets.shape:
        raise ValueError(
            f"predictions have shape {predictions.shape} and targets {targets.shape}: "
            "reshape one, so that each prediction has its own target"
        )
    if targets.dtype.kind in "biu":
        return predictions, targets.astype(predictions.dtype)
    targets = real(targets, "targets")
    if isinstance(targets, np.ndarray | np.generic):  # looked at in `reduced`, if need be
        return predictions, targets
    return predictions, verify(targets, finite_targets)


def reduce_losses(losses: Any, reduction: str, targets: Any = None) -> Any:
    """The losses of the elements, averaged, summed or as they are.

    Where they are not finite, NumPy's ``targets`` are looked at: looking at them at each call
    would take longer than the loss.

    Examples
    --------
    >>> print(reduce_losses(np.array([1.0, 2.0]), "mean"))
    1.5
    """
    if reduction not in REDUCTIONS:
        raise ValueError(f"unknown reduction {reduction!r}: {suggestion(reduction, REDUCTIONS)}")
    if not losses.size:
        raise ValueError("the batch is empty")
    total = widen_halves(losses).sum()
    if isinstance(total, np.floating) and not math.isfinite(total) and targets is not None:
        finite_targets(targets)
    if reduction == "none":
        return losses
    total = total / losses.size if reduction == "mean" else total
    return total if total.dtype is losses.dtype else total.astype(losses.dtype)


def weigh_losses(losses: Any, weights: Any, reduction: str) -> Any:
    """The losses of the elements, each times its weight; a mean is divided by the mean weight.

    Examples
    --------
    >>> print(weigh_losses(np.array([1.0, 4.0]), np.array([2.0, 1.0]), "mean"))
    2.0
    """
    mean = reduction == "mean"
    total = reduce_losses(widen_halves(weights * losses), "sum" if mean else reduction)
    total = total / np.sum(widen_halves(weights)) if mean else total
    return total if total.dtype is losses.dtype else total.astype(losses.dtype)


def class_weights(weight: Any, classes: int, dtype: Any) -> Any:
    """What an element of each class counts, as an array: finite numbers, 0 or more.

    Examples
    --------
    >>> class_weights([1, 2, 3], 2, float)
    Traceback (most recent call last):
        ...
    ValueError: weight must have one number for each of 2 classes, and it has shape (3,)
    """
    weight = cast(weight, dtype)
    if weight.shape != (classes,):
        raise ValueError(
            f"weight must have one number for each of {classes} classes, "
            f"and it has shape {weight.shape}"
        )
    return verify(weight, _check_weights)


def _check_weights(values: Any) -> None:
    refuse_values(
        values, ~((values >= 0) & np.isfinite(values)), "weights must be finite, 0 or more"
    )


def share_of_gradient(g: Any, x: Any, reduction: str) -> Any:
    """What one element of ``x`` gets of the gradient ``g`` of the reduced loss."""
    return widen_halves(g) / getattr(x, "size", 1) if reduction == "mean" else g


def widen_halves(x: Any) -> Any:
    """``x``, with halves as float32: halves cannot hold large counts or their reciprocals."""
    return cast(x, np.float32) if x.dtype.itemsize == 2 else x
