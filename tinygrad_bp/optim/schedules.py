"""Step sizes that change with time: functions t -> α_t, where t counts the steps from 0.

Any function of t can be an optimiser's ``lr``; these make the usual ones. α is their first
argument, and each holds its last value for ever. `PerEpoch` makes any of them count epochs.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..support.answers import attribute_answers, keyword_advice
from ..support.arguments import below_one, not_negative, number, positive, shown, size

__all__ = [
    "PerEpoch",
    "constant",
    "cosine",
    "exponential",
    "inverse_time",
    "one_cycle",
    "step",
    "warm_up",
]

Schedule = Callable[[int], float]

if not TYPE_CHECKING:  # which knows the names that are there
    __getattr__ = attribute_answers("bp.schedules", __name__)


def __dir__() -> list[str]:
    return __all__


@keyword_advice
def constant(lr: float) -> Schedule:
    """Make ``α_t = α``.

    Examples
    --------
    >>> constant(0.1)(1000)
    0.1
    """
    lr = positive(lr, "lr")
    return lambda t: lr


@keyword_advice
def step(lr: float, every: int, factor: float = 0.1) -> Schedule:
    """Make ``α_t = α factor^⌊t / every⌋``: a drop after every so many steps.

    Examples
    --------
    >>> alpha = step(1.0, every=10, factor=0.5)
    >>> [alpha(t) for t in (0, 9, 10, 20)]
    [1.0, 1.0, 0.5, 0.25]
    """
    lr, every, factor = positive(lr, "lr"), size(every, "every"), positive(factor, "factor")
    return lambda t: lr * factor ** (t // every)


@keyword_advice
def exponential(lr: float, factor: float) -> Schedule:
    """Make ``α_t = α factor^t``.

    Examples
    --------
    >>> alpha = exponential(1.0, factor=0.5)
    >>> [alpha(t) for t in (0, 1, 2)]
    [1.0, 0.5, 0.25]
    """
    lr, factor = positive(lr, "lr"), positive(factor, "factor")
    return lambda t: lr * factor**t


@keyword_advice
def inverse_time(lr: float, decay: float) -> Schedule:
    """Make ``α_t = α / (1 + decay t)``.

    The sum of these step sizes is infinite, that of their squares finite: the conditions under
    which noise averages out. Robbins and Monro, "A stochastic approximation method", Annals of
    Mathematical Statistics 22 (1951) 400.

    Examples
    --------
    >>> alpha = inverse_time(1.0, decay=0.5)
    >>> [alpha(t) for t in (0, 2, 6)]
    [1.0, 0.5, 0.25]
    """
    lr, decay = positive(lr, "lr"), not_negative(decay, "decay")
    return lambda t: lr / (1 + decay * t)


@keyword_advice
def cosine(lr: float, steps: int, final: float = 0.0) -> Schedule:
    """Make ``α_t = final + (α - final) (1 + cos(π t / steps)) / 2``, and ``final`` afterwards.

    Loshchilov and Hutter, "SGDR: Stochastic gradient descent with warm restarts", ICLR 2017.

    Examples
    --------
    >>> alpha = cosine(1.0, steps=100)
    >>> [round(alpha(t), 3) for t in (0, 50, 100, 200)]
    [1.0, 0.5, 0.0, 0.0]
    """
    lr, steps, final = positive(lr, "lr"), size(steps, "steps"), not_negative(final, "final")
    return lambda t: _half_cosine(lr, final, min(t / steps, 1))


@keyword_advice
def warm_up(then: float | Schedule, steps: int) -> Schedule:
    """Make ``α_t = (t + 1) / steps · then(0)`` for ``steps`` steps, and ``then(t - steps)`` after.

    Goyal et al., "Accurate, large minibatch SGD: Training ImageNet in 1 hour", 2017, section 2.2.

    Parameters
    ----------
    then : number or schedule
        What follows the rise.
    steps : int
        How many steps the rise takes.

    Examples
    --------
    >>> alpha = warm_up(inverse_time(1.0, decay=1.0), steps=4)
    >>> [alpha(t) for t in range(6)]
    [0.25, 0.5, 0.75, 1.0, 1.0, 0.5]
    """
    steps = size(steps, "steps")
    after = then if callable(then) else constant(then)
    return lambda t: (t + 1) / steps * after(0) if t < steps else after(t - steps)


@keyword_advice
def one_cycle(
    lr: float, steps: int, *, rise: float = 0.3, start: float = 1 / 25, final: float = 1 / 250_000
) -> Schedule:
    """Make a rise from ``start · α`` to α and a fall to ``final · α``, both along half a cosine.

    Smith and Topin, "Super-convergence: Very fast training of neural networks using large
    learning rates", 2019.

    Parameters
    ----------
    lr : float
        The step size at the top.
    steps : int
        How many steps the rise and the fall take together.
    rise : float
        The share of them that belongs to the rise, less than 1.
    start, final : float
        The first and the last step size, as shares of ``lr``.

    Examples
    --------
    >>> alpha = one_cycle(1.0, steps=100)
    >>> [round(alpha(t), 3) for t in (0, 29, 64, 99)]
    [0.04, 1.0, 0.5, 0.0]
    """
    lr, steps, rise = positive(lr, "lr"), size(steps, "steps"), below_one(rise, "rise")
    first, last = lr * not_negative(start, "start"), lr * not_negative(final, "final")
    top = max(rise * steps - 1, 0)  # the first step is number 0
    fall = steps - 1 - top or 1  # a single step is at the top

    def alpha(t: int) -> float:
        if t < top:
            return _half_cosine(first, lr, t / top)
        return _half_cosine(lr, last, min((t - top) / fall, 1))

    return alpha


class PerEpoch:
    """A schedule that counts epochs in place of steps.

    `train.fit` fills in the number of steps in an epoch; in a loop of one's own, pass ``steps``.

    Parameters
    ----------
    schedule : schedule
        A function of the epoch, counted from 0.
    steps : int, optional
        The number of steps in an epoch.

    Examples
    --------
    >>> alpha = PerEpoch(exponential(1.0, factor=0.5), steps=3)
    >>> [alpha(t) for t in range(7)]
    [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25]
    """

    def __init__(self, schedule: Schedule, steps: int | None = None):
        if not callable(schedule):
            raise TypeError(f"a schedule is a function of time, not {shown(schedule)}")
        self.schedule = schedule
        self.steps = None if steps is None else size(steps, "steps")
        self.told: int | None = None  # by fit

    def __call__(self, t: int) -> float:
        """The step size of step t."""
        steps = self.steps or self.told
        if steps is None:
            raise ValueError("how many steps has an epoch? PerEpoch needs steps=, outside fit")
        return self.schedule(t // steps)


def checked_schedule(lr: Schedule) -> Schedule:
    """A function that takes the number of steps and nothing else, which makers of schedules do not.

    Examples
    --------
    >>> checked_schedule(cosine)
    Traceback (most recent call last):
        ...
    TypeError: cosine makes schedules and is none: call it, lr=bp.schedules.cosine(lr, steps)
    """
    name = getattr(lr, "__name__", type(lr).__name__)
    try:
        taken = inspect.signature(lr)
    except ValueError:  # written in C
        return lr
    required = [p.name for p in taken.parameters.values() if p.default is p.empty]
    if globals().get(name) is lr:
        call = f"lr=bp.schedules.{name}({', '.join(required)})"
        raise TypeError(f"{name} makes schedules and is none: call it, {call}")
    try:
        taken.bind(0)
    except TypeError:
        raise TypeError(
            f"a schedule is a function of one argument, the number of steps, and {name} "
            f"takes {', '.join(required) or 'none'}"
        ) from None
    return lr


def _half_cosine(start: float, end: float, share: float) -> float:
    """Where half a cosine from ``start`` to ``end`` is, after this share of the way."""
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2


def step_size(lr: float | Schedule, t: int) -> float:
    """The step size of step t, which a schedule must give as a finite number, 0 or more.

    Examples
    --------
    >>> step_size(lambda t: 1 - t, 2)
    Traceback (most recent call last):
        ...
    ValueError: the schedule gave the step size -1 at step 2: it must be finite, 0 or more
    """
    if not callable(lr):
        return lr
    try:
        alpha = number(lr(t), f"the step size of step {t}")
    except OverflowError:
        alpha = math.inf
    if not 0 <= alpha < math.inf:
        raise ValueError(
            f"the schedule gave the step size {alpha:g} at step {t}: it must be finite, 0 or more"
        )
    return alpha
