"""Whether the engine differentiates a program rightly: values, gradients, second derivatives."""

from __future__ import annotations

import warnings
from collections import Counter
from typing import Any

import numpy as np

import tinygrad_bp as bp

from .jax_arrays import by_jax, jax
from .programs import Program
from .torch_arrays import by_torch, torch

count: Counter[str] = Counter()


def check(program: Program) -> None:
    """Raise an AssertionError that shows the program, if a derivative of it is wrong."""
    count["programs"] += 1
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            gradients = first_order(program)
            if gradients is not None:
                second_order(program, gradients)
        except Exception as error:
            wrong = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            raise AssertionError(f"{wrong}\n{program!r}") from error


def first_order(program: Program) -> list[np.ndarray] | None:
    """Compare the gradients that each way of asking gives, and one slope with a difference."""
    f, arrays = program.function(), list(program.leaves.values())
    value = f(*map(bp.Tensor, arrays))
    reference = program.reference()
    expected = reference(*arrays)
    assert np.allclose(np.asarray(value), expected, 1e-10, 1e-10), f"value {value}, not {expected}"
    everywhere = tuple(range(len(arrays)))
    gradients = list(bp.grad(f, everywhere)(*arrays))
    by_backward(f, arrays, gradients)
    for g, x in zip(gradients, arrays, strict=True):
        assert type(g) in {np.ndarray, np.float64}, f"a gradient of type {type(g)}"
        assert (g.shape, g.dtype) == (x.shape, x.dtype), f"a gradient of {g.dtype} {g.shape}"
    direction = directions(arrays, 1)[0]
    found = sum(float(np.sum(g * d)) for g, d in zip(gradients, direction, strict=True))
    _, forward = bp.jvp(f, tuple(arrays), tuple(direction))
    close(float(forward), found, 1e-9, "jvp against grad")
    slope = slope_along(reference, arrays, direction)
    if slope is None:
        count["without a derivative"] += 1
        return None
    size = sum(float(np.sum(np.abs(g * d))) for g, d in zip(gradients, direction, strict=True))
    close(found, slope, 1e-7 * (1 + min(size, 1e6)), "first derivative")
    count["first order"] += 1
    return gradients


def by_backward(f: Any, arrays: list[np.ndarray], gradients: list[np.ndarray]) -> None:
    """``backward``, twice: the leaves then hold twice the gradient."""
    leaves = [bp.Tensor(x, requires_grad=True) for x in arrays]
    loss = f(*leaves)
    if not getattr(loss, "requires_grad", False):
        assert not any(np.any(g) for g in gradients), "no history, and yet a gradient"
        return
    for times in (1, 2):
        loss.backward()
        for leaf, g in zip(leaves, gradients, strict=True):
            got = np.zeros(leaf.shape) if leaf.grad is None else leaf.grad
            assert np.allclose(got, times * g, 1e-12, 1e-12, equal_nan=True), f"backward {times}"


def second_order(program: Program, gradients: list[np.ndarray]) -> None:
    """Compare ``d₁ᵀ H d₂`` with a difference of differences."""
    f, arrays = program.function(), list(program.leaves.values())
    first, second = directions(arrays, 2)
    leaves = [bp.Tensor(x, requires_grad=True) for x in arrays]
    loss = f(*leaves)
    if not getattr(loss, "requires_grad", False):
        return
    again = bp.gradients(loss, leaves, create_graph=True)
    for g, plain in zip(again, gradients, strict=True):
        assert np.allclose(g.data, plain, 1e-12, 1e-12), "gradients with create_graph"
    along = sum(np.sum(g * d) for g, d in zip(again, first, strict=True))
    products = bp.gradients(along, leaves)
    found = sum(float(np.sum(h * d)) for h, d in zip(products, second, strict=True))
    curvature = curvature_along(program.reference(), arrays, first, second)
    if curvature is not None:
        size = sum(float(np.sum(np.abs(h * d))) for h, d in zip(products, second, strict=True))
        close(found, curvature, 1e-5 * (1 + min(size, 1e6)), "second derivative")
        count["second order"] += 1
        against_torch(program)
        against_jax(program)


