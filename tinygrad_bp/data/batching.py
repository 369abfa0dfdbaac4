"""Rows split into batches, and into a training and a test set."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..support.answers import keyword_advice
from ..support.arguments import Seed, chance, flag, number, size
from .rows import _both_as_rows, as_rows


@keyword_advice
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
        The seed of that order. Pass a Generator for a different order in each epoch.

    Returns
    -------
    iterator
        Of pairs ``X[rows], y[rows]``.

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
    X, y = _both_as_rows(X, y)
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


@keyword_advice
def train_test_split(
    X: Any, y: Any, test_size: float = 0.25, *, stratify: Any = None, seed: Seed = None
) -> tuple[Any, Any, Any, Any]:
    """Split the rows at random into a training set and a test set.

    Tables of pandas stay tables, whose rows keep their index.

    Parameters
    ----------
    X, y : arrays with the same number of rows
    test_size : float or int
        The share of rows to test on, between 0 and 1, rounded up; or their number.
    stratify : array of labels, optional
        Usually y: both parts then have the same share of each label, to within one row.
    seed : int or Generator, optional

    Returns
    -------
    tuple
        ``X_train, X_test, y_train, y_test``

    Raises
    ------
    ValueError
        If one of the parts would be empty, or without one of the labels; if the numbers of rows
        differ, or a number is nan or infinite.

    Examples
    --------
    >>> X_train, X_test, y_train, y_test = train_test_split(np.eye(8), np.arange(8), seed=0)
    >>> X_train.shape, y_test.shape
    ((6, 8), (2,))
    >>> y = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    >>> np.bincount(train_test_split(y, y, stratify=y, seed=0)[1]).tolist()
    [1, 1]
    """
    checked = _both_as_rows(X, y)
    labels = None if stratify is None else as_rows(stratify, "stratify")
    train, test = split_rows(len(checked[0]), test_size, chance(seed), labels)
    X, y = (
        (old if hasattr(old, "iloc") else new) for old, new in zip((X, y), checked, strict=True)
    )
    return _rows_at(X, train), _rows_at(X, test), _rows_at(y, train), _rows_at(y, test)


def _rows_at(table: Any, rows: Any) -> Any:
    """These rows, by their numbers, of an array or a table of pandas."""
    return getattr(table, "iloc", table)[rows]


def split_rows(
    n: int, share: Any, generator: np.random.Generator, labels: Any = None, name: str = "test_size"
) -> tuple[np.ndarray, np.ndarray]:
    """The numbers of the rows to learn from, and of the share that is held out, in random order.

    Examples
    --------
    >>> [len(part) for part in split_rows(10, 0.25, np.random.default_rng(0))]
    [7, 3]
    """
    if isinstance(share, int | np.integer) and not isinstance(share, bool):
        count = int(share)
    else:
        given = number(share, name)
        count = math.ceil(n * given) if 0 < given < 1 else 0
    if not 0 < count < n:
        raise ValueError(
            f"{name}={share} of {n} rows must leave rows on both sides: "
            f"a share between 0 and 1, or a number of rows from 1 to {n - 1}"
        )
    order = generator.permutation(n)
    if labels is None:
        return order[count:], order[:count]
    held_out = np.zeros(n, dtype=bool)
    held_out[_of_each_label(labels, order, count)] = True
    return order[~held_out[order]], order[held_out[order]]


def _of_each_label(labels: Any, order: np.ndarray, count: int) -> np.ndarray:
    """So many rows, with the share of each label that all rows have: the first ones in order."""
    if labels.shape != order.shape:
        raise ValueError(
            f"stratify must have one label for each of {len(order)} rows, "
            f"and it has shape {labels.shape}"
        )
    known, codes, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    if sizes.min() < 2 or not len(known) <= count <= len(order) - len(known):
        raise ValueError(
            f"each part must get a row of each of {len(known)} labels: {known[sizes.argmin()]} has "
            f"{sizes.min()}, and {count} of {len(order)} rows are to be held out"
        )
    exact = sizes * (count / len(order))
    wanted = np.clip(np.floor(exact).astype(int), 1, sizes - 1)
    while step := np.sign(count - wanted.sum()):  # given to, or taken from, who is furthest off
        room = (wanted + step > 0) & (wanted + step < sizes)
        wanted[np.argmax(np.where(room, step * (exact - wanted), -np.inf))] += step
    of_label = [order[codes[order] == code] for code in range(len(known))]
    return np.concatenate([rows[:k] for rows, k in zip(of_label, wanted, strict=True)])
