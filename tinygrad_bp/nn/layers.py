"""Layers that are one operation: an affine map, rows of a table, dropout."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ..engine.arrays import as_array, asks, like, overridable
from ..engine.recording import is_recording
from ..engine.tensor import Tensor
from ..functional import linear
from ..functional.reducing import verify
from ..support.arguments import Seed, below_one, chance, either, flag, look_up, places, size
from ..support.warning import warn
from .initialization import INITIALIZATIONS, Initialization
from .module import Module


class Linear(Module):
    """The affine layer ``x @ weight.T + bias``.

    Parameters
    ----------
    in_features, out_features : int
        The lengths of the input and output rows. ``inputs`` and ``outputs`` are other names for
        them.
    bias : bool
        Whether to add a bias, which starts at zero.
    init : str or function
        How the weights are drawn: a name in `INITIALIZATIONS`, such as 'he' or 'xavier', or a
        function of a generator and of both lengths.
    seed : int or Generator, optional
        For `numpy.random.default_rng`: the same seed draws the same weights.
    dtype : dtype

    Attributes
    ----------
    weight : Tensor of shape (out_features, in_features)
    bias : Tensor of shape (out_features,), or None

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
    Linear(in_features=3, out_features=2)
    >>> layer(np.ones((5, 3))).shape
    (5, 2)
    """

    _joins = False

    def __init__(
        self,
        in_features: int | None = None,
        out_features: int | None = None,
        *,
        bias: bool = True,
        init: str | Initialization = "he",
        seed: Seed = None,
        dtype: Any = np.float64,
        inputs: int | None = None,
        outputs: int | None = None,
    ):
        if out_features is None and outputs is None:
            raise TypeError(f"Linear needs out_features: Linear({in_features}, out_features)")
        shape = (
            size(*either(out_features=out_features, outputs=outputs)),
            size(*either(in_features=in_features, inputs=inputs)),
        )
        draw = init if callable(init) else look_up(init, INITIALIZATIONS, "initialization")
        weight = draw(chance(seed), *reversed(shape))
        if np.shape(weight) != shape:
            raise ValueError(f"init must give weights of shape {shape}, not {np.shape(weight)}")
        if not np.isfinite(weight).all():
            raise ValueError("init gave weights that are not finite")
        self.weight = Tensor(weight, dtype=dtype, requires_grad=True)
        self.bias = None
        if flag(bias, "bias"):
            self.bias = Tensor(np.zeros(shape[0]), dtype=dtype, requires_grad=True)

    def forward(self, x: Any) -> Tensor:
        """``x @ weight.T + bias``, for rows ``x`` of shape (..., in_features).

        A warning says so if ``x`` is of a wider type, in which all that follows would compute.
        """
        out = linear(x, self.weight, self.bias)
        own, given = self.weight.dtype, getattr(x, "dtype", None)
        computed = isinstance(x, Tensor) and (x.rule or not is_recording())
        if out.dtype != own and given == out.dtype and not computed:
            warn(
                f"{self!r} holds {own}, and x is {given}, in which all that follows computes: "
                f"pass x.astype(np.{own})",
            )
        return out

    def __repr__(self) -> str:
        m, n = self.weight.shape
        bias = ", bias=False" if self.bias is None else ""
        return f"Linear(in_features={n}, out_features={m}{bias})"


class Embedding(Module):
    """A table with a trained row for each of the numbers 0 to count - 1, such as words.

    The gradient of a row is the sum over all places where it was read.

    Parameters
    ----------
    count : int
        How many rows there are.
    features : int
        The length of each row.
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
        indices = indices.data if isinstance(indices, Tensor) else as_array(indices)
        if indices.dtype.kind not in "iu":
            raise TypeError(f"{name} must be integers, not {indices.dtype}")
        check = partial(places, count=count, name=name)
        indices = check(indices) if asks(indices) else verify(indices, check)
        if isinstance(indices, np.ndarray | np.generic) or not isinstance(
            self.weight.data, np.ndarray
        ):
            return self.weight[indices]
        chosen = indices[..., np.newaxis] == like(np.arange(count), indices)
        return chosen.astype(self.weight.dtype) @ self.weight  # rows of another library's choice

    def __repr__(self) -> str:
        return f"Embedding({self.weight.shape[0]}, {self.weight.shape[1]})"


@overridable
def uniform(draws: Any, shape: tuple[int, ...]) -> Any:
    """Numbers from 0 to 1, the same for the same ``draws``."""
    return np.random.default_rng(draws).random(shape)


class Dropout(Module):
    """In training, each element is 0 with probability p, and else divided by 1 - p.

    So its mean over the draws is the element itself, and in evaluation mode, after `Module.eval`,
    x is returned as it is. Srivastava, Hinton, Krizhevsky, Sutskever and
    Salakhutdinov, "Dropout: a simple way to prevent neural networks from overfitting", Journal
    of Machine Learning Research 15 (2014) 1929.

    Parameters
    ----------
    p : float
        From 0 to less than 1.
    seed : int or Generator, optional
        For `numpy.random.default_rng`: the same seed drops the same elements.

    Attributes
    ----------
    draws : Tensor of 2 integers
        What the next mask is drawn from: a number that the seed gave, and how many masks there
        were. A buffer, saved with the state, so that a resumed training drops the same elements.
        PyTorch's dropout has none: load the state there with ``strict=False``.

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

    _joins = False

    def __init__(self, p: float = 0.5, *, seed: Seed = None):
        self.p = below_one(p, "p")
        key = chance(seed).integers(2**63)
        self.draws = Tensor(np.array([key, 0], np.uint64))

    def forward(self, x: Any) -> Any:
        """``x`` times a mask drawn anew, in training; else ``x``."""
        if not self.training or not self.p:
            return x
        x = x if hasattr(x, "dtype") else np.asarray(x)
        dtype, values = np.result_type(x.dtype, np.float16), getattr(x, "_array", x)
        if by_block := getattr(values, "map_blocks", None):  # each block draws its own
            draw = partial(self._mask_of_block, draws=self.draws.data, dtype=dtype)
            mask = by_block(draw, dtype=dtype)
        else:
            mask = like(self._mask(uniform(self.draws.data, x.shape), dtype), values)
        out = x * mask
        self.draws.data = self.draws.data + np.array([0, 1], np.uint64)
        return out

    def _mask(self, drawn: Any, dtype: Any) -> Any:
        """What each element is multiplied by, of numbers from 0 to 1."""
        return ((drawn >= self.p) / (1 - self.p)).astype(dtype)

    def _mask_of_block(
        self, x: Any, draws: Any, dtype: Any, block_id: tuple[int, ...] = ()
    ) -> np.ndarray:
        return self._mask(uniform(np.array([*draws, *block_id], np.uint64), x.shape), dtype)

    def __repr__(self) -> str:
        return f"Dropout(p={self.p})"
