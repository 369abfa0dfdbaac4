"""Counted multiplications and measured memory against formulas."""

import costs as page
import numpy as np
import pytest
from counted import Counted, multiplications

import tinygrad_bp as bp

from .comparison import answers
from .test_programs import run


def test_counted_arrays_count():
    a, b = Counted(np.ones((2, 3))), Counted(np.ones((3, 5)))
    assert multiplications(lambda: a @ b) == 2 * 5 * 3
    assert multiplications(lambda: a * 2.0) == 6
    assert multiplications(lambda: a / a) == 6
    assert multiplications(lambda: np.square(a)) == 6
    assert multiplications(lambda: np.exp(a) + a - np.sum(a)) == 0
    assert multiplications(lambda: np.sum(bp.Tensor(a, requires_grad=True) * a)) == 6


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize(("L", "n"), [(1, 1), (1, 4), (2, 3), (3, 2), (5, 4), (10, 100)])
def test_forward_and_backward(L, n, batch):
    forward, backward = page.of_a_network(L, n, batch)
    assert forward == L * n**2 * batch
    assert backward == ((2 * L - 1) * n**2 + L * n) * batch


@pytest.mark.parametrize(("L", "n"), [(1, 3), (2, 2), (2, 3), (3, 3), (4, 3), (5, 2), (8, 2)])
def test_the_naive_pass(L, n):
    """Layer by layer: the last is come to once, and each other n times as often as the next."""
    expected, visits = 0, 1
    for layer in range(L, 0, -1):
        pays = n + (n if layer > 1 else 0) + 1  # weights, inputs, the slope of ReLU
        expected += n * visits * pays
        visits *= n
    assert page.of_the_naive_pass(L, n) == page.naive_by_formula(L, n) == expected


def test_what_nobody_could_wait_for():
    assert f"{float(page.naive_by_formula(10, 100)):.0e}" == "1e+22"


@pytest.mark.parametrize("every", [1, 2, 3, 5, 6, 10])
def test_recomputing_gives_the_same_gradients(every):
    layers, a = page.weights(6, 4), np.random.default_rng(3).normal(size=(4, 5))
    for kept, recomputed in zip(
        page.whole(layers, a), page.recomputing(layers, a, every), strict=True
    ):
        np.testing.assert_allclose(kept, recomputed, rtol=1e-12)


@pytest.mark.parametrize(("L", "batch", "every"), [(16, 512, 4), (64, 512, 8), (16, 2048, 4)])
def test_memory(L, batch, every):
    """Two arrays a layer, W and its gradient beside them; and a few on the way."""
    matrix = 64 / batch
    assert page.memory(L, 64, batch) == pytest.approx(2 * L * (1 + matrix), abs=5)
    expected = L / every - 1 + 2 * every * (1 + matrix) + L * matrix
    assert page.memory(L, 64, batch, every) == pytest.approx(expected, abs=5)


def test_recomputing_costs_one_more_forward_pass():
    """But for the last segment's, which serves both; and the forward passes of those before."""
    layers, a = page.weights(16, 8, Counted), np.ones((8, 1))
    again = multiplications(lambda: page.recomputing(layers, a, 4))
    assert again - sum(page.of_a_network(16, 8)) == (16 - 4) * 8**2


@pytest.mark.parametrize(("n", "m"), [(1, 64), (4, 32), (8, 8), (32, 4), (64, 1), (3, 2)])
def test_modes(n, m):
    h = page.HIDDEN
    f = h * n + m * h
    assert page.of_the_modes(n, m) == {
        "f": f,
        "vjp": 2 * f + h,
        "jvp": 3 * f + 2 * h + 2 * n,
        "rows": f + m * (f + h),
        "columns": n * (3 * f + 2 * h + 2 * n),
        "gradient": 2 * f + h + 2 * m,
        "hvp": 4 * f + 5 * h + 3 * m + 2 * n,
        "hessian": 2 * f + h + 2 * m + n * (2 * f + 4 * h + m),
    }


def test_answers():
    wider, (columns, rows), every = answers(page)
    assert wider == 4
    assert (columns, rows) == (4 * (3 * 288 + 16 + 8), 288 + 32 * (288 + 8))
    assert every == 8


def test_the_page_runs(tmp_path):
    pytest.importorskip("matplotlib")
    output = run("costs", "--out", tmp_path / "seen", "--answers", folder=tmp_path)
    assert [path.name for path in (tmp_path / "seen").iterdir()] == ["costs.png"]
    rows = [line.split() for line in output.splitlines()]
    assert ["10", "100", "100000", "191000", "1e+22"] in rows
    assert ["4", "32", "288", "584", "888", "9760", "3552", "648", "1296", "3208"] in rows
    assert f"{3136 + 12 * 64} multiplications in place of 3136" in output
    assert len(output.splitlines()) < 75
