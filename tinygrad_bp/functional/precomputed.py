"""A number whose gradient something else has computed together with it, as a node of the graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..engine.recording import Recorded
from ..engine.registry import primitive, rule


class Gradients:
    """The derivatives of a number by each of the inputs that it was computed of.

    They are no arguments of a call, which would copy them.
    """

    def __init__(self, arrays: Sequence[Any]):
        self.arrays = arrays


@primitive
def precomputed(*inputs: Any, value: Any, gradients: Gradients) -> Any:
    """A number that was computed of its inputs, with its derivatives by them.

    Examples
    --------
    >>> import numpy as np
    >>> import tinygrad_bp as bp
    >>> x = bp.Tensor(3.0, requires_grad=True)
    >>> precomputed(x, value=np.float64(9.0), gradients=Gradients([np.float64(6.0)])).backward()
    >>> print(x.grad)
    6.0
    """
    return value


def _by_input(
    position: int, g: Any, out: Any, inputs: Any, value: Any = None, gradients: Any = None
) -> Any:
    if isinstance(out, Recorded):
        raise RuntimeError(
            "the gradient of a compiled function cannot be differentiated again: "
            "call the function itself, program.function"
        )
    return g * gradients.arrays[position]


rule(precomputed, each=_by_input, formula=["g times the derivative that came with it"])
