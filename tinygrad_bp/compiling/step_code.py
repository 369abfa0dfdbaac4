"""The program of a training step, loaded: it reads one set of arrays and writes another."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..optim import Optimizer
from .buffers import in_buffers
from .naming import named
from .numpy_code import ModuleText, loaded
from .passes import PASSES, dead_dropped, optimized, row_sums
from .program import CannotCompileError, Line, Name, Program
from .recording import SUMMARY, Layout, Recording
from .state import State, StateSet, kinds_of

_ARRAY = operator.attrgetter("_array")


class StepProgram:
    """The program of one kind of batch.

    Attributes
    ----------
    source : str
        Its text.
    """

    def __init__(self, step: Any, recording: Recording, state: State):
        self.step, self.state, self.held = step, state, recording.held
        self.optimizer = step.optimizer
        self._usual_rate = type(step.optimizer).step_size is Optimizer.step_size
        self.changed = [*state.moving, *recording.held]
        self._kinds: Any = None  # what is remembered afterwards
        self._mixed = len(state.groups) > 1 or bool(state.still)  # whose counts may meet
        shorter = () if step.exact or step.backend == "numba" else (row_sums, dead_dropped)
        passes = (*PASSES, *shorter)
        program = optimized(recording.program, passes)
        layout = Layout(recording, step.optimizer)
        self.counts = layout.counts
        program = named(program, recording.labels)
        self.source, self._views, run = self._loaded(program, layout)
        self._errors: Any = dict.fromkeys(recording.ignored, "ignore")
        self._idle: list[Callable[..., Any]] = [run]

    def _loaded(self, program: Program, layout: Layout) -> Any:
        """The text, the function that takes views of flat arrays, and the one that runs."""
        if self.step.backend == "numba":
            from .numba.jit import numba_step

            try:
                found, self.step.backend_note = numba_step(program, layout)
                return found
            except CannotCompileError as why:
                self.step.backend_note = f"this program runs on NumPy: {why}"
        source = _source(program, layout)
        module = loaded(source, "compiled step")
        return source, module["views"], module["step"]

    def compute(self, batch: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]] | None:
        """What the step gives, and the arrays that it is in; None where a guard does not hold."""
        optimizer, state = self.optimizer, self.state
        try:
            run = self._idle.pop()  # by one thread at a time: it writes into its buffers
        except IndexError:
            return None
        try:
            now = state.current()
            new = state.free(now)
            lr = optimizer._lr
            arguments = (
                batch,
                lr if type(lr) is float and self._usual_rate else optimizer.step_size,
                self._told(optimizer._memories) if self.counts else (),
                [tensor._array for tensor in self.held] if self.held else (),
                now.prepared(self._views),
                new.flats,
            )
            if self._errors:
                with np.errstate(**self._errors):
                    done = run(*arguments)
            else:
                done = run(*arguments)
        except (IndexError, ValueError):  # of a value, such as a label: the engine says why
            done = None
        finally:
            self._idle.append(run)
        return done and (new, done)

    def _told(self, memories: list[dict[str, Any]]) -> list[int]:
        return [memories[group.places[0]][name] for group, name, _ in self.counts]

    def put(self, new: StateSet, done: tuple[Any, ...]) -> None:
        """Let the model and the optimiser hold what was computed; an interruption puts back."""
        optimizer = self.optimizer
        before = list(map(_ARRAY, self.changed)), optimizer._memories, optimizer.steps
        try:
            if len(done) > 2:
                self._put_others(new, done[2:])
            self.state.put(new)
            if self._kinds is None or self._mixed:
                self._kinds = kinds_of(new.memories, optimizer.count_names)
            self.step.remembered = new.memories, self._kinds
            optimizer.steps += 1
        except BaseException:
            arrays, optimizer._memories, optimizer.steps = before
            for tensor, array in zip(self.changed, arrays, strict=True):
                tensor._array = array
            raise

    def _put_others(self, new: StateSet, values: tuple[Any, ...]) -> None:
        """Counts of steps, and what is in no flat array, such as buffers."""
        rest = iter(values)
        for group, name, _ in self.counts:
            value = next(rest)
            for place in group.places:
                new.memories[place][name] = value
        for tensor in self.held:
            tensor._replace(next(rest))
            tensor.grad = None


def _source(program: Program, layout: Layout) -> str:
    """The text of a module with two functions: ``views`` and ``step``."""
    views = [
        Line(name, np.reshape, (Name(f"{flat}[{a}:{a + int(np.prod(shape))}]"), shape))
        for name, (flat, a, shape) in layout.parts.items()
    ]
    of_state = {*layout.flats, *(view.target for view in views)}
    rest = []
    for line in program.lines:
        if line.view and set(line.uses()) <= of_state:
            views.append(line)
            of_state.add(line.target)
        else:
            rest.append(line)
    program = replace(program, lines=tuple(rest))
    new = {Name(f"new_{flat}"): str(flat) for flat in layout.flats}
    held = [f"held{i}" for i in range(len(layout.held))]
    program, buffers = in_buffers(program, new, frozenset({"loss", "norm", *held}))
    read = program.read()
    used = [name for name in [*layout.flats, *(v.target for v in views)] if name in read]
    module = ModuleText(SUMMARY)
    module.declare(buffers)
    module.define(
        "views", layout.flats, views, _tuple(used), "What a step reads of the flat arrays."
    )
    counts = [name for _, _, name in layout.counts]
    first = [
        _unpacked(layout.batch, "batch"),
        _unpacked(counts, "counts"),
        _unpacked(layout.held, "held"),
        _unpacked(used, "now"),
        _unpacked(list(new), "new"),
    ]
    outputs = ["loss", "norm", *counts, *held]
    returned = [module.operand(program.outputs.get(role, 0.0)) for role in outputs]
    module.define(
        "step",
        ["batch", "lr", "counts", "held", "now", "new"],
        program.lines,
        _tuple(returned),
        "The loss, the length of the gradient, and what else a step leaves behind.",
        first=[line for line in first if line],
    )
    return module.source()


def _tuple(names: Any) -> str:
    return f"({''.join(f'{name}, ' for name in names).rstrip()})"


def _unpacked(names: Sequence[str], source: str) -> str:
    return f"{''.join(f'{name}, ' for name in names).rstrip()} = {source}" if names else ""
