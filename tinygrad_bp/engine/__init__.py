"""The whole idea: arrays that remember how they were made, and the pass that walks the memory.

This is the one door: what other rooms need of the engine is a name of this page. Read `recording`,
`registry`, `backprop` and `tensor` in this order, then any page of ``rules``.
"""

from . import compositions, rules  # they fill the registry
from .backprop import gradients
from .recording import no_grad
from .registry import primitive, rule
from .tensor import Tensor, apply

__all__ = ["Tensor", "apply", "compositions", "gradients", "no_grad", "primitive", "rule", "rules"]


def __dir__() -> list[str]:
    return __all__
