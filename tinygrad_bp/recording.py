"""Whether operations are recorded, and who watches them.

Both are context variables: local to a thread, and to a task of asyncio too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any

from .registry import Rule

RECORDING: ContextVar[bool] = ContextVar("RECORDING", default=True)
TRANSFORMING: ContextVar[bool] = ContextVar("TRANSFORMING", default=False)
WATCH: ContextVar[Callable[..., Rule] | None] = ContextVar("WATCH", default=None)


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
    return _changed(RECORDING, on)


def transforming() -> AbstractContextManager[None]:
    """Say that a function is being differentiated: what forgets its history is then an error."""
    return _changed(TRANSFORMING, True)


def watching(watch: Callable[..., Rule]) -> AbstractContextManager[None]:
    """Show ``watch`` every operation in this thread, for a while; record the rule it gives back.

    It is called with the rule, the inputs, their arrays and the result.
    """
    return _changed(WATCH, watch)


def no_grad() -> AbstractContextManager[None]:
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
