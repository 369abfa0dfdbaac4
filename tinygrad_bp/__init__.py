"""NumPy, with a memory of how each array was made, and backpropagation over that memory."""

from . import data, explain, functional, nn, optim, schedules, train
from .backprop import gradients
from .check import GradientError, detect_nan, gradcheck
from .draw import Drawing, draw
from .drawing.animation import animate
from .explain import count_paths, nudge, paths, propagate, trace
from .tensor import Tensor, no_grad
from .transforms import grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp

__all__ = [
    "Drawing",
    "GradientError",
    "Tensor",
    "animate",
    "count_paths",
    "data",
    "detect_nan",
    "draw",
    "explain",
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
    "nudge",
    "optim",
    "paths",
    "propagate",
    "schedules",
    "trace",
    "train",
    "value_and_grad",
    "vjp",
]
