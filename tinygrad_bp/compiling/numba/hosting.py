"""What has no form in numba: NumPy itself computes it, before the function or called from it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np

from ..passes import dead_dropped
from ..program import CannotCompileError, Line, Name, Program, ufunc_of


class NoFormError(CannotCompileError):
    """A line has no form in numba.

    Attributes
    ----------
    line : Line
    """

    def __init__(self, line: Line, what: str = ""):
        self.line = line
        ufunc = ufunc_of(line.function)
        name = getattr(line.function, "__name__", repr(line.function))
        name = f"{ufunc.__name__}.{name}" if ufunc else name
        where = f" ({line.where})" if line.where else ""
        super().__init__(f"{name}{f' of {what}' * bool(what)} has no numba form{where}")


def called(*operands: Any) -> Any:
    """What stands in a lowered program for a call of NumPy's from within compiled code."""
    raise NotImplementedError


def computed_before(
    program: Program, hosted: Collection[Name], given: Collection[Name]
) -> tuple[Program, list[Line], list[Name]]:
    """Take out of a program what NumPy can compute of its inputs before it runs.

    Parameters
    ----------
    program : Program
    hosted : collection of Name
        What NumPy has to compute.
    given : collection of Name
        The inputs that are there before.

    Returns
    -------
    Program, list of Line, list of Name
        What is left; what is computed before; and the results of it, which are inputs now.
    """
    known = set(given)
    for line in program.lines:
        if line.answer is None and known.issuperset(line.uses()):
            known.add(line.target)
    results = [line.target for line in program.lines if line.target in known & set(hosted)]
    results = [name for name in results if isinstance(program.values[name], np.ndarray)]
    if not results:
        return program, [], []
    wanted = replace(program, outputs={name: name for name in results})
    lines = [x for x in program.lines if x.answer is None]
    before = dead_dropped(replace(wanted, lines=tuple(lines))).lines
    rest = tuple(line for line in program.lines if line.target not in results)
    inputs = (*program.inputs, *results)
    return dead_dropped(replace(program, inputs=inputs, lines=rest)), list(before), results
