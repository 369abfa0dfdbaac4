"""A constant's own type makes no difference: derivatives compute in the type of the result.

Every sample of the catalogue with several arrays is called again with one of them made a constant,
of every type and with ordinary and extreme values. Values are NumPy's; derivatives, to second
order, are those that come of the same constant in the type of the result. Where NumPy itself
computes the value in the constant's type, which may wrap, there is no such rule to be checked.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from tinygrad_bp import Tensor, gradients

from .catalogue import SAMPLES_OF
from .catalogue.checks import flat

DOUBLES = ["float64", "longdouble"]
FLOATS = ["float16", "float32", *DOUBLES]
TYPES = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)] + ["bool", *FLOATS]
KINDS = {"an array": np.asarray, "a Tensor": Tensor}  # how a constant may be handed over
REFUSALS = (TypeError, ValueError, ArithmeticError, np.linalg.LinAlgError)


def is_numpys(function):
    name = getattr(function, "__name__", "")
    return any(getattr(room, name, None) is function for room in (np, np.linalg))


def with_constants():
    """At most three samples of each function; of SciPy's none, for some sum for ever."""
    for function, samples in SAMPLES_OF.items():
        several = [s for s in samples if s.function is function and len(s.arrays) > 1]
        if is_numpys(function):
            yield from several[:: max(1, len(several) // 2)]


def ordinary(dtype):
    return np.array([1, 2, 3, 4, 5], dtype)


def largest(dtype):
    """The most of a type; LAPACK does not return from what overflows a double."""
    if dtype == "bool":
        return np.array([True, False])
    most = np.finfo(dtype).max if dtype in FLOATS else np.iinfo(dtype).max
    return np.array([min(most, np.array(1e30, "f8")) if dtype in DOUBLES else most, 1, 0], dtype)


def smallest(dtype):
    """The least of a type, where ``y - 1`` and ``-y`` of integers wrap."""
    if dtype == "bool":
        return np.array([False])
    least = -1e30 if dtype in DOUBLES else np.finfo(dtype).min if dtype in FLOATS else None
    return np.array([np.iinfo(dtype).min if least is None else least, 0], dtype)


def attempt(function, *inputs):
    """What a call gives, or the error that it raises."""
    try:
        return function(*inputs)
    except REFUSALS as error:
        return error


def put(arrays, place, constant):
    return [*arrays[:place], constant, *arrays[place + 1 :]]


def values_and_derivatives(sample, arrays, place, constant):
    """Values, and derivatives to second order by all arrays but the one at ``place``."""
    xs = [Tensor(x, requires_grad=True) for i, x in enumerate(arrays) if i != place]
    outputs = flat(sample.call(*xs[:place], constant, *xs[place:]))
    found = []
    for y in outputs:
        if isinstance(y, Tensor) and y.requires_grad:
            slopes = gradients(y, xs, np.full(y.shape, 0.7), create_graph=True)
            found += [g.data for g in slopes]
            for g in slopes:
                if g.requires_grad:
                    found += gradients(g, xs, np.full(g.shape, 1.3))
    return [y.data if isinstance(y, Tensor) else y for y in outputs], found


def same(found, expected, eps, least=0):
    """Whether two lists of arrays are the same to the rounding of terms as large as ``least``."""
    for one, other in zip(found, expected, strict=True):
        scale = np.max(np.abs(other), where=np.isfinite(other), initial=least)
        if not np.allclose(one, other, 64 * eps, 64 * eps * scale, equal_nan=True):
            return False
    return True


def undefined(sample, place, constant):
    """Whether NumPy gives what it happens to give: points that do not ascend, means in a type."""
    if sample.function is np.interp and "period" not in sample.parameters:
        return place == 1 and np.any(np.diff(constant.astype(float)) <= 0)
    return sample.function in (np.interp, np.nanvar)


def check(sample, place, constant, kind, real):
    """Check one constant; say whether there was a derivative to compare."""
    arrays = [x.astype(real) for x in sample.arrays]
    result = np.result_type(constant.dtype, *(x.dtype for i, x in enumerate(arrays) if i != place))
    wide = constant.astype(result)
    expected = attempt(values_and_derivatives, sample, arrays, place, kind(wide))
    if isinstance(expected, Exception):  # of another cause than the type
        return False
    values, wide_values = (
        attempt(lambda c: flat(sample.call(*put(arrays, place, c))), c) for c in (constant, wide)
    )
    if isinstance(values, Exception):
        return False
    if any(y.dtype.kind != "f" or not np.all(np.isfinite(y)) for y in values):
        return False  # which has no derivative
    eps = float(max(np.finfo(y.dtype).eps for y in (*values, *arrays)))
    types = [y.dtype for y in values], [y.dtype for y in wide_values]
    if types[0] != types[1] or not same(values, wide_values, eps / 32):
        return False
    found = attempt(values_and_derivatives, sample, arrays, place, kind(constant))
    assert not isinstance(found, Exception), f"{type(found).__name__}: {found}"
    assert [y.dtype for y in found[0]] == types[0], f"{found[0]}, where NumPy gives {types[0]}"
    least = max(np.max(np.abs(x)) for x in (*arrays, constant.astype(float)))
    assert same(found[0], values, eps, least), f"values {found[0]}, NumPy's {values}"
    assert same(found[1], expected[1], float(np.finfo(real).eps)), (
        f"derivatives {found[1]}, and {expected[1]} for the same constants of {result}"
    )
    return True


@pytest.mark.parametrize("values", [ordinary, largest, smallest], ids=lambda f: f.__name__)
@pytest.mark.parametrize("dtype", TYPES)
def test_constants_beside_doubles(dtype, values):
    check_all(dtype, np.float64, values)


@pytest.mark.parametrize("dtype", TYPES)
def test_constants_beside_singles(dtype):
    check_all(dtype, np.float32, ordinary)


def check_all(dtype, real, values):
    failures, compared, samples = [], 0, list(with_constants())
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for sample in samples:
            for place, x in enumerate(sample.arrays):
                constant = np.resize(values(dtype), x.shape)
                if undefined(sample, place, constant):
                    continue
                for name, kind in KINDS.items():
                    try:
                        compared += check(sample, place, constant, kind, real)
                    except AssertionError as error:
                        failures.append(f"{sample}, input {place} as {name}: {error}")
    assert compared > len(samples)
    assert not failures, "\n".join([f"{len(failures)} failures", *failures[:20]])
