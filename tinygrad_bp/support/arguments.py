"""What arguments may be: numbers, sizes, seeds and names, refused in one clear line."""

from __future__ import annotations

import math
import operator
from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

import numpy as np

from .answers import meant, nearest

Value = TypeVar("Value")
Seed: TypeAlias = "int | np.random.Generator | None"  # as text: looking at np.random loads it


def number(value: Any, name: str) -> float:
    """``value`` as a Python number, which text, True and False are not.

    Examples
    --------
    >>> number("0.1", "lr")
    Traceback (most recent call last):
        ...
    TypeError: lr must be a number, not '0.1'
    """
    try:
        if isinstance(value, str | bytes | bool | np.bool_):
            raise TypeError
        return float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a number, not {shown(value)}") from None
    except OverflowError:  # of an integer
        return math.inf if value > 0 else -math.inf


def finite_number(value: Any, name: str) -> float:
    """A number that is neither nan nor infinite.

    Examples
    --------
    >>> finite_number(float("nan"), "turns")
    Traceback (most recent call last):
        ...
    ValueError: turns must be finite, not nan
    """
    result = number(value, name)
    if not math.isfinite(result):
        raise ValueError(f"{name} must be finite, not {result:g}")
    return result


def positive(value: Any, name: str) -> float:
    """A finite number above 0.

    Examples
    --------
    >>> positive(0, "lr")
    Traceback (most recent call last):
        ...
    ValueError: lr must be positive, not 0
    """
    result = finite_number(value, name)
    if result <= 0:
        raise ValueError(f"{name} must be positive, not {value}")
    return result


def not_negative(value: Any, name: str) -> float:
    """A finite number, 0 or more.

    Examples
    --------
    >>> not_negative(-0.5, "momentum")
    Traceback (most recent call last):
        ...
    ValueError: momentum must not be negative, but is -0.5
    """
    result = finite_number(value, name)
    if result < 0:
        raise ValueError(f"{name} must not be negative, but is {value}")
    return result


def below_one(value: Any, name: str) -> float:
    """A number from 0 on and less than 1.

    Examples
    --------
    >>> below_one(1, "beta")
    Traceback (most recent call last):
        ...
    ValueError: beta must be from 0 to less than 1, not 1
    """
    result = number(value, name)
    if not 0 <= result < 1:
        raise ValueError(f"{name} must be from 0 to less than 1, not {value}")
    return result


def either(**names: Any) -> tuple[Any, str]:
    """The value of an argument that has two names, and the name it was given by.

    The first name has the default; the second wins if it is not None.

    Examples
    --------
    >>> either(epsilon=1e-8, eps=None), either(epsilon=1e-8, eps=1e-5)
    ((1e-08, 'epsilon'), (1e-05, 'eps'))
    """
    (name, default), (other, value) = names.items()
    return (default, name) if value is None else (value, other)


def flag(value: Any, name: str) -> bool:
    """True or False, and nothing that only counts as one of them.

    Examples
    --------
    >>> flag("no", "shuffle")
    Traceback (most recent call last):
        ...
    TypeError: shuffle must be True or False, not 'no'
    """
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be True or False, not {shown(value)}")
    return bool(value)


def size(value: Any, name: str, least: int = 1) -> int:
    """An integer that can count something.

    Examples
    --------
    >>> size(0, "epochs")
    Traceback (most recent call last):
        ...
    ValueError: epochs must be at least 1, not 0
    """
    try:
        if isinstance(value, bool):
            raise TypeError
        result = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, not {shown(value)}") from None
    if result < least:
        raise ValueError(f"{name} must be at least {least}, not {result}")
    return result


def places(values: Any, count: int, name: str) -> Any:
    """An array of integers that number things from 0 to count - 1, such as labels.

    Examples
    --------
    >>> places(np.array([0, 3]), 3, "labels")
    Traceback (most recent call last):
        ...
    ValueError: labels must be 0 to 2, and position 1 holds 3
    """
    if values.dtype.kind not in "iu":
        raise TypeError(f"{name} must be integers, not {values.dtype}")
    unsigned = values.view(values.dtype.str.replace("i", "u"))  # in which -1 is a huge number
    if np.maximum.reduce(unsigned, axis=None, initial=0) >= count:
        refuse_values(values, (values < 0) | (values >= count), f"{name} must be 0 to {count - 1}")
    return values


