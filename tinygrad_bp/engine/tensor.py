"""Tensor, the node of the graph, and `apply`, which calls a function and remembers the call."""

from __future__ import annotations

import copy
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from .arrays import read_only
from .backprop import backward_pass, separate
from .ndarray import NDArrayMethods, without_history
from .recording import RECORDING, WATCH, recording
from .registry import COMPOSITIONS, METHODS, PLAIN, REFUSED, RULES, Rule, full_name
from .signatures import bind, cannot_write, has_out

_NO_PARAMETERS: dict[str, Any] = {}
_ACCUMULATING = threading.RLock()  # a handler of signals may run a pass within one
_AS_THEY_ARE = frozenset({np.ndarray, np.float64, np.float32, float, int, slice})


def apply(
    function: Any, inputs: tuple[Any, ...], parameters: dict[str, Any] = _NO_PARAMETERS
) -> Any:
    """Call ``function`` on the inputs' arrays, and remember how the result was made.

    Parameters
    ----------
    function : callable
        A NumPy function with a rule, or one of ours.
    inputs : tuple of Tensor, array or number
        What it is applied to.
    parameters : dict, optional
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
    >>> apply(np.multiply, (Tensor(2.0, requires_grad=True), 3.0))
    Tensor(6., function=multiply)
    """
    rule = RULES.get(function)
    if rule is None:
        return _apply_without_rule(function, inputs, parameters)
    if parameters or len(inputs) != rule.arity:
        inputs, parameters = bind(function, inputs, parameters)
    derivatives = rule.derivatives
    values: list[Any] = []
    edges: tuple[int, ...] = ()
    for position, x in enumerate(inputs):
        if isinstance(x, Tensor):
            values.append(x._array)
            if x._requires_grad and derivatives[position] is not None:
                edges += (position,)
        else:
            values.append(x if type(x) in _AS_THEY_ARE else _operand(x, derivatives[position]))
    try:
        data = rule.function(*values, **parameters)
    except (ValueError, TypeError, IndexError) as error:
        raise _explained(error, rule.name, inputs) from None
    if isinstance(data, np.ndarray):  # and not a scalar, which nobody can write to
        data = _frozen(data)
    if watch := WATCH.get():
        rule = watch(rule, inputs, values, data)
    if not (edges and RECORDING.get()):
        return _leaf(data)
    if data.dtype.kind != "f":
        raise TypeError(f"{rule.name} gave {data.dtype}: only real functions are differentiated")
    return _node(data, rule, inputs, values, edges, parameters or _NO_PARAMETERS)


def _apply_without_rule(function: Any, inputs: tuple, parameters: dict) -> Any:
    if function in COMPOSITIONS:
        if has_out(function, inputs, parameters):
            raise cannot_write(function)
        named = {name: value for name, value in parameters.items() if name != "out"}
        return COMPOSITIONS[function](*inputs, **named)
    if isinstance(function, tuple):  # a ufunc and the name of its method
        ufunc, method = function
        if ufunc not in PLAIN:
            return METHODS[method](ufunc, *inputs, **parameters)
        function = getattr(ufunc, method)
    if function in PLAIN or isinstance(getattr(function, "__self__", None), np.ufunc):
        return function(*without_history(inputs), **without_history(parameters))
    why = REFUSED.get(function, "it has no derivative rule; use t.data to leave the graph")
    raise TypeError(f"{full_name(function)} cannot be applied to a Tensor: {why}")


