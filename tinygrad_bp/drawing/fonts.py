"""How wide text is, so that an SVG looks as it was laid out in whatever font a reader has.

An engine without a text library lays text out in Helvetica's widths, and counts every byte of
another letter as a space. Each run of text is therefore told how long it is to be, and a run that
follows another is put where that one ends.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator, Sequence

from ..explain.notation import levels

# The widths of the letters from space to tilde, in thousandths of the size (Adobe's font metrics)
_PLAIN = """278 278 355 556 556 889 667 222 333 333 389 584 278 333 278 278 556 556 556 556 556 556
556 556 556 556 278 278 584 584 584 556 1015 667 667 722 722 667 611 778 722 278 500 667 556 833
722 778 667 778 722 667 611 722 667 944 667 667 611 278 278 278 469 556 222 556 556 500 556 556 278
556 556 222 222 500 222 833 556 556 556 556 333 500 278 556 500 722 500 500 500 334 260 334 584"""
_BOLD = """278 333 474 556 556 889 722 278 333 333 389 584 278 333 278 278 556 556 556 556 556 556
556 556 556 556 333 333 584 584 584 611 975 722 722 722 722 667 611 778 722 278 556 722 611 833 722
778 667 778 722 667 611 722 667 944 667 667 611 333 278 333 584 556 278 556 611 556 611 556 333 611
611 278 278 556 278 889 611 611 611 611 389 556 333 611 556 778 556 556 500 389 280 389 584"""
_WIDTHS = [[int(width) for width in table.split()] for table in (_PLAIN, _BOLD)]
_SPACE, _USUAL = 278, 560
_KNOWN = {"×": 584, "−": 584, "·": 333, "→": 1000, "←": 1000, "½": 834, "°": 400}
_NEAR = 0.1  # points

# Raised and lowered letters: how large they are, and how far they move, in sizes of the text
SMALL, _UP, _DOWN = 0.7, 0.36, 0.16
_MARKS = {"\u0302": "ˆ", "\u0303": "˜", "\u0304": "¯"}  # of which every font has the letter alone
_MARK, _HIGHER = 333, 0.2

_TEXT = re.compile(r"<text ([^>]*)>([^<]*)</text>")
_PLACE = re.compile(r'text-anchor="(start|middle)" x="(-?[\d.]+)" y="(-?[\d.]+)"')
_SIZE = re.compile(r'font-size="([\d.]+)"')
_SHOWN = re.compile("([^\u0302-\u0304])([\u0302-\u0304])")


def settle(svg: str) -> str:
    """The SVG with the length of each run of text, and runs that follow one another closed up.

    What is raised, lowered or under a mark becomes ordinary letters in their places, as many fonts
    lack Unicode's.
    """
    after: tuple[str, float, float] | None = None  # a line, where a run ended, and where it ends

    def settle(found: re.Match[str]) -> str:
        nonlocal after
        attributes, text = found[1], html.unescape(found[2]).replace("\xa0", " ")
        size, place = _SIZE.search(attributes), _PLACE.search(attributes)
        if size is None or place is None or not text:
            return found[0]
        points, bold = float(size[1]), 'font-weight="bold"' in attributes
        laid_out, real = (points * width(text, bold, as_bytes=b) / 1000 for b in (True, False))
        x = start = float(place[2])
        if place[1] == "middle":
            start -= real / 2
        else:
            if after and after[0] == place[3] and abs(after[1] - x) < _NEAR:
                start = after[2]
            after = place[3], x + laid_out, start + real
        return "".join(
            _element(_PLACE.sub("", _SIZE.sub("", attributes)), *piece, bold)
            for piece in _pieces(text, start, float(place[3]), points, bold)
        )

    return _TEXT.sub(settle, svg)


def _pieces(
    text: str, x: float, y: float, size: float, bold: bool
) -> Iterator[tuple[str, float, float, float]]:
    """The ordinary letters of a run: a text, where it starts, and its size."""
    for run, level in levels(text):
        points = size * SMALL if level else size
        line = y - size * (_UP if level > 0 else -_DOWN if level else 0)
        for found in _SHOWN.finditer(run):
            before, letter = (width(run[:end], bold) for end in (found.start(), found.end()))
            middle = x + points * (before + letter) / 2000
            high = _HIGHER if found[1] in "bdfhklt" or not found[1].islower() else 0.0
            left = middle - points * _MARK / 2000
            yield _MARKS[found[2]], left, line - points * high, points
        plain = _SHOWN.sub(r"\1", run)
        yield plain, x, line, points
        x += points * width(plain, bold) / 1000


def _element(attributes: str, text: str, x: float, y: float, size: float, bold: bool) -> str:
    place = f'text-anchor="start" x="{x:.2f}" y="{y:.2f}" font-size="{size:.2f}"'
    if len(text.strip()) > 1 or text.isalnum():  # a wide W reaches into what is raised beside it
        length = size * width(text, bold) / 1000
        place += f' textLength="{length:.2f}" lengthAdjust="spacingAndGlyphs"'
    words = " ".join([*attributes.split(), place])
    return f"<text {words}>{html.escape(text, quote=False)}</text>"


def width(text: str, bold: bool = False, as_bytes: bool = False) -> float:
    """How wide a text is in Helvetica, in thousandths of its size.

    Parameters
    ----------
    text : str
    bold : bool
    as_bytes : bool
        As an engine without a text library counts: other letters by their bytes.

    Examples
    --------
    >>> width("x = 1"), width("δ"), width("δ", as_bytes=True)
    (2196, 560, 556)
    """
    table = _WIDTHS[bold]
    if as_bytes:
        widths = (table[ord(c) - 32] if " " <= c <= "~" else _SPACE * len(c.encode()) for c in text)
        return sum(widths)
    return sum(
        (SMALL if level else 1) * _width_of(letter, table)
        for run, level in levels(text)
        for letter in run
    )


def _width_of(letter: str, table: Sequence[int]) -> int:
    if " " <= letter <= "~":
        return table[ord(letter) - 32]
    return 0 if unicodedata.combining(letter) else _KNOWN.get(letter, _USUAL)
