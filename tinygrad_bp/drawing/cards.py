"""The label of each card: rows of a small table, as Graphviz's HTML-like labels write them."""

from __future__ import annotations

import html
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..explain import Edge, Graph, Node
from ..explain.names import count_noun, decimal, entries, euclidean_norm, is_small, literal
from ..explain.notation import typeset
from ..support.palette import CHIP, GRADIENT, INK, QUIET, VALUE
from .groups import description_of, short_title
from .sheet import Item
from .style import (
    CLEAR,
    RULE,
    badge,
    bar,
    cell,
    font,
    html_table,
    magnitude,
    one_line,
    row,
    shape_of,
    width_of,
)

LONGEST_EXPRESSION = 28  # of a tensor's; a longer one is cut to the name of its function
MOST_TERMS, TERMS_SHOWN = 6, 3


@dataclass(slots=True)
class Look:
    """What the cards of one picture show.

    Attributes
    ----------
    scalar : bool
        Whether every value is one number.
    values, backward : bool
        Whether to show values, and the terms of the backward pass.
    grads : bool or "auto"
        Whether to show gradients. "auto": where there is one.
    entries : bool
        Whether every array is so small that its entries are shown.
    merged : bool
        Whether the operation is told in the header of its result.
    until : int or None
        The last step of the backward pass that has been taken. None: all.
    gradients : dict
        The gradient of each node that shows one.
    numbers : dict
        The number of each layer, by its path.
    again : set
        The nodes that are drawn again in another place, by their names.
    caption : bool
        Whether it is said how a backward pass is read.
    brief : bool
        Whether a card leaves out what is on its edges, and an edge what is on its ends.
    smallest, largest : float
        The gradient norms at which a bar is empty and full.
    """

    scalar: bool
    values: bool
    grads: bool | str
    backward: bool
    merged: bool
    entries: bool = False
    until: int | None = None
    gradients: dict[Node, Any] = field(default_factory=dict)
    numbers: dict[tuple[str, ...], int] = field(default_factory=dict)
    again: set[Node] = field(default_factory=set)
    caption: bool = True
    brief: bool = False
    smallest: float = 0.0
    largest: float = 0.0

    def shows(self, step: int) -> bool:
        """Whether a step of the backward pass is to be seen."""
        return self.until is None or step <= self.until

    def shows_gradient(self, node: Node) -> bool:
        """Whether a card has a row for what ``backward`` found."""
        if node.kind == "constant" or not self.grads:
            return False
        return self.grads != "auto" or node in self.gradients

    def ink(self, text: str, step: int, color: str, size: int = 11, bold: bool = False) -> str:
        """Text that is there from a step of the pass on; before, it takes its room unseen."""
        return font(text, color if self.shows(step) else CLEAR, size, bold) if text else ""

    def bar_of(self, size: float | None) -> str:
        """A gradient's norm as a bar, on a logarithmic scale."""
        if not size or not self.smallest or not math.isfinite(size):
            return bar(0.0)
        if self.smallest == self.largest:
            return bar(1.0)
        part = math.log(size / self.smallest) / math.log(self.largest / self.smallest)
        return bar(0.1 + 0.9 * part)


def label_of(item: Item, graph: Graph, look: Look) -> str:
    """The label of an item's card."""
    if item.kind == "more":
        return html_table(row(cell(font(item.note, QUIET, 12))))
    if item.kind == "alias":
        told = font(item.note, QUIET, 10) if item.note else _name_text(item.node, 12)
        return html_table(row(cell(told)), padding=1)
    if item.group:
        return _group_card(item, graph, look)
    if look.backward and item.kind != "const":
        return _backward_card(item.node, graph, look)
    return _scalar_card(item.node, look) if look.scalar else _tensor_card(item, look)


def gradient_norm(item: Item, look: Look) -> float | None:
    """The norm of the gradient that a card shows; of a group, of all that its leaves have."""
    nodes = [n for n in item.nodes if n.kind == "leaf"] if item.group else item.nodes
    found = [n.adjoint if look.backward else look.gradients.get(n) for n in nodes]
    norms = [euclidean_norm(g) for g in found if g is not None]
    return math.hypot(*norms) if norms else None


def _scalar_card(node: Node, look: Look) -> str:
    """A name, a value and a gradient, one below the other."""
    rows = []
    if look.values and node.name != literal(node.value):
        rows.append(_two_cells("data", VALUE, decimal(node.value), **_value_anchor(node)))
    if look.shows_gradient(node):
        rows.append(_two_cells("grad", GRADIENT, decimal(look.gradients.get(node))))
    made = _made(node.expression) if look.merged else ""
    header = row(cell(_name_text(node) + made, colspan=2))
    return html_table(header, *([RULE, *rows] if rows else []))


