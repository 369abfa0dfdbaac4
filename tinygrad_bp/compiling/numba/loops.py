"""Which lines of a lowered program share a loop, and what of them has to be kept in arrays."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..buffers import laid_end_to_end
from ..numpy_code import INFIX
from ..program import Line, Name, Program, names_in, ufunc_of
from ..transcript import changed_at, put
from .hosting import NoFormError, called
from .lowering import Kinds, is_view, regroups, without_units

LETTERS = "ijklmn"
Index = tuple[str, ...]
_ELEMENTWISE = frozenset({np.where, operator.pow, operator.neg, np.ndarray.astype})
_WHOLE = frozenset({np.dot, np.matmul, changed_at, put, laid_end_to_end, called})
_PLACES = frozenset({np.argmax, np.argmin})


@dataclass
class Nest:
    """Lines that are computed together, element by element.

    Attributes
    ----------
    shape : tuple of int
        How often each loop runs, axes of length 1 left out. Without any, it is plain statements.
    lines : list of Line
    """

    shape: tuple[int, ...]
    lines: list[Line] = field(default_factory=list)


def letters_of(shape: Sequence[int]) -> Index:
    """The index of the element that a loop over an array is at."""
    letters = iter(LETTERS)
    return tuple("0" if length == 1 else next(letters) for length in shape)


def is_reduction(line: Line) -> bool:
    """Whether a line is a method ``reduce`` of a ufunc's."""
    return ufunc_of(line.function) is not None and line.function.__name__ == "reduce"


def is_running(line: Line) -> bool:
    """Whether a line is a method ``accumulate`` of a ufunc's."""
    return ufunc_of(line.function) is not None and line.function.__name__ == "accumulate"


def computes_alone(line: Line) -> bool:
    """Whether a line computes a whole array, of whole arrays, and shares its loops with none."""
    return line.function in _WHOLE or line.function in _PLACES or is_running(line)


def is_elementwise(line: Line) -> bool:
    """Whether each element of a line's result comes of one element of each operand."""
    return line.dtype is not None and (
        isinstance(line.function, np.ufunc) or line.function in _ELEMENTWISE
    )


def _has_form(line: Line) -> bool:
    """Whether a line is one that loops, or statements of numbers, can be made of."""
    if line.dtype is None:
        return line.function in {bool, operator.neg, *INFIX}
    return is_elementwise(line) or is_reduction(line) or line.function is operator.getitem


def loop_shape(line: Line, kind: Kinds) -> tuple[int, ...]:
    """The lengths of the axes that a line's loops run over."""
    reduces = is_reduction(line) or line.function in _PLACES
    return kind(line.operands[0])[0] if reduces else line.shape


def made_at(line: Line, kind: Kinds) -> Index:
    """The index at which a line's loops put its result."""
    if not is_reduction(line) and line.function not in _PLACES:
        return letters_of(line.shape)
    shape = loop_shape(line, kind)
    kept = iter(
        x
        for x, gone in zip(letters_of(shape), reduced_axes(line, shape), strict=True)
        if x != "0" and not gone
    )
    return tuple("0" if length == 1 else next(kept) for length in line.shape)


def reduced_axes(line: Line, shape: Sequence[int]) -> list[bool]:
    """Which axes a reduction sums over, axes of length 1 left out: there is no sum to take."""
    axis = line.keywords.get("axis", 0)
    axes = range(len(shape)) if axis is None else np.atleast_1d(axis) % max(len(shape), 1)
    return [i in axes and length != 1 for i, length in enumerate(shape)]


def element_of(operand_shape: Sequence[int], at: Index) -> Index:
    """The index into an operand that is stretched to the shape of the result."""
    at = ("0",) * (len(operand_shape) - len(at)) + at[max(len(at) - len(operand_shape), 0) :]
    return tuple("0" if n == 1 else i for n, i in zip(operand_shape, at, strict=True))


