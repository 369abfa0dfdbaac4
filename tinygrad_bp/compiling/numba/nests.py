"""The text of nests of loops: a chain of element-wise lines, and the sums taken of it."""

from __future__ import annotations

import operator
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..numpy_code import INFIX, comment_of
from ..program import Line, Name, ufunc_of
from .calling import FunctionText
from .hosting import NoFormError
from .loops import (
    LETTERS,
    Index,
    Nest,
    element_of,
    filled,
    is_reduction,
    letters_of,
    loop_shape,
    made_at,
    moved,
)
from .typed import FORMS, POWERS, SUMS, cast, is_uniform, literal

_WORD = re.compile(r"\w+")
_TYPES = {np.dtype(x) for x in "?bBhHiIlLqQfd"}
_KEYWORDS = frozenset({"axis", "keepdims", "initial", "dtype", "where"})


class NestText:
    """The text of one nest: what stands before each loop, in the innermost, and after each."""

    def __init__(self, text: FunctionText, nest: Nest):
        self.text, self.nest, self.kind = text, nest, text.kind
        self.depth = len(nest.shape)
        self.before: list[list[str]] = [[] for _ in range(self.depth + 1)]
        self.after: list[list[str]] = [[] for _ in range(self.depth + 1)]
        self.body = self.before[-1]
        self.known: dict[Any, str] = {}

    def lines(self) -> list[str]:
        """Its lines, indented."""
        self.fill()
        found = []
        for depth, length in enumerate(self.nest.shape):
            indent = "    " * depth
            found += [indent + x for x in self.before[depth]]
            count = self.text.count(length) if 0 < depth == self.depth - 1 else length
            found.append(f"{indent}for {LETTERS[depth]} in range({count}):")
        found += ["    " * self.depth + x for x in self.body]
        for depth in reversed(range(self.depth)):
            found += ["    " * depth + x for x in self.after[depth]]
        return found

    def fill(self) -> None:
        """Add all statements."""
        for line in self.nest.lines:
            self._add(line)

    def _add(self, line: Line) -> None:
        at = letters_of(loop_shape(line, self.kind))
        if line.answer is not None:
            self._guard(line)
        elif self.text.schedule.sums(line):
            self._reduce(line, at)
        else:
            self._put(line, made_at(line, self.kind), self.expression(line, at))

    def _guard(self, line: Line) -> None:
        value = self.expression(line, ())
        if type(line.answer) is not bool:
            raise NoFormError(line)
        self.body.append(f"if {'not ' if line.answer else ''}({value}):")
        self.body.append(f"    return {self.text.failed}")

    def _put(self, line: Line, at: Index, value: str) -> None:
        """Name the element of a result, and keep it if another item reads it."""
        text, target = self.text, line.target
        name = str(target) if text.is_variable(target) else text.element_name(target, at)
        self.body.append(f"{name} = {value}{comment_of(line)}")
        self.known[target, at] = name
        if target in text.schedule.stored or target in text.arrays or target in text.spots:
            self.body.append(f"{text.at(target, at)} = {name}")

    def _reduce(self, line: Line, at: Index) -> None:
        """Take elements together: in a variable if the loops over them are the inner ones."""
        if line.keywords.keys() - _KEYWORDS or line.keywords.get("where", True) is not True:
            raise NoFormError(line, "these options")
        ufunc = ufunc_of(line.function)
        if ufunc not in SUMS:
            raise NoFormError(line)
        form, first = SUMS[ufunc]
        first = line.keywords.get("initial", first)
        ((operand, index),) = self.text.schedule.elements(line, at)
        value = self.element(operand, index, line.dtype)
        made = made_at(line, self.kind)
        kept = [i for i in made if i != "0"]
        inner = kept == list(LETTERS[: len(kept)])
        dtype: Any = line.dtype
        if inner and ufunc is np.add and dtype == np.dtype("f4"):
            dtype, value = np.dtype("f8"), f"np.float64({value})"
        if dtype.kind in "iu" and not np.isfinite(first):
            first = np.iinfo(dtype).max if first > 0 else np.iinfo(dtype).min
        start = literal(first, dtype)
        if inner:
            total = f"{line.target}_{''.join(kept)}" if kept else str(line.target)
            total = self.text.fresh(total) if line.target in self.text.schedule.stored else total
            self.before[len(kept)].append(f"{total} = {start}")
            self.body.append(f"{total} = {form.format(total, value)}{comment_of(line)}")
            self._finished(line, made, total, dtype, len(kept))
        else:
            whole = self.text.array(line.target)
            self.before[0].append(f"{whole}[:] = {start}")
            place = self.text.at(line.target, made)
            self.body.append(f"{place} = {form.format(place, value)}{comment_of(line)}")

    def _finished(self, line: Line, at: Index, total: str, dtype: Any, depth: int) -> None:
        text, after = self.text, self.after[depth]
        result = cast(total, dtype, line.dtype)
        if text.is_variable(line.target) and result != total:
            after.append(f"{line.target} = {result}")
            result = str(line.target)
        kept = {*text.schedule.stored, *text.arrays, *text.spots}
        if line.target in kept:
            after.append(f"{text.at(line.target, at)} = {result}")

    def element(self, operand: Any, at: Index, want: Any = None) -> str:
        """The text for an element of an operand, of a type."""
        kind = self.kind(operand)[1]
        if not isinstance(operand, Name):
            if not is_uniform(operand):
                value = f"{self.text.constant(operand)}[{', '.join(at)}]"
                return cast(value, kind, want or kind)
            return literal(
                np.asarray(operand).ravel()[0] if np.ndim(operand) else operand, want or kind
            )
        base, index = self.text.schedule.root(operand, at)
        found = self.known.get((base, index)) or self._read(base, index)
        return cast(found, kind, want or kind)

    def _read(self, base: Name, at: Index) -> str:
        text, depth = self.text, self.depth
        if text.schedule.is_deferred(base):
            value = self.expression(text.schedule.makers[base], at)
        elif text.is_variable(base):
            return str(base)
        else:
            value, depth = text.at(base, at), self.depth_of(at)
        name = self.known[base, at] = text.element_name(base, at)
        self.before[depth].append(f"{name} = {value}")
        return name

    def depth_of(self, at: Index) -> int:
        """How many loops an index depends on."""
        found = [d for d in range(self.depth) if any(LETTERS[d] in _WORD.findall(i) for i in at)]
        return max(found, default=-1) + 1

    def position(self, line: Line, x: Any, at: Index, length: int) -> str:
        """The name of an integer that chooses among so many, counted from the start."""
        kind = self.kind(x)[1]
        if kind not in _TYPES or kind.kind not in "iu":
            raise NoFormError(line, f"an index of type {kind}")
        where = self.text.schedule.root(x, at)[1] if isinstance(x, Name) else at
        if not isinstance(x, Name):
            if np.size(x) and not -length <= np.min(x) <= np.max(x) < length:
                raise NoFormError(line, "an index that is not there")
            return self.element(np.asarray(x) % length, at, np.dtype("i8"))
        value, name = self.element(x, at, np.dtype("i8")), self.text.fresh("row")
        self.before[self.depth_of(where)] += [
            f"{name} = {value}",
            f"if {name} < 0:",
            f"    {name} += {length}",
            f"if {name} < 0 or {name} >= {length}:",
            f"    return {self.text.failed}",
        ]
        return name

    def expression(self, line: Line, at: Index) -> str:
        """The text for what a line computes of elements."""
        operands = list(self.text.schedule.elements(line, at))
        function = line.function
        if line.dtype is not None and line.dtype not in _TYPES:
            raise NoFormError(line, f"the type {line.dtype}")
        if is_reduction(line):
            return self.element(*operands[0], line.dtype)
        if function is operator.getitem:
            return self._gathered(line, at)
        if function is np.ndarray.astype:
            return self.element(*operands[0], line.dtype)
        if function is np.where and len(operands) == 3:
            condition = self.element(*operands[0], np.dtype(bool))
            one, other = (self.element(*x, line.dtype) for x in operands[1:])
            return f"{one} if {condition} else {other}"
        if line.dtype is None:
            return self._number(line)
        if function is operator.pow:
            return self._power(line, operands)
        if function is operator.neg:
            return f"-{self.element(*operands[0], line.dtype)}"
        return self._ufunc(line, operands)

    def _ufunc(self, line: Line, operands: Sequence[Any]) -> str:
        function = line.function
        if not isinstance(function, np.ufunc) or line.keywords or function.nout != 1:
            raise NoFormError(line)
        kinds = [self.kind(x)[1] for x, _ in operands]
        if not {*kinds} <= {*_TYPES, int, float}:
            raise NoFormError(line, "such operands")
        types = function.resolve_dtypes((*kinds, None))
        values = [self.element(x, i, t) for (x, i), t in zip(operands, types, strict=False)]
        if function in FORMS:
            value = FORMS[function].format(*values)
        elif function in INFIX and function not in (np.floor_divide, np.remainder):
            value = f"{values[0]} {INFIX[function]} {values[1]}"
        elif function in self.text.supported:
            value = f"np.{function.__name__}({', '.join(values)})"
        else:
            raise NoFormError(line)
        return value if types[-1] == line.dtype else cast(f"({value})", types[-1], line.dtype)

    def _power(self, line: Line, operands: Sequence[Any]) -> str:
        (x, i), (exponent, j) = operands
        value = self.element(x, i, line.dtype)
        if not isinstance(exponent, Name) and not np.ndim(exponent) and exponent in POWERS:
            return POWERS[exponent].format(value)
        return f"np.power({value}, {self.element(exponent, j, line.dtype)})"

    def _number(self, line: Line) -> str:
        """An expression of Python's numbers."""
        values = [self.element(x, ()) for x in line.operands]
        if line.function is bool:
            return f"{values[0]} != 0"
        if line.function is operator.neg:
            return f"-{values[0]}"
        if line.function in INFIX and len(values) == 2:
            return f"{values[0]} {INFIX[line.function]} {values[1]}"
        raise NoFormError(line)

    def _gathered(self, line: Line, at: Index) -> str:
        source, index = line.operands
        found = chosen(self, line, index, self.kind(source)[0], at)
        base, where = self.text.schedule.root(source, found)
        return self.text.at(base, where)


