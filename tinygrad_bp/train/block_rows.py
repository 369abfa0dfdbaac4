"""Rows as blocks of Dask's, which are what workers get: cut alike, counted, and named in errors."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import dask
import dask.array as da
import numpy as np
from dask.core import flatten
from dask.delayed import Delayed
from dask.optimization import cull

from ..data.rows import rows
from ..engine.tensor import Tensor
from ..support.arguments import kind_of, shown, size


class Blocks:
    """The rows of an array as the blocks that workers get, of so many rows each if that is said.

    Examples
    --------
    >>> blocks = Blocks(da.zeros((5, 4), chunks=(2, 2)), "X")
    >>> len(blocks), blocks.counts, len(blocks[[0, 2]])
    (5, (2, 2, 1), 3)
    """

    def __init__(self, data: Any, name: str, counts: tuple[int, ...] | None = None):
        array = dask_array(data, name)
        if not array.ndim:
            raise TypeError(f"{name} must be an array with rows, not {shown(data)}")
        if any(math.isnan(n) for n in array.shape):
            array = array.copy().compute_chunk_sizes()  # which writes into its array
        counts = counts or tuple(n for n in array.chunks[0] if n) or (0,)
        self.array = array.rechunk({0: counts, **dict.fromkeys(range(1, array.ndim), -1)})
        self.counts: tuple[int, ...] = self.array.chunks[0]
        self.starts = np.cumsum((0, *self.counts))[:-1].tolist()
        self._graph = dict(self.array.__dask_graph__())  # laid flat once, not for each batch
        self._keys = list(flatten(self.array.__dask_keys__()))

    def __len__(self) -> int:
        return self.array.shape[0]

    def __getitem__(self, numbers: Iterable[int]) -> Batch:
        numbers = list(numbers)
        needed, _ = cull(self._graph, [self._keys[i] for i in numbers])
        return Batch(
            [(Delayed(self._keys[i], needed), self.starts[i], self.counts[i]) for i in numbers]
        )


class Batch:
    """Some blocks, each with its first row and its number of rows.

    With what it takes to make these and no others: what a step sends does not grow with the data.
    """

    def __init__(self, parts: list[tuple[Any, int, int]]):
        self.parts = parts

    def __len__(self) -> int:
        return sum(count for _, _, count in self.parts)


def dask_array(data: Any, name: str) -> Any:
    """The Dask array in what was given: a table of Dask's, xarray's, a Tensor's, or NumPy's.

    Examples
    --------
    >>> dask_array([1.0, 2.0, 3.0], "X").chunks
    ((3,),)
    """
    if isinstance(data, Tensor):
        data = data.data
    elif not isinstance(data, da.Array) and dask.is_dask_collection(data):
        if hasattr(type(data), "to_dask_array"):  # a table
            data = data.to_dask_array(lengths=True)
        elif hasattr(type(data), "dims"):  # xarray's
            data = data.data
        else:
            raise TypeError(
                f"{name} must be a Dask array, not {kind_of(data)}: "
                "da.from_delayed makes one of a delayed value"
            )
    return data if isinstance(data, da.Array) else da.from_array(np.asarray(data), chunks=-1)


def pair_blocks(
    X: Any, y: Any, batch_size: int | None = None, shuffle: bool = True
) -> tuple[Blocks, Blocks]:
    """Blocks of the same rows of X and y, none larger than a batch.

    Unless chance orders them, they are cut where NumPy's batches end, so that these are the same.
    """
    features, targets = Blocks(X, "X"), Blocks(y, "y")
    n = rows(features.array, targets.array)
    if batch_size is not None:
        ends = {*range(size(batch_size, "batch_size"), n, batch_size), n}
        if batch_size >= max(features.counts):
            whole = {*np.cumsum(features.counts).tolist()}
            ends = whole if shuffle else whole | ends
        counts = np.diff([0, *sorted(ends)]).tolist()
        features = Blocks(features.array, "X", tuple(counts))
    return features, Blocks(targets.array, "y", features.counts)


def validation_pair(pair: Any) -> tuple[Blocks, Blocks]:
    """The blocks of validation data, which errors call so."""
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise TypeError(
            f"validation must be a pair of arrays (X, y), not {shown(pair)}: "
            "of Dask's arrays no share is set aside"
        )
    try:
        return pair_blocks(*pair)
    except (TypeError, ValueError) as error:
        raise type(error)(f"validation data: {error}") from None
