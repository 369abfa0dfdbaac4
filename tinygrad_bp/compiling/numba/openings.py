"""What functions of NumPy's are made of: element-wise lines, sums and places."""

from __future__ import annotations

import math
import operator
from dataclasses import replace
from typing import Any

import numpy as np

from ..buffers import laid_end_to_end
from ..passes import axis_of
from ..program import Line, Name
from ..transcript import put
from .lowering import Lowering, Opening, arguments_of, is_real, regroups
from .moves import MOST_PLACES
from .products import PRODUCTS

_UNSIGNED = {np.dtype(f"i{n}"): np.dtype(f"u{n}") for n in (1, 2, 4, 8)}


def _mean(work: Lowering, line: Line) -> bool:
    x = line.operands[0]
    if line.keywords.keys() - {"axis", "keepdims"} or not is_real(line):
        return False
    keywords = {**line.keywords, "axis": axis_of(line)}
    total = work.step(line, np.add.reduce, x, shape=line.shape, **keywords)
    count = math.prod(work.kind(x)[0]) // max(math.prod(line.shape), 1)
    return work.last(line, np.divide, total, count)


def _reshaped(work: Lowering, line: Line) -> bool:
    if not regroups(line, work.kind) or not isinstance(line.operands[0], Name):
        return False
    return work.last(line, np.reshape, work.dense(line.operands[0]), line.shape)


def _clip(work: Lowering, line: Line) -> bool:
    if len(line.operands) != 3 or line.keywords:
        return False
    x, low, high = line.operands
    x = x if low is None else work.step(line, np.maximum, x, low, shape=line.shape)
    return work.last(line, np.minimum, x, high) if high is not None else False


def _joined(work: Lowering, line: Line) -> bool:
    parts = [work.of_its_own(x, line.dtype) for x in line.operands[0]]
    return work.last(line, laid_end_to_end, parts)


def _retyped(work: Lowering, line: Line) -> bool:
    """A view of whole numbers as others of the same size is a change of type."""
    (x, dtype) = line.operands
    kind = work.kind(x)[1]
    if _UNSIGNED.get(kind, kind) != np.dtype(dtype):
        return False
    return work.last(replace(line, view=False), np.ndarray.astype, x, np.dtype(dtype))


def _heaviside(work: Lowering, line: Line) -> bool:
    """One above 0, and at 0 what is said."""
    x, at_zero = line.operands
    negative = work.step(line, np.less, x, 0, shape=line.shape, dtype=np.dtype(bool))
    zero = work.step(line, np.equal, x, 0, shape=line.shape, dtype=np.dtype(bool))
    above = work.step(line, np.greater, x, 0, shape=line.shape, dtype=np.dtype(bool))
    one = work.step(line, np.where, above, 1.0, x, shape=line.shape)  # not a number stays that
    other = work.step(line, np.where, zero, at_zero, one, shape=line.shape)
    return work.last(line, np.where, negative, 0.0, other)


def _differences(work: Lowering, line: Line) -> bool:
    """Each element less the one before it."""
    found = arguments_of(line, "a", "n", "axis", "prepend", "append")
    if found is None or any(x is not None for x in found[3:]) or found[1] not in (None, 1):
        return False
    x, axis = found[0], -1 if found[2] is None else found[2]
    before = (slice(None),) * (axis % len(line.shape))
    later, earlier = (
        work.step(line, operator.getitem, x, (*before, part), shape=line.shape)
        for part in (slice(1, None), slice(None, -1))
    )
    return work.last(line, np.subtract, later, earlier)


def _padded(work: Lowering, line: Line) -> bool:
    """A number around an array."""
    found = arguments_of(line, "array", "pad_width", "mode", "constant_values")
    if found is None or found[2] not in (None, "constant") or np.ndim(found[3] or 0):
        return False
    shape = work.kind(found[0])[0]
    widths = np.broadcast_to(found[1], (len(shape), 2)).tolist()
    index = tuple(slice(a, a + n) for (a, _), n in zip(widths, shape, strict=True))
    around = np.full(line.shape, found[3] or 0, line.dtype)
    return work.last(line, put, around, index, found[0])


def _triangle(work: Lowering, line: Line) -> bool:
    """Zeros below or above a diagonal."""
    x, *others = line.operands
    if math.prod(line.shape) > MOST_PLACES:
        return False
    kept = line.function(np.ones(line.shape, bool), *others, **line.keywords)
    return work.last(line, np.where, kept, x, line.dtype.type(0))


def _running(work: Lowering, line: Line) -> bool:
    """A running sum or product along an axis, or of all elements."""
    found = arguments_of(line, "a", "axis")
    if found is None:
        return False
    x, axis = found
    if axis is None:
        x, axis = work.step(line, np.reshape, x, line.shape, shape=line.shape), 0
    ufunc = np.add if line.function is np.cumsum else np.multiply
    return work.last(line, ufunc.accumulate, x, axis=axis)


def _place(work: Lowering, line: Line) -> bool:
    """The place of the largest or smallest along an axis, or of all elements."""
    found = arguments_of(line, "a", "axis")
    if found is None or not work.kind(found[0])[0]:
        return False
    x, axis = found
    if axis is None:
        size = math.prod(work.kind(x)[0])
        dtype = work.kind(x)[1]
        x, axis = work.step(line, np.reshape, x, (size,), shape=(size,), dtype=dtype), 0
    return work.last(line, line.function, x, axis=axis)


OPENINGS: dict[Any, Opening] = {
    np.mean: _mean,
    np.clip: _clip,
    np.reshape: _reshaped,
    np.ndarray.view: _retyped,
    laid_end_to_end: _joined,
    np.heaviside: _heaviside,
    np.diff: _differences,
    np.pad: _padded,
    np.tril: _triangle,
    np.triu: _triangle,
    np.cumsum: _running,
    np.cumprod: _running,
    np.argmax: _place,
    np.argmin: _place,
    **PRODUCTS,
}
