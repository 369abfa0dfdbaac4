"""How a derivative is written: what it is called with, and the errors of one that cannot be."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Derivative = Callable[..., Any]
_NEEDED = object()


class Each:
    """The derivatives of a function of any number of arrays: one formula, told its position."""

    def __init__(self, derivative: Derivative):
        self.derivative = derivative

    def __getitem__(self, position: int) -> Derivative:
        return functools.partial(self.derivative, position)


def keyword_defaults(derivative: Derivative, by_place: int) -> dict[str, Any]:
    """The keyword arguments of a derivative, which follow those that it is given by place.

    With the default of each; one without a default gets a value that no caller passes.
    """
    code = derivative.__code__
    names = code.co_varnames[: code.co_argcount]
    defaults = dict(zip(reversed(names), reversed(derivative.__defaults__ or ()), strict=False))
    named = code.co_varnames[by_place : code.co_argcount + code.co_kwonlyargcount]
    return {name: defaults.get(name, _NEEDED) for name in named}


def check_rule(function: Any, derivatives: Sequence[Any], each: Any) -> None:
    """Refuse a rule that would never be asked, or whose derivatives could not be called.

    Raises
    ------
    TypeError
        If ``function`` is no ufunc of NumPy's kind and not marked with `primitive`, there is no
        derivative, or one does not take the arguments that it is called with.
    """
    name = getattr(function, "__name__", type(function).__name__)
    marked = hasattr(function, "implementation") or hasattr(function, "_implementation")
    if not (marked or isinstance(function, np.ufunc | tuple)):
        raise TypeError(f"{name} would not notice a Tensor: write @bp.primitive above its def")
    known = [d for d in (each, *derivatives) if d is not None]
    if not known:
        raise TypeError(f"the rule of {name} needs a derivative for each input of {name}")
    if each is not None:
        count, given = 4, "its position, g, out and the inputs"
    else:
        count = 2 + len(derivatives)
        given = "g, out and the input" if count == 3 else "g, out and the inputs"
    for derivative in known:
        code = getattr(derivative, "__code__", None)
        if code is None:
            raise TypeError(f"a derivative of {name} must be a Python function, not {derivative}")
        if code.co_argcount < count and not code.co_flags & inspect.CO_VARARGS:
            names = ", ".join(code.co_varnames[: code.co_argcount])
            raise TypeError(
                f"a derivative of {name} takes ({names}), and is called with {given}: "
                f"{count} arguments"
            )
