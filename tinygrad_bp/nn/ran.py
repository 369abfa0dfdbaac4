"""Which module's ``forward`` made a Tensor: noted for pictures, as long as the Tensor lives."""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Iterable
from typing import Any

from ..engine.tensor import Tensor


class Ran(weakref.ref[Tensor]):
    """A call of a module: a weak reference to what it gave.

    Attributes
    ----------
    module : weak reference
        To the module.
    given : list of weak references
        To the Tensors that it was called with.
    """

    __slots__ = ("given", "module")
    module: weakref.ref[Any]
    given: list[weakref.ref[Tensor]]


CALLS: deque[Ran] = deque(maxlen=10_000)  # the last ones, each module's after those within it


def note(module: Any, inputs: Iterable[Any], out: Any) -> None:
    """Note a call whose result was recorded."""
    if isinstance(out, Tensor) and not out.is_leaf:
        call = Ran(out)
        call.module = weakref.ref(module)
        call.given = [weakref.ref(x) for x in inputs if isinstance(x, Tensor)]
        CALLS.append(call)


def modules_of(tensors: Iterable[Any]) -> dict[Any, tuple[str, ...]]:
    """The innermost noted module in which each of some Tensors was made, where that is known.

    A module has the path that the names of its parameters begin with.
    """
    wanted = set(tensors)
    found: dict[Any, tuple[str, ...]] = {}
    for call in list(CALLS):
        out, module = call(), call.module()
        path = None if module is None or out not in wanted else _path_of(module)
        if path is None:
            continue
        given = {x() for x in call.given}
        waiting: list[Any] = [out]
        while waiting:
            x = waiting.pop()
            if x in wanted and not (x.is_leaf or x in found or x in given):
                found[x] = path
                waiting += x.inputs
    return found


def _path_of(module: Any) -> tuple[str, ...] | None:
    """Where a module stands in the one that named its parameters; None if it has none."""
    for path, tensor in module.named_tensors().items():
        name = tensor.name or ""
        if name == path:
            return ()
        if name.endswith(f".{path}"):
            return tuple(name[: -len(path) - 1].split("."))
    return None
