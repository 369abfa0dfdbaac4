"""Functions that only move elements: views of their operands, or elements that integers choose."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..buffers import laid_end_to_end
from ..program import Line, Name, names_in

MOST_PLACES = 4096  # that are constants of a text
# What they give of an array of places says where each element of their result comes from.
MOVES = frozenset(
    {np.swapaxes, np.moveaxis, np.rollaxis, np.ravel, np.matrix_transpose}
    | {np.atleast_1d, np.atleast_2d}
    | {np.flip, np.fliplr, np.flipud, np.rot90, np.roll, np.tile, np.repeat, np.resize}
    | {np.diagonal, np.take, np.concatenate, np.stack, np.hstack, np.vstack, np.column_stack}
    | {np.split, np.array_split, np.hsplit, np.vsplit, np.unstack}
)


def sources_of(line: Line) -> list[Any] | None:
    """The arrays whose elements a line moves; None if it is told where to by others."""
    first, *rest = line.operands or (None,)
    sources = list(first) if isinstance(first, tuple | list) else [first]
    plain = all(isinstance(x, Name | np.ndarray) for x in sources)
    told = any(names_in((tuple(rest), line.keywords)))
    return None if line.function not in MOVES or not plain or told else sources


def places_moved(line: Line, shapes: Sequence[tuple[int, ...]], part: int | None) -> np.ndarray:
    """For each element of a line's result, its place among those of all sources end to end."""
    ends = np.cumsum([math.prod(shape) for shape in shapes]).tolist()
    places = [
        np.arange(end - math.prod(shape), end).reshape(shape)
        for shape, end in zip(shapes, ends, strict=True)
    ]
    first = places if isinstance(line.operands[0], tuple | list) else places[0]
    found = line.function(first, *line.operands[1:], **line.keywords)
    return found if part is None else found[part]


def as_view(places: np.ndarray, shape: tuple[int, ...]) -> tuple[Any, tuple[int, ...]] | None:
    """The slices and the order of axes that give the same view of an array of this shape."""
    if places.ndim != len(shape) or not places.size:
        return None
    left = {axis: math.prod(shape[axis + 1 :]) for axis in range(len(shape))}
    start = np.unravel_index(places.flat[0], shape)
    axes, index = [-1] * places.ndim, [slice(int(i), int(i) + 1) for i in start]
    for i in sorted(range(places.ndim), key=lambda i: places.shape[i] == 1):
        step = int(np.diff(places, axis=i).flat[0]) if places.shape[i] > 1 else 0
        axis = next((a for a, s in left.items() if step == 0 or s <= abs(step)), None)
        if axis is None:
            return None
        if step:
            step = int(math.copysign(abs(step) // left[axis], step))
            stop = int(start[axis]) + step * places.shape[i]
            index[axis] = slice(int(start[axis]), stop if stop >= 0 else None, step)
        axes[i] = axis
        del left[axis]
    whole = np.arange(math.prod(shape)).reshape(shape)[tuple(index)].transpose(axes)
    return (tuple(index), tuple(axes)) if np.array_equal(whole, places) else None


def moved(work: Any, line: Line, of: Line, sources: list[Any], part: int | None = None) -> bool:
    """Add the lines that give what moving elements does, if it is no long list of places.

    Parameters
    ----------
    work : object
        The program that is made; see `lowering`.
    line : Line
        The line that gives the result.
    of : Line
        The line that moves: the same, or the one of whose results this is a ``part``.
    sources : list
        What `sources_of` it gives.
    """
    shapes = [work.kind(x)[0] for x in sources]
    places, size = places_moved(of, shapes, part), sum(map(math.prod, shapes))
    view = as_view(places, shapes[0]) if len(sources) == 1 else None
    if view is not None:
        (index, axes), x = view, sources[0]
        shape = tuple(places.shape[axes.index(axis)] for axis in range(len(axes)))
        if axes == tuple(range(len(axes))):
            return work.last(line, operator.getitem, x, index)
        if shape != shapes[0] or any(part.step == -1 for part in index):
            x = work.step(line, operator.getitem, x, index, shape=shape)
        return work.last(line, np.transpose, x, **({} if axes == (1, 0) else {"axes": axes}))
    in_order = np.array_equal(np.ravel(places), np.arange(size))
    if not in_order and places.size > MOST_PLACES:
        return False
    if len(sources) == 1:
        flat = work.step(line, np.reshape, work.dense(sources[0]), (size,), shape=(size,))
    else:
        flat = work.step(line, laid_end_to_end, sources, shape=(size,))
    if in_order:
        return work.last(line, np.reshape, flat, line.shape)
    return work.last(line, operator.getitem, flat, np.ascontiguousarray(places))
