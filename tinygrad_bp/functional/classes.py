"""Cross-entropy: the loss of scores of several classes, of which one is right."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ..engine.arrays import like
from ..engine.registry import primitive, rule
from ..engine.rules.types import as_array, real
from ..support.arguments import places
from .reducing import (
    class_weights,
    reduce_losses,
    share_of_gradient,
    verify,
    weigh_losses,
    widen_halves,
)
from .softmaxes import _shift, softmax


@primitive
def cross_entropy(logits: Any, labels: Any, reduction: str = "mean", weight: Any = None) -> Any:
    """The negative log-probability that the softmax of ``logits`` gives to the right class.

    ``logsumexp(logits) - logits[label]``; its derivative is ``softmax(logits)`` less one at the
    label. Bishop, "Pattern Recognition and Machine Learning", Springer 2006, section 4.3.4.

    Parameters
    ----------
    logits : array of shape (n, c) or (c,)
        Scores of the c classes, of any size, for n examples or for one.
    labels : array of integers of shape (n,) or ()
        The right class of each example, from 0 to c - 1. Labels in another library's array are
        checked when they are computed; where they cannot be checked, the loss of a wrong one is
        infinite.
    reduction : {'mean', 'sum', 'none'}
    weight : array of shape (c,), optional
        The weight of an example of each class. The mean is then the sum of the weighted losses,
        divided by the sum of the weights.

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
    labels = verify(labels, _label_check(logits, labels))
    x = _shift(logits, -1)
    with np.errstate(under="ignore"):
        losses = np.log(np.exp(x).sum(axis=-1)) - _of_labels(x, labels)
    if weight is None:
        return reduce_losses(losses, reduction)
    return weigh_losses(losses, _of_rows(weight, labels, logits), reduction)


def _label_check(logits: Any, labels: Any) -> Any:
    """What looks at the values of labels that fit the logits in shape and type."""
    if logits.ndim not in (1, 2) or labels.shape != logits.shape[:-1]:
        raise ValueError(
            "logits of shape (n, c) need labels of shape (n,), one class number for each row; "
            f"logits have shape {logits.shape} and labels {labels.shape}{_cure(logits, labels)}"
        )
    if labels.dtype.kind not in "iu":
        hint = ": use labels.astype(int)" if labels.dtype.kind in "fb" else ""
        raise TypeError(f"labels must be integers, not {labels.dtype}{hint}")
    return partial(_check_labels, classes=logits.shape[-1])


def _cure(logits: Any, labels: Any) -> str:
    """How to make class numbers of labels that have another usual shape."""
    if labels.shape == (*logits.shape[:-1], 1):
        return ": use labels[:, 0]" if logits.ndim == 2 else ": use labels[0]"
    return ": use np.argmax(labels, axis=-1)" if labels.shape == logits.shape else ""


def _check_labels(labels: Any, classes: int) -> None:
    if classes == 1 and labels.any():
        raise ValueError("one logit is for binary_cross_entropy_with_logits: two classes need two")
    places(labels, classes, f"labels of {classes} classes")


def _is_label(labels: Any, logits: Any) -> Any:
    """For each of the logits, whether it belongs to the label of its row."""
    labels = like(as_array(labels), logits)
    return labels[..., np.newaxis] == like(np.arange(logits.shape[-1]), logits)


def _of_labels(x: Any, labels: Any) -> Any:
    """What each row of ``x`` has at its label; -infinity where there is no such place."""
    if type(x) is np.ndarray:  # a pair of indices is faster, and not every library takes one
        return x[np.arange(len(labels)), labels] if labels.ndim else x[labels]
    return np.max(np.where(_is_label(labels, x), x, -np.inf), axis=-1)


def _of_rows(weight: Any, labels: Any, logits: Any) -> Any:
    """The weight of each row's class."""
    weight = like(class_weights(weight, logits.shape[-1], logits.dtype), logits)
    return np.sum(np.where(_is_label(labels, logits), weight, 0), axis=-1)


@primitive
def softmax_error(logits: Any, labels: Any) -> Any:
    """The softmax of ``logits`` less one at each label: what `cross_entropy` sends back.

    Examples
    --------
    >>> softmax_error(np.array([[0.0, 0.0]]), np.array([1]))
    array([[ 0.5, -0.5]])
    """
    return softmax(logits) - _is_label(labels, logits)


def _cross_entropy_by_logits(
    g: Any, out: Any, logits: Any, labels: Any, reduction: str = "mean", weight: Any = None
) -> Any:
    """Each row's ``softmax - one at the label``, times what the row gets of ``g``."""
    if weight is None:
        each = share_of_gradient(g, labels, reduction)
    else:
        weights = widen_halves(_of_rows(weight, labels, logits))
        each = g * (weights / np.sum(weights) if reduction == "mean" else weights)
    column = reduction == "none" or weight is not None
    return (each[..., np.newaxis] if column else each) * softmax_error(logits, labels)


def _softmax_error_by_logits(g: Any, out: Any, logits: Any, labels: Any) -> Any:
    probabilities = softmax(logits)
    return probabilities * (g - (g * probabilities).sum(axis=-1, keepdims=True))


rule(
    cross_entropy,
    _cross_entropy_by_logits,
    None,
    formula=["g (softmax x - one at label) / n", "0"],
)


rule(softmax_error, _softmax_error_by_logits, None, formula=["p (g - Σ g p), p = softmax x", "0"])
