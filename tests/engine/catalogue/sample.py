"""A sample: one call of one function, on inputs where its derivatives can be checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Constant:
    """An input that is passed on as it is, and not differentiated."""

    value: Any


@dataclass(frozen=True, eq=False)
class Sample:
    """One call, ``function(*inputs, **parameters)``.

    Every floating array among the inputs and parameters, in lists and tuples too, is
    differentiated, unless it stands in a Constant.
    """

    function: Callable[..., Any]
    inputs: tuple[Any, ...]
    parameters: dict[str, Any] = field(default_factory=dict)
    holomorphic: bool = False  # may the complex step be used?
    order: int = 2  # derivatives up to this order exist at the inputs
    covers: tuple[Any, ...] = ()  # primitives of ours that this call goes through

    @property
    def arrays(self) -> list[np.ndarray]:
        """What is differentiated, in order."""
        found: list[np.ndarray] = []
        _walk((self.inputs, self.parameters), lambda x: found.append(x) or x)
        return found

    def call(self, *arrays: Any) -> Any:
        """Call the function with ``arrays`` (or Tensors) in place of its own."""
        rest = iter(arrays)
        inputs, parameters = _walk((self.inputs, self.parameters), lambda x: next(rest))
        return self.function(*inputs, **parameters)

    def __str__(self) -> str:
        """Name the call briefly: this is the test's id."""
        shapes = "-".join("x".join(map(str, x.shape)) or "0d" for x in self.arrays)
        name = getattr(self.function, "__name__", str(self.function))
        shown = {k: v for k, v in self.parameters.items() if "array" not in repr(v)}
        words = ",".join(f"{k}={v}" for k, v in shown.items())
        return f"{name}[{shapes}]{'(' + words + ')' if words else ''}"


def _walk(x: Any, visit: Callable[[np.ndarray], Any]) -> Any:
    """Rebuild ``x`` with every floating array in it replaced by ``visit(array)``."""
    if isinstance(x, Constant):
        return x.value
    if isinstance(x, np.ndarray | np.floating) and np.issubdtype(x.dtype, np.floating):
        return visit(np.asarray(x))
    if isinstance(x, dict):
        return {key: _walk(value, visit) for key, value in x.items()}
    if isinstance(x, list | tuple):
        return type(x)(_walk(item, visit) for item in x)
    return x
