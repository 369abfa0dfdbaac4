"""Whether calls are recorded and who watches them; and what every recorded node has.

The first two are local to a thread, and to a task of asyncio too.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, TypeVar

_IN_PARTS = (
    inspect.isgeneratorfunction,
    inspect.iscoroutinefunction,
    inspect.isasyncgenfunction,
)
F = TypeVar("F", bound=Callable[..., Any])


class Recorded:
    """An array, and how it was made: what registry and backprop know of a Tensor."""

    __slots__ = (
        "__weakref__",
        "_array",
        "_requires_grad",
        "edges",
        "grad",
        "inputs",
        "keywords",
        "name",
        "rule",
        "values",
    )

    _array: Any  # not called _data: numpy.ma would take that for a masked array's own
    _requires_grad: bool
    edges: tuple[int, ...]
    grad: Any
    inputs: tuple[Any, ...]
    keywords: dict[str, Any]
    name: str | None
    rule: Any  # a Rule; None for a leaf
    values: tuple[Any, ...]

    @property
    def arguments(self) -> tuple[Any, ...]:
        """What the derivatives are called with: its own array, then those of its inputs.

        Those of a function of any number of inputs stand in one tuple.
        """
        if self.rule is not None and self.rule.arity is None:
            return (self._array, self.values)
        return (self._array, *self.values)

    def tensor_arguments(self) -> tuple[Any, ...]:
        """The same as Tensors, so that what the derivatives compute is recorded in turn."""
        raise NotImplementedError

    @staticmethod
    def _record(function: Any, inputs: tuple[Any, ...], keywords: Any = ...) -> Any:
        """Call a function and remember the call."""
        raise NotImplementedError

    def _called(self) -> str:
        kind = "a Tensor" if self.name is None else f"Tensor {self.name!r}"
        return f"{kind} of shape {self._array.shape}"


class Entry:
    """One entry into a with statement: the value that holds until it is left."""

    __slots__ = ("active", "value")

    def __init__(self, value: Any):
        self.value, self.active = value, True


Entries = ContextVar[tuple[Entry, ...]]  # the innermost last; empty where nothing was changed

RECORDING: Entries = ContextVar("RECORDING", default=())
TRANSFORMING: Entries = ContextVar("TRANSFORMING", default=())
WATCH: Entries = ContextVar("WATCH", default=())


def innermost(variable: Entries, default: Any) -> Any:
    """The value of the with statement entered last and not yet left, or the default."""
    return next((entry.value for entry in reversed(variable.get()) if entry.active), default)


class Changed:
    """Another value for a while: a context manager and a decorator.

    It may be entered again, and left in any order and by any thread: what holds afterwards is
    what the statements that are still open say.
    """

    def __init__(self, variable: Entries, value: Any):
        self.variable, self.value = variable, value
        self.entries: list[Entry] = []

    def __enter__(self) -> None:
        entry = Entry(self.value)
        self.entries.append(entry)
        self.variable.set((*self.variable.get(), entry))

    def __exit__(self, *error: object) -> None:
        here = self.variable.get()
        own = [entry for entry in self.entries if entry in here] or self.entries
        if not own:
            raise RuntimeError("a with statement that was not entered cannot be left")
        entry = own[-1]
        self.entries.remove(entry)
        if entry in here:  # a task that was begun inside keeps what it began with
            self.variable.set(tuple(other for other in here if other is not entry))
        else:  # it was entered in another thread
            entry.active = False

    def __call__(self, function: F) -> F:
        """Decorate a function, which then runs with the other value."""
        if any(runs_in_parts(function) for runs_in_parts in _IN_PARTS):  # the rest after the call
            raise TypeError(
                f"{function.__name__} runs in parts, which a decorator does not reach: "
                "write the with statement inside it"
            )

        @functools.wraps(function)
        def changed(*inputs: Any, **keywords: Any) -> Any:
            with Changed(self.variable, self.value):
                return function(*inputs, **keywords)

        return changed  # type: ignore[return-value]  # a function of the same arguments


def recording(on: bool) -> Changed:
    """Turn recording on or off in this thread, for a while."""
    return Changed(RECORDING, on)


def transforming() -> Changed:
    """Say that a function is being differentiated: what forgets its history is then an error."""
    return Changed(TRANSFORMING, True)


def watching(watch: Callable[..., Any]) -> Changed:
    """Show ``watch`` every operation in this thread, for a while; record the rule it gives back.

    It is called with the rule, the inputs, their arrays and the result.
    """
    return Changed(WATCH, watch)


def no_grad() -> Changed:
    """Compute without recording: a context manager and a decorator, local to the thread.

    Examples
    --------
    >>> import tinygrad_bp as bp
    >>> x = bp.Tensor(2.0, requires_grad=True)
    >>> with bp.no_grad():
    ...     y = x * x
    >>> y.requires_grad
    False
    """
    return recording(False)


def is_recording() -> bool:
    """Whether operations on Tensors are recorded in this thread, now."""
    return innermost(RECORDING, True)


def is_transforming() -> bool:
    """Whether a function is being differentiated in this thread, now."""
    return innermost(TRANSFORMING, False)
