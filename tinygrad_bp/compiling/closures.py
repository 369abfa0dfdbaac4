"""What a function reads besides its arguments: what it closes over, and the globals it names."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from ..engine.tensor import Tensor
from ..nn import Module
from ..support.structures import leaves

PLAIN = (bool, int, float, str, type(None))
_MOST_LOOKED_AT = 4096  # elements of an array, whose values are compared at each call
_OWN = __name__.partition(".")[0]


class ClosedOver:
    """The values that a function closes over, now.

    Numbers and small arrays by value, so that a program is not run for others; what else it is
    by identity. What stands in attributes of objects is not looked at, but for modules.
    """

    def __init__(self, function: Callable[..., Any]):
        inner: Any = inspect.unwrap(function)
        self.objects: list[Any] = [function, inner, getattr(inner, "__self__", None)]
        while isinstance(inner, functools.partial):
            self.objects += [inner.func, *inner.args, *inner.keywords.values()]
            inner = inspect.unwrap(inner.func)
        inner = getattr(inner, "__func__", inner)
        code = getattr(inner, "__code__", None)
        self._cells: tuple[Any, ...] = getattr(inner, "__closure__", None) or ()
        self._globals: dict[str, Any] = getattr(inner, "__globals__", {})
        names = () if code is None or is_ours(inner) else code.co_names
        kinds = (*PLAIN, np.ndarray, np.generic, Tensor, Module, tuple, list, dict)
        self._names = [n for n in names if isinstance(self._globals.get(n, len), kinds)]
        self._alive: dict[int, Any] = {}  # so that no other object gets the identity of one

    def __iter__(self) -> Iterator[Any]:
        for cell in self._cells:
            try:
                yield cell.cell_contents
            except ValueError:  # nothing was put into it yet
                yield None
        for name in self._names:
            yield self._globals.get(name)

    def key(self) -> tuple[Any, ...]:
        """What a program depends on of it."""
        return tuple(map(self._kind, self)) if self._cells or self._names else ()

    def _kind(self, x: Any) -> Any:
        if type(x) in PLAIN:
            return (type(x), x)
        self._alive[id(x)] = x
        if isinstance(x, np.ndarray | np.generic) and x.size <= _MOST_LOOKED_AT:
            return (id(x), x.tobytes())
        return id(x)

    def modules(self) -> Iterator[Module]:
        """The modules that it leads to: alone, in containers, or in attributes of an object."""
        for x in [*self.objects, *self]:
            parts = leaves(x) if isinstance(x, tuple | list | dict) else [x]
            for part in [*parts, *(y for p in parts for y in _attributes(p))]:
                if isinstance(part, Module):
                    yield part


def is_ours(code: Any) -> bool:
    """Whether a function or a class is the library's own, whose results follow from arguments."""
    return (getattr(code, "__module__", None) or "").partition(".")[0] == _OWN


def _attributes(x: Any) -> list[Any]:
    """What an object holds, if it is of a class of the user's and no module."""
    plain = isinstance(x, Module | Tensor | type) or callable(x) or not hasattr(x, "__dict__")
    return [] if plain else list(vars(x).values())


def settings_of(modules: Iterable[Module]) -> tuple[Any, ...]:
    """The numbers and modes that modules and their parts hold, which a program takes as they are.

    Examples
    --------
    >>> from tinygrad_bp import nn
    >>> settings_of([nn.Dropout(0.5)])
    ((('p', 0.5),),)
    """
    parts = [part for module in modules for _, part in module.named_modules()]
    return tuple(
        tuple((name, x) for name, x in vars(part).items() if type(x) in PLAIN) for part in parts
    )
