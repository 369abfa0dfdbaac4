"""The length of several arrays taken together as one vector, without overflow or underflow."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..engine.arrays import asks


def euclidean_norm(arrays: Sequence[Any]) -> Any:
    """The root of the sum of all squares: of NumPy's arrays a number, else an array of their kind.

    Examples
    --------
    >>> euclidean_norm([np.array([0.0, 2e200])])
    2e+200
    """
    wide = [g.astype(np.float32) if g.dtype == np.float16 else g for g in arrays if g.size]
    if not wide:
        return 0.0
    square = _sum_of_squares(wide)
    if not (isinstance(square, np.floating) or asks(square)):  # lazy: its value cannot be asked
        in_range = (square > 1e-30) & (square < np.inf)
        return np.where(in_range, np.sqrt(square), _norm_by_largest(wide))
    norm = np.sqrt(square) if 1e-30 < square < np.inf else _norm_by_largest(wide)
    return float(norm) if isinstance(norm, np.floating) else norm


def _norm_by_largest(arrays: Sequence[Any]) -> Any:
    """The norm, from elements divided by the largest, whose squares are neither 0 nor infinite."""
    largest = functools.reduce(np.maximum, [np.max(np.abs(g)) for g in arrays]).astype(np.float64)
    unit = np.where((largest > 0) & (largest < np.inf), largest, 1.0)
    return unit * np.sqrt(_sum_of_squares([g.astype(np.float64) / unit for g in arrays]))


def _sum_of_squares(arrays: Sequence[Any]) -> Any:
    return sum(np.vdot(g, g).astype(np.float64) for g in arrays)
