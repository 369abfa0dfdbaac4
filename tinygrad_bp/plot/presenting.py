"""A plot for a page, a dark page or a slide: its ground, its colours and its size."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..support.answers import keyword_advice
from ..support.arguments import positive, suggestion
from ..support.files import writable_path
from ..support.palette import DARK, HAIR, INK, NIGHT, QUIET
from .figure import SUFFIXES, own_style, pixels, save_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

THEMES = ("auto", "light", "dark")
SIZES = ("slide",)
USUAL = 10  # points of a label
SMALLEST = 14  # points of text on a slide of 1920 x 1080 pixels at 96 to the inch
_WIDE, _HIGH = 1920, 1080
_LINE, _LETTER = 3.0, 4.5  # the contrasts that a line and a letter need to be seen


_SHARED = """path : str or path, optional
    Where to write the picture, too: as PNG, SVG or PDF, which the suffix chooses.
theme : {'auto', 'light', 'dark'}
    The ground that it is drawn for; 'auto' is 'light'.
font_size : float, optional
    The size of the labels in points, 10 by default.
caption : bool
    Whether a picture of one panel has its line of text above it.
size : 'slide', optional
    16 : 9, and no text under 14 points on a screen of 1920 x 1080 pixels.

Returns
-------
matplotlib.figure.Figure
    A notebook shows it.

Raises
------
ImportError
    If matplotlib is not installed.
OSError
    If ``path`` cannot be written.
"""


def picture(function: Callable[..., Figure]) -> Callable[..., Figure]:
    """Add to a function that draws ``theme``, ``font_size``, ``caption`` and ``size``.

    Its figure is written to ``path`` after that. What these parameters mean, what is returned
    and what every picture may raise is added to its docstring, before its own ``Raises``.
    """
    drawn = keyword_advice(function)

    @functools.wraps(function)
    def shown(
        *inputs: Any,
        path: Any = None,
        theme: str = "auto",
        font_size: float | None = None,
        caption: bool = True,
        size: str | None = None,
        **options: Any,
    ) -> Figure:
        if path is not None:
            writable_path(path, SUFFIXES)
        for name, value, known in (("theme", theme, THEMES), ("size", size, (None, *SIZES))):
            if value not in known:
                others = suggestion(str(value), [str(one) for one in known if one])
                raise ValueError(f"unknown {name} {value!r}: {others}")
        with own_style():
            figure = drawn(*inputs, **options)
            _present(figure, theme, font_size, caption, size)
            return save_figure(figure, path)

    own = inspect.signature(function).parameters
    added = inspect.signature(shown, follow_wrapped=False).parameters
    known = {**own, **{name: added[name] for name in ("theme", "font_size", "caption", "size")}}
    vars(shown)["__signature__"] = inspect.Signature([*known.values()])
    before, heading, after = inspect.cleandoc(function.__doc__ or "").partition("Raises\n------\n")
    shown.__doc__ = before.rstrip() + "\n" + _SHARED + after if heading else before
    return shown


def _present(
    figure: Figure, theme: str, font_size: float | None, caption: bool, size: str | None
) -> None:
    titled = [axes for axes in figure.axes if axes.get_title(loc="left")]
    if not caption and len(titled) == 1:  # of several, the titles are what tells them apart
        titled[0].set_title("", loc="left")
    if theme == "dark":
        _darken(figure)
    if font_size is not None:
        _scale(figure, positive(font_size, "font_size") / USUAL)
    if size == "slide":
        _fill_a_slide(figure)


def _fill_a_slide(figure: Figure) -> None:
    """Make the figure 16 : 9, and its text so large that it can be read.

    Raises
    ------
    ValueError
        If there is no room for it.
    """
    width, height = figure.get_size_inches()
    width = max(width, height * _WIDE / _HIGH)
    figure.set_size_inches(width, width * _HIGH / _WIDE)
    figure.set_dpi(_WIDE / width)
    smallest = min(text.get_fontsize() for text in _texts(figure)) * figure.dpi / 96
    _scale(figure, max(1.0, 1.01 * SMALLEST / smallest))
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        pixels(figure)
    if any("not applied" in str(warning.message) for warning in said):
        raise ValueError(
            f"on a slide this picture of {len(figure.axes)} panels has no room for text of "
            f"{SMALLEST} points: draw fewer of them, or leave out size='slide'"
        )


def _artists(within: Any, kind: Any) -> list[Any]:
    return within.findobj(kind)


def _texts(figure: Figure) -> list[Any]:
    from matplotlib.text import Text

    return [text for text in _artists(figure, Text) if text.get_text()]


def _scale(figure: Figure, factor: float) -> None:
    """Make all text larger; the axes make room for it."""
    ticks = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            labels = [*axis.get_ticklabels(), *axis.get_ticklabels(minor=True)]
            if labels:
                size = factor * float(labels[0].get_fontsize())
                axis.set_tick_params(which="both", labelsize=size)
            ticks |= {*labels, *axis.get_ticklabels(), *axis.get_ticklabels(minor=True)}
    for text in _texts(figure):
        if text not in ticks:
            text.set_fontsize(factor * text.get_fontsize())


def _darken(figure: Figure) -> None:
    """Put the figure on a dark ground; what could not be seen there is made lighter."""
    from matplotlib.collections import Collection
    from matplotlib.lines import Line2D

    figure.set_facecolor(NIGHT)
    for axes in figure.axes:
        axes.tick_params(which="both", labelcolor=DARK[INK])
        axes.set_facecolor(NIGHT)
        if not axes.images:  # what is drawn on an image has a light ground of its own
            for line in _artists(axes, Line2D):
                line.set_color(_visible(line.get_color(), _LINE))
            for drawn in _artists(axes, Collection):
                if drawn.get_array() is not None:  # a scale of colours
                    continue
                faces, edges = drawn.get_facecolor(), drawn.get_edgecolor()
                drawn.set_facecolor([_visible(color, _LINE) for color in faces])
                drawn.set_edgecolor([_visible(color, _LINE) for color in edges])
    for text in _texts(figure):
        text.set_color(_visible(text.get_color(), _LETTER))


def _visible(color: Any, least: float) -> Any:
    """A colour as it is on a dark ground, where it is so light that it can be seen."""
    from matplotlib.colors import to_hex, to_rgba

    known = {
        "#000000": DARK[INK],
        INK.lower(): DARK[INK],
        QUIET.lower(): DARK[QUIET],
        HAIR.lower(): DARK[HAIR],
    }
    given = to_rgba(known.get(to_hex(color), color))
    if to_hex(color) == HAIR.lower() or not given[3]:  # a grid is faint on purpose
        return given
    rgb, ground = np.array(given[:3]), _luminance(np.array(to_rgba(NIGHT)[:3]))
    while (_luminance(rgb) + 0.05) / (ground + 0.05) < least:
        rgb = rgb + 0.05 * (1 - rgb)
    return (*rgb, given[3])


def _luminance(rgb: np.ndarray) -> float:
    """How light a colour is, as guidelines for accessible web content measure it."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])
