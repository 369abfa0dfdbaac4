"""Tensor, the node of the graph, and `apply`, which calls a function and remembers the call."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from .arrays import copied, frozen, keep, operand, read_only, widen, with_lengths
from .backprop import accumulate, backward_pass, seed_of
from .context import innermost
from .dispatch import call_without_rule
from .ndarray import NDArrayMethods
from .recording import RECORDING, WATCH, is_recording, recording, taken_out
from .registry import RULES, Rule
from .signatures import bind, explain_error

_NO_KEYWORDS: dict[str, Any] = {}
_USUAL_RESULTS = frozenset({np.ndarray, np.float64, np.float32})
_NUMBERS = frozenset({int, float})  # which have no type of their own, and cannot be written to
_AS_THEY_ARE = frozenset({np.ndarray, np.float64, np.float32, float, int, slice})


def apply(  # all that happens in a call, on one page
    function: Any, inputs: tuple[Any, ...], keywords: dict[str, Any] = _NO_KEYWORDS
) -> Any:
    """Call ``function`` on the inputs' arrays, and remember how the result was made.

    Parameters
    ----------
    function : callable
        A NumPy function with a rule, or one of ours.
    inputs : tuple of Tensor, array or number
        What it is applied to.
    keywords : dict, optional
        Its keyword arguments, such as ``axis``.

    Returns
    -------
    Tensor
        A node of the graph if an input requires grad and recording is on. A plain array where
        the function's result has no derivative, such as `numpy.argmax`.

    Raises
    ------
    TypeError
        If the function has no rule, or does not know a keyword, or the result is not real.

    Examples
    --------
    >>> apply(np.multiply, (Tensor(2.0, requires_grad=True), 3.0))
    Tensor(6., function=multiply)
    """
    rule = RULES.get(function)
    if rule is None:
        return call_without_rule(function, inputs, keywords)
    if keywords or len(inputs) != rule.arity:
        inputs, keywords = bind(function, inputs, keywords)
    constant = rule.constant
    values: list[Any] = []
    edges: tuple[int, ...] = ()
    for position, x in enumerate(inputs):
        if isinstance(x, Tensor):
            values.append(x._array)
            if x._requires_grad and position not in constant:
                edges += (position,)
        else:
            values.append(x if type(x) in _AS_THEY_ARE else operand(x, position not in constant))
    try:
        data = frozen(rule.function(*values, **keywords))
    except (ValueError, TypeError, IndexError) as error:
        raise explain_error(error, rule.name, inputs) from None
    if type(data) not in _USUAL_RESULTS:
        data = _result(data, rule.name)
    if WATCH.get() and (watch := innermost(WATCH, None)):
        rule = watch(rule, inputs, values, data)
    if not edges or (RECORDING.get() and not is_recording()):
        return _leaf(data)
    if data.dtype.kind != "f":
        raise TypeError(f"{rule.name} gave {data.dtype}: only real functions are differentiated")
    if len(edges) < len(values):
        _keep_constants(values, inputs, edges, rule, data.dtype)
    return _node(data, rule, inputs, values, edges, keywords or _NO_KEYWORDS)


def _keep_constants(values: list[Any], inputs: tuple, edges: tuple, rule: Rule, dtype: Any) -> None:
    """Make the inputs without a gradient safe to keep, and of the type to compute in.

    Functions of any number of inputs do not compute with constants alone.
    """
    for position, value in enumerate(values):
        if position not in edges and type(value) not in _NUMBERS:
            as_is = position in rule.constant or rule.arity is None
            wide = value if as_is else widen(value, dtype)
            values[position] = wide if isinstance(inputs[position], Tensor) else keep(wide)


def _result(data: Any, name: str) -> Any:
    """A result that is no array of NumPy's: a number as NumPy's, another library's array."""
    if type(data) in _NUMBERS:
        return np.float64(data)
    if hasattr(data, "dtype"):
        return with_lengths(data)
    raise TypeError(f"{name} gave a {type(data).__name__}: a function with a rule gives one array")


