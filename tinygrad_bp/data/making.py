"""Data to learn from: toy problems, batches, splits and scales.

A toy problem gives ``X, y``. For classes X has shape (n, 2) and y, of shape (n,), the integers
from 0 on, as `functional.cross_entropy` takes them. For regression both are columns or wider:
X of shape (n, features), y of shape (n, 1). ``noise`` is the standard deviation of what is added;
``seed`` is for `numpy.random.default_rng`: the same seed draws the same data.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..support.arguments import (
    Seed,
    chance,
    finite_number,
    flag,
    not_negative,
    number,
    places,
    shown,
    size,
)

Pair = tuple[np.ndarray, np.ndarray]


# Toy problems


def xor(n: int = 200, *, noise: float = 0.2, seed: Seed = None) -> Pair:
    """Draw points around the corners (±1, ±1): class 1 where the signs differ.

    No straight line parts the classes. ``n=4, noise=0`` gives the four corners themselves.

    Examples
    --------
    >>> X, y = xor(4, noise=0)
    >>> X.tolist(), y.tolist()
    ([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]], [0, 1, 1, 0])
    """
    corner = np.arange(size(n, "n")) % 4
    first, second = corner // 2, corner % 2
    X = np.stack([2.0 * first - 1, 2.0 * second - 1], axis=1)
    return _noisy(X, noise, chance(seed)), first ^ second


def moons(n: int = 200, *, noise: float = 0.1, seed: Seed = None) -> Pair:
    """Draw two half circles of radius 1 that reach into each other.

    Examples
    --------
    >>> X, y = moons(100, seed=0)
    >>> X.shape, np.bincount(y).tolist()
    ((100, 2), [50, 50])
    """
    generator = chance(seed)
    y = np.arange(size(n, "n")) % 2
    angle = generator.uniform(0, math.pi, n)
    X = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    X = np.where(y[:, np.newaxis] == 0, X, [1.0, 0.5] - X)
    return _noisy(X, noise, generator), y


def circles(n: int = 200, *, noise: float = 0.05, inner: float = 0.5, seed: Seed = None) -> Pair:
    """Draw a circle of radius 1, class 0, around one of radius ``inner``, class 1.

    Examples
    --------
    >>> X, y = circles(4, noise=0, seed=0)
    >>> np.hypot(X[:, 0], X[:, 1]).round(6).tolist(), y.tolist()
    ([1.0, 0.5, 1.0, 0.5], [0, 1, 0, 1])
    """
    generator, inner = chance(seed), not_negative(inner, "inner")
    y = np.arange(size(n, "n")) % 2
    angle = generator.uniform(0, 2 * math.pi, n)
    radius = np.where(y == 0, 1.0, inner)
    X = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return _noisy(X, noise, generator), y


def spirals(
    n: int = 300, *, classes: int = 3, turns: float = 0.75, noise: float = 0.03, seed: Seed = None
) -> Pair:
    """Draw arms of a spiral, one to a class, that wind ``turns`` times from 0 to radius 1.

    Examples
    --------
    >>> X, y = spirals(90, classes=3, seed=0)
    >>> X.shape, np.bincount(y).tolist()
    ((90, 2), [30, 30, 30])
    """
    generator, classes = chance(seed), size(classes, "classes")
    y = np.arange(size(n, "n")) % classes
    radius = generator.uniform(0, 1, n)
    angle = 2 * math.pi * (finite_number(turns, "turns") * radius + y / classes)
    X = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return _noisy(X, noise, generator), y


def blobs(
    n: int = 300, *, classes: int = 3, features: int = 2, noise: float = 1.0, seed: Seed = None
) -> Pair:
    """Draw a normal cloud for each class, around a centre drawn from the cube from -5 to 5.

    X has shape (n, features).

    Examples
    --------
    >>> X, y = blobs(90, classes=3, features=4, seed=0)
    >>> X.shape, np.bincount(y).tolist()
    ((90, 4), [30, 30, 30])
    """
    generator, classes = chance(seed), size(classes, "classes")
    centres = generator.uniform(-5, 5, (classes, size(features, "features")))
    y = np.arange(size(n, "n")) % classes
    return _noisy(centres[y], noise, generator), y


def checkerboard(n: int = 400, *, squares: int = 4, noise: float = 0.0, seed: Seed = None) -> Pair:
    """Draw points of a board from -1 to 1, with classes by the colour of their square.

    The board has ``squares`` rows and columns.

    Examples
    --------
    >>> X, y = checkerboard(5, squares=1, seed=0)
    >>> y.tolist()
    [0, 0, 0, 0, 0]
    """
    generator, squares = chance(seed), size(squares, "squares")
    X = generator.uniform(-1, 1, (size(n, "n"), 2))
    place = np.floor((X + 1) / 2 * squares).astype(int)
    return _noisy(X, noise, generator), place.sum(axis=1) % 2


def sine(n: int = 100, *, noise: float = 0.1, seed: Seed = None) -> Pair:
    """Draw ``y = sin(π x)``, for x from -1 to 1: both of shape (n, 1).

    Examples
    --------
    >>> X, y = sine(50, noise=0, seed=0)
    >>> X.shape, y.shape, bool(np.allclose(y, np.sin(np.pi * X)))
    ((50, 1), (50, 1), True)
    """
    generator = chance(seed)
    X = generator.uniform(-1, 1, (size(n, "n"), 1))
    return X, _noisy(np.sin(math.pi * X), noise, generator)


def linear(n: int = 100, *, features: int = 1, noise: float = 0.1, seed: Seed = None) -> Pair:
    """Draw ``y = X w + b``, with normal w and b: X of shape (n, features), y of shape (n, 1).

    Examples
    --------
    >>> X, y = linear(50, features=3, seed=0)
    >>> X.shape, y.shape
    ((50, 3), (50, 1))
    """
    generator = chance(seed)
    X = generator.uniform(-1, 1, (size(n, "n"), size(features, "features")))
    weights, bias = generator.normal(size=(features, 1)), generator.normal()
    return X, _noisy(X @ weights + bias, noise, generator)


def _noisy(values: np.ndarray, noise: float, generator: np.random.Generator) -> np.ndarray:
    return values + generator.normal(0, not_negative(noise, "noise"), values.shape)


# Batches and splits


def batches(
    X: Any, y: Any, batch_size: int, *, shuffle: bool = True, seed: Seed = None
) -> Iterator[tuple[Any, Any]]:
    """Go once through all rows of X and y, so many at a time; the last batch may be smaller.

    Parameters
    ----------
    X, y : arrays with the same number of rows
    batch_size : int
    shuffle : bool
        Go in an order drawn at random, not as they stand.
    seed : int or Generator, optional
        Of that order. Pass a Generator to have another order in each epoch.

    Returns
    -------
    iterator
        Of ``X[rows], y[rows]``.

    Raises
    ------
    ValueError
        At once, if the numbers of rows differ or are 0, a number is nan or infinite, or
        ``batch_size`` is less than 1.

    Examples
    --------
    >>> [b.tolist() for _, b in batches(np.zeros((5, 2)), np.arange(5), 2, shuffle=False)]
    [[0, 1], [2, 3], [4]]
    """
    X, y = _checked(X, y)
    n, batch_size, generator = len(X), size(batch_size, "batch_size"), chance(seed)
    parts = row_numbers(n, batch_size, generator if flag(shuffle, "shuffle") else None)
    return ((X[part], y[part]) for part in parts)


def row_numbers(
    n: int, batch_size: int, generator: np.random.Generator | None = None
) -> Iterator[Any]:
    """The rows of each batch: slices, or with a generator arrays of integers in random order.

    Examples
    --------
    >>> list(row_numbers(5, 3))
    [slice(0, 3, None), slice(3, 6, None)]
    """
    parts = [slice(start, start + batch_size) for start in range(0, n, batch_size)]
    order = generator.permutation(n) if generator else None
    return (part if order is None else order[part] for part in parts)


def as_rows(x: Any, name: str) -> Any:
    """``x`` as something that is indexed by row numbers, which a table of pandas is not.

    Examples
    --------
    >>> as_rows([[1, 2]], "X").shape
    (1, 2)
    """
    try:
        return x if hasattr(x, "__array_function__") else np.asarray(x)
    except ValueError:
        raise ValueError(f"{name} must have rows of one length, not {shown(x)}") from None


def rows(X: Any, y: Any) -> int:
    """How many rows X and y both have.

    Examples
    --------
    >>> rows(np.zeros((3, 2)), np.zeros(2))
    Traceback (most recent call last):
        ...
    ValueError: X has 3 rows and y 2: each row of X needs its own of y
    """
    for array, name in ((X, "X"), (y, "y")):
        if not array.shape:
            raise TypeError(f"{name} must be an array with rows, not {shown(array)}")
    if X.shape[0] != y.shape[0]:
        raise ValueError(
            f"X has {X.shape[0]} rows and y {y.shape[0]}: each row of X needs its own of y"
        )
    if not X.size:
        raise ValueError(f"X is empty: it has shape {X.shape}")
    return X.shape[0]


def _checked(X: Any, y: Any) -> tuple[Any, Any]:
    """As many rows of X as of y, of any type; what floats are among them is finite."""
    X, y = as_rows(X, "X"), as_rows(y, "y")
    rows(X, y)
    for array, name in ((X, "X"), (y, "y")):
        if array.dtype.kind == "f":
            finite(array, name)
    return X, y


def train_test_split(
    X: Any, y: Any, test_size: float = 0.25, *, seed: Seed = None
) -> tuple[Any, Any, Any, Any]:
    """Part the rows at random into those to learn from and those to judge by.

    Parameters
    ----------
    X, y : arrays with the same number of rows
    test_size : float or int
        The share of rows to judge by, between 0 and 1, rounded up; or their number.
    seed : int or Generator, optional

    Returns
    -------
    tuple
        ``X_train, X_test, y_train, y_test``

    Raises
    ------
    ValueError
        If one of the parts would be empty, the numbers of rows differ, or a number is nan or
        infinite.

    Examples
    --------
    >>> X_train, X_test, y_train, y_test = train_test_split(np.eye(8), np.arange(8), seed=0)
    >>> X_train.shape, y_test.shape
    ((6, 8), (2,))
    """
    X, y = _checked(X, y)
    n, share = len(X), number(test_size, "test_size")
    if isinstance(test_size, int | np.integer):
        count = int(test_size)
    else:
        count = math.ceil(n * share) if 0 < share < 1 else 0
    if not 0 < count < n:
        raise ValueError(
            f"test_size={test_size} of {n} rows must leave rows on both sides: "
            f"a share between 0 and 1, or a number of rows from 1 to {n - 1}"
        )
    order = chance(seed).permutation(n)
    test, train = order[:count], order[count:]
    return X[train], X[test], y[train], y[test]


# Scales and codes


class Standardize:
    """Each feature less its mean, divided by its standard deviation, both of the training data.

    A feature that is constant, to rounding, is only moved to 0.

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
        """Rows on the new scale."""
        return (self._fitting(X) - self.mean) / self.deviation

    def inverse(self, Z: Any) -> Any:
        """Rows from the new scale back on the old."""
        return self._fitting(Z) * self.deviation + self.mean

    def _fitting(self, X: Any) -> Any:
        X = as_rows(X, "X")
        X = finite(X, "X") if X.size else X
        if not X.ndim or X.shape[1:] != self.mean.shape:
            raise ValueError(
                f"these rows were scaled to shape {self.mean.shape} each, "
                f"and do not fit an array of shape {X.shape}"
            )
        return X


def finite(X: Any, name: str) -> Any:
    """``X`` as an array, which must have rows of real numbers, none of them nan or infinite.

    Examples
    --------
    >>> finite([[1.0, float("nan")]], "X")
    Traceback (most recent call last):
        ...
    ValueError: X must be finite, and X[0, 1] is nan
    """
    X = as_rows(X, name)
    if X.dtype.kind not in "biuf":
        hint = ": number labels by np.unique(y, return_inverse=True)" * (X.dtype.kind in "OUS")
        raise TypeError(f"{name} must hold real numbers, not {X.dtype}{hint * (name == 'y')}")
    if not X.ndim or not X.size:
        raise ValueError(f"{name} must have rows, and it has shape {X.shape}")
    if X.dtype.kind == "f" and not np.isfinite(X).all():
        place = tuple(np.argwhere(~np.isfinite(X))[0].tolist())
        raise ValueError(f"{name} must be finite, and {name}{list(place)} is {X[place]}")
    return X


def one_hot(labels: Any, classes: int | None = None, *, dtype: Any = np.float64) -> np.ndarray:
    """Rows of zeros with a one at each label.

    Parameters
    ----------
    labels : array of integers of any shape
    classes : int, optional
        How many there are; if not given, as many as the largest label needs.
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
