"""A graph in the steps that somebody named: what has no name joins the step that it leads to."""

from __future__ import annotations

import operator
import re
from collections.abc import Iterator
from typing import Any

from .elements import Edge, Graph, Node, number_steps, sweep
from .names import factor

LONGEST_STEP = 60  # characters of an expression; a longer one is cut to the name of its function
MOST_ROUTES = 3  # ways from an input through a step; of more, the derivative is not written out


class FusedEdge(Edge):
    """A step's payment into one of its inputs, over every edge within the step.

    Attributes
    ----------
    parts : list of Edge
        The edges within, each after those that pay its consumer.
    """

    __slots__ = ("parts", "texts")

    def __init__(self, consumer: Node, receiver: Node, parts: list[Edge]):
        super().__init__(0, consumer, 0, receiver)
        self.parts = parts
        self.texts = _edge_text(consumer, receiver, parts)
        terms = [edge.term for edge in parts if edge.receiver is receiver]
        self.term = None if terms[0] is None else sum(terms[1:], terms[0])

    def pay(self, adjoint: Any) -> Any:
        """The term for a given adjoint of the consumer: the pass, within the step."""
        assert self.consumer is not None
        within = Graph([], [Edge(0, None, 0, self.consumer), *self.parts])
        found = sweep(within, lambda e, x: e.pay(x) if e.consumer else adjoint, operator.add)
        return found[self.receiver]

    def _formulas(self) -> tuple[str, str]:
        return self.texts


def _edge_text(payer: Node, receiver: Node, parts: list[Edge]) -> tuple[str, str]:
    """The derivative through a step as text, and its product with what comes from upstream."""
    ways = {payer: 1}
    for edge in parts:
        consumer: Any = edge.consumer
        ways[edge.receiver] = ways.get(edge.receiver, 0) + ways[consumer]
    if ways[receiver] > MOST_ROUTES:
        derivative = f"∂{payer.name}/∂{receiver.name}"
        return derivative, f"{payer.adjoint_name} × {derivative}"
    routes = list(_routes(payer, receiver, parts, []))
    if any(edge.is_map for edge in parts):
        carried = [_product_text(route, "upstream") for route in routes]
        return " + ".join(carried), " + ".join(_product_text(r, payer.adjoint_name) for r in routes)
    local = " + ".join(_product([edge.formula for edge in route]) for route in routes)
    return local, f"{payer.adjoint_name} × {factor(local)}"


def _routes(payer: Node, node: Node, parts: list[Edge], beyond: list[Edge]) -> Iterator[list[Edge]]:
    """The ways from a step's result to ``node``, the result's edge first."""
    for edge in parts:
        if edge.receiver is node:
            if edge.consumer is payer:
                yield [edge, *beyond]
            elif edge.consumer is not None:
                yield from _routes(payer, edge.consumer, parts, [edge, *beyond])


def merge_unnamed(graph: Graph) -> Graph:
    """The same graph and pass, in which a node without a name is part of the one it leads to.

    One that leads to several named nodes stays as it is. Adjoints and terms are those of the
    whole graph.
    """
    homes = _homes(graph)
    for node in reversed(graph.nodes):  # each after its inputs
        if homes.get(node, node) is not node:
            node.name = node.expression
            if len(node.name) > LONGEST_STEP:
                node.name = f"{node.operation}(...)"
    kept = [node for node in graph.visited() if homes[node] is node]
    within: dict[Node, list[Edge]] = {node: [] for node in kept}
    for edge in graph.edges:
        if edge.consumer is not None:
            within[homes[edge.consumer]].append(edge)
    edges = [edge for edge in graph.edges if edge.consumer is None]
    edges += [edge for node in kept for edge in _payments(node, within[node], homes)]
    for node in kept:
        node.written = node.expression
    for node in kept:
        node.operands = tuple(_inputs(node, homes))
        node.terms, node.pays = [], []
    nodes = [*kept, *(node for node in graph.nodes if node.kind == "constant")]
    for number, node in enumerate(nodes):
        node.number = number
    for edge in edges:
        if edge.consumer is not None:
            edge.position = edge.consumer.operands.index(edge.receiver)
    number_steps(edges, kept)
    return Graph(nodes, edges)


def _homes(graph: Graph) -> dict[Node, Node]:
    """The step that each node belongs to: its own if it has a name, or leads to several."""
    leads_to: dict[Node, set[Node]] = {}
    homes: dict[Node, Node] = {}
    for node in graph.visited():  # each after its consumers
        led = leads_to.get(node, set())
        alone = node.kind != "intermediate" or node.tensor.name or len(led) != 1
        homes[node] = node if alone else next(iter(led))
        for x in node.inputs:
            leads_to.setdefault(x, set()).add(homes[node])
    return homes


def _payments(step: Node, within: list[Edge], homes: dict[Node, Node]) -> Iterator[FusedEdge]:
    """The edges that leave a step, one for each input."""
    for receiver in dict.fromkeys(e.receiver for e in within if homes[e.receiver] is not step):
        leading, parts = {receiver}, []
        for edge in reversed(within):
            if edge.receiver in leading and edge.consumer is not None:
                parts.append(edge)
                leading.add(edge.consumer)
        yield FusedEdge(step, receiver, parts[::-1])


def _inputs(step: Node, homes: dict[Node, Node]) -> Iterator[Node | str]:
    """What flows into a step, each once, in the order of its expression."""
    seen: set[Node] = set()
    waiting = list(step.operands)[::-1]
    while waiting:
        x = waiting.pop()
        if isinstance(x, str) or x in seen:
            continue
        seen.add(x)
        if homes.get(x, x) is step:
            waiting += x.operands[::-1]
        else:
            yield x


_COEFFICIENT = re.compile(r"(-?\d+(?:\.\d+)?)(?: (?![-+/×])(.*))?")


def _product(formulas: list[str]) -> str:
    """The product of local derivatives, with the numbers among them multiplied."""
    coefficient, factors = 1.0, []
    for text in formulas:
        simple = factor(text.removeprefix("-")) == text.removeprefix("-")
        found = _COEFFICIENT.fullmatch(text) if simple else None
        coefficient *= float(found[1]) if found else 1.0
        rest = found[2] if found else text
        factors += [rest] if rest else []
    if coefficient not in (1.0, -1.0) or not factors:
        return " ".join([f"{coefficient:g}", " × ".join(map(factor, factors))]).rstrip()
    product = " × ".join(map(factor, factors)) if len(factors) > 1 else factors[0]
    return product if coefficient > 0 else f"-{factor(product)}"


def _product_text(route: list[Edge], upstream: str) -> str:
    """What comes through a step along one way, written around what comes into it."""
    for edge in route:
        node = edge.consumer
        assert node is not None
        bracketed = f"({upstream})" if " " in upstream else upstream
        _, product = edge._around(bracketed)
        upstream = upstream if product == f"{bracketed} × 1" else product
    return upstream
