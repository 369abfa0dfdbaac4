"""See the backward pass for what it is: dynamic programming over a recorded graph."""

from .graph import Edge, Graph, Node, view

__all__ = ["Edge", "Graph", "Node", "view"]
