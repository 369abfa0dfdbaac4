"""Scales and codes: features of mean 0 and deviation 1, labels as rows of zeros and a one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..engine.tensor import Tensor
from ..support.answers import keyword_advice, no_attribute
from ..support.arguments import places, size
from .rows import as_rows, finite


class Standardize:
    """Shift and scale each feature to mean 0 and standard deviation 1 on the training data.

    A feature that is constant, up to rounding, is only shifted to 0.

    Parameters
    ----------
    X : array of shape (n, ...)
        The training data: means and deviations are taken over its rows.

    Attributes
    ----------
    mean, deviation : arrays of the shape of a row

    Raises
    ------
    TypeError
        If X is not an array of real numbers.
    ValueError
        If it is empty or holds a number that is not finite.

    Examples
    --------
    >>> X = np.array([[1.0, 5.0], [3.0, 5.0]])
    >>> standardize = Standardize(X)
    >>> standardize(X).tolist()
    [[-1.0, 0.0], [1.0, 0.0]]
    >>> standardize.inverse([[0.0, 0.0]]).tolist()
    [[2.0, 5.0]]
    """

    if not TYPE_CHECKING:  # which knows the names that are there

        def __getattr__(self, name: str) -> Any:
            raise no_attribute("Standardize", name, self)

    def __init__(self, X: Any):
        X = finite(X, "X")
        X = X if X.dtype.kind == "f" else X.astype(float)
        with np.errstate(over="ignore", invalid="ignore"):
            self.mean, deviation = X.mean(axis=0), X.std(axis=0)
        if not np.isfinite(deviation).all():
            raise ValueError(f"X is too large for {X.dtype}: its standard deviation overflows")
        rounding = 10 * np.finfo(deviation.dtype).eps * np.abs(X).max(axis=0)
        self.deviation = np.where(deviation > rounding, deviation, 1).astype(deviation.dtype)

    def __call__(self, X: Any) -> Any:
        """Return the rows on the new scale."""
        return (self._check_rows(X) - self.mean) / self.deviation

    def inverse(self, Z: Any) -> Any:
        """Return rows of the new scale on the old one."""
        return self._check_rows(Z) * self.deviation + self.mean

    def _check_rows(self, X: Any) -> Any:
        X = as_rows(X, "X")
        X = X if not X.size or isinstance(X, Tensor) else finite(X, "X")
        if not X.ndim or X.shape[1:] != self.mean.shape:
            raise ValueError(
                f"these rows were scaled to shape {self.mean.shape} each, "
                f"and do not fit an array of shape {X.shape}"
                f"{': one row alone is X[np.newaxis]' if X.shape == self.mean.shape else ''}"
            )
        return X


@keyword_advice
def one_hot(labels: Any, classes: int | None = None, *, dtype: Any = np.float64) -> np.ndarray:
    """Rows of zeros with a one at each label.

    Parameters
    ----------
    labels : array of integers of any shape
    classes : int, optional
        The number of classes; by default as many as the largest label needs.
    dtype : dtype

    Returns
    -------
    array of the shape of ``labels`` and one more axis, of length ``classes``

    Raises
    ------
    TypeError
        If the labels are not integers.
    ValueError
        If there are none, or one is negative or not below ``classes``.

    Examples
    --------
    >>> one_hot([0, 2]).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    labels = np.asarray(as_rows(labels, "labels"))
    if not labels.size:
        raise ValueError("there are no labels")
    if classes is not None:
        count = size(classes, "classes")
    else:
        count = max(int(labels.max()), 0) + 1 if labels.dtype.kind in "iu" else 1
    labels = places(labels, count, "labels")
    ones = np.zeros((*labels.shape, count), dtype)
    np.put_along_axis(ones, labels[..., np.newaxis], 1, axis=-1)
    return ones
