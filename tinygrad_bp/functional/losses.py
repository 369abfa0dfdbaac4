"""Losses: each compares predictions with targets, element by element, and reduces what it finds.

The losses of the elements become their mean, their sum, or stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np

from ..engine.registry import primitive, rule
from ..engine.rules.activations import decay, sigmoid
from ..support.arguments import positive, shown
from .classes import cross_entropy
from .reducing import (
    class_weights,
    comparable,
    probabilities,
    reduce_losses,
    share_of_gradient,
    verify,
    weigh_losses,
)

Slope = Callable[[Any, Any, Any], Any]


def _loss_rule(loss: Callable[..., Any], by_x: Slope, by_t: Slope, formula: list[str]) -> None:
    """The rule of a loss of elements, whose slopes take what each element gets of ``g``."""

    def of_predictions(
        g: Any, out: Any, x: Any, t: Any, reduction: str = "mean", weight: Any = None
    ) -> Any:
        return by_x(_shares(g, x, t, reduction, weight), x, t)

    def of_targets(
        g: Any, out: Any, x: Any, t: Any, reduction: str = "mean", weight: Any = None
    ) -> Any:
        slope = by_t(_shares(g, x, t, reduction, weight), x, t)
        if weight is None:
            return slope
        mean = reduction == "mean"  # whose weights, and their sum, change with the targets
        each = loss(x, t, "none") - (out if mean else 0)
        unit = g / np.sum(_of_elements(weight, t)) if mean else g
        return slope + unit * each * (weight[1] - weight[0])

    rule(loss, of_predictions, of_targets, formula=formula)


def _shares(g: Any, x: Any, t: Any, reduction: str, weight: Any) -> Any:
    if weight is None:
        return share_of_gradient(g, x, reduction)
    weights = _of_elements(weight, t)
    return g * (weights / np.sum(weights) if reduction == "mean" else weights)


def _of_elements(weight: Any, targets: Any) -> Any:
    """The weight of each element, by its target: of two classes, or between them."""
    return weight[0] + (weight[1] - weight[0]) * targets


@primitive
def mse_loss(predictions: Any, targets: Any, reduction: str = "mean") -> Any:
    """The mean squared difference of predictions and targets, or as ``reduction`` says.

    Parameters
    ----------
    predictions, targets : arrays of the same shape
    reduction : {'mean', 'sum', 'none'}

    Returns
    -------
    scalar, or with ``reduction='none'`` an array of the inputs' shape

    Raises
    ------
    ValueError
        If the shapes differ, even where they would broadcast; if they are empty; if a target
        is not finite.

    Examples
    --------
    >>> print(mse_loss(np.array([1.0, 2.0]), np.array([1.0, 4.0])))
    2.0
    """
    predictions, targets = comparable(predictions, targets)
    difference = predictions - targets
    return reduce_losses(difference * difference, reduction, targets)


_loss_rule(
    mse_loss,
    lambda share_of_gradient, x, t: 2 * share_of_gradient * (x - t),
    lambda share_of_gradient, x, t: 2 * share_of_gradient * (t - x),
    formula=["2 g (x - t) / n", "2 g (t - x) / n"],
)


@primitive
def mae_loss(predictions: Any, targets: Any, reduction: str = "mean") -> Any:
    """The mean absolute difference of predictions and targets, or as ``reduction`` says.

    Its derivative where there is no difference is 0.

    Parameters
    ----------
    predictions, targets, reduction
        As in `mse_loss`.

    Examples
    --------
    >>> print(mae_loss(np.array([1.0, 2.0]), np.array([1.0, 4.0])))
    1.0
    """
    predictions, targets = comparable(predictions, targets)
    return reduce_losses(np.abs(predictions - targets), reduction, targets)


_loss_rule(
    mae_loss,
    lambda share_of_gradient, x, t: share_of_gradient * np.sign(x - t),
    lambda share_of_gradient, x, t: share_of_gradient * np.sign(t - x),
    formula=["g sign(x - t) / n", "g sign(t - x) / n"],
)


@primitive
def huber_loss(predictions: Any, targets: Any, reduction: str = "mean", delta: float = 1.0) -> Any:
    """Half the squared difference, continued beyond ``delta`` by a straight line.

    So a few targets that are far off do not outweigh all others. Huber, "Robust estimation of a
    location parameter", Annals of Mathematical Statistics 35 (1964) 73.

    Parameters
    ----------
    predictions, targets, reduction
        As in `mse_loss`.
    delta : float
        The difference beyond which the loss grows along a straight line.

    Examples
    --------
    >>> huber_loss(np.array([0.5, 3.0]), np.array([0.0, 0.0]), reduction="none")
    array([0.125, 2.5  ])
    """
    delta = positive(delta, "delta")
    predictions, targets = comparable(predictions, targets)
    difference = predictions - targets
    within = np.clip(difference, -delta, delta)
    return reduce_losses(within * (difference - within / 2), reduction, targets)


rule(
    huber_loss,
    lambda g, out, x, t, reduction="mean", delta=1.0: (
        share_of_gradient(g, x, reduction) * np.clip(x - t, -delta, delta)
    ),
    lambda g, out, x, t, reduction="mean", delta=1.0: (
        share_of_gradient(g, x, reduction) * np.clip(t - x, -delta, delta)
    ),
    formula=["g clip(x - t, -δ, δ) / n", "g clip(t - x, -δ, δ) / n"],
)


@primitive
def binary_cross_entropy_with_logits(
    logits: Any, targets: Any, reduction: str = "mean", weight: Any = None
) -> Any:
    """The negative log-likelihood of targets in [0, 1] whose log-odds are ``logits``.

    ``softplus(x) - x t``, which is ``-t log p - (1 - t) log(1 - p)`` with ``p = sigmoid(x)``,
    for x of any size.

    Parameters
    ----------
    logits : array
        The scores x, of any size and shape.
    targets : array of the same shape
        Probabilities: mostly 0 or 1, integer or not.
    reduction : {'mean', 'sum', 'none'}
        As in `mse_loss`.
    weight : array of shape (2,), optional
        The weights of an element whose target is 0 and of one whose target is 1; between these, in
        proportion. The mean is then divided by the sum of the weights, as in `cross_entropy`.

    Raises
    ------
    ValueError
        As in `mse_loss`, and if a target is not in [0, 1], or a weight is negative.

    Examples
    --------
    >>> logits, targets = np.array([1000.0, -1000.0]), np.array([0, 0])
    >>> print(binary_cross_entropy_with_logits(logits, targets, reduction="sum"))
    1000.0
    """
    logits, targets = comparable(logits, targets)
    targets = verify(targets, probabilities)
    losses = np.maximum(logits, 0) - logits * targets + np.log1p(decay(logits))
    return _weigh(losses, reduction, targets, weight)


_loss_rule(
    binary_cross_entropy_with_logits,
    lambda share_of_gradient, x, t: share_of_gradient * (sigmoid(x) - t),
    lambda share_of_gradient, x, t: (
        -(share_of_gradient * x)
    ),  # for -x of an unsigned x is not what it seems
    formula=["g (sigmoid x - t) / n", "-g x / n"],
)


@primitive
def binary_cross_entropy(
    predictions: Any, targets: Any, reduction: str = "mean", weight: Any = None
) -> Any:
    """The negative log-likelihood of targets in [0, 1] whose probabilities are ``predictions``.

    ``-t log p - (1 - t) log(1 - p)``, with logarithms of at least -100, as in PyTorch. Where the
    probabilities come from a sigmoid, `binary_cross_entropy_with_logits` of its argument keeps more
    digits.

    Parameters
    ----------
    predictions : array
        The probabilities p, from 0 to 1.
    targets, reduction, weight
        As in `binary_cross_entropy_with_logits`.

    Raises
    ------
    ValueError
        As in `mse_loss`, and if a prediction or a target is not in [0, 1].

    Examples
    --------
    >>> print(binary_cross_entropy(np.array([0.5, 1.0]), np.array([1, 1])).round(3))
    0.347
    """
    predictions, targets = comparable(predictions, targets)
    targets = verify(targets, probabilities)
    p = verify(predictions, partial(probabilities, name="predictions"))
    with np.errstate(divide="ignore"):
        yes, no = np.maximum(np.log(p), -100), np.maximum(np.log1p(-p), -100)
    return _weigh(-targets * yes - (1 - targets) * no, reduction, targets, weight)


def _weigh(losses: Any, reduction: str, targets: Any, weight: Any) -> Any:
    """The losses, weighed by their targets' classes, and then reduced."""
    if weight is None:
        return reduce_losses(losses, reduction, targets)
    weights = _of_elements(class_weights(weight, 2, losses.dtype), targets)
    return weigh_losses(losses, weights, reduction)


