"""The steps of a training: the engine's own, and a program of them once they repeat."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from ..compiling import CannotCompileError, CompiledStep
from ..compiling.closures import is_ours
from ..compiling.recording import standing_in
from ..nn import Module
from ..optim import Optimizer
from ..support.arguments import look_up
from .measuring import mean_deltas
from .rollback import Rollback

_MOST_CHANGES = 3
_MOST_PROGRAMS = 16  # to make more takes longer than they save
_CHANGES = "what the loss computes changes from epoch to epoch"


class Steps:
    """Steps down the gradient, which let nothing into the model that is not finite.

    Parameters
    ----------
    model, loss, optimizer
        As `fit` takes them; the loss is a function.
    rollback : Rollback
    observe : {'deltas'} or None
        What to record besides in the last step of an epoch.
    compiled : collection of int
        How many rows the batches have whose steps are compiled.

    Attributes
    ----------
    observed : dict
        What the last step of an epoch showed.
    why_eager : str
        Why steps are not compiled, if they should be.
    """

    def __init__(
        self,
        model: Module,
        loss: Callable[..., Any],
        optimizer: Optimizer,
        rollback: Rollback,
        observe: str | None,
        compiled: Collection[int],
    ):
        self.model, self.loss, self.optimizer = model, loss, optimizer
        self.rollback = rollback
        tensors = model.named_tensors().items()
        self.layers = {tensor: path.removesuffix(".weight") for path, tensor in tensors}
        self.deltas = observe is not None and look_up(observe, {"deltas": True}, "observe")
        self.observed: dict[str, float] = {}
        self.why_eager = ""
        modules = [type(module) for _, module in model.named_modules()]
        self._may_change = not all(map(is_ours, [loss, *modules]))
        self._changes, self._lengths = 0, compiled
        self._compiled: CompiledStep | None = None
        if compiled:
            try:
                self._compiled = CompiledStep(model, loss, optimizer, norm=True)
            except CannotCompileError as error:
                self._give_up(error)

    def take(self, first: bool, last: bool, *batch: Any) -> tuple[float, float]:
        """Take a step, the first or the last of an epoch maybe: its loss, its gradient's length."""
        begun = self.optimizer.steps or not self.optimizer.memory_names  # as all that follow
        worth_it = begun and len(batch[0]) in self._lengths and not (last and self.deltas)
        found = self._from_program(first, batch) if self._compiled and worth_it else None
        if last:
            self.observed = {"learning rate": self.optimizer.step_size}
        if found is None:
            return self._eagerly(last and self.deltas, batch)
        put, by, done = found
        value, length = done[0].item(), float(done[1])
        self.rollback.check_step(value, length, lambda: self._loss_of(*batch).backward())
        put(by, done)
        return value, length

    def _loss_of(self, X: Any, *targets: Any) -> Any:
        return self.loss(self.model(X), *targets)

    def _eagerly(self, observe: bool, batch: tuple[Any, ...]) -> tuple[float, float]:
        """The step as the engine takes it."""
        self.rollback.zero_grad()
        loss = self._loss_of(*batch)
        loss.backward(keep_grads=observe)
        value, length = loss.item(), self.optimizer.gradient_norm()
        self.rollback.check_step(value, length, lambda: self._loss_of(*batch).backward())
        if observe:
            self.observed |= mean_deltas(loss, self.layers)
        self.optimizer.step()
        return value, length

    def _from_program(self, first: bool, batch: tuple[Any, ...]) -> Any:
        """The step as a program computes it; None where the engine has to."""
        compiled: Any = self._compiled
        try:
            put, by, done = compiled.computed(*batch)
            if compiled.why_not:
                self._give_up(compiled.why_not)
            elif compiled.recorded and compiled.programs > _MOST_PROGRAMS:
                self._give_up(_CHANGES)
            elif first and not compiled.recorded and self._changed(done[0], batch):
                self._forget()
                return None
            return put, by, done
        except CannotCompileError as error:
            self._give_up(error)
        except Exception as error:  # the engine raises it too, or else can do without
            self.rollback.restore(self.rollback.before)
            self._give_up(f"recording it gave {type(error).__name__}: {error}")
        return None

    def _changed(self, loss: Any, batch: tuple[Any, ...]) -> bool:
        """Whether the engine finds another loss than the one that a program has computed.

        A callback may have changed a number that the user's loss uses, which no recording sees.
        """
        if not self._may_change or not np.isfinite(loss):
            return False
        with standing_in({tensor: tensor._array for tensor in self.rollback.tensors}):
            return bool(self._loss_of(*batch)._array != loss)

    def _forget(self) -> None:
        """Record anew, unless that was of no use."""
        self._changes += 1
        if self._changes == _MOST_CHANGES:
            self._give_up(_CHANGES)
        else:
            self._compiled = CompiledStep(self.model, self.loss, self.optimizer, norm=True)

    def _give_up(self, why: Any) -> None:
        self._compiled, self.why_eager = None, str(why)
