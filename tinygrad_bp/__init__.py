"""NumPy, with a memory of how each array was made, and backpropagation over that memory."""

from .backprop import gradients
from .tensor import Tensor, no_grad
from .transforms import grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp

__all__ = [
    "Tensor",
    "grad",
    "gradients",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "no_grad",
    "value_and_grad",
    "vjp",
]
