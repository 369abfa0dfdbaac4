"""How a call was written: its array inputs, its keywords, and the errors that name it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from .advice import ADVICE
from .arrays import owned
from .recording import Recorded
from .registry import RULES, Rule


@functools.cache
def _defaults(function: Callable[..., Any]) -> dict[str, Any]:
    """The arguments that can be given by place, in order, with what each is if left out."""
    if isinstance(function, np.ufunc | tuple):  # takes its inputs by place alone
        return {}
    return {name: p.default for name, p in _parameters(function) if p.kind < p.VAR_POSITIONAL}


def _parameters(function: Callable[..., Any]) -> Iterable[tuple[str, inspect.Parameter]]:
    try:
        return inspect.signature(function).parameters.items()
    except (TypeError, ValueError):  # NumPy 2.0 does not tell the arguments of what it wrote in C
        return ()


def has_out(
    function: Callable[..., Any], inputs: tuple[Any, ...], keywords: dict[str, Any]
) -> bool:
    """Whether the caller named an array to write the result into."""
    named = {**dict(zip(_defaults(function), inputs, strict=False)), **keywords}
    return named.get("out") is not None


def bind(
    function: Callable[..., Any], inputs: tuple[Any, ...], keywords: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Put array inputs by place and keywords by name, however the caller wrote them.

    ``np.sum(x, 0)`` and ``np.sum(axis=0, a=x)`` both become ``((x,), {"axis": 0})``.
    """
    rule = RULES[function]
    for name in keywords.keys() & rule.keywords.keys():
        value = keywords[name]
        if isinstance(value, Recorded) and value._requires_grad:
            raise TypeError(f"{rule.name} has no derivative by {name}=; pass its values, t.data")
    arity = len(inputs) if rule.arity is None else rule.arity
    if len(inputs) == arity and keywords.keys() <= rule.keywords.keys():
        return inputs, _meant(function, keywords)
    defaults = _defaults(function)
    places = tuple(defaults)
    if len(inputs) > max(arity, len(places)):
        raise TypeError(f"{full_name(function)} got {len(inputs)} arguments, which is too many")
    named = dict(zip(places, inputs, strict=False)) if len(inputs) > arity else {}
    named = {name: value for name, value in named.items() if name in places[arity:]}
    given = {**named, **keywords}
    inputs = inputs[:arity]
    for name in places[len(inputs) : arity]:
        value = given.pop(name, defaults[name])
        if value is inspect.Parameter.empty:
            raise TypeError(f"{full_name(function)} of a Tensor needs {name}=, which is left out")
        inputs += (value,)
    for name, value in given.items():
        if name not in rule.keywords and value is not None:
            if name == "out":
                raise cannot_write(function)
            if name in defaults or not defaults:  # a ufunc's are not known
                raise TypeError(f"{full_name(function)} with {name}= has no derivative rule")
            meant = ADVICE["keyword"](name, rule.keywords)
            hint = f": write {meant}=" if meant else ""
            raise TypeError(f"{full_name(function)} has no {name}={hint}")
        if isinstance(value, Recorded) and value._requires_grad:
            raise TypeError(f"{rule.name} has no derivative by {name}=; pass its values, t.data")
    return inputs, _meant(function, {n: v for n, v in given.items() if n in rule.keywords})


def _meant(function: Callable[..., Any], given: dict[str, Any]) -> dict[str, Any]:
    """The keywords whose values are not their defaults: not every library knows all of them."""
    usual = _usual(function, RULES[function])
    return {n: owned(value) for n, value in given.items() if value is not usual.get(n, _meant)}


@functools.cache
def _usual(function: Callable[..., Any], rule: Rule) -> dict[str, Any]:
    """The default of a keyword, for the function and the rule alike."""
    known, own = rule.keywords, {name: p.default for name, p in _parameters(function)}
    return {n: known[n] for n in known if own.get(n, _meant) in (known[n], np._NoValue)}


def cannot_write(function: Callable[..., Any]) -> TypeError:
    """The error for a call that would write into an array."""
    return TypeError(
        f"{full_name(function)} cannot write into out= (or do array += Tensor) when a Tensor is "
        "involved: a recorded array never changes; use the result, a = a + t"
    )


def explain_error(error: Exception, name: str, inputs: tuple) -> Exception:
    """The same error, with the operation and its operands' names and shapes in front."""
    kind = TypeError if isinstance(error, TypeError) else type(error)  # a ufunc's takes no message
    return kind(f"{name} of {describe(inputs)}: {str(error).strip()}")


def describe(inputs: Sequence[Any]) -> str:
    """The operands of an operation by name, or else type, and shape."""
    operands = [x for x in inputs if hasattr(x, "shape")]
    return " and ".join(
        f"{getattr(x, 'name', None) or type(x).__name__} {x.shape}" for x in operands
    )


def full_name(function: Any) -> str:
    """The name a user would write: ``np.linalg.inv`` for NumPy's, the bare name for ours."""
    if isinstance(function, tuple):  # a ufunc's method, such as np.add.reduce
        return f"np.{function[0].__name__}.{function[1]}"
    module = getattr(function, "__module__", None)
    if module is None:  # a ufunc: NumPy's own, or another library's
        module = "numpy" if getattr(np, function.__name__, None) is function else ""
    if not module.startswith("numpy"):
        return function.__name__
    public = module.removeprefix("numpy").replace("._core", "")
    shown = public if public.startswith((".linalg", ".fft", ".lib.stride_tricks")) else ""
    return f"np{shown}.{function.__name__}"


def without_history(x: Any) -> Any:
    """Replace every Tensor by its array, within lists, tuples and dicts too."""
    if isinstance(x, Recorded):
        return x._array
    if isinstance(x, list | tuple):
        return type(x)([without_history(item) for item in x])
    if isinstance(x, dict):
        return {key: without_history(value) for key, value in x.items()}
    return x
