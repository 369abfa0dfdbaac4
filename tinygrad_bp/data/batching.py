"""Rows split into batches, and into a training and a test set."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..support.arguments import Seed, chance, flag, number, size
from .rows import _checked


def batches(
    X: Any, y: Any, batch_size: int, *, shuffle: bool = True, seed: Seed = None
) -> Iterator[tuple[Any, Any]]:
    """Go once through all rows of X and y, in batches; the last may be smaller.

    Parameters
    ----------
    X, y : arrays with the same number of rows
    batch_size : int
    shuffle : bool
        Take the rows in random order.
    seed : int or Generator, optional
        Of that order. Pass a Generator to have another order in each epoch.

    Returns
    -------
    iterator
        Of ``X[rows], y[rows]``.

    Raises
    ------
    ValueError
        At once, if the numbers of rows differ or are 0, a number is nan or infinite, or
        ``batch_size`` is less than 1.

    Examples
    --------
    >>> [b.tolist() for _, b in batches(np.zeros((5, 2)), np.arange(5), 2, shuffle=False)]
    [[0, 1], [2, 3], [4]]
    """
    X, y = _checked(X, y)
    n, batch_size, generator = len(X), size(batch_size, "batch_size"), chance(seed)
    parts = row_numbers(n, batch_size, generator if flag(shuffle, "shuffle") else None)
    return ((X[part], y[part]) for part in parts)


def row_numbers(
    n: int, batch_size: int, generator: np.random.Generator | None = None
) -> Iterator[Any]:
    """The rows of each batch: slices, or with a generator arrays of integers in random order.

    Examples
    --------
    >>> list(row_numbers(5, 3))
    [slice(0, 3, None), slice(3, 6, None)]
    """
    parts = [slice(start, start + batch_size) for start in range(0, n, batch_size)]
    order = generator.permutation(n) if generator else None
    return (part if order is None else order[part] for part in parts)


def train_test_split(
    X: Any, y: Any, test_size: float = 0.25, *, seed: Seed = None
) -> tuple[Any, Any, Any, Any]:
    """Split the rows at random into a training set and a test set.

    Parameters
    ----------
    X, y : arrays with the same number of rows
    test_size : float or int
        The share of rows to test on, between 0 and 1, rounded up; or their number.
    seed : int or Generator, optional

    Returns
    -------
    tuple
        ``X_train, X_test, y_train, y_test``

    Raises
    ------
    ValueError
        If one of the parts would be empty, the numbers of rows differ, or a number is nan or
        infinite.

    Examples
    --------
    >>> X_train, X_test, y_train, y_test = train_test_split(np.eye(8), np.arange(8), seed=0)
    >>> X_train.shape, y_test.shape
    ((6, 8), (2,))
    """
    X, y = _checked(X, y)
    n, share = len(X), number(test_size, "test_size")
    if isinstance(test_size, int | np.integer):
        count = int(test_size)
    else:
        count = math.ceil(n * share) if 0 < share < 1 else 0
    if not 0 < count < n:
        raise ValueError(
            f"test_size={test_size} of {n} rows must leave rows on both sides: "
            f"a share between 0 and 1, or a number of rows from 1 to {n - 1}"
        )
    order = chance(seed).permutation(n)
    test, train = order[:count], order[count:]
    return X[train], X[test], y[train], y[test]
