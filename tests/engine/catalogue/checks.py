"""What is asked of every rule, one check a function, each on one sample.

A direction is moved along and a cotangent is pulled back; both are random, with no entry near
zero, so that no entry of a derivative can be wrong unnoticed.
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_bp import Tensor, gradients, jvp

from .sample import Sample

STEP = np.cbrt(np.finfo(float).eps)  # where truncation and rounding errors are equally small


def first_order(sample: Sample) -> None:
    """The derivative along a direction is that of central differences."""
    _, gradient = pulled_back(sample, sample.arrays)
    expected, scale = central_difference(sample)
    agree(inner(gradient, directions(sample)), expected, scale, 1e-7, "along a direction")


def complex_step(sample: Sample) -> None:
    """The derivative along a direction is that of the complex step, to rounding.

    Squire and Trapp, "Using complex variables to estimate derivatives of real functions",
    SIAM Review 40 (1998) 110.
    """
    _, gradient = pulled_back(sample, sample.arrays)
    moved = [x + 1e-30j * d for x, d in zip(sample.arrays, directions(sample), strict=True)]
    outputs = flat(sample.call(*moved))
    expected = inner(cotangents(sample), [y.imag / 1e-30 for y in outputs])
    _, scale = central_difference(sample)
    agree(inner(gradient, directions(sample)), expected, scale, 1e-12, "by the complex step")


def second_order(sample: Sample) -> None:
    """The derivative of <v, gradient> is that of central differences of the gradient."""
    v = directions(sample, salt=1)
    xs, rows = recorded_gradients(sample)
    found = [np.zeros_like(x) for x in sample.arrays]
    for row in rows:
        for g, v_i in zip(row, v, strict=True):
            if isinstance(g, Tensor) and g.requires_grad:
                found = [a + b for a, b in zip(found, gradients(g, xs, v_i), strict=True)]
    expected, scale = second_difference(sample)
    scale += inner_of_sizes(found, directions(sample))
    agree(inner(found, directions(sample)), expected, scale, 1e-6, "to second order")


def forward_over_forward(sample: Sample) -> None:
    """The same in forward mode twice: the derivative along one direction, along another."""

    def weighted(*xs: Tensor) -> Any:
        pairs = zip(flat(sample.call(*xs)), cotangents(sample), strict=True)
        return sum(np.sum(y * w) for y, w in pairs if isinstance(y, Tensor))

    def slope(*xs: Tensor) -> Any:
        return jvp(weighted, xs, directions(sample, salt=1))[1]

    _, found = jvp(slope, tuple(sample.arrays), directions(sample))
    expected, scale = second_difference(sample)
    agree(found, expected, scale + abs(found), 1e-6, "forward over forward")


def third_order(sample: Sample) -> None:
    """The third derivative along a direction is the central difference of the second."""

    def second(step: float) -> float:
        moved = zip(sample.arrays, directions(sample), strict=True)
        return derivatives_along(sample, [x + step * d for x, d in moved], 2)[1]

    slopes = [(second(h) - second(-h)) / (2 * h) for h in (2e-4, 1e-4)]
    expected = (4 * slopes[1] - slopes[0]) / 3
    found = derivatives_along(sample, sample.arrays, 3)
    scale = 1 + sum(map(abs, found)) + abs(expected)
    agree(found[2], expected, scale, 1e-5, "to third order")


def derivatives_along(sample: Sample, arrays: Sequence[np.ndarray], number: int) -> list[float]:
    """The first derivatives of the weighted outputs along one direction."""
    xs, outputs = recorded(sample, arrays)
    pairs = zip(outputs, cotangents(sample), strict=True)
    value = sum(np.sum(y * w) for y, w in pairs if isinstance(y, Tensor))
    found = []
    for _ in range(number):
        if getattr(value, "requires_grad", False):
            slopes = gradients(value, xs, create_graph=True)
            pairs = zip(slopes, directions(sample), strict=True)
            value = sum(np.sum(g * d) for g, d in pairs)
        else:
            value = Tensor(0.0)
        found.append(value.item())
    return found


def tensor_mode(sample: Sample) -> None:
    """Values are NumPy's; gradients are the same numbers whether they are recorded or not."""
    before = [x.tobytes() for x in sample.arrays]
    outputs, gradient = pulled_back(sample, sample.arrays)
    for y, expected in zip(outputs, flat(sample.call(*sample.arrays)), strict=True):
        value = y.data if isinstance(y, Tensor) else y
        close(value, expected, 1e-12, "the value of Tensors is not that of arrays")
        assert value is y or value.dtype == expected.dtype
    followed = any(isinstance(y, Tensor) and y.requires_grad for y in outputs)
    assert followed == (sample.order > 0), f"order={sample.order}, and recorded: {followed}"
    _, rows = recorded_gradients(sample)
    for x, g, *terms in zip(sample.arrays, gradient, *rows, strict=True):
        assert g.shape == x.shape, f"a gradient of shape {g.shape} for an input of {x.shape}"
        assert g.dtype == x.dtype, f"a gradient of {g.dtype} for an input of {x.dtype}"
        again = sum((getattr(t, "data", t) for t in terms), np.zeros_like(x))
        close(again, g, 1e-10, "create_graph changes the gradient")
    assert before == [x.tobytes() for x in sample.arrays], "an input was written to"


