"""Optimisers: what moves parameters down their gradients."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from .tensor import Tensor


class SGD:
    """Stochastic gradient descent, with momentum and weight decay.

    With gradient g, each step is, for a parameter p with velocity v::

        g = g + weight_decay * p
        v = momentum * v + g        (at first v = g)
        p = p - lr * v

    A parameter's array is replaced, never written to, so graphs recorded before the step keep the
    values that they were computed from. A parameter whose ``grad`` is None is left alone.

    Sutskever, Martens, Dahl and Hinton, "On the importance of initialization and momentum in deep
    learning", ICML 2013.

    Parameters
    ----------
    parameters : iterable of Tensor
        Leaves that require grad; one that occurs twice is updated once.
    lr : float
        The step size. It can be set between steps: ``optimizer.lr = 0.01``.
    momentum : float
        How much of the velocity is kept.
    weight_decay : float
        The strength of the pull towards zero, as if ``weight_decay / 2 * (p ** 2).sum()`` were
        part of the loss.

    Raises
    ------
    ValueError
        If there are no parameters, ``lr`` is not positive, or another number is negative.
    TypeError
        If a parameter is not a Tensor, or a number not a number.

    Examples
    --------
    >>> x = Tensor(5.0, requires_grad=True)
    >>> optimizer = SGD([x], lr=0.1)
    >>> for _ in range(100):
    ...     optimizer.zero_grad()
    ...     ((x - 3) ** 2).backward()
    ...     optimizer.step()
    >>> round(x.item(), 6)
    3.0
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
    ):
        self.parameters = _checked_parameters(parameters)
        self.lr = _number(lr, "lr")
        if not 0 < self.lr < math.inf:  # which nan is not
            raise ValueError(f"lr must be positive, not {lr}")
        self.momentum = _not_negative(momentum, "momentum")
        self.weight_decay = _not_negative(weight_decay, "weight_decay")
        self._velocities: dict[Tensor, Any] = {}

    def zero_grad(self) -> None:
        """Forget the gradients found so far."""
        for p in self.parameters:
            p.grad = None

    def step(self) -> None:
        """Move every parameter that has a gradient by one step.

        Raises
        ------
        ValueError
            If a gradient was replaced by one of another shape or dtype.
        """
        fitting = [(p, _gradient(p)) for p in self.parameters if p.grad is not None]
        for p, g in fitting:  # none is moved if one does not fit
            data = p._array
            if self.weight_decay:
                g = g + self.weight_decay * data
            if self.momentum:
                g = self._velocities[p] = self._velocity(p, g)
            new = g * -self.lr
            new += data
            p._replace(new)

    def _velocity(self, p: Tensor, g: Any) -> Any:
        v = self._velocities.get(p)
        if v is None:
            return g.copy()  # as g may be p.grad, which is the user's to write to
        v *= self.momentum
        v += g
        return v

    def __repr__(self) -> str:
        return (
            f"SGD({len(self.parameters)} parameters, lr={self.lr}, momentum={self.momentum}, "
            f"weight_decay={self.weight_decay})"
        )


def _gradient(p: Tensor) -> Any:
    """The array of a parameter's gradient, which must fit the parameter."""
    g = p.grad._array if isinstance(p.grad, Tensor) else p.grad
    data = p._array
    if g.shape != data.shape or g.dtype != data.dtype:
        raise ValueError(
            f"the gradient of {p._called()} and {data.dtype} "
            f"has shape {g.shape} and {g.dtype}: they must agree"
        )
    return g


def _checked_parameters(parameters: Iterable[Tensor]) -> list[Tensor]:
    """The parameters, each once."""
    if isinstance(parameters, Tensor) or not isinstance(parameters, Iterable):
        raise TypeError(
            "parameters must be a list of Tensors such as model.parameters(), "
            f"not a {type(parameters).__name__}"
        )
    found = list(parameters)
    if not found:
        raise ValueError("there are no parameters to optimise (was a generator used up before?)")
    for i, p in enumerate(found):
        if not isinstance(p, Tensor):
            raise TypeError(f"parameter {i} is not a Tensor but a {type(p).__name__}")
        if not (p.requires_grad and p.is_leaf):
            raise ValueError(f"parameter {i}, {p._called()}, is not a leaf that requires grad")
    return list(dict.fromkeys(found))


def _number(value: Any, name: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a number, not {value!r}") from None


def _not_negative(value: Any, name: str) -> float:
    number = _number(value, name)
    if not 0 <= number < math.inf:
        raise ValueError(f"{name} must not be negative, but is {value}")
    return number
