"""Rows in blocks of Dask's: checked, numbered, parted and judged without being in memory."""

from __future__ import annotations

import copy
import functools
from typing import Any

import numpy as np
from sklearn.utils.validation import validate_data

from ..train import metrics
from .networks import affine_layers
from .rows import FLOATS, Rows


def features(estimator: Any, X: Any, reset: bool) -> Any:
    """X as a Dask array of floats, of as many columns as the estimator knows or is to know."""
    from ..train.block_rows import Blocks  # it needs Dask, which is there with such data

    named = X._meta if hasattr(X, "columns") else None  # a table without rows
    X = Blocks(X, "X").array
    if X.ndim != 2:
        raise ValueError(f"X must have shape (n, features), and it has shape {X.shape}")
    of_columns = X if named is None else named
    validate_data(estimator, of_columns, reset=reset, skip_check_array=True)  # names and number
    return X if X.dtype in FLOATS else X.astype(FLOATS[0])


def rows_in_blocks(estimator: Any, X: Any, y: Any, weights: Any, reset: bool) -> tuple[Any, Any]:
    """X and y as Dask arrays with the same blocks of rows; a y of one column as a vector."""
    from ..train.block_rows import Blocks

    if weights is not None:
        raise TypeError("sample_weight is for NumPy's arrays: with Dask's every row counts alike")
    X = features(estimator, X, reset)
    y = Blocks(y, "y").array
    if len(X) != len(y):
        raise ValueError(f"X has {len(X)} rows and y {len(y)}: each row of X needs its own of y")
    y = Blocks(y, "y", X.chunks[0]).array
    return X, y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y


def distinct(y: Any) -> np.ndarray:
    """The values that there are, found by one pass over the blocks.

    Examples
    --------
    >>> import dask.array as da
    >>> distinct(da.from_array(np.array(["b", "a", "b"]), chunks=1))
    array(['a', 'b'], dtype='<U1')
    """
    found: Any = np.unique(y)
    return found.compute()


def with_columns(values: np.ndarray, y: Any) -> np.ndarray:
    """An array of these values, with as many axes and columns as y has, to tell its kind by.

    Examples
    --------
    >>> import dask.array as da
    >>> with_columns(np.array([0, 1]), da.zeros((9, 3))).shape
    (3, 3)
    """
    return values if y.ndim == 1 else np.resize(values, (len(values) + 1, y.shape[1]))


def class_numbers(y: Any, classes: np.ndarray) -> Any:
    """The place of each label among the classes, whenever it is computed."""
    return y.map_blocks(functools.partial(np.searchsorted, classes), dtype=np.intp)


def class_labels(numbers: Any, classes: np.ndarray) -> Any:
    """The label of each class number, whenever it is computed."""
    return numbers.map_blocks(functools.partial(np.take, classes), dtype=classes.dtype)


class PenalisedMean:
    """The mean of a block's losses, and ``alpha / 2 · Σ W²`` for as many rows as its batch has.

    It goes to workers with the network, and so takes of the estimator what the loss needs alone.
    """

    def __init__(self, estimator: Any, rows: int = 1):
        names = {"loss", "n_outputs_", "out_activation_"} & set(vars(estimator))
        self.estimator = object.__new__(type(estimator))
        self.estimator.__dict__ |= {name: getattr(estimator, name) for name in names}
        layers = affine_layers(estimator.model_) if estimator.alpha else []
        self.matrices, self.half = [layer.weight for layer in layers], estimator.alpha / 2
        self.rows = rows

    def of_batch(self, rows: int) -> PenalisedMean:
        """The same for blocks of a batch of so many rows."""
        other = copy.copy(self)
        other.rows = rows
        return other

    def __call__(self, outputs: Any, targets: Any) -> Any:
        """The loss of a block."""
        total = self.estimator._mean_loss(outputs, targets, None)
        if not self.matrices:
            return total
        return total + self.half / self.rows * sum(np.vdot(W, W) for W in self.matrices)


# Rows to judge by


def hold_out(data: Rows, share: float, seed: int) -> tuple[Rows, Rows]:
    """The rows to learn from, and of each block about this share to judge by, drawn by chance.

    Examples
    --------
    >>> import dask.array as da
    >>> data = Rows(da.zeros((25, 2), chunks=(10, 2)), da.zeros(25, chunks=10), None)
    >>> learn, judge = hold_out(data, 0.2, seed=0)
    >>> learn.X.chunks[0], judge.X.chunks[0]
    ((8, 8, 4), (2, 2, 1))
    """
    counts = data.X.chunks[0]
    ends = np.floor(np.cumsum((0, *counts)) * share).astype(int)
    held = tuple(np.diff(ends).tolist())
    learned = tuple(n - k for n, k in zip(counts, held, strict=True))

    def some_rows(array: Any, judge: bool) -> Any:
        chunks = (held if judge else learned, *array.chunks[1:])
        part = functools.partial(_draw_rows, held=held, seed=seed, judge=judge)
        return array.map_blocks(part, dtype=array.dtype, chunks=chunks, meta=array._meta)

    learn, judge = (
        Rows(some_rows(data.X, judge), some_rows(data.targets, judge), None)
        for judge in (False, True)
    )
    return learn, judge


def _draw_rows(
    block: Any, held: tuple[int, ...], seed: int, judge: bool, block_id: Any = None
) -> np.ndarray:
    """The rows of a block that are held out, or the others, in their order."""
    number = block_id[0]
    order = np.random.default_rng((seed, number)).permutation(len(block))
    return block[np.sort(order[: held[number]] if judge else order[held[number] :])]


def share_right(found: Any, targets: Any) -> float:
    """The share of rows that are right, all labels of a row together.

    Examples
    --------
    >>> import dask.array as da
    >>> share_right(da.from_array(np.array([1, 2])), da.from_array(np.array([1, 0])))
    0.5
    """
    right = found == targets
    return float(np.mean(np.all(right, axis=1) if right.ndim == 2 else right))


def r_squared(found: Any, targets: Any) -> float:
    """R², the mean of the columns'."""
    return float(metrics.r2(found, targets))
