"""Functions that join arrays and take them apart, made of `concatenate`, `stack` and indexing."""

from itertools import accumulate

import numpy as np

from ..registry import compose
from ..rules.joining import concatenate, stack
from ..rules.types import as_array, cast
from .rearranging import moved
from .shapes import by_own_code


def alike(arrays, dtype, casting):
    """The arrays, of one type if it is given; NumPy says, of empty ones, what may be cast."""
    arrays = [as_array(x) for x in arrays]
    if dtype is None and casting == "same_kind":
        return arrays
    empty = [np.empty(0, x.dtype) for x in arrays]
    common = np.concatenate(empty, dtype=dtype, casting=casting).dtype
    return [cast(x, common) for x in arrays]


@compose(np.concatenate)
def numpy_concatenate(arrays, axis=0, out=None, dtype=None, casting="same_kind"):
    arrays = alike(arrays, dtype, casting)
    if axis is None:
        arrays, axis = [np.ravel(x) for x in arrays], 0
    lengths = [sum(x.shape[axis:][:1]) for x in arrays]  # a wrong axis is for NumPy to refuse
    return concatenate(*arrays, axis=axis, ends=tuple(accumulate(lengths)))


@compose(np.stack)
def numpy_stack(arrays, axis=0, out=None, dtype=None, casting="same_kind"):
    return stack(*alike(arrays, dtype, casting), axis=axis)


@compose(np.column_stack)
def column_stack(tup):
    return np.concatenate([x if np.ndim(x) > 1 else np.reshape(x, (-1, 1)) for x in tup], 1)


@compose(np.append)
def append(arr, values, axis=None):
    return np.concatenate([arr, values], axis)


@compose(np.block)
def block(arrays):
    def leaves(x):
        return [leaf for item in x for leaf in leaves(item)] if isinstance(x, list) else [x]

    def nested(x, numbers):
        return [nested(item, numbers) for item in x] if isinstance(x, list) else next(numbers)

    return moved(lambda *numbers: np.block(nested(arrays, iter(numbers))), *leaves(arrays))


by_own_code(np.vstack, np.hstack, np.dstack)

by_own_code(np.split, np.array_split, np.hsplit, np.vsplit, np.dsplit)

if hasattr(np, "unstack"):  # from NumPy 2.1 on
    by_own_code(np.unstack)
