"""The registry: which functions can be recorded, and what is known of each.

The engine looks a function up here and knows no calculus of its own; the rules fill it in.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from .derivatives import Derivative, Each, check_rule, keyword_defaults
from .recording import Recorded


class Rule:
    """A function that can be recorded, with its local derivatives.

    Attributes
    ----------
    function : callable
        What runs on plain arrays.
    name : str
        The function's own name, as pictures and errors show it.
    derivatives : sequence of callable or None
        ``derivatives[i](g, out, *inputs, **keywords)`` is the upstream gradient ``g`` times the
        derivative of ``out`` by input ``i``. ``None``: the output is constant in that input.
    formulas : sequence of str
        The same for a reader: a local derivative such as ``cos x``, or, where ``g`` occurs
        in it, the whole product such as ``g @ yᵀ``.
    arity : int or None
        The number of array inputs; None for any number.
    constant : frozenset of int
        The positions of the inputs in which the output is constant: conditions, indices, shapes.
    keywords : dict
        The keyword arguments that the derivatives understand, with what each is if left out.
    """

    __slots__ = ("arity", "constant", "derivatives", "formulas", "function", "keywords", "name")

    def __init__(
        self,
        function: Callable[..., Any],
        run: Callable[..., Any] | None,
        derivatives: Sequence[Derivative | None] | Each,
        formulas: Sequence[str],
    ):
        self.function: Any = run or getattr(function, "implementation", function)
        self.name = function.__name__
        self.derivatives: Any = derivatives
        self.formulas = formulas
        if isinstance(derivatives, Each):
            self.arity: int | None = None
            self.constant: frozenset[int] = frozenset()
            self.keywords = keyword_defaults(derivatives.derivative, by_place=4)
        else:
            known = next(d for d in derivatives if d is not None)
            self.arity = len(derivatives)
            self.constant = frozenset(i for i, d in enumerate(derivatives) if d is None)
            self.keywords = keyword_defaults(known, by_place=2 + len(derivatives))


RULES: dict[Callable[..., Any], Rule] = {}
COMPOSITIONS: dict[Callable[..., Any], Callable[..., Any]] = {}
METHODS: dict[str, Callable[..., Any]] = {}
PLAIN: set[Callable[..., Any]] = set()
REFUSED: dict[Callable[..., Any], str] = {}


def rule(
    function: Callable[..., Any],
    *derivatives: Derivative | None,
    formula: Sequence[str] = (),
    each: Derivative | None = None,
    run: Callable[..., Any] | None = None,
) -> None:
    """Say how to differentiate ``function``, one derivative for each of its array inputs.

    A derivative uses operators, registered functions and ``.shape`` alone, so that it runs on
    arrays and, to be differentiated again, on Tensors. Un-broadcasting, dtype and accumulation
    are the engine's business. `gradcheck` with ``order=2`` tells whether it is right.

    Parameters
    ----------
    function : callable
        A NumPy function, another library's ufunc, or a function marked with `primitive`.
    *derivatives : callable or None
        For each input ``f(g, out, *inputs, **keywords)``; None where the output is constant.
    formula : sequence of str
        For each input, the derivative as a reader would write it.
    each : callable, optional
        For a function of any number of arrays: ``f(position, g, out, inputs, **keywords)``, with
        the inputs in one tuple: handing on n arguments for each of n inputs would be slow.
    run : callable, optional
        What to run on arrays in place of ``function``: a faster form of it.

    Raises
    ------
    TypeError
        If ``function`` would not notice a Tensor, or a derivative does not take what it is
        called with.

    Examples
    --------
    >>> import numpy as np
    >>> import tinygrad_bp as bp
    >>> @bp.primitive
    ... def cube(x):
    ...     return x**3
    >>> bp.rule(cube, lambda g, out, x: g * 3 * x**2, formula=["3 x²"])
    >>> bp.grad(cube)(2.0), bp.grad(bp.grad(cube))(2.0)
    (np.float64(12.0), np.float64(12.0))
    >>> bp.gradcheck(cube, np.array([0.5, -2.0]), order=2)
    True
    """
    check_rule(function, derivatives, each)
    RULES[function] = Rule(function, run, Each(each) if each else derivatives, tuple(formula))


def compose(function: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Say that ``function`` is, for Tensors, the decorated composition of functions with rules."""

    def register(composition: Callable[..., Any]) -> Callable[..., Any]:
        COMPOSITIONS[function] = composition
        return composition

    return register


def compose_method(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Say what the method of ufuncs that has this name is; the composition is told the ufunc."""

    def register(composition: Callable[..., Any]) -> Callable[..., Any]:
        METHODS[name] = composition
        return composition

    return register


def plain(*functions: Callable[..., Any]) -> None:
    """Say that these functions give plain arrays: their results have no derivative to follow."""
    PLAIN.update(functions)


def refuse(function: Callable[..., Any], why: str) -> None:
    """Say why ``function`` has no derivative, and what to use in its place."""
    REFUSED[function] = why


def primitive(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a function of one's own recordable as NumPy's are: a decorator; `rule` goes with it.

    Called with a Tensor among its inputs it is recorded, as one node; it is itself always run on
    arrays, so that its inside may be anything: loops, writes, another library. It gives one array.

    Examples
    --------
    The angle E that solves Kepler's equation, M = E - e sin E, found by Newton's method and
    differentiated by the implicit function theorem:

    >>> import numpy as np
    >>> import tinygrad_bp as bp
    >>> @bp.primitive
    ... def kepler(M, e):
    ...     E = M
    ...     for _ in range(20):
    ...         E = E - (E - e * np.sin(E) - M) / (1 - e * np.cos(E))
    ...     return E
    >>> bp.rule(
    ...     kepler,
    ...     lambda g, E, M, e: g / (1 - e * np.cos(E)),
    ...     lambda g, E, M, e: g * np.sin(E) / (1 - e * np.cos(E)),
    ... )
    >>> bp.gradcheck(kepler, np.array([0.5, 2.0]), 0.3, order=2)
    True
    """
    if not callable(function):
        raise TypeError(f"a function is made recordable, and {function!r} is none")

    @functools.wraps(function)
    def dispatched(*inputs: Any, **keywords: Any) -> Any:
        for x in (*inputs, *keywords.values()) if keywords else inputs:
            if isinstance(x, Recorded):
                return x._record(dispatched, inputs, keywords)
        return function(*inputs, **keywords)

    dispatched.implementation = function  # type: ignore[attr-defined]  # functions take attributes
    return dispatched
