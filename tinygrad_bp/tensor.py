"""Tensor, the node of the graph, and `apply`, which calls a function and remembers the call."""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from .backprop import backward_pass, separate
from .readonly import read_only
from .registry import COMPOSITIONS, PLAIN, REFUSED, RULES, Rule, full_name, has_out, in_place_order
from .rules import astype, getitem, relu, sigmoid

_Operator = Callable[[Any, Any], "Tensor"]
_REAL = frozenset(np.typecodes["Float"])
_NO_PARAMETERS: dict[str, Any] = {}
_BASIC_INDICES = frozenset({int, slice, type(None), type(Ellipsis)})
_AS_THEY_ARE = frozenset({np.ndarray, np.float64, np.float32, float, int, slice})


def _method(function: Callable[..., Any]) -> Callable[..., Tensor]:
    """The method that calls ``function`` on its Tensor."""

    def method(self: Tensor, *inputs: Any, **parameters: Any) -> Any:
        return apply(function, self, *inputs, **parameters)

    method.__name__ = method.__qualname__ = function.__name__
    method.__doc__ = f"`{full_name(function)}` of this Tensor, with the same arguments."
    return method


_plain_method: Callable[[Callable[..., Any]], Callable[..., Any]] = _method  # gives plain arrays


def _in_place(name: str, instead: str) -> Callable[..., Any]:
    """The method of ndarray that would write into its array, refused."""

    def refused(self: Tensor, *inputs: Any, **parameters: Any) -> Any:
        raise TypeError(
            f"t.{name}() would write in place, and a recorded array never changes: use {instead}"
        )

    refused.__name__ = refused.__qualname__ = name
    refused.__doc__ = f"Refused, because it would write in place: use ``{instead}``."
    return refused


def _operators(function: np.ufunc) -> tuple[_Operator, _Operator]:
    """The method of an operator that calls ``function``, and that of its reflection."""

    def forward(self: Tensor, other: Any) -> Tensor:
        return apply(function, self, other)

    def reflected(self: Tensor, other: Any) -> Tensor:
        return apply(function, other, self)

    return forward, reflected


# Context variables are local to a thread, and to a task of asyncio too.
_recording: ContextVar[bool] = ContextVar("recording", default=True)
_watching: ContextVar[Callable[..., Rule] | None] = ContextVar("watching", default=None)


@contextmanager
def _changed(variable: ContextVar, value: Any) -> Iterator[None]:
    before = variable.get()
    variable.set(value)
    try:
        yield
    finally:
        variable.set(before)


def recording(on: bool) -> AbstractContextManager[None]:
    """Turn recording on or off in this thread, for a while."""
    return _changed(_recording, on)


def watching(watch: Callable[..., Rule]) -> AbstractContextManager[None]:
    """Show ``watch`` every operation in this thread, for a while; record the rule it gives back.

    It is called with the rule, the inputs, their arrays and the result.
    """
    return _changed(_watching, watch)


def no_grad() -> AbstractContextManager[None]:
    """Compute without recording: a context manager and a decorator, local to the thread.

    Examples
    --------
    >>> x = Tensor(2.0, requires_grad=True)
    >>> with no_grad():
    ...     y = x * x
    >>> y.requires_grad
    False
    """
    return recording(False)


def is_recording() -> bool:
    """Whether operations on Tensors are recorded in this thread, now."""
    return _recording.get()


