"""What a recorded node has, and whether calls are recorded, and who watches them.

The last two are local to a thread, and to a task of asyncio too.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from .context import Change, Entries, called_first, innermost


class Recorded:
    """An array, and how it was made: what registry and backprop know of a Tensor."""

    __slots__ = (
        "__weakref__",
        "_array",
        "_grad",
        "_requires_grad",
        "_shows",
        "edges",
        "inputs",
        "keywords",
        "name",
        "rule",
        "values",
    )

    _array: Any  # not called _data: numpy.ma would take that for a masked array's own
    _grad: Any
    _requires_grad: bool
    _shows: bool  # whether it shows another's memory, where its array does not tell; else not set
    edges: tuple[int, ...]
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
        if self.rule and self.rule.arity is None:
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


RECORDING: Entries = ContextVar("RECORDING", default=())
TRANSFORMING: Entries = ContextVar("TRANSFORMING", default=())
WATCH: Entries = ContextVar("WATCH", default=())


def recording(on: bool) -> Change:
    """Turn recording on or off in this thread, for a while."""
    return Change(RECORDING, on)


def transforming(taken: set[str]) -> Change:
    """Say that a function is being differentiated: losing the history is then an error.

    ``taken`` gets the name of what gives the values of a recorded array as plain ones.
    """
    return Change(TRANSFORMING, taken)


def watching(watch: Callable[..., Any]) -> Change:
    """Show ``watch`` every operation in this thread, for a while; record the rule it gives back.

    It is called with the rule, the inputs, their arrays and the result.
    """
    return Change(WATCH, watch)


@called_first
def no_grad() -> Change:
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
    return innermost(TRANSFORMING, None) is not None


def taken_out(name: str) -> None:
    """Tell the innermost transformation: to an outer one a slope may well be constant."""
    if TRANSFORMING.get() and (taken := innermost(TRANSFORMING, None)) is not None:
        taken.add(name)
