"""How the methods of a Tensor are made of the functions that they call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .arrays import gives_way_to, is_sparse
from .recording import Recorded, is_transforming
from .rules.products import times_sparse
from .signatures import full_name
from .views import is_view

Operator = Callable[[Any, Any], Any]
ARRAYS = (Recorded, np.ndarray, np.generic, int, float)


def method(function: Callable[..., Any]) -> Callable[..., Any]:
    """The method that calls ``function`` on its array."""

    def call(self: Recorded, *inputs: Any, **keywords: Any) -> Any:
        return self._record(function, (self, *inputs), keywords)

    call.__name__ = call.__qualname__ = function.__name__
    call.__doc__ = f"`{full_name(function)}` of this Tensor, with the same arguments."
    return call


plain_method: Callable[[Callable[..., Any]], Callable[..., Any]] = method  # gives plain arrays


def refusing_method(name: str, instead: str) -> Callable[..., Any]:
    """The method of ndarray that would write into its array, refused."""

    def refuse(self: Recorded, *inputs: Any, **keywords: Any) -> Any:
        raise TypeError(
            f"t.{name}() would write in place, and a recorded array never changes: use {instead}"
        )

    refuse.__name__ = refuse.__qualname__ = name
    refuse.__doc__ = f"Refused, because it would write in place: use ``{instead}``."
    return refuse


def operators(function: np.ufunc) -> tuple[Operator, Operator, Operator]:
    """The methods of an operator that calls ``function``: it, its reflection, its assignment."""

    def forward(self: Recorded, other: Any) -> Any:
        if not isinstance(other, ARRAYS) and gives_way_to(other):
            return NotImplemented
        return self._record(function, (self, other))

    def reflected(self: Recorded, other: Any) -> Any:
        if not isinstance(other, ARRAYS) and gives_way_to(other):
            return NotImplemented
        return self._record(function, (other, self))

    def assigned(self: Recorded, other: Any) -> Any:
        # The name would be rebound and the leaf would not change: right in a function only.
        if self._requires_grad and self.rule is None and not is_transforming():
            raise TypeError(
                f"{self._called()} is a leaf, which an augmented assignment would not change: "
                "t.data -= step updates it; t = t - step makes another Tensor"
            )
        if is_view(self):
            raise TypeError(
                f"{self._called()} is a view, and an augmented assignment would not change what "
                "it shows: v = v * 2 makes another Tensor; to change a part of y, assemble it "
                "anew: y = np.where(mask, y * 2, y) or np.concatenate([...])"
            )
        return forward(self, other)

    return forward, reflected, assigned


def matrix_products() -> tuple[Operator, Operator, Operator]:
    """The same of ``@``, which takes SciPy's sparse matrices for constants too."""
    forward, reflected, assigned = operators(np.matmul)

    def by_right(self: Recorded, other: Any) -> Any:
        if not is_sparse(other):
            return forward(self, other)
        return self._record(times_sparse, (self, other))

    def by_left(self: Any, other: Any) -> Any:
        if not is_sparse(other):
            return reflected(self, other)
        return self._record(times_sparse, (self.T, other.T)).T

    return by_right, by_left, assigned
