"""Layers that shift and scale what comes to mean 0 and variance 1."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine.arrays import of_kind
from ..engine.tensor import Tensor
from ..support.arguments import positive, size
from .module import Module


class BatchNorm(Module):
    """Each feature, less its mean over the batch, divided by its deviation; then scaled anew.

    In training, with the mean and the variance over the n rows of the batch::

        y = (x - mean) / √(variance + epsilon) * weight + bias

        running_mean = (1 - momentum) * running_mean + momentum * mean
        running_var  = (1 - momentum) * running_var  + momentum * variance * n / (n - 1)

    In use, after `Module.eval`, the running statistics take the place of the batch's, so a row
    no longer depends on the others. They are buffers: saved with the state, not trained.

    Ioffe and Szegedy, "Batch normalization: accelerating deep network training by reducing
    internal covariate shift", ICML 2015.

    Parameters
    ----------
    features : int
        The length of the rows.
    momentum : float
        The weight of the newest batch in the running statistics; more than 0, at most 1.
    epsilon : float
        What keeps the division finite for a constant feature.
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
    ):
        features = size(features, "features")
        self.momentum = positive(momentum, "momentum")
        if self.momentum > 1:
            raise ValueError(f"momentum must be at most 1, not {momentum}")
        self.epsilon = positive(epsilon, "epsilon")
        self.weight = Tensor(np.ones(features), dtype=dtype, requires_grad=True)
        self.bias = Tensor(np.zeros(features), dtype=dtype, requires_grad=True)
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
            deviation = np.sqrt(self.running_var + self.epsilon)
            return (x - self.running_mean) / deviation * self.weight + self.bias
        if len(x) < 2:
            raise ValueError(
                f"{self!r} needs at least 2 rows in training, not {len(x)}: "
                "take larger batches, or call model.eval() to use the model"
            )
        mean = np.mean(x, axis=0)
        centred = x - mean
        variance = np.mean(centred * centred, axis=0)
        out = centred / np.sqrt(variance + self.epsilon) * self.weight + self.bias
        self._remember(mean, variance, len(x))
        return out

    def _remember(self, mean: Any, variance: Any, n: int) -> None:
        """Move the running statistics towards those of a batch, the variance without bias.

        A batch with nan or infinity in it shows in what comes out, and is not remembered.
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

    def __repr__(self) -> str:
        return f"BatchNorm({self.weight.size})"


class LayerNorm(Module):
    """Each row, less its mean, divided by its deviation; then every feature scaled anew.

    With the mean and the variance over the features of a row::

        y = (x - mean) / √(variance + epsilon) * weight + bias

    A row does not depend on the others, so training and use are the same. Ba, Kiros and Hinton,
    "Layer normalization", arXiv:1607.06450 (2016).

    Parameters
    ----------
    features : int
        The length of the rows.
    epsilon : float
        What keeps the division finite for a constant row.
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

    def __init__(self, features: int, *, epsilon: float = 1e-5, dtype: Any = np.float64):
        features = size(features, "features")
        self.epsilon = positive(epsilon, "epsilon")
        self.weight = Tensor(np.ones(features), dtype=dtype, requires_grad=True)
        self.bias = Tensor(np.zeros(features), dtype=dtype, requires_grad=True)

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
        return centred / np.sqrt(variance + self.epsilon) * self.weight + self.bias

    def __repr__(self) -> str:
        return f"LayerNorm({self.weight.size})"
