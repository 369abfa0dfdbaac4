"""The rows of each step of an epoch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..data.batching import row_numbers
from ..nn import BatchNorm, Module
from ..optim import Optimizer
from ..optim.schedules import PerEpoch
from ..support.arguments import Seed, chance, size


class Chance:
    """The generators of a training: by a seed and the steps taken, or a Generator as it is now."""

    def __init__(self, optimizer: Optimizer, seed: Seed):
        self.optimizer, self.generator = optimizer, chance(seed)
        started: Any = None if self.generator is seed else self.generator.bit_generator.seed_seq
        self.seed = started  # None: the generator goes on from where it is

    def of_epoch(self) -> np.random.Generator:
        """The generator of the epoch that begins: the same in a training that is resumed here."""
        return self._derived(self.optimizer.steps)

    def of_held_out(self) -> np.random.Generator:
        """The generator that draws the rows to hold out, however many steps were taken."""
        return self._derived(0, 0)  # no epoch's: theirs end in one number

    def _derived(self, *key: int) -> np.random.Generator:
        if not self.seed:
            return self.generator
        key = (*self.seed.spawn_key, *key)
        return np.random.default_rng(np.random.SeedSequence(self.seed.entropy, spawn_key=key))


class Batches:
    """The rows of each step of an epoch, in an order that chance gives anew for each epoch."""

    def __init__(
        self,
        model: Module,
        optimizer: Optimizer,
        n: int,
        batch_size: int | None,
        shuffle: bool,
        seed: Seed,
    ):
        self.n, self.chance = n, Chance(optimizer, seed)
        self.batch_size = n if batch_size is None else min(size(batch_size, "batch_size"), n)
        self.count = -(-n // self.batch_size)
        if isinstance(optimizer.lr, PerEpoch):
            optimizer.lr.told = self.count
        self.shuffle = shuffle and self.count > 1
        last = n - (self.count - 1) * self.batch_size
        if last == 1 and any(isinstance(part, BatchNorm) for _, part in model.named_modules()):
            raise ValueError(
                f"batch_size={self.batch_size} leaves one of {n} rows alone in a batch, "
                "which BatchNorm cannot learn from; choose another"
            )

    def lengths(self, epochs: int, least: int) -> list[int]:
        """How many rows those batches have of which there are at least so many in all epochs."""
        whole, rest = divmod(self.n, self.batch_size)
        counts = {self.batch_size: whole, rest: bool(rest)}
        return [rows for rows, count in counts.items() if count * epochs >= least]

    def __iter__(self) -> Iterator[Any]:
        if not self.shuffle:
            return row_numbers(self.n, self.batch_size)
        generator = self.chance.of_epoch()
        if self.batch_size == 1:
            drawn = generator.integers(self.n, size=self.n)
            return (drawn[i : i + 1] for i in range(self.n))
        return row_numbers(self.n, self.batch_size, generator)
