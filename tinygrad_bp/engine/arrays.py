"""Whose array is it: what may be kept, what has to be copied, and what nobody may write to.

All questions of ownership are answered here. Nothing here knows of Tensors.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

NUMPYS = (np.ndarray, np.generic)
_WRITEABLE = 0x400  # NumPy's NPY_ARRAY_WRITEABLE
_BASIC_INDICES = frozenset({int, slice, type(None), type(Ellipsis)})
_NUMBERS_AND_PLACES = (int, float, complex, np.generic, str, slice, tuple, type, type(None))


def as_array(x: Any) -> Any:
    """``x`` itself if it speaks NumPy's protocols, as Tensors and Dask's arrays do; else an array.

    Examples
    --------
    >>> as_array([1.0, 2.0])
    array([1., 2.])
    """
    if hasattr(x, "__array_function__") or isinstance(x, np.generic):
        return x
    array = np.asarray(x)  # of a number NumPy's number, which every library computes with
    return array if array.ndim or array.dtype == object else array[()]


def with_lengths(x: Any) -> Any:
    """``x`` of another library, whose lengths must be known: derivatives count elements.

    Raises
    ------
    ValueError
        If a length is nan, as Dask's are after a selection by truth values.
    """
    if any(map(math.isnan, x.shape)):
        raise ValueError(
            f"the lengths of the {type(x).__module__.partition('.')[0]} array of shape {x.shape} "
            "are not known yet: call x.compute_chunk_sizes() first"
        )
    return x


def like(array: Any, x: Any) -> Any:
    """An array of NumPy's as one of the kind of ``x``, whose library may compute with no other.

    Examples
    --------
    >>> like(np.eye(2), np.zeros(3))
    array([[1., 0.],
           [0., 1.]])
    """
    x = getattr(x, "_array", x)
    own = isinstance(x, NUMPYS) or not hasattr(x, "__array_function__")
    return array if own or not isinstance(array, NUMPYS) else np.asarray(array, like=x)


def known(x: Any) -> bool:
    """Whether the values of ``x`` are at hand, so that they may decide something.

    Examples
    --------
    >>> known(np.zeros(3)), known(2.0)
    (True, True)
    """
    return isinstance(getattr(x, "_array", x), (*NUMPYS, int, float))


def asks(x: Any) -> bool:
    """Whether a question about a value of ``x`` is noted and answered, as a recording array does.

    Examples
    --------
    >>> asks(np.zeros(3))
    False
    """
    return getattr(x, "asks", False)


def overridable(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let the kind of array that a function of ours is given take the call over, as NumPy's do.

    Examples
    --------
    >>> @overridable
    ... def first(x):
    ...     return x[0]
    >>> print(first(np.array([1.0, 2.0])))
    1.0
    """

    @functools.wraps(function)
    def dispatched(x: Any, *others: Any) -> Any:
        if isinstance(x, NUMPYS):
            return function(x, *others)
        return x.__array_function__(dispatched, (type(x),), (x, *others), {})

    return dispatched


def operand(x: Any, differentiable: bool) -> Any:
    """The form in which an argument that is no Tensor goes to a function that is recorded.

    What NumPy would take for an array becomes one. What speaks NumPy's protocols is kept. What
    has another arithmetic than NumPy's arrays is refused. Where the function has no derivative,
    a tuple is a shape, axes or an index, and stays one.

    Raises
    ------
    TypeError
        If ``x`` is a masked array, a `numpy.matrix` or a sparse matrix, or holds no real numbers.
    """
    if isinstance(x, list):
        return frozen(np.asarray(x, None if x else np.intp))  # an empty list may be an index
    if isinstance(x, tuple) and differentiable:
        return frozen(np.asarray(x))
    if isinstance(x, _NUMBERS_AND_PLACES) or not (differentiable or hasattr(x, "__array__")):
        return x
    if isinstance(x, np.ndarray):
        check_arithmetic(x)
        return np.asarray(x)  # without the subclass
    if hasattr(x, "__array_function__"):
        return with_lengths(x)
    check_arithmetic(x)
    return convert(x)  # what only has a buffer too, which somebody may write to


def check_arithmetic(x: Any) -> None:
    """Refuse arrays that multiply otherwise than NumPy's, or leave elements out."""
    if isinstance(x, np.matrix | np.ma.MaskedArray):
        raise TypeError(
            f"a {type(x).__name__} has another arithmetic than a Tensor: "
            "pass np.asarray(...) of it, or fill in what is masked"
        )
    if is_sparse(x):
        raise TypeError(
            f"a {type(x).__name__} has another arithmetic than a Tensor: the matrix product is "
            "t @ A or A @ t; for everything else pass A.toarray()"
        )


