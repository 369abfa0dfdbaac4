"""Structures: tuples, lists, dictionaries and named tuples of arrays, nested, and None.

Anything else is a leaf. A list of Python's numbers alone, or of such lists of one length, is an
array written out, as everywhere in NumPy, and so a leaf too.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from typing import Any

from .arguments import kind_of, shown

_CONTAINERS = (dict, tuple)
_NUMBERS = (bool, int, float)  # and not NumPy's, which are results of computing


def leaves(structure: Any) -> list[Any]:
    """What a structure holds, in order; None is nothing.

    Examples
    --------
    >>> leaves({"layers": [("W", "b"), ("V", None)], "scale": 2.0, "shift": [0.5, 1.5]})
    ['W', 'b', 'V', 2.0, [0.5, 1.5]]
    """
    if not is_container(structure):
        return [] if structure is None else [structure]
    items = structure.values() if isinstance(structure, dict) else structure
    return [leaf for item in items for leaf in leaves(item)]


def named_leaves(structure: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Each leaf after the path that leads to it.

    Examples
    --------
    >>> list(named_leaves({"W": "w", "more": ["b", None]}))
    [("['W']", 'w'), ("['more'][0]", 'b')]
    """
    if is_container(structure):
        items = structure.items() if isinstance(structure, dict) else enumerate(structure)
        for key, item in items:
            yield from named_leaves(item, f"{path}[{key!r}]")
    elif structure is not None:
        yield path, structure


def rebuild(structure: Any, new: Iterable[Any]) -> Any:
    """The same structure with other leaves, taken in order.

    Examples
    --------
    >>> rebuild({"layers": [("W", "b"), None]}, [1, 2])
    {'layers': [(1, 2), None]}
    """
    rest = iter(new)
    if not is_container(structure):
        return None if structure is None else next(rest)
    if isinstance(structure, dict):
        other = copy.copy(structure)  # of its own class, which may need more than its items
        other.update((key, rebuild(item, rest)) for key, item in structure.items())
        return other
    items = [rebuild(item, rest) for item in structure]
    return type(structure)(*items) if hasattr(structure, "_fields") else type(structure)(items)


def leaves_like(structure: Any, form: Any, what: str) -> list[Any]:
    """What a structure holds where ``form`` has leaves; whatever stands there is one.

    Raises
    ------
    ValueError
        If the containers are not of the same lengths or keys.

    Examples
    --------
    >>> leaves_like(([1.0, 2.0], None), ["W", None], "the tangents")
    [[1.0, 2.0]]
    >>> leaves_like({"W": 1.0}, {"W": "w", "b": "b"}, "the tangents")
    Traceback (most recent call last):
        ...
    ValueError: the tangents must have the form of {'W': ..., 'b': ...}, not {'W': 1.0}
    """
    if not is_container(form):
        return [] if form is None else [structure]
    keys = _keys(form)
    alike = isinstance(structure, dict if isinstance(form, dict) else list | tuple)
    if not alike or set(_keys(structure)) != set(keys):
        raise ValueError(f"{what} must have the form of {_outline(form)}, not {shown(structure)}")
    return [x for key in keys for x in leaves_like(structure[key], form[key], what)]


def is_container(x: Any) -> bool:
    """Whether ``x`` holds others, and is not an array written out.

    Examples
    --------
    >>> is_container([1.0, 2.0]), is_container((1.0, 2.0)), is_container([])
    (False, True, True)
    """
    return isinstance(x, _CONTAINERS) or (isinstance(x, list) and not _is_array(x))


def _is_array(items: list) -> bool:
    """Whether a list holds numbers alone, or lists of numbers of one length."""
    if all(type(x) in _NUMBERS for x in items):
        return bool(items)
    return all(type(x) is list and len(x) == len(items[0]) and _is_array(x) for x in items)


def _keys(container: Any) -> Iterable[Any]:
    return container if isinstance(container, dict) else range(len(container))


def _outline(form: Any) -> str:
    if isinstance(form, dict):
        return f"{{{', '.join(f'{key!r}: ...' for key in form)}}}"
    return f"{kind_of(form)} of {len(form)}"
