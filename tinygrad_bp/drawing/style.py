"""How a picture looks: colours, numbers as text, and the pieces that cards are made of.

Blue is a value, orange a gradient; grey flows forward, orange backward. Nothing is told by colour
alone: a leaf has a thick border, a constant a dashed one, a group a double one.
"""

from __future__ import annotations

import html
import math
import re
from typing import Any

from ..explain.notation import typeset
from ..support.palette import (
    BADGE,
    BLUE,
    BLUE_PAPER,
    FAINT,
    FREE,
    GREEN,
    GREEN_PAPER,
    INK,
    LINE,
    ORANGE,
    ORANGE_PAPER,
    PAPER,
)

CLEAR = "transparent"

# One font, whose widths every engine knows; the SVG's is widened after it was laid out.
FONT = "Helvetica"
SVG_FONTS = "Helvetica,Arial,Arimo,'Liberation Sans',sans-serif"

CARD = {
    "shape": "box",
    "style": "rounded,filled",
    "margin": "0.1,0.04",
    "fillcolor": PAPER,
    "color": LINE,
}
KINDS: dict[str, dict[str, str]] = {
    "leaf": {"fillcolor": BLUE_PAPER, "color": BLUE, "penwidth": "2.0"},
    "const": {"fillcolor": FAINT, "penwidth": "1.2", "style": "rounded,filled,dashed"},
    "mid": {"penwidth": "1.2"},
    "out": {"fillcolor": GREEN_PAPER, "color": GREEN, "penwidth": "2.2"},
    "group": {"penwidth": "1.2", "peripheries": "2"},
    "more": {"fillcolor": FAINT, "penwidth": "1.2", "style": "rounded,filled,dashed"},
    "alias": {"penwidth": "1.0", "style": "rounded,filled,dashed", "width": "0", "height": "0"},
}
CLUSTER = {
    "style": "rounded,filled",
    "color": "#B6C2CE",
    "fillcolor": "#8292A214",  # 8 % grey, which suits both backgrounds
    "penwidth": "1",
    "margin": "12",
    "labeljust": "l",
    "fontcolor": FREE,
}
OPERATION = {
    "style": "rounded,filled",
    "fillcolor": "#33424F",
    "color": LINE,
    "fontcolor": "white",
}
SIGN = {"shape": "circle", "style": "filled", "fixedsize": "true", "width": "0.4", "fontsize": "16"}
WORD = {"shape": "box", "height": "0.34", "width": "0.4", "margin": "0.1,0.02"}

LONGEST_NAME = 32


def magnitude(value: Any) -> str:
    """A norm for a card, to three digits.

    Examples
    --------
    >>> [magnitude(v) for v in (0.2642, 3.0, 1234567.0, 0.0, None)]
    ['0.264', '3.00', '1.23e+06', '0', '-']
    """
    return "-" if value is None else "0" if value == 0 else f"{float(value):#.3g}"


def shape_of(value: Any) -> str:
    """An array's shape as NumPy writes it; what has no axes is called a scalar."""
    return str(tuple(value.shape)) if value.shape else "scalar"


def one_line(text: str, longest: int = LONGEST_NAME) -> str:
    r"""``text`` on one line, without characters that no font has, and cut where it is too long.

    Examples
    --------
    >>> one_line("two\nlines"), one_line("x" * 40, longest=8)
    ('two lines', 'xxxxx...')
    """
    shown = "".join(c if c.isprintable() else " " for c in typeset(text))
    return shown if len(shown) <= longest else shown[: longest - 3] + "..."


def font(
    text: str, color: str = INK, size: int = 11, bold: bool = False, italic: bool = False
) -> str:
    """A run of text in a label."""
    text = html.escape(text, quote=False)
    if "\n" in text:  # a matrix, in which two spaces are about as wide as a digit
        text = re.sub("  +", lambda found: (2 * len(found[0]) - 1) * " ", text)
    lines = text.split("\n")  # each marked by itself, or an engine sets them closer together
    lines = [f"<I>{line}</I>" for line in lines] if italic else lines
    lines = [f"<B>{line}</B>" for line in lines] if bold else lines
    text = '<BR ALIGN="RIGHT"/>'.join(lines)
    return f'<FONT COLOR="{color}" POINT-SIZE="{size}">{text}</FONT>'


def cell(content: str, align: str = "LEFT", **attributes: Any) -> str:
    """A cell of a card's table."""
    others = "".join(f' {name.upper()}="{value}"' for name, value in attributes.items())
    return f'<TD ALIGN="{align}"{others}>{content}</TD>'


def row(*cells: str) -> str:
    """A row of cells."""
    return f"<TR>{''.join(cells)}</TR>"


RULE = "<HR/>"


def html_table(*rows: str, padding: int = 3, spacing: int = 0) -> str:
    """A label made of rows, as Graphviz marks one that is not plain text."""
    start = f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="{spacing}" CELLPADDING="{padding}">'
    return f"<{start}{''.join(rows)}</TABLE>>"


def width_of(text: str, size: int) -> int:
    """About how many points wide a text is, and rather too many than too few."""
    narrow, wide = (sum(text.count(c) for c in group) for group in (" ,.:'|()[]/fijlrt1", "@MWmw%"))
    return math.ceil(size * (0.6 * len(text) - 0.25 * narrow + 0.3 * wide))


def badge(step: int, seen: bool = True, **attributes: Any) -> str:
    """The cell that numbers a step of the backward pass, as high as a line of text."""
    text = font(str(step), "white" if seen else CLEAR, 10, bold=True)
    size = {"width": 6 * len(str(step)) + 10, "height": 16, "fixedsize": "TRUE"}
    inner = row(cell(text, "CENTER", bgcolor=BADGE if seen else CLEAR, **size))
    start = '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0" FIXEDSIZE="TRUE"'
    room = f'WIDTH="{size["width"]}" HEIGHT="16"'
    return cell(f"{start} {room}>{inner}</TABLE>", "CENTER", **attributes)


def bar(fraction: float, width: int = 72, height: int = 5) -> str:
    """A bar that is filled by ``fraction`` of its width."""
    filled = round(width * min(max(fraction, 0.0), 1.0))
    parts = "".join(
        f'<TD BGCOLOR="{color}" WIDTH="{length}" HEIGHT="{height}" FIXEDSIZE="TRUE"></TD>'
        for color, length in ((ORANGE, filled), (ORANGE_PAPER, width - filled))
        if length
    )
    return (
        '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0" FIXEDSIZE="TRUE" '
        f'ALIGN="LEFT" WIDTH="{width}" HEIGHT="{height}"><TR>{parts}</TR></TABLE>'
    )
