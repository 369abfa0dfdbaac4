"""Rows to learn from: features, dense or sparse, with their targets and weights."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils import check_array, check_consistent_length

from .. import train
from ..nn import MLP, Module
from ..train.routing import has_blocks

FLOATS = (np.float64, np.float32)  # an X of either is used as it is; others become the first
CHUNK = 4096  # rows of a sparse matrix that are dense at once


@dataclass
class Rows:
    """Rows with their targets and weights; indexing gives some of the rows.

    Attributes
    ----------
    X : array or sparse matrix of shape (n, features)
    targets : array
    weights : array of shape (n,), or None if all count alike

    Examples
    --------
    >>> rows = Rows(np.eye(3), np.arange(3), None)
    >>> rows[1:].dense(slice(None))
    array([[0., 1., 0.],
           [0., 0., 1.]])
    """

    X: Any
    targets: Any
    weights: Any

    def __len__(self) -> int:
        return self.X.shape[0]

    def __getitem__(self, rows: Any) -> Rows:
        weights = None if self.weights is None else self.weights[rows]
        return Rows(self.X[rows], self.targets[rows], weights)

    def of_loss(self, rows: Any) -> tuple[Any, Any]:
        """The targets and the weights of some rows."""
        return self.targets[rows], None if self.weights is None else self.weights[rows]

    def dense(self, rows: Any) -> Any:
        """The features of some rows, as an array."""
        X = self.X[rows]
        return X if isinstance(X, np.ndarray) else X.toarray()

    @property
    def weight_sum(self) -> float:
        """What all rows weigh together."""
        return len(self) if self.weights is None else float(self.weights.sum())


class OfRows(Module):
    """A network that takes row numbers, and looks the rows up in a sparse matrix.

    Examples
    --------
    >>> from scipy.sparse import csr_matrix
    >>> network = MLP([3, 2], seed=0)
    >>> model = OfRows(network, Rows(csr_matrix(np.eye(3)), None, None))
    >>> bool((model(np.array([1])).data == network(np.eye(3)[[1]]).data).all())
    True
    >>> model.parameters()[0].name
    '0.weight'
    """

    def __init__(self, network: MLP, data: Rows):
        self.data, self.network = data, network

    def members(self) -> Iterable[tuple[str, Any]]:
        """The network's, so that its Tensors keep their names."""
        return self.network.members()

    def forward(self, rows: Any) -> Any:
        """What the network makes of these rows."""
        return self.network(self.data.dense(rows))


def outputs_of(network: MLP, X: Any) -> Any:
    """What the network makes of all rows, as an array.

    Examples
    --------
    >>> outputs_of(MLP([2, 3], seed=0), np.zeros((4, 2))).shape
    (4, 3)
    """
    if isinstance(X, np.ndarray) or has_blocks(X):
        return train.predict(network, X)
    return train.predict(OfRows(network, Rows(X, None, None)), np.arange(X.shape[0]))


def weighted_rows(X: Any, y: Any, weights: Any) -> tuple[Any, Any, Any]:
    """The rows that count, with their weights; None if all weigh 1.

    Examples
    --------
    >>> weighted_rows(np.eye(2), np.arange(2), [0.0, 3.0])
    (array([[0., 1.]]), array([1]), array([3.]))
    """
    if weights is None:
        return X, y, None
    weights = check_array(weights, ensure_2d=False, dtype=X.dtype, input_name="sample_weight")
    if weights.ndim != 1:
        raise ValueError(f"sample_weight must have shape (n,), not {weights.shape}")
    check_consistent_length(X, weights)
    if weights.min() < 0 or not weights.any():
        raise ValueError("sample_weight must have no number below zero and not be all zeros")
    if (weights == 1).all():
        return X, y, None
    rows = weights > 0
    return X[rows], y[rows], weights[rows]
