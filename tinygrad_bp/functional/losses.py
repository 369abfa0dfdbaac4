"""Losses: each compares predictions with targets, element by element, and reduces what it finds.

The losses of the elements become their mean, their sum, or stay as they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..engine.registry import primitive, rule
from ..engine.rules.activations import decay, sigmoid
from ..engine.rules.types import as_array, real
from ..support.arguments import places, refuse, shown, suggestion
from .softmaxes import _shifted, softmax

_REDUCTIONS = ("mean", "sum", "none")


tanh = np.tanh


def _comparable(predictions: Any, targets: Any) -> tuple[Any, Any]:
    """Two arrays of one shape; integer targets become floats of the predictions' width."""
    predictions, targets = real(predictions, "predictions"), as_array(targets)
    if predictions.shape != targets.shape:
        raise ValueError(
            f"predictions have shape {predictions.shape} and targets {targets.shape}: "
            "reshape one, so that each prediction has its own target"
        )
    if targets.dtype.kind in "biu":
        targets = targets.astype(predictions.dtype)
    return predictions, real(targets, "targets")


def _reduced(losses: Any, targets: Any, reduction: str) -> Any:
    """The losses of the elements, averaged, summed or as they are."""
    if reduction not in _REDUCTIONS:
        raise ValueError(f"unknown reduction {reduction!r}: {suggestion(reduction, _REDUCTIONS)}")
    if not losses.size:
        raise ValueError("the batch is empty")
    total = np.add.reduce(losses, axis=None)
    if not math.isfinite(total):  # looked for only now, because a look at every target takes time
        refuse(targets, ~np.isfinite(targets), "targets must be finite")
    if reduction == "none":
        return losses
    return total / losses.size if reduction == "mean" else total


def _share(g: Any, count: int, reduction: str) -> Any:
    """What one element's loss gets of the gradient ``g`` of the reduced loss."""
    return g / count if reduction == "mean" else g


@primitive
def cross_entropy(logits: Any, labels: Any, reduction: str = "mean") -> Any:
    """The negative log-probability that the softmax of ``logits`` gives to the right class.

    ``logsumexp(logits) - logits[label]``; its derivative is ``softmax(logits)`` less one at the
    label. Bishop, "Pattern Recognition and Machine Learning", Springer 2006, section 4.3.4.

    Parameters
    ----------
    logits : array of shape (n, c) or (c,)
        Scores of the c classes, of any size, for n examples or for one.
    labels : array of integers of shape (n,) or ()
        The right class of each example, from 0 to c - 1.
    reduction : {'mean', 'sum', 'none'}

    Returns
    -------
    scalar, or with ``reduction='none'`` an array of the shape of ``labels``

    Raises
    ------
    TypeError
        If the labels are not integers.
    ValueError
        If the shapes are not these, the batch is empty, or a label is out of range.

    Examples
    --------
    >>> import tinygrad_bp as bp
    >>> logits = bp.Tensor([[1000.0, 0.0]], requires_grad=True)
    >>> loss = cross_entropy(logits, np.array([1]))
    >>> loss.backward()
    >>> print(loss.item(), logits.grad)
    1000.0 [[ 1. -1.]]
    """
    logits, labels = real(logits, "logits"), as_array(labels)
    _check_labels(logits, labels)
    x = _shifted(logits, -1)
    with np.errstate(under="ignore"):
        losses = np.log(np.add.reduce(np.exp(x), axis=-1)) - x[_at(labels)]
    return _reduced(losses, labels, reduction)


def _check_labels(logits: Any, labels: Any) -> None:
    if logits.ndim not in (1, 2) or labels.shape != logits.shape[:-1]:
        raise ValueError(
            "logits of shape (n, c) need labels of shape (n,), one class number for each row; "
            f"logits have shape {logits.shape} and labels {labels.shape}"
        )
    classes = logits.shape[-1]
    if classes == 1 and labels.any():
        raise ValueError("one logit is for binary_cross_entropy_with_logits: two classes need two")
    places(labels, classes, f"labels of {classes} classes")


def _at(labels: Any) -> Any:
    """The index of each row's label."""
    return (np.arange(len(labels)), labels) if labels.ndim else labels


