"""What each row of the training data counts: its own weight, times that of its class."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial, wraps
from typing import Any

import numpy as np

from ..data.rows import as_rows
from ..support.arguments import refuse_values, shown

Loss = Callable[..., Any]


def row_weights(y: Any, sample_weight: Any, class_weight: Any) -> Any:
    """The weight of each row, of which the mean is 1: so a step's length is as without weights.

    Examples
    --------
    >>> print(row_weights(np.array([0, 0, 0, 1]), None, "balanced"))
    [0.66666667 0.66666667 0.66666667 2.        ]
    >>> print(row_weights(np.array([0, 1]), np.array([1.0, 3.0]), {1: 2.0}))
    [0.28571429 1.71428571]
    """
    weights = np.ones(len(y)) if sample_weight is None else sample_weight
    if class_weight is not None:
        weights = weights * _of_classes(y, class_weight)
    return weights * scale_of(len(weights), weights.sum())


def scale_of(n: int, total: float) -> float:
    """The factor that gives the weights of n rows, which add up to the total, a mean of 1.

    Examples
    --------
    >>> scale_of(4, 2.0)
    2.0
    """
    if not total > 0:
        raise ValueError("all rows that are learned from have weight 0")
    return n / total


def check_weights(sample_weight: Any, n: int, name: str = "sample_weight") -> np.ndarray:
    """The weights that rows were given, one each: finite numbers, 0 or more.

    Examples
    --------
    >>> check_weights([1.0, -1.0], 2)
    Traceback (most recent call last):
        ...
    ValueError: sample_weight must be finite, 0 or more, and position 1 holds -1.0
    """
    weights = np.asarray(as_rows(sample_weight, name))
    check_one_each(weights, n, name)
    wrong = ~((weights >= 0) & np.isfinite(weights))
    refuse_values(weights, wrong, f"{name} must be finite, 0 or more")
    return weights.astype(float)


def check_one_each(weights: Any, n: int, name: str = "sample_weight") -> None:
    """Refuse an array, of any library, that does not hold one number for each row.

    Examples
    --------
    >>> check_one_each(np.ones(2), 2)
    """
    if weights.shape != (n,) or weights.dtype.kind not in "biuf":
        raise ValueError(
            f"{name} must hold one number for each of {n} rows, "
            f"not {weights.dtype} of shape {weights.shape}"
        )


def _of_classes(y: Any, class_weight: Any) -> np.ndarray:
    """The weight of each row's class."""
    labels = np.asarray(y)
    check_classes(labels)
    classes, codes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    return class_weights(classes, counts, class_weight)[codes.reshape(len(labels))]


def check_classes(labels: Any) -> None:
    """Refuse targets that are not one class number to a row.

    Examples
    --------
    >>> check_classes(np.array([0.0, 1.0]))
    """
    if labels.size != len(labels) or (labels % 1 != 0).any():
        raise ValueError(
            f"class_weight is for targets that are class numbers, one to a row, "
            f"not {labels.dtype} of shape {labels.shape}"
        )


def class_weights(classes: np.ndarray, counts: np.ndarray, class_weight: Any) -> np.ndarray:
    """The weight of each class, of so many rows.

    Examples
    --------
    >>> class_weights(np.array([0, 1]), np.array([3, 1]), {1: 5.0})
    array([1., 5.])
    """
    if isinstance(class_weight, Mapping):
        unknown = [label for label in class_weight if label not in classes]
        if unknown:
            raise ValueError(f"class_weight has {unknown[0]!r}, and no row is of that class")
        of_class = np.array([class_weight.get(label, 1.0) for label in classes.tolist()])
    elif isinstance(class_weight, str) and class_weight == "balanced":
        of_class = counts.sum() / (len(classes) * counts)
    else:
        raise ValueError(
            "class_weight must be 'balanced' or a dictionary of a weight for each class, "
            f"such as {{0: 1.0, 1: 5.0}}, not {shown(class_weight)}"
        )
    return check_weights(of_class, len(classes), "class_weight")


def weighted_loss(loss: Loss) -> Loss:
    """``loss(outputs, targets, weights)``: the mean of the rows' losses, each times its weight.

    Examples
    --------
    >>> from tinygrad_bp.functional import mse_loss
    >>> outputs, targets = np.array([[1.0], [2.0]]), np.array([[1.0], [4.0]])
    >>> print(weighted_loss(mse_loss)(outputs, targets, np.array([0.5, 1.5])))
    3.0
    """
    if "reduction" not in inspect.signature(loss).parameters:
        raise TypeError(
            "weights need the loss of each row: a loss by its name, or a function that takes "
            f"reduction='none' as functional.mse_loss does, not {shown(loss)}"
        )
    each = partial(loss, reduction="none")

    @wraps(loss)
    def mean(outputs: Any, targets: Any, weights: Any) -> Any:
        losses = each(outputs, targets)
        column = weights.reshape(-1, *[1] * (losses.ndim - 1)).astype(losses.dtype, copy=False)
        return np.mean(column * losses)

    return mean