def is_sparse(x: Any) -> bool:
    """Whether ``x`` is one of SciPy's sparse matrices or arrays."""
    return type(x).__module__.startswith("scipy.sparse")


def convert(x: Any) -> np.ndarray:
    """An array of what only converts to one: a table of pandas, an array of JAX or PyTorch.

    Raises
    ------
    TypeError
        If it does not convert to numbers.
    """
    kind = f"{type(x).__module__.partition('.')[0]}.{type(x).__name__}"
    try:
        array = np.asarray(x)
        return np.asarray(x, np.float64) if array.dtype == object else array
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(f"a {kind} does not convert to an array of numbers: {error}") from None


def gives_way_to(x: Any) -> bool:
    """Whether ``x`` is a container of another library that can hold Tensors, as xarray's are.

    Such a container answers NumPy's ufuncs, and is no array itself. A table of pandas would hold
    the Tensor as an object, so it is taken for its array instead.
    """
    return (
        hasattr(x, "__array_ufunc__")
        and not hasattr(x, "__array_function__")
        and not hasattr(x, "__pandas_priority__")
        and not isinstance(x, np.generic)
    )


def may_be_written(array: Any) -> bool:
    """Whether somebody can still write to the memory of ``array``: through it, or what it shows."""
    while isinstance(array, np.ndarray):
        if array.flags.num & _WRITEABLE:  # the attribute warns of what is broadcast
            return True
        array = array.base
    return array is not None


def widen(value: Any, dtype: Any) -> Any:
    """A constant of the type that derivatives compute in, which is that of the result.

    In a narrow type of the constant's own, ``y - 1`` might wrap and ``log y`` lose digits.
    """
    own = getattr(value, "dtype", dtype)
    if own is dtype or own.kind not in "biuf" or np.promote_types(own, dtype) != dtype:
        return value
    return frozen(value.astype(dtype))


def keep(value: Any) -> Any:
    """An operand as it is now: copied if somebody may write to it later."""
    if isinstance(value, np.ndarray):
        return frozen(value.copy()) if may_be_written(value) else value
    return value.copy() if hasattr(value, "__array_function__") else value


def frozen(data: Any) -> Any:
    """An array that is safe to keep: a scalar if it has no axes, else one that is read-only."""
    if isinstance(data, np.ndarray):
        if not data.ndim:
            return data[()]
        if type(data) is not np.ndarray:
            data = data.view(np.ndarray)
        data.setflags(False)  # write=False; by place, for it is done in every call
    return data


def copied(data: Any, dtype: Any = None) -> Any:
    """A copy of ``data`` as an array, of its own kind where that speaks NumPy's protocols."""
    if hasattr(data, "__array_function__") and not isinstance(data, np.ndarray):
        return with_lengths(data).copy() if dtype is None else with_lengths(data).astype(dtype)
    if not isinstance(data, np.matrix):  # whose elements are those of an array
        check_arithmetic(data)
    return np.array(data, dtype=dtype)


def owned(value: Any) -> Any:
    """A keyword's value, copied if it is an array or a list: the caller may write to it later."""
    if isinstance(value, list):
        return [owned(item) for item in value]
    if isinstance(value, tuple):
        return tuple(map(owned, value))
    return value.copy() if isinstance(value, np.ndarray) else value


def owned_index(index: Any) -> Any:
    """An index of numbers, slices and arrays, which the caller cannot write to afterwards."""
    return tuple(map(_owned_part, index)) if isinstance(index, tuple) else _owned_part(index)


def _owned_part(part: Any) -> Any:
    if type(part) in _BASIC_INDICES or isinstance(part, bool | np.generic):
        return part
    if hasattr(part, "__array_function__") and not isinstance(part, np.ndarray):
        return part  # of another library
    if hasattr(part, "__index__") and not hasattr(part, "__array__"):
        return operator.index(part)
    untyped = not hasattr(part, "__array__") and not np.size(part)  # [], which NumPy takes too
    return frozen(np.array(part, np.intp if untyped else None))  # sequences of every kind too


def separate(arrays: Iterable[Any]) -> list[Any]:
    """The same arrays, each writable and sharing memory with no other; copied where need be."""
    result, taken = [], set()
    for array in arrays:
        own = isinstance(array, np.ndarray) and array.base is None and array.flags.writeable
        result.append(array if own and id(array) not in taken else array.copy())
        taken.add(id(array))
    return result


