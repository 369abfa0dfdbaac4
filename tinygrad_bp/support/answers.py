"""Answers where an attribute, a keyword or a name does not exist: what to write instead."""

from __future__ import annotations

import difflib
import functools
import inspect
import sys
from collections.abc import Callable, Collection, Mapping
from typing import Any, NoReturn, TypeVar

import numpy as np

from .meanings import ELSEWHERE, KEYWORDS, NAMES, OTHERS, SCIPY
from .words import ATTRIBUTES

F = TypeVar("F", bound=Callable[..., Any])
_ROOT = __name__.partition(".")[0]
_SINGLE = {inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}


def no_attribute(kind: str, name: str, owner: Any, called: str = "") -> AttributeError:
    """The error for a name that is not there: what to write here, if another library has it.

    Where it is only misspelled, Python itself shows what is near in ``owner``.

    Examples
    --------
    >>> print(no_attribute("Tensor", "view", None))
    Tensor has no 'view': write t.reshape(shape)
    >>> print(no_attribute("Module", "layrs", None, "Line"))
    Line has no 'layrs'
    """
    if hasattr(type(owner), name):  # it is there: a property, whose own error must not be hidden
        object.__getattribute__(owner, name)
    answer = ATTRIBUTES[kind].get(name) or _of_numpy(kind, name) or _elsewhere(kind, name)
    said = f"{called or kind} has no {name!r}" + (f": write {answer}" if answer else "")
    return AttributeError(said, name=name, obj=owner)


def _elsewhere(kind: str, name: str) -> str | None:
    """Where a name is that is looked for in the wrong package, of those that are loaded."""
    if not kind.startswith("bp"):
        return None
    rooms = [room for room in ATTRIBUTES if room.startswith("bp.")]
    for room in rooms:
        path = "bp.optim.schedules" if room == "bp.schedules" else room
        package = sys.modules.get(f"{_ROOT}{path.removeprefix('bp')}")
        if package and name in vars(package).get("__all__", ()):
            return f"{room}.{name}"
    layers = ("bp.nn", "bp.functional", "bp.optim", "bp.data", "bp.schedules")
    return next((found for room in layers if (found := ATTRIBUTES[room].get(name))), None)


def _of_numpy(kind: str, name: str) -> str | None:
    """What NumPy has under a name that is looked for in a Tensor, or in the package."""
    if kind == "Tensor" and hasattr(np.ndarray, name):
        return f"t.data.{name}"
    if kind in {"Tensor", "bp"} and callable(vars(np).get(name)):
        return f"np.{name}(t)" if kind == "Tensor" else f"np.{name}"
    return None


def attribute_answers(kind: str, package: str) -> Callable[[str], NoReturn]:
    """The ``__getattr__`` of a package, which answers the names that are not there.

    Examples
    --------
    >>> attribute_answers("bp.optim", "tinygrad_bp.optim")("sgd")
    Traceback (most recent call last):
        ...
    AttributeError: bp.optim has no 'sgd': write bp.optim.SGD(model.parameters(), lr=0.1)
    """

    def __getattr__(name: str) -> NoReturn:  # noqa: N807  # it is what Python asks for
        raise no_attribute(kind, name, sys.modules.get(package))

    return __getattr__


def instead_of_scipy() -> str | None:
    """What to use in place of the function of SciPy that is running, if one is."""
    frame = inspect.currentframe()
    while frame:
        name = frame.f_code.co_name
        if name in SCIPY and frame.f_globals.get("__name__", "").startswith("scipy."):
            return f"use {SCIPY[name]} in place of scipy.special.{name}"
        frame = frame.f_back
    return None


def nearest(name: str, known: Collection[str], meanings: Mapping[str, Any] = NAMES) -> str | None:
    """What ``name`` means among the known names, or else the one spelled most like it.

    Examples
    --------
    >>> nearest("bce", ["mse", "binary_cross_entropy"]), nearest("rlu", ["relu", "tanh"])
    ('binary_cross_entropy', 'relu')
    >>> nearest("gelu", ["relu", "tanh"])
    """
    same = meant(name, known, meanings)
    if same:
        return same
    small = {word.lower(): word for word in known}
    if name.lower() in OTHERS:
        return None
    near = difflib.get_close_matches(name.lower(), small, n=1)
    return small[near[0]] if near else None


def meant(name: str, known: Collection[str], meanings: Mapping[str, Any] = NAMES) -> str | None:
    """What another library's ``name`` means among the known names, however it is written.

    Examples
    --------
    >>> meant("MSELoss", ["mse", "mae"]), meant("mean_squared_error", ["mse", "mae"])
    ('mse', 'mse')
    >>> meant("gelu", ["relu"])
    """
    written = _letters(name)
    words = [known_word for known_word in known if _letters(known_word) == written]
    for word, others in meanings.items():
        if _letters(word) == written:
            words += [other for other in others if other in known]
    return words[0] if words else None


