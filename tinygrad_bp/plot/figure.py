"""What all pictures share: a figure without global state, numbers to draw, and a file."""

from __future__ import annotations

import functools
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..drawing.style import BACKWARD, INK, LINE
from ..files import checked, write
from ..nn import evaluating
from ..recording import no_grad
from ..tensor import Tensor

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Model = Callable[[Any], Any]
PathLike = str | os.PathLike[str]

VALUE, GRADIENT = "#0072B2", BACKWARD
LEGEND = 8  # as many entries as a reader can tell apart
_DPI = 110
_UNDATED: dict[str, dict[str, Any]] = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
_SUFFIXES = (".png", ".svg", ".pdf")


def canvas(
    width: float, height: float, path: PathLike | None = None, rows: int = 1, columns: int = 1
) -> tuple[Figure, Any]:
    """A figure of that many inches, and its axes as an array; for ``path``, if that can be.

    Raises
    ------
    ValueError, OSError
        If there cannot be a picture at ``path``.
    ImportError
        If matplotlib is not installed.
    """
    if path is not None:
        checked(path, _SUFFIXES)
    figure = _shown_figure()(figsize=(width, height), dpi=_DPI, layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat:
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["bottom", "left"]].set_color(LINE)
        axes.tick_params(which="both", color=LINE, labelcolor=INK)
    return figure, grid


@functools.cache
def _shown_figure() -> type[Figure]:
    """A Figure of matplotlib that is shown by notebooks that never heard of pyplot."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ImportError(
            'these pictures need matplotlib: pip install "tinygrad_bp[plot]"'
        ) from None

    class ShownFigure(Figure):
        def _repr_png_(self) -> bytes:
            """In 256 colours: a notebook stays small, and nobody sees it."""
            from PIL import Image  # which matplotlib brings

            file = io.BytesIO()
            image = Image.fromarray(pixels(self)).quantize(256, dither=Image.Dither.NONE)
            image.save(file, "PNG", optimize=True)
            return file.getvalue()

    return ShownFigure


def rendered(figure: Figure, suffix: str) -> bytes:
    """The picture as the content of a file."""
    file = io.BytesIO()
    figure.savefig(file, format=suffix[1:], metadata=_UNDATED.get(suffix))
    return file.getvalue()


def pixels(figure: Figure) -> np.ndarray:
    """The picture as an array of shape (height, width, 3)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    page = FigureCanvasAgg(figure)
    page.draw()
    return np.asarray(page.buffer_rgba())[..., :3].copy()


def saved(figure: Figure, path: PathLike | None) -> Figure:
    """The figure, which is now at ``path`` too."""
    if path is not None:
        write(Path(path), rendered(figure, Path(path).suffix.lower()))
    return figure


def legend_below(axes: Axes) -> None:
    """Name what is drawn under the axes, where it hides nothing."""
    columns = min(len(axes.get_legend_handles_labels()[1]), 4)
    place = (0.5, -0.13)
    axes.legend(
        loc="upper center", bbox_to_anchor=place, ncols=columns, frameon=False, borderaxespad=0
    )


# What is drawn


def outputs(model: Model, inputs: np.ndarray) -> np.ndarray:
    """What a model or function gives, as an array; nothing is recorded.

    Raises
    ------
    ValueError
        If it is not one row for each row of the inputs, or holds nan.
    """
    if not callable(model):
        raise TypeError(f"the model must be a Module or a function, not {model!r:.60}")
    with evaluating(model), no_grad():
        out = model(inputs)
    out = np.asarray(out.data if isinstance(out, Tensor) else out)
    if out.shape[:1] != inputs.shape[:1]:
        raise ValueError(f"the model gives shape {out.shape} for inputs of shape {inputs.shape}")
    if out.dtype.kind == "f" and np.isnan(out).any():
        raise ValueError("the model gives nan, which cannot be drawn: did its training diverge?")
    return out


def numbers(values: Any, name: str) -> np.ndarray:
    """An array of finite numbers, at least one.

    Raises
    ------
    ValueError
        If it is empty or something else.
    """
    array = np.asarray(values)
    if not array.size or array.dtype.kind not in "biuf" or not np.isfinite(array).all():
        raise ValueError(
            f"{name} must hold finite numbers, not {array.dtype} of shape {array.shape}"
            f"{' with nan or infinity' if array.size and array.dtype.kind == 'f' else ''}"
        )
    return array


def column(values: Any, name: str, rows: int | None = None) -> np.ndarray:
    """An array of shape (n,) or (n, 1), as (n,).

    Raises
    ------
    ValueError
        If its shape is another, or there are not as many as ``rows``.
    """
    array = np.asarray(values)
    if array.ndim != 1 and array.shape[1:] != (1,):
        raise ValueError(f"{name} must have shape (n,) or (n, 1), not {array.shape}")
    if rows is not None and len(array) != rows:
        raise ValueError(f"{name} has {len(array)} rows, and X has {rows}: they must agree")
    return array.reshape(len(array))