def linear(sample: Sample) -> None:
    """Pulling back is linear in the cotangent."""
    one, two = cotangents(sample), cotangents(sample, salt=1)
    both = [2 * a - 3 * b for a, b in zip(one, two, strict=True)]
    parts = [pulled_back(sample, sample.arrays, w)[1] for w in (one, two, both)]
    for a, b, c in zip(*parts, strict=True):
        close(c, 2 * a - 3 * b, 1e-9, "not linear in the cotangent")


def forward_mode(sample: Sample) -> None:
    """<w, J v> by forward mode, a pull-back of the pull-back, is <Jᵀ w, v> by reverse mode."""
    v, w = directions(sample), cotangents(sample)
    xs, outputs = recorded(sample, sample.arrays)
    _, gradient = pulled_back(sample, sample.arrays)
    found = 0.0
    for y, w_k in zip(outputs, w, strict=True):
        if isinstance(y, Tensor):
            u = Tensor(np.full(y.shape, 0.7, y.dtype), requires_grad=True)
            for g, v_i in zip(gradients(y, xs, u, create_graph=True), v, strict=True):
                if isinstance(g, Tensor) and g.requires_grad:
                    found += np.vdot(w_k, gradients(g, [u], v_i)[0])
    scale = 1 + inner_of_sizes(gradient, v)
    agree(found, inner(gradient, v), scale, 1e-9, "in forward mode")


def single_precision(sample: Sample) -> None:
    """In float32, values have NumPy's dtype, gradients are float32, and both are near float64's."""
    arrays = [x.astype(np.float32) for x in sample.arrays]
    w = cotangents(sample)
    outputs, gradient = pulled_back(sample, arrays, w)
    for y, expected in zip(outputs, flat(sample.call(*arrays)), strict=True):
        if isinstance(y, Tensor):
            assert y.dtype == expected.dtype, f"{y.dtype}, where NumPy gives {expected.dtype}"
            close(y.data, expected, 1e-5, "the value of float32 Tensors is not that of arrays")
    _, precise = pulled_back(sample, [x.astype(np.float64) for x in arrays], w)
    for g, expected in zip(gradient, precise, strict=True):
        assert g.dtype == np.float32, f"a gradient of {g.dtype} for a float32 input"
        close(g, expected, 2e-3, "far from float64")


# The parts that the checks share


def flat(result: Any) -> list[Any]:
    """List the arrays in a result, which may be a tuple or list of them."""
    if isinstance(result, tuple | list):
        return [y for item in result for y in flat(item)]
    return [result]


def recorded(sample: Sample, arrays: Sequence[np.ndarray]) -> tuple[list[Tensor], list[Any]]:
    """Call the sample on Tensors: these, and what came out."""
    xs = [Tensor(x, requires_grad=True) for x in arrays]
    return xs, flat(sample.call(*xs))


