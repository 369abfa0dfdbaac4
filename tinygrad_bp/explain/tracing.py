"""The backward pass as a table: the dynamic programme, row by row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import add
from typing import Any

from ..engine.tensor import Tensor
from .elements import Edge, Graph, Node
from .graph import view
from .names import count_noun, decimal, entries, is_small
from .tables import Column, Shown, Table

SHOWN_TERMS = 6


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """A row of a trace: a payment; or, with ``step`` None, a node that has paid nobody.

    Attributes
    ----------
    step : int or None
        When the payment was made. 0 is the seed.
    node, expression : str
        Who pays, and how it was made. Empty for the seed.
    value, adjoint : array or NumPy scalar
        The payer's value, and its adjoint: the answer to its subproblem, final when it pays.
    product : str
        The term in words, ``s.grad × cos x``; without a payment, the steps that make its adjoint.
    local : NumPy scalar or None
        The local derivative, if it is a number.
    term : array, NumPy scalar or None
        What is paid: adjoint times local derivative.
    to : str
        Who is paid.
    remaining : int
        How many terms the one who is paid still waits for.
    """

    step: int | None
    node: str
    expression: str
    value: Any
    adjoint: Any
    product: str
    local: Any
    term: Any
    to: str
    remaining: int


class Trace(Shown):
    """The backward pass as a table: who pays what to whom, in which order, and why.

    A node's adjoint is the sum of the terms that its consumers pay. The node pays in turn only
    when none of them has still to pay: each subproblem is solved once, then reused.

    Attributes
    ----------
    graph : Graph
        The same as plain nodes and edges.
    rows : list of Row
        The same as plain data, row by row.
    """

    def __init__(self, graph: Graph, last: int | None = None):
        self.graph = graph
        self.last = len(graph.edges) - 1 if last is None else last

    @cached_property
    def rows(self) -> list[Row]:
        """Every payment in its order, then every node that has paid nobody."""
        return [self._row(item) for item in self._items()]

    def _items(self) -> list[Edge | Node]:
        return [*self.graph.edges[: self.last + 1], *self._unpaid()]

    def _row(self, item: Edge | Node) -> Row:
        return _payment(item) if isinstance(item, Edge) else _final_row(item, self)

    def _unpaid(self) -> Iterator[Node]:
        """The nodes that were paid something and have paid nobody, so far."""
        for node in self.graph.visited():
            if node.terms[0] <= self.last and not (node.pays and node.pays[0] <= self.last):
                yield node

    def steps(self) -> Iterator[Trace]:
        """The table as it grows, a step at a time; the last one is the whole.

        Examples
        --------
        >>> x = Tensor(3.0, requires_grad=True, name="x")
        >>> for table in trace(x * x).steps():
        ...     print(table.rows[-1].node, table.rows[-1].adjoint, table.rows[-1].remaining)
        v1 1.0 0
        x 3.0 1
        x 6.0 0
        """
        return (Trace(self.graph, last) for last in range(len(self.graph.edges)))

    def table(self, limit: int = 60) -> Table:
        """The table that is shown, with at most ``limit`` rows."""
        visited = list(self.graph.visited())
        ends = ", ".join(edge.receiver.name for edge in self.graph.edges if not edge.consumer)
        payments = sum(edge.consumer is not None for edge in self.graph.edges)
        of_scalars = not any(node.value.shape for node in visited)
        columns = [
            Column("step", "step"),
            Column("node"),
            Column("value", "value"),
            Column("adjoint", "adjoint"),
            Column("upstream × local"),
            *([Column("local", "number")] if of_scalars else []),
            Column("term", "adjoint"),
            Column("adds to"),
            Column("waits for", "number"),
        ]
        return Table(
            f"Backward pass from {ends}: {count_noun(len(visited), 'node')}, "
            f"{'1 local derivative' if payments == 1 else f'each of {payments} local derivatives'} "
            "evaluated once",
            columns,
            self._items(),
            lambda item: self._cells(self._row(item), of_scalars),
            "A node pays only when it waits for 0 more terms: its adjoint is then final.",
            limit,
        )

    def _cells(self, row: Row, of_scalars: bool) -> list[str]:
        edge = None if row.step is None else self.graph.edges[row.step]
        payer = edge.consumer if edge else None
        again = payer is not None and row.step != payer.pays[0]
        made = f"{row.node} = {row.expression}" if row.expression else row.node
        cells = ["" if row.step is None else str(row.step)]
        cells += (
            3 * [""] if again or not row.node else [made, _held(row.value), entries(row.adjoint)]
        )
        cells += [row.product]
        if of_scalars:
            cells += [decimal(row.local) if payer else ""]
        return [*cells, entries(row.term) if edge else "", row.to, str(row.remaining)]


def trace(
    output: Tensor,
    seed: Any = None,
    *,
    notation: str | Mapping[str, str] = "grad",
    fuse: bool = False,
) -> Trace:
    """Show the backward pass from ``output`` as a table: backpropagation as dynamic programming.

    Parameters
    ----------
    output : Tensor
        Where the pass starts.
    seed : array, optional
        The adjoint of ``output``, of its shape; 1 for a scalar.
    notation : {"grad", "delta", "sensitivity", "P", "gamma"} or mapping
        What adjoints are called, as for `explain.view`: ``z.grad``, or ``δ^[2]``.
    fuse : bool
        Merge each Tensor without a name into the named one that it leads to.

    Returns
    -------
    Trace
        ``print`` it, or let a notebook show it. ``.rows`` are the same as data, and ``.steps()``
        are the tables of the unfinished pass, one for each step. No ``grad`` is changed.

    Raises
    ------
    TypeError
        If ``output`` is no Tensor.
    RuntimeError
        If nothing that led to it requires grad.
    ValueError
        If it has more than one element and there is no ``seed``.

    Examples
    --------
    >>> import numpy as np
    >>> x = Tensor(2.0, requires_grad=True, name="x")
    >>> y = Tensor(3.0, requires_grad=True, name="y")
    >>> z = x * y + np.sin(x)
    >>> z.name = "z"
    >>> print(trace(z))
    Backward pass from z: 5 nodes, each of 5 local derivatives evaluated once
    <BLANKLINE>
    step  node          value  adjoint  upstream × local    local     term  adds to  waits for
       0                                seed                        1.0000  z                0
       1  z = v1 + v2  6.9093   1.0000  z.grad × 1         1.0000   1.0000  v1               0
       2                                z.grad × 1         1.0000   1.0000  v2               0
       3  v2 = sin x   0.9093   1.0000  v2.grad × cos x   -0.4161  -0.4161  x                1
       4  v1 = x × y   6.0000   1.0000  v1.grad × y        3.0000   3.0000  x                0
       5                                v1.grad × x        2.0000   2.0000  y                0
          y            3.0000   2.0000  step 5                                               0
          x            2.0000   2.5839  step 3 + step 4                                      0
    <BLANKLINE>
    A node pays only when it waits for 0 more terms: its adjoint is then final.
    """
    return Trace(view(output, seed=seed, notation=notation, fuse=fuse))


def _payment(edge: Edge) -> Row:
    payer = edge.consumer
    return Row(
        edge.step,
        payer.name if payer else "",
        payer.expression if payer else "",
        payer.value if payer else None,
        payer.adjoint if payer else None,
        edge.product,
        edge.local,
        edge.term,
        edge.receiver.name,
        edge.remaining,
    )


def _final_row(node: Node, trace: Trace) -> Row:
    """The row of a node that has paid nobody: the steps that have paid it, and their sum."""
    paid = [step for step in node.terms if step <= trace.last]
    shown = paid if len(paid) <= SHOWN_TERMS else paid[:3]
    words = [f"step {step}" for step in shown]
    words += [f"{len(paid) - len(shown)} more"] if len(paid) > len(shown) else []
    product = " + ".join(words)
    so_far = reduce(add, (trace.graph.edges[step].term for step in paid))
    waits = len(node.terms) - len(paid)
    return Row(None, node.name, node.expression, node.value, so_far, product, None, None, "", waits)


def _held(value: Any) -> str:
    """A value for its column: a number, the entries of a small array, or shape and norm."""
    return entries(value) if is_small(value) else f"{value.shape} {entries(value)}"
