"""A graph and its backward pass as plain data: what the tables and the pictures are made from."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..engine.backprop import seed_of, topological_order
from ..engine.tensor import Tensor
from ..support.waiting import follow
from .elements import Edge, Graph, Node, number_steps, sweep
from .fusing import merge_unnamed
from .names import Names, has_shape, literal
from .notation import adjoint_names


def view(
    *outputs: Tensor,
    seed: Any = None,
    backward: bool = True,
    notation: str | Mapping[str, str] = "grad",
    fuse: bool = False,
) -> Graph:
    """Lay out the graph of ``outputs``, with every step of its backward pass.

    No ``grad`` is read or changed.

    Parameters
    ----------
    *outputs : Tensor
        Where the pass starts.
    seed : array, optional
        The adjoint of the output, of its shape; 1 for a scalar. For several outputs a list.
    backward : bool
        Whether to evaluate adjoints and terms; otherwise they are None.
    notation : {"grad", "delta", "sensitivity", "P", "gamma"} or mapping
        What adjoints are called: ``z.grad``; or as a lecture calls them, such as ``δ^[2]`` for
        that of ``z^[2]`` and ``∂J/∂W^[2]`` for one without a letter of its own. A mapping goes
        from names, or from the letters that they begin with, to those of their adjoints.
    fuse : bool
        Merge each Tensor without a name into the named one that it leads to.

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
    for number, x in follow(list(enumerate(order))[::-1], "naming the nodes"):
        kind = "output" if x in ends else "leaf" if x.is_leaf else "intermediate"
        nodes[x] = Node(number, names.of(x, "v"), kind, x)
    constants = _connect(nodes, names)
    called = adjoint_names(notation, ", ".join(nodes[output].name for output in outputs))
    for node in nodes.values():
        node.notation = called
    steps = _steps_of_pass([nodes[output] for output in outputs], [nodes[x] for x in order])
    graph = Graph([*(nodes[x] for x in order), *constants], steps)
    if backward:
        seeds = seed if len(outputs) > 1 and seed is not None else len(outputs) * [seed]
        if len(seeds) != len(outputs):
            raise ValueError(f"{len(outputs)} outputs need as many seeds, not {len(seeds)}")
        differentiate(graph, [seed_of(output, s) for output, s in zip(outputs, seeds, strict=True)])
    if fuse:
        return merge_unnamed(graph)
    return graph


def _connect(nodes: dict[Any, Node], names: Names) -> list[Node]:
    """Give every node its operands and its value; return the constants among the operands."""
    constants: dict[Any, Node] = {}
    for x, node in follow(list(nodes.items()), "connecting the nodes"):
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


def _steps_of_pass(outputs: list[Node], order: list[Node]) -> list[Edge]:
    """Every edge in the order in which the pass takes it, after the seeds."""
    edges = [Edge(0, None, 0, output) for output in outputs]
    by_tensor = {node.tensor: node for node in order}
    for node in follow(order, "counting the steps"):
        for position in node.tensor.edges:
            receiver = by_tensor[node.tensor.inputs[position]]
            edges.append(Edge(0, node, position, receiver))
    number_steps(edges, order)
    return edges


def differentiate(graph: Graph, seeds: list[Any]) -> None:
    """Sweep with derivatives: every edge keeps its term, and every node its adjoint."""

    def pay(edge: Edge, adjoint: Any) -> Any:
        edge.term = seeds[edge.step] if edge.consumer is None else edge.pay(adjoint)
        return edge.term

    for node, adjoint in sweep(graph, pay, operator.add).items():
        node.adjoint = adjoint
