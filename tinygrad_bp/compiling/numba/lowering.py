"""A program opened up for loops: means, inner products and thin products as sums of products."""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..buffers import laid_end_to_end
from ..passes import REDUCTIONS, axis_of, reduced_by_ufunc
from ..program import Line, Name, Program, names_in
from .hosting import called
from .moves import moved, sources_of

_FEW = 4  # products over so many columns are written out
_MOST_SUMMED = (1024, 64)  # along each axis in a loop: the library is faster on more
_VIEWS = frozenset({np.transpose, np.reshape, np.squeeze, np.broadcast_to, np.expand_dims})
_UNSIGNED = {np.dtype(f"i{n}"): np.dtype(f"u{n}") for n in (1, 2, 4, 8)}


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
    program: Program, roles: Sequence[str], loose: frozenset[Name], hosted: Collection[Name] = ()
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
    """
    work = _Lowering(program, loose, hosted)
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


class _Lowering:
    """The lines that take the place of a program's."""

    def __init__(self, program: Program, loose: frozenset[Name], hosted: Collection[Name]):
        self.kind, self.loose, self.hosted = Kinds(program), loose, hosted
        self.calls: dict[Name, tuple[tuple[Name, ...], list[Line]]] = {}
        self.origins: dict[Name, Name] = {}
        self._several: dict[Name, Line] = {}  # lines that give several arrays
        self.made: dict[Name, Line] = {}
        self.lines: list[Line] = []
        self._of_its_own: set[Name] = set()
        self._taken = {*program.inputs, *(line.target for line in program.lines)}

    def lower(self, line: Line) -> None:
        """Add what a line comes to."""
        if _is_container(self.kind(line.target)[1]):
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
        if line.function in REDUCTIONS:
            line = reduced_by_ufunc(line)
        opened = _OPENED.get(line.function)
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

    def step(self, of: Line, function: Any, *operands: Any, shape: Any, **keywords: Any) -> Name:
        """Add a line that is a part of what another does."""
        target = self._fresh(str(of.target))
        self.origins[target] = self.origins.get(of.target, of.target)
        line = Line(target, function, operands, keywords, tuple(shape), of.dtype, where=of.where)
        return self.add(replace(line, view=is_view(line)))

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
        """What goes into an array that is not ours to choose: the result of a line, or a copy."""
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


def _is_real(line: Line) -> bool:
    return line.dtype is not None and line.dtype.kind == "f"


def _mean(work: _Lowering, line: Line) -> bool:
    x = line.operands[0]
    if line.keywords.keys() - {"axis", "keepdims"} or not _is_real(line):
        return False
    keywords = {**line.keywords, "axis": axis_of(line)}
    total = work.step(line, np.add.reduce, x, shape=line.shape, **keywords)
    count = math.prod(work.kind(x)[0]) // max(math.prod(line.shape), 1)
    return work.last(line, np.divide, total, count)


def _inner(work: _Lowering, line: Line) -> bool:
    """The sum of all products of two arrays of the same shape."""
    x, y = line.operands
    shape = work.kind(x)[0]
    if work.kind(y)[0] != shape or not _is_real(line):
        return False
    products = work.step(line, np.multiply, x, y, shape=shape)
    return work.last(line, np.add.reduce, products, axis=None)


def _reshaped(work: _Lowering, line: Line) -> bool:
    if not regroups(line, work.kind) or not isinstance(line.operands[0], Name):
        return False
    return work.last(line, np.reshape, work.dense(line.operands[0]), line.shape)


def _clip(work: _Lowering, line: Line) -> bool:
    if len(line.operands) != 3 or line.keywords:
        return False
    x, low, high = line.operands
    x = x if low is None else work.step(line, np.maximum, x, low, shape=line.shape)
    return work.last(line, np.minimum, x, high) if high is not None else False


def _joined(work: _Lowering, line: Line) -> bool:
    parts = [work.of_its_own(x, line.dtype) for x in line.operands[0]]
    return work.last(line, laid_end_to_end, parts)


def _retyped(work: _Lowering, line: Line) -> bool:
    """A view of whole numbers as others of the same size is a change of type."""
    (x, dtype) = line.operands
    kind = work.kind(x)[1]
    if _UNSIGNED.get(kind, kind) != np.dtype(dtype):
        return False
    return work.last(replace(line, view=False), np.ndarray.astype, x, np.dtype(dtype))


