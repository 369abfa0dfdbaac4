"""What training measured, epoch by epoch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..support.arguments import shown
from ..support.palette import GREEN, HAIR, INK, PINK
from .figure import (
    GRADIENT,
    LARGEST,
    LEGEND,
    VALUE,
    PathLike,
    canvas,
    layer_titles,
    save_figure,
)
from .presenting import picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


_VALIDATION = "validation "
_BY_LAYER = "error signal by layer, mean |δ|"
_VALUES = [VALUE, GREEN, PINK, INK]
_PALEST = 0.35  # of the colour map of the layers
_FEW = 15  # epochs, each of which has a marker
_LEARNED_FROM = {"linestyle": "-", "marker": "o"}
_MEASURED_APART = {"linestyle": "--", "marker": "s", "fillstyle": "none"}


@picture
def loss_curves(history: Any, *, path: PathLike | None = None) -> Figure:
    """Draw the losses and metrics of each epoch, and the length of the gradient.

    The error signal δ of each layer is drawn if `fit` was called with ``observe="deltas"``.

    What was measured on validation data is dashed, with hollow squares. Losses and gradients that
    are all positive are on a logarithmic scale if the largest is ten times the smallest. The
    darker a layer's curve, the nearer it is to the output: where the pale ones lie far below the
    dark ones, the gradient vanishes. The learning rate is drawn if it changed. Where a number is
    nan, infinite or larger than 1e100, its curve has a gap.

    Parameters
    ----------
    history : History
        What `train.fit` returned.

    Raises
    ------
    TypeError
        If ``history`` is not a History.
    ValueError
        If there are no epochs to draw.

    Examples
    --------
    >>> from tinygrad_bp.train.history import History
    >>> history = History()
    >>> for loss in (1.0, 0.5, 0.25):
    ...     history.append({"loss": loss, "validation loss": 1.1 * loss, "accuracy": 1 - loss})
    >>> [axes.get_title(loc="left") for axes in loss_curves(history).axes]
    ['loss', 'metrics']
    """
    if not hasattr(history, "names"):
        raise TypeError(f"what is drawn is a History, as fit gives it, not {shown(history)}")
    panels = _panels(history)
    if not panels:
        raise ValueError("there is nothing to draw: the history has no epochs")
    columns = 2 if len(panels) == 4 else min(len(panels), 3)
    rows = math.ceil(len(panels) / columns)
    figure, grid = canvas(3.7 * columns + 0.4, 2.9 * rows, path, rows, columns)
    for axes, (title, curves) in zip(grid.flat, panels.items(), strict=False):
        _draw(axes, title, curves)
    for axes in grid.flat[len(panels) :]:
        axes.remove()
    last = grid.flat[len(panels) - 1]  # which gets the room that is left beside it
    cells = last.get_gridspec()[rows - 1, (len(panels) - 1) % columns :]
    last.set_subplotspec(cells)
    return save_figure(figure, path)


def _panels(history: Any) -> dict[str, dict[str, np.ndarray]]:
    """The curves to draw, by the title of the panel that they go into."""
    measured = {name: history[name] for name in history.names}
    if not np.ptp(measured.get("learning rate", 0)):  # there is nothing to see of a constant
        measured.pop("learning rate", None)
    panels = {
        "loss": ["loss", f"{_VALIDATION}loss"],
        "metrics": history.metrics,
        "gradient norm": ["gradient norm"],
        "learning rate": ["learning rate"],
    }
    curves = {
        title: {name: measured[name] for name in names if name in measured}
        for title, names in panels.items()
    }
    curves[_BY_LAYER] = dict(
        zip(layer_titles(history.deltas), history.deltas.values(), strict=True)
    )
    return {title: found for title, found in curves.items() if found}


def _draw(axes: Axes, title: str, curves: dict[str, np.ndarray]) -> None:
    drawn = [np.where(np.abs(values) <= LARGEST, values, np.nan) for values in curves.values()]
    for values, look in zip(drawn, _looks(title, list(curves)), strict=True):
        marker_size = 4 if len(values) < _FEW else 0
        epochs = np.arange(1, len(values) + 1)
        axes.plot(epochs, values, linewidth=1.6, markersize=marker_size, **look)
    if title not in ("metrics", "learning rate") and _spans_a_decade(np.concatenate(drawn)):
        axes.set_yscale("log")
    axes.set_title(title, loc="left", color=INK)
    axes.set_xlabel("epoch", color=INK)
    axes.grid(axis="y", color=HAIR, linewidth=0.8)
    axes.locator_params(axis="x", integer=True, min_n_ticks=1)
    if title == _BY_LAYER:  # the output's on top, as its curve mostly is
        place: dict[str, Any] = {"loc": "center left", "bbox_to_anchor": (1.0, 0.5)}
        axes.legend(frameon=False, fontsize="small", reverse=True, **place)
    elif len(curves) > 1 or title == "metrics":
        axes.legend(frameon=False, fontsize="small")


def _spans_a_decade(values: np.ndarray) -> bool:
    """Whether a logarithmic scale shows them, and shows more than a linear one."""
    values = values[np.isfinite(values)]
    return bool(values.size and 0 < 10 * values.min() <= values.max())


def _looks(title: str, names: list[str]) -> list[dict[str, Any]]:
    """The colour, the dashes, the markers and the label of each curve of a panel."""
    if title == _BY_LAYER:
        return _layer_looks(names)
    measured = list(dict.fromkeys(name.removeprefix(_VALIDATION) for name in names))
    colors = [GRADIENT] if title == "gradient norm" else _VALUES
    return [
        {
            "color": colors[measured.index(name.removeprefix(_VALIDATION)) % len(colors)],
            "label": name,
            **(_MEASURED_APART if name.startswith(_VALIDATION) else _LEARNED_FROM),
        }
        for name in names
    ]


def _layer_looks(names: list[str]) -> list[dict[str, Any]]:
    """Orange, darker from the input's side to the output's; no more names than are legible."""
    from matplotlib import colormaps

    shades = colormaps["Oranges"](np.linspace(_PALEST, 1, len(names)))
    named = set(np.linspace(0, len(names) - 1, min(len(names), LEGEND)).round())
    return [
        {"color": tuple(shade), "label": name if i in named else None, **_LEARNED_FROM}
        for i, (name, shade) in enumerate(zip(names, shades, strict=True))
    ]
