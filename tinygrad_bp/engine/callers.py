"""Who asked a Tensor for a number or an array: it is not told, and looks at the calling code."""

from __future__ import annotations

import dis
import sys
from types import FrameType

_NAMING = frozenset({"LOAD_ATTR", "LOAD_METHOD", "LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF"})
# What puts numbers into an array: of NumPy's, of the module array, of a buffer
_WRITERS = frozenset(
    {"__setitem__", "append", "array", "extend", "fill", "flat", "fromiter", "insert", "setitem"}
)


def calling_module() -> str:
    """The name of the module whose code called a method that calls this."""
    return sys._getframe(2).f_globals.get("__name__", "")


def writer() -> str:
    """The name of the write into an array that called such a method for a number, or nothing.

    Examples
    --------
    >>> class Number:
    ...     def __float__(self):
    ...         print(writer())
    ...         return 1.0
    >>> import numpy as np
    >>> array = np.zeros(3)
    >>> array[0] = Number()
    array[...] =
    >>> array.fill(Number())
    fill
    """
    frame = sys._getframe(2)
    name = _named(frame)
    if frame.f_code.co_code[frame.f_lasti] == dis.opmap["STORE_SUBSCR"]:
        return "flat" if name == "flat" else "array[...] ="
    return name if name in _WRITERS else ""


def _named(frame: FrameType) -> str:
    """The last name in what a frame is calling or storing into: ``fill`` of ``a.b.fill(c.d)``."""
    places = list(frame.f_code.co_positions())
    line, _, column, _ = places[frame.f_lasti // 2]
    found = [
        str(step.argval)
        for step in dis.get_instructions(frame.f_code)
        if step.offset < frame.f_lasti and step.opname in _NAMING
        if (places[step.offset // 2][0], places[step.offset // 2][2]) == (line, column)
    ]
    return found[-1] if found else ""
