"""What a training is given: a model, data, metrics and callbacks that fit together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from ..data.rows import finite, rows
from ..engine.tensor import Tensor
from ..nn import Module, evaluating
from ..optim import Optimizer
from ..support.answers import check_takes
from ..support.arguments import function, number, shown
from .history import DELTA, MEASURED, VALIDATION
from .metrics import METRICS
from .predicting import narrow, predict_rows
from .trial import trial

Function = Callable[[Any, Any], Any]


def check_model(model: Any, optimizer: Any) -> None:
    """Refuse what is no model with an optimiser of its parameters, or holds nan or infinity."""
    if not isinstance(model, Module):
        raise TypeError(f"the model must be a Module, such as nn.MLP, not {shown(model)}")
    if not isinstance(optimizer, Optimizer):
        raise TypeError(
            "the optimizer must be one of optim's, such as "
            f"optim.SGD(model.parameters(), lr=0.1), not {shown(optimizer)}"
        )
    tensors = model.named_tensors()
    if not set(optimizer.parameters) & set(tensors.values()):
        raise ValueError("the optimizer has none of the model's parameters")
    for path, tensor in tensors.items():
        if not np.isfinite(tensor.data).all():
            raise ValueError(f"the model's {path!r} holds numbers that are not finite")


def check_data(
    model: Module, loss: Function, metrics: dict[str, Function], X: Any, y: Any
) -> tuple[Any, Any]:
    """The data as arrays, once the model, the loss and the metrics have gone through it.

    They are copies that nobody can write to, so that neither a callback nor a metric changes the
    caller's data or the training. Numbers of a wider type than the model's are narrowed to it.
    """
    X, y = finite(X, "X"), finite(y, "y")
    rows(X, y)
    X, y = _own_copy(narrow(X, model, "X")), _own_copy(narrow(y, model, "y"))
    check_takes(loss, ("outputs", "targets"), "a loss")
    for name, metric in metrics.items():
        check_takes(metric, ("outputs", "targets"), f"the metric {name}")
    with evaluating(model), np.errstate(all="ignore"):
        outputs = predict_rows(model, X)
        value = trial(model, loss, X, y, outputs)
        if not isinstance(value, Tensor) or value.size != 1:
            raise ValueError(
                f"the loss must be a Tensor with one number, not {_describe(value)}: {_cure(value)}"
            )
        if not value.requires_grad:
            raise ValueError("the loss must be computed from the outputs, outside no_grad()")
        for name, metric in metrics.items():
            number(metric(outputs.copy(), y), f"the metric {name}")
    return X, y


def check_validation(
    model: Module, loss: Function, metrics: dict[str, Function], pair: Any
) -> tuple[Any, Any] | None:
    """The same for validation data, if there are some, which errors call so."""
    if pair is None:
        return None
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise TypeError(
            f"validation must be a pair of arrays (X, y), or a share, not {shown(pair)}"
        )
    try:
        return check_data(model, loss, metrics, *pair)
    except (TypeError, ValueError) as error:
        raise type(error)(f"validation data: {error}") from None


def _own_copy(array: Any) -> Any:
    """A copy of NumPy's that nobody can write to; what is another library's is kept."""
    if not isinstance(array, np.ndarray):
        return array
    own = np.array(array)
    own.setflags(write=False)
    return own


def _describe(value: Any) -> str:
    shape = getattr(value, "shape", None)
    return f"a {type(value).__name__} of shape {shape}" if shape else shown(value)


def _cure(value: Any) -> str:
    """What to write where a loss gave something other than a Tensor with one number."""
    if value is None:
        return "return it"
    if isinstance(value, Tensor) or np.size(value) > 1:
        return "reduce it, for instance by np.mean"
    return "compute it from the outputs themselves, by np., without .data, float() or no_grad()"


def as_list(values: Any, name: str) -> list[Any]:
    """A list of what was given, which text is not."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        hint = f": write {name}=[{shown(values)}]" if isinstance(values, str) else ""
        hint = f": write {name}=[it]" if callable(values) else hint
        raise TypeError(f"{name} must be a list, not {shown(values)}{hint}")
    return list(values)


def as_callbacks(values: Any) -> list[Any]:
    """The callbacks: functions that take a model and a history."""
    callbacks = [function(value, {}, "callback") for value in as_list(values, "callbacks")]
    for callback in callbacks:
        check_takes(callback, ("model", "history"), "a callback")
    return callbacks


def by_name(metrics: Any) -> dict[str, Function]:
    """The metrics by their names: those of a dictionary are its keys."""
    if isinstance(metrics, Mapping):
        named = {str(name): function(f, METRICS, "metric") for name, f in metrics.items()}
    else:
        listed = as_list(metrics, "metrics")
        named = {_metric_name(metric): function(metric, METRICS, "metric") for metric in listed}
        if len(named) < len(listed):
            raise ValueError(
                "metrics must have different names, and two of these share one: "
                f"{shown(listed)}: a dictionary gives each its own"
            )
    for name in named:
        if name in MEASURED or name.startswith((DELTA, VALIDATION)):
            raise ValueError(f"a metric cannot be called {name!r}: the history has one of its own")
    return named


def _metric_name(metric: Any) -> str:
    if isinstance(metric, str):
        return metric
    return getattr(metric, "__name__", type(metric).__name__)
