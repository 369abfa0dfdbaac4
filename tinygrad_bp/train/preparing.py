"""The rows that `fit` learns from, with their weights, and those that it holds out."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..data.batching import split_rows
from ..functional.losses import LOSSES
from ..nn import Module
from ..optim import Optimizer
from ..support.arguments import Seed, function
from .batching import Chance
from .checking import by_name, check_data, check_model, check_validation
from .weighting import check_weights, row_weights, weighted_loss


class Prepared:
    """What a training goes through: arrays with the same number of rows, and a loss of them.

    Parameters
    ----------
    model, optimizer, X, y, loss, metrics, validation, seed
        As `fit` takes them.
    weights : pair
        ``sample_weight`` and ``class_weight``, as `fit` takes them.

    Attributes
    ----------
    X, y : arrays
        What is learned from.
    targets : list of arrays
        What the weighted loss takes after the outputs: y, and the weights of its rows if there
        are some.
    held_out : (X, y) or None
        What is not learned from.
    loss, weighted_loss : functions
        Of outputs and y, for what is measured; of outputs and the targets, for the steps.
    metrics : dict of functions
    """

    def __init__(
        self,
        model: Module,
        optimizer: Optimizer,
        X: Any,
        y: Any,
        loss: Any,
        metrics: Any,
        validation: Any,
        weights: tuple[Any, Any],
        seed: Seed,
    ):
        check_model(model, optimizer)
        self.loss = self.weighted_loss = function(loss, LOSSES, "loss")
        self.metrics = by_name(metrics)
        self.X, self.y = check_data(model, self.loss, self.metrics, X, y)
        of_rows, of_classes = weights
        if of_rows is not None:
            of_rows = check_weights(of_rows, len(self.y))
        if isinstance(validation, int | float | np.number) and not isinstance(validation, bool):
            generator = Chance(optimizer, seed).of_held_out()
            rows, apart = split_rows(len(self.y), validation, generator, name="validation")
            self.held_out: Any = self.X[apart], self.y[apart]
            self.X, self.y = self.X[rows], self.y[rows]
            of_rows = of_rows if of_rows is None else of_rows[rows]
        else:
            self.held_out = check_validation(model, self.loss, self.metrics, validation)
        self.targets = [self.y]
        if of_rows is not None or of_classes is not None:
            self.weighted_loss = weighted_loss(self.loss)
            self.targets.append(row_weights(self.y, of_rows, of_classes))