class Tensor(NDArrayMethods):
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

    grad: Any
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
            given = " ".join(repr(data).split())
            raise TypeError(f"a Tensor holds numbers, not {array.dtype}: {given:.60}")
        if requires_grad and not hasattr(data, "dtype") and array.dtype.kind in "iu":
            array = array.astype(np.float64) if dtype is None else array
        self._array = _frozen(array)
        self.grad = None
        self.name = name
        self.rule = None
        self.inputs = self.edges = self.arguments = ()
        self.parameters = _NO_PARAMETERS
        self.requires_grad = requires_grad

    _record = staticmethod(apply)

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
        if wanted and self.dtype.kind != "f":
            raise TypeError(
                f"only real floating Tensors can require grad, and this one is {self.dtype}; "
                "pass dtype=float, or t.real of complex numbers"
            )
        self._requires_grad = bool(wanted)

    @property
    def is_leaf(self) -> bool:
        """Whether it was given, not computed."""
        return self.rule is None

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
            raise RuntimeError(
                f"{self._called()} does not depend on a Tensor that requires grad: "
                "make its inputs with Tensor(..., requires_grad=True), outside no_grad()"
            )
        kept = []
        seed = self.seed(grad, create_graph)
        with recording(create_graph):
            for node, adjoint in backward_pass(self, seed, create_graph=create_graph):
                if node.rule is None or keep_grads:
                    kept.append((node, adjoint))
                else:
                    node.grad = None  # a gradient left from an earlier pass would be a lie
            _accumulate(kept, create_graph)

    def seed(self, grad: Any = None, create_graph: bool = False) -> Any:
        """The adjoint that a backward pass from here starts with: 1, or a copy of ``grad``.

        Raises
        ------
        ValueError
            If there is more than one element and no ``grad``, or ``grad`` has another shape.
        """
        if grad is None:
            if self.size != 1:
                raise ValueError(
                    f"{self._called()} has {self.size} elements: backward() starts from one; "
                    f"sum it first, or pass grad= of shape {self.shape}"
                )
            return np.array(1, self.dtype, ndmin=self.ndim)[()]
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
            raise TypeError(
                f"{self._called()} was computed; detach() it before it is copied, or use t.data"
            )
        grad = self.grad if isinstance(self.grad, Tensor) else copy.copy(self.grad)
        return _restored, (self.numpy(), self._requires_grad, self.name, grad)

    def _replace(self, new: Any) -> None:
        """Rebind a leaf's data to an array that nobody else will write to, without a copy."""
        self._array = _frozen(new)


def _operand(x: Any, derivative: Any) -> Any:
    """An input that is not a Tensor, as an array if NumPy would take it for one.

    A tuple is one where the function has a derivative; else it is a shape, or axes.
    """
    if isinstance(x, list) or (isinstance(x, tuple) and derivative):
        return np.asarray(x, None if x else np.intp)  # an empty list may be an index
    if isinstance(x, np.matrix | np.ma.MaskedArray):
        raise TypeError(
            f"a {type(x).__name__} has another arithmetic than a Tensor: "
            "pass np.asarray(...) of it, or fill in what is masked"
        )
    return x


def _node(
    data: Any, rule: Rule | None, inputs: tuple, values: Sequence, edges: tuple, parameters: dict
) -> Tensor:
    """A Tensor that was computed, or if it has no rule a leaf."""
    self = Tensor.__new__(Tensor)
    self._array = data
    self._requires_grad = rule is not None
    self.grad = self.name = None
    self.rule = rule
    self.inputs = inputs
    self.edges = edges
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


def _accumulate(found: list[tuple[Tensor, Any]], as_tensors: bool) -> None:
    """Put each adjoint into its Tensor's ``grad``; to a leaf's, add it.

    All are computed before any is put, so that an error leaves every ``grad`` as it was. One
    thread at a time, or what another adds meanwhile would be lost.
    """
    with _ACCUMULATING:
        grads = [g if x.rule or x.grad is None else x.grad + g for x, g in found]
        if as_tensors:
            grads = [g if isinstance(g, Tensor) else Tensor(g) for g in grads]
        else:  # an earlier pass may have left a Tensor
            arrays = (g._array if isinstance(g, Tensor) else g for g in grads)
            grads = separate(np.array(g) if isinstance(g, np.generic) else g for g in arrays)
        for (node, _), grad in zip(found, grads, strict=True):
            node.grad = grad


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
