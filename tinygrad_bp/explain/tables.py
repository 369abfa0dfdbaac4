"""Tables as aligned text and as HTML. They know nothing of graphs."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any
from unicodedata import combining, east_asian_width

from ..support.palette import BADGE, DARK, GRADIENT, HAIR, INK, PAPER, QUIET, VALUE
from ..support.printing import printable
from .notation import markup, typeset


@dataclass(frozen=True)
class Column:
    """A column: its head, and what stands in it: text (to the left) or numbers (to the right)."""

    head: str
    kind: str = "text"  # or number, step, value, adjoint: to the right, in a colour of its own


@dataclass(frozen=True)
class Table:
    """A table, whose middle is left out when it is very long.

    Attributes
    ----------
    title : str
        What it shows, above it.
    columns : sequence of Column
    items : sequence
        One for each row.
    cells : callable
        Gives the cells of an item, as text. Called for the rows that are shown alone.
    note : str
        What to know, below it.
    limit : int
        How many rows are shown.
    """

    title: str
    columns: Sequence[Column]
    items: Sequence[Any]
    cells: Callable[[Any], Sequence[str]]
    note: str = ""
    limit: int = 60

    def _rows(self) -> tuple[list[Sequence[str]], list[Sequence[str]], str]:
        """The first rows, the last rows, and what to say of those between."""
        missing = len(self.items) - self.limit
        if missing <= 0:
            return [self._cells(item) for item in self.items], [], ""
        first = 2 * self.limit // 3
        head, tail = self.items[:first], self.items[first + missing :]
        gap = f"... {missing:,} rows in between are not shown; the object holds them all"
        return [self._cells(x) for x in head], [self._cells(x) for x in tail], gap

    def _cells(self, item: Any) -> list[str]:
        return [typeset(cell) for cell in self.cells(item)]

    def text(self) -> str:
        """The table in aligned columns.

        Examples
        --------
        >>> columns = [Column("name"), Column("value", "number")]
        >>> rows = [("x", "2.0000"), ("longer", "-10.0000")]
        >>> print(Table("Two numbers", columns, rows, list).text())
        Two numbers
        <BLANKLINE>
        name       value
        x         2.0000
        longer  -10.0000
        """
        head, tail, gap = self._rows()
        heads = [column.head for column in self.columns]
        widths = [max(map(_widest, column)) for column in zip(heads, *head, *tail, strict=True)]
        lines = [line for row in [heads, *head] for line in self._lines(row, widths)]
        if gap:
            lines += [gap, *(line for row in tail for line in self._lines(row, widths))]
        return "\n".join([typeset(self.title), "", *lines, *(["", self.note] if self.note else [])])

    def _lines(self, row: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
        """A row of the table, on as many lines as its tallest cell has."""
        for line in zip_longest(*(cell.split("\n") for cell in row), fillvalue=""):
            padded = []
            for text, width, column in zip(line, widths, self.columns, strict=True):
                space = (width - _width(text)) * " "
                padded.append(text + space if column.kind == "text" else space + text)
            yield "  ".join(padded).rstrip()

    def html(self) -> str:
        """The table as HTML that reads on a light and on a dark page."""
        head, tail, gap = self._rows()
        heads = "".join(f'<th class="{c.kind}">{html.escape(c.head)}</th>' for c in self.columns)
        body = [self._html_row(row) for row in head]
        if gap:
            body.append(f'<tr><td class="text" colspan="{len(self.columns)}">{gap}</td></tr>')
            body += [self._html_row(row) for row in tail]
        note = f"<p>{html.escape(self.note)}</p>" if self.note else ""
        return (
            f'<div class="tinygrad-bp"><style>{STYLE}</style><table>'
            f"<caption>{markup(typeset(self.title))}</caption><thead><tr>{heads}</tr></thead>"
            f"<tbody>{''.join(body)}</tbody></table>{note}</div>"
        )

    def _html_row(self, row: Sequence[str]) -> str:
        cells = zip(map(markup, row), self.columns, strict=True)
        return f"<tr>{''.join(_html_cell(cell, column.kind) for cell, column in cells)}</tr>"


class Shown:
    """What shows itself as a table: printed as text, in a notebook as HTML."""

    def table(self) -> Table:
        """The table that is shown."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return printable(self.table().text())

    def _repr_html_(self) -> str:
        return self.table().html()


def _html_cell(cell: str, kind: str) -> str:
    badge = f"<b>{cell}</b>" if kind == "step" and cell else cell
    return f'<td class="{kind}">{badge}</td>'


def _widest(cell: str) -> int:
    """How many columns of a terminal the longest line of a cell takes."""
    return max(map(_width, cell.split("\n")))


def _width(cell: str) -> int:
    """How many columns of a terminal a line takes."""
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in cell)


_LIGHT = {"ink": INK, "soft": QUIET, "line": HAIR, "value": VALUE, "adjoint": GRADIENT}
_ON_WHITE = " ".join(f"--{name}: {color};" for name, color in _LIGHT.items())
_ON_DARK = " ".join(f"--{name}: {DARK[color]};" for name, color in _LIGHT.items())

STYLE = f"""
.tinygrad-bp {{ {_ON_WHITE} color: var(--ink); font: 13px/1.45 Helvetica, Arial, sans-serif; }}
@media (prefers-color-scheme: dark) {{ .tinygrad-bp {{ {_ON_DARK} }} }}
[data-jp-theme-light="false"] .tinygrad-bp, .vscode-dark .tinygrad-bp,
[data-theme="dark"] .tinygrad-bp {{ {_ON_DARK} }}
[data-jp-theme-light="true"] .tinygrad-bp, .vscode-light .tinygrad-bp,
[data-theme="light"] .tinygrad-bp {{ {_ON_WHITE} }}
.tinygrad-bp table {{ border-collapse: collapse; color: inherit; font: inherit; }}
.tinygrad-bp caption {{ caption-side: top; text-align: left; font-weight: bold;
  padding: 0 0 6px; color: inherit; }}
.tinygrad-bp p {{ margin: 6px 0 0; color: var(--soft); }}
.tinygrad-bp tr {{ background: transparent; }}
.tinygrad-bp th, .tinygrad-bp td {{ padding: 3px 10px; white-space: pre; text-align: right;
  vertical-align: top; font-variant-numeric: tabular-nums; border-bottom: 1px solid var(--line); }}
.tinygrad-bp th {{ color: var(--soft); font-weight: normal; border-bottom-width: 2px; }}
.tinygrad-bp .text {{ text-align: left; }}
.tinygrad-bp td.value {{ color: var(--value); }}
.tinygrad-bp td.adjoint {{ color: var(--adjoint); font-weight: bold; }}
.tinygrad-bp td.step b {{ background: {BADGE}; color: {PAPER}; border-radius: 3px;
  padding: 1px 6px; }}
""".replace("\n", " ").strip()
