"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..engine.tensor import Tensor
from ..support.arguments import flag, not_negative
from .optimizer import Optimizer
from .schedules import Schedule


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum, weight decay and clipping.

    With gradient g, each step is, for a parameter p with velocity v::

        g = g + weight_decay * p
        v = momentum * v + g        (at first v = g)
        p = p - lr * v              (Nesterov: p - lr * (g + momentum * v))

    Nesterov, "A method of solving a convex programming problem with convergence rate O(1/k²)",
    Soviet Mathematics Doklady 27 (1983) 372; Sutskever, Martens, Dahl and Hinton, "On the
    importance of initialization and momentum in deep learning", ICML 2013.

    Parameters
    ----------
    parameters, lr, weight_decay, max_norm
        As in `Optimizer`. The decay acts as if ``weight_decay / 2 * (p ** 2).sum()`` were part
        of the loss (L2; for L1 see `functional.l1_penalty`).
    momentum : float
        How much of the velocity is kept.
    nesterov : bool
        Look ahead along the velocity. It needs a momentum.

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

    elementwise = True
    option_names = ("momentum", "weight_decay", "nesterov", "max_norm")

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float | Schedule,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
        *,
        nesterov: bool = False,
        max_norm: float | None = None,
    ):
        super().__init__(parameters, lr, weight_decay, max_norm)
        self.momentum = not_negative(momentum, "momentum")
        self.nesterov = flag(nesterov, "nesterov")
        if nesterov and not self.momentum:
            raise ValueError("nesterov=True needs a momentum above 0, such as momentum=0.9")

    @property
    def memory_names(self) -> tuple[str, ...]:  # type: ignore[override]
        """What is remembered for each parameter."""
        return ("velocity",) if self.momentum else ()

    def move(self, data: Any, gradient: Any, memory: dict[str, Any], lr: float) -> Any:
        """One step down the gradient, or along the velocity."""
        g = gradient
        if self.weight_decay:
            g = g + self.weight_decay * data
        if self.momentum:
            v = memory["velocity"] * self.momentum + g if memory else g + np.zeros_like(g)
            memory["velocity"] = v
            g = g + self.momentum * v if self.nesterov else v
        return data + g * -lr
