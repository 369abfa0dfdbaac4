"""A graph and its backward pass as plain data: what the tables and the pictures are made from."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..engine.arrays import unbroadcast
from ..engine.backprop import seed_of, topological_order
from ..engine.tensor import Tensor
from .names import SIGNS, Names, expression, factor, formula, has_shape, literal
from .notation import adjoint_names


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
        Gives the name of an adjoint, of the name of a node.
    written : str or None
        How it was made, where several operations have become one step.
    within : tuple of str or None
        Where in a model the module is whose ``forward`` made it, if that is known.
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
    notation: Callable[[str], str] = "{}.grad".format
    written: str | None = None
    within: tuple[str, ...] | None = None

    @property
    def adjoint_name(self) -> str:
        """What its adjoint is called, such as ``x.grad``."""
        return self.notation(self.name)

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
        if self.consumer is None:
            return "1", "seed"
        node = self.consumer
        names = node.operand_names()
        return formula(node.tensor.rule, self.position, node.name, names, node.adjoint_name)

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


def view(
    *outputs: Tensor,
    seed: Any = None,
    backward: bool = True,
    notation: str | Mapping[str, str] = "grad",
    fuse: bool = False,
) -> Graph:
    """Lay out the graph of ``outputs``, with every step of its backward pass.

    Nobody's ``grad`` is read or touched.

    Parameters
    ----------
    *outputs : Tensor
        Where the pass starts.
    seed : array, optional
        The adjoint of the output, of its shape; 1 for a scalar. For several outputs a list.
    backward : bool
        Whether to evaluate adjoints and terms. Without, they stay None.
    notation : {"grad", "delta", "sensitivity", "P", "gamma"} or mapping
        What adjoints are called: ``z.grad``; or as a lecture calls them, such as ``δ^[2]`` for
        that of ``z^[2]`` and ``∂J/∂W^[2]`` for one without a letter of its own. A mapping goes
        from names, or from the letters that they begin with, to those of their adjoints.
    fuse : bool
        Make a Tensor without a name part of the named one that it leads to.

    Returns
    -------
    Graph

    Raises
    ------
    TypeError
        If an output is no Tensor.
    RuntimeError
        If ``backward`` is asked of an output that depends on nothing that requires grad.

    Examples
    --------
    >>> x = Tensor(2.0, requires_grad=True, name="x")
    >>> y = Tensor(3.0, requires_grad=True, name="y")
    >>> graph = view(x * y + np.sin(x))
    >>> graph["x"].terms, float(graph["x"].adjoint.round(4))
    ([3, 4], 2.5839)
    >>> [edge.product for edge in graph.edges]
    ['seed', 'v3.grad × 1', 'v3.grad × 1', 'v2.grad × cos x', 'v1.grad × y', 'v1.grad × x']
    """
    for output in outputs:
        if not isinstance(output, Tensor):
            raise TypeError(f"a graph belongs to a Tensor, not to {type(output).__name__}")
        if backward and not output.requires_grad:
            raise RuntimeError(f"{output!r} does not depend on a Tensor that requires grad")
    order = topological_order(*outputs)
    names, ends = Names(order), set(outputs)
    nodes: dict[Any, Node] = {}
    for number, x in reversed(list(enumerate(order))):
        kind = "output" if x in ends else "leaf" if x.is_leaf else "intermediate"
        nodes[x] = Node(number, names.of(x, "v"), kind, x)
    constants = _connect(nodes, names)
    called = adjoint_names(notation, ", ".join(nodes[output].name for output in outputs))
    for node in nodes.values():
        node.notation = called
    steps = _steps([nodes[output] for output in outputs], [nodes[x] for x in order])
    graph = Graph([*(nodes[x] for x in order), *constants], steps)
    if backward:
        seeds = seed if len(outputs) > 1 and seed is not None else len(outputs) * [seed]
        if len(seeds) != len(outputs):
            raise ValueError(f"{len(outputs)} outputs need as many seeds, not {len(seeds)}")
        differentiate(graph, [seed_of(output, s) for output, s in zip(outputs, seeds, strict=True)])
    if fuse:
        from .fusing import fused  # which stands above this file

        return fused(graph)
    return graph


def _connect(nodes: dict[Any, Node], names: Names) -> list[Node]:
    """Give every node its operands and its value; return the constants among the operands."""
    constants: dict[Any, Node] = {}
    for x, node in nodes.items():
        if x.is_leaf:
            if node.kind == "output":
                node.value = x.numpy()[()]
            continue
        node.value = x._array
        operands: list[Node | str] = []
        for position, (given, value) in enumerate(zip(x.inputs, x.values, strict=True)):
            is_array = has_shape(given)
            is_number = has_shape(value) or isinstance(value, int | float)
            if not is_array and (x.rule.derivatives[position] is None or not is_number):
                operands.append(literal(given))
                continue
            operand = nodes.get(given) if isinstance(given, Tensor) else None
            if operand is None:
                key = id(given) if is_array else (x, position)  # a literal belongs to its use
                if key not in constants:
                    constants[key] = _constant(len(nodes) + len(constants), given, value, names)
                operand = constants[key]
            operand.value = np.asarray(value)[()] if isinstance(value, int | float) else value
            operands.append(operand)
        node.operands = tuple(operands)
    return list(constants.values())


def _constant(number: int, given: Any, value: Any, names: Names) -> Node:
    named = isinstance(given, Tensor) and given.name
    shown = names.of(given, "c") if named or np.shape(value) else literal(value)
    return Node(number, shown, "constant", given)


def _steps(outputs: list[Node], order: list[Node]) -> list[Edge]:
    """Every edge in the order in which the pass takes it, after the seeds."""
    edges = [Edge(0, None, 0, output) for output in outputs]
    by_tensor = {node.tensor: node for node in order}
    for node in order:
        for position in node.tensor.edges:
            receiver = by_tensor[node.tensor.inputs[position]]
            edges.append(Edge(0, node, position, receiver))
    number_steps(edges, order)
    return edges


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
    """The recurrence of the backward pass: when a node pays, all that it waits for has come.

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
    for edge in graph.edges:
        payment = pay(edge, None if edge.consumer is None else found[edge.consumer])
        to = edge.receiver
        found[to] = add(found[to], payment) if to in found else payment
    return found


def differentiate(graph: Graph, seeds: list[Any]) -> None:
    """Sweep with derivatives: every edge keeps its term, and every node its adjoint."""

    def pay(edge: Edge, adjoint: Any) -> Any:
        edge.term = seeds[edge.step] if edge.consumer is None else edge.pay(adjoint)
        return edge.term

    for node, adjoint in sweep(graph, pay, operator.add).items():
        node.adjoint = adjoint
