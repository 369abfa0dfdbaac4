"""A node, an edge and a graph as plain data, and the one sweep that every pass is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..engine.arrays import unbroadcast
from ..engine.tensor import Tensor
from ..support.waiting import follow
from .names import SIGNS, expression, factor, formula


@dataclass(slots=True, eq=False, repr=False)
class Node:
    """A value of the graph.

    Attributes
    ----------
    number : int
        Its place in the order of the backward pass, from 0 for the output. Constants come last.
    name : str
        The Tensor's own, or ``v1``, ``v2``, ... in the order of computing; no other node has it.
        A constant without a name is called by its value, as others of that value are too, or
        ``c1``, ``c2``, ... if an array.
    kind : str
        ``"leaf"``, ``"constant"``, ``"intermediate"`` or ``"output"``.
    tensor : Tensor, array or number
        What it stands for.
    value : array or NumPy scalar
        As it was when it was used.
    operands : tuple of Node or str
        The inputs of its function; text for those that are no arrays, such as an index.
    adjoint : array, NumPy scalar or None
        The derivative of the output by this node. None: it was not computed.
    terms : list of int
        The steps whose terms were paid into it; its adjoint is their sum.
    pays : list of int
        The steps in which its adjoint is used.
    notation : callable
        Gives the name of a node's adjoint for the node's own; None: ``x.grad`` for ``x``.
    written : str or None
        How it was made, where several operations have become one step.
    """

    number: int
    name: str
    kind: str
    tensor: Any
    value: Any = None
    operands: tuple[Node | str, ...] = ()
    adjoint: Any = None
    terms: list[int] = field(default_factory=list)
    pays: list[int] = field(default_factory=list)
    notation: Callable[[str], str] | None = None
    written: str | None = None

    @property
    def adjoint_name(self) -> str:
        """What its adjoint is called, such as ``x.grad``."""
        return self.notation(self.name) if self.notation else f"{self.name}.grad"

    @property
    def inputs(self) -> list[Node]:
        """The nodes that it was computed from, constants too, in order; one twice for ``x * x``."""
        return [operand for operand in self.operands if isinstance(operand, Node)]

    @property
    def operation(self) -> str | None:
        """The name of the function that made it, such as ``multiply``; None if it was given."""
        rule = getattr(self.tensor, "rule", None)
        return rule.name if rule and self.kind != "constant" else None

    @property
    def sign(self) -> str | None:
        """The function's sign, such as ``×``, or its name if it has none."""
        operation = self.operation
        return SIGNS.get(operation, operation) if operation else None

    @property
    def expression(self) -> str:
        """How it was made, such as ``x × y`` or ``sin x``; empty if it was given."""
        if self.written is not None:
            return self.written
        operation = self.operation
        if operation is None:
            return ""
        return expression(operation, self.operand_names(), self.tensor.keywords)

    @property
    def made(self) -> str:
        """Its name and how it was made: ``p = x × y``."""
        expression = self.expression
        return f"{self.name} = {expression}" if expression else self.name

    def operand_names(self) -> list[str]:
        """Its operands as text."""
        return [x.name if isinstance(x, Node) else x for x in self.operands]

    def __repr__(self) -> str:
        return f"Node({self.number}: {self.made})"


