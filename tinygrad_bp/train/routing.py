"""`fit` and `predict` as the package offers them: data of Dask's go to those over blocks."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from ..support.answers import check_keywords
from . import fitting, predicting

P = ParamSpec("P")
R = TypeVar("R")


def has_blocks(x: Any) -> bool:
    """Whether this is data of Dask's, or holds some, to be gone through block by block.

    Examples
    --------
    >>> import numpy as np
    >>> has_blocks(np.zeros(3))
    False
    >>> import dask.array as da
    >>> has_blocks(da.zeros(3))
    True
    """
    graph = getattr(x, "__dask_graph__", None) or getattr(
        getattr(x, "_array", None), "__dask_graph__", None
    )
    return graph is not None and graph() is not None  # an xarray of NumPy's has one that is None


def over_blocks(function: Callable[P, R]) -> Callable[P, R]:
    """The function, which given data of Dask's is the one of `blocks` with ``_blocks`` added.

    Examples
    --------
    >>> over_blocks(fitting.fit).__name__
    'fit'
    """

    @functools.wraps(function)
    def chosen(*inputs: P.args, **keywords: P.kwargs) -> R:
        data = (*inputs[1:3], keywords.get("X"), keywords.get("y"))
        if not any(map(has_blocks, data)):
            return function(*inputs, **keywords)
        check_keywords(function, keywords, function.__name__)
        from . import blocks  # it needs Dask, which is there with such data

        return getattr(blocks, f"{function.__name__}_blocks")(*inputs, **keywords)

    return chosen


fit = over_blocks(fitting.fit)
predict = over_blocks(predicting.predict)
