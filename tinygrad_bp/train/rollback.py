"""Nothing that is not finite gets into a model: steps are undone, and their cause is found."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..check import detect_nan
from ..nn import Module
from ..optim import Optimizer
from .history import History

State = tuple[list[Any], Any]


class DivergenceError(FloatingPointError):
    """The training diverged. What it measured until then is in ``history``."""

    def __init__(self, message: str, history: History):
        super().__init__(message)
        self.history = history


class Rollback:
    """What a model and its optimiser held before each of the last two steps.

    No copies: a step replaces arrays, and writes to none.

    Parameters
    ----------
    model : Module
    optimizer : Optimizer
    history : History
        It is told why a training diverged.
    """

    def __init__(self, model: Module, optimizer: Optimizer, history: History):
        self.optimizer, self.history = optimizer, history
        self.tensors = list(dict.fromkeys([*model.named_tensors().values(), *optimizer.parameters]))
        self.earlier = self.before = self.state()
        self.batch = 0

    def state(self) -> State:
        """What the model and the optimiser hold."""
        return [tensor._array for tensor in self.tensors], self.optimizer._snapshot()

    def restore(self, state: State) -> None:
        """Give them back what they held."""
        arrays, snapshot = state
        for tensor, array in zip(self.tensors, arrays, strict=True):
            tensor._replace(array)
        self.optimizer._restore(snapshot)

    def zero_grad(self) -> None:
        """Forget all gradients, of parameters that the optimiser does not have too."""
        for tensor in self.tensors:
            tensor._grad = None

    @contextmanager
    def guard(self, batch: int) -> Iterator[None]:
        """Take one step: an error in it leaves the model as it was before."""
        self.batch = batch
        self.earlier, self.before = self.before, self.state()
        try:
            yield
        except BaseException:  # half a step is none
            self.restore(self.before)
            raise

    def check_step(self, value: float, length: float, compute: Callable[[], Any]) -> None:
        """Undo a step whose loss or gradient is not finite, and say what made it so.

        ``compute`` does its computation again.
        """
        if math.isfinite(value + length):
            return
        if not _all_finite(self.before[0]):
            self.restore(self.earlier)
            raise self.divergence("the step before made parameters infinite")
        self.restore(self.before)
        why = culprit(compute)
        self.restore(self.before)
        self.zero_grad()
        raise self.divergence(why)

    def check_last_step(self) -> None:
        """Undo the last step if it made a parameter infinite: no further one would show it."""
        if not _all_finite(self.state()[0]):
            self.restore(self.before)
            raise self.divergence("the step made parameters infinite")

    def check_measure(self, value: float, compute: Callable[[], Any]) -> None:
        """Undo the last step if a loss that was measured after it is not finite."""
        if not math.isfinite(value):
            why = culprit(compute)
            self.restore(self.before)
            raise self.divergence(f"after it, {why}")

    def divergence(self, why: str) -> DivergenceError:
        """The error that ends the training here."""
        self.history.stopped = f"diverged in epoch {len(self.history) + 1}, batch {self.batch}"
        what = f"{self.history.stopped}: {why}; a smaller step size may help"
        return DivergenceError(what, self.history)


def culprit(compute: Callable[[], Any]) -> str:
    """The operation that made what is not finite, found by doing it again."""
    try:
        with detect_nan():
            compute()
    except FloatingPointError as error:
        return str(error)
    return "there is nan or infinity, though no operation on its own is to blame"


def _all_finite(arrays: Iterable[Any]) -> bool:
    return all(np.isfinite(array).all() for array in arrays)
