"""Toy problems, drawn at random: classes in the plane, and curves.

Each function gives ``X, y``. For classes X has shape (n, 2) and y, of shape (n,), the integers from
0 on, as `functional.cross_entropy` takes them. For regression X has shape (n, features) and y has
shape (n, 1). ``noise`` is the standard deviation of the normal noise that is added; ``seed`` is for
`numpy.random.default_rng`: the same seed draws the same data.
"""

from __future__ import annotations

import math

import numpy as np

from ..support.answers import keyword_advice
from ..support.arguments import Seed, chance, finite_number, not_negative, size

Pair = tuple[np.ndarray, np.ndarray]


@keyword_advice
def xor(n: int = 200, *, noise: float = 0.2, seed: Seed = None) -> Pair:
    """Draw points around the corners (±1, ±1): class 1 where the signs differ.

    No straight line separates the classes. ``n=4, noise=0`` gives the four corners themselves.

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


@keyword_advice
def moons(n: int = 200, *, noise: float = 0.1, seed: Seed = None) -> Pair:
    """Draw two interleaving half circles of radius 1.

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


@keyword_advice
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


@keyword_advice
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


@keyword_advice
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


@keyword_advice
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


@keyword_advice
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


@keyword_advice
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
