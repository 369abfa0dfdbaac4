"""A training step that writes itself down as a NumPy program, and from then on is that program."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..functional.losses import LOSSES
from ..nn import Module
from ..optim import Optimizer
from ..support.answers import keyword_advice
from ..support.arguments import flag, function, kind_of, look_up, shown
from .closures import ClosedOver, Settings
from .numba import check_numba
from .program import CannotCompileError
from .recording import Recording, record_step, standing_in
from .state import State, kinds_of
from .step_code import StepProgram
from .variants import Variants
from .variants import shown as described

_WANTED = operator.attrgetter("_requires_grad")
_NO_OPTIONS = frozenset({"parameters", "_lr", "steps", "_memories", "_warned"})
Computed = tuple[Callable[..., None], Any, tuple[Any, ...]]


class CompiledStep:
    """A step of training, one program for each kind of batch; see `compile_step`.

    Attributes
    ----------
    programs : int
        How many were written.
    source : str
        The text of the last.
    recorded : bool
        Whether the last step was recorded, and not computed by a program.
    why_not : str
        Why the last step that was recorded cannot become a program, if it cannot.
    backend_note : str
        What of the last program numba has no form for, so that NumPy computes it.
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
        if type(optimizer).step is not Optimizer.step:
            raise CannotCompileError(f"{type(optimizer).__name__} has a step of its own")
        if backend == "numba":
            check_numba()
        self.model, self.loss, self.optimizer = model, loss, optimizer
        self.backend, self.exact, self.norm = backend, exact, norm
        self.tensors: list[Any] = []
        options = [name for name in vars(optimizer) if name not in _NO_OPTIONS]
        self._options = operator.attrgetter(*options)
        self._variants: Variants[StepProgram] = Variants(self._load)
        self._states: dict[Any, State] = {}
        self._changes, self._of_model = -1, Settings(())
        self._closed_over = ClosedOver(loss)
        self.remembered: tuple[Any, Any] = (None, None)
        self._last_key: Any = None
        self._last: Sequence[StepProgram] = ()
        self.source = self.why_not = ""
        self.recorded = False
        self.backend_note = ""

    @property
    def programs(self) -> int:
        """How many programs were written."""
        return len(self._variants)

    def __repr__(self) -> str:
        loss = getattr(self.loss, "__name__", type(self.loss).__name__)
        what = f"{type(self.model).__name__}, {loss}, {type(self.optimizer).__name__}"
        return described("CompiledStep", what, self.backend, self.programs, self.source)

    def __reduce__(self) -> Any:
        """A copy, or what was saved, is compiled anew when it is called."""
        options = self.backend, self.exact, self.norm
        return type(self), (self.model, self.loss, self.optimizer, *options)

    def __call__(self, X: Any, *targets: Any) -> float:
        """Take one step; the loss before it."""
        put, found, done = self.computed(X, *targets)
        if self.why_not:
            raise CannotCompileError(self.why_not)
        put(found, done)
        return float(done[0])

    def computed(self, *batch: Any) -> Computed:
        """Compute a step.

        Returns
        -------
        tuple
            A function that lets it have been taken, with its two arguments. The second begins
            with the loss and the length of the gradient. The step is right too where ``why_not``
            says that it was recorded in vain.
        """
        key = self._key(batch)
        if key != self._last_key:
            self._last_key, self._last = key, self._variants.of(tuple(key))
        self.recorded = False
        for program in self._last:
            found = program.compute(batch)
            if found is not None and math.isfinite(found[1][0]):  # else the engine says why
                self._variants.in_vain = 0
                return program.put, *found
        self.recorded, recording = True, self._recorded(batch)
        if np.isfinite(recording.value("loss")):  # else a program would not be run
            self.why_not = self._variants.add(tuple(key), recording)
        return self._put, recording, (recording.value("loss"), recording.value("norm"))

    def _recorded(self, batch: tuple[Any, ...]) -> Recording:
        """A recording of the step; what is wrong with the batch, the engine says."""
        why: Exception | None = None
        try:
            recording = record_step(self.loss_of, self.tensors, self.optimizer, batch, self.norm)
            if np.isfinite(recording.value("loss")):
                return recording
        except Exception as error:
            why = error
        with standing_in({tensor: tensor._array for tensor in self.tensors}):
            self.loss_of(*batch)
        if why is not None:
            raise why
        return recording

    def loss_of(self, X: Any, *targets: Any) -> Any:
        """What is compiled: the loss of a batch."""
        return self.loss(self.model(X), *targets)

    def _key(self, batch: tuple[Any, ...]) -> Any:
        """All that a program depends on, besides the numbers that it is given."""
        key: list[Any] = []
        for x in batch:
            if type(x) is not np.ndarray:
                raise CannotCompileError(
                    f"a step is compiled for arrays of NumPy's, not for {kind_of(x)}: "
                    "pass np.asarray(...) of it, or of a table .to_numpy()"
                )
            key += (x.shape, x.strides, x.dtype)
        optimizer = self.optimizer
        memories, remembered = self.remembered
        if memories is not optimizer._memories:
            memories = optimizer._memories
            remembered = kinds_of(memories, optimizer.count_names)
            self.remembered = memories, remembered
        if self._changes != Module.changes[0] or self._of_model.have_changed():
            self._look_at_model()
        key += map(_WANTED, self.tensors)
        key += (self._options(optimizer), remembered)
        key += (self._of_model.key(), self._closed_over.key())
        return key

    def _look_at_model(self) -> None:
        """Note what the model's parts hold besides Tensors, such as modes, now that one was set.

        Programs for other Tensors than it holds now are forgotten.
        """
        self._changes = Module.changes[0]
        inner = self.model.named_tensors().values()
        tensors = list(dict.fromkeys([*inner, *self.optimizer.parameters]))
        if list(map(id, tensors)) != list(map(id, self.tensors)):
            self.tensors, self._last_key, self._states = tensors, None, {}
            self._variants = Variants(self._load)
        self._of_model = Settings([self.model])

    def _load(self, recording: Recording) -> StepProgram:
        places = tuple((tuple(group.places), group.memory) for group in recording.groups)
        if places not in self._states:
            self._states[places] = State(self.optimizer, recording.groups)
        program = StepProgram(self, recording, self._states[places])
        self.source, self._last_key = program.source, None
        return program

    def _put(self, recording: Recording, done: Any) -> None:
        """Let the model and the optimiser hold what a recorded step has computed."""
        optimizer = self.optimizer
        before = [tensor._array for tensor in self.tensors], optimizer._memories, optimizer.steps
        try:
            for tensor, array in recording.arrays(optimizer):
                tensor._replace(array)
            optimizer._memories = recording.memories(optimizer)
            optimizer.steps += 1
        except BaseException:
            arrays, optimizer._memories, optimizer.steps = before
            for tensor, array in zip(self.tensors, arrays, strict=True):
                tensor._array = array
            raise
        for tensor in self.tensors:  # the gradients that it used are not kept
            tensor._grad = None


