"""Checks for users: derivatives against differences, and the operation where a NaN was born."""

from __future__ import annotations

import copy
import linecache
import os
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from .engine.context import called_first
from .engine.recording import no_grad, watching
from .engine.registry import Each, Rule
from .engine.signatures import describe
from .engine.tensor import Tensor
from .support.structures import leaves, named_leaves, rebuild
from .transforms import jacobian
from .transforms.linearizing import check_function

STEP = np.cbrt(np.finfo(np.float64).eps)  # small, and still far from the rounding of its square
RELATIVE, ABSOLUTE = 1e-6, 1e-9
_INNER = (os.path.dirname(__file__) + os.sep, os.path.dirname(np.__file__) + os.sep)


class GradientError(AssertionError):
    """A derivative disagrees with finite differences, or does not exist at that point."""


def gradcheck(f: Callable[..., Any], *inputs: Any, order: int = 1) -> bool:
    """Compare every derivative of ``f`` with central differences.

    Each entry of each input is moved by ``±h`` and ``±2h``, and the two central differences are
    extrapolated to ``h = 0`` (Richardson). A derivative must agree to one part in a million;
    differences below 1e-9 of the largest output (or of 1) count as rounding.

    Parameters
    ----------
    f : callable
        Takes the inputs and returns an array of any shape, or several in containers.
    *inputs : array_like, or containers of them
        float64. Choose them away from kinks, such as ties and zeros of ``np.abs``.
    order : int
        How often to differentiate: with 2, the derivatives of the derivatives are checked too.

    Returns
    -------
    bool
        True; a wrong derivative raises `GradientError`.

    Raises
    ------
    GradientError
        If an entry disagrees, showing the worst one; or if ``f`` has a kink at the inputs.
    TypeError
        If an input is not float64: central differences need its digits.
    ValueError
        If ``order`` is less than 1.

    Examples
    --------
    >>> gradcheck(lambda x, y: np.sum(np.sin(x) * y), np.array([0.5, 2.0]), 3.0, order=2)
    True
    >>> gradcheck(lambda p: p["W"] @ p["b"], {"W": np.eye(2), "b": np.array([1.0, 2.0])})
    True
    >>> gradcheck(lambda x: x * x.detach(), 3.0)
    Traceback (most recent call last):
        ...
    tinygrad_bp.check.GradientError: d output / d input 0: 3 by the rules, 6 by central
    differences, relative difference 0.5; the worst of 1 that disagree among 1 entries
    """
    check_function(f)
    if order < 1:
        raise ValueError(f"order={order}: the first derivative is of order 1")
    places = {f"input {path[1:].replace(']', '', 1)}": x for path, x in named_leaves(inputs)}
    arrays = {name: _float64(x, name) for name, x in places.items()}
    outputs = list(named_leaves(f(*rebuild(inputs, map(Tensor, arrays.values())))))
    for i, (path, _) in enumerate(outputs):

        def of_leaves(*x: Any, i: int = i) -> Any:
            return leaves(f(*rebuild(inputs, x)))[i]

        _check(of_leaves, arrays, order, f"output{path}")
    return True


def _check(f: Callable[..., Any], places: dict[str, np.ndarray], order: int, name: str) -> None:
    names, inputs = list(places), list(places.values())
    with no_grad():
        found = jacobian(f, tuple(range(len(inputs))))(*inputs)
        numeric = [_central_differences(f, places, i, name) for i in range(len(inputs))]
    largest = max(1.0, np.max(np.abs(_values(f, inputs)), initial=0))
    worst, wrong, count = (0.0, ""), 0, 0
    for i, (analytic, expected) in enumerate(zip(found, numeric, strict=True)):
        outputs = analytic.ndim - inputs[i].ndim
        for index in np.ndindex(analytic.shape):
            a, n = float(analytic[index]), float(expected[index])
            count += 1
            error, size = abs(a - n), max(abs(a), abs(n))
            if a == n or error <= RELATIVE * size + ABSOLUTE * largest:
                continue
            wrong += 1
            difference = error / size if np.isfinite(error) else np.inf
            if difference >= worst[0]:
                entry = f"d {name}{_index(index[:outputs])} / d {names[i]}{_index(index[outputs:])}"
                worst = difference, f"{entry}: {a:.9g} by the rules, {n:.9g} by central differences"
    if wrong:
        raise GradientError(
            f"{worst[1]}, relative difference {worst[0]:.3g}; "
            f"the worst of {wrong} that disagree among {count} entries"
        )
    for i in range(len(inputs) if order > 1 else 0):
        _check(jacobian(f, i), places, order - 1, f"(d {name} / d {names[i]})")


