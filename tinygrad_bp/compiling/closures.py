"""What a function reads besides its arguments: what it closes over, and the globals it names."""

from __future__ import annotations

import dis
import functools
import inspect
from collections.abc import Callable, Iterable, Iterator
from types import CodeType
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

    Numbers and small arrays by value, so that a program is not run for others, and so those in
    attributes that the function reads; what else it is by identity.
    """

    def __init__(self, function: Callable[..., Any]):
        inner: Any = inspect.unwrap(function)
        self.objects: list[Any] = [function, inner, getattr(inner, "__self__", None)]
        while isinstance(inner, functools.partial):
            self.objects += [inner.func, *inner.args, *inner.keywords.values()]
            inner = inspect.unwrap(inner.func)
        inner = getattr(inner, "__func__", inner)
        if not hasattr(inner, "__code__"):  # an object that can be called
            inner = type(inner).__call__
        self._cells: tuple[Any, ...] = getattr(inner, "__closure__", None) or ()
        self._globals: dict[str, Any] = getattr(inner, "__globals__", {})
        code = getattr(inner, "__code__", None)
        codes = [] if code is None or is_ours(inner) else list(_codes(code))
        named = dict.fromkeys(name for code in codes for name in code.co_names)
        self._names = [name for name in named if _is_data(self._globals.get(name, len))]
        self._attributes = _attributes_read(codes)
        self._holders = list(filter(_has_attributes, self.objects))
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
        """The values that a program depends on."""
        values = tuple(map(self._kind, self)) if self._cells or self._names else ()
        holders = [*self._holders, *filter(_has_attributes, self)] if self._attributes else ()
        if not holders:
            return values
        attributes = [vars(x).get(name) for x in holders for name in self._attributes]
        return values, tuple(map(_by_value, attributes))

    def _kind(self, x: Any) -> Any:
        known = _by_value(x)
        if known is None and x is not None:
            self._alive[id(x)] = x
        return known or id(x)

    def modules(self) -> Iterator[Module]:
        """The modules that it leads to: alone, in containers, or in attributes of an object."""
        for x in [*self.objects, *self]:
            parts = leaves(x) if isinstance(x, tuple | list | dict) else [x]
            for part in [*parts, *(y for p in parts for y in _held(p))]:
                if isinstance(part, Module):
                    yield part


def is_ours(code: Any) -> bool:
    """Whether a function or a class is the library's own, whose results follow from arguments."""
    return (getattr(code, "__module__", None) or "").partition(".")[0] == _OWN


def _by_value(x: Any) -> Any:
    """A number or a small array, so that it can be compared; None for all else."""
    if type(x) in PLAIN:
        return (type(x), x)
    if isinstance(x, np.ndarray | np.generic) and x.size <= _MOST_LOOKED_AT:
        return (x.dtype, x.shape, x.tobytes())
    return None


def _has_attributes(x: Any) -> bool:
    """Whether an object is of a class of the user's; of modules, `settings_of` says the numbers."""
    routine = inspect.isroutine(x) or isinstance(x, Module | type | functools.partial)
    return not routine and hasattr(x, "__dict__")


def _is_data(x: Any) -> bool:
    """Whether a global is something to compute with, and not what computes, or a module."""
    return isinstance(x, Module | Tensor) or not (callable(x) or inspect.ismodule(x))


def _codes(code: CodeType) -> Iterator[CodeType]:
    """The code of a function, and of the functions within it."""
    yield code
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _codes(inner)


def _attributes_read(codes: Iterable[CodeType]) -> list[str]:
    """The attributes that are read there, without those that are also written, as counters are."""
    steps = [step for code in codes for step in dis.get_instructions(code)]
    written = {step.argval for step in steps if step.opname == "STORE_ATTR"}
    read = dict.fromkeys(step.argval for step in steps if step.opname == "LOAD_ATTR")
    return [name for name in read if name not in written]


def _held(x: Any) -> list[Any]:
    """The attributes of an object of a class of the user's that is no module."""
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
