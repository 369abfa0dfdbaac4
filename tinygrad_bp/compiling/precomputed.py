"""A number whose gradient a program has computed together with it, as a node of the graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..engine.recording import Recorded
from ..engine.registry import Each, Rule
from ..engine.tensor import Tensor, _node


class Gradients:
    """The derivatives of a number by each of the inputs that it was computed of."""

    def __init__(self, arrays: Sequence[Any]):
        self.arrays = arrays


def precomputed(inputs: Sequence[Tensor], value: Any, gradients: Sequence[Any]) -> Tensor:
    """A number that was computed of its inputs, with its derivatives by them.

    Examples
    --------
    >>> import numpy as np
    >>> x = Tensor(3.0, requires_grad=True)
    >>> precomputed([x], np.float64(9.0), [np.float64(6.0)]).backward()
    >>> print(x.grad)
    6.0
    """
    values = [x._array for x in inputs]
    places = tuple(range(len(inputs)))
    return _node(value, _RULE, tuple(inputs), values, places, {"gradients": Gradients(gradients)})


def _by_input(position: int, g: Any, out: Any, inputs: Any, gradients: Any = None) -> Any:
    if isinstance(out, Recorded):
        raise RuntimeError(
            "the gradient of a compiled function cannot be differentiated again: "
            "call the function itself, program.function"
        )
    return g * gradients.arrays[position]


# Of no use without the gradients, so that it is not among those that `apply` knows.
_RULE = Rule(precomputed, None, Each(_by_input), ("g times the derivative that came with it",))
