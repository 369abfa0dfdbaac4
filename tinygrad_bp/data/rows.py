"""What data must be: arrays with as many rows of X as of y, of finite numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine.tensor import Tensor
from ..support.arguments import shown


def as_rows(x: Any, name: str) -> Any:
    """``x`` as something that is indexed by row numbers, which a table of pandas is not.

    Examples
    --------
    >>> as_rows([[1, 2]], "X").shape
    (1, 2)
    """
    try:
        array = x if hasattr(x, "__array_function__") else np.asarray(x)
        if array.dtype.kind == "O" and hasattr(x, "iloc") and not _without_numbers(x):
            return x.to_numpy(float, na_value=np.nan)  # columns of several kinds of numbers
        return array
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


def _both_as_rows(X: Any, y: Any) -> tuple[Any, Any]:
    """Both as rows, as many of X as of y; floating numbers must be finite."""
    X, y = as_rows(X, "X"), as_rows(y, "y")
    rows(X, y)
    for array, name in ((X, "X"), (y, "y")):
        if array.dtype.kind == "f":
            finite(array, name)
    return X, y


def finite(X: Any, name: str) -> Any:
    """``X`` as an array, which must have rows of real numbers, none of them nan or infinite.

    Examples
    --------
    >>> finite([[1.0, float("nan")]], "X")
    Traceback (most recent call last):
        ...
    ValueError: X must be finite, and X[0, 1] is nan
    """
    table, X = X, X.data if isinstance(X, Tensor) else as_rows(X, name)
    if X.dtype.kind not in "biuf":
        _refuse_text(table, name)
        if table is None:
            raise TypeError(f"{name} must be an array with rows, not None")
        labels = name == "y" and X.dtype.kind in "OUS"
        hint = ": number labels by np.unique(y, return_inverse=True)" if labels else ""
        raise TypeError(f"{name} must hold real numbers, not {X.dtype}{hint}")
    if not X.ndim or not X.size:
        raise ValueError(f"{name} must have rows, and it has shape {X.shape}")
    if X.dtype.kind == "f" and not np.isfinite(X).all():
        place = tuple(np.argwhere(~np.isfinite(X))[0].tolist())
        column = f" (column {table.columns[place[1]]!r})" if hasattr(table, "columns") else ""
        raise ValueError(f"{name} must be finite, and {name}{list(place)} is {X[place]}{column}")
    return X


def _refuse_text(table: Any, name: str) -> None:
    """Name the columns of a table of pandas that hold no numbers, if it is one."""
    if hasattr(table, "columns"):
        first, *more = _without_numbers(table)
        others = f" (nor do {', '.join(map(repr, more[:3]))})" if more else ""
        raise TypeError(
            f"{name} must hold real numbers, and its column {first!r} does not{others}: it begins "
            f"with {shown(table[first].iloc[0])}; leave it out, or code it as by pandas.get_dummies"
        )


def _without_numbers(table: Any) -> list[Any]:
    """The columns of a table, or of one that stands alone, that hold no numbers."""
    columns = table.dtypes.items() if hasattr(table, "columns") else [(table.name, table.dtype)]
    return [name for name, kind in columns if getattr(kind, "kind", "O") not in "biuf"]
