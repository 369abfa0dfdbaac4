"""The program of a training step, loaded: it reads one set of arrays and writes another."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .buffers import in_buffers
from .naming import named
from .numpy_code import Module, loaded
from .passes import PASSES, dead_dropped, optimized, row_sums
from .program import CannotCompileError, Line, Name, Program
from .recording import Recording
from .state import State, StateSet, kinds_of

_ARRAY = operator.attrgetter("_array")
_SUMMARY = "One step of training: the loss and its gradient, and what the optimiser makes of it."


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
        self.changed = [*state.moving, *recording.held]
        self._kinds: Any = None
        shorter = () if step.exact or step.backend == "numba" else (row_sums, dead_dropped)
        passes = (*PASSES, *shorter)
        program = optimized(recording.program, passes)
        layout = _Layout(recording, step.optimizer)
        self.counts, self.has_norm = layout.counts, "norm" in program.outputs
        self.source, self._views, self._run = self._loaded(
            named(program, recording.labels), layout, recording
        )
        self._errors: Any = dict.fromkeys(recording.ignored, "ignore")
        self._idle: list[Callable[..., Any]] = [self._run]

    def _loaded(self, program: Program, layout: _Layout, recording: Recording) -> Any:
        """The text, the function that takes views of flat arrays, and the one that runs."""
        if self.step.backend == "numba":
            from .jit import numba_step

            try:
                return numba_step(program, layout, recording)
            except CannotCompileError as why:
                self.step.backend_note = f"this program runs on NumPy: {why}"
        source = _source(program, layout, recording)
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
                lr if type(lr) is float else optimizer.step_size,
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
            if self._kinds is None:
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


class _Layout:
    """The arguments of a step, and what it gives, in order."""

    def __init__(self, recording: Recording, optimizer: Any):
        self.flats: list[Name] = []
        self.parts: dict[Name, tuple[Name, int, tuple[int, ...]]] = {}
        self.counts: list[tuple[Any, str, Name]] = []
        for k, group in enumerate(recording.groups):
            flat = Name(f"p{k}")
            self.flats += [flat, *(Name(f"p{k}_{name}") for name in group.memory)]
            start = 0
            for i, shape, end in zip(group.places, group.shapes, group.ends, strict=True):
                name = recording.inputs[optimizer.parameters[i]]
                self.parts[name] = (flat, start, shape)
                start = end
            self.counts += [
                (group, name, Name(f"p{k}_{name}"))
                for name in optimizer.count_names
                if name in group.remembers
            ]
        self.held = [recording.inputs[tensor] for tensor in recording.held]


def _source(program: Program, layout: _Layout, recording: Recording) -> str:
    """The text of a module with two functions: ``views`` and ``step``."""
    names = recording.labels.names
    views = [
        Line(Name(names[name]), np.reshape, (Name(f"{flat}[{a}:{a + int(np.prod(shape))}]"), shape))
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
    module = Module(_SUMMARY)
    module.declare(buffers)
    module.define(
        "views", layout.flats, views, _tuple(used), "What a step reads of the flat arrays."
    )
    counts = [name for _, _, name in layout.counts]
    given = [str(names[name]) for name in recording.program.inputs[: recording.batch]]
    first = [
        _unpacked(given, "batch"),
        _unpacked(counts, "counts"),
        _unpacked([names[name] for name in layout.held], "held"),
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
