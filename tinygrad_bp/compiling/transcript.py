"""Arrays that, besides their values, write down each NumPy call that is made of them.

The engine keeps what speaks NumPy's protocols, so that forward pass, backward pass and update run
on them as on any array, and leave a program in single assignment behind.
"""

from __future__ import annotations

import functools
import operator
import os
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..engine.recording import Recorded
from ..support.arguments import kind_of
from .program import CannotCompileError, Line, Name, Program, replaced

# Functions whose result depends on shapes and types alone.
STATIC = frozenset(
    {np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.common_type}
    | {np.isrealobj, np.iscomplexobj, np.min_scalar_type, np.may_share_memory, np.shares_memory}
)
_ARITHMETIC = frozenset(
    {operator.add, operator.sub, operator.mul, operator.floordiv, operator.mod, operator.pow}
    | {operator.neg}
)
_LIBRARY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_NUMPY = os.path.dirname(os.path.abspath(np.__file__))


class Transcript:
    """The lines of a program that is being written, and the values of their names.

    Attributes
    ----------
    inputs : list of Name
    lines : list of Line
    values : dict of Name to array or number
    ignored : set of str
        The kinds of floating-point error that were ignored somewhere in it.
    """

    def __init__(self) -> None:
        self.inputs: list[Name] = []
        self.lines: list[Line] = []
        self.values: dict[Name, Any] = {}
        self.ignored: set[str] = set()
        self.comment = ""
        self._errors: Any = np.geterr()
        self._thread = threading.get_ident()

    def is_elsewhere(self) -> bool:
        """Whether another thread asks, which uses the model meanwhile: for it, values are values.

        What it computes is not written down, and gives plain arrays.
        """
        return threading.get_ident() != self._thread

    def given(self, name: str, value: Any) -> Written:
        """An input of the program: an array, or a number of Python."""
        self.values[Name(name)] = value
        self.inputs.append(Name(name))
        return Written(self, Name(name), value)

    def program(self, outputs: Mapping[str, Any]) -> Program:
        """What was written, with what it computes by role."""
        found = {role: x.name if isinstance(x, Written) else x for role, x in outputs.items()}
        return Program(tuple(self.inputs), tuple(self.lines), found, self.values)

    def call(self, function: Callable[..., Any], operands: tuple, keywords: dict[str, Any]) -> Any:
        """Call a function on the values, and write the call down."""
        if self.is_elsewhere():
            return function(*replaced(operands, plain), **replaced(keywords, plain))
        if any(x is not None for x in (keywords.get("out") or ())):
            raise self.refusal(f"{_called(function)} with out= writes into an array")
        value = function(*replaced(operands, plain), **replaced(keywords, plain))
        if function in STATIC:
            return value
        self.ignored |= {
            kind for kind, how in np.geterr().items() if how == "ignore" != self._errors[kind]
        }
        inputs, named = replaced(operands, _as_operand), replaced(keywords, _as_operand)
        return self._named(function, inputs, named, value)

    def _named(self, function: Any, operands: tuple, keywords: dict, value: Any) -> Any:
        """Give the result of a call a name."""
        counted = type(value) is int and function in _ARITHMETIC
        if isinstance(value, bool | int | str) and not counted:
            self._write(function, operands, keywords, value, answer=value)  # a guard
            return value
        if isinstance(value, tuple | list):
            whole = self._write(function, operands, keywords, value)
            parts = [
                self._named(operator.getitem, (whole.name, i), {}, part)
                for i, part in enumerate(value)
            ]
            return value._make(parts) if hasattr(value, "_make") else type(value)(parts)
        if not isinstance(value, np.ndarray | np.generic | float | int):
            raise self.refusal(f"{_called(function)} gives {kind_of(value)}")
        return self._write(function, operands, keywords, value)

    def _write(
        self, function: Any, operands: tuple, keywords: dict, value: Any, answer: Any = None
    ) -> Written:
        name = Name(f"v{len(self.lines)}")
        array = isinstance(value, np.ndarray | np.generic)
        shown = [self.values[x] for x in operands if isinstance(x, Name)]
        view = isinstance(value, np.ndarray) and any(
            isinstance(x, np.ndarray) and np.may_share_memory(value, x) for x in shown
        )
        line = Line(
            name,
            function,
            operands,
            keywords,
            shape=value.shape if array else (),
            dtype=value.dtype if array else None,
            fortran=array and value.flags.fnc,
            dense=array and value.flags.forc,
            view=view,
            answer=answer,
            where=_users_line(),
            comment=self.comment,
        )
        self.lines.append(line)
        self.values[name] = value
        return Written(self, name, value)

    def answer(self, x: Written) -> bool:
        """The truth of a value, which becomes a guard of the program."""
        truth = bool(x.value)
        if self.is_elsewhere():
            return truth
        self._write(bool, (x.name,), {}, truth, answer=truth)
        return truth

    def refusal(self, why: str) -> CannotCompileError:
        """The error for what no program can stand for."""
        where = _users_line()
        return CannotCompileError(
            f"{why}, which cannot be compiled{f' ({where})' if where else ''}"
        )