@primitive
def softmax_error(logits: Any, labels: Any) -> Any:
    """The softmax of ``logits`` less one at each label: what `cross_entropy` sends back.

    Examples
    --------
    >>> softmax_error(np.array([[0.0, 0.0]]), np.array([1]))
    array([[ 0.5, -0.5]])
    """
    error = softmax(logits)
    error[_at(as_array(labels))] -= 1
    return error


def _cross_entropy_by_logits(
    g: Any, out: Any, logits: Any, labels: Any, reduction: str = "mean"
) -> Any:
    """Each row's ``softmax - one at the label``, times what the row gets of ``g``."""
    share = g[..., np.newaxis] if reduction == "none" else _share(g, np.size(labels), reduction)
    return share * softmax_error(logits, labels)


def _softmax_error_by_logits(g: Any, out: Any, logits: Any, labels: Any) -> Any:
    probabilities = softmax(logits)
    return probabilities * (g - np.sum(g * probabilities, axis=-1, keepdims=True))


rule(
    cross_entropy,
    _cross_entropy_by_logits,
    None,
    formula=["g (softmax x - one at label) / n", "0"],
)


rule(softmax_error, _softmax_error_by_logits, None, formula=["p (g - Σ g p), p = softmax x", "0"])


@primitive
def mse_loss(predictions: Any, targets: Any, reduction: str = "mean") -> Any:
    """The squared differences of predictions and targets: their mean, unless told otherwise.

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
    predictions, targets = _comparable(predictions, targets)
    difference = predictions - targets
    return _reduced(difference * difference, targets, reduction)


@primitive
def binary_cross_entropy_with_logits(logits: Any, targets: Any, reduction: str = "mean") -> Any:
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

    Returns
    -------
    scalar, or with ``reduction='none'`` an array of the inputs' shape

    Raises
    ------
    ValueError
        If the shapes differ, even where they would broadcast; if they are empty; if a target
        is not finite or not in [0, 1].

    Examples
    --------
    >>> logits, targets = np.array([1000.0, -1000.0]), np.array([0, 0])
    >>> print(binary_cross_entropy_with_logits(logits, targets, reduction="sum"))
    1000.0
    """
    logits, targets = _comparable(logits, targets)
    refuse(targets, (targets < 0) | (targets > 1), "targets must be probabilities, 0 to 1")
    losses = np.maximum(logits, 0) - logits * targets + np.log1p(decay(logits))
    return _reduced(losses, targets, reduction)


rule(
    mse_loss,
    lambda g, out, x, t, reduction="mean": _share(2 * g, np.size(x), reduction) * (x - t),
    lambda g, out, x, t, reduction="mean": _share(2 * g, np.size(x), reduction) * (t - x),
    formula=["2 g (x - t) / n", "2 g (t - x) / n"],
)


rule(
    binary_cross_entropy_with_logits,
    lambda g, out, x, t, reduction="mean": _share(g, np.size(x), reduction) * (sigmoid(x) - t),
    lambda g, out, x, t, reduction="mean": _share(g, np.size(x), reduction) * -x,
    formula=["g (sigmoid x - t) / n", "-g x / n"],
)


LOSSES: dict[str, Callable[[Any, Any], Any]] = {
    "binary_cross_entropy": binary_cross_entropy_with_logits,
    "cross_entropy": cross_entropy,
    "mse": mse_loss,
}


def l1_penalty(parameters: Iterable[Any]) -> Any:
    """The sum of the parameters' absolute values: a term for the loss, that makes them sparse.

    Its derivative at 0 is 0. Tibshirani, "Regression shrinkage and selection via the lasso",
    Journal of the Royal Statistical Society B 58 (1996) 267.

    Parameters
    ----------
    parameters : iterable of Tensor or array

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
    """
    if not isinstance(parameters, Iterable):
        raise TypeError(f"parameters must be a list of Tensors or arrays, not {shown(parameters)}")
    terms = [np.sum(np.abs(p)) for p in parameters]
    if not terms:
        raise ValueError("there are no parameters to take the sum of")
    return sum(terms[1:], terms[0])
