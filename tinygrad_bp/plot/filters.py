"""The weights of a layer, each unit's as an image."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..engine.tensor import Tensor
from ..nn import Module
from ..support.arguments import shown, size
from ..support.palette import INK
from .figure import PathLike, canvas, finite_numbers, save_figure
from .presenting import picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@picture
def weights(
    layer: Any,
    image_shape: tuple[int, int] | None = None,
    *,
    most: int = 64,
    path: PathLike | None = None,
) -> Figure:
    """Draw the weights of each unit as an image: what the unit looks for in its input.

    Blue is positive, red negative, white zero, on one scale for all units.

    Parameters
    ----------
    layer : Module, Tensor or array
        The weights, of shape (units, inputs); of a Module, the first ones it holds. Or filters
        of a convolution, of shape (filters, rows, columns) or (filters, channels, rows, columns):
        each channel is an image of its own.
    image_shape : (int, int), optional
        The rows and columns of an image whose pixels, row by row, are the inputs. If not given,
        it is a square; filters have theirs.
    most : int
        Draw no more units than this.

    Raises
    ------
    ValueError
        If there are no weights, their shape does not fit, or a number is not finite.

    Examples
    --------
    >>> from tinygrad_bp import nn
    >>> figure = weights(nn.MLP([64, 16, 10], seed=0), (8, 8))
    >>> figure.axes[0].get_title(loc="left")
    '0.weight: 16 units, each as 8 × 8 inputs'
    """
    figure, axes = canvas(5.8, 5.2, path)
    name, values = _first_weights(layer)
    matrix, (height, width), kind = _images(
        finite_numbers(values, name).astype(float), image_shape, name
    )
    units = len(matrix)
    matrix = matrix[: size(most, "most")]
    limit = np.abs(matrix).max() or 1.0
    axes = axes.item()
    drawn = axes.imshow(_tiles(matrix, height, width), cmap="RdBu", vmin=-limit, vmax=limit)
    axes.axis("off")
    count = f"{units}" if units == len(matrix) else f"the first {len(matrix)} of {units}"
    title = f"{name}: {count} {kind.format(height, width)}"
    axes.set_title(title, loc="left", color=INK)
    bar = figure.colorbar(drawn, shrink=0.8)
    bar.outline.set_visible(False)
    return save_figure(figure, path)


def _first_weights(layer: Any) -> tuple[str, Any]:
    if isinstance(layer, Module):
        found = [p for p in layer.named_parameters() if p[1].ndim in {2, 3, 4}]
        if not found:
            raise ValueError(
                f"this {type(layer).__name__} holds no weights of shape (units, inputs)"
            )
        return found[0][0], found[0][1].numpy()
    if isinstance(layer, Tensor):
        return layer.name or "weights", layer.numpy()
    return "weights", layer


def _images(
    values: np.ndarray, image_shape: Any, name: str
) -> tuple[np.ndarray, tuple[int, int], str]:
    """One image to a row, their rows and columns, and what they are."""
    if image_shape is None and values.ndim in {3, 4}:
        kind = "filters" if values.ndim == 3 else "channels of filters"
        height, width = values.shape[-2:]
        return values.reshape(-1, height * width), (height, width), f"{kind} of {{}} × {{}}"
    side = math.isqrt(values.shape[-1]) if values.ndim else 0
    if image_shape is None and values.ndim == 2 and side**2 != values.shape[-1]:
        raise ValueError(
            f"{name} has {values.shape[-1]} inputs, which make no square: "
            "give image_shape=(rows, columns)"
        )
    height, width = _rows_and_columns((side, side) if image_shape is None else image_shape)
    if values.ndim != 2 or values.shape[1] != height * width:
        raise ValueError(
            f"{name} has shape {values.shape}: images of {height} × {width} "
            f"need (units, {height * width})"
        )
    return values, (height, width), "units, each as {} × {} inputs"


def _rows_and_columns(image_shape: Any) -> tuple[int, int]:
    try:
        height, width = image_shape
    except (TypeError, ValueError):
        raise TypeError(f"image_shape must be (rows, columns), not {shown(image_shape)}") from None
    return size(height, "image_shape"), size(width, "image_shape")


def _tiles(matrix: np.ndarray, height: int, width: int) -> np.ndarray:
    """One large image of small ones, row by row, with a pixel of nothing between them."""
    columns = math.ceil(math.sqrt(len(matrix) * height / width))
    rows = math.ceil(len(matrix) / columns)
    page = np.full((rows * columns, height + 1, width + 1), np.nan)
    page[: len(matrix), :-1, :-1] = matrix.reshape(-1, height, width)
    grid = page.reshape(rows, columns, height + 1, width + 1).swapaxes(1, 2)
    return grid.reshape(rows * (height + 1), columns * (width + 1))[:-1, :-1]
