"""NumPy, with a memory of how each array was made, and backpropagation over that memory.

Begin with `Tensor` and its ``backward``. `trace`, `draw`, `animate` and `nudge` show what the pass
did; `grad`, `hessian` and the other transformations take functions and give functions; `nn`,
`functional`, `optim`, `train` and `data` build and train networks; `compile` turns functions and
training steps into NumPy programs; `gradcheck` and `detect_nan` check. NumPy's own functions,
``np.…``, work on Tensors.
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from .check import GradientError, detect_nan, gradcheck
from .drawing import Drawing, draw
from .engine.advice import ADVICE
from .engine.recording import no_grad
from .engine.registry import primitive, rule
from .engine.tensor import Tensor
from .explain import count_paths, nudge, paths, propagate, trace
from .support.answers import instead_of_scipy, keyword_advice, nearest, no_attribute
from .support.meanings import KEYWORDS
from .transforms import (
    elementwise_grad,
    grad,
    gradients,
    hessian,
    hvp,
    jacobian,
    jvp,
    stop_gradient,
    value_and_grad,
    vjp,
)

if TYPE_CHECKING:
    from . import data, explain, functional, nn, optim, plot, train
    from . import estimators as estimators
    from .compiling import compile, compile_step
    from .drawing.animation import animate
    from .optim import schedules

__version__ = "0.1.0"

__all__ = [
    "Drawing",
    "GradientError",
    "Tensor",
    "animate",
    "compile",
    "compile_step",
    "count_paths",
    "data",
    "detect_nan",
    "draw",
    "elementwise_grad",
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
    "primitive",
    "propagate",
    "rule",
    "schedules",
    "stop_gradient",
    "trace",
    "train",
    "value_and_grad",
    "vjp",
]

ADVICE["array"] = instead_of_scipy
ADVICE["attribute"] = lambda owner, name: no_attribute("Tensor", name, owner)
ADVICE["keyword"] = lambda name, known: nearest(name, known, KEYWORDS)
Tensor.__init__ = keyword_advice(Tensor.__init__)  # type: ignore[method-assign]

_LATER = {"data", "estimators", "functional", "nn", "optim", "plot", "train"}
_COMPILING = {"compile", "compile_step"}
_MOVED = {"metrics": ".train.metrics", "schedules": ".optim.schedules"}  # earlier names


def __getattr__(name: str) -> Any:
    """Import the modules that build on the engine when they are first used."""
    if name in _LATER:
        return import_module(f".{name}", __name__)
    if name == "animate":
        return import_module(".drawing.animation", __name__).animate
    if name in _COMPILING:
        return getattr(import_module(".compiling", __name__), name)
    if name in _MOVED:
        return import_module(_MOVED[name], __name__)
    for room in _LATER - {"estimators", "plot"} if not name.startswith("_") else ():
        import_module(f".{room}", __name__)  # it may be there
    raise no_attribute("bp", name, sys.modules[__name__])


def __dir__() -> list[str]:
    return sorted({*__all__, *_LATER, *(name for name in globals() if name.startswith("__"))})