class Tensor(NDArrayMethods):
    """An array that remembers how it was made.

    Operators, NumPy's functions and ndarray's methods work on it and give Tensors; `backward`
    then fills in the ``grad`` of every leaf that led to the result.

    Parameters
    ----------
    data : array_like
        Copied, so that the caller's later writes do not reach the Tensor.
        Anything that speaks NumPy's protocols (``__array_function__``) is kept as it is.
    requires_grad : bool
        Whether to find gradients of this Tensor. It must then be real and floating;
        Python numbers and lists of integers become float64.
    dtype : dtype, optional
        As in `numpy.array`.
    name : str, optional
        What pictures, tables and errors call it.

    Attributes
    ----------
    grad : ndarray, Tensor or None
        For a leaf, the sum of the gradients that each `backward` found, of its own shape and dtype.
    name : str or None
    inputs : tuple
        What it was computed from, as it was passed: Tensors, arrays, numbers. Empty for a leaf.
    rule : Rule or None
        The function that made it, with its local derivatives. None for a leaf.
    edges : tuple of int
        The places among ``inputs`` of the Tensors that gradients flow to.
    values : tuple
        The arrays of ``inputs`` as they were when it was computed: no later write reaches them.
        A constant has the type of the result, in which its derivatives compute.
    arguments : tuple
        What its derivatives are called with: its own array, then ``values``.
    keywords : dict
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

    __slots__ = ()

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
        try:
            array = copied(_array_of(data), dtype)
        except ValueError as error:
            if "inhomogeneous" not in str(error):
                raise
            raise ValueError(f"a Tensor holds rows of one length, not {data!r:.60}") from None
        if array.dtype.kind not in "biufc":
            given = " ".join(repr(data).split())
            raise TypeError(f"a Tensor holds numbers, not {array.dtype}: {given:.60}")
        if requires_grad and not hasattr(data, "dtype") and array.dtype.kind in "iu":
            array = array.astype(np.float64) if dtype is None else array
        self._array = frozen(array)
        self._grad = None
        self.name = name
        self.rule = None
        self.inputs = self.edges = self.values = ()
        self.keywords = _NO_KEYWORDS
        self.requires_grad = requires_grad

    _record = staticmethod(apply)

    # What it holds

    @property
    def data(self) -> Any:
        """The values, as a read-only array. Assign to it to update a leaf: ``t.data = new``."""
        data = self._array
        if self._requires_grad:
            taken_out("t.data")
        return read_only(data) if isinstance(data, np.ndarray | np.generic) else data

    @data.setter
    def data(self, new: Any) -> None:
        if not self.is_leaf:
            raise ValueError(f"{self._called()} was computed; only a leaf's data can be replaced")
        new = copied(_array_of(new), self.dtype)
        if new.shape != self.shape:
            raise ValueError(f"{self._called()} cannot take data of shape {new.shape}")
        self._array = frozen(new)

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

    @property
    def grad(self) -> Any:
        """The gradient that `backward` found, or None."""
        if self._grad is None and self.edges:
            warnings.warn(
                f"{self._called()} was computed, and has no grad: leaves have. After "
                "x = x - lr * x.grad x is no leaf any more: write x.data -= lr * x.grad, or take "
                "an optimizer; backward(keep_grads=True) keeps those of what was computed",
                RuntimeWarning,
                stacklevel=2,
            )
        taken_out("t.grad")
        return self._grad

    @grad.setter
    def grad(self, new: Any) -> None:
        self._grad = new

    def numpy(self) -> np.ndarray:
        """A copy of the values, as an array that can be written."""
        self._keep_history("numpy")
        return np.array(self._array)

    def detach(self) -> Tensor:
        """The same values without history: a leaf that does not require grad."""
        return _leaf(self._array)

    def zero_grad(self) -> None:
        """Forget the gradient found so far."""
        self._grad = None

    # Differentiation

    def backward(
        self,
        grad: Any = None,
        *,
        create_graph: bool = False,
        keep_grads: bool = False,
        gradient: Any = None,
        retain_graph: bool | None = None,
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
        gradient, retain_graph
            PyTorch's names: ``gradient`` is ``grad``, and the graph is kept in any case.

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
        seed = seed_of(self, gradient if grad is None else grad, create_graph)
        with recording(create_graph):
            nodes = backward_pass(self, seed, create_graph=create_graph)
            accumulate(nodes, as_tensors=create_graph, keep_all=keep_grads)

    seed = seed_of  # an earlier name

    def tensor_arguments(self) -> tuple[Any, ...]:
        """``arguments`` as Tensors, so that what the derivatives compute is recorded in turn."""
        tensors = tuple(map(_as_it_was, self.inputs, self.values))
        return (self, tensors) if self.rule and self.rule.arity is None else (self, *tensors)

    def __reduce__(self) -> tuple[Any, ...]:
        if not self.is_leaf:
            raise TypeError(
                f"{self._called()} was computed; detach() it before it is copied, or use t.data"
            )
        grad = self._grad if isinstance(self._grad, Tensor) else copy.copy(self._grad)
        return _rebuild, (np.array(self._array), self._requires_grad, self.name, grad)

    def _replace(self, new: Any) -> None:
        """Rebind a leaf's data to an array that nobody else will write to, without a copy."""
        self._array = frozen(new)


def _node(
    data: Any, rule: Rule | None, inputs: tuple, values: Sequence, edges: tuple, keywords: dict
) -> Tensor:
    """A Tensor that was computed, or if it has no rule a leaf."""
    self = object.__new__(Tensor)
    self._array = data
    self._requires_grad = rule is not None
    self._grad = self.name = None
    self.rule = rule
    self.inputs = inputs
    self.edges = edges
    self.values = tuple(values)
    self.keywords = keywords
    return self


def _leaf(data: Any) -> Tensor:
    return _node(data, None, (), (), (), _NO_KEYWORDS)


def _array_of(x: Any) -> Any:
    return x._array if isinstance(x, Tensor) else x


def _rebuild(data: np.ndarray, requires_grad: bool, name: str | None, grad: Any) -> Tensor:
    """Rebuild a leaf that was pickled or copied."""
    tensor = Tensor(data, requires_grad=requires_grad, name=name)
    tensor._grad = grad
    return tensor


def _as_it_was(x: Any, value: Any) -> Any:
    """``x`` with the value it had when it was used: a stand-in if its data was replaced since."""
    if not isinstance(x, Tensor):
        return value
    if x._array is value:
        return x
    if not x._requires_grad:
        return _leaf(value)
    return _node(value, RULES[np.positive], (x,), (value,), (0,), _NO_KEYWORDS)
