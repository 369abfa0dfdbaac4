"""NumPy, with a memory of how each array was made, and backpropagation over that memory."""

from . import functional, nn, optim
from .backprop import gradients
from .check import GradientError, detect_nan, gradcheck
from .tensor import Tensor, no_grad
from .transforms import grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp

__all__ = [
    "GradientError",
    "Tensor",
    "detect_nan",
    "functional",
    "grad",
    "gradcheck",
    "gradients",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "nn",
    "no_grad",
    "optim",
    "value_and_grad",
    "vjp",
]
