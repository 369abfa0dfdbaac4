"""A model of one variable, and the points that it was fitted to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..support.arguments import shown
from ..support.palette import GREEN, INK, LINE
from .figure import (
    VALUE,
    Model,
    PathLike,
    canvas,
    column,
    finite_numbers,
    legend_below,
    outputs,
    save_figure,
)
from .presenting import picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@picture
def regression_fit(
    model: Model,
    X: Any,
    y: Any,
    *,
    validation: tuple[Any, Any] | None = None,
    path: PathLike | None = None,
) -> Figure:
    """Draw a model of one variable as a line through the points that it was fitted to.

    Parameters
    ----------
    model : Module or callable
        Called with inputs of the form of ``X``, (m, 1) or (m,); it returns m numbers.
    X, y : array of shape (n,) or (n, 1)
    validation : pair of arrays, optional
        ``X, y`` that the model was not fitted to: drawn as hollow squares, with an error of
        their own.

    Raises
    ------
    ValueError
        If a shape does not fit, or a number is not finite.

    Examples
    --------
    >>> x = np.array([0.0, 1.0, 2.0])
    >>> figure = regression_fit(lambda x: 2 * x, x, [0.0, 2.0, 5.0])
    >>> figure.axes[0].get_title(loc="left")
    'mean squared error 0.333 on 3 points'
    """
    figure, axes = canvas(6.4, 4.4, path)
    axes = axes.item()
    named = "points" if validation is None else "training points"
    groups = [(named, X, y, {"color": INK, "edgecolor": "white", "linewidth": 0.5})]
    if validation is not None:
        hollow = {"marker": "s", "facecolor": "none", "edgecolor": GREEN, "linewidth": 1.2}
        groups.append(("validation points", *_check_pair(validation), hollow))
    ends: list[float] = []
    errors = []
    for label, inputs, values, look in groups:
        x = column(finite_numbers(inputs, "X").astype(float), "X")
        targets = column(finite_numbers(values, "y").astype(float), "y", rows=len(x))
        found = _predictions(model, x.reshape(_form(X)))
        axes.vlines(x, targets, found, color=LINE, linewidth=0.8, label="" if ends else "error")
        axes.scatter(x, targets, 20, label=label, zorder=2.5, **look)
        errors.append(f"{np.mean((found - targets) ** 2):.3g} on {len(x):,} {label}")
        ends += [x.min(), x.max()]
    margin = 0.04 * (np.ptp(ends) or 1.0)
    line = np.linspace(min(ends) - margin, max(ends) + margin, 500)
    fitted = _predictions(model, line.reshape(_form(X)))
    axes.plot(line, fitted, color=VALUE, linewidth=2, label="model")
    title = "\n".join(errors)
    axes.set_title(f"mean squared error {title}", loc="left", color=INK)
    axes.set(xlabel="x", ylabel="y")
    legend_below(axes)
    return save_figure(figure, path)


def _form(X: Any) -> tuple[int, ...]:
    return (-1, 1) if np.ndim(X) == 2 else (-1,)


def _check_pair(validation: Any) -> Any:
    if not isinstance(validation, tuple | list) or len(validation) != 2:
        raise TypeError(f"validation must be a pair of arrays (X, y), not {shown(validation)}")
    return validation


def _predictions(model: Model, inputs: np.ndarray) -> np.ndarray:
    """What the model gives, as numbers of shape (n,)."""
    name = "what the model gives"
    return column(finite_numbers(outputs(model, inputs), name).astype(float), name)
