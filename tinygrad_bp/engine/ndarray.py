"""What a Tensor has in common with ndarray: its attributes, operators, methods and protocols.

Each that computes is a call of NumPy's function of that name, which `_record` remembers.
"""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from .advice import ADVICE
from .arrays import gives_way_to, owned_index
from .callers import calling_module, writer
from .methods import ARRAYS, matrix_products, method, operators, plain_method, refusing_method
from .recording import Recorded, is_transforming
from .rules.activations import relu, sigmoid
from .rules.indexing import getitem
from .rules.types import astype
from .signatures import cannot_write, without_history


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

        Refused within a function that is being differentiated, whose gradient would lack it; for a
        number that is to be a constant there, write ``t.detach().item()``.

        Examples
        --------
        >>> import tinygrad_bp as bp
        >>> bp.Tensor([[3.5]]).item()
        3.5
        """
        self._keep_history("item")
        array = self._array
        return (array if hasattr(array, "item") else np.asarray(array)).item()

    # NumPy's protocols

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **keywords: Any) -> Any:
        if "out" in keywords:
            raise cannot_write(ufunc)
        if any(not isinstance(x, ARRAYS) and gives_way_to(x) for x in inputs):
            return NotImplemented
        function = ufunc if method == "__call__" else (ufunc, method)
        return self._record(function, inputs, keywords)

    def __array_function__(
        self, function: Callable, types: Any, inputs: tuple, keywords: dict
    ) -> Any:
        return self._record(function, inputs, keywords)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if calling_module().startswith("scipy.sparse"):  # which gives way to what is no array
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

    # Text, and operators

    def __repr__(self) -> str:
        values = np.array2string(np.asarray(self._array), separator=", ", prefix="Tensor(")
        notes = [values]
        if self.name is not None:
            notes.append(f"name={self.name!r}")
        if self.dtype != np.float64:
            notes.append(f"dtype={self.dtype}")
        if self.rule is not None:
            notes.append(f"function={self.rule.name}")
        elif self._requires_grad:
            notes.append("requires_grad=True")
        return f"Tensor({', '.join(notes)})"

    __add__, __radd__, __iadd__ = operators(np.add)
    __sub__, __rsub__, __isub__ = operators(np.subtract)
    __mul__, __rmul__, __imul__ = operators(np.multiply)
    __truediv__, __rtruediv__, __itruediv__ = operators(np.divide)
    __floordiv__, __rfloordiv__, __ifloordiv__ = operators(np.floor_divide)
    __mod__, __rmod__, __imod__ = operators(np.remainder)
    __pow__, __rpow__, __ipow__ = operators(np.power)
    __matmul__, __rmatmul__, __imatmul__ = matrix_products()
    __divmod__, __rdivmod__, _ = operators(np.divmod)
    __neg__ = method(np.negative)
    __pos__ = method(np.positive)
    __abs__ = method(np.absolute)
    __round__ = method(np.round)

    # Comparisons give plain arrays; Tensors stay hashable, by identity

    def __eq__(self, other: object) -> Any:  # not np.equal, which refuses text
        return self._array == without_history(other)

    def __ne__(self, other: object) -> Any:
        return self._array != without_history(other)

    __lt__ = plain_method(np.less)
    __le__ = plain_method(np.less_equal)
    __gt__ = plain_method(np.greater)
    __ge__ = plain_method(np.greater_equal)

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
        return float(self._number("float", writer()))

    def __int__(self) -> int:
        return int(self._number("int", writer()))

    def __index__(self) -> int:
        return operator.index(self._array)

    def _number(self, kind: str, into: str) -> Any:
        """The one element, which forgets how it was made; refused where it goes into an array."""
        if not self._requires_grad:
            return self.item()
        if into:
            forgets = (
                f"{self._called()} requires grad, and an element of an array would forget how it "
                "was made: collect the Tensors in a list, then np.stack(list); "
                "np.broadcast_to(t, array.shape) has t everywhere"
            )
        else:
            forgets = (
                f"{kind}() of {self._called()} forgets how it was made, and so do the functions of "
                "the math module: use t.detach().item() for the number, np.sin(t) in place of "
                "math.sin(t)"
            )
        if is_transforming() or into not in {"", "flat"}:
            raise TypeError(forgets)
        warnings.warn(forgets, RuntimeWarning, stacklevel=3)
        if into:  # NumPy hides this error, and not the warning
            raise TypeError(forgets)
        return self.item()

    def _keep_history(self, name: str) -> None:
        """Refuse to give plain numbers to a function that is being differentiated."""
        if self._requires_grad and is_transforming():
            raise TypeError(
                f"t.{name}() of {self._called()} forgets how it was made, within a function that "
                f"is being differentiated: use t itself, or t.detach().{name}() for a constant"
            )

    def __format__(self, form: str) -> str:
        if form and self.ndim:
            raise TypeError(
                f"{self._called()} has no format {form!r}; np.round(t.data, 2) has few digits"
            )
        return format(self._array, form) if form else str(self)

    # ndarray's methods, and the commonest functions

    abs = method(np.absolute)
    all = plain_method(np.all)
    any = plain_method(np.any)
    argmax = plain_method(np.argmax)
    argmin = plain_method(np.argmin)
    argpartition = plain_method(np.argpartition)
    argsort = plain_method(np.argsort)
    choose = method(np.choose)
    clip = method(np.clip)
    conj = conjugate = method(np.conjugate)
    copy = method(np.copy)
    cumprod = method(np.cumprod)
    cumsum = method(np.cumsum)
    diagonal = method(np.diagonal)
    dot = method(np.dot)
    exp = method(np.exp)
    ravel = method(np.ravel)
    log = method(np.log)
    max = method(np.max)
    mean = method(np.mean)
    min = method(np.min)
    nonzero = plain_method(np.nonzero)
    prod = method(np.prod)
    ptp = method(np.ptp)
    relu = method(relu)
    repeat = method(np.repeat)
    round = method(np.round)
    searchsorted = plain_method(np.searchsorted)
    sigmoid = method(sigmoid)
    sqrt = method(np.sqrt)
    squeeze = method(np.squeeze)
    std = method(np.std)
    sum = method(np.sum)
    swapaxes = method(np.swapaxes)
    take = method(np.take)
    tanh = method(np.tanh)
    trace = method(np.trace)
    var = method(np.var)

    fill = refusing_method("fill", "np.full_like(t, value)")
    partition = refusing_method("partition", "np.partition(t, kth)")
    put = refusing_method("put", "np.where(mask, new, t)")
    resize = refusing_method("resize", "np.resize(t, shape)")
    sort = refusing_method("sort", "np.sort(t)")

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
        if not shape:
            raise TypeError("t.reshape needs a shape: t.reshape(2, -1), or t.reshape(-1)")
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
        self._keep_history("tolist")
        return self._array.tolist()


def _one_or_all(lengths: tuple[Any, ...]) -> Any:
    """Lengths that were passed as one tuple or as several numbers: ``(2, 3)`` for both."""
    return lengths[0] if len(lengths) == 1 else lengths


def _as_object(x: Any) -> np.ndarray:
    """An array without axes that holds ``x`` itself: SciPy's sign of an operand of another kind."""
    held = np.empty((), object)
    held[()] = x
    return held
