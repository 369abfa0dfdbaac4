"""Values that hold for a while: within a with statement, in one thread or task of asyncio."""

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


class CalledFirst:
    """A function whose result is entered by ``with``: the error for who leaves out ``()``."""

    def __init__(self, function: Callable[..., Any]):
        functools.update_wrapper(self, function)
        self.function = function

    def __call__(self, *inputs: Any, **keywords: Any) -> Any:
        """Call the function, which takes no other."""
        if inputs and callable(inputs[0]):
            raise self._without_parentheses("@")
        return self.function(*inputs, **keywords)

    def __enter__(self) -> None:
        raise self._without_parentheses("with ")

    def __exit__(self, *error: object) -> None:
        """Python looks for it before it enters."""

    def __reduce__(self) -> str:
        return self.function.__qualname__  # it is found in its module, as a function is

    def _without_parentheses(self, begin: str) -> TypeError:
        name = self.function.__name__
        return TypeError(f"{begin}{name} lacks its parentheses: write {begin}bp.{name}()")


def called_first(function: F) -> F:
    """Decorate a function that gives a context manager, so that ``()`` is not left out."""
    return CalledFirst(function)  # type: ignore[return-value]  # is called as the function is


class Entry:
    """One entry into a with statement: the value that holds until it is left.

    The token tells the context, a thread's or a task's, in which it was entered.
    """

    __slots__ = ("active", "token", "value")

    def __init__(self, value: Any):
        self.value, self.active = value, True
        self.token: Any = None


Entries = ContextVar[tuple[Entry, ...]]  # the innermost last; empty where nothing was changed


def innermost(variable: Entries, default: Any) -> Any:
    """The value of the with statement entered last and not yet left, or the default."""
    return next((entry.value for entry in reversed(variable.get()) if entry.active), default)


class Change:
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
        entry.token = self.variable.set((*self.variable.get(), entry))

    def __exit__(self, *error: object) -> None:
        here = self.variable.get()
        own = [entry for entry in self.entries if entry in here] or self.entries
        if not own:
            raise RuntimeError("a with statement that was not entered cannot be left")
        entry = own[-1]
        self.entries.remove(entry)
        try:  # a task that was begun inside keeps what it began with
            self.variable.reset(entry.token)
        except ValueError:  # it was entered in another thread or task: it ends everywhere
            entry.active = False
        self.variable.set(tuple(e for e in here if e.active and e is not entry))

    def __call__(self, function: F) -> F:
        """Decorate a function, which then runs with the other value."""
        if any(runs_in_parts(function) for runs_in_parts in _IN_PARTS):  # the rest after the call
            name = getattr(function, "__name__", function)
            raise TypeError(
                f"{name} runs in parts, which a decorator does not reach: "
                "write the with statement inside it"
            )

        @functools.wraps(function)
        def changed(*inputs: Any, **keywords: Any) -> Any:
            with Change(self.variable, self.value):
                return function(*inputs, **keywords)

        return changed  # type: ignore[return-value]  # a function of the same arguments
