"""Mistakes that were made once: wrong numbers, lost memory, calls that were silently misread."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

from tinygrad_bp import Tensor, gradcheck

RNG = np.random.default_rng(0)


# What is computed


@pytest.mark.parametrize(
    "axes",
    [([0, 1], [1, 2]), ([0, 1], [1, 2], [2, 0]), ([..., 0], [0, 1], [..., 1]), ([1, 0], [0, 0])],
)
def test_einsum_takes_lists_of_axes(axes):
    shapes = [[4 if i is ... else 3 for i in places] for places in axes[:2]]
    x, y = (RNG.normal(size=shape) for shape in shapes)

    def f(x, y):
        return np.einsum(x, axes[0], y, *axes[1:])

    assert gradcheck(f, x, y, order=2)
    assert f(Tensor(x), Tensor(y)).data == pytest.approx(f(x, y), rel=1e-14)


@pytest.mark.skipif(not hasattr(np, "matvec"), reason="NumPy has it since 2.2")
def test_products_of_vectors_refuse_lengths_that_would_broadcast():
    x, one = Tensor(np.ones((2, 3)), requires_grad=True), np.ones((2, 1))
    for product in (lambda: np.vecdot(x, one), lambda: np.matvec(one[:, np.newaxis], x)):
        with pytest.raises(ValueError, match="matmul"):
            product()


# What is kept in memory


def test_multi_dot_leaves_no_cycle_behind():
    gc.disable()
    try:
        x = Tensor(np.eye(2), requires_grad=True) * 2.0
        alive = weakref.ref(x)
        y = np.linalg.multi_dot([x, x, x])
        del x, y
        assert alive() is None
    finally:
        gc.enable()