def _two_cells(label: str, color: str, text: str, **attributes: str) -> str:
    """A row with what is told on the left and how much on the right."""
    quiet = cell(font(label, QUIET, 10))
    return row(quiet, cell(font(text, color, 12), "RIGHT", width=54, **attributes))


def _tensor_card(item: Item, look: Look) -> str:
    """A name, a shape, and the size of the gradient as a bar and a number."""
    node = item.node
    if node.name == literal(node.value):
        return html_table(row(cell(_name_text(node, 13))), padding=2)
    made = _briefly_made(node) if node.written else node.sign or ""
    if node.inputs and look.merged and not _is_called(node, look):
        title = font(made or node.name, INK, 13, bold=True)
    else:
        title = _name_text(node, 13, last_part=node.kind == "leaf" and bool(item.path))
        title += _made(made) if look.merged else ""
    shape = cell(font(shape_of(node.value), QUIET), "RIGHT", width=76 if node.inputs else 40)
    rows = [row(cell(title), shape)]
    if look.values and (look.entries or not node.value.shape):
        told = cell(font("data", QUIET))
        rows.append(row(told, cell(font(entries(node.value), VALUE), "RIGHT")))
    if look.shows_gradient(node):
        gradient = look.gradients.get(node)
        if look.entries and gradient is not None:
            told = cell(font("grad", QUIET))
            rows.append(row(told, cell(font(entries(gradient), GRADIENT), "RIGHT")))
        else:
            rows.append(_bar_row(gradient_norm(item, look), look))
    return html_table(*rows, padding=2)


def _is_called(node: Node, look: Look) -> bool:
    """Whether somebody gave a computed value its name, or another card uses that name."""
    return bool(node.tensor.name) or node in look.again or node.name.endswith(".grad")


def _bar_row(size: float | None, look: Look) -> str:
    return row(
        cell(look.bar_of(size) if size is not None else "", width=86),
        cell(font(f"|grad| {magnitude(size)}", GRADIENT), "RIGHT", width=76),
    )


def _group_card(item: Item, graph: Graph, look: Look) -> str:
    """A group's name, what it does, how many parameters it has, and their gradient."""
    outputs = [n for n in graph.visited() if n.kind == "output"]
    operations = [n for n in item.nodes if n.inputs]
    is_output = item.kind == "out"
    title = short_title(item.group, outputs, look.numbers)
    rows = [
        row(
            cell(font(title, INK, 13, bold=True, italic=is_output)),
            cell(font(count_noun(len(operations), "op"), QUIET), "RIGHT"),
        )
    ]
    about = description_of(item.nodes)
    if about and not is_output:
        rows.append(row(cell(font(about, QUIET), colspan=2)))
    parameters = sum(int(np.prod(n.value.shape)) for n in item.nodes if n.kind == "leaf")
    if parameters:
        told = cell(font(f"{parameters:,}", VALUE), "RIGHT", width=76)
        rows.append(row(cell(font("parameters", QUIET)), told))
    if look.values and is_output:
        rows.append(_two_cells("data", VALUE, decimal(item.node.value)))
    known = gradient_norm(item, look) is not None
    if parameters and (look.backward or (look.grads and (known or look.grads != "auto"))):
        rows.append(_bar_row(gradient_norm(item, look), look))
    return html_table(*rows, padding=2)


def _backward_card(node: Node, graph: Graph, look: Look) -> str:
    """A name and a value, the terms that were paid into the adjoint, and their sum."""
    made = node.expression if look.scalar else _briefly_made(node)
    value = shape_of(node.value) if node.value.shape and not is_small(node.value) else ""
    value = value or (entries(node.value) if look.values else shape_of(node.value))
    header = row(
        cell(_name_text(node) + _made(made), colspan=2, port="value_w"),
        cell(font(value, VALUE, 12), "RIGHT", width=52, port="value_e", **_value_anchor(node)),
    )
    edges = [graph.edges[step] for step in node.terms]
    last = edges[-1].step
    name, used = one_line(node.adjoint_name), "" if look.brief else _uses(node)
    # Wide enough for the rows that span two columns, which would else stretch the badges
    spans = width_of(f"{node.name} = {made}", 14), width_of(name, 12) + width_of(used, 10)
    width = max(*spans, 0 if look.brief else 100) - 16
    told = look.ink(name, last, GRADIENT, 12, bold=True) + look.ink(used, last, QUIET, 10)
    text = entries(node.adjoint)
    total = look.ink(text, last, GRADIENT, 12, bold="\n" not in text)  # whose lines would be close
    alone = look.brief and len(edges) == 1  # its one term is the sum
    room: dict[str, Any] = {"width": width} if alone else {"colspan": 2}
    sums = row(
        *([badge(last, look.shows(last), **_mark(last, node, "badge"))] if alone else []),
        cell(told, **room, port="sum_w", **_mark(last, node, "name")),
        cell(total, "RIGHT", port="sum_e", **_mark(last, node, "sum")),
    )
    rows = [] if alone else _term_rows(edges, node, look, width)
    between = [RULE] if len(edges) > 1 else []
    gap = 1 if look.brief else 2
    return html_table(header, RULE, *rows, *between, sums, padding=gap, spacing=gap)


