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
_MOST_LOOKED_AT = 4096  # elements of an array or a container, which are compared at each call
_DEEPEST = 4  # containers within containers that are looked into
_ROUTINES = (np.ufunc, type, functools.partial)
_OWN = __name__.partition(".")[0]


class ClosedOver:
    """The values that a function closes over, now.

    Numbers and small arrays by value, so that a program is not run for others, and so those in
    containers, and in attributes that the function reads; what else it is by identity.
    """

    def __init__(self, function: Callable[..., Any]):
        inner: Any = inspect.unwrap(function)
        owner = getattr(inner, "__self__", None)
        self.objects: list[Any] = [function, inner, owner]
        while isinstance(inner, functools.partial):
            self.objects += [inner.func, *inner.args, *inner.keywords.values()]
            inner = inspect.unwrap(inner.func)
        inner = getattr(inner, "__func__", inner)
        if not hasattr(inner, "__code__"):  # an object that can be called
            inner = type(inner).__call__
        self._cells: tuple[Any, ...] = getattr(inner, "__closure__", None) or ()
        self._globals: dict[str, Any] = getattr(inner, "__globals__", {})
        code = getattr(inner, "__code__", None)
        named, self._attributes = _reads(None if is_ours(inner) else code)
        self._names = [name for name in named if _is_data(self._globals.get(name, len))]
        held = vars(owner).values() if isinstance(owner, Module) else ()
        self._holders = list(filter(_has_attributes, [*self.objects, *held]))
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
        attributes = []
        for x in holders:  # which grows while it is read
            found = [vars(x).get(name) for name in self._attributes]
            attributes += found
            holders += [y for y in found if _has_attributes(y) and not _is_among(y, holders)]
        return values, tuple(map(setting, attributes))

    def _kind(self, x: Any) -> Any:
        known = setting(x)
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


def setting(x: Any, depth: int = _DEEPEST) -> Any:
    """A number, a small array, a function, or a container of these, as it can be compared.

    None for all else, such as Tensors and modules, which are left out of a container.

    Examples
    --------
    >>> from tinygrad_bp import nn
    >>> setting(2.0), setting([2.0, nn.Linear(2, 1)])
    ((<class 'float'>, 2.0), (<class 'list'>, ((<class 'float'>, 2.0),)))
    """
    if type(x) in PLAIN:
        return (type(x), x)
    if isinstance(x, np.ndarray | np.generic):
        return (x.dtype, x.shape, x.tobytes()) if x.size <= _MOST_LOOKED_AT else None
    if inspect.isroutine(x) or isinstance(x, _ROUTINES):
        return (type(x), x)
    if not isinstance(x, list | tuple | dict) or not depth or len(x) > _MOST_LOOKED_AT:
        return None
    parts = x.items() if isinstance(x, dict) else x
    known = (setting(part, depth - 1) for part in parts)
    return (type(x), tuple(found for found in known if found is not None))


def _has_attributes(x: Any) -> bool:
    """Whether an object is of a class of the user's; of modules, `Settings` says the numbers."""
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


@functools.lru_cache(256)
def _reads(code: CodeType | None) -> tuple[list[str], list[str]]:
    """The names of the globals, and of the attributes, that code reads."""
    codes = [] if code is None else list(_codes(code))
    named = dict.fromkeys(name for code in codes for name in code.co_names)
    return list(named), _attributes_read(codes)


def _is_among(x: Any, objects: Iterable[Any]) -> bool:
    return any(x is other for other in objects)


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


class Settings:
    """What modules and their parts read besides Tensors, which a program takes as it is.

    Attributes
    ----------
    values : tuple
        For each part its kind, and its numbers, modes, small arrays and functions.

    Examples
    --------
    >>> from tinygrad_bp import nn
    >>> Settings([nn.Dropout(0.5)]).values
    ((<class 'tinygrad_bp.nn.layers.Dropout'>, ('p', (<class 'float'>, 0.5))),)
    """

    def __init__(self, modules: Iterable[Module]):
        parts = [part for module in modules for _, part in module.named_modules()]
        held = [(part, [(n, setting(x)) for n, x in vars(part).items()]) for part in parts]
        self.values = tuple(
            (type(part), *(found for found in of_part if found[1] is not None))
            for part, of_part in held
        )
        inner = [x for part in parts for x in vars(part).values()]
        self._open = [x for x in inner if isinstance(x, list | dict | np.ndarray)]
        self._then = self._inner()
        forwards = (ClosedOver(part.forward) for part in parts if not is_ours(type(part)))
        self._forwards = [closed for closed in forwards if closed.key()]

    def _inner(self) -> list[Any]:
        return [(setting(x), [id(y) for y in _modules_in(x)]) for x in self._open]

    def have_changed(self) -> bool:
        """Whether something was written into a container or an array since."""
        return bool(self._open) and self._inner() != self._then

    def key(self) -> tuple[Any, ...]:
        """What a program depends on of it."""
        if not self._forwards:
            return self.values
        return self.values, tuple(closed.key() for closed in self._forwards)


def _modules_in(x: Any) -> Iterator[Any]:
    """The modules and Tensors in a container."""
    for part in x.values() if isinstance(x, dict) else x if isinstance(x, list) else ():
        if isinstance(part, Module | Tensor):
            yield part
