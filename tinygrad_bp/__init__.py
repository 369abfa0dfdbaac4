"""NumPy, with a memory of how each array was made, and backpropagation over that memory."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from . import data, explain, functional, nn, optim, plot, schedules, train
from .backprop import gradients
from .check import GradientError, detect_nan, gradcheck
from .draw import Drawing, draw
from .drawing.animation import animate
from .explain import count_paths, nudge, paths, propagate, trace
from .recording import no_grad
from .tensor import Tensor
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
    "plot",
    "propagate",
    "schedules",
    "trace",
    "train",
    "value_and_grad",
    "vjp",
]


if TYPE_CHECKING:
    from . import estimators as estimators
else:

    def __getattr__(name: str) -> Any:
        """Import `estimators` when it is first used: it needs scikit-learn."""
        if name == "estimators":
            return import_module(".estimators", __name__)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
