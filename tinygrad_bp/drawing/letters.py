"""Raised and rare letters in the PNG of an engine that knows the widths of ASCII alone.

It takes every byte of another letter for a space, which leaves gaps, and a PNG cannot be put right
once it is drawn, as an SVG can. So a line with such letters is handed over as a row of cells: what
is raised is ordinary letters at the top of a cell, and a rare letter has one as wide as itself.
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterator

from ..explain.notation import levels
from .fonts import SMALL, width

_LINE = re.compile(r"<TD([^<>]*)>((?:<FONT [^<>]*>(?:<[BI]>)*[^<]*(?:</[BI]>)*</FONT>)+)</TD>")
_RUN = re.compile(r'<FONT (COLOR="[^"]*" )POINT-SIZE="(\d+)">((?:<[BI]>)*)([^<]*)')
_CLUSTERS = re.compile(r"(?:[ -~](?![\u0300-\u036f]))+|.[\u0300-\u036f]*", re.DOTALL)
_NEAR = 60  # thousandths of the size: so much wrong does not show
_BARE = 'BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0" FIXEDSIZE="TRUE"'


def in_cells(source: str) -> str:
    """DOT text in which every line is of letters that are as wide as an engine takes them for.

    Each takes the room that it took before, so that nothing else moves.

    Examples
    --------
    >>> cell = '<TD ALIGN="LEFT"><FONT COLOR="red" POINT-SIZE="10">{}</FONT></TD>'
    >>> in_cells(cell.format("x = 1")) == cell.format("x = 1")
    True
    >>> in_cells(cell.format("x²")).count("<TD")
    4
    """
    return _LINE.sub(_as_row, source)


def _as_row(found: re.Match[str]) -> str:
    runs = [
        (color, int(size), marks, html.unescape(text))
        for color, size, marks, text in _RUN.findall(found[2])
    ]
    if not any(_is_odd(text, "<B>" in marks) for _, _, marks, text in runs):
        return found[0]
    cells, taken, needed = [], 0.0, 0.0
    for color, size, marks, text in runs:
        bold = "<B>" in marks
        taken += size * width(text, bold, as_bytes=True) / 1000
        for piece, level in _pieces(text):
            points = round(size * SMALL) if level else size
            long = points * width(piece, bold) / 1000
            fixed = round(long) if _is_odd(piece, bold) else 0
            needed += fixed or long
            cells.append(_cell(color, points, marks, piece, level, fixed))
    rest = max(0, math.floor(taken - needed))
    filler = [f'<TD WIDTH="{rest}"></TD>'] if rest else []
    on_the_right = 'ALIGN="RIGHT"' in found[1]
    row = "".join([*filler, *cells] if on_the_right else [*cells, *filler])
    high = round(1.2 * max(size for _, size, _, _ in runs))
    room = f'WIDTH="{round(needed + rest)}" HEIGHT="{high}"'
    align = "RIGHT" if on_the_right else "LEFT"
    return f'<TD{found[1]}><TABLE {_BARE} ALIGN="{align}" {room}><TR>{row}</TR></TABLE></TD>'


def _is_odd(text: str, bold: bool) -> bool:
    """Whether a text is not as wide as an engine without a text library takes it for."""
    return abs(width(text, bold) - width(text, bold, as_bytes=True)) > _NEAR


def _pieces(text: str) -> Iterator[tuple[str, int]]:
    """ASCII, and every other letter by itself, each with its level."""
    for run, level in levels(text):
        for piece in _CLUSTERS.findall(run):
            yield piece, level


def _cell(color: str, points: int, marks: str, piece: str, level: int, fixed: int) -> str:
    place = {1: ' VALIGN="TOP"', -1: ' VALIGN="BOTTOM"'}.get(level, "")
    if fixed:
        place += f' WIDTH="{fixed}" HEIGHT="{points}" FIXEDSIZE="TRUE"'
    ends = "".join(f"</{mark}>" for mark in re.findall(r"<([BI])>", marks)[::-1])
    shown = html.escape(piece, quote=False)
    end = '<BR ALIGN="LEFT"/>' if fixed else ""
    start = f'<FONT {color}POINT-SIZE="{points}">{marks}'
    return f"<TD{place}>{start}{shown}{ends}</FONT>{end}</TD>"