def _users_line() -> str:
    """The file and the line that asked for what is being written, outside NumPy and us."""
    frame: Any = sys._getframe(2)
    while frame and _is_library(frame.f_code.co_filename):
        frame = frame.f_back
    return f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}" if frame else ""


@functools.cache
def _is_library(path: str) -> bool:
    return path.startswith((_LIBRARY, _NUMPY))


def put(array, index, new):  # type: ignore[no-untyped-def]  # its text becomes part of programs
    """A copy of an array with other values at an index."""
    array = array.copy()
    array[index] = new
    return array


def changed_at(array, ufunc, index, *operands):  # type: ignore[no-untyped-def]
    """A copy of an array that a ufunc has changed at an index, as often as it is named there."""
    array = array.copy()
    ufunc.at(array, index, *operands)
    return array


def _called(function: Any) -> str:
    return getattr(function, "__name__", repr(function))


def plain(x: Any) -> Any:
    """The value of an operand."""
    return x.value if isinstance(x, Written) else x


def _as_operand(x: Any) -> Any:
    """How a line holds an operand: a name, or a constant that nobody can write to."""
    if isinstance(x, Written):
        return x.name
    return x.copy() if isinstance(x, np.ndarray) else x


def _operators(function: Callable[[Any, Any], Any], ufunc: Any = None) -> tuple[Any, Any]:
    """The methods of an operator: it and its reflection."""

    def forward(self: Written, other: Any) -> Any:
        if isinstance(other, Recorded):
            return NotImplemented
        called = function if ufunc is None or _are_numbers(self, other) else ufunc
        return self.transcript.call(called, (self, other), {})

    def reflected(self: Written, other: Any) -> Any:
        called = function if ufunc is None or _are_numbers(self, other) else ufunc
        return self.transcript.call(called, (other, self), {})

    return forward, reflected


def _are_numbers(*operands: Any) -> bool:
    """Whether all are Python's numbers, which its operators keep as such."""
    return all(type(plain(x)) in (int, float) for x in operands)


def _method(function: Callable[..., Any], name: str) -> Any:
    def method(self: Written, *operands: Any, **keywords: Any) -> Any:
        return self.transcript.call(function, (self, *operands), keywords)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"ndarray's method {name}, written down."
    return method


def _refused(name: str, what: str) -> Any:
    def method(self: Written, *operands: Any, **keywords: Any) -> Any:
        if self.transcript.is_elsewhere():
            return getattr(np.asarray(self.value), name)(*operands, **keywords)
        raise self.transcript.refusal(what)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"Refused: {what}."
    return method