def against_torch(program: Program) -> None:
    """Compare both orders with what PyTorch finds, for the steps that it can run."""
    if torch is None:
        return
    first, second = directions(list(program.leaves.values()), 2)
    part, gradients, mixed = by_torch(program, first, second)
    leaves = [bp.Tensor(x, requires_grad=True) for x in part.leaves.values()]
    loss = part.function()(*leaves)
    if not (getattr(loss, "requires_grad", False) and np.isfinite(mixed)):  # as sinc's is not at 0
        return
    found = bp.gradients(loss, leaves, create_graph=True)
    for g, right in zip(found, gradients, strict=True):
        assert np.allclose(g.data, right, 1e-8, 1e-8), f"{g.data}, and PyTorch finds {right}"
    along = sum(np.sum(g * d) for g, d in zip(found, first, strict=True))
    products = bp.gradients(along, leaves)
    size = sum(float(np.sum(np.abs(h * d))) for h, d in zip(products, second, strict=True))
    again = sum(float(np.sum(h * d)) for h, d in zip(products, second, strict=True))
    close(again, mixed, 1e-8 * (1 + size), "second derivative against PyTorch")
    count["against PyTorch"] += 1


def against_jax(program: Program) -> None:
    """Compare three orders with what JAX finds, for the steps that it can run."""
    if jax is None:
        return
    along = directions(list(program.leaves.values()), 3)
    part, gradients, higher = by_jax(program, *along)
    leaves = [bp.Tensor(x, requires_grad=True) for x in part.leaves.values()]
    loss = part.function()(*leaves)
    if not (getattr(loss, "requires_grad", False) and np.all(np.isfinite(higher))):
        return
    for order, (direction, right) in enumerate(zip(along, higher, strict=True), 1):
        found = bp.gradients(loss, leaves, create_graph=True)
        if order == 1:
            for g, other in zip(found, gradients, strict=True):
                assert np.allclose(g.data, other, 1e-8, 1e-8), f"{g.data}, and JAX finds {other}"
        size = sum(float(np.sum(np.abs(g.data * d))) for g, d in zip(found, direction, strict=True))
        loss = sum(np.sum(g * d) for g, d in zip(found, direction, strict=True))
        close(loss.item(), right, 1e-8 * (1 + size), f"derivative {order} against JAX")
        if not loss.requires_grad:
            assert not any(higher[order:]), f"JAX finds more: {higher}"
            break
    count["against JAX"] += 1


def close(found: float, right: float, tolerance: float, what: str) -> None:
    assert abs(found - right) <= tolerance * max(1.0, abs(right)), f"{what}: {found}, not {right}"


def directions(arrays: list[np.ndarray], number: int) -> list[list[np.ndarray]]:
    generator = np.random.default_rng(number)
    return [[generator.uniform(-1, 1, x.shape) for x in arrays] for _ in range(number)]


def moved(f: Any, arrays: Any, *steps: tuple[float, list[np.ndarray]]) -> np.longdouble:
    """``f``, in the widest type, at the arrays after these steps."""
    wide = [np.asarray(x, np.longdouble) for x in arrays]
    for length, direction in steps:
        wide = [x + np.longdouble(length) * d for x, d in zip(wide, direction, strict=True)]
    return np.longdouble(f(*wide))


def slope_along(f: Any, arrays: Any, d: list[np.ndarray]) -> float | None:
    """The derivative of ``f`` along ``d`` by central differences; None at a kink or a jump."""
    try:
        middle = moved(f, arrays)
        slopes, bends = [], []
        for h in (1e-5, 5e-6):
            after, before = moved(f, arrays, (h, d)), moved(f, arrays, (-h, d))
            slopes.append((after - before) / (2 * h))
            bends.append((after - 2 * middle + before) / h)
    except (ValueError, TypeError, np.linalg.LinAlgError):  # the shape depends on the values
        return None
    scale = 1e-8 * (1 + abs(slopes[1]))
    smooth = abs(slopes[1] - slopes[0]) < scale and abs(bends[0] - 2 * bends[1]) < scale
    near = abs(middle - f(*arrays)) < 1e-9 * (1 + abs(middle))  # no jump between the two types
    return float((4 * slopes[1] - slopes[0]) / 3) if smooth and near else None


def curvature_along(f: Any, arrays: Any, d: Any, e: Any) -> float | None:
    """The second derivative of ``f`` along ``d`` and ``e``; None where there seems to be none."""
    f(*arrays)  # what is frozen is frozen here
    found = []
    for h in (1e-4, 5e-5):
        corners = [
            i * j * moved(f, arrays, (i * h, d), (j * h, e)) for i in (1, -1) for j in (1, -1)
        ]
        found.append(sum(corners) / (4 * h * h))
    if not abs(found[1] - found[0]) < 1e-5 * (1 + abs(found[1])):
        return None
    return float((4 * found[1] - found[0]) / 3)
