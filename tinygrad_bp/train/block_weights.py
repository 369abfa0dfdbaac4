"""What rows in blocks count in the loss: found by passes over the targets and weights alone."""

from __future__ import annotations

import functools
from collections import Counter
from typing import Any

import dask
import dask.array as da
import numpy as np

from .block_rows import Blocks
from .weighting import check_classes, check_one_each, check_weights, class_weights, scale_of


def block_weights(y: Blocks, sample_weight: Any, class_weight: Any) -> Blocks:
    """The weight of each row in blocks as those of y: its own, times its class's; the mean is 1.

    Examples
    --------
    >>> y = Blocks(da.from_array(np.array([0, 0, 0, 1]), chunks=2), "y")
    >>> print(block_weights(y, None, "balanced").array.compute())
    [0.66666667 0.66666667 0.66666667 2.        ]
    """
    if sample_weight is None:
        weights = da.ones(len(y), chunks=(y.counts,))
    else:
        given = Blocks(sample_weight, "sample_weight").array
        check_one_each(given, len(y))
        blocks = Blocks(given, "sample_weight", y.counts)
        parts = blocks[range(len(y.counts))].parts
        found = dask.compute(*(dask.delayed(_fault)(part, first) for part, first, _ in parts))
        if faults := [fault for fault in found if fault]:
            raise ValueError(faults[0])  # the first rows', whichever were looked at before
        weights = blocks.array.astype(float)
    if class_weight is not None:
        weights = weights * _of_classes(y, class_weight)
    weights = weights * scale_of(len(y), weights.sum().compute())
    return Blocks(weights, "sample_weight", y.counts)


def _fault(weights: Any, first: int) -> str:
    """What is wrong with the weights of a block, and in which rows."""
    try:
        check_weights(weights, len(weights))
    except ValueError as error:
        return f"rows {first} to {first + len(weights) - 1}: {error}"
    return ""


def _of_classes(y: Blocks, class_weight: Any) -> Any:
    """The weight of each row's class, whenever it is computed."""
    blocks = y[range(len(y.counts))].parts
    found = dask.compute(*(dask.delayed(_counted)(part) for part, _, _ in blocks))
    counted = dict(sorted(sum(found, Counter[Any]()).items()))
    classes, counts = np.array(list(counted)), np.array(list(counted.values()))
    table = class_weights(classes, counts, class_weight)
    looked_up = functools.partial(_looked_up, classes=classes, table=table)
    axes = list(range(1, y.array.ndim))
    return y.array.map_blocks(looked_up, dtype=float, drop_axis=axes)


def _counted(labels: Any) -> Counter[Any]:
    """How often each class is in a block."""
    check_classes(labels)
    classes, counts = np.unique(labels, return_counts=True)
    return Counter(dict(zip(classes.tolist(), counts.tolist(), strict=True)))


def _looked_up(labels: Any, classes: np.ndarray, table: np.ndarray) -> np.ndarray:
    return table[np.searchsorted(classes, labels.reshape(len(labels)))]
