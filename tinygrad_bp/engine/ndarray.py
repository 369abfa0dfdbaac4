"""What a Tensor has in common with ndarray: its attributes, operators, methods and protocols.

Each that computes is a call of NumPy's function of that name, which `_record` remembers.
"""

from __future__ import annotations

import operator
import sys
import warnings
from collections.abc import Callable, Iterator
from opcode import opmap
from typing import TYPE_CHECKING, Any

import numpy as np

from .advice import ADVICE
from .arrays import gives_way_to, is_sparse, owned_index
from .recording import Recorded, is_transforming
from .rules.activations import relu, sigmoid
from .rules.indexing import getitem
from .rules.products import times_sparse
from .rules.types import astype
from .signatures import cannot_write, full_name

_Operator = Callable[[Any, Any], Any]
_ARRAYS = (Recorded, np.ndarray, np.generic, int, float)


def _method(function: Callable[..., Any]) -> Callable[..., Any]:
    """The method that calls ``function`` on its array."""

    def method(self: NDArrayMethods, *inputs: Any, **keywords: Any) -> Any:
        return self._record(function, (self, *inputs), keywords)

    method.__name__ = method.__qualname__ = function.__name__
    method.__doc__ = f"`{full_name(function)}` of this Tensor, with the same arguments."
    return method


_plain_method: Callable[[Callable[..., Any]], Callable[..., Any]] = _method  # gives plain arrays


def _in_place(name: str, instead: str) -> Callable[..., Any]:
    """The method of ndarray that would write into its array, refused."""

    def refused(self: NDArrayMethods, *inputs: Any, **keywords: Any) -> Any:
        raise TypeError(
            f"t.{name}() would write in place, and a recorded array never changes: use {instead}"
        )

    refused.__name__ = refused.__qualname__ = name
    refused.__doc__ = f"Refused, because it would write in place: use ``{instead}``."
    return refused


def _operators(function: np.ufunc) -> tuple[_Operator, _Operator, _Operator]:
    """The methods of an operator that calls ``function``: it, its reflection, its assignment."""

    def forward(self: NDArrayMethods, other: Any) -> Any:
        if not isinstance(other, _ARRAYS) and gives_way_to(other):
            return NotImplemented
        return self._record(function, (self, other))

    def reflected(self: NDArrayMethods, other: Any) -> Any:
        if not isinstance(other, _ARRAYS) and gives_way_to(other):
            return NotImplemented
        return self._record(function, (other, self))

    def assigned(self: NDArrayMethods, other: Any) -> Any:
        # The name would move on and the leaf would not: right for the argument of a function only.
        if self._requires_grad and self.is_leaf and not is_transforming():
            raise TypeError(
                f"{self._called()} is a leaf, which an augmented assignment would not change: "
                "t.data -= step updates it; t = t - step makes another Tensor"
            )
        if self._is_view():
            raise TypeError(
                f"{self._called()} is a view, and an augmented assignment would not change what "
                "it shows: v = v * 2 makes another Tensor; to change a part of y, assemble it "
                "anew: y = np.where(mask, y * 2, y) or np.concatenate([...])"
            )
        return forward(self, other)

    return forward, reflected, assigned


def _matrix_products() -> tuple[_Operator, _Operator, _Operator]:
    """The same of ``@``, which takes SciPy's sparse matrices for constants too."""
    forward, reflected, assigned = _operators(np.matmul)

    def by_right(self: NDArrayMethods, other: Any) -> Any:
        return (
            self._record(times_sparse, (self, other)) if is_sparse(other) else forward(self, other)
        )

    def by_left(self: NDArrayMethods, other: Any) -> Any:
        if not is_sparse(other):
            return reflected(self, other)
        return self._record(times_sparse, (self.T, other.T)).T

    return by_right, by_left, assigned


