"""When a training ends, and what the model held when it was best."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from ..support.arguments import look_up, not_negative, size
from .history import VALIDATION, History, as_named_here
from .metrics import METRICS
from .preparing import Prepared
from .rollback import Rollback

# Of a metric whose name ends so, smaller is better, as in scikit-learn; of all others larger is.
TO_BE_SMALL = ("loss", "error", "deviance", "mae", "mse", "rmse", "l1", "l2")


def _to_watch(monitor: Any, patience: Any, metrics: Iterable[str], held_out: bool) -> str:
    """The column that patience watches: the loss of the validation data, or what was asked for."""
    if monitor is None:
        return f"{VALIDATION}loss" if held_out else "loss"
    if patience is None:
        raise ValueError(f"monitor={monitor!r} is what patience watches: give patience= too")
    known = {name: name for name in ("loss", *metrics)}
    if held_out:
        known |= {f"{VALIDATION}{name}": f"{VALIDATION}{name}" for name in known}
    name = as_named_here(monitor)
    missing = _missing(name, known, held_out) if isinstance(name, str) else ""
    if missing:
        raise ValueError(f"monitor={monitor!r} is not measured: give {missing} too")
    return look_up(name, known, "monitor")


def _missing(name: str, known: Iterable[str], held_out: bool) -> str:
    """The arguments of `fit` that would make it measure a column, if some would."""
    metric = name.removeprefix(VALIDATION)
    wanted = [f"metrics=[{metric!r}]"] if metric in METRICS and metric not in known else []
    if name.startswith(VALIDATION) and not held_out and (wanted or metric in known):
        wanted.append("validation=")
    return " and ".join(wanted)


class Stopping:
    """When to end a training, and what the model held when it was best."""

    def __init__(
        self,
        rollback: Rollback,
        data: Prepared,
        epochs: Any,
        tolerance: Any,
        patience: Any,
        monitor: Any,
    ):
        self.rollback = rollback
        self.watched = _to_watch(monitor, patience, data.metrics, bool(data.held_out))
        small = self.watched.endswith(TO_BE_SMALL)
        self.sign, self.better = (1, "lower") if small else (-1, "higher")
        self.epochs = size(epochs, "epochs")
        self.tolerance = None if tolerance is None else not_negative(tolerance, "tolerance")
        self.patience = None if patience is None else size(patience, "patience")
        self.lowest, self.best, self.state = math.inf, 0, rollback.state()

    def reason(self, history: History) -> str:
        """Why to end here, if there is a reason."""
        epoch, now = len(history), history.rows[-1]
        value = self.sign * now[self.watched]
        if self.patience and value < self.lowest:
            self.lowest, self.best, self.state = value, epoch, self.rollback.state()
        if self.patience and epoch - self.best >= self.patience:
            return f"no {self.better} {self.watched} in {self.patience} epochs"
        if self.tolerance is not None and epoch > 1:
            before = history.rows[-2]["loss"]
            if abs(now["loss"] - before) <= self.tolerance * abs(before):
                return f"converged: the loss changed by at most {self.tolerance:g} of itself"
        if epoch < self.epochs:
            return ""
        done = f"all {epoch} epochs done" if epoch > 1 else "1 epoch done"
        if now["loss"] > history.rows[0]["loss"]:
            return f"{done}, but the loss grew: try a smaller step size"
        return done

    def back_to_best(self) -> str:
        """Give the model back what it held when it was best, where that was watched; and say so."""
        if not self.best:
            return ""
        self.rollback.restore(self.state)
        return f"; the model is as after epoch {self.best}"
