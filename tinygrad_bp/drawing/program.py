"""A graph of numbers as a program for a page: its values and adjoints, of other leaves.

The functions and the rules are run on a number that writes down what is done to it. So what they
are made of is all that the page has to know: ``recompute.js`` has those functions.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from functools import reduce
from importlib.resources import files
from typing import Any

import numpy as np

from ..engine.backprop import topological_order
from ..engine.tensor import Tensor
from ..explain import Edge, Graph
from ..explain.fusing import FusedEdge

SCRIPT = files(__package__).joinpath("recompute.js").read_text(encoding="utf-8")  # in a zip too
KNOWN = frozenset(re.findall(r"^  (\w+): \(", SCRIPT, re.MULTILINE))

# Of a single number these are the number itself.
_SAME = {"amax", "astype", "copy", "max", "mean", "min", "positive", "prod", "real", "sum"}
_SAME |= {"amin", "broadcast_to", "conjugate", "flip", "median", "nanmax", "nanmin", "ravel"}
_SAME |= {"real_if_close", "reshape", "roll", "squeeze", "transpose"}
_ABOUT: dict[str, Any] = {"ndim": 0, "result_type": np.dtype(float), "shape": (), "size": 1}


class Program:
    """What is computed, in order: each line a function and the places of its arguments.

    Attributes
    ----------
    start : dict
        The number at each place that is given, and not computed.
    lines : list
        ``[place, function, *places]``.
    held : set of str
        The functions whose condition was found before, and stays as it was.
    """

    def __init__(self) -> None:
        self.start: dict[int, float] = {}
        self.held: set[str] = set()
        self.lines: list[list[Any]] = []
        self._found: dict[tuple[Any, ...], int] = {}

    def given(self, value: Any, key: Any = None) -> Symbol:
        """A number that is known, at a place of its own if there is a ``key``."""
        value = float(value)
        place = self._found.setdefault(("given", key, repr(value)), len(self._found))
        self.start[place] = value
        return Symbol(self, place)

    def call(self, function: str, arguments: tuple[Any, ...]) -> Symbol:
        """What a function gives, computed once for the same arguments."""
        if function not in KNOWN:
            raise TypeError(f"a page does not know {function}")
        written = [x if isinstance(x, Symbol) else self.given(x) for x in arguments]
        line = (function, *(x.place for x in written))
        if line not in self._found:
            self._found[line] = len(self._found)
            self.lines.append([self._found[line], *line])
        return Symbol(self, self._found[line])


class Symbol(np.lib.mixins.NDArrayOperatorsMixin):
    """A number of a program, to which NumPy's functions can be applied; its value is not known."""

    dtype = np.dtype(float)
    shape: tuple[int, ...] = ()
    ndim, size = 0, 1
    __hash__ = object.__hash__

    def __init__(self, program: Program, place: int):
        self.program, self.place = program, place

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **keywords: Any) -> Any:
        return self._apply(ufunc if method == "__call__" else None, inputs, keywords)

    def __array_function__(self, function: Any, types: Any, inputs: Any, keywords: Any) -> Any:
        return self._apply(function, inputs, keywords)

    def _apply(self, function: Any, inputs: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        name = getattr(function, "__name__", "a method of a function")
        if name in _ABOUT:
            return _ABOUT[name]
        if name in ("zeros_like", "ones_like"):
            return self.program.given(name == "ones_like")
        if name in _SAME:
            return inputs[0]
        if name == "nan_to_num":
            return self._without_nan(*inputs, **keywords)
        return self.program.call(name, (*inputs, *keywords.values()))

    def __getitem__(self, place: Any) -> Symbol:
        """Itself, the only element that it has."""
        return self

    def astype(self, dtype: Any) -> Symbol:
        """Itself: a page has numbers of one type."""
        return self

    def sum(self, *axes: Any, **keywords: Any) -> Symbol:
        """Itself, the sum of one number."""
        return self

    def _without_nan(self, x: Any, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
        limit = float(np.finfo(float).max)
        most = limit if posinf is None else posinf
        least = -limit if neginf is None else neginf
        return self.program.call("nan_to_num", (x, nan, most, least))

    def __bool__(self) -> bool:
        raise TypeError("a page does not know a function that asks for a value")


def program_of(graph: Graph) -> dict[str, Any]:
    """The values, adjoints, local derivatives and terms of a graph of numbers, as a program.

    Returns
    -------
    dict
        ``start`` and ``lines``, and the places in them: ``v`` and ``a`` of the nodes' values and
        adjoints, ``l`` and ``t`` of the steps' local derivatives and terms; and ``held``, the
        functions whose condition is no part of the graph, and stays as it was found.

    Raises
    ------
    TypeError
        If a value is an array, or made by a function that a page does not know.

    Examples
    --------
    >>> from ..explain import view
    >>> x = Tensor(3.0, requires_grad=True, name="x")
    >>> program = program_of(view(x * x))
    >>> program["lines"]
    [[1, 'multiply', 0, 0], [3, 'multiply', 2, 0], [4, 'add', 3, 3]]
    >>> program["v"], program["a"]
    ([1, 0], [2, 4])
    """
    if any(node.value.shape or node.value.dtype.kind != "f" for node in graph.visited()):
        raise TypeError("only numbers can be changed, and this pass has arrays")
    program = Program()
    written = _forward(graph, program)

    def pay(edge: Edge, adjoint: Any) -> Any:
        if edge.consumer is None:
            return adjoint
        if isinstance(edge, FusedEdge):
            return _pass_within(edge, adjoint, pay)
        x = edge.consumer.tensor
        derivative = x.rule.derivatives[edge.position]
        return derivative(adjoint, written[x], *_call_arguments(x, written, program), **x.keywords)

    terms: list[Any] = []
    adjoints: dict[Any, Any] = {}
    for edge in graph.edges:
        to, payer = edge.receiver, edge.consumer
        term = pay(edge, adjoints[payer] if payer else program.given(edge.term))
        adjoints[to] = adjoints[to] + term if to in adjoints else term
        terms.append(term)
    locals_ = [pay(edge, program.given(1.0)) for edge in graph.edges]

    def places(numbers: list[Any]) -> list[int]:
        return [(x if isinstance(x, Symbol) else program.given(x)).place for x in numbers]

    return {
        "v": places([written.get(node.tensor, node.value) for node in graph.nodes]),
        "a": places([adjoints.get(node, 0.0) for node in graph.nodes]),
        "l": places(locals_),
        "t": places(terms),
        "held": sorted(program.held),
        "start": program.start,
        "lines": program.lines,
    }


def _forward(graph: Graph, program: Program) -> dict[Any, Symbol]:
    """The value of every Tensor, in the order of computing."""
    written: dict[Any, Symbol] = {}
    for node in graph.nodes:
        if isinstance(node.tensor, Tensor) and node.tensor.is_leaf:
            written[node.tensor] = program.given(node.value, node.number)
    for x in reversed(topological_order(*(n.tensor for n in graph.nodes if n.kind == "output"))):
        if not x.is_leaf:
            written[x] = x.rule.function(*_call_arguments(x, written, program), **x.keywords)
    return written


def _call_arguments(x: Tensor, written: dict[Any, Symbol], program: Program) -> list[Any]:
    """What the function of a Tensor was called with: numbers of the program, or constants.

    A condition depends on values in a way that nobody wrote down, so it is held.
    """
    given = zip(x.inputs, x.values, strict=True)
    found = [written[place] if isinstance(place, Tensor) else value for place, value in given]
    if any(getattr(value, "dtype", None) == np.bool_ for value in found):
        program.held.add(x.rule.name)
    return found


def _pass_within(step: FusedEdge, adjoint: Any, pay: Callable[[Edge, Any], Any]) -> Any:
    """What a step pays of several operations: the pass, within the step."""
    found = {step.consumer: [adjoint]}
    for edge in step.parts:
        whole = reduce(operator.add, found[edge.consumer])
        found.setdefault(edge.receiver, []).append(pay(edge, whole))
    return reduce(operator.add, found[step.receiver])
