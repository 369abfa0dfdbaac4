"""The program of a training step as the text of one function that numba compiles."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..buffers import laid_end_to_end
from ..numpy_code import ModuleText
from ..program import Line, Name, Program, names_in
from ..recording import SUMMARY, Layout
from .alone import statements
from .calling import FunctionText
from .hosting import NoFormError, computed_before
from .loops import Schedule
from .lowering import Lowered, lowered
from .nests import number
from .openings import OPENINGS
from .typed import literal

_OPTIONS = '@numba.njit(error_model="numpy", fastmath={"contract"})'
_DOC = "Whether all guards hold, the loss, the length of the gradient, and what else is left."
_MOST_CALLS = 8  # of what has no form in numba
_LINE = 8  # elements: parts of a memory begin at multiples of it


@dataclass(frozen=True)
class StepText:
    """A function and what it takes besides the arguments of a step.

    Attributes
    ----------
    source : str
    memories : dict of dtype to int
        How many elements of each type it needs for what it computes on the way.
    lengths : list of int
        Of short loops: arguments, too.
    given : list of Name
        What its function ``before`` computes of the batch and of what is held.
    called : tuple of str
        What has no form, so that NumPy computes it.
    """

    source: str
    memories: dict[np.dtype, int]
    lengths: list[int]
    given: list[Name]
    called: tuple[str, ...]


def step_text(program: Program, layout: Layout) -> StepText:
    """The text of a step, and what it takes besides what its layout says.

    What has no form in numba is found as the text is made; then NumPy computes it.
    """
    roles = [*layout.flats, *_held(layout)]
    hosted: dict[Name, str] = {}
    while True:
        rest, early, given = computed_before(program, hosted, [*layout.batch, *layout.held])
        low = lowered(rest, roles, _loose(rest, layout, given), hosted, OPENINGS)
        try:
            return _text(low, layout, early, given, tuple(hosted.values()))
        except NoFormError as why:
            origin = low.origins.get(why.line.target, why.line.target)
            if origin in {*hosted, *rest.inputs} or len(hosted) == _MOST_CALLS:
                raise
            hosted[origin] = str(why)


def _held(layout: Layout) -> list[str]:
    return [f"held{i}" for i in range(len(layout.held))]


def _text(
    low: Lowered, layout: Layout, early: list[Line], given: list[Name], called: tuple[str, ...]
) -> StepText:
    program, held = low.program, _held(layout)
    counts = [name for _, _, name in layout.counts]
    new = {str(flat): f"new_{flat}" for flat in layout.flats}
    schedule = Schedule(program, set(names_in(program.outputs)))
    places = _Places(schedule)
    for role, argument in new.items():
        places.given_place(program.outputs[role], argument)
    for role in held:
        places.fresh(program.outputs[role], role)
    places.lay_out()
    module = ModuleText(SUMMARY)
    module.imports.add("import numba")
    _define_calls(module, low, layout, early, given)
    values = [program.outputs.get(role, 0.0) for role in ("loss", "norm", *counts)]
    failed = ["False", *(literal(0, schedule.kind(x)[1]) for x in values), *held]
    text = FunctionText(schedule, module, places.arrays, f"({', '.join(failed)})")
    text.spots.update(places.spots)
    computed = statements(text)
    returned = ", ".join(["True", *(number(text, x) for x in values), *held])
    read = program.read()
    parts = [f"{name} = {_part(*where)}" for name, where in layout.parts.items() if name in read]
    arguments = [*layout.batch, "lr", *counts, *layout.held, *given, *layout.flats, *new.values()]
    arguments += [*places.arguments(), *text.lengths.values()]
    body = [f'"""{_DOC}"""', *parts, *places.declared, *computed, f"return ({returned})"]
    inner = textwrap.indent("\n".join(body), "    ")
    module.parts.append(f"{_OPTIONS}\ndef step({', '.join(arguments)}):\n{inner}\n")
    return StepText(module.source(), places.sizes, list(text.lengths), given, called)


def _define_calls(
    module: ModuleText, low: Lowered, layout: Layout, early: list[Line], given: list[Name]
) -> None:
    """The functions of what NumPy computes: before the step, and when the step calls them."""
    if given:
        results = "".join(f'np.asarray({name}, order="C"), ' for name in given)
        arguments = [*layout.batch, *layout.held]
        module.define("before", arguments, early, f"({results})", "What a step is given by NumPy.")
    for name, (given_to_it, lines) in low.calls.items():
        lines = [replace(line, answer=None, comment="") for line in lines]
        module.define(f"numpy_{name}", given_to_it, lines, name, "What a step has NumPy compute.")


def _loose(program: Program, layout: Layout, given: list[Name]) -> frozenset[Name]:
    """The inputs whose elements may lie apart in memory."""
    rows = (x for x in layout.batch if program.values[x].flags.c_contiguous)
    dense = {*layout.parts, *rows, *given}
    return frozenset(name for name in program.inputs if name not in dense)


def _part(whole: str, start: int, shape: tuple[int, ...]) -> str:
    """The text for a part of a flat array."""
    part = f"{whole}[{start}:{start + math.prod(shape)}]"
    return part if len(shape) == 1 else f"{part}.reshape({shape})"


class _Places:
    """Where results lie that are kept: in arrays of the caller's, or in memories that are shared.

    A place in a memory is used again as soon as nobody reads what lies there.
    """

    def __init__(self, schedule: Schedule):
        self.schedule = schedule
        self.arrays: dict[Name, str] = {}
        self.spots: dict[Name, str] = {}
        self.declared: list[str] = []
        self.sizes: dict[np.dtype, int] = {}
        self._places: dict[np.dtype, list[list[int]]] = {}

    def arguments(self) -> list[str]:
        """The names of the memories."""
        return [_memory(dtype) for dtype in self.sizes]

    def given_place(self, result: Name, argument: str) -> None:
        """Put a flat result into an argument."""
        if self.schedule.is_one(result):
            self.spots[result] = f"{argument}[0]"
        else:
            self.arrays[result] = argument

    def fresh(self, result: Name, role: str) -> None:
        """Put a result into an array that is made for it."""
        shape, dtype = self.schedule.kind(result)
        self.declared.append(f"{role} = np.empty({shape}, np.{dtype.type.__name__})")
        if self.schedule.is_one(result):
            self.spots[result] = f"{role}[{', '.join('0' * len(shape)) or '()'}]"
        else:
            self.arrays[result] = role

    def lay_out(self) -> None:
        """Find a place for every result that is kept."""
        schedule = self.schedule
        first = dict(schedule.place)
        flats = [x for x in schedule.makers.values() if x.function is laid_end_to_end]
        parts = {part for line in flats for part in line.operands[0]}
        last = dict(schedule.stored)
        for line in flats:  # which is there for as long as a part of it is
            first[line.target] = min(schedule.place[part] for part in line.operands[0])
            last[line.target] = max(last.get(x, 0) for x in (line.target, *line.operands[0]))
        kept = [x for x in schedule.stored if x in schedule.makers and x not in parts]
        for name in sorted(kept, key=lambda x: (first[x], schedule.place[x])):
            if name not in self.arrays:
                self._find_place(name, first[name], last[name])
        for line in flats:
            self._lay_parts(line.target, line.operands[0])
        for name, owner in schedule.aliases.items():
            whole = self.arrays.get(owner, owner)
            self.declared.append(f"{name} = {whole}.reshape({schedule.makers[name].shape})")

    def _find_place(self, name: Name, first: int, last: int) -> None:
        shape, dtype = self.schedule.kind(name)
        size = -(-math.prod(shape) // _LINE) * _LINE
        places = self._places.setdefault(dtype, [])  # of each: start, size, last use
        fitting = [x for x in places if x[2] < first and x[1] >= size]
        if fitting:
            place = min(fitting, key=lambda x: x[1])
            place[2] = last
        else:
            place = [self.sizes.get(dtype, 0), size, last]
            places.append(place)
            self.sizes[dtype] = place[0] + size
        self.declared.append(f"{name} = {_part(_memory(dtype), place[0], shape)}")

    def _lay_parts(self, flat: Name, parts: Sequence[Name]) -> None:
        start, whole = 0, self.arrays.get(flat, str(flat))
        for part in parts:
            shape = self.schedule.kind(part)[0]
            if self.schedule.is_one(part):
                self.spots[part] = f"{whole}[{start}]"
            else:
                self.declared.append(f"{part} = {_part(whole, start, shape)}")
                self.arrays[part] = str(part)
            start += math.prod(shape)


def _memory(dtype: np.dtype) -> str:
    return f"memory_{dtype.name}"
