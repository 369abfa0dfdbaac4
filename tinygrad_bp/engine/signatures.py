"""How a call was written: which of its arguments are array inputs, and which are parameters."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from ..support.answers import nearest
from ..support.words import KEYWORDS
from .registry import RULES, full_name


@functools.cache
def _defaults(function: Callable[..., Any]) -> dict[str, Any]:
    """The arguments that can be given by place, in order, with what each is if left out."""
    if isinstance(function, np.ufunc | tuple):  # takes its inputs by place alone
        return {}
    try:
        arguments = inspect.signature(function).parameters.items()
    except ValueError:  # NumPy 2.0 does not tell the arguments of what it wrote in C
        return {}
    return {name: p.default for name, p in arguments if p.kind < p.VAR_POSITIONAL}


def has_out(
    function: Callable[..., Any], inputs: tuple[Any, ...], parameters: dict[str, Any]
) -> bool:
    """Whether the caller named an array to write the result into."""
    named = {**dict(zip(_defaults(function), inputs, strict=False)), **parameters}
    return named.get("out") is not None


def bind(
    function: Callable[..., Any], inputs: tuple[Any, ...], parameters: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Put array inputs by place and parameters by name, however the caller wrote them.

    ``np.sum(x, 0)`` and ``np.sum(axis=0, a=x)`` both become ``((x,), {"axis": 0})``.
    """
    rule = RULES[function]
    for name in parameters.keys() & rule.parameters:
        if getattr(parameters[name], "requires_grad", False):
            raise TypeError(f"{rule.name} has no derivative by {name}=; pass its values, t.data")
    arity = len(inputs) if rule.arity is None else rule.arity
    if len(inputs) == arity and parameters.keys() <= rule.parameters:
        return inputs, {name: _own(value) for name, value in parameters.items()}
    defaults = _defaults(function)
    places = tuple(defaults)
    if len(inputs) > max(arity, len(places)):
        raise TypeError(f"{full_name(function)} got {len(inputs)} arguments, which is too many")
    named = dict(zip(places, inputs, strict=False)) if len(inputs) > arity else {}
    named = {name: value for name, value in named.items() if name in places[arity:]}
    given = {**named, **parameters}
    inputs = inputs[:arity]
    for name in places[len(inputs) : arity]:
        value = given.pop(name, defaults[name])
        if value is inspect.Parameter.empty:
            raise TypeError(f"{full_name(function)} with {name}= left out has no derivative rule")
        inputs += (value,)
    for name, value in given.items():
        if name not in rule.parameters and value is not None:
            if name == "out":
                raise cannot_write(function)
            meant = nearest(name, rule.parameters, KEYWORDS)
            hint = f": write {meant}=" if meant else ""
            raise TypeError(f"{full_name(function)} with {name}= has no derivative rule{hint}")
    return inputs, {n: _own(value) for n, value in given.items() if n in rule.parameters}


def _own(value: Any) -> Any:
    """A parameter, copied if it is an array or a list: the caller may write to it afterwards."""
    if isinstance(value, list):
        return [_own(item) for item in value]
    if isinstance(value, tuple):
        return tuple(map(_own, value))
    return value.copy() if isinstance(value, np.ndarray) else value


def cannot_write(function: Callable[..., Any]) -> TypeError:
    """The error for a call that would write into an array."""
    return TypeError(
        f"{full_name(function)} cannot write into out= (or do array += Tensor) when a Tensor is "
        "involved: a recorded array never changes; use the result, a = a + t"
    )
