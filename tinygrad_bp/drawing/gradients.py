"""What earlier backward passes left in ``grad``, and whether it belongs to a graph."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine.backprop import gradients
from ..engine.tensor import Tensor
from ..explain import Graph, Node


def node_gradients(graph: Graph, own: bool) -> dict[Node, Any]:
    """The gradient that each node has, as an array.

    Parameters
    ----------
    graph : Graph
    own : bool
        Leave out what a pass over this very graph does not give: parameters that two graphs
        share have the gradients of the one that was differentiated.

    Examples
    --------
    >>> from ..explain import view
    >>> x = Tensor(3.0, requires_grad=True, name="x")
    >>> square, cube = x * x, x * x * x
    >>> square.backward()
    >>> [len(node_gradients(view(y, backward=False), own=True)) for y in (square, cube)]
    [1, 0]
    """
    found = {node: _grad_array(node) for node in graph.visited()}
    left = {node: gradient for node, gradient in found.items() if gradient is not None}
    if not own or not left:
        return left
    ends = [node for node in graph.visited() if node.kind == "output" and node.tensor.requires_grad]
    passes = [_pass_from(end, list(left), found[end]) for end in ends]
    if all(passes):
        passes += [[sum(terms) for terms in zip(*passes, strict=True)]]
    return {
        node: gradient
        for n, (node, gradient) in enumerate(left.items())
        if any(np.allclose(gradient, given[n], equal_nan=True) for given in passes if given)
    }


def _pass_from(end: Node, nodes: list[Node], seed: Any) -> list[Any]:
    """What a pass from an output gives; nothing where it is not known what it started with."""
    if seed is None and end.value.size != 1:
        return []
    return gradients(end.tensor, [node.tensor for node in nodes], seed)


def _grad_array(node: Node) -> Any:
    found = node.tensor._grad if isinstance(node.tensor, Tensor) else None
    return found.data if isinstance(found, Tensor) else found
