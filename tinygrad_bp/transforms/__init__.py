"""Transformations: functions that take a function and give its derivative as a function.

They nest to any depth. They give plain arrays, unless something outside is recording (an outer
transformation, a parameter that the function closes over, a cotangent that requires grad): then
they give Tensors with a history. No ``grad`` is changed.

Arguments and results may be tuples, lists, dictionaries and named tuples, nested, with None: a
derivative has the form of the argument that it is taken by. A list of Python's numbers alone is an
array. With ``has_aux=True`` a function gives a pair, of which only the first is differentiated.
"""

from .derivatives import elementwise_grad, grad, hessian, jacobian, value_and_grad
from .graphs import gradients, stop_gradient
from .products import hvp, jvp, vjp

__all__ = [
    "elementwise_grad",
    "grad",
    "gradients",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "stop_gradient",
    "value_and_grad",
    "vjp",
]


def __dir__() -> list[str]:
    return __all__
