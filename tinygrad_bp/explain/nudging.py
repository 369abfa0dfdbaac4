"""The definition of the derivative, tried out: move an input a little, and look."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..engine.backprop import gradients
from ..engine.recording import recording
from ..engine.tensor import Tensor
from ..support.arguments import number, positive
from .names import decimal
from .tables import Column, Shown, Table


@dataclass(frozen=True)
class Difference:
    """What came of moving one element of the input by ``h``.

    Attributes
    ----------
    index : tuple of int
        Which element. ``()`` for a scalar.
    h : float
    forward : float
        ``(f(x + h) - f(x)) / h``, which is wrong by about ``h``.
    central : float
        ``(f(x + h) - f(x - h)) / 2h``, which is wrong by about ``h²``.
    gradient : float
        What backpropagation gives.
    """

    index: tuple[int, ...]
    h: float
    forward: float
    central: float
    gradient: float


@dataclass(frozen=True, repr=False)
class Nudge(Shown):
    """Difference quotients beside the gradient.

    Attributes
    ----------
    value : float
        f(x).
    gradient : float or ndarray
        What backpropagation gives.
    rows : list of Difference
    """

    value: float
    gradient: Any
    rows: list[Difference]

    def table(self) -> Table:
        """The table that is shown."""
        where = [Column("element")] if np.ndim(self.gradient) else []
        columns = [
            *where,
            Column("h", "number"),
            Column("forward", "value"),
            Column("central", "value"),
            Column("gradient", "adjoint"),
            Column("forward is off by", "number"),
            Column("central is off by", "number"),
        ]
        title = f"Moving x by h, where f(x) = {decimal(self.value)}"
        note = "forward: (f(x + h) - f(x)) / h.  central: (f(x + h) - f(x - h)) / 2h."
        return Table(title, columns, self.rows, lambda row: _cells(row)[1 - len(where) :], note)


def _cells(row: Difference) -> list[str]:
    found = [decimal(row.forward), decimal(row.central), decimal(row.gradient)]
    off = [f"{abs(x - row.gradient):.0e}" for x in (row.forward, row.central)]
    return [str(list(row.index)), f"{row.h:g}", *found, *off]


def nudge(
    f: Callable[[Tensor], Any], x: Any, h: float | Sequence[float] = (0.1, 0.01, 0.001, 0.0001)
) -> Nudge:
    """Find a derivative by its definition, moving the input by ``h``, and by backpropagation.

    Parameters
    ----------
    f : callable
        A function of a Tensor, with a scalar result.
    x : float or array_like
        Where to differentiate. Every element of an array is moved in turn.
    h : float or sequence of float
        How far to move. Smaller is better, until the rounding of f(x) exceeds its change.

    Returns
    -------
    Nudge

    Raises
    ------
    ValueError
        If an ``h`` is not positive, or f(x) is no scalar.
    TypeError
        If an ``h``, ``x`` or f(x) is no number.

    Examples
    --------
    >>> nudge(lambda x: x**3, 2.0)
    Moving x by h, where f(x) = 8.0000
    <BLANKLINE>
         h  forward  central  gradient  forward is off by  central is off by
       0.1  12.6100  12.0100   12.0000              6e-01              1e-02
      0.01  12.0601  12.0001   12.0000              6e-02              1e-04
     0.001  12.0060  12.0000   12.0000              6e-03              1e-06
    0.0001  12.0006  12.0000   12.0000              6e-04              1e-08
    <BLANKLINE>
    forward: (f(x + h) - f(x)) / h.  central: (f(x + h) - f(x - h)) / 2h.
    """
    steps = [positive(step, "h") for step in np.ravel(h)]
    at = np.array(x).astype(np.float64, casting="same_kind")
    value, gradient = _value_and_gradient(f, at)
    rows = []
    for index in np.ndindex(at.shape):
        for step in steps:
            move = np.zeros_like(at)
            move[index] = step
            above, below = _check_scalar(f(Tensor(at + move))), _check_scalar(f(Tensor(at - move)))
            forward, central = (above - value) / step, (above - below) / (2 * step)
            rows.append(Difference(index, step, forward, central, float(gradient[index])))
    return Nudge(value, gradient, rows)


def _value_and_gradient(f: Callable[[Tensor], Any], at: np.ndarray) -> tuple[float, Any]:
    """The value of f and its gradient by backpropagation; zero if f does not use its input."""
    x = Tensor(at, requires_grad=True, name="x")
    with recording(True):  # within no_grad, too
        output = f(x)
    value = _check_scalar(output)
    return value, gradients(output, [x])[0] if isinstance(output, Tensor) else np.zeros_like(at)


def _check_scalar(output: Any) -> float:
    if np.shape(output) != ():
        raise ValueError(f"f must give a scalar, not an array of shape {np.shape(output)}")
    return number(output.item() if isinstance(output, Tensor) else output, "f(x)")
