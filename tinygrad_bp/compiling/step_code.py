"""The program of a training step, loaded: it reads one set of arrays and writes another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..optim import Optimizer
from .buffers import in_buffers
from .naming import named
from .numpy_code import ModuleText, loaded
from .passes import PASSES, Pass, dead_dropped, labels_picked, optimized, row_sums
from .program import CannotCompileError, Line, Name, Program
from .recording import SUMMARY, Layout, Recording
from .state import State, StateSet, Turn, kinds_of
from .variants import Runner

_MOST_TURNS = 6


class StepProgram(Runner):
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
        self._kinds: Any = None  # what is remembered afterwards
        self._mixed = len(state.groups) > 1 or bool(state.still)  # whose counts may meet
        passes: tuple[Pass, ...]
        if step.backend == "numba":  # which has no form for a mask of two axes
            passes = tuple(p for p in PASSES if p is not labels_picked)
        else:
            passes = PASSES if step.exact else (*PASSES, row_sums, dead_dropped)
        program = optimized(recording.program, passes)
        layout = Layout(recording, step.optimizer)
        self.counts = layout.counts
        program = named(program, recording.labels)
        self.source, self._views, run = self._loaded(program, layout)
        super().__init__(run, recording.ignored)
        self._turns: dict[StateSet | None, Turn] = {}  # by the set that is read

    def _loaded(self, program: Program, layout: Layout) -> Any:
        """The text, the function that takes views of flat arrays, and the one that runs."""
        if self.step.backend == "numba":
            from .numba import numba_step

            try:
                found, self.step.backend_note = numba_step(program, layout)
                return found
            except CannotCompileError as why:
                self.step.backend_note = f"this program runs on NumPy: {why}"
        source = _source(program, layout)
        module = loaded(source, "compiled step")
        return source, module["views"], module["step"]

    def _compute(self, run: Callable[..., Any], batch: tuple[Any, ...]) -> Any:
        """The step's results, after the arrays that they are in."""
        optimizer = self.optimizer
        turn: Any = self._turns.get(self.state.now)
        if turn is None or not turn.is_ready():
            turn = self._next_turn()
        lr = optimizer._lr
        done = run(
            batch,
            lr if type(lr) is float and self._usual_rate else optimizer.step_size,
            self._told(optimizer._memories) if self.counts else (),
            [tensor._array for tensor in self.held] if self.held else (),
            turn.reads,
            turn.writes,
        )
        return done and (turn, done)

    def _next_turn(self) -> Turn:
        turn = self.state.turn(self._views)
        if len(self._turns) > _MOST_TURNS:
            self._turns.clear()  # of sets that the state may have given up
        self._turns[turn.now] = turn
        return turn

    def _told(self, memories: list[dict[str, Any]]) -> list[int]:
        return [memories[group.places[0]][name] for group, name, _ in self.counts]

    def put(self, turn: Turn, done: tuple[Any, ...]) -> None:
        """Let the model and the optimiser hold what was computed; an interruption puts back."""
        optimizer, step = self.optimizer, self.step
        steps, held = optimizer.steps, [tensor._array for tensor in self.held]
        try:
            if len(done) > 2:
                self._put_others(turn.new, done[2:])
            self.state.put(turn.new)
            if self._kinds is None or self._mixed:
                self._kinds = kinds_of(optimizer._memories, optimizer.count_names)
            step.remembered = optimizer._memories, self._kinds
            optimizer.steps = steps + 1
        except BaseException:
            self.state.put(turn.now)
            optimizer.steps = steps
            for tensor, array in zip(self.held, held, strict=True):
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
            tensor._grad = None


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
