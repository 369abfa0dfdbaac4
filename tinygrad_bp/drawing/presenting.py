"""A picture for a page, a dark page or a slide: its ground, its colours and its size."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from ..explain import Graph
from ..support.arguments import positive, suggestion
from ..support.palette import (
    BLUE_PAPER,
    CHIP,
    DARK,
    FAINT,
    FREE,
    GRADIENT,
    GREEN_PAPER,
    INK,
    NIGHT,
    ORANGE_PAPER,
    PAPER,
    QUIET,
    VALUE,
)
from .picture import Options, Picture, picture_of
from .render import DPI, render, size_of

THEMES = ("auto", "light", "dark")
SIZES = ("slide",)
USUAL = 12  # points of the numbers on a card
SMALLEST = 14  # points, of text on a slide of 1920 x 1080 pixels at 96 to the inch
_SLIDE = 1920 * 72 / 144, 1080 * 72 / 144  # in points, as a PNG is drawn with 144 dots to the inch
_PAD = 0.2 * 72

_ON_DARK = {
    **{color: DARK[color] for color in (INK, QUIET, VALUE, GRADIENT)},
    FREE: DARK[QUIET],
    PAPER: "#161B22",
    FAINT: "#21272F",
    BLUE_PAPER: "#10263A",
    GREEN_PAPER: "#0E2A22",
    ORANGE_PAPER: "#4A2A10",
    CHIP: "#33200F",
}


@dataclass(frozen=True, slots=True)
class Presentation:
    """How a picture is shown.

    Attributes
    ----------
    theme : {"auto", "light", "dark"}
        "auto": cards of their own on a ground that shows through, for pages of both kinds.
    font_size : float or None
        The size of the numbers on the cards, in points, to which all else is scaled.
    size : {"slide"} or None
        16 : 9, and no text under 14 points at 1920 x 1080.
    """

    theme: str = "auto"
    font_size: float | None = None
    size: str | None = None

    def __post_init__(self) -> None:
        if self.theme not in THEMES:
            raise ValueError(f"unknown theme {self.theme!r}: {suggestion(self.theme, THEMES)}")
        if self.size is not None and self.size not in SIZES:
            raise ValueError(f"unknown size {self.size!r}: {suggestion(self.size, SIZES)}")
        if self.font_size is not None:
            positive(self.font_size, "font_size")
            if self.size is not None:
                raise ValueError("a slide chooses its font size itself: leave out font_size=")

    @property
    def dpi(self) -> float:
        """The dots per inch at which a slide has 1920 x 1080; and for a film as many as do."""
        return DPI if self.size else 96

    def of(self, source: str) -> str:
        """The DOT text of a picture, so presented."""
        if self.theme == "dark":
            colors = re.compile("|".join(_ON_DARK))
            source = colors.sub(lambda found: _ON_DARK[found[0]], source)
        if self.theme != "auto":
            ground = PAPER if self.theme == "light" else NIGHT
            source = source.replace("bgcolor=transparent", f'bgcolor="{ground}"', 1)
        if self.size == "slide":
            return _on_a_slide(source)
        if self.font_size is not None:
            scale = self.font_size / USUAL
            width, height = (scale * length / 72 for length in size_of(_svg(source)))
            source = _with_attribute(source, f'size="{width:.3f},{height:.3f}!"')
        return source


def present(graph: Graph, options: Options, how: Presentation) -> tuple[Picture, Options]:
    """A picture, and the options that it was drawn with: on a full slide with fewer words.

    Raises
    ------
    ValueError
        If it is too large for a slide.
    """
    directions = [options.direction] if options.direction else ["LR", "TB"]
    briefly = [replace(options, brief=True, direction=d) for d in directions]
    for tried in [options, *(briefly if how.size else [])]:
        picture = picture_of(graph, tried)
        try:
            picture.source = how.of(picture.source)
        except ValueError:
            if tried is briefly[-1]:
                raise
        else:
            return picture, tried
    raise AssertionError("the last that was tried has raised")


def _on_a_slide(source: str) -> str:
    """The same with larger small letters, on a ground of 16 : 9.

    Raises
    ------
    ValueError
        If some text would be too small to be read.
    """
    source = re.sub(r'POINT-SIZE="1[01]"', f'POINT-SIZE="{USUAL}"', source)
    source = re.sub(r"\bfontsize=1[01]\b", f"fontsize={USUAL}", source)
    width, height = size_of(_svg(source))
    wide, high = _SLIDE
    scale = min(wide / width, high / height)
    points = USUAL * scale * 144 / 96
    if points < SMALLEST:
        raise ValueError(
            f"on a slide the smallest text of this picture would have {points:.0f} points, and "
            f"{SMALLEST} can be read: draw less of it, with fuse=True (the named steps alone), "
            "depth=1 (a card for each layer) or caption=False, or another direction="
        )
    across = (wide / scale - width) / 2 + _PAD
    down = (high / scale - height) / 2 + _PAD
    source = re.sub(r"\bpad=[\d.]+", f'pad="{across / 72:.4f},{down / 72:.4f}"', source, count=1)
    return _with_attribute(source, f'size="{wide / 72:.4f},{high / 72:.4f}!"')


def _svg(source: str) -> str:
    return render(source, "svg").decode()


def _with_attribute(source: str, attribute: str) -> str:
    """The DOT text with one more attribute of the whole."""
    return source.replace("graph [", f"graph [{attribute} ", 1)