@dataclass(slots=True, eq=False, repr=False)
class Edge:
    """A step of the backward pass: one term, paid by a consumer into one of its inputs.

    Attributes
    ----------
    step : int
        When the pass takes it. 0 is the seed, which nobody pays.
    consumer : Node or None
        Whose adjoint is passed on. None for a seed.
    position : int
        Which input of the consumer is paid.
    receiver : Node
        Who is paid.
    remaining : int
        How many terms the receiver is still waiting for after this one. At 0 its adjoint is final.
    term : array, NumPy scalar or None
        The consumer's adjoint times the local derivative. None: it was not computed.
    """

    step: int
    consumer: Node | None
    position: int
    receiver: Node
    remaining: int = 0
    term: Any = None

    @property
    def formula(self) -> str:
        """The local derivative such as ``cos x``; of arrays a map such as ``upstream @ Wᵀ``."""
        return self._formulas()[0]

    @property
    def product(self) -> str:
        """Upstream times local: ``s.grad × cos x``, ``z.grad @ Wᵀ``, or ``seed``."""
        return self._formulas()[1]

    def _formulas(self) -> tuple[str, str]:
        return ("1", "seed") if self.consumer is None else self._around(self.consumer.adjoint_name)

    def _around(self, upstream: str) -> tuple[str, str]:
        """The local derivative, and the product with what comes from upstream, as text."""
        node = self.consumer
        assert node is not None
        rule, names = node.tensor.rule, node.operand_names()
        local, product = formula(rule, self.position, node.name, names, upstream)
        broadcast = self.receiver.value.size < node.value.size and product.startswith(upstream)
        return (local, f"{product}, summed") if broadcast and " × " in product else (local, product)

    @property
    def is_map(self) -> bool:
        """Whether `formula` maps what comes from upstream, and is no factor of it."""
        local, product = self._formulas()
        payer = self.consumer
        return payer is not None and product != f"{payer.adjoint_name} × {factor(local)}"

    @property
    def local(self) -> Any:
        """The local derivative as a number; None unless both ends are scalars."""
        if self.consumer is None or self.consumer.value.shape or self.receiver.value.shape:
            return None
        return self.pay(np.ones_like(self.consumer.value)[()])

    def pay(self, adjoint: Any) -> Any:
        """The term for a given adjoint of the consumer: one evaluation of the rule."""
        if self.consumer is None:
            return adjoint
        node = self.consumer.tensor
        derivative = node.rule.derivatives[self.position]
        term = derivative(adjoint, *node.arguments, **node.keywords)
        return unbroadcast(term, self.receiver.value)

    def __repr__(self) -> str:
        return f"Edge({self.step}: {self.product} to {self.receiver.name})"


class Graph:
    """The nodes and edges that lead to one output or several, in the order of the backward pass.

    Attributes
    ----------
    nodes : list of Node
        ``nodes[i].number == i``. Constants follow those that the pass visits.
    edges : list of Edge
        ``edges[k].step == k``: first one seed for each output.
    """

    def __init__(self, nodes: list[Node], edges: list[Edge]):
        self.nodes = nodes
        self.edges = edges

    def visited(self) -> Iterator[Node]:
        """The nodes that the backward pass visits: all but the constants."""
        return (node for node in self.nodes if node.kind != "constant")

    def __getitem__(self, name: str | Tensor) -> Node:
        for node in self.nodes:
            if node.tensor is name or (isinstance(name, str) and node.name == name):
                return node
        raise KeyError(f"the graph has no {name if isinstance(name, str) else repr(name)}")

    def __repr__(self) -> str:
        return f"Graph({len(self.nodes)} nodes, {len(self.edges)} edges)"


def number_steps(edges: list[Edge], order: list[Node]) -> None:
    """Number the edges, and say of each node which pay it and which it pays."""
    for step, edge in enumerate(edges):
        edge.step = step
        edge.receiver.terms.append(step)
        if edge.consumer is not None:
            edge.consumer.pays.append(step)
    for node in order:
        for remaining, step in enumerate(reversed(node.terms)):
            edges[step].remaining = remaining


def sweep(
    graph: Graph, pay: Callable[[Edge, Any], Any], add: Callable[[Any, Any], Any]
) -> dict[Node, Any]:
    """The recurrence of the backward pass: a node pays when all that it waits for has come.

    Parameters
    ----------
    graph : Graph
        Its edges give the order.
    pay : callable
        What an edge pays, of the edge and what its consumer came to; of a seed and None.
    add : callable
        How what was paid so far and a new payment add up.

    Returns
    -------
    dict
        What each node came to.
    """
    found: dict[Node, Any] = {}
    for edge in follow(graph.edges, "passing back"):
        payment = pay(edge, None if edge.consumer is None else found[edge.consumer])
        to = edge.receiver
        found[to] = add(found[to], payment) if to in found else payment
    return found