def _not_zero(p: Any) -> Any:
    """``p``, held so far from 0 that it can be divided by."""
    return np.maximum(p, max(1e-12, float(np.finfo(p.dtype).tiny)))


_loss_rule(
    binary_cross_entropy,
    lambda share_of_gradient, p, t: (
        share_of_gradient * ((1 - t) / _not_zero(1 - p) - t / _not_zero(p))
    ),
    lambda share_of_gradient, p, t: (
        share_of_gradient * (np.log(_not_zero(1 - p)) - np.log(_not_zero(p)))
    ),
    formula=["g ((1 - t) / (1 - p) - t / p) / n", "g (log(1 - p) - log p) / n"],
)


LOSSES: dict[str, Callable[[Any, Any], Any]] = {
    "binary_cross_entropy": binary_cross_entropy_with_logits,
    "cross_entropy": cross_entropy,
    "huber": huber_loss,
    "mae": mae_loss,
    "mse": mse_loss,
}


def l1_penalty(parameters: Any) -> Any:
    """The sum of the parameters' absolute values: a term for the loss, that makes them sparse.

    Its derivative at 0 is 0. Tibshirani, "Regression shrinkage and selection via the lasso",
    Journal of the Royal Statistical Society B 58 (1996) 267.

    Parameters
    ----------
    parameters : iterable of Tensor or array
        Lists, tuples and dictionaries in it are gone through; None counts nothing.

    Returns
    -------
    scalar

    Raises
    ------
    ValueError
        If there are none.

    Examples
    --------
    >>> print(l1_penalty([np.array([1.0, -2.0]), np.array(0.5)]))
    3.5
    >>> print(l1_penalty({"weight": np.array([1.0, -2.0]), "more": [np.array(4.0), None]}))
    7.0
    """
    if not isinstance(parameters, Iterable):
        cure = ": write model.parameters()" if hasattr(parameters, "parameters") else ""
        raise TypeError(
            f"parameters must be a list of Tensors or arrays, not {shown(parameters)}{cure}"
        )
    terms = _sizes(parameters)
    if not terms:
        raise ValueError("there are no parameters to take the sum of")
    return sum(terms[1:], terms[0])


def _sizes(parameters: Any) -> list[Any]:
    """The sum of absolute values of each array in a structure."""
    if parameters is None:
        return []
    parts = parameters.values() if isinstance(parameters, Mapping) else parameters
    if not hasattr(parts, "shape") and isinstance(parts, Iterable):
        return [size for part in parts for size in _sizes(part)]
    return [np.sum(np.abs(parameters))]
