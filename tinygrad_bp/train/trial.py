"""The trial of a loss before training: mistakes that would train in silence, with their cure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..engine.recording import watching
from ..engine.tensor import Tensor
from ..functional import binary_cross_entropy_with_logits, cross_entropy
from ..nn import Module
from ..support.warning import warn
from .predicting import own_type

_CURES = {
    cross_entropy.__name__: "leave the softmax out, which the loss computes itself",
    binary_cross_entropy_with_logits.__name__: (
        "leave the sigmoid out, which the loss computes itself, or give probabilities to "
        "functional.binary_cross_entropy"
    ),
}
_PROBABILITIES = {"softmax", "sigmoid", "expit"}
_MOVES = {"astype", "copy", "getitem", "ravel", "reshape", "squeeze", "expand_dims", "transpose"}


def trial(model: Module, loss: Callable[[Any, Any], Any], X: Any, y: Any, outputs: Any) -> Any:
    """The loss of what a model gives for all rows, with warnings of likely mistakes.

    Probabilities where a loss takes logits; a loss that compares each output with every target;
    outputs of a wider type than the model's own.
    """
    given = Tensor(outputs, requires_grad=True)
    loss_of_logits: list[tuple[str, Any]] = []
    pairs: list[str] = []

    def watch(rule: Any, inputs: Any, values: Any, result: Any) -> Any:
        if rule.name in _CURES:
            loss_of_logits.append((rule.name, inputs[0]))
        if _compares_each_with_all(inputs, values, result, len(X)):
            pairs.append(" and ".join(str(value.shape) for value in values))
        return rule

    with watching(watch):
        value = loss(given, y)
    told = [_of_width(model, X, outputs)]
    if pairs:
        told.append(
            f"the loss broadcasts {pairs[0]} to {(len(X), len(X))}, each output with every "
            "target: give the targets the outputs' shape, y.reshape(outputs.shape)"
        )
    told += [_of_probabilities(name, scores, given, model, X) for name, scores in loss_of_logits]
    for what in dict.fromkeys(filter(None, told)):
        warn(what)
    return value


def _compares_each_with_all(inputs: Any, values: Any, result: Any, rows: int) -> bool:
    """Whether a column of outputs and a row of targets, or the reverse, became a table."""
    if getattr(result, "shape", ()) != (rows, rows) or len(inputs) != 2 or rows == 1:
        return False
    recorded = [isinstance(x, Tensor) and x.requires_grad for x in inputs]
    shapes = [getattr(value, "shape", ()) for value in values]
    return sum(recorded) == 1 and sorted(shapes) == [(rows,), (rows, 1)]


def _of_probabilities(name: str, scores: Any, given: Tensor, model: Module, X: Any) -> str:
    """The warning if the scores that a loss takes for logits are probabilities, or nothing."""
    made = _maker(scores)
    if made is given:  # what made the outputs is to be seen in the model
        made = _maker(model(X[:1]))
    by_name = getattr(getattr(made, "rule", None), "name", "")
    values = np.asarray(getattr(scores, "data", scores))
    within = bool(np.all((values >= 0) & (values <= 1)))
    shares = values.ndim == 2 and values.shape[1] > 1
    if by_name in _PROBABILITIES:
        what = f"the output of {by_name}"
    elif within and shares and np.allclose(np.sum(values, axis=1), 1):
        what = "numbers that sum to one in each row"
    elif within and _divides_by_its_own(made):
        what = "fractions from 0 to 1"
    else:
        return ""
    return f"{name} takes logits, scores of any size, and is given {what}: {_CURES[name]}"


def _maker(x: Any) -> Any:
    """The node that computed ``x``, before it was moved about."""
    while isinstance(x, Tensor) and x.rule and x.rule.name in _MOVES:
        x = x.inputs[0]
    return x


def _divides_by_its_own(node: Any) -> bool:
    """Whether it is a quotient as ``1 / (1 + np.exp(-x))`` is, element by element."""
    if not node.rule or node.rule.name not in ("divide", "reciprocal"):
        return False
    below = node.inputs[-1]
    return isinstance(below, Tensor) and below.requires_grad and below.ndim == node.ndim > 0


def _of_width(model: Module, X: Any, outputs: Any) -> str:
    """The warning if a model computes in a wider type than its own, or nothing."""
    own = own_type(model)
    if own is None or np.promote_types(own, outputs.dtype) == own:
        return ""
    return (
        f"the model holds {own}, and of X of {X.dtype} it makes {outputs.dtype}: "
        f"pass X.astype(np.{own})"
    )
