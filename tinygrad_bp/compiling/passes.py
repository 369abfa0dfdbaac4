"""What makes a program shorter: each is a function from a program to one that computes the same.

`PASSES` lists them in the order in which they are applied. To the last bit, each result is what it
was; `row_sums` alone, which is not among them, rounds in another way.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from .program import Line, Name, Program, names_in, renamed

Pass = Callable[[Program], Program]

_OF_SHAPE = frozenset({np.ones_like, np.zeros_like, np.full_like})
_UNITS = {np.multiply: (0, 1), np.divide: (1,), operator.mul: (0, 1), operator.truediv: (1,)} | {
    operator.pow: (1,)
}
_MOVES = frozenset({np.reshape, np.transpose, np.squeeze, np.broadcast_to, np.positive})
REDUCTIONS = {
    np.sum: np.add.reduce,
    np.prod: np.multiply.reduce,
    np.max: np.maximum.reduce,
    np.min: np.minimum.reduce,
    np.all: np.logical_and.reduce,
    np.any: np.logical_or.reduce,
}


def constants_folded(program: Program) -> Program:
    """Compute now what depends on no input, and leave out what changes nothing, such as x * 1."""
    known: dict[Name, Any] = {}
    lines = []
    for line in program.lines:
        line = line.renamed(known)
        same = _itself(line, program.values)
        names = list(line.uses())
        if not names or (line.function in _OF_SHAPE and names == list(line.operands[:1])):
            if line.answer is None:
                known[line.target] = _constant(program.values[line.target])
        elif same is not None:
            known[line.target] = same
        else:
            lines.append(line)
    return _with(program, lines, known)


def reductions_shared(program: Program) -> Program:
    """Reduce once what is reduced both with and without its axes kept, and reshape it."""
    first: dict[Any, Line] = {}
    lines = []
    for line in program.lines:
        if "axis" in line.keywords and line.dtype is not None:
            others = {k: v for k, v in line.keywords.items() if k != "keepdims"}
            found = first.setdefault((line.function, _key(line.operands), _key(others)), line)
            if found is not line and found.shape:
                line = replace(
                    line,
                    function=np.reshape,
                    operands=(found.target, line.shape),
                    keywords={},
                    view=True,
                )
        lines.append(line)
    return _with(program, lines, {})


def numbers_in_arrays(program: Program) -> Program:
    """Hand numbers over as arrays without axes, which are not converted at each call.

    Where that gives the same to the last bit.
    """
    return _with(program, [_ready(line, program.values) for line in program.lines], {})


def _ready(line: Line, values: Mapping[Name, Any]) -> Line:
    if not isinstance(line.function, np.ufunc) or not line.shape or len(line.operands) != 2:
        return line
    dtype = _type_of_arrays(line, values)
    if dtype is None or dtype.kind != "f":
        return line
    numbers = (int, float, np.floating)
    operands = tuple(
        np.array(x, dtype) if isinstance(x, numbers) and not isinstance(x, bool) else x
        for x in line.operands
    )
    new = replace(line, operands=operands)
    return new if _gives_the_same(new, values) else line


def _type_of_arrays(line: Line, values: Mapping[Name, Any]) -> Any:
    """The type of the first operand that is an array with axes."""
    arrays = (values[x] for x in line.operands if isinstance(x, Name))
    return next((array.dtype for array in arrays if np.ndim(array)), None)


def _constant(value: Any) -> Any:
    return value[()] if isinstance(value, np.ndarray) and not value.ndim else value


def _itself(line: Line, values: Mapping[Name, Any]) -> Name | None:
    """The operand that a line gives back as it was, if it does."""
    if not line.operands:
        return None
    if (
        line.function is operator.getitem
        and type(line.operands[1]) is tuple
        and (not line.operands[1] and not line.shape)
    ):
        return line.operands[0]
    if line.function in _MOVES:
        x = line.operands[0]
        same = _alike(values, x, line) and line.keywords.get("axes") is None
        return x if same and (line.function is not np.transpose or len(line.shape) < 2) else None
    for place in _UNITS.get(line.function, ()):
        one, x = line.operands[place], line.operands[1 - place]
        if not isinstance(one, Name) and np.all(np.equal(one, 1)) and _alike(values, x, line):
            return x
    return None


def _alike(values: Mapping[Name, Any], x: Any, line: Line) -> bool:
    """Whether an operand has the shape and the type of the result."""
    value: Any = values.get(x) if isinstance(x, Name) else None
    if line.dtype is None:
        return type(value) is float
    return hasattr(value, "dtype") and (value.dtype, value.shape) == (line.dtype, line.shape)


def common_merged(program: Program) -> Program:
    """Compute once what several lines compute of the same operands."""
    known: dict[Name, Any] = {}
    first: dict[Any, Name] = {}
    lines = []
    for line in program.lines:
        line = line.renamed(known)
        key = (line.function, _key(line.operands), _key(line.keywords), repr(line.answer))
        found = first.setdefault(key, line.target)
        if found is line.target:
            lines.append(line)
        else:
            known[line.target] = found
    return _with(program, lines, known)


def _key(operand: Any) -> Any:
    """A key that two operands share if they are the same to the last bit."""
    if isinstance(operand, tuple | list):
        return (type(operand), *map(_key, operand))
    if isinstance(operand, Mapping):
        return tuple((name, _key(operand[name])) for name in sorted(operand))
    if isinstance(operand, slice):
        return (slice, _key((operand.start, operand.stop, operand.step)))
    if isinstance(operand, np.ndarray):
        return (operand.dtype, operand.shape, operand.strides, operand.tobytes())
    return (type(operand), repr(operand))


def same(a: Any, b: Any) -> bool:
    """Whether two operands are the same to the last bit."""
    return _key(a) == _key(b)


def calls_shortened(program: Program) -> Program:
    """Call what NumPy's functions call in turn, where that gives the same to the last bit."""
    return _with(program, [_shorter(line, program.values) for line in program.lines], {})


