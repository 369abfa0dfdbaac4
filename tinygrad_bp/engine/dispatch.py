"""What becomes of a call whose function has no rule of its own."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from .registry import COMPOSITIONS, METHODS, PLAIN, REFUSED, RULES
from .signatures import cannot_write, full_name, has_out, without_history
from .views import ALWAYS_COPY, apart


def call_without_rule(function: Any, inputs: tuple, keywords: dict) -> Any:
    """Call a function as the composition, the plain function or the other name that it is.

    Raises
    ------
    TypeError
        If it is none of them, or would write into an array.
    """
    public = _public(function)
    if public is not function or function in RULES:
        return public(*inputs, **keywords)  # by NumPy's protocol, with its rule or composition
    if function in COMPOSITIONS:
        if has_out(function, inputs, keywords):
            raise cannot_write(function)
        named = {name: value for name, value in keywords.items() if name != "out"}
        shown = () if function in ALWAYS_COPY else (inputs, named)
        return apart(COMPOSITIONS[function](*inputs, **named), shown)
    if isinstance(function, tuple):  # a ufunc and the name of its method
        ufunc, method = function
        if ufunc not in PLAIN:
            return apart(METHODS[method](ufunc, *inputs, **keywords), inputs)
        function = getattr(ufunc, method)
    if function in PLAIN or isinstance(getattr(function, "__self__", None), np.ufunc):
        return function(*without_history(inputs), **without_history(keywords))
    name = full_name(function)
    why = REFUSED.get(
        function,
        f"it has no derivative rule; give it one, bp.rule({name}, lambda g, out, x: ...), "
        "or use t.data to leave the graph",
    )
    raise TypeError(f"{name} cannot be applied to a Tensor: {why}")


def _public(function: Any) -> Any:
    """The function that NumPy offers under this name, for a private one and for SciPy's copies.

    SciPy's own rules are loaded here, when they are first needed: few need them, and they need
    SciPy.
    """
    name = getattr(function, "__name__", "")
    if getattr(sys.modules.get("scipy.special"), name, None) is function:
        from .rules import special  # noqa: F401
    if function in RULES or not isinstance(function, np.ufunc):
        return function
    public = getattr(np, name, None)  # of the one that ndarray.clip calls, or SciPy's log1p
    return public if public in RULES or public in COMPOSITIONS else function
