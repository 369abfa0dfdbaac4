"""Where results are put: arrays that are made once, and used again as soon as nobody reads them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .program import Line, Name, Program, names_in, renamed, ufunc_of

_FUNCTIONS = frozenset({np.dot, np.clip, np.concatenate, np.stack, np.cumsum, np.einsum})
_METHODS = frozenset({"reduce", "accumulate"})


def laid_end_to_end(arrays: Iterable[Any]) -> np.ndarray:
    """All elements of some arrays, one array after the other."""
    return np.concatenate([np.ravel(array) for array in arrays])


@dataclass(frozen=True)
class Buffer:
    """An array that a program makes when it is loaded.

    Attributes
    ----------
    name : Name
    shape : tuple of int
    dtype : dtype
    fortran : bool
        Whether it lies in memory column by column.
    part_of : Name or None
        The flat buffer of which it is a part, which begins at ``start``.
    start : int
    """

    name: Name
    shape: tuple[int, ...]
    dtype: np.dtype
    fortran: bool = False
    part_of: Name | None = None
    start: int = 0


def in_buffers(
    program: Program, into: Mapping[Name, str], fresh: frozenset[str] = frozenset()
) -> tuple[Program, list[Buffer]]:
    """Put results into buffers.

    Parameters
    ----------
    program : Program
    into : dict of Name to str
        Arrays that the caller hands over: from the argument to the role of the output that
        belongs into it.
    fresh : set of str
        The roles of outputs that belong to the caller, and are new arrays each time.
    """
    return _Plan(program, into, fresh).done()


class _Plan:
    """Which result is put where."""

    def __init__(self, program: Program, into: Mapping[Name, str], fresh: frozenset[str]):
        self.program, self.into = program, into
        self.buffers: list[Buffer] = []
        self.lines: list[Line] = []
        self.fixed: dict[Name, Name] = {}  # where a result has to go
        self.known: dict[Name, Name] = {}
        self.free: dict[Any, list[Name]] = {}
        self.holds: dict[Name, Name] = {}  # the buffer that may be used again, by its result
        self.makers = {line.target: line for line in program.lines}
        self.owner = _owners(program)
        kept = names_in([x for role, x in program.outputs.items() if role in fresh])
        self.kept = {owner for name in kept for owner in self.owner.get(name, ())}

    def done(self) -> tuple[Program, list[Buffer]]:
        """The program in which each line says where it puts its result, and the buffers."""
        copies = self._fix_outputs()
        last = self._last_uses()
        for i, line in enumerate(self.program.lines):
            if line.function is laid_end_to_end:
                self.lines += self._gathered(line)
                if line.target not in self.kept:
                    self.holds[line.target] = self.known[line.target]
            else:
                self._place(line, i, last)
            self._release(line, i, last)
        lines = tuple(line.renamed(self.known) for line in (*self.lines, *copies))
        outputs = renamed(self.program.outputs, self.known)
        return replace(self.program, lines=lines, outputs=outputs), self.buffers

    def _fix_outputs(self) -> list[Line]:
        """Results that belong into an array of the caller's, or that go into a flat one."""
        copies = []
        for argument, role in self.into.items():
            result = self.program.outputs[role]
            if self._can_be_put(result):
                self.fixed[result] = argument
            else:
                copies.append(_copy(argument, result))
        for line in self.program.lines:
            if line.function is laid_end_to_end:
                self._fix_parts(line)
        return copies

    def _fix_parts(self, line: Line) -> None:
        flat = Name(f"flat_{line.target}")
        self.buffers.append(Buffer(flat, line.shape, line.dtype))
        self.known[line.target] = flat
        start = 0
        for i, part in enumerate(line.operands[0]):
            value = self.program.values.get(part, part) if _name(part) else part
            shape = np.shape(value)
            name = Name(f"{flat}_{i}")
            self.buffers.append(Buffer(name, shape, line.dtype, False, flat, start))
            start += int(np.prod(shape))
            if self._can_be_put(part) and value.dtype == line.dtype and part not in self.kept:
                self.fixed[part] = name

    def _gathered(self, line: Line) -> list[Line]:
        """Copies of the parts that are not computed in their places."""
        flat = self.known[line.target]
        places = [b.name for b in self.buffers if b.part_of == flat]
        return [
            replace(_copy(place, part), comment=line.comment)
            for part, place in zip(line.operands[0], places, strict=True)
            if not _name(part) or self.fixed.get(part) != place
        ]

    def _can_be_put(self, result: Any) -> bool:
        """Whether a result can be computed in a place of our choice."""
        line = self.makers.get(result) if _name(result) else None
        return (
            line is not None
            and result not in self.fixed
            and takes_out(line)
            and line.shape != ()
            and not line.fortran
        )

    def _place(self, line: Line, i: int, last: Mapping[Name, int]) -> None:
        """Choose where a line puts its result."""
        target = line.target
        if target in self.fixed:
            self.lines.append(replace(line, out=self.fixed[target]))
            return
        if not takes_out(line) or not line.shape or target in self.kept:
            self.lines.append(line)
            return
        buffer = self._of_dead_operand(line, i, last)
        if buffer is None:
            kind = (line.shape, line.dtype, line.fortran)
            free = self.free.setdefault(kind, [])
            if free:
                buffer = free.pop()
            else:
                buffer = Name(f"buffer{len(self.buffers)}")
                self.buffers.append(Buffer(buffer, *kind))
        self.holds[target] = buffer
        self.lines.append(replace(line, out=buffer))

    def _of_dead_operand(self, line: Line, i: int, last: Mapping[Name, int]) -> Name | None:
        """The buffer of an operand of an element-wise line that nobody reads afterwards."""
        if not isinstance(line.function, np.ufunc) or line.function.signature:
            return None
        names = [x for x in line.operands if _name(x)]
        for x in names:
            others = {owner for y in names if y != x for owner in self.owner.get(y, ())}
            made = self.makers.get(x)
            if (
                x in self.holds
                and last[x] == i
                and x not in others
                and made is not None
                and (made.shape, made.dtype, made.fortran) == (line.shape, line.dtype, line.fortran)
            ):
                return self.holds.pop(x)
        return None

    def _release(self, line: Line, i: int, last: Mapping[Name, int]) -> None:
        """Give back the buffers that nobody reads after this line."""
        owners = {owner for name in line.uses() for owner in self.owner.get(name, ())}
        for owner in sorted(owners | {line.target}):
            if owner in self.holds and last.get(owner, -1) <= i:
                made = self.makers[owner]
                kind = (made.shape, made.dtype, made.fortran)
                self.free.setdefault(kind, []).append(self.holds.pop(owner))

    def _last_uses(self) -> dict[Name, int]:
        """The last line that may read the memory of each result."""
        last: dict[Name, int] = {}
        for i, line in enumerate(self.program.lines):
            for name in line.uses():
                last |= dict.fromkeys(self.owner.get(name, (name,)), i)
        for name in names_in(self.program.outputs):
            last |= dict.fromkeys(self.owner.get(name, (name,)), len(self.program.lines))
        for line in self.program.lines:
            if line.function is laid_end_to_end:  # whose parts are in its memory
                parts = [last[o] for x in names_in(line.operands) for o in self.owner.get(x, (x,))]
                last[line.target] = max([last.get(line.target, 0), *parts])
        return last


def _name(x: Any) -> bool:
    return isinstance(x, Name)


def _copy(place: Name, x: Any) -> Line:
    return Line(Name("_"), np.copyto, (place, x))


def _owners(program: Program) -> dict[Name, frozenset[Name]]:
    """For each result, those whose memory it may show: its own, and what it may be a view of.

    Whether a function gives a view may depend on how its operand lies in memory, so that only what
    is computed into a place of our choice is known to be none.
    """
    owner: dict[Name, frozenset[Name]] = {}
    for line in program.lines:
        own = frozenset([line.target])
        if takes_out(line) or line.function is laid_end_to_end:
            owner[line.target] = own
        else:
            owner[line.target] = own.union(*(owner.get(x, (x,)) for x in line.uses()))
    return owner


def takes_out(line: Line) -> bool:
    """Whether a line's function can put its result into an array that it is given."""
    function = line.function
    if line.dtype is None or line.answer is not None or line.view or not line.dense:
        return False
    if isinstance(function, np.ufunc):
        return function.nout == 1
    if ufunc_of(function):
        return function.__name__ in _METHODS
    return function in _FUNCTIONS
