"""Which Tensors show memory of another, as NumPy's views do, so that writing would change both."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .recording import Recorded

ALWAYS_COPY = frozenset({np.repeat, np.tile})  # in NumPy, whatever their compositions share


def is_view(node: Recorded) -> bool:
    """Whether it shows memory of another Tensor."""
    if hasattr(node, "_shows"):
        return node._shows
    base = getattr(node._array, "base", None)
    if isinstance(base, np.ndarray) and not base.flags.writeable:
        return True
    return any(isinstance(x, Recorded) and _share_memory(node, x) for x in node.inputs)


def apart(result: Any, given: Any) -> Any:
    """The result of a composition, marked as no view unless it shows memory of an argument.

    It may show memory of what was computed on the way, which nobody else sees: that is no view.
    """
    if isinstance(result, list | tuple):
        parts = [apart(part, given) for part in result]
        return type(result)(*parts) if hasattr(result, "_fields") else type(result)(parts)
    if not isinstance(result, Recorded) or hasattr(result, "_shows"):
        return result
    if is_view(result) and not any(_share_memory(result, x) for x in _tensors_in(given)):
        result._shows = False
    return result


def _share_memory(first: Recorded, second: Recorded) -> bool:
    arrays = first._array, second._array
    return all(isinstance(x, np.ndarray) for x in arrays) and bool(np.may_share_memory(*arrays))


def _tensors_in(x: Any) -> Iterator[Recorded]:
    if isinstance(x, Recorded):
        yield x
    elif isinstance(x, list | tuple | dict):
        for part in x.values() if isinstance(x, dict) else x:
            yield from _tensors_in(part)
