"""A long chain of cards in lines one below the other, as text is."""

from __future__ import annotations

import math

from .sheet import Item, Link, Sheet

LINES_ABOVE = 24  # cards, one computed from the other


def in_lines(sheet: Sheet) -> tuple[Sheet, list[Item]]:
    """The sheet with a long chain broken into lines, and the item that each line starts with.

    A line holds as many steps as there are lines, and begins with what it needs of those above,
    drawn again. What is given stands where it is used first. Where all fit in one line, or are in
    groups, which have an order of their own, nothing is broken.

    Examples
    --------
    >>> from ..engine.tensor import Tensor
    >>> from ..explain import view
    >>> from .sheet import lay_out
    >>> x = Tensor(2.0, requires_grad=True, name="x")
    >>> for _ in range(30):
    ...     x = x.tanh()
    >>> sheet, starts = in_lines(lay_out(view(x), fold=True, depth=None, max_nodes=400))
    >>> [item.node.name for item in starts]
    ['v1', 'v7', 'v13', 'v19', 'v25']
    >>> [item.node.name for item in sheet.items if item.kind == "alias"]
    ['v6', 'v12', 'v18', 'v24']
    """
    inputs: dict[Item, list[Item]] = {item: [] for item in sheet.items}
    for link in sheet.links:
        inputs[link.head].append(link.tail)
    depth: dict[Item, int] = {}
    for item in sheet.items:  # each after those of its inputs that have inputs
        depth[item] = max((depth.get(x, 0) + 1 for x in inputs[item]), default=0)
    deepest = max(depth.values())
    if deepest < LINES_ABOVE or any(item.path or item.group for item in sheet.items):
        return sheet, []
    steps = math.ceil(math.sqrt(deepest))
    line = {item: max(depth[item] - 1, 0) // steps for item in sheet.items}
    starts: dict[int, Item] = {}
    for item in reversed(sheet.items):
        if inputs[item]:
            starts[line[item]] = item
        line.update((x, line[item]) for x in inputs[item] if not inputs[x])
    return _broken(sheet, line), [starts[n] for n in sorted(starts)]


def _broken(sheet: Sheet, line: dict[Item, int]) -> Sheet:
    """The same with what a line needs of another drawn again in it."""
    again: dict[tuple[Item, int], Item] = {}
    links = []
    for link in sheet.links:
        tail, place = link.tail, line[link.head]
        if line[tail] != place:
            alias = Item(f"{tail.key}l{place}", "alias", tail.nodes, note=tail.note)
            tail = again.setdefault((link.tail, place), alias)
        links.append(Link(tail, link.head, link.edges))
    return Sheet([*sheet.items, *again.values()], links, sheet.numbers)