class Tensor:
    """An array that remembers how it was made.

    Operators, NumPy's functions and ndarray's methods work on it and give Tensors; `backward`
    then fills in the ``grad`` of every leaf that led to the result.

    Parameters
    ----------
    data : array_like
        Copied, so that what the caller does to it later does not reach the Tensor.
        Anything that speaks NumPy's protocols (``__array_function__``) is kept as it is.
    requires_grad : bool
        Whether gradients are to be found for this Tensor. It must then be real and floating;
        Python numbers and lists of integers become float64.
    dtype : dtype, optional
        As in `numpy.array`.
    name : str, optional
        What pictures, tables and errors call it.

    Attributes
    ----------
    grad : ndarray, Tensor or None
        For a leaf, the sum of what every `backward` has found; of its own shape and dtype.
    name : str or None
    inputs : tuple
        What it was computed from, as it was passed: Tensors, arrays, numbers. Empty for a leaf.
    rule : Rule or None
        The function that made it, with its local derivatives. None for a leaf.
    edges : tuple of int
        The places among ``inputs`` of the Tensors that gradients flow to.
    arguments : tuple
        The arrays that its derivatives are called with: its own, then those of ``inputs`` as
        they were when it was computed. A later update does not reach them.
    parameters : dict
        The keyword arguments of the call that made it.

    Raises
    ------
    TypeError
        If ``requires_grad`` is asked of integers, booleans, complex numbers or objects.

    Examples
    --------
    >>> x = Tensor(2.0, requires_grad=True, name="x")
    >>> y = x * x + np.exp(-x)
    >>> y.backward()
    >>> print(x.grad, 2 * 2.0 - np.exp(-2.0))
    3.864664716763387 3.864664716763387
    """

    __slots__ = (
        "__weakref__",
        "_array",
        "_requires_grad",
        "arguments",
        "edges",
        "grad",
        "inputs",
        "name",
        "parameters",
        "rule",
    )

    _array: Any  # not called _data: numpy.ma would take that for a masked array's own
    _requires_grad: bool
    grad: Any
    name: str | None
    inputs: tuple[Any, ...]
    rule: Any  # a Rule; None for a leaf
    edges: tuple[int, ...]
    arguments: tuple[Any, ...]
    parameters: dict[str, Any]

    def __init__(
        self,
        data: Any,
        *,
        requires_grad: bool = False,
        dtype: Any = None,
        name: str | None = None,
    ):
        if isinstance(data, Tensor) and data._requires_grad:
            raise TypeError("a Tensor of a Tensor would forget how it was made; use t.detach()")
        array = _copied(data, dtype)
        if array.dtype.kind not in "biufc":
            raise TypeError(f"a Tensor holds numbers, not {array.dtype}: {data!r:.60}")
        if requires_grad and not hasattr(data, "dtype") and array.dtype.kind in "iu":
            array = array.astype(np.float64) if dtype is None else array
        self._array = _frozen(array)
        self.grad = None
        self.name = name
        self.rule = None
        self.inputs = self.edges = self.arguments = ()
        self.parameters = _NO_PARAMETERS
        self.requires_grad = requires_grad

    # What it holds

    @property
    def data(self) -> Any:
        """The values, as a read-only array. Assign to it to update a leaf: ``t.data = new``."""
        data = self._array
        return read_only(data) if isinstance(data, np.ndarray | np.generic) else data

    @data.setter
    def data(self, new: Any) -> None:
        if not self.is_leaf:
            raise ValueError(f"{self._called()} was computed; only a leaf's data can be replaced")
        new = _copied(new, self.dtype)
        if new.shape != self.shape:
            raise ValueError(f"{self._called()} cannot take data of shape {new.shape}")
        self._array = _frozen(new)

    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow to this Tensor. Can be set on a leaf."""
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        if not self.is_leaf and not wanted:
            raise ValueError(f"{self._called()} was computed; use detach() to leave the graph")
        if wanted and self.dtype.char not in _REAL:
            raise TypeError(
                f"only real floating Tensors can require grad, and this one is {self.dtype}; "
                "pass dtype=float"
            )
        self._requires_grad = bool(wanted)

    @property
    def is_leaf(self) -> bool:
        """Whether it was given, not computed."""
        return self.rule is None

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
        >>> Tensor([[3.5]]).item()
        3.5
        """
        return self._array.item()

    def numpy(self) -> np.ndarray:
        """A copy of the values, as an array that can be written."""
        return np.array(self._array)

    def detach(self) -> Tensor:
        """The same values without history: a leaf that does not require grad."""
        return _leaf(self._array)

    def zero_grad(self) -> None:
        """Forget the gradient found so far."""
        self.grad = None

    # Differentiation

    def backward(
        self, grad: Any = None, *, create_graph: bool = False, keep_grads: bool = False
    ) -> None:
        """Add the derivative of this Tensor by every leaf that led to it to that leaf's ``grad``.

        Parameters
        ----------
        grad : array_like, optional
            The adjoint to start from, of this Tensor's shape. 1 for a scalar.
        create_graph : bool
            Make the gradients Tensors with a history, to be differentiated again.
        keep_grads : bool
            Keep the adjoints of the nodes between, too, in their ``grad``.

        Raises
        ------
        ValueError
            If there is more than one element and no ``grad``, or ``grad`` has another shape.
        RuntimeError
            If no leaf that led here requires grad.

        Examples
        --------
        >>> x = Tensor([1.0, 2.0], requires_grad=True)
        >>> (x ** 2).backward([1.0, 10.0])
        >>> x.grad
        array([ 2., 40.])
        """
        if not self.requires_grad:
            raise RuntimeError(f"{self._called()} does not depend on a Tensor that requires grad")
        kept = []
        seed = self.seed(grad, create_graph)
        with recording(create_graph):
            for node, adjoint in backward_pass(self, seed, create_graph=create_graph):
                if node.rule is None or keep_grads:
                    kept.append((node, adjoint))
                else:
                    node.grad = None  # a gradient left from an earlier pass would be a lie
            _deliver(kept, create_graph)

    def seed(self, grad: Any = None, create_graph: bool = False) -> Any:
        """The adjoint that a backward pass from here starts with: 1, or a copy of ``grad``."""
        if grad is None:
            if self.size != 1:
                raise ValueError(
                    f"{self._called()} has {self.size} elements: backward() starts from one; "
                    f"sum it first, or pass grad= of shape {self.shape}"
                )
            return np.ones(self.shape, self.dtype)[()]
        if isinstance(grad, Tensor) and create_graph:
            grad = grad if grad.dtype == self.dtype else grad.astype(self.dtype)
        else:
            grad = _copied(grad, self.dtype)[()]
        if grad.shape != self.shape:
            raise ValueError(f"{self._called()} needs grad of its shape, not {grad.shape}")
        return grad

    def tensor_arguments(self) -> tuple[Any, ...]:
        """``arguments`` as Tensors, so that what the derivatives compute is recorded in turn."""
        return (self, *map(_as_it_was, self.inputs, self.arguments[1:]))

    # NumPy's protocols, and that of the primitives in the registry

    def _record(self, function: Callable, inputs: tuple, parameters: dict) -> Any:
        return apply(function, *inputs, **parameters)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **parameters: Any) -> Any:
        if parameters.pop("out", None) is not None:
            raise _cannot_write(ufunc)
        function = ufunc if method == "__call__" else (ufunc, method)
        return apply(function, *inputs, **parameters)

    def __array_function__(
        self, function: Callable, types: Any, inputs: tuple, parameters: dict
    ) -> Any:
        return apply(function, *inputs, **parameters)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if self._requires_grad:
            raise TypeError(
                f"{self._called()} requires grad, and a NumPy array would forget how it was made: "
                "use t.data for its values, np.stack([...]) to assemble Tensors"
            )
        return np.array(self._array, dtype=dtype)

    # Operators

    __add__, __radd__ = _operators(np.add)
    __sub__, __rsub__ = _operators(np.subtract)
    __mul__, __rmul__ = _operators(np.multiply)
    __truediv__, __rtruediv__ = _operators(np.divide)
    __floordiv__, __rfloordiv__ = _operators(np.floor_divide)
    __mod__, __rmod__ = _operators(np.remainder)
    __pow__, __rpow__ = _operators(np.power)
    __matmul__, __rmatmul__ = _operators(np.matmul)
    __divmod__, __rdivmod__ = _operators(np.divmod)
    __neg__ = _method(np.negative)
    __pos__ = _method(np.positive)
    __abs__ = _method(np.absolute)

    # Comparisons give plain arrays; Tensors stay hashable, by identity

    def __eq__(self, other: object) -> Any:  # not np.equal, which refuses text
        return self._array == _without_history(other)

    def __ne__(self, other: object) -> Any:
        return self._array != _without_history(other)

    __lt__ = _plain_method(np.less)
    __le__ = _plain_method(np.less_equal)
    __gt__ = _plain_method(np.greater)
    __ge__ = _plain_method(np.greater_equal)

    __hash__ = object.__hash__

    # What Python expects of an array

    def __getitem__(self, index: Any) -> Tensor:
        return apply(getitem, self, _own_index(index))

    def __setitem__(self, index: Any, value: Any) -> None:
        raise TypeError(
            f"{self._called()} cannot be written in place: a recorded array never changes; "
            "use np.where(mask, new, t), or for a leaf rebind t.data"
        )

    def __len__(self) -> int:
        if self.ndim == 0:
            raise TypeError("a Tensor without axes has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        if self.ndim == 0:
            raise TypeError("a Tensor without axes cannot be iterated over")
        return (self[i] for i in range(len(self)))

    def __contains__(self, value: Any) -> bool:
        return value in self._array

    def __bool__(self) -> bool:
        return bool(self._array)

    def __float__(self) -> float:
        return float(self._number("float"))

    def __int__(self) -> int:
        return int(self._number("int"))

    def __index__(self) -> int:
        return operator.index(self._array)

    def _number(self, kind: str) -> Any:
        if self._requires_grad:
            warnings.warn(
                f"{kind}() of {self._called()} forgets how it was made, and so do the functions of "
                "the math module: use t.item() for the number, np.sin(t) in place of math.sin(t)",
                RuntimeWarning,
                stacklevel=3,
            )
        return self._array.item()

    def __format__(self, form: str) -> str:
        return format(self._array, form) if form else str(self)

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

    def __reduce__(self) -> tuple[Any, ...]:
        if not self.is_leaf:
            raise TypeError(f"{self._called()} was computed; detach() it before it is copied")
        return _restored, (self.numpy(), self._requires_grad, self.name, self.grad)

    def _called(self) -> str:
        kind = "a Tensor" if self.name is None else f"Tensor {self.name!r}"
        return f"{kind} of shape {self.shape}"

    def _replace(self, new: Any) -> None:
        """Rebind a leaf's data to an array that nobody else will write to, without a copy."""
        self._array = _frozen(new)

    # ndarray's methods, and the commonest functions

    abs = _method(np.absolute)
    all = _plain_method(np.all)
    any = _plain_method(np.any)
    argmax = _plain_method(np.argmax)
    argmin = _plain_method(np.argmin)
    argpartition = _plain_method(np.argpartition)
    argsort = _plain_method(np.argsort)
    astype = _method(astype)
    choose = _method(np.choose)
    clip = _method(np.clip)
    conj = conjugate = _method(np.conjugate)
    copy = _method(np.copy)
    cumprod = _method(np.cumprod)
    cumsum = _method(np.cumsum)
    diagonal = _method(np.diagonal)
    dot = _method(np.dot)
    exp = _method(np.exp)
    flatten = ravel = _method(np.ravel)
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
    def T(self) -> Tensor:
        """The axes in reverse order: for a matrix, its transpose."""
        return apply(np.transpose, self)

    @property
    def mT(self) -> Tensor:
        """Each matrix of the last two axes, transposed."""
        return apply(np.matrix_transpose, self)

    def reshape(self, *shape: Any, **order: str) -> Tensor:
        """`np.reshape`: ``t.reshape(2, -1)`` or ``t.reshape((2, -1))``, and ``order="F"``."""
        return apply(np.reshape, self, shape[0] if len(shape) == 1 else shape, **order)

    def transpose(self, *axes: Any) -> Tensor:
        """`np.transpose`: ``t.transpose(1, 0)``, ``t.transpose((1, 0))`` or ``t.transpose()``."""
        if not axes:
            return apply(np.transpose, self)
        return apply(np.transpose, self, axes=axes[0] if len(axes) == 1 else axes)

    def compress(self, condition: Any, axis: int | None = None) -> Tensor:
        """`np.compress` of this Tensor: the slices where the condition holds."""
        return apply(np.compress, condition, self, axis)

    def tolist(self) -> Any:
        """The values as nested lists of Python numbers."""
        return self._array.tolist()


def apply(function: Any, *inputs: Any, **parameters: Any) -> Any:
    """Call ``function`` on the inputs' arrays, and remember how the result was made.

    Parameters
    ----------
    function : callable
        A NumPy function with a rule, or one of ours.
    *inputs : Tensor, array or number
        What it is applied to.
    **parameters
        Its keyword arguments, such as ``axis``.

    Returns
    -------
    Tensor
        A node of the graph if an input requires grad and recording is on. A plain array where
        the function's result has no derivative, such as `numpy.argmax`.

    Raises
    ------
    TypeError
        If the function has no rule, or does not know a parameter, or the result is not real.

    Examples
    --------
    >>> apply(np.multiply, Tensor(2.0, requires_grad=True), 3.0)
    Tensor(6., function=multiply)
    """
    rule = RULES.get(function)
    if rule is None:
        return _apply_without_rule(function, inputs, parameters)
    if parameters or len(inputs) != rule.arity:
        inputs, parameters = in_place_order(function, inputs, parameters)
    values, edges = [], []
    for position, x in enumerate(inputs):
        if isinstance(x, Tensor):
            values.append(x._array)
            if x._requires_grad and rule.derivatives[position] is not None:
                edges.append(position)
        else:
            values.append(x if type(x) in _AS_THEY_ARE else _operand(x, function))
    try:
        data = _frozen(rule.function(*values, **parameters))
    except (ValueError, TypeError, IndexError) as error:
        raise _explained(error, rule.name, inputs) from None
    if watch := _watching.get():
        rule = watch(rule, inputs, values, data)
    if not (edges and _recording.get()):
        return _leaf(data)
    if data.dtype.char not in _REAL:
        raise TypeError(f"{rule.name} gave {data.dtype}: only real functions are differentiated")
    return _node(data, rule, inputs, values, edges, parameters or _NO_PARAMETERS)


def _operand(x: Any, function: Any) -> Any:
    """An input that is not a Tensor, as an array if NumPy would take it for one."""
    if isinstance(x, list) or (isinstance(x, tuple) and isinstance(function, np.ufunc)):
        return np.asarray(x, None if x else np.intp)  # an empty list may be an index
    if isinstance(x, np.matrix | np.ma.MaskedArray):
        raise TypeError(
            f"a {type(x).__name__} has another arithmetic than a Tensor: "
            "pass np.asarray(...) of it, or fill in what is masked"
        )
    return x


def _own_index(index: Any) -> Any:
    """An index with arrays and lists copied, so that the caller may write to them afterwards."""
    if type(index) in _BASIC_INDICES:
        return index
    if isinstance(index, tuple):
        return tuple(map(_own_index, index))
    index = _without_history(index)
    if isinstance(index, list):
        return np.array(index, None if np.size(index) else np.intp)
    if isinstance(index, np.ndarray):
        return index.copy()
    return index


def _node(
    data: Any, rule: Rule | None, inputs: tuple, values: Sequence, edges: Sequence, parameters: dict
) -> Tensor:
    """A Tensor that was computed, or if it has no rule a leaf."""
    self = Tensor.__new__(Tensor)
    self._array = data
    self._requires_grad = rule is not None
    self.grad = self.name = None
    self.rule = rule
    self.inputs = inputs
    self.edges = tuple(edges)
    self.arguments = (data, *values)
    self.parameters = parameters
    return self


def _leaf(data: Any) -> Tensor:
    return _node(data, None, (), (), (), _NO_PARAMETERS)


def _frozen(data: Any) -> Any:
    """Make an array safe to keep: a scalar if it has no axes, else read-only."""
    if isinstance(data, np.ndarray):
        if not data.ndim:
            return data[()]
        if type(data) is not np.ndarray:
            data = data.view(np.ndarray)
        data.setflags(write=False)
    return data


def _copied(data: Any, dtype: Any) -> Any:
    """A copy as an array; what speaks NumPy's protocols itself is kept as it is."""
    if isinstance(data, Tensor):
        data = data._array
    if hasattr(data, "__array_function__") and not isinstance(data, np.ndarray):
        return data if dtype is None else data.astype(dtype)
    return np.array(data, dtype=dtype)


def _restored(data: np.ndarray, requires_grad: bool, name: str | None, grad: Any) -> Tensor:
    """Rebuild a leaf that was pickled or copied."""
    tensor = Tensor(data, requires_grad=requires_grad, name=name)
    tensor.grad = grad
    return tensor


def _as_it_was(x: Any, value: Any) -> Any:
    """``x`` with the value it had when it was used: a stand-in if its data was replaced since."""
    if not isinstance(x, Tensor):
        return value
    if x._array is value:
        return x
    if not x._requires_grad:
        return _leaf(value)
    return _node(value, RULES[np.positive], (x,), (value,), (0,), _NO_PARAMETERS)


def _deliver(found: list[tuple[Tensor, Any]], as_tensors: bool) -> None:
    """Put each adjoint into its Tensor's ``grad``, as an array that belongs to it alone."""
    grads = [g if x.rule or x.grad is None else x.grad + g for x, g in found]
    if as_tensors:
        grads = [g if isinstance(g, Tensor) else Tensor(g) for g in grads]
    else:  # an earlier pass may have left a Tensor
        grads = separate(g._array if isinstance(g, Tensor) else g for g in grads)
        grads = [g if g.ndim else np.array(g) for g in grads]
    for (node, _), grad in zip(found, grads, strict=True):
        node.grad = grad


def _apply_without_rule(function: Any, inputs: tuple, parameters: dict) -> Any:
    if function in COMPOSITIONS:
        if has_out(function, inputs, parameters):
            raise _cannot_write(function)
        return COMPOSITIONS[function](*inputs, **parameters)
    if function in PLAIN:
        return function(*_without_history(inputs), **_without_history(parameters))
    why = REFUSED.get(function, "it has no derivative rule; use t.data to leave the graph")
    raise TypeError(f"{full_name(function)} cannot be applied to a Tensor: {why}")


def _without_history(x: Any) -> Any:
    """Replace every Tensor by its array, within lists, tuples and dicts too."""
    if isinstance(x, Tensor):
        return x._array
    if isinstance(x, list | tuple):
        return type(x)([_without_history(item) for item in x])
    if isinstance(x, dict):
        return {key: _without_history(value) for key, value in x.items()}
    return x


def _cannot_write(function: Callable[..., Any]) -> TypeError:
    return TypeError(
        f"{full_name(function)} cannot write into out= (or do array += Tensor) when a Tensor is "
        "involved: a recorded array never changes; use the result, a = a + t"
    )


def _explained(error: Exception, name: str, inputs: tuple) -> Exception:
    """The same error, with the operation and its operands' names and shapes in front."""
    kind = TypeError if isinstance(error, TypeError) else type(error)  # a ufunc's takes no message
    return kind(f"{name} of {described(inputs)}: {str(error).strip()}")


def described(inputs: Sequence[Any]) -> str:
    """The operands of an operation by name, or else type, and shape."""
    operands = [x for x in inputs if hasattr(x, "shape")]
    return " and ".join(
        f"{getattr(x, 'name', None) or type(x).__name__} {x.shape}" for x in operands
    )
