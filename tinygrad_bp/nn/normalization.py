"""Layers that shift and scale their input to mean 0 and variance 1."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine.arrays import of_kind
from ..engine.tensor import Tensor
from ..support.arguments import either, positive, size
from .module import Module


class Normalization(Module):
    """What the layers share: a number that keeps the division finite, and a new scale and shift."""

    def __init__(self, features: int, epsilon: float, eps: float | None, dtype: Any):
        features = size(features, "features")
        self.epsilon = positive(*either(epsilon=epsilon, eps=eps))
        self.weight = Tensor(np.ones(features), dtype=dtype, requires_grad=True)
        self.bias = Tensor(np.zeros(features), dtype=dtype, requires_grad=True)

    def _rescale(self, centred: Any, variance: Any) -> Tensor:
        """Divide what has mean 0 by its deviation; then scale and shift every feature."""
        return centred / np.sqrt(variance + self.epsilon) * self.weight + self.bias

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.weight.size})"


class BatchNorm(Normalization):
    """Normalise each feature by its mean and deviation over the batch; then scale and shift it.

    In training, with the mean and the variance over the n rows of the batch::

        y = (x - mean) / √(variance + epsilon) * weight + bias

        running_mean = (1 - momentum) * running_mean + momentum * mean
        running_var  = (1 - momentum) * running_var  + momentum * variance * n / (n - 1)

    In evaluation mode, after `Module.eval`, the running statistics take the place of the
    batch's, so a row no longer depends on the others. They are buffers: saved with the state,
    not trained.

    Ioffe and Szegedy, "Batch normalization: accelerating deep network training by reducing
    internal covariate shift", ICML 2015.

    Parameters
    ----------
    features : int
        The length of the rows.
    momentum : float
        The weight of the newest batch in the running statistics; more than 0, at most 1.
    epsilon : float
        What keeps the division finite for a constant feature. ``eps`` is another name for it.
    dtype : dtype

    Attributes
    ----------
    weight, bias : Tensor of shape (features,)
        They start at one and at zero.
    running_mean, running_var : Tensor of shape (features,)
        They start at zero and at one.

    Raises
    ------
    ValueError
        If ``features`` is less than 1, or a number out of range.
    TypeError
        If ``features`` is not an integer, or ``dtype`` not real and floating.

    Examples
    --------
    >>> layer = BatchNorm(2)
    >>> layer(np.array([[0.0, 5.0], [2.0, 7.0]])).data.round(3)
    array([[-1., -1.],
           [ 1.,  1.]])
    >>> layer.running_mean.data.tolist()
    [0.1, 0.6000000000000001]
    """

    def __init__(
        self,
        features: int,
        *,
        momentum: float = 0.1,
        epsilon: float = 1e-5,
        dtype: Any = np.float64,
        eps: float | None = None,
    ):
        super().__init__(features, epsilon, eps, dtype)
        self.momentum = positive(momentum, "momentum")
        if self.momentum > 1:
            raise ValueError(f"momentum must be at most 1, not {momentum}")
        self.running_mean = Tensor(np.zeros(features), dtype=dtype)
        self.running_var = Tensor(np.ones(features), dtype=dtype)

    def forward(self, x: Any) -> Tensor:
        """Normalise the columns of ``x``, of shape (n, features).

        Raises
        ------
        ValueError
            If ``x`` has another shape, or in training less than two rows.
        """
        x = x if hasattr(x, "shape") else np.asarray(x)
        if x.ndim != 2 or x.shape[1] != self.weight.size:
            raise ValueError(f"{self!r} takes x of shape (n, {self.weight.size}), not {x.shape}")
        if not self.training:
            return self._rescale(x - self.running_mean, self.running_var)
        if len(x) < 2:
            raise ValueError(
                f"{self!r} needs at least 2 rows in training, not {len(x)}: "
                "take larger batches, or call model.eval() to use the model"
            )
        mean = np.mean(x, axis=0)
        centred = x - mean
        variance = np.mean(centred * centred, axis=0)
        out = self._rescale(centred, variance)
        self._remember(mean, variance, len(x))
        return out

    def _remember(self, mean: Any, variance: Any, n: int) -> None:
        """Move the running statistics towards those of a batch, the variance without bias.

        Those of a batch with nan or infinity in it are left out.
        """
        found = []
        for running, new, scale in (
            (self.running_mean, mean, 1.0),
            (self.running_var, variance, n / (n - 1)),
        ):
            new = new.data if isinstance(new, Tensor) else new
            moved = (1 - self.momentum) * running.data + self.momentum * scale * new
            found.append(np.where(np.all(np.isfinite(new)), moved, running.data))
        statistics = [self.running_mean, self.running_var]
        kept = of_kind(found, [running.data for running in statistics])
        for running, new in zip(statistics, kept, strict=True):
            running.data = new


class LayerNorm(Normalization):
    """Normalise each row by its own mean and deviation; then scale and shift each feature.

    With the mean and the variance over the features of a row::

        y = (x - mean) / √(variance + epsilon) * weight + bias

    A row does not depend on the others, so training and evaluation mode are the same. Ba, Kiros
    and Hinton, "Layer normalization", arXiv:1607.06450 (2016).

    Parameters
    ----------
    features : int
        The length of the rows.
    epsilon : float
        What keeps the division finite for a constant row. ``eps`` is another name for it.
    dtype : dtype

    Attributes
    ----------
    weight, bias : Tensor of shape (features,)
        They start at one and at zero.

    Raises
    ------
    ValueError
        If ``features`` is less than 1, or ``epsilon`` is not positive.
    TypeError
        If ``features`` is not an integer, or ``dtype`` not real and floating.

    Examples
    --------
    >>> LayerNorm(2)(np.array([[0.0, 2.0], [5.0, 7.0]])).data.round(3)
    array([[-1.,  1.],
           [-1.,  1.]])
    """

    def __init__(
        self,
        features: int,
        *,
        epsilon: float = 1e-5,
        dtype: Any = np.float64,
        eps: float | None = None,
    ):
        super().__init__(features, epsilon, eps, dtype)

    def forward(self, x: Any) -> Tensor:
        """Normalise the rows of ``x``, of shape (..., features).

        Raises
        ------
        ValueError
            If ``x`` has another last axis.
        """
        x = x if hasattr(x, "shape") else np.asarray(x)
        if x.shape[-1:] != self.weight.shape:
            raise ValueError(f"{self!r} takes x of shape (..., {self.weight.size}), not {x.shape}")
        centred = x - np.mean(x, axis=-1, keepdims=True)
        variance = np.mean(centred * centred, axis=-1, keepdims=True)
        return self._rescale(centred, variance)
