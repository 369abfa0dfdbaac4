"""What all pictures share: a figure without global state, numbers to draw, and a file."""

from __future__ import annotations

import functools
import io
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..engine.recording import no_grad
from ..engine.tensor import Tensor
from ..nn import evaluating
from ..support.arguments import shown
from ..support.files import writable_path, write
from ..support.palette import BLUE, INK, LINE, ORANGE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Model = Callable[[Any], Any]
PathLike = str | os.PathLike[str]

VALUE, GRADIENT = BLUE, ORANGE
LEGEND = 8  # as many entries as a reader can tell apart
LARGEST = 1e100  # the squares of larger numbers, and the margins around them, may overflow
_DPI = 110
_UNDATED: dict[str, dict[str, Any]] = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
SUFFIXES = (".png", ".svg", ".pdf")


@contextmanager
def own_style() -> Iterator[None]:
    """Draw with matplotlib's own settings: on a user's dark ground our dark letters would vanish.

    A context manager and a decorator.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    try:
        import matplotlib.style
    except ImportError:
        raise ImportError(
            'these pictures need matplotlib: pip install "tinygrad_bp[plot]"'
        ) from None
    with matplotlib.style.context("default"):
        yield


def canvas(
    width: float, height: float, path: PathLike | None = None, rows: int = 1, columns: int = 1
) -> tuple[Figure, Any]:
    """A figure of that many inches, and its axes as an array; for ``path``, if that can be.

    Raises
    ------
    ValueError, OSError
        If there cannot be a picture at ``path``.
    """
    if path is not None:
        writable_path(path, SUFFIXES)
    figure = _figure_type()(figsize=(width, height), dpi=_DPI, layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat:
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["bottom", "left"]].set_color(LINE)
        axes.tick_params(which="both", color=LINE, labelcolor=INK)
    return figure, grid


@functools.cache
def _figure_type() -> type[Figure]:
    """A Figure of matplotlib that notebooks show without pyplot."""
    from matplotlib.figure import Figure

    class ShownFigure(Figure):
        def _repr_png_(self) -> bytes:
            """In 256 colours, which keeps a notebook small without a visible difference."""
            from PIL import Image  # which matplotlib brings

            file = io.BytesIO()
            image = Image.fromarray(pixels(self)).quantize(256, dither=Image.Dither.NONE)
            image.save(file, "PNG", optimize=True)
            return file.getvalue()

    return ShownFigure


def file_content(figure: Figure, suffix: str) -> bytes:
    """The picture as the content of a file."""
    file = io.BytesIO()
    figure.savefig(file, format=suffix[1:], dpi=figure.dpi, metadata=_UNDATED.get(suffix))
    return file.getvalue()


def pixels(figure: Figure) -> np.ndarray:
    """The picture as an array of shape (height, width, 3)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    page = FigureCanvasAgg(figure)
    page.draw()
    return np.asarray(page.buffer_rgba())[..., :3].copy()


def save_figure(figure: Figure, path: PathLike | None) -> Figure:
    """The figure, which is now at ``path`` too."""
    if path is not None:
        write(Path(path), file_content(figure, Path(path).suffix.lower()))
    return figure


def legend_below(axes: Axes) -> None:
    """Name what is drawn under the axes, where it hides nothing."""
    from matplotlib.transforms import ScaledTranslation

    names = axes.get_legend_handles_labels()[1]
    letters = axes.bbox.width / 8  # as many as there is room for in a row
    columns = int(letters / (6 + max(map(len, names))))  # 6 for the mark and the gaps
    columns = max(1, min(columns, 4, len(names)))
    label = ScaledTranslation(0, -0.5, axes.figure.dpi_scale_trans)  # half an inch for the axis
    place: dict[str, Any] = {"bbox_to_anchor": (0.5, 0), "bbox_transform": axes.transAxes + label}
    axes.legend(loc="upper center", ncols=columns, frameon=False, borderaxespad=0, **place)


def layer_titles(names: Iterable[str]) -> list[str]:
    """What layers are called, by the names that a model has for them: they count from 1.

    Examples
    --------
    >>> layer_titles(["0", "2", "head"])
    ['layer 1', 'layer 2', 'layer 3, head']
    """
    return [
        f"layer {n}" if name.isdigit() or not name else f"layer {n}, {name}"
        for n, name in enumerate(names, 1)
    ]


# What is drawn


def callable_model(model: Any) -> Model:
    """The model, if it can be called with inputs.

    Raises
    ------
    TypeError
        If it cannot, as the estimators of scikit-learn.
    """
    if callable(model) and not isinstance(model, type):
        return model
    advice = ": pass its predict" if hasattr(model, "predict") else ""
    raise TypeError(f"the model must be a Module or a function, not {shown(model)}{advice}")


def outputs(model: Model, inputs: np.ndarray) -> np.ndarray:
    """What a model or function gives, as an array; nothing is recorded.

    Raises
    ------
    TypeError
        If the model cannot be called.
    ValueError
        If it is not one row for each row of the inputs, or holds nan.
    """
    with evaluating(callable_model(model)), no_grad():
        out = model(inputs)
    out = array_of(out.data if isinstance(out, Tensor) else out, "what the model gives")
    if out.shape[:1] != inputs.shape[:1]:
        raise ValueError(f"the model gives shape {out.shape} for inputs of shape {inputs.shape}")
    if out.dtype.kind == "f" and np.isnan(out).any():
        raise ValueError("the model gives nan, which cannot be drawn: did its training diverge?")
    return out


def array_of(values: Any, name: str) -> np.ndarray:
    """An array of NumPy's, of a table or column of pandas too.

    Raises
    ------
    ValueError
        If the values make none, as rows of several lengths.
    """
    try:
        return np.asarray(values)
    except ValueError:
        raise ValueError(f"{name} must be an array, not {shown(values)}") from None


def finite_numbers(values: Any, name: str) -> np.ndarray:
    """An array of finite numbers that are not too large to be drawn, at least one.

    Raises
    ------
    ValueError
        If it is empty or something else.
    """
    array = array_of(values, name)
    if not array.size or array.dtype.kind not in "biuf":
        raise ValueError(
            f"{name} must hold finite numbers, not {array.dtype} of shape {array.shape}"
        )
    largest = np.abs(array.astype(float)).max()
    if not largest <= LARGEST:  # which nan is not
        raise ValueError(
            f"{name} must hold finite numbers, of a size up to {LARGEST:g}: it holds {largest:g}"
        )
    return array


def column(values: Any, name: str, rows: int | None = None) -> np.ndarray:
    """An array of shape (n,) or (n, 1), as (n,).

    Raises
    ------
    ValueError
        If its shape is another, or there are not as many as ``rows``.
    """
    array = array_of(values, name)
    if array.ndim != 1 and array.shape[1:] != (1,):
        raise ValueError(f"{name} must have shape (n,) or (n, 1), not {array.shape}")
    if rows is not None and len(array) != rows:
        raise ValueError(f"{name} has {len(array)} rows, and X has {rows}: they must agree")
    return array.reshape(len(array))