class Schedule:
    """The order in which a lowered program is computed.

    Attributes
    ----------
    items : list of Nest and Line
        A line stands alone if it computes a whole array at once.
    stored : dict of Name to int
        The results that are kept in arrays, and the last item that reads each.
    place : dict of Name to int
        The item that computes each result.
    aliases : dict of Name to Name
        What is the same memory in another shape, and whose it is.
    """

    def __init__(self, program: Program, outputs: set[Name]):
        self.kind = Kinds(program)
        self.makers = {line.target: line for line in program.lines}
        self.items: list[Nest | Line] = []
        self.place: dict[Name, int] = dict.fromkeys(program.inputs, -1)
        self.stored: dict[Name, int] = {}
        self.aliases: dict[Name, Name] = {}
        self.outputs = outputs
        self._deferred = self._cheap(program)
        for line in program.lines:
            self._add(line)
        for name in outputs:
            self._read(self.root(name, ())[0], len(self.items))

    def _cheap(self, program: Program) -> set[Name]:
        """Comparisons that loops alone read: they are made again where they are read."""
        found = {x.target for x in program.lines if x.dtype == bool and is_elementwise(x)}
        for line in program.lines:
            seen = is_view(line) and not regroups(line, self.kind)
            if not (seen or is_elementwise(line) or is_reduction(line)):
                found -= set(line.uses())
        return found - self.outputs

    def is_deferred(self, name: Name) -> bool:
        """Whether a result is made again wherever it is read."""
        return name in self._deferred

    def is_one(self, result: Name) -> bool:
        """Whether a result has one element, and is not kept in an array for it."""
        return math.prod(self.kind(result)[0]) == 1 and result not in self.stored

    def _add(self, line: Line) -> None:
        if is_view(line):
            self._view(line)
        elif computes_alone(line):
            self._alone(line)
        elif not _has_form(line):
            raise NoFormError(line)
        elif line.target not in self._deferred:
            self._in_a_loop(line)

    def _view(self, line: Line) -> None:
        """Views are seen through; a shape that splits or joins axes needs its own array."""
        source = line.operands[0]
        if regroups(line, self.kind):
            self.aliases[line.target] = self.aliases.get(source, source)
            self.place[line.target] = self.place[source]

    def _alone(self, line: Line) -> None:
        place, whole = len(self.items), line.function is called or line.function in _PLACES
        for name in line.uses():
            self._read(self.root(name, letters_of(self.kind(name)[0]))[0], place, whole)
        self.place[line.target] = place
        if line.dtype is not None:
            self.stored[line.target] = place
        self.items.append(line)

    def _in_a_loop(self, line: Line) -> None:
        """Put a line into the first loop of its shape that comes late enough."""
        shape = without_units(loop_shape(line, self.kind))
        if len(shape) > len(LETTERS):
            raise NoFormError(line, f"{len(shape)} axes")
        reads = list(self.reads(line))
        first = max((self._earliest(base, at, shape) for base, at in reads), default=0)
        for place in range(first, len(self.items)):
            nest = self.items[place]
            if isinstance(nest, Nest) and nest.shape == shape:
                break
        else:
            place = len(self.items)
            self.items.append(Nest(shape))
        self.items[place].lines.append(line)  # type: ignore[union-attr]
        self.place[line.target] = place
        for base, _ in reads:
            if self.place[base] != place:
                self._read(base, place)

    def _earliest(self, base: Name, at: Index, shape: tuple[int, ...]) -> int:
        """The first item that can read an element of a result."""
        place = self.place[base]
        item = self.items[place] if place >= 0 else None
        if not isinstance(item, Nest) or item.shape != shape:
            return place + 1
        line = self.makers[base]
        together = not shape or (
            base not in self.aliases and not self.sums(line) and at == made_at(line, self.kind)
        )
        return place if together else place + 1

    def sums(self, line: Line) -> bool:
        """Whether a line's result is complete only when its loops have run."""
        return is_reduction(line) and any(reduced_axes(line, loop_shape(line, self.kind)))

    def _read(self, base: Name, place: int, whole: bool = False) -> None:
        line = self.makers.get(base)
        owner = self.aliases.get(base, base)
        if line is None or line.dtype is None:
            return
        if whole or math.prod(line.shape) != 1 or computes_alone(line):
            self.stored[owner] = max(self.stored.get(owner, 0), place)

    def reads(self, line: Line, at: Index | None = None) -> Iterator[tuple[Name, Index]]:
        """The results and inputs that a line reads: their names, and at which index."""
        if at is None:
            at = letters_of(loop_shape(line, self.kind))
        for operand, index in self.elements(line, at):
            if isinstance(operand, Name):
                base, where = self.root(operand, index)
                if self.is_deferred(base):
                    yield from self.reads(self.makers[base], where)
                else:
                    yield base, where

    def elements(self, line: Line, at: Index) -> Iterator[tuple[Any, Index]]:
        """The operands of a line, and the index of the element that is read of each."""
        if line.function is operator.getitem:
            for part in names_in(line.operands[1]):
                yield part, ("?",) * len(self.kind(part)[0])
            source = line.operands[0]
            yield source, ("?",) * len(self.kind(source)[0])
            return
        operands = line.operands[:1] if is_reduction(line) else line.operands
        for operand in operands:
            if not isinstance(operand, np.dtype):
                yield operand, element_of(self.kind(operand)[0], at)

    def root(self, name: Name, at: Index) -> tuple[Name, Index]:
        """The array whose element an element of a view is, and the index there."""
        line = self.makers.get(name)
        while line is not None and is_view(line) and name not in self.aliases:
            name, at = line.operands[0], seen_through(line, at, self.kind(line.operands[0])[0])
            line = self.makers.get(name)
        return name, at


