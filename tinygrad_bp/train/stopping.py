"""When a training ends, and what the model held when it was best."""

from __future__ import annotations

import math
from typing import Any

from ..support.arguments import not_negative, size
from .history import VALIDATION, History
from .rollback import Rollback


class Stopping:
    """When to end a training, and what the model held when it was best."""

    def __init__(
        self, rollback: Rollback, epochs: Any, tolerance: Any, patience: Any, held_out: bool
    ):
        self.rollback, self.watched = rollback, f"{VALIDATION}loss" if held_out else "loss"
        self.epochs = size(epochs, "epochs")
        self.tolerance = None if tolerance is None else not_negative(tolerance, "tolerance")
        self.patience = None if patience is None else size(patience, "patience")
        self.lowest, self.best, self.state = math.inf, 0, rollback.state()

    def reason(self, history: History) -> str:
        """Why to end here, if there is a reason."""
        epoch, now = len(history), history.rows[-1]
        if self.patience and now[self.watched] < self.lowest:
            self.lowest, self.best, self.state = now[self.watched], epoch, self.rollback.state()
        if self.patience and epoch - self.best >= self.patience:
            return f"no lower {self.watched} in {self.patience} epochs"
        if self.tolerance is not None and epoch > 1:
            before = history.rows[-2]["loss"]
            if abs(now["loss"] - before) <= self.tolerance * abs(before):
                return f"converged: the loss changed by at most {self.tolerance:g} of itself"
        if epoch < self.epochs:
            return ""
        if now["loss"] > history.rows[0]["loss"]:
            return f"all {epoch} epochs done, but the loss grew: try a smaller step size"
        return f"all {epoch} epochs done"

    def back_to_best(self) -> str:
        """Give the model back what it held when it was best, where that was watched; and say so."""
        if not self.best:
            return ""
        self.rollback.restore(self.state)
        return f"; the model is as after epoch {self.best}"
