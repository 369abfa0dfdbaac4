"""Layers that are one operation: an affine map, rows of a table, dropout."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ..engine.arrays import as_array, like
from ..engine.tensor import Tensor
from ..functional import linear
from ..functional.reducing import verified
from ..support.arguments import Seed, below_one, chance, flag, look_up, places, size
from .initialization import INITIALIZATIONS, Initialization
from .module import Module


class Linear(Module):
    """The affine layer ``x @ weight.T + bias``.

    Parameters
    ----------
    inputs, outputs : int
        The lengths of the rows that come and go.
    bias : bool
        Whether to add a bias, which starts at zero.
    init : str or function
        How the weights are drawn: a name in `INITIALIZATIONS`, such as 'he' or 'xavier', or a
        function of a generator, the inputs and the outputs.
    seed : int or Generator, optional
        For `numpy.random.default_rng`: the same seed draws the same weights.
    dtype : dtype

    Attributes
    ----------
    weight : Tensor of shape (outputs, inputs)
    bias : Tensor of shape (outputs,), or None

    Raises
    ------
    ValueError
        If a size is less than 1, or ``init`` is unknown or gives another shape.
    TypeError
        If a size is not an integer, or ``dtype`` not real and floating.

    Examples
    --------
    >>> layer = Linear(3, 2, seed=0)
    >>> layer
    Linear(3, 2)
    >>> layer(np.ones((5, 3))).shape
    (5, 2)
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        bias: bool = True,
        init: str | Initialization = "he",
        seed: Seed = None,
        dtype: Any = np.float64,
    ):
        inputs, outputs = size(inputs, "inputs"), size(outputs, "outputs")
        draw = init if callable(init) else look_up(init, INITIALIZATIONS, "initialization")
        weight = draw(chance(seed), inputs, outputs)
        if np.shape(weight) != (outputs, inputs):
            raise ValueError(
                f"init must give weights of shape {(outputs, inputs)}, not {np.shape(weight)}"
            )
        if not np.isfinite(weight).all():
            raise ValueError("init gave weights that are not finite")
        self.weight = Tensor(weight, dtype=dtype, requires_grad=True)
        self.bias = None
        if flag(bias, "bias"):
            self.bias = Tensor(np.zeros(outputs), dtype=dtype, requires_grad=True)

    def forward(self, x: Any) -> Tensor:
        """``x @ weight.T + bias``, for rows ``x`` of shape (..., inputs)."""
        return linear(x, self.weight, self.bias)

    def __repr__(self) -> str:
        outputs, inputs = self.weight.shape
        return f"Linear({inputs}, {outputs}{', bias=False' if self.bias is None else ''})"


class Embedding(Module):
    """A table with a trained row for each of the numbers 0 to count - 1, such as words.

    The gradient of a row is the sum of those of all the places that it was read to.

    Parameters
    ----------
    count : int
        How many rows there are.
    features : int
        The length of each.
    seed : int or Generator, optional
        For `numpy.random.default_rng`: the rows start as standard normal numbers.
    dtype : dtype

    Attributes
    ----------
    weight : Tensor of shape (count, features)

    Raises
    ------
    ValueError
        If a size is less than 1.
    TypeError
        If a size is not an integer, or ``dtype`` not real and floating.

    Examples
    --------
    >>> table = Embedding(10, 4, seed=0)
    >>> table(np.array([[3, 1, 3]])).shape
    (1, 3, 4)
    """

    def __init__(self, count: int, features: int, *, seed: Seed = None, dtype: Any = np.float64):
        shape = size(count, "count"), size(features, "features")
        rows = chance(seed).normal(size=shape)
        self.weight = Tensor(rows, dtype=dtype, requires_grad=True)

    def forward(self, indices: Any) -> Tensor:
        """The rows ``weight[indices]``, of shape (..., features) for integers of shape (...).

        Raises
        ------
        TypeError
            If the indices are not integers.
        ValueError
            If one is negative, or not less than the number of rows.
        """
        count, name = len(self.weight), f"indices of {self!r}"
        indices = verified(as_array(indices), partial(places, count=count, name=name))
        if indices.dtype.kind not in "iu":
            raise TypeError(f"{name} must be integers, not {indices.dtype}")
        if isinstance(indices, np.ndarray | np.generic) or not isinstance(
            self.weight.data, np.ndarray
        ):
            return self.weight[indices]
        chosen = indices[..., np.newaxis] == like(np.arange(count), indices)
        return chosen.astype(self.weight.dtype) @ self.weight  # rows of another library's choice

    def __repr__(self) -> str:
        return f"Embedding({self.weight.shape[0]}, {self.weight.shape[1]})"


class Dropout(Module):
    """In training, each element is 0 with probability p, and else divided by 1 - p.

    So its mean over the draws is the element itself, and in use nothing has to be done: after
    `Module.eval`, x is returned as it is. Srivastava, Hinton, Krizhevsky, Sutskever and
    Salakhutdinov, "Dropout: a simple way to prevent neural networks from overfitting", Journal
    of Machine Learning Research 15 (2014) 1929.

    Parameters
    ----------
    p : float
        From 0 to less than 1.
    seed : int or Generator, optional
        For `numpy.random.default_rng`: the same seed drops the same.

    Attributes
    ----------
    draws : Tensor of 2 integers
        What the next mask is drawn from: a number that the seed gave, and how many masks there
        were. A buffer, saved with the state, so that a training that was saved drops what it
        would have dropped. PyTorch's dropout has none: ``load_state_dict(state, strict=False)``.

    Raises
    ------
    ValueError
        If p is not in its range.

    Examples
    --------
    >>> dropout = Dropout(0.5, seed=0)
    >>> dropout(np.ones(6))
    array([0., 2., 0., 2., 0., 2.])
    """

    def __init__(self, p: float = 0.5, *, seed: Seed = None):
        self.p = below_one(p, "p")
        key = chance(seed).integers(2**63)
        self.draws = Tensor(np.array([key, 0], np.uint64))

    def forward(self, x: Any) -> Any:
        """``x`` times a mask drawn anew, in training; else ``x``."""
        if not self.training or not self.p:
            return x
        x = x if hasattr(x, "dtype") else np.asarray(x)
        dtype = np.result_type(x.dtype, np.float16)
        draw = partial(self._mask, key=tuple(self.draws.data.tolist()), dtype=dtype)
        values = getattr(x, "_array", x)
        by_block = getattr(values, "map_blocks", None)  # each block draws its own
        out = x * (by_block(draw, dtype=dtype) if by_block else like(draw(values), values))
        self.draws.data = self.draws.data + np.array([0, 1], np.uint64)
        return out

    def _mask(
        self, x: Any, key: tuple[int, ...], dtype: Any, block_id: tuple[int, ...] = ()
    ) -> np.ndarray:
        """What each element of an array, or of one of its blocks, is multiplied by."""
        kept = np.random.default_rng((*key, *block_id)).random(x.shape) >= self.p
        return (kept / (1 - self.p)).astype(dtype)

    def __repr__(self) -> str:
        return f"Dropout({self.p})"