def _term_rows(edges: list[Edge], node: Node, look: Look, width: int) -> list[str]:
    """What was paid into an adjoint; of many payments the first."""
    shown = edges if len(edges) <= MOST_TERMS else edges[:TERMS_SHOWN]
    rows = [_term_row(edge, look, edge is edges[0], width) for edge in shown]
    if len(shown) < len(edges):
        last = edges[-1].step
        rest = look.ink(f"+ {len(edges) - len(shown)} more", last, QUIET)
        rows.append(row(cell(""), cell(rest, colspan=2, **_mark(last, node, "rest"))))
    return rows


def _term_row(edge: Edge, look: Look, first: bool, width: int) -> str:
    """The step's number, upstream times local derivative, and what that comes to."""
    step, to = edge.step, edge.receiver
    text = entries(edge.term)
    text = text if first or text.startswith(("-", "[")) else f"+ {text}"
    product = "" if look.brief else look.ink(one_line(edge.product, 48), step, QUIET)
    return row(
        badge(step, look.shows(step), **_mark(step, to, "badge")),
        cell(product, width=width, **_mark(step, to, "term")),
        cell(look.ink(text, step, GRADIENT, 12), "RIGHT", **_mark(step, to, "amount")),
    )


def chip(edge: Edge, look: Look, strip: int = 0) -> str:
    """The label of a backward edge: the step's number and the local derivative.

    With a strip of so many points under it, into which its arrow may bend.
    """
    color = CHIP if look.shows(edge.step) else CLEAR
    *texts, last = derivative_texts(edge)
    texts = texts[1:] if look.brief else texts
    text = " = ".join([*texts, "" if "\n" in last else last])
    cells = [text, last] if "\n" in last else [text]
    told = (look.ink(text, edge.step, GRADIENT, 10) for text in cells)
    return html_table(
        row(badge(edge.step, look.shows(edge.step)), *(cell(text, bgcolor=color) for text in told)),
        *([row(cell("", height=strip))] if strip else []),
    )


def derivative_texts(edge: Edge) -> list[str]:
    """What is on a backward edge, to be joined by signs of equality.

    Such as ``∂p/∂x``, ``y`` and ``3``; or a whole product such as ``z.grad @ Wᵀ``.
    """
    if edge.consumer is None or edge.is_map:
        return [one_line(edge.product, 48)]
    consumer, receiver = edge.consumer, edge.receiver
    told = [f"∂{one_line(consumer.name)}/∂{one_line(receiver.name)}", one_line(edge.formula, 48)]
    local = edge.local
    if local is None and is_small(consumer.value) and edge.formula != "1":
        return [*told, entries(edge.pay(np.ones_like(consumer.value)))]
    value = "" if local is None else f"{float(local):.4g}"
    return [*told, value] if value not in ("", edge.formula) else told


def _mark(step: int, node: Node, part: str) -> dict[str, str]:
    """What makes a cell findable in the SVG, by the step that it belongs to."""
    return {"id": f"s{step}-n{node.number}-{part}", "tooltip": f"step {step}"}


def _value_anchor(node: Node) -> dict[str, str]:
    """What makes the cell of a value findable in the SVG."""
    told = html.escape(one_line(node.made, 300))
    return {"id": f"n{node.number}-value", "tooltip": told.replace("\\", "&#92;")}


def _name_text(node: Node, size: int = 14, last_part: bool = False) -> str:
    name = node.name.rpartition(".")[2] if last_part else node.name
    return font(one_line(name), INK, size, bold=True, italic=True)


def _made(how: str) -> str:
    return font(f" = {one_line(how, 48)}", QUIET, 13) if how else ""


def _briefly_made(node: Node) -> str:
    """How a value was made, or, where that is long to write, by which function."""
    made = node.expression
    return made if len(typeset(made)) <= LONGEST_EXPRESSION else node.sign or ""


def _uses(node: Node) -> str:
    """In which steps a finished adjoint is used: that it is used again is the whole point."""
    if not node.pays:
        return ""
    steps = [str(step) for step in node.pays]
    shown = steps if len(steps) <= MOST_TERMS else [*steps[:TERMS_SHOWN], "..."]
    return f"  used in {', '.join(shown)}"
