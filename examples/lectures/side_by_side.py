"""Columns beside each other: a formula, its value by hand, the engine's, and their difference."""

from itertools import zip_longest
from unicodedata import combining

import numpy as np


def side_by_side(rows):
    """Print rows of (formula, by hand, engine); a matrix takes a line for each of its rows."""
    table = [("formula", ["by hand"], ["engine"], "difference")]
    for formula, by_hand, engine in rows:
        apart = difference(by_hand, engine)
        table.append((formula, _lines(by_hand), _lines(engine), f"{apart:.0e}" if apart else "0"))
    lines = [line for row in table for line in zip_longest(*map(_cell, row), fillvalue="")]
    widths = [max(map(_width, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (
            cell + " " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True)
        )
        print(" ", "  ".join(cells).rstrip())


def difference(by_hand, engine):
    """The largest difference of two arrays, relative to their largest element.

    Infinite if the shapes differ: broadcasting must not make a wrong shape look right.
    """
    by_hand, engine = np.asarray(by_hand), np.asarray(engine)
    if by_hand.shape != engine.shape:
        return np.inf
    apart = np.max(np.abs(by_hand - engine))
    return apart / max(np.max(np.abs(by_hand)), np.max(np.abs(engine))) if apart else 0.0


def _width(text):
    """How many columns a text takes: a hat over a letter takes none of its own."""
    return sum(not combining(character) for character in text)


def _lines(value):
    form = {"float_kind": _number}
    text = np.array2string(np.asarray(value), max_line_width=100, formatter=form)
    return text.replace("[[", " [").replace("]]", "]").splitlines()


def _number(x):
    x = x + 0.0  # which makes -0.0 a plain 0.0
    return f"{x:7.4f}" if abs(x) >= 1e-3 or x == 0 else f"{x:7.0e}"


def _cell(cell):
    return [cell] if isinstance(cell, str) else [line.strip() for line in cell]
