"""What is drawn of a graph, as items and links, and how a large graph is made to fit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby

from ..engine.tensor import Tensor
from ..explain import Edge, Graph, Node
from ..support.waiting import follow
from .groups import AFTER, BACKWARD, FORWARD, Path, find_paths, number_layers

GROUP_ABOVE = 60  # cards
SIBLINGS_ABOVE = 5  # equal groups in a row
REPEAT_ABOVE = 12  # consumers of one value

_KINDS = {"leaf": "leaf", "constant": "const", "intermediate": "mid", "output": "out"}


@dataclass(slots=True, eq=False)
class Item:
    """What becomes one card: a value, a group of values, or a word on those left out.

    Attributes
    ----------
    key : str
        Its name in the DOT text; the same in every process.
    kind : {"leaf", "const", "mid", "out", "group", "more", "alias"}
    nodes : list of Node
        In the order of computing: one, or those of the group, or those left out.
    path : tuple of str
        The groups that it is drawn in.
    group : tuple of str
        The group that it stands for, if it does.
    note : str
        The word for what was left out.
    """

    key: str
    kind: str
    nodes: list[Node]
    path: Path = ()
    group: Path = ()
    note: str = ""

    @property
    def node(self) -> Node:
        """The value; of a group, the one that was computed last."""
        return self.nodes[-1]


@dataclass(slots=True, eq=False)
class Link:
    """An arrow from an item to one that is computed from it, with the steps that go back."""

    tail: Item
    head: Item
    edges: list[Edge] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Sheet:
    """Items in the order of computing, links, and the numbers of the layers."""

    items: list[Item]
    links: list[Link]
    numbers: dict[Path, int] = field(default_factory=dict)


def lay_out(graph: Graph, *, fold: bool, depth: int | None, max_nodes: int) -> Sheet:
    """Choose what to draw.

    Parameters
    ----------
    graph : Graph
        What there is.
    fold : bool
        Whether to leave out constants of one number, which their consumer's header tells.
    depth : int or None
        The level at which groups are closed: at 1 the outermost are one card each.
        None: open as many levels as fit.
    max_nodes : int
        How many cards there may be. Those nearest to the output are drawn.
    """
    paths = find_paths(graph)
    sheet = _everything(graph, paths, fold)
    deepest = max((len(path) for path in paths.values()), default=0)
    if depth is None and len(sheet.items) > GROUP_ABOVE:
        levels = range(deepest, 0, -1)
        depth = next((d for d in levels if len(_close_groups(sheet, d).items) <= GROUP_ABOVE), 1)
    if depth is not None:
        sheet = _without_siblings(_close_groups(sheet, depth))
    if len(sheet.items) > max_nodes:
        sheet = _nearest(graph, sheet, max_nodes)
    sheet = _repeat_shared(_carried_over(sheet))
    sheet.numbers = number_layers(paths.values())
    return sheet


def _everything(graph: Graph, paths: dict[Node, Path], fold: bool) -> Sheet:
    """An item for each value and a link for each use of it."""
    steps = {(edge.consumer, edge.position): edge for edge in graph.edges if edge.consumer}
    items: dict[Node, Item] = {}
    links = []

    def item_of(node: Node) -> Item:
        if node not in items:
            items[node] = Item(f"n{node.number}", _KINDS[node.kind], [node], paths[node])
        return items[node]

    for node in follow(list(graph.visited())[::-1], "laying out the cards"):
        for position, x in enumerate(node.operands):
            if isinstance(x, Node) and not (fold and _is_literal(x)):
                edge = steps.get((node, position))
                links.append(Link(item_of(x), item_of(node), [edge] if edge else []))
        item_of(node)
    return Sheet(list(items.values()), links)


def _is_literal(node: Node) -> bool:
    return node.kind == "constant" and not node.value.shape and not isinstance(node.tensor, Tensor)


def _close_groups(sheet: Sheet, depth: int) -> Sheet:
    """The same with every group at level ``depth`` as one card."""
    members: dict[Path, list[Node]] = {}
    for item in sheet.items:
        if len(item.path) >= depth:
            members.setdefault(item.path[:depth], []).extend(item.nodes)
    cards = {}
    for path, nodes in members.items():
        nodes.sort(key=lambda node: (node.kind != "constant", -node.number))
        kind = "out" if path[-1:] == AFTER and nodes[-1].kind == "output" else "group"
        cards[path] = Item(f"g{nodes[-1].number}", kind, nodes, path[: depth - 1], path)
    return _replace(sheet, {item: cards.get(item.path[:depth], item) for item in sheet.items})


def _without_siblings(sheet: Sheet) -> Sheet:
    """The same with a long row of equal groups cut to its first, a word, and its last."""
    groups = sorted((i for i in sheet.items if i.group), key=lambda item: -item.node.number)
    instead = {item: item for item in sheet.items}
    for _, run in groupby(groups, key=_signature):
        equal = list(run)
        if len(equal) > SIBLINGS_ABOVE:
            middle = equal[1:-1]
            nodes = [node for item in middle for node in item.nodes]
            key, note = f"m{middle[0].node.number}", f"... {len(middle)} more"
            word = Item(key, "more", nodes, middle[0].path, note=note)
            instead.update(dict.fromkeys(middle, word))
    return _replace(sheet, instead)


def _signature(item: Item) -> tuple:
    """What two groups have in common that do the same on the same shapes."""
    return item.path, sorted((n.sign or "", n.value.shape) for n in item.nodes)


def _nearest(graph: Graph, sheet: Sheet, most: int) -> Sheet:
    """The same with all but the ``most`` items nearest to the output in one word."""
    distance = dict.fromkeys(graph.nodes, 0)
    for node in graph.visited():  # each after its consumers
        for x in node.inputs:
            distance[x] = max(distance[x], distance[node] + 1)
    ranked = sorted(sheet.items, key=lambda item: (distance[item.node], item.node.number))
    hidden = ranked[most:]
    nodes = [node for item in hidden for node in item.nodes]
    word = Item("earlier", "more", nodes, note=f"... {len(nodes)} earlier nodes")
    return _replace(sheet, {item: item for item in ranked} | dict.fromkeys(hidden, word))


def _carried_over(sheet: Sheet) -> Sheet:
    """The same with what the frame of a backward pass takes from the forward pass drawn again."""
    again: dict[Item, list[Item]] = {}
    for number, link in enumerate(sheet.links):
        tail, path = link.tail, link.head.path
        if tail.path[:1] == FORWARD and path[:1] == BACKWARD and not tail.group:
            link.tail = Item(f"{tail.key}b{number}", "alias", tail.nodes, path, note=tail.note)
            again.setdefault(link.head, []).append(link.tail)
    return Sheet([x for item in sheet.items for x in (*again.get(item, ()), item)], sheet.links)


def _repeat_shared(sheet: Sheet) -> Sheet:
    """The same with a value of many consumers drawn again beside each but the first."""
    uses: dict[Item, list[Link]] = {}
    for link in sheet.links:
        uses.setdefault(link.tail, []).append(link)
    again: dict[Item, list[Item]] = {}
    for item, links in uses.items():
        if len(links) <= REPEAT_ABOVE or item.group:
            continue
        for count, link in enumerate(links[1:]):
            key, path = f"{item.key}a{count}", link.head.path
            alias = Item(key, "alias", item.nodes, path, note=item.note)
            link.tail = alias
            again.setdefault(link.head, []).append(alias)
    return Sheet([x for item in sheet.items for x in (*again.get(item, ()), item)], sheet.links)


def _replace(sheet: Sheet, instead: dict[Item, Item]) -> Sheet:
    """The same with other items in place of some; what would link one to itself is left out."""
    links: dict[object, Link] = {}
    for link in sheet.links:
        tail, head = instead[link.tail], instead[link.head]
        if tail is link.tail and head is link.head:
            links[link] = link
        elif tail is not head:
            links.setdefault((tail, head), Link(tail, head)).edges.extend(link.edges)
    return Sheet(list(_unique(instead[item] for item in sheet.items)), list(links.values()))


def _unique(items: Iterable[Item]) -> Iterable[Item]:
    return dict.fromkeys(items)