def of_kind(found: Sequence[Any], leaves: Sequence[Any]) -> list[Any]:
    """Each gradient as an array of its leaf's kind: NumPy's where the leaf is NumPy's.

    A gradient over lazy data is computed here, and all of one pass together: laid end to end they
    are one array, which is converted once.
    """
    result = list(found)
    foreign = [
        i
        for i, g in enumerate(found)
        if not isinstance(g, NUMPYS) and isinstance(leaves[i], NUMPYS)
    ]
    for dtype in dict.fromkeys(found[i].dtype for i in foreign):
        alike = [i for i in foreign if found[i].dtype == dtype]
        if len(alike) == 1:
            result[alike[0]] = np.asarray(found[alike[0]])
            continue
        flat = np.asarray(np.concatenate([np.reshape(found[i], (-1,)) for i in alike]))
        ends = np.cumsum([leaves[i].size for i in alike])[:-1]
        for i, part in zip(alike, np.split(flat, ends), strict=True):
            result[i] = part.reshape(leaves[i].shape)
    return result


def unbroadcast(term: Any, value: Any) -> Any:
    """Give a gradient the shape and dtype of the value that it belongs to.

    Where the forward pass broadcast, one element was used in many places: sum over them.
    """
    if getattr(term, "shape", None) != value.shape:
        term = _sum_to(term, value.shape)
    return term if term.dtype is value.dtype else term.astype(value.dtype)


def _sum_to(term: Any, shape: tuple[int, ...]) -> Any:
    """Sum over the axes along which an array of this shape was broadcast."""
    try:
        added = term.ndim - len(shape)
        stretched = [i for i, n in enumerate(shape, added) if n != term.shape[i]]
        found = term.sum(axis=(*range(added), *stretched))
        return found.reshape(shape) if stretched else found
    except (AttributeError, ValueError, IndexError):  # of a rule of a user's own
        what = f"shape {term.shape}" if hasattr(term, "shape") else repr(term)
        raise TypeError(
            f"a derivative of a rule gave {what}: it gives g times the local derivative, an "
            f"array of shape {shape}"
        ) from None


class ReadOnlyArray(np.ndarray):
    """A NumPy array that is not written in place, because recorded graphs still need its values.

    Everything computed from it is an ordinary array. An augmented assignment makes a new array,
    so ``t.data -= step`` rebinds ``t.data`` and leaves the old one as it was.

    Examples
    --------
    >>> import tinygrad_bp as bp
    >>> t = bp.Tensor([1.0, 2.0], requires_grad=True)
    >>> before = t.data
    >>> t.data -= 0.5
    >>> before, t.data
    (ReadOnlyArray([1., 2.]), ReadOnlyArray([0.5, 1.5]))
    """

    def __setitem__(self, index: Any, value: Any) -> None:
        if not self.flags.writeable:
            raise write_error()
        super().__setitem__(index, value)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **keywords: Any) -> Any:
        if method == "at" and inputs[0] is self:  # it does not ask whether it may write
            raise write_error()
        if "out" in keywords:
            keywords["out"] = tuple(map(_as_ndarray, keywords["out"]))
        return getattr(ufunc, method)(*map(_as_ndarray, inputs), **keywords)

    def __array_wrap__(
        self, array: np.ndarray, context: Any = None, return_scalar: bool = False
    ) -> Any:
        return np.asarray(array)  # never a number: ufuncs, which ask for one, have gone above

    # Each augmented assignment is the plain operation, so that it rebinds and writes nothing.
    __iadd__ = np.ndarray.__add__  # type: ignore[assignment]
    __isub__ = np.ndarray.__sub__  # type: ignore[assignment]
    __imul__ = np.ndarray.__mul__  # type: ignore[assignment]
    __itruediv__ = np.ndarray.__truediv__  # type: ignore[assignment]
    __ifloordiv__ = np.ndarray.__floordiv__  # type: ignore[assignment]
    __imod__ = np.ndarray.__mod__  # type: ignore[assignment]
    __ipow__ = np.ndarray.__pow__  # type: ignore[assignment]


def _as_ndarray(x: Any) -> Any:
    return x.view(np.ndarray) if isinstance(x, ReadOnlyArray) else x


def write_error() -> ValueError:
    """The error for a write to a Tensor's array."""
    return ValueError(
        "the data of a Tensor is read-only, because recorded graphs still need it: "
        "update by rebinding, t.data = new_values (t.data -= step does that too)"
    )


def read_only(array: Any) -> ReadOnlyArray:
    """A read-only view of an array or NumPy scalar.

    Examples
    --------
    >>> read_only(np.float64(2.0))
    ReadOnlyArray(2.)
    """
    view = np.asarray(array).view(ReadOnlyArray)
    view.setflags(write=False)
    return view