def seen_through(line: Line, at: Index, shape: Sequence[int]) -> Index:
    """The index into the operand of a view."""
    if not at and line.shape:
        return ("?",) * len(shape)
    if line.function is np.transpose:
        axes = line.keywords.get("axes") or (line.operands[1] if len(line.operands) > 1 else None)
        if axes is None:
            return at[::-1]
        where = {axis % len(shape): i for axis, i in zip(axes, at, strict=True)}
        return tuple(where[axis] for axis in range(len(shape)))
    if line.function is operator.getitem:
        return _indexed(line.operands[1], at, shape)
    if line.function is np.broadcast_to:
        return element_of(shape, at)
    used = iter(i for i, length in zip(at, line.shape, strict=True) if length != 1)
    return tuple("0" if length == 1 else next(used) for length in shape)


def filled(index: Any, ndim: int) -> list[Any]:
    """The parts of an index, one for each axis, and None for each new one."""
    parts = list(index) if isinstance(index, tuple) else [index]
    where = next((i for i, part in enumerate(parts) if part is Ellipsis), None)
    taken = sum(part is not None and part is not Ellipsis for part in parts)
    filler = [slice(None)] * (ndim - taken)
    if where is None:
        return parts + filler
    return [*parts[:where], *filler, *parts[where + 1 :]]


def _indexed(index: Any, at: Index, shape: Sequence[int]) -> Index:
    """The index into an array of an element of a part that slices and integers choose."""
    parts = filled(index, len(shape))
    found, here, axis = [], 0, 0
    for part in parts:
        if isinstance(part, slice):
            start, _, step = part.indices(shape[axis])
            found.append(moved(at[here], start, step))
            here += 1
        elif part is None:
            here += 1
            continue
        else:
            found.append(str(int(part) % shape[axis]))
        axis += 1
    return tuple(found)


def moved(i: str, start: int, step: int) -> str:
    """The text of ``start + step * i``."""
    if i.isdigit():
        return str(start + step * int(i))
    i = i if step == 1 else f"{step} * {i}" if i.isidentifier() else f"{step} * ({i})"
    return i if start == 0 else f"{start} + {i}"


def first_elements(index: Any, kind: Kinds) -> Any:
    """An index of the same form that chooses the first elements."""
    if isinstance(index, tuple):
        return tuple(first_elements(part, kind) for part in index)
    return np.zeros(kind(index)[0], int) if isinstance(index, Name | np.ndarray | list) else index
