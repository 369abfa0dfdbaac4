"""The rows that `fit` learns from, with their weights, and those that it holds out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..data.batching import split_rows
from ..nn import Module
from ..support.arguments import Seed, chance
from .checking import checked_data, checked_validation
from .weighting import checked_weights, row_weights, weighted

Function = Callable[..., Any]


class Prepared:
    """What a training goes through: arrays with the same number of rows, and a loss of them.

    Parameters
    ----------
    model, loss, metrics, X, y, validation, sample_weight, class_weight, seed
        As `fit` takes them; the loss and the metrics are functions.

    Attributes
    ----------
    X, y : arrays
        What is learned from.
    targets : list of arrays
        What the loss takes after the outputs: y, and the weights of its rows if there are some.
    loss : function
        Of the outputs and the targets.
    held_out : (X, y) or None
        What is not learned from.
    """

    def __init__(
        self,
        model: Module,
        loss: Function,
        metrics: dict[str, Function],
        X: Any,
        y: Any,
        *,
        validation: Any,
        sample_weight: Any,
        class_weight: Any,
        seed: Seed,
    ):
        self.X, self.y = checked_data(model, loss, metrics, X, y)
        self.loss = loss
        if sample_weight is not None:
            sample_weight = checked_weights(sample_weight, len(self.y))
        if isinstance(validation, int | float | np.number) and not isinstance(validation, bool):
            rows, apart = split_rows(len(self.y), validation, _chance(seed), name="validation")
            self.held_out: Any = self.X[apart], self.y[apart]
            self.X, self.y = self.X[rows], self.y[rows]
            sample_weight = sample_weight if sample_weight is None else sample_weight[rows]
        else:
            self.held_out = checked_validation(model, loss, metrics, validation)
        self.targets = [self.y]
        if sample_weight is not None or class_weight is not None:
            self.loss = weighted(loss)
            self.targets.append(row_weights(self.y, sample_weight, class_weight))


def _chance(seed: Seed) -> np.random.Generator:
    """The chance that holds rows out: for a number, the same however many steps were taken."""
    generator = chance(seed)
    if generator is seed:
        return generator
    started: Any = generator.bit_generator.seed_seq
    key = (*started.spawn_key, 0, 0)  # no epoch's: theirs end in one number
    return np.random.default_rng(np.random.SeedSequence(started.entropy, spawn_key=key))
