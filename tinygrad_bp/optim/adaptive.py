"""Adam, and Adam with decoupled weight decay."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..engine.tensor import Tensor
from ..support.arguments import below_one, either, positive
from .optimizer import Optimizer
from .schedules import Schedule


class Adam(Optimizer):
    """Steps scaled by running means of the gradient and of its square.

    With gradient g, step t of a parameter p is, starting from m = v = 0::

        g = g + weight_decay * p
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g²
        p = p - lr * (m / (1 - beta1^t)) / (√(v / (1 - beta2^t)) + epsilon)

    The divisions by 1 - beta^t undo the pull of the means towards the zeros that they started
    from. Kingma and Ba, "Adam: A method for stochastic optimization", ICLR 2015.

    Parameters
    ----------
    parameters, lr, weight_decay, max_norm
        As in `Optimizer`. The decay acts as if ``weight_decay / 2 * (p ** 2).sum()`` were part
        of the loss; see also `AdamW`.
    betas : pair of float
        The shares of the two running means that a step keeps, each less than 1.
    epsilon : float
        What keeps the division finite where gradients are 0. ``eps`` is another name for it.

    Examples
    --------
    >>> x = Tensor(5.0, requires_grad=True)
    >>> optimizer = Adam([x], lr=0.1)
    >>> for _ in range(500):
    ...     optimizer.zero_grad()
    ...     ((x - 3) ** 2).backward()
    ...     optimizer.step()
    >>> round(x.item(), 6)
    3.0
    """

    elementwise = True
    option_names = ("betas", "epsilon", "weight_decay", "max_norm")
    memory_names = ("mean", "square", "steps")
    count_names = ("steps",)
    not_negative_names = ("square",)

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float | Schedule = 1e-3,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
        max_norm: float | None = None,
        eps: float | None = None,
    ):
        super().__init__(parameters, lr, weight_decay, max_norm)
        if not isinstance(betas, tuple | list) or len(betas) != 2:
            raise ValueError(f"betas must be a pair of numbers, not {betas!r}")
        self.betas = below_one(betas[0], "betas[0]"), below_one(betas[1], "betas[1]")
        self.epsilon = positive(*either(epsilon=epsilon, eps=eps))

    def move(self, data: Any, gradient: Any, memory: dict[str, Any], lr: float) -> Any:
        """Adam's step, with the decay as a part of the gradient."""
        g = gradient
        if self.weight_decay:
            g = g + self.weight_decay * data
        return self._move(data, g, memory, lr)

    def _move(self, data: Any, g: Any, memory: dict[str, Any], lr: float) -> Any:
        """``data`` after Adam's step along ``g``."""
        if not memory:
            memory.update(mean=np.zeros_like(data), square=np.zeros_like(data), steps=0)
        t, (beta1, beta2) = memory["steps"] + 1, self.betas
        m = memory["mean"] * beta1 + (1 - beta1) * g
        v = memory["square"] * beta2 + (1 - beta2) * (g * g)
        memory.update(mean=m, square=v, steps=t)
        correction = (1 - beta2**t) ** 0.5
        size = np.sqrt(v) + self._beside_root(correction)
        return data + m / size * (-lr * correction / (1 - beta1**t))

    def _beside_root(self, correction: float) -> float:
        """What is added to √v, which is not divided by the correction here."""
        return self.epsilon * correction


class AdamW(Adam):
    """Adam with a weight decay that its scaling does not touch.

    Before Adam's step, which is taken without decay, a parameter shrinks::

        p = p - lr * weight_decay * p

    Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019.

    Parameters
    ----------
    parameters, lr, betas, epsilon, eps, weight_decay, max_norm
        As in `Adam`; ``weight_decay`` is 0.01 unless given.

    Examples
    --------
    >>> x = Tensor([5.0], requires_grad=True)
    >>> optimizer = AdamW([x], lr=0.1, weight_decay=0.5)
    >>> x.grad = np.array([0.0])
    >>> optimizer.step()
    >>> x.data.tolist()
    [4.75]
    """

    elementwise = True

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float | Schedule = 1e-3,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
        weight_decay: float = 0.01,
        max_norm: float | None = None,
        eps: float | None = None,
    ):
        super().__init__(
            parameters,
            lr,
            betas=betas,
            epsilon=epsilon,
            weight_decay=weight_decay,
            max_norm=max_norm,
            eps=eps,
        )

    def move(self, data: Any, gradient: Any, memory: dict[str, Any], lr: float) -> Any:
        """Adam's step, after the decay."""
        return self._move(data * (1 - lr * self.weight_decay), gradient, memory, lr)
