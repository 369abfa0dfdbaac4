"""Whether operations are recorded, and who watches them.

Both are context variables: local to a thread, and to a task of asyncio too.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextvars import ContextVar, Token
from threading import get_ident
from typing import Any, TypeVar

from .registry import Rule

_IN_PARTS = (
    inspect.isgeneratorfunction,
    inspect.iscoroutinefunction,
    inspect.isasyncgenfunction,
)
F = TypeVar("F", bound=Callable[..., Any])

RECORDING: ContextVar[bool] = ContextVar("RECORDING", default=True)
TRANSFORMING: ContextVar[bool] = ContextVar("TRANSFORMING", default=False)
WATCH: ContextVar[Callable[..., Rule] | None] = ContextVar("WATCH", default=None)


class Changed:
    """A context variable with another value, for a while: a context manager and a decorator."""

    def __init__(self, variable: ContextVar, value: Any):
        self.variable, self.value = variable, value
        self.tokens: dict[int, list[Token]] = {}  # of each thread, for each time it entered

    def __enter__(self) -> None:
        token = self.variable.set(self.value)
        self.tokens.setdefault(get_ident(), []).append(token)

    def __exit__(self, *error: object) -> None:
        self.variable.reset(self.tokens[get_ident()].pop())

    def __call__(self, function: F) -> F:
        """Decorate a function, which then runs with the other value."""
        if any(runs_in_parts(function) for runs_in_parts in _IN_PARTS):  # the rest after the call
            raise TypeError(
                f"{function.__name__} runs in parts, which a decorator does not reach: "
                "write the with statement inside it"
            )

        @functools.wraps(function)
        def changed(*inputs: Any, **parameters: Any) -> Any:
            with Changed(self.variable, self.value):
                return function(*inputs, **parameters)

        return changed  # type: ignore[return-value]  # a function of the same arguments


def recording(on: bool) -> Changed:
    """Turn recording on or off in this thread, for a while."""
    return Changed(RECORDING, on)


def transforming() -> Changed:
    """Say that a function is being differentiated: what forgets its history is then an error."""
    return Changed(TRANSFORMING, True)


def watching(watch: Callable[..., Rule]) -> Changed:
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
    return RECORDING.get()