def refuse_values(values: Any, wrong: Any, rule: str) -> None:
    """Raise an error that shows the first of ``values`` that is ``wrong``, if any is.

    Examples
    --------
    >>> refuse_values(np.array([0.5, 1.5]), np.array([False, True]), "shares must be 0 to 1")
    Traceback (most recent call last):
        ...
    ValueError: shares must be 0 to 1, and position 1 holds 1.5
    """
    if wrong.any():
        position = tuple(np.argwhere(wrong)[0].tolist())
        where = position[0] if len(position) == 1 else position
        raise ValueError(f"{rule}, and position {where} holds {values[position]}")


def chance(seed: Seed) -> np.random.Generator:
    """The generator of random numbers that a seed starts, or is.

    Examples
    --------
    >>> chance(-1)
    Traceback (most recent call last):
        ...
    ValueError: seed must be an integer from 0 on, a Generator or None, not -1
    """
    try:
        return np.random.default_rng(seed)
    except (TypeError, ValueError) as error:
        wanted = "seed must be an integer from 0 on, a Generator or None"
        raise type(error)(f"{wanted}, not {shown(seed)}") from None


def shown(value: Any) -> str:
    """``value`` for an error: its repr in one line, cut short.

    Examples
    --------
    >>> import numpy as np
    >>> shown(np.zeros((2, 3)))
    'array([[0., 0., 0.], [0., 0., 0.]])'
    """
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def kind_of(value: Any) -> str:
    """What ``value`` is, with its article, for an error.

    Examples
    --------
    >>> kind_of(3), kind_of("three")
    ('an int', 'a str')
    """
    name = type(value).__name__
    spelled = name[0] in "FHLMNRSX" and name[1:2].isupper()  # an MLP, an SGD
    return f"{'an' if spelled or name[0] in 'aeioAEIO' else 'a'} {name}"


def some(parts: Sequence[str], most: int = 6) -> str:
    """A list for an error: the first parts, and how many more there are.

    Examples
    --------
    >>> some(["no '0.weight'", "no '0.bias'", "unknown 'steps'"], most=2)
    "no '0.weight'; no '0.bias'; and 1 more"
    """
    more = [f"and {len(parts) - most} more"] if len(parts) > most else []
    return "; ".join([*parts[:most], *more])


def look_up(name: Any, table: Mapping[str, Value], kind: str) -> Value:
    """What ``table`` has under ``name``; the error for an unknown name suggests the nearest.

    Examples
    --------
    >>> look_up("rlu", {"relu": 1, "tanh": 2}, "activation")
    Traceback (most recent call last):
        ...
    ValueError: unknown activation 'rlu': did you mean 'relu'? known are relu, tanh
    """
    if isinstance(name, str) and name in table:
        return table[name]
    raise ValueError(f"unknown {kind} {shown(name)}: {suggestion(name, table)}")


def function(value: Any, table: Mapping[str, Value], kind: str) -> Any:
    """A function, or the one that has this name in ``table``, or another library's name for it.

    Examples
    --------
    >>> function("mean_squared_error", {"mse": min}, "loss")
    <built-in function min>
    >>> function(3, {}, "callback")
    Traceback (most recent call last):
        ...
    TypeError: a callback must be a function, not 3
    """
    if callable(value):
        return value
    if isinstance(value, str) and table:
        return look_up(meant(value, table) or value, table, kind)
    either = "a function or a name" if table else "a function"
    raise TypeError(f"a {kind} must be {either}, not {shown(value)}")


def suggestion(name: Any, known: Collection[str]) -> str:
    """The nearest of the known names, if one is near, and all of them."""
    near = nearest(str(name), known)
    guess = f"did you mean {near!r}? " if near else ""
    return f"{guess}known are {', '.join(sorted(known)) or 'none'}"