def pulled_back(
    sample: Sample, arrays: Sequence[np.ndarray], w: Sequence[np.ndarray] | None = None
) -> tuple[list[Any], list[np.ndarray]]:
    """Give what came out, and the gradient by each array of the sum of <w, output>."""
    xs, outputs = recorded(sample, arrays)
    total = [np.zeros_like(x) for x in arrays]
    for y, w_k in zip(outputs, cotangents(sample) if w is None else w, strict=True):
        if isinstance(y, Tensor):
            found = gradients(y, xs, w_k)
            for x, g in zip(xs, found, strict=True):
                assert g.shape == x.shape, f"a gradient of shape {g.shape} for {x.shape}"
                assert g.dtype == x.dtype, f"a gradient of {g.dtype} for {x.dtype}"
            total = [a + g for a, g in zip(total, found, strict=True)]
    return outputs, total


def recorded_gradients(sample: Sample) -> tuple[list[Tensor], list[list[Any]]]:
    """Give the inputs as Tensors, and for each output the gradients by them, with a history."""
    xs, outputs = recorded(sample, sample.arrays)
    pairs = zip(outputs, cotangents(sample), strict=True)
    followed = [(y, w) for y, w in pairs if isinstance(y, Tensor)]
    return xs, [gradients(y, xs, w, create_graph=True) for y, w in followed]


@functools.cache
def central_difference(sample: Sample) -> tuple[float, float]:
    """Give the derivative of <w, output> along the direction, and the size of its terms."""
    w = cotangents(sample)
    ahead, behind = (flat(sample.call(*moved(sample, t))) for t in (STEP, -STEP))
    slopes = [
        (np.asarray(a) - np.asarray(b)) / (2 * STEP) if np.any(w_k) else w_k
        for a, b, w_k in zip(ahead, behind, w, strict=True)
    ]
    return inner(w, slopes), 1 + inner_of_sizes(w, slopes)


@functools.cache
def second_difference(sample: Sample) -> tuple[float, float]:
    """Give the derivative of <v, gradient> along the direction, and the size of its terms."""
    v = directions(sample, salt=1)
    ahead, behind = (pulled_back(sample, moved(sample, t))[1] for t in (STEP, -STEP))
    return (inner(v, ahead) - inner(v, behind)) / (2 * STEP), 1 + inner_of_sizes(v, ahead)


def moved(sample: Sample, t: float) -> list[np.ndarray]:
    """Move the sample's arrays along its direction."""
    return [x + t * d for x, d in zip(sample.arrays, directions(sample), strict=True)]


@functools.cache
def directions(sample: Sample, salt: int = 0) -> list[np.ndarray]:
    """Draw an array for each input."""
    return [_drawn(sample, (salt, i), x.shape) for i, x in enumerate(sample.arrays)]


@functools.cache
def cotangents(sample: Sample, salt: int = 0) -> list[np.ndarray]:
    """Draw an array for each output that is followed, and zeros for the others."""
    _, outputs = recorded(sample, sample.arrays)
    return [
        _drawn(sample, (9, salt, k), y.shape) if isinstance(y, Tensor) else np.zeros(np.shape(y))
        for k, y in enumerate(outputs)
    ]


def _drawn(sample: Sample, salt: tuple[int, ...], shape: tuple[int, ...]) -> np.ndarray:
    random = np.random.default_rng((zlib.crc32(str(sample).encode()), *salt))
    return random.uniform(0.5, 1.5, shape) * random.choice([-1, 1], shape)


def inner(xs: Sequence[Any], ys: Sequence[Any]) -> float:
    """The inner product of two lists of arrays."""
    return float(sum(np.vdot(x, y) for x, y in zip(xs, ys, strict=True)))


def inner_of_sizes(xs: Sequence[Any], ys: Sequence[Any]) -> float:
    """How large the terms of an inner product are."""
    return inner([np.abs(x) for x in xs], [np.abs(y) for y in ys])


def agree(found: float, expected: float, scale: float, tolerance: float, where: str) -> None:
    """Compare two inner products whose terms have the size ``scale``."""
    error = abs(found - expected)
    assert error <= tolerance * scale, (
        f"{where}: {found!r}, expected {expected!r}, off by {error / scale:.1e} of the terms' size"
    )


def close(found: Any, expected: Any, tolerance: float, complaint: str) -> None:
    """Compare two arrays, relative to their largest entry."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape, f"{complaint}: {found.shape}, not {expected.shape}"
    if found.size:
        scale = 1 + np.max(np.abs(expected), where=np.isfinite(expected), initial=0)
        assert np.allclose(found, expected, 0, tolerance * scale, equal_nan=True), (
            f"{complaint}: {found}, not {expected}"
        )
