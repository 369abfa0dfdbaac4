"""Metrics: how good outputs are, as a number that is easy to understand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..engine.tensor import Tensor

__all__ = ["METRICS", "accuracy", "mae", "mse", "r2"]


def __dir__() -> list[str]:
    return __all__


def accuracy(outputs: Any, targets: Any) -> float:
    """The share of rows whose class is right.

    Parameters
    ----------
    outputs : array of shape (n, c), (n,) or (n, 1)
        Scores of c classes, of which the largest counts; or the log-odds of class 1. A row with
        nan in it is wrong.
    targets : array of shape (n,), or of the shape of the log-odds
        Class numbers.

    Raises
    ------
    ValueError
        If the shapes are not these, or the targets are not whole numbers.

    Examples
    --------
    >>> accuracy(np.array([[0.1, 0.9], [0.8, 0.2]]), np.array([1, 1]))
    0.5
    >>> accuracy(np.array([[3.0], [-2.0]]), np.array([[1], [0]]))
    1.0
    """
    outputs, targets = _numbers(outputs), _numbers(targets)
    scores = outputs.ndim == 2 and outputs.shape[1] > 1
    found = np.argmax(outputs, axis=1) if scores else outputs > 0
    if targets.shape != found.shape:
        hint = ""
        if scores and targets.ndim == 2:
            column = targets.shape == (*found.shape, 1)
            hint = ": use targets[:, 0]" if column else ": use np.argmax(targets, axis=1)"
        raise ValueError(_of_other_shapes(targets, found, "accuracy") + hint)
    right = found == targets
    if (targets % 1 != 0).any():
        raise ValueError("accuracy counts classes, whole numbers, and the targets are not: try r2")
    unknown = np.isnan(outputs).any(axis=1) if scores else np.isnan(outputs)
    return float(np.mean(right & ~unknown))


def mae(outputs: Any, targets: Any) -> float:
    """The mean of the absolute errors.

    Examples
    --------
    >>> mae(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    1.0
    """
    outputs, targets = _numbers(outputs), _numbers(targets)
    return float(np.mean(np.abs(targets - _of_shape(targets, outputs, "mae"))))


def mse(outputs: Any, targets: Any) -> float:
    """The mean of the squared errors.

    Examples
    --------
    >>> mse(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    2.0
    """
    outputs, targets = _numbers(outputs), _numbers(targets)
    return float(np.mean((targets - _of_shape(targets, outputs, "mse")) ** 2))


def r2(outputs: Any, targets: Any) -> float:
    """The share of the targets' variance that is explained: ``1 - Σ(y - f)² / Σ(y - ȳ)²``.

    1 is perfect, 0 no better than the mean of the targets. Of several columns it is the mean. A
    column of equal targets counts 1 where all are met, and else 0, as scikit-learn's does.

    Examples
    --------
    >>> r2(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 4.0])).__round__(6)
    0.785714
    """
    outputs, targets = _numbers(outputs), _numbers(targets)
    errors = np.sum((targets - _of_shape(targets, outputs, "r2")) ** 2, axis=0)
    spread = np.sum((targets - np.mean(targets, axis=0)) ** 2, axis=0)
    shares = 1 - errors / np.where(spread > 0, spread, 1)
    met = np.where(errors > 0, 0, np.where(errors == 0, 1, errors))  # nan stays
    return float(np.mean(np.where(spread > 0, shares, met)))


METRICS: dict[str, Callable[[Any, Any], Any]] = {
    "accuracy": accuracy,
    "mae": mae,
    "mse": mse,
    "r2": r2,
}


def _numbers(x: Any) -> Any:
    """An array of real numbers, wide enough for their differences; lazy ones stay so."""
    x = x.data if isinstance(x, Tensor) else x
    x = x if hasattr(x, "__array_function__") else np.asarray(x)
    if x.dtype.kind not in "biuf" or not x.size:
        raise ValueError(f"a metric compares real numbers, not {x.dtype} of shape {x.shape}")
    return x if x.dtype.kind == "f" else x.astype(float)


def _of_shape(targets: Any, found: Any, name: str) -> Any:
    """``found``, which must have the targets' shape: broadcasting would compare each with all."""
    if found.shape != targets.shape:
        raise ValueError(_of_other_shapes(targets, found, name))
    return found


def _of_other_shapes(targets: Any, found: Any, name: str) -> str:
    return (
        f"{name} compares rows one by one: "
        f"the outputs make shape {found.shape}, and the targets have {targets.shape}"
    )