def _letters(name: str) -> str:
    return name.lower().replace("_", "").replace(" ", "")


def check_takes(function: Callable[..., Any], given: tuple[str, ...], name: str) -> None:
    """Refuse a function of one's own that cannot be called with what it is given.

    Examples
    --------
    >>> check_takes(lambda outputs: 0, ("outputs", "targets"), "a loss")
    Traceback (most recent call last):
        ...
    TypeError: a loss is called with (outputs, targets), and this one takes (outputs)
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # of what says nothing of its arguments
        return
    try:
        signature.bind(*given)
    except TypeError:
        taken = str(signature.replace(return_annotation=signature.empty))
        raise TypeError(
            f"{name} is called with ({', '.join(given)}), and this one takes {taken}"
        ) from None


def check_keywords(function: Callable[..., Any], keywords: Collection[str], name: str) -> None:
    """Refuse a keyword that a function does not take, with the one that is meant.

    Examples
    --------
    >>> check_keywords(lambda model, epochs, lr: 0, ["learning_rate"], "fit")
    Traceback (most recent call last):
        ...
    TypeError: fit has no learning_rate=: write lr=
    """
    taken = inspect.signature(function).parameters.values()
    known = [p.name for p in taken if p.kind in _SINGLE]
    if any(p.kind is p.VAR_KEYWORD for p in taken):
        return
    for keyword in keywords:
        if keyword not in known:
            known = [word for word in known if word != "self"]
            raise TypeError(f"{name} has no {keyword}=: {_instead(keyword, known, name)}")


def check_call(
    function: Callable[..., Any], inputs: Collection[Any], keywords: Collection[str]
) -> None:
    """Refuse arguments that a function, or the ``__init__`` of a class, does not take, or lacks.

    Examples
    --------
    >>> check_call(lambda data, *, requires_grad=False: 0, [1.0, True], [])
    Traceback (most recent call last):
        ...
    TypeError: <lambda> takes data, and the rest by name: requires_grad=
    """
    taken = inspect.signature(function).parameters
    of_class = function.__name__ == "__init__"
    name = type(next(iter(inputs))).__name__ if of_class else function.__name__
    by_place = [word for word, p in taken.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
    by_name = [word for word, p in taken.items() if p.kind is p.KEYWORD_ONLY]
    variadic = any(p.kind is p.VAR_POSITIONAL for p in taken.values())
    if by_name and not variadic and len(inputs) > len(by_place):
        first = by_place[of_class:]
        order = f"{', '.join(first)}{' in this order' if len(first) > 1 else ''}"
        rest = ", ".join([*(f"{word}=" for word in by_name[:3]), *["..."][: len(by_name) > 3]])
        raise TypeError(f"{name} takes {order}, and the rest by name: {rest}")
    check_keywords(function, keywords, name)
    required = [word for word, p in taken.items() if p.default is p.empty and p.kind in _SINGLE]
    if missing := [w for w in required if w not in {*list(taken)[: len(inputs)], *keywords}]:
        pattern = [f"{w}=..." if w in by_name else w for w in required if w != "self"]
        raise TypeError(f"{name} needs {', '.join(missing)}: {name}({', '.join(pattern)})")


def _instead(keyword: str, known: Collection[str], name: str) -> str:
    near = nearest(keyword, known, KEYWORDS)
    if near and near in KEYWORDS.get(keyword, ()):
        return f"write {near}="
    if elsewhere := ELSEWHERE.get((keyword, name)):
        return f"write {elsewhere}"
    return f"did you mean {near}=?" if near else f"it takes {', '.join(known) or 'no keywords'}"


def keyword_advice(function: F) -> F:
    """Decorate a function, or an ``__init__``, whose errors then say what is meant, or missing.

    Examples
    --------
    >>> @keyword_advice
    ... def fit(model, validation=None):
    ...     pass
    >>> fit(None, validation_data=1)
    Traceback (most recent call last):
        ...
    TypeError: fit has no validation_data=: write validation=
    >>> fit()
    Traceback (most recent call last):
        ...
    TypeError: fit needs model: fit(model)
    """

    @functools.wraps(function)
    def called(*inputs: Any, **keywords: Any) -> Any:
        try:
            return function(*inputs, **keywords)
        except TypeError as error:
            if error.__traceback__ and error.__traceback__.tb_next:  # raised within the function
                raise
        check_call(function, inputs, keywords)
        return function(*inputs, **keywords)  # for Python's own error

    return called  # type: ignore[return-value]  # of the same arguments
