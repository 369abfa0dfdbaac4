"""A model of one variable, and the points that it was fitted to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..support.palette import INK, LINE
from .figure import (
    VALUE,
    Model,
    PathLike,
    canvas,
    column,
    legend_below,
    numbers,
    outputs,
    saved,
)
from .presenting import picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@picture
def regression_fit(model: Model, X: Any, y: Any, *, path: PathLike | None = None) -> Figure:
    """Draw a model of one variable as a line through the points that it was fitted to.

    Parameters
    ----------
    model : Module or callable
        Called with inputs of the form of ``X``, (m, 1) or (m,). It gives as many numbers.
    X, y : array of shape (n,) or (n, 1)
    path : str or path, optional
        Where to write it, too: see `plot`.
    theme, font_size, caption, size
        How it is shown: see `plot`.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If a shape does not fit, a number is not finite.

    Examples
    --------
    >>> x = np.array([0.0, 1.0, 2.0])
    >>> figure = regression_fit(lambda x: 2 * x, x, [0.0, 2.0, 5.0])
    >>> figure.axes[0].get_title(loc="left")
    'mean squared error 0.333 on 3 points'
    """
    figure, axes = canvas(6.4, 4.4, path)
    x = column(numbers(X, "X").astype(float), "X")
    targets = column(numbers(y, "y").astype(float), "y", rows=len(x))
    margin = 0.04 * (np.ptp(x) or 1.0)
    line = np.linspace(x.min() - margin, x.max() + margin, 500)
    form = (-1, 1) if np.ndim(X) == 2 else (-1,)
    fitted, found = _given(model, line.reshape(form)), _given(model, x.reshape(form))
    axes = axes.item()
    axes.vlines(x, targets, found, color=LINE, linewidth=0.8, label="error")
    axes.plot(line, fitted, color=VALUE, linewidth=2, label="model")
    axes.scatter(x, targets, 20, color=INK, edgecolor="white", linewidth=0.5, label="data")
    error = np.mean((found - targets) ** 2)
    axes.set_title(f"mean squared error {error:.3g} on {len(x):,} points", loc="left", color=INK)
    axes.set(xlabel="x", ylabel="y")
    legend_below(axes)
    return saved(figure, path)


def _given(model: Model, inputs: np.ndarray) -> np.ndarray:
    """What the model gives, as numbers of shape (n,)."""
    name = "what the model gives"
    return column(numbers(outputs(model, inputs), name).astype(float), name)