def _central_differences(
    f: Callable[..., Any], places: dict[str, np.ndarray], i: int, name: str
) -> np.ndarray:
    """The Jacobian by input ``i``, in the shape of the output and then of the input."""
    place, inputs = list(places)[i], list(places.values())
    here, x = _values(f, inputs), inputs[i]
    columns = np.empty((*here.shape, *x.shape))
    for index in np.ndindex(x.shape):
        h = STEP * max(1.0, abs(x[index]))

        def moved(steps: int, index: tuple[int, ...] = index, h: float = h) -> np.ndarray:
            ahead = x.copy()
            ahead[index] += steps * h
            return _values(f, [*inputs[:i], ahead, *inputs[i + 1 :]])

        behind2, behind, ahead, ahead2 = map(moved, (-2, -1, 1, 2))
        left, right = (here - behind) / h, (ahead - here) / h
        wider = np.abs(ahead2 - 2 * here + behind2) / (2 * h)
        # Where f is smooth the gap between the two slopes halves with h; at a kink it stays.
        kinks = np.abs(right - left) > np.maximum(0.75 * wider, 1e-6 * (1 + np.abs(here)))
        if np.any(kinks):
            out = tuple(int(k) for k in np.argwhere(kinks)[0])
            raise GradientError(
                f"{name}{_index(out)} has a kink at {place}{_index(index)} = {x[index]}: its slope "
                f"is {left[out]:.6g} on the left and {right[out]:.6g} on the right; move the input"
            )
        columns[(..., *index)] = (8 * (ahead - behind) - (ahead2 - behind2)) / (12 * h)
    return columns


def _values(f: Callable[..., Any], inputs: Sequence[np.ndarray]) -> np.ndarray:
    out = f(*map(Tensor, inputs))
    return np.asarray(out.data if isinstance(out, Tensor) else out, dtype=np.float64)


def _float64(x: Any, place: str) -> np.ndarray:
    array = np.array(x.data if isinstance(x, Tensor) else x)
    if array.dtype == np.float64 or (array.dtype.kind in "iu" and not hasattr(x, "dtype")):
        return array.astype(np.float64)
    raise TypeError(
        f"{place} is {array.dtype}, and central differences need float64's sixteen "
        "digits: rounding would hide a wrong derivative; convert it, x.astype(np.float64)"
    )


def _index(index: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, index))}]" if index else ""


@called_first
@contextmanager
def detect_nan() -> Iterator[None]:
    """Stop at the first operation that makes a NaN or an infinity of finite numbers.

    A context manager and a decorator. Inside, every operation on Tensors is checked, and every
    derivative of what was recorded inside. NumPy's own floating-point warnings are off meanwhile.

    Raises
    ------
    FloatingPointError
        Naming the operation, its operands' names and shapes, and the line that called it; for
        a derivative, the line of the forward pass.

    Examples
    --------
    >>> x = Tensor([1.0, 0.0], requires_grad=True, name="x")
    >>> with detect_nan():
    ...     np.sqrt(x).sum().backward()
    Traceback (most recent call last):
        ...
    FloatingPointError: the derivative of sqrt of x (2,) is inf at [1]; called at
    <doctest tinygrad_bp.check.detect_nan[1]>:2: np.sqrt(x).sum().backward()
    """
    with np.errstate(all="ignore"), watching(_watch):
        yield


def _watch(rule: Rule, inputs: tuple[Any, ...], values: Sequence[Any], out: Any) -> Rule:
    """Refuse a result that is not finite; give the rule with derivatives that are checked too."""
    call, place = f"{rule.name} of {describe(inputs)}", _calling_line()
    _refuse(out, values, f"{call} gave", place)

    def derivative(position: int, g: Any, *arguments: Any, **parameters: Any) -> Any:
        try:
            term = rule.derivatives[position](g, *arguments, **parameters)
        except FloatingPointError as error:  # with create_graph, the derivative is watched itself
            raise FloatingPointError(f"{error}; in the derivative of {call}, {place}") from None
        _refuse(term, (g, *arguments), f"the derivative of {call} is", place)
        return term

    watched = copy.copy(rule)
    watched.derivatives = Each(derivative)
    return watched


def _refuse(result: Any, operands: Sequence[Any], what: str, place: str) -> None:
    bad = _not_finite(result)
    if np.any(bad) and not any(np.any(_not_finite(x)) for x in operands):
        index = tuple(int(k) for k in np.argwhere(bad)[0])
        value = result.data[index] if isinstance(result, Tensor) else np.asarray(result)[index]
        where = f" at {_index(index)}" if index else ""
        raise FloatingPointError(f"{what} {value}{where}; {place}")


def _not_finite(x: Any) -> Any:
    x = x.data if isinstance(x, Tensor) else x
    is_floating = isinstance(x, float) or getattr(x, "dtype", np.dtype(bool)).kind in "fc"
    return ~np.isfinite(x) if is_floating else False


def _calling_line() -> str:
    """Where the innermost frame outside this package and NumPy is, and what is written there."""
    frames = ((frame.f_code.co_filename, line) for frame, line in traceback.walk_stack(None))
    file, line = next(place for place in frames if not place[0].startswith(_INNER))
    code = linecache.getline(file, line).strip()
    code = code if len(code) <= 80 else f"{code[:77]}..."
    return f"called at {file}:{line}" + (f": {code}" if code else "")