@keyword_advice
def compile_step(
    model: Module,
    loss: Callable[..., Any],
    optimizer: Optimizer,
    *,
    backend: str = "numpy",
    exact: bool = True,
) -> CompiledStep:
    """Make a step of training one NumPy program: forward, backward and update.

    The first two steps are recorded as they are taken. If both recorded the same, the program is
    run from then on for batches of that shape. Its results are those of the engine and the
    optimiser to the last bit, and it updates buffers too. `compile` says what its inputs are.

    Parameters
    ----------
    model : Module
    loss : function or str
        As `train.fit` takes it: ``loss(outputs, targets)`` gives a Tensor with one number.
    optimizer : Optimizer
        Of the model's parameters.
    backend : {'numpy', 'numba'}
        What runs the program. 'numba' compiles it to loops, which takes seconds the first time and
        is kept on disk; its rounding differs. A program that numba cannot compile runs on NumPy,
        and ``step.backend_note`` says why.
    exact : bool
        With False, sums may be taken in a faster order, whose rounding differs.

    Returns
    -------
    CompiledStep
        ``step(X, y)`` updates the parameters and returns, as a number, the loss before the update.
        No gradients are kept. ``step.source`` is the text of the last program, ``step.programs``
        the number of programs.

    Raises
    ------
    CannotCompileError
        Here or when called, if a program cannot take this step.

    Examples
    --------
    >>> from tinygrad_bp import functional, nn, optim
    >>> model = nn.MLP([2, 2, 2], seed=0)
    >>> step = compile_step(model, functional.mse_loss, optim.SGD(model.parameters(), lr=0.1))
    >>> X, y = np.ones((1, 2)), np.zeros((1, 2))
    >>> first = step(X, y)
    >>> step(X, y) < first, step(X, y) < first, step.programs
    (True, True, 1)
    """
    look_up(backend, {"numpy": None, "numba": None}, "backend")
    if not isinstance(model, Module) or not isinstance(optimizer, Optimizer):
        raise TypeError(
            "compile_step takes a Module, a loss and an Optimizer of its parameters, not "
            f"{shown(model)} and {shown(optimizer)}"
        )
    loss, exact = function(loss, LOSSES, "loss"), flag(exact, "exact")
    return CompiledStep(model, loss, optimizer, backend=backend, exact=exact)
