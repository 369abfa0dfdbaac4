"""A program in single assignment: each line names the result of one call of NumPy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np


class CannotCompileError(RuntimeError):
    """What was to be compiled does what no program of NumPy's calls can stand for."""


class Name(str):
    """The name of a value of a program; any other text is a constant."""

    __slots__ = ()


@dataclass(frozen=True)
class Line:
    """One statement: ``target = function(*operands, **keywords)``.

    Operands are `Name`s, constants, and tuples, lists, slices and dictionaries of them.

    Attributes
    ----------
    target : Name
    function : callable
        NumPy's, a ufunc's method, an operator of Python on numbers, or a method of ndarray.
    operands : tuple
    keywords : dict
    shape : tuple of int
        Of the result.
    dtype : dtype or None
        None for what is no array of NumPy's: a number of Python, or several arrays.
    fortran : bool
        Whether the result lies in memory column by column.
    dense : bool
        Whether it lies in memory without gaps, by rows or by columns.
    view : bool
        Whether the result shows the memory of an operand.
    answer : object
        If it is not None, a guard: the program holds only where the result is this.
    where : str
        The user's line that asked for it.
    comment : str
        What the printed line ends in.
    out : Name or None
        The buffer that the result is put into.
    """

    target: Name
    function: Callable[..., Any]
    operands: tuple[Any, ...]
    keywords: Mapping[str, Any] = field(default_factory=dict)
    shape: tuple[int, ...] = ()
    dtype: Any = None
    fortran: bool = False
    dense: bool = True
    view: bool = False
    answer: Any = None
    where: str = ""
    comment: str = ""
    out: Name | None = None

    @cached_property
    def _names(self) -> tuple[Name, ...]:
        return (*names_in(self.operands), *names_in(self.keywords))

    def uses(self) -> tuple[Name, ...]:
        """The names that it reads."""
        return self._names

    def renamed(self, names: Mapping[Name, Any]) -> Line:
        """The line that reads other names, or constants, in place of some."""
        if not any(name in names for name in self.uses()):
            return self
        operands, keywords = renamed(self.operands, names), renamed(self.keywords, names)
        return replace(self, operands=operands, keywords=keywords)


@dataclass(frozen=True)
class Program:
    """The lines of a computation, from its inputs to its outputs.

    Attributes
    ----------
    inputs : tuple of Name
    lines : tuple of Line
    outputs : dict of str to Name or constant
        What it computes, by role.
    values : dict of Name to array
        What each name held when it was recorded.
    """

    inputs: tuple[Name, ...]
    lines: tuple[Line, ...]
    outputs: Mapping[str, Any]
    values: Mapping[Name, Any]

    def read(self) -> set[Name]:
        """The names that its lines read, and those that it gives."""
        return {x for line in self.lines for x in line.uses()} | set(names_in(self.outputs))


def ufunc_of(function: Any) -> np.ufunc | None:
    """The ufunc of which a function is a method, such as ``reduce``."""
    owner = getattr(function, "__self__", None)
    return owner if isinstance(owner, np.ufunc) else None


def names_in(operand: Any) -> Iterator[Name]:
    """The names in an operand, within containers too."""
    if isinstance(operand, Name):
        yield operand
    elif isinstance(operand, tuple | list):
        for part in operand:
            yield from names_in(part)
    elif isinstance(operand, dict):
        yield from names_in(tuple(operand.values()))
    elif isinstance(operand, slice):
        yield from names_in((operand.start, operand.stop, operand.step))


def replaced(operand: Any, change: Callable[[Any], Any]) -> Any:
    """An operand with each name and each constant in it changed."""
    if isinstance(operand, tuple):
        parts = [replaced(part, change) for part in operand]
        return operand._make(parts) if hasattr(operand, "_make") else tuple(parts)
    if isinstance(operand, list):
        return [replaced(part, change) for part in operand]
    if isinstance(operand, dict):
        return {key: replaced(part, change) for key, part in operand.items()}
    if isinstance(operand, slice):
        return slice(*(replaced(part, change) for part in slice_parts(operand)))
    return change(operand)


def renamed(operand: Any, names: Mapping[Name, Any]) -> Any:
    """An operand with other names, or constants, in place of some of its names."""
    return replaced(operand, lambda x: names.get(x, x) if isinstance(x, Name) else x)


def slice_parts(x: slice) -> tuple[Any, Any, Any]:
    """What makes a slice."""
    return x.start, x.stop, x.step