def _shorter(line: Line, values: Mapping[Name, Any]) -> Line:
    if line.function in REDUCTIONS and line.operands:
        new = reduced_by_ufunc(line)
    elif line.function is np.matmul and all(np.ndim(_value(x, values)) == 2 for x in line.operands):
        new = replace(line, function=np.dot)
    else:
        return line
    return new if _gives_the_same(new, values) else line


def reduced_by_ufunc(line: Line) -> Line:
    """A reduction as the method of a ufunc that NumPy's function calls in turn."""
    keywords = {"axis": None, **line.keywords} | {"axis": axis_of(line)}
    function, operands = REDUCTIONS[line.function], line.operands[:1]
    return replace(line, function=function, operands=operands, keywords=keywords)


def axis_of(line: Line) -> Any:
    """The axes that a reduction is told, by place or by name; None: all."""
    return line.operands[1] if len(line.operands) > 1 else line.keywords.get("axis")


def _gives_the_same(line: Line, values: Mapping[Name, Any]) -> bool:
    """Whether a line, run on what was recorded, gives what was recorded to the last bit."""
    try:
        with np.errstate(all="ignore"):
            new = run_line(line, values)
    except (TypeError, ValueError):  # it takes other operands than the line had
        return False
    old = values[line.target]
    same_kind = type(new) is type(old) and new.dtype == old.dtype and new.strides == old.strides
    return same_kind and new.shape == old.shape and new.tobytes() == old.tobytes()


def _value(x: Any, values: Mapping[Name, Any]) -> Any:
    return values[x] if isinstance(x, Name) else x


def run_line(line: Line, values: Mapping[Name, Any]) -> Any:
    """The result of a line for these values."""
    line = line.renamed(values)
    return line.function(*line.operands, **line.keywords)


def labels_picked(program: Program) -> Program:
    """Pick the score of each row's label by a mask, not as the greatest of what a mask leaves.

    Where a label is none of the classes, the mask picks too few, and reshaping them fails.
    """
    makers = {line.target: line for line in program.lines}
    lines = []
    for line in program.lines:
        where = makers.get(line.operands[0]) if line.function == np.maximum.reduce else None
        if where is not None and where.function is np.where and len(where.shape) == 2:
            mask, scores, rest = where.operands
            few = line.keywords == {"axis": -1} and isinstance(rest, float) and rest == -np.inf
            if few and _of_labels(makers.get(mask)):
                picked = Name(f"{line.target}_picked")
                pick = replace(line, target=picked, function=operator.getitem, keywords={})
                lines.append(replace(pick, operands=(scores, mask)))
                operands = (picked, line.shape)
                line = replace(line, function=np.reshape, operands=operands, keywords={})
        lines.append(line)
    return _with(program, lines, {})


def _of_labels(mask: Line | None) -> bool:
    """Whether a mask compares a label of each row with the number of each column."""
    if mask is None or mask.function is not np.equal or len(mask.shape) != 2:
        return False
    classes: Any = mask.operands[1]
    return isinstance(classes, np.ndarray) and np.array_equal(classes, np.arange(mask.shape[1]))


def dead_dropped(program: Program) -> Program:
    """Leave out what neither an output nor a guard needs."""
    needed = set(names_in(program.outputs))
    lines = []
    for line in reversed(program.lines):
        if line.target in needed or line.answer is not None:
            needed.update(line.uses())
            lines.append(line)
    return _with(program, lines[::-1], {})


def row_sums(program: Program) -> Program:
    """Sum over rows as a product with ones, which is faster, and rounds in another way."""
    lines = []
    for line in program.lines:
        if line.function == np.add.reduce and line.keywords.get("axis") in (0, (0,)):
            x: Any = program.values.get(line.operands[0])
            plain = line.keywords.keys() == {"axis"} and np.ndim(x) == 2
            if plain and x.dtype == line.dtype and x.dtype.char in "fd":
                ones = np.ones(len(x), x.dtype)
                line = replace(
                    line, function=np.dot, operands=(ones, line.operands[0]), keywords={}
                )
        lines.append(line)
    return _with(program, lines, {})


PASSES: tuple[Pass, ...] = (
    constants_folded,
    common_merged,
    calls_shortened,
    reductions_shared,
    numbers_in_arrays,
    labels_picked,
    dead_dropped,
)


def optimized(program: Program, passes: tuple[Pass, ...] = PASSES) -> Program:
    """A program after all passes, in their order."""
    for shorten in passes:
        program = shorten(program)
    return program


def _with(program: Program, lines: list[Line], known: Mapping[Name, Any]) -> Program:
    """The program with other lines, and outputs renamed."""
    return replace(program, lines=tuple(lines), outputs=renamed(program.outputs, known))