class Written:
    """An array with a name in a transcript, where what is computed of it is written down.

    Its value may also be a number of Python, such as a step size.
    """

    __slots__ = ("name", "transcript", "value")

    asks = True  # a question about its value is answered, and becomes a guard

    def __init__(self, transcript: Transcript, name: Name, value: Any):
        self.transcript, self.name, self.value = transcript, name, value

    shape = property(lambda self: np.shape(self.value), doc="The lengths of the axes.")
    ndim = property(lambda self: np.ndim(self.value), doc="The number of axes.")
    size = property(lambda self: np.size(self.value), doc="The number of elements.")
    dtype = property(lambda self: np.result_type(self.value), doc="The type of the elements.")
    T = property(lambda self: self.transpose(), doc="The axes in reverse order.")
    real = property(lambda self: self.transcript.call(np.real, (self,), {}), doc="Real parts.")
    imag = property(lambda self: self.transcript.call(np.imag, (self,), {}), doc="Imaginary parts.")
    flags = property(lambda self: self.value.flags, doc="How it lies in memory.")

    def __array_ufunc__(self, ufunc: Any, method: str, *operands: Any, **keywords: Any) -> Any:
        if any(isinstance(x, Recorded) for x in operands):
            return NotImplemented
        if method == "at":
            self._become(self.transcript.call(changed_at, (self, ufunc, *operands[1:]), keywords))
            return None
        function = ufunc if method == "__call__" else getattr(ufunc, method)
        return self.transcript.call(function, operands, keywords)

    def __array_function__(self, function: Any, types: Any, operands: Any, keywords: Any) -> Any:
        if any(issubclass(kind, Recorded) for kind in types):
            return NotImplemented
        return self.transcript.call(function, operands, keywords)

    __add__, __radd__ = _operators(operator.add, np.add)
    __sub__, __rsub__ = _operators(operator.sub, np.subtract)
    __mul__, __rmul__ = _operators(operator.mul, np.multiply)
    __truediv__, __rtruediv__ = _operators(operator.truediv, np.divide)
    __floordiv__, __rfloordiv__ = _operators(operator.floordiv, np.floor_divide)
    __mod__, __rmod__ = _operators(operator.mod, np.remainder)
    __pow__, __rpow__ = _operators(operator.pow)  # whose exponents 2 and 0.5 are a square and root
    __matmul__, __rmatmul__ = _operators(operator.matmul, np.matmul)
    __and__, __rand__ = _operators(operator.and_, np.bitwise_and)
    __or__, __ror__ = _operators(operator.or_, np.bitwise_or)
    __xor__, __rxor__ = _operators(operator.xor, np.bitwise_xor)
    __lt__, __gt__ = _operators(operator.lt, np.less)[0], _operators(operator.gt, np.greater)[0]
    __le__ = _operators(operator.le, np.less_equal)[0]
    __ge__ = _operators(operator.ge, np.greater_equal)[0]
    __eq__ = _operators(operator.eq, np.equal)[0]
    __ne__ = _operators(operator.ne, np.not_equal)[0]
    __hash__ = object.__hash__
    __abs__, __invert__ = _method(np.absolute, "__abs__"), _method(np.invert, "__invert__")
    __getitem__ = _method(operator.getitem, "__getitem__")
    __pos__ = _method(np.positive, "__pos__")

    def __neg__(self) -> Any:
        function: Any = operator.neg if _are_numbers(self) else np.negative
        return self.transcript.call(function, (self,), {})

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        return self.transcript.answer(self)

    def __setitem__(self, index: Any, new: Any) -> None:
        self._become(self.transcript.call(put, (self, index, new), {}))

    def _become(self, new: Written) -> None:
        """Stand from now on for what a write has made of this array.

        Rules write into arrays that they have made themselves. What a user writes to may be shown
        by other arrays, which would not know.
        """
        if self.transcript.is_elsewhere():
            raise RuntimeError(
                "the model is being compiled in another thread: do not write into it"
            )
        if not sys._getframe(2).f_code.co_filename.startswith(_LIBRARY):
            raise self.transcript.refusal("a write into an array")
        self.name, self.value = new.name, new.value

    def copy(self) -> Written:
        """The same: no line of a program writes into what another has computed."""
        if self.transcript.is_elsewhere():
            return self.value.copy()
        return Written(self.transcript, self.name, self.value)

    def astype(self, dtype: Any, **keywords: Any) -> Any:
        """Ndarray's method astype, written down where it changes anything."""
        if np.dtype(dtype) == self.value.dtype:
            return self.copy()
        kind = np.ndarray if isinstance(self.value, np.ndarray) else np.generic
        return self.transcript.call(kind.astype, (self, np.dtype(dtype)), {})

    def transpose(self, *axes: Any) -> Any:
        """Ndarray's method transpose, written down."""
        order = axes[0] if len(axes) == 1 else axes or None
        return self.transcript.call(np.transpose, (self,), {"axes": order} if order else {})

    def reshape(self, *shape: Any, **keywords: Any) -> Any:
        """Ndarray's method reshape, written down."""
        shape = shape[0] if len(shape) == 1 else shape
        return self.transcript.call(np.reshape, (self, shape), keywords)

    all, any, argmax, argmin = (
        _method(getattr(np, name), name) for name in ("all", "any", "argmax", "argmin")
    )
    sum, mean, max, min, prod = (
        _method(getattr(np, name), name) for name in ("sum", "mean", "max", "min", "prod")
    )
    ravel, squeeze, swapaxes = (
        _method(getattr(np, name), name) for name in ("ravel", "squeeze", "swapaxes")
    )
    clip, cumsum, dot, take = (
        _method(getattr(np, name), name) for name in ("clip", "cumsum", "dot", "take")
    )
    view = _method(np.ndarray.view, "view")
    flatten = ravel
    __iadd__, __isub__, __imul__, __itruediv__, __ipow__, __ifloordiv__, __imod__, __imatmul__ = (
        _refused(f"__i{name}__", "a write into an array")
        for name in ("add", "sub", "mul", "truediv", "pow", "floordiv", "mod", "matmul")
    )
    __array__ = _refused("__array__", "an array is taken out of the computation")
    __float__, __int__, __index__, __complex__, item, tolist, numpy = (
        _refused(name, "a value is taken out of the computation as a number")
        for name in ("__float__", "__int__", "__index__", "__complex__", "item", "tolist", "numpy")
    )
