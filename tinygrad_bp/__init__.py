"""NumPy, with a memory of how each array was made, and backpropagation over that memory."""

from .backprop import gradients
from .tensor import Tensor, no_grad

__all__ = ["Tensor", "gradients", "no_grad"]