def _product(work: _Lowering, line: Line) -> bool:
    """A product over few columns, or with one row or column, as a sum that loops can take in."""
    a, b = line.operands
    shapes = work.kind(a)[0], work.kind(b)[0]
    if line.keywords or not {*map(len, shapes)} <= {1, 2}:
        return False
    if len(shapes[0]) + len(shapes[1]) < 4:
        return _product_with_vector(work, line, *shapes)
    if shapes[0][1] <= _FEW:
        return _outer_products(work, line, shapes[0][1])
    if 1 in line.shape and _thin_product(work, line, shapes[0][1]):
        return True
    few = line.shape[1] <= _FEW and shapes[0][1] <= _MOST_SUMMED[0]
    if few and work.turned(a) is not None:
        return _few_columns(work, line, work.turned(a), shapes[0][1])
    return work.last(line, np.dot, work.dense(a, turned=True), work.dense(b, turned=True))


def _product_with_vector(work: _Lowering, line: Line, left: Any, right: Any) -> bool:
    """A product with an array of one axis."""
    a, b = line.operands
    if len(right) == 1:
        products = work.step(line, np.multiply, a, b, shape=left)
        return work.last(line, np.add.reduce, products, axis=-1)
    column = work.step(line, np.reshape, a, (*left, 1), shape=(*left, 1))
    products = work.step(line, np.multiply, column, b, shape=right)
    return work.last(line, np.add.reduce, products, axis=0)


def _outer_products(work: _Lowering, line: Line, k: int) -> bool:
    """The sum of the products of each column with its row."""
    a, b = line.operands
    m, n = line.shape
    products = []
    for i in range(k):
        here = slice(i, i + 1)
        column = work.step(line, operator.getitem, a, (slice(None), here), shape=(m, 1))
        row = work.step(line, operator.getitem, b, (here, slice(None)), shape=(1, n))
        if k == 1:
            return work.last(line, np.multiply, column, row)
        products.append(work.step(line, np.multiply, column, row, shape=(m, n)))
    total, *others, final = products
    for product in others:
        total = work.step(line, np.add, total, product, shape=(m, n))
    return work.last(line, np.add, total, final)


def _thin_product(work: _Lowering, line: Line, k: int) -> bool:
    """A matrix and a vector, multiplied and summed along the matrix as it lies in memory."""
    a, b = line.operands
    matrix, vector = (b, a) if line.shape[0] == 1 else (a, b)
    turned = work.turned(matrix)
    flipped = turned is not None
    matrix = turned or matrix
    shape = work.kind(matrix)[0]
    axis = int((line.shape[0] != 1) != flipped)  # of the matrix, over which is summed
    if k > _MOST_SUMMED[axis]:
        return False
    along = (1, k) if axis == 1 else (k, 1)
    if work.kind(vector)[0] != along:
        vector = work.step(line, np.transpose, vector, shape=along)
    products = work.step(line, np.multiply, matrix, vector, shape=shape)
    return work.last(line, np.add.reduce, products, axis=axis)


def _few_columns(work: _Lowering, line: Line, matrix: Any, k: int) -> bool:
    """Sums over the rows of a matrix, each times a number, for every column."""
    m, n = line.shape
    total: Any = None
    for i in reversed(range(n)):
        part = (slice(None), slice(i, i + 1))
        column = work.step(line, operator.getitem, line.operands[1], part, shape=(k, 1))
        products = work.step(line, np.multiply, matrix, column, shape=(k, m))
        sums = work.step(line, np.add.reduce, products, shape=(m, 1), axis=0)
        here = np.arange(n) == i
        if i == 0:
            return work.last(line, np.where, here, sums, total)
        total = (
            sums if total is None else work.step(line, np.where, here, sums, total, shape=(m, n))
        )
    return False


_OPENED: dict[Any, Callable[[_Lowering, Line], bool]] = {
    np.mean: _mean,
    np.vdot: _inner,
    np.clip: _clip,
    np.dot: _product,
    np.matmul: _product,
    np.reshape: _reshaped,
    np.ndarray.view: _retyped,
    laid_end_to_end: _joined,
}
