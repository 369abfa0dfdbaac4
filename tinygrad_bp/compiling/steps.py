"""A training step that writes itself down as a NumPy program, and from then on is that program."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..engine.tensor import Tensor
from ..nn import MLP, Embedding, LayerNorm, Linear, Module, Sequential
from ..optim import Optimizer
from .agreement import differs
from .jit import check_numba
from .program import CannotCompileError
from .recording import Recording, record_step
from .state import State, kinds_of
from .step_code import StepProgram

_TRAINING = operator.attrgetter("training")
_NO_OPTIONS = frozenset({"parameters", "_lr", "steps", "_memories", "_warned"})
_THE_SAME_IN_TRAINING = frozenset({Embedding, LayerNorm, Linear, MLP, Sequential})
_MOST_PROGRAMS = 64
Computed = tuple[Callable[..., None], Any, tuple[Any, ...]]


class CompiledStep:
    """A step of training, one program for each kind of batch; see `compile_step`.

    Attributes
    ----------
    programs : int
        How many were written.
    source : str
        The text of the last.
    backend_note : str
        Why the last program that numba has no form for runs on NumPy.
    """

    def __init__(
        self,
        model: Module,
        loss: Callable[[Any, Any], Any],
        optimizer: Optimizer,
        backend: str = "numpy",
        exact: bool = True,
        norm: bool = False,
    ):
        if backend == "numba":
            check_numba()
        self.model, self.loss, self.optimizer = model, loss, optimizer
        self.backend, self.exact, self.norm = backend, exact, norm
        self.tensors = list(dict.fromkeys([*model.named_tensors().values(), *optimizer.parameters]))
        parts = [module for _, module in model.named_modules()]
        self.modes = [part for part in parts if type(part) not in _THE_SAME_IN_TRAINING]
        options = [name for name in vars(optimizer) if name not in _NO_OPTIONS]
        self._options = operator.attrgetter(*options)
        self._found: dict[Any, list[StepProgram]] = {}
        self._seen: dict[Any, list[Recording]] = {}
        self._states: dict[Any, State] = {}
        self.remembered: tuple[Any, Any] = (None, None)
        self._last_key: Any = None
        self._last: Sequence[StepProgram] = ()
        self.source = ""
        self.backend_note = ""

    @property
    def programs(self) -> int:
        """How many programs were written."""
        return sum(map(len, self._found.values()))

    def __call__(self, X: Any, y: Any) -> float:
        """Take one step; the loss before it."""
        put, found, done = self.computed(X, y)
        put(found, done)
        return float(done[0])

    def computed(self, X: Any, y: Any) -> Computed:
        """Compute a step.

        Returns
        -------
        tuple
            A function that lets it have been taken, with its two arguments. The second begins
            with the loss and the length of the gradient.
        """
        key = self._key(X, y)
        if key != self._last_key:
            self._last_key, self._last = key, self._found.get(key, ())
        for program in self._last:
            found = program.compute(X, y)
            if found is not None:
                loss = found[1][0]
                if loss - loss == 0:  # it is finite; else the eager step says why
                    return program.put, *found
        recording = self._recorded(key, X, y)
        return self._put, recording, (recording.value("loss"), recording.value("norm"))

    def loss_of(self, X: Any, y: Any) -> Any:
        """What is compiled: the loss of a batch."""
        return self.loss(self.model(X), y)

    def _key(self, X: Any, y: Any) -> Any:
        """All that a program depends on, besides the numbers that it is given."""
        if type(X) is not np.ndarray or type(y) is not np.ndarray:
            raise CannotCompileError(
                f"a step is compiled for arrays of NumPy's, not a {type(X).__name__} "
                f"and a {type(y).__name__}"
            )
        optimizer = self.optimizer
        memories, kinds = self.remembered
        if memories is not optimizer._memories:
            memories = optimizer._memories
            kinds = kinds_of(memories, optimizer.count_names)
            self.remembered = memories, kinds
        modes = tuple(map(_TRAINING, self.modes)) if self.modes else ()
        return (
            *(X.shape, X.strides, X.dtype, y.shape, y.strides, y.dtype),
            *(modes, self._options(optimizer), kinds),
        )

    def _recorded(self, key: Any, X: Any, y: Any) -> Recording:
        """Take the step while it is written down; the second time that it is the same, load it."""
        optimizer = self.optimizer
        recording = record_step(self.loss_of, self.tensors, optimizer, X, y, self.norm)
        seen = self._seen.setdefault(key, [])
        for other in seen:
            difference = differs(other.program, recording.program)
            if difference is None:
                seen.remove(other)
                self._load(key, recording)
                break
            if difference:
                raise CannotCompileError(difference)
        else:
            seen.append(recording)
        return recording

    def _load(self, key: Any, recording: Recording) -> None:
        places = tuple(tuple(group.places) for group in recording.groups)
        if places not in self._states:
            self._states[places] = State(self.optimizer, recording.groups)
        program = StepProgram(self, recording, self._states[places])
        self._found.setdefault(key, []).append(program)
        self._last_key = None
        self.source = program.source

    def _put(self, recording: Recording, done: Any) -> None:
        """Let the model and the optimiser hold what a recorded step has computed."""
        optimizer = self.optimizer
        memories = [dict(memory) for memory in optimizer._memories]
        for k, group in enumerate(recording.groups):
            for i, part in zip(group.places, group.parts(recording.value(f"p{k}")), strict=True):
                optimizer.parameters[i]._replace(part)
            for name in optimizer.memory_names:
                value = recording.value(f"p{k}_{name}")
                counts = name in optimizer.count_names
                parts = [value] * len(group.places) if counts else group.parts(value)
                for i, part in zip(group.places, parts, strict=True):
                    memories[i][name] = part
        for i, tensor in enumerate(recording.held):
            tensor._replace(recording.value(f"held{i}"))
        optimizer._memories = memories
        optimizer.steps += 1
        for tensor in self.tensors:  # the gradients that it used are not kept
            tensor.grad = None
