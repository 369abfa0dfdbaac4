"""A program opened up for loops: means, inner products and thin products as sums of products."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..passes import REDUCTIONS, reduced_by_ufunc
from ..program import Line, Name, Program, names_in
from .hosting import called
from .moves import moved, sources_of

_SYNONYMS: dict[Any, Any] = {
    np.amax: np.max,
    np.amin: np.min,
    np.generic.astype: np.ndarray.astype,
}
_VIEWS = frozenset({np.transpose, np.reshape, np.squeeze, np.broadcast_to, np.expand_dims})


Opening = Callable[["Lowering", Line], bool]  # False: it is left as it is


@dataclass(frozen=True)
class Lowered:
    """A lowered program, and what of it NumPy computes.

    Attributes
    ----------
    program : Program
    calls : dict of Name to (tuple of Name, list of Line)
        For each result of NumPy's, what its lines read, and the lines.
    origins : dict of Name to Name
        The result that each line is a part of, where that has another name.
    """

    program: Program
    calls: dict[Name, tuple[tuple[Name, ...], list[Line]]]
    origins: dict[Name, Name]


def lowered(
    program: Program,
    roles: Sequence[str],
    loose: frozenset[Name],
    hosted: Collection[Name],
    openings: Mapping[Any, Opening],
) -> Lowered:
    """The same computation of element-wise lines, reductions, views and large products alone.

    Parameters
    ----------
    program : Program
    roles : list of str
        The outputs that are arrays: each will be the result of a line of its own.
    loose : set of Name
        The inputs whose elements may lie apart in memory.
    hosted : collection of Name
        The results that NumPy computes.
    openings : dict
        For functions of NumPy's, how lines of others take the place of theirs.
    """
    work = Lowering(program, loose, hosted, openings)
    for line in program.lines:
        work.lower(line)
    outputs = dict(program.outputs)
    for role in roles:
        outputs[role] = work.of_its_own(outputs[role], None)
    program = replace(program, lines=tuple(work.lines), outputs=outputs)
    return Lowered(program, work.calls, work.origins)


class Kinds:
    """The shape and the type of every operand; of a number of Python, its class."""

    def __init__(self, program: Program):
        self._known = {name: _kind(program.values[name]) for name in program.inputs}
        for line in program.lines:
            self.learn(line, program.values.get(line.target))

    def learn(self, line: Line, value: Any = None) -> None:
        """Note what a line gives."""
        known = (line.shape, line.dtype) if line.dtype is not None else _kind(value)
        self._known[line.target] = known

    def names(self) -> Iterable[Name]:
        """All that it knows."""
        return self._known

    def __call__(self, x: Any) -> tuple[tuple[int, ...], Any]:
        """The shape and the type of one."""
        return self._known[x] if isinstance(x, Name) else _kind(x)


def _kind(x: Any) -> tuple[tuple[int, ...], Any]:
    if x is None or isinstance(x, tuple | list | str):
        return (), type(x)
    return np.shape(x), np.dtype(bool) if type(x) is bool else getattr(x, "dtype", type(x))


def _in_array(x: Any) -> Any:
    """A list of constants as an array."""
    return np.asarray(x) if isinstance(x, tuple | list) and not any(names_in(x)) else x


def _is_container(kind: Any) -> bool:
    """Whether what has this type holds arrays, and is none."""
    return isinstance(kind, type) and issubclass(kind, tuple | list)


class Lowering:
    """The lines that take the place of a program's."""

    def __init__(
        self,
        program: Program,
        loose: frozenset[Name],
        hosted: Collection[Name],
        openings: Mapping[Any, Opening],
    ):
        self.kind, self.loose, self.hosted = Kinds(program), loose, hosted
        self._openings = openings
        self.calls: dict[Name, tuple[tuple[Name, ...], list[Line]]] = {}
        self.origins: dict[Name, Name] = {}
        self._several: dict[Name, Line] = {}  # lines that give several arrays
        self.made: dict[Name, Line] = {}
        self.lines: list[Line] = []
        self._of_its_own: set[Name] = set()
        self._taken = {*program.inputs, *(line.target for line in program.lines)}

    def lower(self, line: Line) -> None:
        """Add what a line comes to."""
        if line.dtype is None and _is_container(self.kind(line.target)[1]):
            self._several[line.target] = line
            return
        of = next((self._several[x] for x in line.uses() if x in self._several), line)
        if line.target in self.hosted or (of is not line and not self._moves(line, of)):
            self._by_numpy(line)
        elif of is line and not self._moves(line, of):
            self._open(line)

    def _moves(self, line: Line, of: Line) -> bool:
        """Whether a line moves elements, or is a part of what does; then it is added."""
        sources = sources_of(of)
        part = None if of is line else line.operands[1]
        return sources is not None and moved(self, line, of, sources, part)

    def _open(self, line: Line) -> None:
        if isinstance(line.function, np.ufunc) or line.function is np.where:
            line = replace(line, operands=tuple(map(_in_array, line.operands)))
        line = replace(line, function=_SYNONYMS.get(line.function, line.function))
        if line.function in REDUCTIONS:
            line = reduced_by_ufunc(line)
        opened = self._openings.get(line.function)
        if opened is None or not opened(self, line):
            self.add(line)

    def _by_numpy(self, line: Line) -> None:
        """Let NumPy compute a line."""
        lines = [self._several[x] for x in line.uses() if x in self._several] + [line]
        own = {x.target for x in lines}
        names = tuple(dict.fromkeys(x for y in lines for x in y.uses() if x not in own))
        self.calls[line.target] = names, lines
        given = tuple(self.dense(x) for x in names)
        self.add(replace(line, function=called, operands=given, keywords={}, view=False))

    def add(self, line: Line) -> Name:
        """Add a line as it is."""
        if line.target not in self._taken or line.dtype is not None:
            self.kind.learn(line)
        self.made[line.target] = line
        self.lines.append(line)
        return line.target

    def step(
        self,
        of: Line,
        function: Any,
        *operands: Any,
        shape: Any,
        dtype: Any = None,
        **keywords: Any,
    ) -> Any:
        """Add a line that is a part of what another does; the name of its result, or that."""
        if not any(names_in(operands)):
            return function(*operands, **keywords)
        target = self._fresh(str(of.target))
        self.origins[target] = self.origins.get(of.target, of.target)
        kind = of.dtype if dtype is None else dtype
        line = Line(target, function, operands, keywords, tuple(shape), kind, where=of.where)
        self.lower(replace(line, view=is_view(line)))
        return target

    def last(self, of: Line, function: Any, *operands: Any, **keywords: Any) -> bool:
        """Add the line that gives what another did."""
        self.add(replace(of, function=function, operands=operands, keywords=keywords))
        return True

    def _fresh(self, name: str) -> Name:
        """A name that no other result has: with a number after it."""
        count = next(i for i in itertools.count(1) if f"{name}_{i}" not in self._taken)
        self._taken.add(Name(f"{name}_{count}"))
        return Name(f"{name}_{count}")

    def dense(self, x: Any, turned: bool = False) -> Any:
        """An array that lies in memory row by row, or if it may be ``turned`` column by column."""
        line = self.made.get(x) if isinstance(x, Name) else None
        before = self.turned(x) if turned else None
        if line is not None and before is not None:
            source = self.dense(before)
            if source is before:
                return x
            return self.step(line, np.transpose, source, shape=line.shape)
        if isinstance(x, Name) and (x in self.loose or (line is not None and is_view(line))):
            shape, dtype = self.kind(x)
            copied = self._fresh(f"{x}_copied")
            self.origins[copied] = self.origins.get(x, x)
            return self.add(Line(copied, np.positive, (x,), {}, shape, dtype))
        return x

    def turned(self, x: Any) -> Any:
        """The matrix whose rows are the columns of this one, if a line says so."""
        line = self.made.get(x) if isinstance(x, Name) else None
        plain = line is not None and line.function is np.transpose and not line.keywords
        return line.operands[0] if plain and line is not None else None

    def of_its_own(self, x: Any, dtype: Any) -> Any:
        """A result that may go into an array of the caller's: a line's own, or else a copy."""
        line = self.made.get(x) if isinstance(x, Name) else None
        shape, kind = self.kind(x)
        mine = line is not None and not is_view(line) and x not in self._of_its_own
        if not mine or dtype not in {None, kind}:
            name = self._fresh(f"{x}_copied" if isinstance(x, Name) else "constant")
            if isinstance(x, Name):
                self.origins[name] = self.origins.get(x, x)
            x = self.add(Line(name, np.positive, (x,), {}, shape, np.dtype(dtype or kind)))
        self._of_its_own.add(x)
        return x


def is_view(line: Line) -> bool:
    """Whether a line shows elements of its operand in another order, or some of them."""
    if line.function is operator.getitem:
        index = line.operands[1]
        parts = index if isinstance(index, tuple) else (index,)
        return not any(isinstance(part, Name | np.ndarray | list) for part in parts)
    return line.function in _VIEWS


def regroups(line: Line, kind: Kinds) -> bool:
    """Whether a line splits or joins axes."""
    before = kind(line.operands[0])[0]
    return line.function is np.reshape and without_units(before) != without_units(line.shape)


def without_units(shape: Sequence[int]) -> tuple[int, ...]:
    """A shape without the axes of length 1."""
    return tuple(length for length in shape if length != 1)


def is_real(line: Line) -> bool:
    """Whether a line gives real numbers."""
    return line.dtype is not None and line.dtype.kind == "f"


def arguments_of(line: Line, *names: str) -> list[Any] | None:
    """The values of these arguments, by place or by name, None where one is not given.

    None if there are others.
    """
    given = dict(zip(names, line.operands, strict=False))
    if len(line.operands) > len(names) or line.keywords.keys() - set(names):
        return None
    given |= line.keywords
    return [given.get(name) for name in names]