def chosen(nest: NestText, line: Line, index: Any, shape: Sequence[int], at: Index) -> Index:
    """The index into an array of an element that arrays of integers choose."""
    parts = filled(index, len(shape))
    arrays = [x for x in parts if isinstance(x, Name | np.ndarray | list)]
    places = [i for i, x in enumerate(parts) if x is not None and not isinstance(x, slice)]
    axes = max((len(nest.kind(x)[0]) for x in arrays), default=0)
    together = places == list(range(places[0], places[-1] + 1)) if places else True
    first = places[0] if together and places else 0
    common, others = at[first : first + axes], iter(at[:first] + at[first + axes :])
    found: list[str] = []
    for part in parts:
        axis = len(found)
        if part is None:
            next(others)
        elif isinstance(part, slice):
            start, _, step = part.indices(shape[axis])
            found.append(moved(next(others), start, step))
        elif isinstance(part, int | np.integer):
            found.append(str(int(part) % shape[axis]))
        else:
            part = np.asarray(part) if isinstance(part, list) else part
            here = element_of(nest.kind(part)[0], common)
            found.append(nest.position(line, part, here, shape[axis]))
    return tuple(found)


def number(text: FunctionText, x: Any) -> str:
    """The text for the only element of an operand."""
    return NestText(text, Nest(())).element(x, ("0",) * len(text.kind(x)[0]))
