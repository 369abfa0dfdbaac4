"""What is measured of a training: the loss and the metrics of an epoch, and δ of each layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine.recording import no_grad
from ..engine.tensor import Tensor
from ..explain.layers import weighted_sums
from ..nn import Module, evaluating
from .history import DELTA, VALIDATION
from .predicting import predict_rows
from .preparing import Prepared
from .rollback import Rollback


class Measures:
    """The loss and the metrics of a model, on all rows of some data."""

    def __init__(self, model: Module, data: Prepared, rollback: Rollback):
        self.model, self.data, self.rollback = model, data, rollback

    def of_epoch(self, last: bool) -> dict[str, float]:
        """What is measured after an epoch; after the last the loss too: no step would show it."""
        data = self.data
        found = self.of(data.X, data.y) if data.metrics or (last and not data.held_out) else {}
        if data.held_out:
            X, y = data.held_out
            found |= self.of(X, y, VALIDATION)
        return found

    def of(self, X: Any, y: Any, prefix: str = "") -> dict[str, float]:
        """The metrics; with a prefix, which goes before their names, the loss too."""

        def evaluated() -> tuple[Any, float]:
            with evaluating(self.model), no_grad():
                outputs = predict_rows(self.model, X)
                return outputs, self.data.loss(Tensor(outputs), y).item()

        with np.errstate(all="ignore"):
            outputs, loss = evaluated()
            metrics = self.data.metrics.items()
            row = {f"{prefix}{n}": float(metric(outputs.copy(), y)) for n, metric in metrics}
        self.rollback.check_measure(loss, evaluated)
        return {f"{prefix}loss": loss, **row} if prefix else row


def mean_deltas(loss: Tensor, layers: dict[Tensor, str]) -> dict[str, float]:
    """The mean |δ| of each layer, from the input's side to the output's.

    δ is the adjoint of a product with weights. A bias added to it has the same adjoint.
    """
    found: dict[str, list[float]] = {}
    for node, weight in weighted_sums(loss, layers):
        found.setdefault(layers[weight], []).append(float(np.mean(np.abs(node.grad))))
    return {f"{DELTA}{layer}": sum(means) / len(means) for layer, means in found.items()}
