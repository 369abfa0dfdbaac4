"""States, which are arrays by name: whether one fits a model or an optimiser."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from .arguments import some


def matching_arrays(state: Any, expected: Mapping[str, Any], kind: str) -> dict[str, np.ndarray]:
    """Copies of a state's arrays, which have the names, shapes and types of those expected.

    Raises
    ------
    ValueError
        If something is missing or unknown, a shape or type does not fit, or a number is not
        finite. The first are listed.
    TypeError
        If ``state`` is not a dictionary.

    Examples
    --------
    >>> matching_arrays({"b": [1.0, 2.0]}, {"W": np.zeros(3), "b": np.zeros(1)}, "model")
    Traceback (most recent call last):
        ...
    ValueError: the state does not fit this model: it has no 'W'; 'b' of shape (2,), not (1,)
    """
    if not isinstance(state, Mapping):
        raise TypeError(f"a state is a dictionary of arrays, not a {type(state).__name__}")
    wrong = [f"no {name!r}" for name in expected if name not in state]
    wrong += [f"unknown {name!r}" for name in state if name not in expected]
    copies = {}
    for name, like in expected.items():
        if name in state:
            array = plain_array(state[name])
            if array.shape != like.shape:
                wrong.append(f"{name!r} of shape {array.shape}, not {like.shape}")
            elif not np.can_cast(array.dtype, like.dtype, "same_kind"):
                wrong.append(f"{name!r} of {array.dtype}, not {like.dtype}")
            else:
                with np.errstate(over="ignore"):  # what is too large shows as infinity
                    copies[name] = array.astype(like.dtype)
                if not np.isfinite(copies[name]).all():
                    wrong.append(f"{name!r} with nan or infinity in it")
    if wrong:
        raise ValueError(f"the state does not fit this {kind}: it has {some(wrong)}")
    return copies


def most_bytes(sizes: Iterable[tuple[str, int]]) -> int:
    """The most bytes that a file of a state can have: the widest numbers, and all headers.

    Examples
    --------
    >>> most_bytes([("weight", 6), ("bias", 2)])
    102208
    """
    return 100_000 + sum(1000 + 8 * len(name) + 16 * size for name, size in sizes)


def plain_array(values: Any) -> np.ndarray:
    """The values as an array; one of objects where they cannot be an array of numbers.

    Examples
    --------
    >>> plain_array([[1], [1, 2]])
    array(None, dtype=object)
    """
    try:
        return np.asarray(values)
    except (ValueError, TypeError, RuntimeError):  # such as rows of different lengths
        return np.asarray(None)
