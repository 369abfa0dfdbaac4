"""History: what training measured after each epoch, as numbers, a file, a line and a picture."""

from __future__ import annotations

import csv
import io
import os
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from ..support.answers import no_attribute
from ..support.arguments import look_up
from ..support.files import writable_path, write
from ..support.printing import printable

BLOCKS = "▁▂▃▄▅▆▇█"
COLUMNS = 100  # that the line of a history has at most
DELTA, VALIDATION = "error signal of layer ", "validation "
MEASURED = frozenset({"epoch", "loss", "gradient norm", "learning rate", "seconds"})


def as_named_here(name: Any) -> Any:
    """A column's name as it is here, where Keras's begins with ``val_``.

    Examples
    --------
    >>> as_named_here("val_loss")
    'validation loss'
    """
    return re.sub("^val_", VALIDATION, name) if isinstance(name, str) else name


class History:
    """What `train.fit` measured, one row to an epoch.

    ``history["loss"]`` is a column as an array, nan where an epoch did not measure it; the
    commonest have attributes of their own. A history is true if it has rows.

    Attributes
    ----------
    rows : list of dict
        For each epoch its numbers by name: ``loss``, the metrics, the same of the validation data
        (``validation loss``, …), ``gradient norm``, ``learning rate`` and ``seconds``. If `fit` was
        called with ``observe="deltas"``, for each layer the mean ``|δ|`` too: ``error signal of
        layer 0``, ….
    stopped : str
        Why the training ended.
    why_eager : str
        Why steps were not compiled, if they should have been; else empty.

    Examples
    --------
    >>> history = History()
    >>> for loss in (1.0, 0.5, 0.25):
    ...     history.append({"loss": loss, "seconds": 0.1})
    >>> history.stopped = "all 3 epochs done"
    >>> history
    History(3 epochs, loss █▃▁ 1 → 0.25, 0.3 s, all 3 epochs done)
    >>> history["loss"].tolist()
    [1.0, 0.5, 0.25]
    """

    def __init__(self) -> None:
        self.rows: list[dict[str, float]] = []
        self.stopped, self.why_eager = "not begun", ""

    if not TYPE_CHECKING:  # which knows the names that are there

        def __getattr__(self, name: str) -> Any:
            raise no_attribute("History", name, self)

    def append(self, row: dict[str, float]) -> None:
        """Add the numbers of one more epoch."""
        self.rows.append(row)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def names(self) -> list[str]:
        """The names of the columns, in the order in which they came."""
        return list(dict.fromkeys(name for row in self.rows for name in row))

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __getitem__(self, name: str) -> np.ndarray:
        if not self.rows:
            raise ValueError(f"there is no {name!r} yet: no epoch was completed")
        name = as_named_here(name)
        look_up(name, dict.fromkeys(self.names), "column")
        return np.array([row.get(name, np.nan) for row in self.rows])

    @property
    def loss(self) -> np.ndarray:
        """The mean loss of each epoch's batches, each as it was before its step."""
        return self["loss"]

    @property
    def metrics(self) -> list[str]:
        """The names of the columns that metrics filled, those of the validation data too."""
        names = [name for name in self.names if not name.startswith(DELTA)]
        return [name for name in names if name.removeprefix(VALIDATION) not in MEASURED]

    @property
    def gradient_norm(self) -> np.ndarray:
        """The mean length of each epoch's gradients, before they were shortened."""
        return self["gradient norm"]

    @property
    def learning_rate(self) -> np.ndarray:
        """The step size of each epoch's last step."""
        return self["learning rate"]

    @property
    def seconds(self) -> np.ndarray:
        """How long each epoch took."""
        return self["seconds"]

    @property
    def deltas(self) -> dict[str, np.ndarray]:
        """For each layer the mean ``|δ|``, from the input's side to the output's.

        δ, the error signal, is the derivative of the loss by what the layer gives before its
        activation: how much the loss would change if that changed, and what the layer learns
        from. It is measured on each epoch's last batch. Where it shrinks from the output to the
        input, the gradient vanishes: Hochreiter, "Untersuchungen zu dynamischen neuronalen
        Netzen", 1991. Empty unless `fit` was called with ``observe="deltas"``.
        """
        names = [name for name in self.names if name.startswith(DELTA)]
        return {name.removeprefix(DELTA): self[name] for name in names}

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write the rows as a table with a header, whole or not at all.

        Raises
        ------
        ValueError
            If the path does not end in ``.csv``.
        OSError
            If the file cannot be written.
        """
        path = writable_path(path, (".csv",))
        text = io.StringIO(newline="")
        table = csv.DictWriter(text, ["epoch", *self.names])
        table.writeheader()
        table.writerows({"epoch": i, **row} for i, row in enumerate(self.rows, 1))
        write(path, text.getvalue().encode())

    def plot(self, path: str | os.PathLike[str] | None = None) -> Any:
        """Draw all of it, epoch by epoch: see `plot.loss_curves`.

        Parameters
        ----------
        path : path, optional
            Where to write the picture: ``.png``, ``.svg`` or ``.pdf``.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        ImportError
            If matplotlib is missing.
        ValueError
            If there are no epochs to draw, or the suffix is not one of these.
        OSError
            If the file cannot be written.
        """
        from ..plot import loss_curves  # matplotlib is heavy, and an extra

        return loss_curves(self, path=path)

    def __repr__(self) -> str:
        if not self.rows:
            return f"History(0 epochs, {self.stopped})"
        epochs = f"{len(self)} epoch{'s' if len(self) > 1 else ''}"
        last, first = self.rows[-1], f"History({epochs}, loss "
        end = f" {self.loss[0]:.4g} → {last['loss']:.4g}, "
        why = self.stopped if len(self.stopped) <= 40 else f"{self.stopped[:37]}..."
        after = f"{self.seconds.sum():.3g} s, {why})" if "seconds" in self else f"{why})"
        room = COLUMNS - len(first + end + after)
        shortest = min(8, len(self))
        metrics: list[str] = []
        for name in sorted(self.metrics, key=lambda name: not name.startswith(VALIDATION)):
            part = f"{name} {last.get(name, np.nan):.4g}, "
            if len("".join([*metrics, part])) + shortest <= room:
                metrics.append(part)
        after = "".join(metrics) + after
        curve = sparkline(self.loss, min(40, COLUMNS - len(first + end + after)))
        return printable(first + curve + end + after)


def sparkline(values: Any, width: int = 40) -> str:
    """A curve in one line of text, from the lowest block to the highest.

    Longer ones are thinned out to ``width`` values, the first and the last among them; what is
    not finite is left blank.

    Examples
    --------
    >>> sparkline([1, 2, 4, 8, float("nan"), 0])
    '▂▃▅█ ▁'
    """
    values = np.asarray(values, dtype=float)
    values = values[np.linspace(0, len(values) - 1, min(width, len(values))).round().astype(int)]
    finite = np.isfinite(values)
    if not finite.any():
        return " " * len(values)
    values = values / 2  # so that no difference overflows
    low, high = values[finite].min(), values[finite].max()
    shares = np.where(finite, values - low, 0) / (high - low or 1)
    heights = (shares * (len(BLOCKS) - 1)).round().astype(int)
    return "".join(BLOCKS[h] if ok else " " for h, ok in zip(heights, finite, strict=True))
