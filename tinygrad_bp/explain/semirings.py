"""The backward pass over other semirings: counting paths, the longest, the strongest."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np

from ..engine.backprop import topological_order
from ..engine.tensor import Tensor
from ..support.waiting import follow
from .elements import Edge, Graph, Node, sweep
from .graph import view
from .names import quantity
from .tables import Column, Shown, Table


def local_derivative(edge: Edge) -> Any:
    """The number on an edge of a scalar graph."""
    if edge.local is None and edge.consumer:
        shapes = f"{edge.receiver.value.shape} to {edge.consumer.value.shape}"
        raise ValueError(
            f"{edge.consumer.made} by {edge.receiver.name} is no number but a map from {shapes}: "
            "use a graph of scalars, or a Semiring whose edge= does not need the local derivative"
        )
    return edge.local


@dataclass(frozen=True)
class Semiring:
    """How to join paths and how to lengthen them; the backward pass needs no more than that.

    Parameters
    ----------
    plus : callable
        Joins two values: what came along several paths.
    times : callable
        Lengthens a path by an edge: a value, and the edge's own. It must distribute over ``plus``.
    zero, one : object
        The value of no path, and of the path without edges; neutral for plus and for times.
    edge : callable, optional
        Gives an `Edge` its own value. By default the local derivative of a graph of scalars.

    Notes
    -----
    Mohri, "Semiring frameworks and algorithms for shortest-distance problems", Journal of
    Automata, Languages and Combinatorics 7 (2002) 321.

    Examples
    --------
    One of your own: does the output depend on it by multiplications and additions alone?

    >>> polynomial = Semiring(
    ...     plus=lambda a, b: a and b, times=lambda a, b: a and b, zero=True, one=True,
    ...     edge=lambda edge: edge.consumer.operation in ("add", "subtract", "multiply"),
    ... )
    >>> import numpy as np
    >>> x = Tensor(2.0, requires_grad=True, name="x")
    >>> y = Tensor(3.0, requires_grad=True, name="y")
    >>> result = propagate(x * y + np.sin(x), polynomial)
    >>> result["x"], result["y"]
    (False, True)
    """

    plus: Callable[[Any, Any], Any]
    times: Callable[[Any, Any], Any]
    zero: Any
    one: Any
    edge: Callable[[Edge], Any] | None = None


class Influence:
    """The strength of a path, the product of the sizes of its local derivatives, and the path."""

    __slots__ = ("before", "edge", "strength")

    def __init__(self, strength: Any, edge: Edge | None = None, before: Influence | None = None):
        self.strength = strength
        self.edge = edge
        self.before = before

    def along(self, further: Influence) -> Influence:
        """The path that goes one edge further."""
        return Influence(self.strength * further.strength, further.edge, self)

    @property
    def path(self) -> list[str]:
        """The names of the nodes from the output on; empty for the output itself."""
        names: list[str] = []
        here: Influence | None = self
        first = None
        while here and here.edge:
            names.append(here.edge.receiver.name)
            first, here = here.edge.consumer, here.before
        return [*([first.name] if first else []), *reversed(names)]

    def __repr__(self) -> str:
        path = self.path
        shown = path if len(path) <= 12 else [*path[:6], "...", *path[-5:]]
        return f"{quantity(self.strength)}  {' ← '.join(shown)}".rstrip()


GRADIENT = Semiring(operator.add, operator.mul, zero=0.0, one=1.0)
COUNTING = Semiring(operator.add, operator.mul, zero=0, one=1, edge=lambda edge: 1)
LONGEST_PATH = Semiring(max, operator.add, zero=-math.inf, one=0, edge=lambda edge: 1)
STRONGEST = Semiring(
    plus=lambda a, b: b if b.strength > a.strength else a,
    times=Influence.along,
    zero=Influence(0.0),
    one=Influence(1.0),
    edge=lambda edge: Influence(abs(local_derivative(edge)), edge),
)


class Values(Shown, Mapping[Any, Any]):
    """What was found for each node: asked for by the Tensor itself or by its name.

    A Tensor that the output does not depend on has ``absent``, the value of no path.
    """

    def __init__(self, graph: Graph, found: dict[Node, Any], absent: Any, title: str):
        self._graph = graph
        self._found = {node.tensor: value for node, value in found.items()}
        self._by_name = {node.name: value for node, value in found.items()}
        self._absent = absent
        self._title = title

    def __getitem__(self, key: Tensor | str) -> Any:
        if isinstance(key, Tensor):
            return self._found.get(key, self._absent)
        if key in self._by_name:
            return self._by_name[key]
        near = get_close_matches(str(key), self._by_name) or list(self._by_name)[:8]
        raise KeyError(f"no node is called {key!r}; there are {', '.join(near)}")

    def __contains__(self, key: object) -> bool:
        return key in (self._found if isinstance(key, Tensor) else self._by_name)

    def __iter__(self) -> Iterator[Tensor]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    __repr__ = Shown.__repr__

    def table(self) -> Table:
        """The table that is shown: every node in the order of the pass."""
        nodes = [node for node in self._graph.visited() if node.tensor in self._found]
        numbers = all(isinstance(value, int | float | np.generic) for value in self.values())
        columns = [Column("node"), Column("value", "number" if numbers else "text")]
        return Table(self._title, columns, nodes, self._cells)

    def _cells(self, node: Node) -> list[str]:
        value = self._found[node.tensor]
        number = hasattr(value, "dtype") or type(value) is float
        return [node.made, quantity(value) if number else str(value)]


def propagate(output: Tensor, semiring: Semiring) -> Values:
    """Run the backward pass from ``output`` over a semiring.

    The order is that of backpropagation, and so is the recurrence: the value of a node is the
    sum, over its consumers, of the consumer's value times that of the edge. With + and × that is
    the gradient; with others the same pass answers other questions about the same paths.

    Parameters
    ----------
    output : Tensor
        Where the pass starts.
    semiring : Semiring
        ``explain.GRADIENT``, ``COUNTING``, ``LONGEST_PATH``, ``STRONGEST``, or one of your own.

    Returns
    -------
    Values
        A mapping from nodes, or their names, to values.

    Raises
    ------
    ValueError
        If the semiring asks for a local derivative that is no number.
    TypeError
        If ``output`` is no Tensor, or ``semiring`` no Semiring.

    Examples
    --------
    >>> x = Tensor(3.0, requires_grad=True, name="x")
    >>> z = x * x + x
    >>> propagate(z, GRADIENT)["x"], propagate(z, COUNTING)["x"], propagate(z, LONGEST_PATH)["x"]
    (np.float64(7.0), 3, 2)
    >>> propagate(z, STRONGEST)["x"]
    3.0000  v2 ← v1 ← x
    """
    if not isinstance(semiring, Semiring):
        raise TypeError(f"propagate needs a Semiring such as explain.GRADIENT, not {semiring!r}")
    graph = view(output, backward=False)
    value_of = semiring.edge or local_derivative

    def pay(edge: Edge, value: Any) -> Any:
        return semiring.times(value, value_of(edge)) if edge.consumer else semiring.one

    found = sweep(graph, pay, semiring.plus)
    return Values(graph, found, semiring.zero, f"The pass from {graph.nodes[0].name}")


def count_paths(output: Tensor, input: Tensor) -> int:
    """Count the paths that lead from ``input`` to ``output``, without walking them.

    Parameters
    ----------
    output, input : Tensor
        The ends.

    Returns
    -------
    int
        However large it is; 0 where ``output`` does not depend on ``input``.

    Examples
    --------
    >>> x = y = Tensor(1.0, requires_grad=True)
    >>> for _ in range(60):
    ...     y = y + y
    >>> count_paths(y, x) == 2**60
    True
    """
    if not isinstance(output, Tensor):
        raise TypeError(f"a graph belongs to a Tensor, not to {type(output).__name__}")
    counts = {output: 1}  # the pass over COUNTING, for a graph of millions of nodes
    for node in follow(topological_order(output), "counting paths"):
        count = counts.pop(node)
        if node is input:
            return count
        for position in node.edges:
            parent = node.inputs[position]
            counts[parent] = counts.get(parent, 0) + count
    return 0
