"""From a graph to DOT text: which view it gets, its cards, its arrows, and where they stand."""

from __future__ import annotations

import html
import importlib
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..explain import Edge, Graph
from ..explain.names import count_noun, euclidean_norm, is_small
from ..support.arguments import size, suggestion
from ..support.palette import FREE, INK, LINE, ORANGE
from .cards import Look, chip, gradient_norm, label_of
from .gradients import node_gradients
from .groups import BACKWARD, Path, title_of, whose_gradients
from .lines import in_lines
from .sheet import Item, Link, Sheet, lay_out
from .style import (
    CARD,
    CLEAR,
    CLUSTER,
    FONT,
    KINDS,
    OPERATION,
    SIGN,
    WORD,
    one_line,
    shape_of,
)

DOTS_UP_TO = 20  # values; above, the operation is told in the header of its result
SIDEWAYS_UP_TO = 12  # closed groups; above, they stand one below the other
LARGE = 400  # cards, above which the layout is given less time to be neat

_CAPTION = (
    "<B>Backward pass = dynamic programming.</B>  Follow the numbers. Every term is ({grad} of the "
    'consumer) × (local derivative on the edge).<BR ALIGN="LEFT"/>A node passes its {grad} on only '
    "after all its terms are summed: each {grad} is computed once, then reused."
)
_NORMS = "  |0.5| is the norm of an array."
_STRIP = 9  # points under a label, into which its arrow bends where it flows to the right
_INTO = {"TB": "n", "BT": "s", "LR": "w", "RL": "e"}  # where an arrow comes to the side it faces
_END = '<BR ALIGN="LEFT"/>'


@dataclass(slots=True, frozen=True)
class Options:
    """What the caller of `draw` asked for."""

    values: bool = True
    grads: bool | str = "auto"
    backward: bool = False
    ops: str = "auto"
    depth: int | None = None
    max_nodes: int = 400
    direction: str | None = None
    caption: bool = True
    brief: bool = False

    def __post_init__(self) -> None:
        known = {
            "grads": (True, False, "auto"),
            "ops": ("auto", "dots", "merged"),
            "direction": (None, "LR", "TB", "RL", "BT"),
        }
        for name, choices in known.items():
            chosen = getattr(self, name)
            if chosen not in choices:
                others = suggestion(chosen, [str(choice) for choice in choices])
                raise ValueError(f"unknown {name} {chosen!r}: {others}")
        size(self.max_nodes, "max_nodes")
        if self.depth is not None:
            size(self.depth, "depth")


@dataclass(slots=True)
class Picture:
    """A graph ready to be rendered.

    Attributes
    ----------
    source : str
        The DOT text.
    title, description : str
        What it is, for those who do not see it.
    hidden : int
        How many values were left out because the graph is too large.
    """

    source: str
    title: str
    description: str
    hidden: int


def picture_of(
    graph: Graph, options: Options, until: int | None = None, caption: str = ""
) -> Picture:
    """Draw a graph as DOT text.

    With ``until``, the backward pass is seen as far as that step, and ``caption`` says of it what
    there is to say. Everything stands where it does in the whole picture.
    """
    visited = list(graph.visited())
    scalar = not any(node.value.shape for node in graph.nodes)
    plain = scalar and not options.backward
    dots = options.ops == "dots" or (
        options.ops == "auto" and plain and len(visited) <= DOTS_UP_TO and not options.depth
    )
    sheet = lay_out(graph, fold=not dots, depth=options.depth, max_nodes=options.max_nodes)
    free = options.direction is None and not dots
    sheet, starts = in_lines(sheet) if free else (sheet, [])
    look = _look(graph, sheet, options, scalar, merged=not dots, until=until)
    writer = _Writer(graph, sheet, look, options.direction or _direction(sheet, look), caption)
    if len(starts) > 1:
        writer.align(starts)
    hidden = sum(len(item.nodes) for item in sheet.items if item.key == "earlier")
    return Picture(writer.text(), *_words(graph), hidden)


