"""Every path from an input to an output: the sum that the backward pass does not write out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np

from ..engine.backprop import seed_of
from ..engine.tensor import Tensor
from ..support.arguments import shown
from .elements import Edge, Graph, Node
from .graph import view
from .names import factor, quantity
from .semirings import count_paths
from .tables import Column, Shown, Table

SHOWN_NODES = 12


@dataclass(frozen=True, eq=False)
class Path:
    """A path from the output to an input.

    Attributes
    ----------
    edges : list of Edge
        From the output on.
    product : array or NumPy scalar
        The product of the local derivatives, for scalars. In general the seed, carried through
        every edge's rule in turn: the part of the gradient that comes along this path.
    """

    edges: list[Edge]
    product: Any

    @property
    def nodes(self) -> list[str]:
        """The names along it, from the output on."""
        first = [edge.consumer.name for edge in self.edges[:1] if edge.consumer]
        return first + [edge.receiver.name for edge in self.edges]

    @property
    def formulas(self) -> list[str]:
        """The local derivatives as they are written, from the output on."""
        return [edge.formula for edge in self.edges]

    @property
    def factors(self) -> list[Any]:
        """The local derivatives as numbers; None where one is a map between arrays."""
        return [edge.local for edge in self.edges]


class Paths(Shown, Sequence[Path]):
    """All paths from an input to an output.

    Attributes
    ----------
    total : array or NumPy scalar
        The sum of their products: the gradient of the output by the input.
    """

    def __init__(self, found: list[Path], total: Any, title: str):
        self._found = found
        self.total = total
        self._title = title

    @overload
    def __getitem__(self, index: int) -> Path: ...
    @overload
    def __getitem__(self, index: slice) -> list[Path]: ...
    def __getitem__(self, index: int | slice) -> Path | list[Path]:
        return self._found[index]

    def __len__(self) -> int:
        return len(self._found)

    __repr__ = Shown.__repr__

    def table(self) -> Table:
        """The table that is shown: one path to a row."""
        columns = [
            Column("path"),
            Column("local derivatives"),
            Column("in numbers"),
            Column("product", "adjoint"),
        ]
        note = f"Their sum is {quantity(self.total)}: the gradient."
        return Table(self._title, columns, self._found, _cells, note)


def _cells(path: Path) -> list[str]:
    numbers = [quantity(number) for number in path.factors]
    return [
        _join_words(" ← ", path.nodes),
        _join_words(" · ", list(map(factor, path.formulas))),
        "" if "-" in numbers else _join_words(" × ", numbers),
        quantity(path.product),
    ]


def _join_words(sign: str, words: list[str]) -> str:
    half = SHOWN_NODES // 2
    shown = words if len(words) <= SHOWN_NODES else [*words[:half], "...", *words[-half:]]
    return sign.join(shown)


def paths(output: Tensor, input: Tensor, *, limit: int = 1000, seed: Any = None) -> Paths:
    """Write the derivative out as what the chain rule says it is: a sum over all paths.

    Parameters
    ----------
    output, input : Tensor
        The ends. ``input`` may be a leaf or a node between.
    limit : int
        How many paths to write out at most: their number can grow as 2 to the depth.
    seed : array, optional
        The adjoint of ``output``, of its shape; 1 for a scalar.

    Returns
    -------
    Paths
        A sequence of `Path`. ``.total``, the sum of their products, is the gradient.

    Raises
    ------
    ValueError
        If there are more than ``limit``; it says how many.
    TypeError
        If ``input`` is not a Tensor.

    Examples
    --------
    >>> import numpy as np
    >>> x = Tensor(2.0, requires_grad=True, name="x")
    >>> y = Tensor(3.0, requires_grad=True, name="y")
    >>> z = x * y + np.sin(x)
    >>> paths(z, x)
    2 paths from x to v3
    <BLANKLINE>
    path         local derivatives  in numbers        product
    v3 ← v1 ← x  1 · y              1.0000 × 3.0000    3.0000
    v3 ← v2 ← x  1 · cos x          1.0000 × -0.4161  -0.4161
    <BLANKLINE>
    Their sum is 2.5839: the gradient.
    """
    if not isinstance(input, Tensor):
        raise TypeError(f"paths lead to a Tensor of the graph, not to {shown(input)}")
    number = count_paths(output, input)
    if number > limit:
        raise ValueError(
            f"{number} paths lead there, and limit={limit} are written out at most: "
            "count_paths counts them without a walk, gradients sums over them without one"
        )
    graph = view(output, backward=False)
    found = list(_walk_paths(graph, input, seed_of(output, seed))) if number else []
    total = sum((path.product for path in found), np.zeros(input.shape, input.dtype)[()])
    start = graph[input].name if found else input.name or "a Tensor that does not lead there"
    many = "1 path" if len(found) == 1 else f"{len(found)} paths"
    return Paths(found, total, f"{many} from {start} to {graph.nodes[0].name}")


def _walk_paths(graph: Graph, input: Tensor, seed: Any) -> Iterator[Path]:
    """Walk every path depth first, carrying the product along."""
    end = graph[input]
    leading = _dependent_on(end, graph)
    route: list[Edge] = []
    stack = [(graph.edges[0], seed, 0)]
    while stack:
        edge, carried, depth = stack.pop()
        route[depth:] = [edge]
        if edge.receiver is end:
            yield Path(route[1:], carried)
            continue
        onward = [graph.edges[step] for step in edge.receiver.pays]
        stack += [
            (next, next.pay(carried), depth + 1)
            for next in reversed(onward)
            if next.receiver in leading
        ]


def _dependent_on(end: Node, graph: Graph) -> set[Node]:
    """The nodes that depend on ``end``, itself included."""
    leading = {end}
    for edge in reversed(graph.edges):
        if edge.receiver in leading and edge.consumer:
            leading.add(edge.consumer)
    return leading