class NDArrayMethods(Recorded):
    """The part of Tensor that is ndarray's: `numpy.lib.mixins.NDArrayOperatorsMixin`, and methods.

    Tensor adds the memory, and says in ``_record`` how a function is called and remembered.
    """

    __slots__ = ()

    is_leaf: Any
    __pandas_priority__ = 5000  # above a DataFrame's, so that tables leave the operation to us

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes."""
        return self._array.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self._array.ndim

    @property
    def size(self) -> int:
        """The number of elements."""
        return self._array.size

    @property
    def dtype(self) -> np.dtype:
        """The type of the elements."""
        return self._array.dtype

    def item(self) -> float:
        """The one element as a Python number.

        Examples
        --------
        >>> import tinygrad_bp as bp
        >>> bp.Tensor([[3.5]]).item()
        3.5
        """
        array = self._array
        return (array if hasattr(array, "item") else np.asarray(array)).item()

    # NumPy's protocols

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **keywords: Any) -> Any:
        if "out" in keywords:
            raise cannot_write(ufunc)
        if any(not isinstance(x, _ARRAYS) and gives_way_to(x) for x in inputs):
            return NotImplemented
        function = ufunc if method == "__call__" else (ufunc, method)
        return self._record(function, inputs, keywords)

    def __array_function__(
        self, function: Callable, types: Any, inputs: tuple, keywords: dict
    ) -> Any:
        return self._record(function, inputs, keywords)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if _caller().startswith("scipy.sparse"):  # which gives way to what is no array
            return _as_object(self)
        if copy is False:
            if dtype not in (None, self.dtype) or not self.ndim or self._requires_grad:
                raise ValueError(f"{self._called()} cannot be an array without a copy")
            return self._array
        if self._requires_grad:
            instead = (
                "use t.data for its values, np.stack([...]) to assemble Tensors, and for a table "
                "of pandas table.to_numpy() @ t"
            )
            raise TypeError(
                f"{self._called()} requires grad, and a NumPy array would forget how it was made: "
                f"{ADVICE['array']() or instead}"
            )
        return np.array(self._array, dtype=dtype)

    # Operators

    __add__, __radd__, __iadd__ = _operators(np.add)
    __sub__, __rsub__, __isub__ = _operators(np.subtract)
    __mul__, __rmul__, __imul__ = _operators(np.multiply)
    __truediv__, __rtruediv__, __itruediv__ = _operators(np.divide)
    __floordiv__, __rfloordiv__, __ifloordiv__ = _operators(np.floor_divide)
    __mod__, __rmod__, __imod__ = _operators(np.remainder)
    __pow__, __rpow__, __ipow__ = _operators(np.power)
    __matmul__, __rmatmul__, __imatmul__ = _matrix_products()
    __divmod__, __rdivmod__, _ = _operators(np.divmod)
    __neg__ = _method(np.negative)
    __pos__ = _method(np.positive)
    __abs__ = _method(np.absolute)

    def _is_view(self) -> bool:
        """Whether it shows memory of another Tensor, so that NumPy's would change both."""
        base = getattr(self._array, "base", None)
        if isinstance(base, np.ndarray) and not base.flags.writeable:
            return True
        return any(
            isinstance(x, Recorded) and np.may_share_memory(self._array, x._array)
            for x in self.inputs
        )

    # Comparisons give plain arrays; Tensors stay hashable, by identity

    def __eq__(self, other: object) -> Any:  # not np.equal, which refuses text
        return self._array == without_history(other)

    def __ne__(self, other: object) -> Any:
        return self._array != without_history(other)

    __lt__ = _plain_method(np.less)
    __le__ = _plain_method(np.less_equal)
    __gt__ = _plain_method(np.greater)
    __ge__ = _plain_method(np.greater_equal)

    __hash__ = object.__hash__

    # What Python expects of an array

    def __getitem__(self, index: Any) -> Any:
        return self._record(getitem, (self, owned_index(without_history(index))))

    def __setitem__(self, index: Any, value: Any) -> None:
        raise TypeError(
            f"{self._called()} cannot be written in place: a recorded array never changes; "
            "use np.where(mask, new, t), or for a leaf rebind t.data"
        )

    def __len__(self) -> int:
        if self.ndim == 0:
            raise TypeError("a Tensor without axes has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        if self.ndim == 0:
            raise TypeError("a Tensor without axes cannot be iterated over")
        return (self[i] for i in range(len(self)))

    def __contains__(self, value: Any) -> bool:
        return value in self._array

    def __bool__(self) -> bool:
        return bool(self._array)

    def __float__(self) -> float:
        caller = sys._getframe(1)
        if caller.f_code.co_code[caller.f_lasti] == opmap["STORE_SUBSCR"] and self._requires_grad:
            raise TypeError(  # which NumPy shows above an error of its own
                f"{self._called()} requires grad, and an element of a NumPy array would forget "
                "how it was made: collect the Tensors in a list, then np.stack(list)"
            )
        return float(self._number("float"))

    def __int__(self) -> int:
        return int(self._number("int"))

    def __index__(self) -> int:
        return operator.index(self._array)

    def _number(self, kind: str) -> Any:
        if self._requires_grad:
            forgets = (
                f"{kind}() of {self._called()} forgets how it was made, and so do the functions of "
                "the math module: use t.item() for the number, np.sin(t) in place of math.sin(t)"
            )
            if is_transforming():
                raise TypeError(forgets)
            warnings.warn(forgets, RuntimeWarning, stacklevel=3)
        return self.item()

    def __format__(self, form: str) -> str:
        if form and self.ndim:
            raise TypeError(
                f"{self._called()} has no format {form!r}; np.round(t.data, 2) has few digits"
            )
        return format(self._array, form) if form else str(self)

    # ndarray's methods, and the commonest functions

    abs = _method(np.absolute)
    all = _plain_method(np.all)
    any = _plain_method(np.any)
    argmax = _plain_method(np.argmax)
    argmin = _plain_method(np.argmin)
    argpartition = _plain_method(np.argpartition)
    argsort = _plain_method(np.argsort)
    choose = _method(np.choose)
    clip = _method(np.clip)
    conj = conjugate = _method(np.conjugate)
    copy = _method(np.copy)
    cumprod = _method(np.cumprod)
    cumsum = _method(np.cumsum)
    diagonal = _method(np.diagonal)
    dot = _method(np.dot)
    exp = _method(np.exp)
    ravel = _method(np.ravel)
    log = _method(np.log)
    max = _method(np.max)
    mean = _method(np.mean)
    min = _method(np.min)
    nonzero = _plain_method(np.nonzero)
    prod = _method(np.prod)
    ptp = _method(np.ptp)
    relu = _method(relu)
    repeat = _method(np.repeat)
    round = _method(np.round)
    searchsorted = _plain_method(np.searchsorted)
    sigmoid = _method(sigmoid)
    sqrt = _method(np.sqrt)
    squeeze = _method(np.squeeze)
    std = _method(np.std)
    sum = _method(np.sum)
    swapaxes = _method(np.swapaxes)
    take = _method(np.take)
    tanh = _method(np.tanh)
    trace = _method(np.trace)
    var = _method(np.var)

    fill = _in_place("fill", "np.full_like(t, value)")
    partition = _in_place("partition", "np.partition(t, kth)")
    put = _in_place("put", "np.where(mask, new, t)")
    resize = _in_place("resize", "np.resize(t, shape)")
    sort = _in_place("sort", "np.sort(t)")

    @property
    def T(self) -> Any:
        """The axes in reverse order: for a matrix, its transpose."""
        return self._record(np.transpose, (self,))

    @property
    def mT(self) -> Any:
        """Each matrix of the last two axes, transposed."""
        return self._record(np.matrix_transpose, (self,))

    def reshape(self, *shape: Any, **order: str) -> Any:
        """`np.reshape`: ``t.reshape(2, -1)`` or ``t.reshape((2, -1))``, and ``order="F"``."""
        whole = shape if isinstance(shape[0], int) else _one_or_all(shape)
        return self._record(np.reshape, (self, whole), order)

    def transpose(self, *axes: Any) -> Any:
        """`np.transpose`: ``t.transpose(1, 0)``, ``t.transpose((1, 0))`` or ``t.transpose()``."""
        return self._record(np.transpose, (self,), {"axes": _one_or_all(axes) if axes else None})

    def flatten(self, order: str = "C") -> Any:
        """A copy with one axis: `ravel`, but never a view."""
        return self._record(np.copy, (self.reshape(-1, order=order),))

    def astype(self, dtype: Any) -> Any:
        """The elements as another type: a plain array where that is not real and floating.

        Integers have no derivative, and serve as indices, as those of `argmax` do.
        """
        if np.dtype(dtype).kind in "biu" and self._requires_grad:
            return self._array.astype(dtype)
        return self._record(astype, (self, dtype))

    def compress(self, condition: Any, axis: int | None = None) -> Any:
        """`np.compress` of this Tensor: the slices where the condition holds."""
        return self._record(np.compress, (condition, self, axis))

    if not TYPE_CHECKING:  # which would then take every name for one that is there

        def __getattr__(self, name: str) -> Any:
            raise ADVICE["attribute"](self, name)

    def tolist(self) -> Any:
        """The values as nested lists of Python numbers."""
        return self._array.tolist()


def _one_or_all(lengths: tuple[Any, ...]) -> Any:
    """What was passed as one tuple or as several numbers: ``(2, 3)`` for both."""
    return lengths[0] if len(lengths) == 1 else lengths


def _caller() -> str:
    """The name of the module whose code asked for an array."""
    return sys._getframe(2).f_globals.get("__name__", "")


def _as_object(x: Any) -> np.ndarray:
    """An array without axes that holds ``x`` itself: SciPy's sign of an operand of another kind."""
    held = np.empty((), object)
    held[()] = x
    return held


def without_history(x: Any) -> Any:
    """Replace every Tensor by its array, within lists, tuples and dicts too."""
    if isinstance(x, Recorded):
        return x._array
    if isinstance(x, list | tuple):
        return type(x)([without_history(item) for item in x])
    if isinstance(x, dict):
        return {key: without_history(value) for key, value in x.items()}
    return x
