"""How the text of a compiled function calls arrays, their elements and numbers."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from ..numpy_code import ModuleText, comment_of
from ..program import Line, Name
from .hosting import NoFormError
from .loops import Index, Schedule, letters_of
from .typed import supported

_SHORT = 32  # loops are unrolled by LLVM


class FunctionText:
    """The names of arrays and numbers in the statements of a schedule.

    Parameters
    ----------
    schedule : Schedule
    module : ModuleText
        Where constants go that are arrays.
    arrays : dict of Name to str
        The text for each result that goes into an array of the caller's, and each input.
    failed : str
        What is returned where a guard does not hold.
    """

    def __init__(
        self, schedule: Schedule, module: ModuleText, arrays: dict[Name, str], failed: str
    ):
        self.schedule, self.kind, self.module = schedule, schedule.kind, module
        self.arrays, self.failed = arrays, failed
        self.spots: dict[Name, str] = {}  # of results with one element
        self.supported = supported()
        self.lengths: dict[int, str] = {}
        self._names: dict[Any, str] = {}
        self._taken = {*schedule.kind.names(), *arrays.values()}

    def count(self, length: int) -> str:
        """How often an inner loop runs: if seldom, an argument, for fixed loops are unrolled.

        What is unrolled does not become vector instructions.
        """
        if length > _SHORT:
            return str(length)
        return self.lengths.setdefault(length, f"length_{length}")

    def constant(self, x: Any) -> str:
        """The name of an array that is a constant."""
        return self.module.operand(np.ascontiguousarray(x))

    def product(self, line: Line) -> str:
        """The statement of a product of matrices."""
        a, b = line.operands
        kinds = {self.kind(x)[1] for x in line.operands} | {line.dtype}
        if len(kinds) > 1 or line.dtype not in (np.dtype("f4"), np.dtype("f8")):
            raise NoFormError(line, f"{', '.join(sorted(map(str, kinds)))}")
        call = (
            f"np.dot({self._matrix(line, a)}, {self._matrix(line, b)}, {self.array(line.target)})"
        )
        return call + comment_of(line)

    def call(self, line: Line) -> list[str]:
        """The statements that have NumPy compute a line."""
        given = ", ".join(map(self.whole, line.operands))
        call, target = f"numpy_{line.target}({given})", self.array(line.target)
        if line.answer is not None:
            target = self.fresh("holds")
            block = f"{target} = {call} == {line.answer!r}"
            rest = [f"if not {target}:", f"    return {self.failed}"]
            return [f'with numba.objmode({target}="boolean"):', f"    {block}", *rest]
        if line.dtype is None:
            kind = {int: "int64", float: "float64", bool: "boolean"}[self.kind(line.target)[1]]
            return [f'with numba.objmode({target}="{kind}"):', f"    {target} = {call}"]
        return ["with numba.objmode():", f"    {target}[...] = {call}{comment_of(line)}"]

    def whole(self, x: Any) -> str:
        """The text for all elements of an array that is kept, or for a number."""
        if not isinstance(x, Name):
            return self.constant(x)
        return self.array(self.schedule.root(x, letters_of(self.kind(x)[0]))[0])

    def _matrix(self, line: Line, x: Any) -> str:
        if not isinstance(x, Name):
            return self.constant(x)
        at = letters_of(self.kind(x)[0])
        base, index = self.schedule.root(x, at)
        if index == at:
            return self.array(base)
        if index == at[::-1]:
            return f"{self.array(base)}.T"
        raise NoFormError(line, "a part of an array")

    def array(self, base: Name) -> str:
        """The text for a whole array."""
        return self.arrays.get(base, str(base))

    def at(self, base: Name, index: Index) -> str:
        """The text for an element of an array."""
        if base in self.spots:
            return self.spots[base]
        return f"{self.array(base)}[{', '.join(index) or '()'}]"

    def element_name(self, base: Name, at: Index) -> str:
        """The name of an element of an array in a loop."""
        if (base, at) not in self._names:
            letters = "".join(re.sub(r"\W+", "_", i) for i in at)
            self._names[base, at] = self.fresh(f"{base}_{letters or 0}")
        return self._names[base, at]

    def fresh(self, name: str) -> str:
        """A name that nothing else has."""
        while name in self._taken:
            name += "_"
        self._taken.add(name)
        return name

    def is_variable(self, base: Name) -> bool:
        """Whether a result is a variable of its own: it has one element, or is a number."""
        made = base in self.schedule.makers
        return self.schedule.is_one(base) if made else isinstance(self.kind(base)[1], type)
