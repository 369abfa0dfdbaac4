"""PyTorch as a second opinion: its tensors behind NumPy's protocols, for programs to run on."""

from __future__ import annotations

from typing import Any

import numpy as np

from .programs import HELPERS, Program

try:
    import torch
except ImportError:
    torch = None

# NumPy's functions that PyTorch has under the same name, with the same meaning, or another name.
NAMES = {"max": "amax", "min": "amin", "conjugate": "positive", "fabs": "abs", "kron": "kron"}
SAME = {
    *("negative", "positive", "conjugate", "absolute", "fabs", "square", "sqrt", "reciprocal"),
    *("exp", "expm1", "log", "log1p", "log2", "sinc", "arcsinh", "arctanh", "tanh"),
    *("sin", "cos", "arcsin", "arccos", "arctan", "arctan2", "hypot", "logaddexp", "greater"),
    *("add", "subtract", "multiply", "divide", "power", "float_power", "maximum", "minimum"),
    *("sum", "mean", "max", "min", "cumsum", "cumprod", "ravel", "where", "outer", "matmul"),
    *("inner", "kron", "tile"),
}


class UnsupportedError(Exception):
    """PyTorch has not this function, or means something else by it."""


class TorchArray(np.lib.mixins.NDArrayOperatorsMixin):
    """A tensor of PyTorch that NumPy's functions take."""

    def __init__(self, tensor: Any):
        self.tensor = tensor

    shape = property(lambda self: tuple(self.tensor.shape))

    def __getattr__(self, name: str) -> Any:
        raise UnsupportedError(name)

    def __getitem__(self, index: Any) -> TorchArray:
        raise UnsupportedError("indexing")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if method != "__call__" or options.keys() - {"out"}:  # which only rebinds the name
            raise UnsupportedError(method)
        return called(ufunc.__name__, inputs, {})

    def __array_function__(self, function: Any, types: Any, inputs: Any, options: Any) -> Any:
        if function.__module__ != "numpy":
            raise UnsupportedError(function.__name__)
        return called(function.__name__, inputs, options)


def called(name: str, inputs: Any, options: dict[str, Any]) -> TorchArray:
    if name not in SAME:
        raise UnsupportedError(name)
    try:
        return TorchArray(getattr(torch, NAMES.get(name, name))(*map(unwrapped, inputs), **options))
    except (TypeError, RuntimeError, IndexError) as error:
        raise UnsupportedError(name) from error


def unwrapped(x: Any) -> Any:
    """The tensor, or a constant as one: a copy, whatever is written to it later."""
    return x.tensor if isinstance(x, TorchArray) else torch.tensor(np.asarray(x, float))


def supported(program: Program) -> tuple[Program, dict[str, Any], list[Any]]:
    """The steps of a program that PyTorch can run, what it gives for each, and the leaves."""
    names: dict[str, Any] = {"frozen": lambda x: TorchArray(unwrapped(x).detach())}
    exec(HELPERS, names)
    leaves = [
        torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in program.leaves.values()
    ]
    names |= zip(program.leaves, map(TorchArray, leaves), strict=True)
    steps = []
    for step in program.steps:
        try:
            exec("\n".join(step.plain), names)
            steps.append(step)
        except (UnsupportedError, NameError, AttributeError, TypeError):
            names.pop(step.name, None)
    return Program(program.leaves, steps), names, leaves


def by_torch(program: Program, first: Any, second: Any) -> tuple[Program, list[Any], float]:
    """Differentiate what PyTorch can run of a program: that part, its gradients, and ``d₁ᵀHd₂``."""
    part, names, leaves = supported(program)
    values = [names[s.name].tensor for s in part.steps if s.name.startswith("v")]
    total = sum(torch.sin(v).sum() for v in values or leaves)
    options = {"create_graph": True, "materialize_grads": True}
    gradients = torch.autograd.grad(total + 0 * leaves[0].sum(), leaves, **options)
    along = sum((g * torch.tensor(d)).sum() for g, d in zip(gradients, first, strict=True))
    products = torch.autograd.grad(along + 0 * leaves[0].sum(), leaves, **options)
    mixed = sum((h * torch.tensor(d)).sum() for h, d in zip(products, second, strict=True))
    return part, [g.detach().numpy() for g in gradients], float(mixed)