def _look(
    graph: Graph, sheet: Sheet, options: Options, scalar: bool, merged: bool, until: int | None
) -> Look:
    grads = options.grads
    if grads == "auto" and whose_gradients(graph):  # which are drawn as values
        grads = False
    small = all(is_small(node.value) for node in graph.nodes)
    look = Look(scalar, options.values, grads, options.backward, merged, small, until)
    look.numbers, look.caption, look.brief = sheet.numbers, options.caption, options.brief
    look.again = {item.node for item in sheet.items if item.kind == "alias"}
    if not options.backward:
        look.gradients = node_gradients(graph, own=grads is not True)
    if grads or options.backward:
        norms = [gradient_norm(item, look) for item in sheet.items if item.kind != "more"]
        sizes = [size for size in norms if size and math.isfinite(size)]
        look.smallest, look.largest = min(sizes, default=0.0), max(sizes, default=0.0)
    return look


def _direction(sheet: Sheet, look: Look) -> str:
    """Numbers read from left to right; layers of a network stand one below the other."""
    if look.scalar:
        return "LR"
    closed = any(item.group for item in sheet.items)
    return "LR" if closed and len(sheet.items) <= SIDEWAYS_UP_TO else "TB"


def _words(graph: Graph) -> tuple[str, str]:
    """A title and a description for those who do not see the picture."""
    visited = list(graph.visited())
    outputs = [node.name for node in visited if node.kind == "output"]
    computed = [node for node in reversed(visited) if node.inputs]
    told = "; ".join(node.made for node in computed[:20]) + ("; ..." if len(computed) > 20 else "")
    operations = count_noun(len(computed), "operation")
    title = f"Computation graph of {', '.join(outputs)}"
    return one_line(title, 80), one_line(f"{operations}: {told}." if told else operations, 2000)


def graphviz() -> Any:
    """The package that writes DOT, imported where it is used: importing ours stays fast."""
    try:
        return importlib.import_module("graphviz")
    except ImportError:
        raise ImportError("pictures need the package graphviz: pip install graphviz") from None


def _plain(text: str) -> str:
    """Text for an attribute, in which Graphviz is to read no escapes, entities or markup."""
    return graphviz().escape(html.escape(one_line(text, 300), quote=False))


