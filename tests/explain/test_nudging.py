"""What nudging and propagating take, and how expressions and norms are written."""

import numpy as np
import pytest

import tinygrad_bp as bp


def test_nudging_within_no_grad_still_finds_the_gradient():
    with bp.no_grad():
        assert bp.nudge(lambda x: x**3, 2.0).gradient == 12


@pytest.mark.parametrize("x", [None, "a", 1j])
def test_nudging_needs_a_number(x):
    with pytest.raises(TypeError, match="Cannot cast"):
        bp.nudge(lambda x: x**3, x)


@pytest.mark.parametrize("h", ["a", None, np.inf])
def test_nudging_needs_a_finite_step(h):
    with pytest.raises((TypeError, ValueError), match="h must be"):
        bp.nudge(lambda x: x**3, 2.0, h)


def test_nudging_needs_a_number_back():
    with pytest.raises(TypeError, match=r"f\(x\) must be a number, not None"):
        bp.nudge(lambda x: None, 2.0)


def test_propagating_needs_a_semiring():
    x = bp.Tensor(2.0, requires_grad=True)
    with pytest.raises(TypeError, match=r"a Semiring such as explain\.GRADIENT, not 'max'"):
        bp.propagate(x * x, "max")


@pytest.mark.parametrize(
    ("made", "expression"),
    [
        (lambda x: np.einsum("ij,kj->ik", x, x), "einsum(ij,kj->ik, x, x)"),
        (lambda x: x.astype(np.float32), "astype(x, float32)"),
        (lambda x: x.astype(np.dtype("f4")), "astype(x, float32)"),
        (lambda x: np.sum(x, axis=0, dtype=np.float64), "sum(x, axis=0, dtype=float64)"),
    ],
)
def test_inputs_that_are_no_numbers_are_told_and_drawn_as_words(made, expression):
    y = made(bp.Tensor(np.ones((2, 3)), requires_grad=True, name="x"))
    z = y.sum()
    assert f"v1 = {expression}" in str(bp.trace(z))
    for backward in (False, True):
        assert expression in bp.draw(z, backward=backward).description


def test_a_norm_of_numbers_too_large_to_square():
    large = np.zeros(30)
    large[:2] = 3e200, 4e200
    z = (bp.Tensor(np.ones(30), requires_grad=True) * large).sum()
    assert "|5.00e+200|" in str(bp.trace(z))
    assert "5.00e+200" in bp.draw(z, backward=True).source
