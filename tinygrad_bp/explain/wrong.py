"""Three backward passes that one might write first, and what is wrong with them.

One forgets what it has computed, and takes exponential time. One passes a gradient on before it is
complete, and one overwrites what was paid before: both are as fast as the real pass, and wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np

from ..engine.tensor import Tensor
from .elements import Edge, Graph, Node, sweep
from .graph import view
from .names import count_noun, entries
from .semirings import COUNTING, Values, propagate
from .tables import Column, Shown, Table


@dataclass(eq=False, repr=False)
class Attempt(Shown):
    """What a backward pass of one's own computed, beside the real one.

    Attributes
    ----------
    name : str
    graph : Graph
        What was differentiated, with the adjoints of the real pass.
    evaluations : int
        How many times it called a rule.
    sums, arrivals : dict
        What was paid into each node of ``graph``, and how many times the pass came to it.
    """

    name: str
    graph: Graph
    evaluations: int = 0
    sums: dict[Node, Any] = field(default_factory=dict)
    arrivals: dict[Node, int] = field(default_factory=dict)

    @property
    def gradients(self) -> Values:
        """What it computed for each node."""
        return Values(self.graph, self.sums, 0.0, f"What the {self.name} computed")

    @property
    def true(self) -> Values:
        """The adjoints."""
        adjoints = {node: node.adjoint for node in self.graph.visited()}
        return Values(self.graph, adjoints, 0.0, "The adjoints")

    @property
    def visits(self) -> Values:
        """How many times it came to each node; the real pass comes once."""
        return Values(self.graph, self.arrivals, 0, f"How often the {self.name} came")

    @property
    def true_evaluations(self) -> int:
        """How many times the real pass calls a rule: once for each edge."""
        return sum(edge.consumer is not None for edge in self.graph.edges)

    def arrive(self, node: Node, term: Any) -> None:
        """Pay a term into a node."""
        so_far = self.sums.get(node)
        self.sums[node] = term if so_far is None else so_far + term
        self.arrivals[node] = self.arrivals.get(node, 0) + 1

    def pay(self, edge: Edge, adjoint: Any) -> Any:
        """Evaluate a rule."""
        self.evaluations += 1
        return edge.pay(adjoint)

    def table(self) -> Table:
        """The table that is shown."""
        columns = [
            Column("node"),
            Column("computed", "adjoint"),
            Column("true", "number"),
            Column("", "text"),
            Column("visits", "number"),
        ]
        title = (
            f"{self.name.capitalize()}: {count_noun(self.evaluations, 'evaluation')} of a rule; "
            f"the real pass takes {self.true_evaluations}"
        )
        return Table(title, columns, list(self.graph.visited()), self._cells)

    def _cells(self, node: Node) -> list[str]:
        computed = self.sums[node]
        return [
            node.made,
            entries(computed),
            entries(node.adjoint),
            "" if np.allclose(computed, node.adjoint, equal_nan=True) else "wrong",
            str(self.arrivals[node]),
        ]


def naive_backward(output: Tensor, *, limit: int = 1_000_000) -> Attempt:
    """Differentiate by the chain rule as it stands, again and again for each path.

    Whatever comes to a node is passed on at once, by itself: nothing is summed first, so a node
    that lies on a thousand paths evaluates its rules a thousand times. Right, and exponential.

    Parameters
    ----------
    output : Tensor
        A scalar.
    limit : int
        How many evaluations of a rule to make at most.

    Returns
    -------
    Attempt

    Raises
    ------
    ValueError
        If it would take more than ``limit``; it says how many.

    Examples
    --------
    >>> a = Tensor(1.0, requires_grad=True, name="a")
    >>> b = a + a
    >>> b.name = "b"
    >>> c = b + b
    >>> c.name = "c"
    >>> naive_backward(c)
    Naive backward: 6 evaluations of a rule; the real pass takes 4
    <BLANKLINE>
    node       computed    true    visits
    c = b + b    1.0000  1.0000         1
    b = a + a    2.0000  2.0000         2
    a            4.0000  4.0000         4
    """
    attempt = Attempt("naive backward", view(output))
    counts = propagate(output, COUNTING)
    needed = sum(counts[node.tensor] * len(node.pays) for node in attempt.graph.visited())
    if needed > limit:
        raise ValueError(
            f"the naive backward pass would evaluate {needed} rules, and limit={limit}; "
            f"the real one evaluates {attempt.true_evaluations}"
        )
    edges = attempt.graph.edges
    stack = [(edges[0].receiver, edges[0].term)]
    while stack:
        node, adjoint = stack.pop()
        attempt.arrive(node, adjoint)
        for step in reversed(node.pays):
            stack.append((edges[step].receiver, attempt.pay(edges[step], adjoint)))
    return attempt


def eager_backward(output: Tensor) -> Attempt:
    """Differentiate by passing a gradient on before every consumer has paid in. It is wrong.

    A node passes on what it has as soon as the first term comes, and only once. What comes later
    is added to its own gradient, and never reaches its inputs. Each rule is evaluated once, as in
    the real pass: the order is the whole difference. Right on trees, where nothing is used twice.

    Parameters
    ----------
    output : Tensor
        A scalar.

    Returns
    -------
    Attempt

    Examples
    --------
    >>> a = Tensor(1.0, requires_grad=True, name="a")
    >>> b = a + a
    >>> b.name = "b"
    >>> c = b + b
    >>> c.name = "c"
    >>> eager_backward(c)
    Eager backward: 4 evaluations of a rule; the real pass takes 4
    <BLANKLINE>
    node       computed    true         visits
    c = b + b    1.0000  1.0000              1
    b = a + a    2.0000  2.0000              2
    a            2.0000  4.0000  wrong       2
    """
    attempt = Attempt("eager backward", view(output))
    edges = attempt.graph.edges
    attempt.arrive(edges[0].receiver, edges[0].term)
    stack = [iter(edges[0].receiver.pays)]
    while stack:
        step = next(stack[-1], None)
        if step is None:
            stack.pop()
            continue
        edge = edges[step]
        first = edge.receiver not in attempt.sums
        attempt.arrive(edge.receiver, attempt.pay(edge, attempt.sums[cast(Node, edge.consumer)]))
        if first:
            stack.append(iter(edge.receiver.pays))
    return attempt


def overwriting_backward(output: Tensor) -> Attempt:
    """Differentiate with ``=`` where ``+=`` belongs. It is wrong.

    The order is that of the real pass, but each term takes the place of what was paid before, so
    a node keeps only the part that came along its last edge. Right where nothing is used twice.

    Parameters
    ----------
    output : Tensor
        A scalar.

    Returns
    -------
    Attempt

    Examples
    --------
    >>> a = Tensor(1.0, requires_grad=True, name="a")
    >>> b = a + a
    >>> b.name = "b"
    >>> c = b + b
    >>> c.name = "c"
    >>> overwriting_backward(c)
    Overwriting backward: 4 evaluations of a rule; the real pass takes 4
    <BLANKLINE>
    node       computed    true         visits
    c = b + b    1.0000  1.0000              1
    b = a + a    1.0000  2.0000  wrong       2
    a            1.0000  4.0000  wrong       2
    """
    attempt = Attempt("overwriting backward", view(output))

    def pay(edge: Edge, adjoint: Any) -> Any:
        term = attempt.pay(edge, adjoint) if edge.consumer else edge.term
        attempt.arrivals[edge.receiver] = attempt.arrivals.get(edge.receiver, 0) + 1
        return term

    attempt.sums = sweep(attempt.graph, pay, lambda paid, term: term)
    return attempt
