"""A graph and its backward pass as plain data: what the tables and the pictures are made from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np

from ..engine.arrays import unbroadcast
from ..engine.backprop import seed_of, topological_order
from ..engine.tensor import Tensor
from .names import SIGNS, Names, expression, formula, has_shape, literal


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
        """The local derivative such as ``cos x``, or a whole product such as ``g @ Wᵀ``."""
        return self._formulas()[0]

    @property
    def product(self) -> str:
        """Upstream times local: ``s.grad × cos x``, ``z.grad @ Wᵀ``, or ``seed``."""
        return self._formulas()[1]

    def _formulas(self) -> tuple[str, str]:
        if self.consumer is None:
            return "1", "seed"
        node = self.consumer
        return formula(node.tensor.rule, self.position, node.name, node.operand_names())

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


class _Together:
    """Stands above several outputs, so that one order covers them all."""

    def __init__(self, outputs: Sequence[Tensor]):
        self.inputs = outputs
        self.edges = range(len(outputs))


def view(*outputs: Tensor, seed: Any = None, backward: bool = True) -> Graph:
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
    order = topological_order(cast(Any, _Together(outputs)))[1:]
    names, ends = Names(order), set(outputs)
    nodes: dict[Any, Node] = {}
    for number, x in reversed(list(enumerate(order))):
        kind = "output" if x in ends else "leaf" if x.is_leaf else "intermediate"
        nodes[x] = Node(number, names.of(x, "v"), kind, x)
    constants = _connect(nodes, names)
    steps = _steps([nodes[output] for output in outputs], [nodes[x] for x in order])
    graph = Graph([*(nodes[x] for x in order), *constants], steps)
    if backward:
        seeds = seed if len(outputs) > 1 and seed is not None else len(outputs) * [seed]
        if len(seeds) != len(outputs):
            raise ValueError(f"{len(outputs)} outputs need as many seeds, not {len(seeds)}")
        _run(graph, [seed_of(output, s) for output, s in zip(outputs, seeds, strict=True)])
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
    edges = [Edge(step, None, 0, output) for step, output in enumerate(outputs)]
    by_tensor = {node.tensor: node for node in order}
    for node in order:
        for position in node.tensor.edges:
            receiver = by_tensor[node.tensor.inputs[position]]
            node.pays.append(len(edges))
            edges.append(Edge(len(edges), node, position, receiver))
    for edge in edges:
        edge.receiver.terms.append(edge.step)
    for node in order:
        for remaining, step in enumerate(reversed(node.terms)):
            edges[step].remaining = remaining
    return edges


def _run(graph: Graph, seeds: list[Any]) -> None:
    """Evaluate the pass, edge by edge: when a node pays, all that it waits for has come."""
    for edge in graph.edges:
        upstream = seeds[edge.step] if edge.consumer is None else edge.consumer.adjoint
        edge.term = edge.pay(upstream)
        so_far = edge.receiver.adjoint
        edge.receiver.adjoint = edge.term if so_far is None else so_far + edge.term