class _Writer:
    """Writes one sheet in the DOT language, through the ``graphviz`` package."""

    def __init__(self, graph: Graph, sheet: Sheet, look: Look, direction: str, caption: str):
        self.graph, self.sheet, self.look, self.caption = graph, sheet, look, caption
        self.direction, self.stacked = direction, direction in ("TB", "BT")
        self.inputs: dict[Item, list[Item]] = {item: [] for item in sheet.items}
        self.uses: dict[Item, int] = dict.fromkeys(sheet.items, 0)
        for link in sheet.links:
            self.inputs[link.head].append(link.tail)
            self.uses[link.tail] += 1
        self.beside: dict[tuple[Item, Item], bool] = {}  # and whether on the right
        self.places: dict[Path, Any] = {(): graphviz().Digraph("G")}
        root = self.places[()]
        root.attr("graph", **self._spacing(), rankdir=direction)
        root.attr("node", fontname=FONT, fontsize="12", fontcolor=INK)
        root.attr("edge", fontname=FONT, fontsize="10", color=LINE, penwidth="1.3")
        root.attr("edge", fontcolor=FREE, arrowsize="0.7")

    def align(self, starts: list[Item]) -> None:
        """Let each of these stand below the one before it: a line starts with each."""
        keys = " -> ".join(item.key for item in starts)
        self.places[()].body.append(f"\t{{ rank=same; {keys} [style=invis] }}\n")

    def text(self) -> str:
        """The DOT text."""
        backward_first = not self.stacked  # as what comes first stands below, or on the left
        for item in sorted(
            self.sheet.items, key=lambda x: (x.path[:1] == BACKWARD) is not backward_first
        ):
            self._card(item)
        if self.stacked and not self.look.scalar:
            for item in self.sheet.items:
                self._put_beside(item)
        for path in sorted(self.places, key=len, reverse=True):
            if path:
                self._place(path[:-1]).subgraph(self.places[path])
        for link in self.sheet.links:
            self._arrows(link)
        return self.places[()].source

    def _spacing(self) -> dict[str, str]:
        look = self.look
        near, far = ("0.35", "0.6" if look.merged else "0.42") if look.scalar else ("0.25", "0.3")
        if look.backward:
            near, far = ("0.6", "1.05") if self.stacked else ("0.4", "1.25")
            if look.brief:
                near, far = ("0.24", "0.26") if self.stacked else ("0.16", "0.5")
        spacing = {"nodesep": near, "ranksep": far, "pad": "0.2", "bgcolor": CLEAR}
        spacing |= {"fontname": FONT, "fontsize": "11", "fontcolor": FREE, "newrank": "true"}
        words = self._words() if look.backward else ""
        if words:
            spacing |= {"label": f"<{words}>", "labelloc": "t", "labeljust": "l"}
        if len(self.sheet.items) > LARGE:
            spacing |= {"nslimit": "1", "nslimit1": "1", "mclimit": "0.1"}
        return spacing

    def _words(self) -> str:
        """What stands above a backward pass: how it is read, and what its newest step did."""
        told = ""
        if self.look.caption:
            word = "grad" if self.graph.nodes[0].adjoint_name.endswith(".grad") else "adjoint"
            told = _CAPTION.format(grad=word) + ("" if self.look.entries else _NORMS) + _END
        if self.caption or self.look.caption:
            told += f"<B>{html.escape(self.caption, quote=False) or ' '}</B>{_END}"
        return told

    def _place(self, path: Path) -> Any:
        """The part of the text for a group, made when it is first asked for."""
        if path not in self.places:
            number = len(self.places)
            items = [item for item in self.sheet.items if item.path == path and not item.group]
            nodes = [node for item in items for node in item.nodes]
            outputs = [n for n in self.graph.visited() if n.kind == "output"]
            title = title_of(path, nodes, outputs, self.sheet.numbers)
            place = graphviz().Digraph(f"cluster_{number}")
            label = f"<<B>{html.escape(title, quote=False)}</B>>"
            place.attr(**CLUSTER, label=label, tooltip=_plain(title))
            self.places[path] = place
            self._place(path[:-1])
        return self.places[path]

    def _card(self, item: Item) -> None:
        place, look = self._place(item.path), self.look
        attributes = {"id": item.key, "class": item.kind, "tooltip": _plain(self._tooltip(item))}
        kind = {**CARD, **KINDS[item.kind]}
        place.node(item.key, label_of(item, self.graph, look), **kind, **attributes)
        if not look.merged and not item.group and item.node.inputs and item.kind != "alias":
            self._operation(item, place)

    def _operation(self, item: Item, place: Any) -> None:
        sign = item.node.sign or ""
        attributes = {**OPERATION, **(SIGN if len(sign) == 1 else WORD)}
        about = {"id": f"op_{item.key}", "class": "op", "tooltip": _plain(item.node.made)}
        place.node(f"op_{item.key}", one_line(sign), **attributes, **about)
        self.places[()].edge(f"op_{item.key}", item.key, **{"class": "fwd"})

    def _put_beside(self, head: Item) -> None:
        """Stand what a card alone uses beside it: that keeps the layers one straight spine."""
        tails = list(dict.fromkeys(self.inputs[head]))
        given = [x for x in tails if not self.inputs[x] and self.uses[x] == 1]
        if len(given) == len(tails):
            given = given[1:]  # what flows in stays above
        if not given or len(given) > 2 or not self.look.merged:
            return
        self.beside |= {(x, head): side == 1 for side, x in enumerate(given)}
        row = " ".join(f"{x.key};" for x in [given[0], head, *given[1:]])
        self._place(head.path if given[0].path == head.path else ()).body.append(
            f"\t{{ rank=same; {row} }}\n"
        )

    def _arrows(self, link: Link) -> None:
        root, look = self.places[()], self.look
        ends = [link.tail.key, link.head.key]
        if not look.merged and not link.head.group:
            ends[1] = f"op_{link.head.key}"
        on_the_right = self.beside.get((link.tail, link.head), False)
        ends = ends[::-1] if on_the_right else ends
        on, back = ("back", "forward") if on_the_right else ("forward", "back")
        if not (look.backward and link.edges):
            root.edge(*ends, **self._forward(link, on))
        elif (
            link.tail,
            link.head,
        ) in self.beside and not link.head.group:  # each on a line of its own
            root.edge(*_facing_rows(ends, "value"), **self._forward(link, on))
            root.edge(*_facing_rows(ends, "sum"), **self._backward(link, back))
        else:
            root.edge(*ends, **self._forward(link, on), headport=_INTO[self.direction])
            root.edge(*ends, **self._backward(link, back))

    def _forward(self, link: Link, towards: str) -> dict[str, str]:
        attributes = {"class": "fwd", "dir": towards} if towards == "back" else {"class": "fwd"}
        value = link.tail.node.value
        if self.look.backward:
            told = f"forward: {link.tail.node.name} to {link.head.node.name}"
            attributes |= {"style": "dashed", "penwidth": "1", "arrowsize": "0.6", "weight": "2"}
            return attributes | {"tooltip": _plain(told)}
        if not self.look.scalar and link.tail.kind != "more":
            size = int(np.prod(value.shape))
            attributes["penwidth"] = f"{1 + 0.4 * math.log10(max(size, 1)):.2f}"
            attributes["tooltip"] = _plain(f"{shape_of(value)}, {count_noun(size, 'number')}")
            if self.inputs[link.tail]:
                attributes["weight"] = "5"
        return attributes

    def _backward(self, link: Link, towards: str) -> dict[str, str]:
        edge = link.edges[0]
        color = ORANGE if self.look.shows(edge.step) else CLEAR
        attributes = {"class": "bwd", "id": f"s{edge.step}-edge", "dir": towards, "color": color}
        width = "3" if edge.step == self.look.until else "1.8"  # the newest step stands out
        attributes |= {"penwidth": width, "arrowsize": "0.8"}
        if self.stacked:
            attributes["weight"] = "0"  # so that it bends, and does not lie on the forward one
        if len(link.edges) > 1:
            steps = ", ".join(str(e.step) for e in link.edges)
            return attributes | {"tooltip": f"steps {steps}"}
        told = _plain(f"step {edge.step}: {edge.receiver.adjoint_name} += {edge.product}")
        about = {"tooltip": told, "labeltooltip": told}
        return attributes | about | {"label": self._chip(edge)}

    def _chip(self, edge: Edge) -> str:
        bends_under = not (self.stacked or self.look.brief)
        return chip(edge, self.look, _STRIP if bends_under else 0)

    def _tooltip(self, item: Item) -> str:
        """What a card says when it is pointed at: everything in full."""
        if item.kind == "more":
            return f"{len(item.nodes)} values that are not drawn"
        if item.group:
            return f"{'.'.join(item.group)}: {len(item.nodes)} values"
        node = item.node
        gradient = node.adjoint if self.look.backward else self.look.gradients.get(node)
        return f"{node.made}: {_in_full(node.value)}; grad: {_in_full(gradient)}"


def _facing_rows(ends: list[str], port: str) -> tuple[str, str]:
    """The row of two cards that stand side by side, at their facing ends."""
    return f"{ends[0]}:{port}_e:e", f"{ends[1]}:{port}_w:w"


def _in_full(x: Any) -> str:
    """A number with all its digits; of an array what describes it."""
    if x is None:
        return "not computed"
    if not x.shape:
        return repr(x.item())
    about = f"shape {tuple(x.shape)}, {x.dtype}"
    if not x.size or x.dtype.kind not in "fiu":
        return about
    low, middle, high = np.min(x), np.mean(x), np.max(x)
    return (
        f"{about}, min {low:.6g}, mean {middle:.6g}, max {high:.6g}, norm {euclidean_norm(x):.6g}"
    )
