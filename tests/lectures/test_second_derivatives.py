"""Hessians, products with them and the gradient after Newton's step, against formulas."""

import math

import numpy as np
import pytest
import second_derivatives as page

from .comparison import answers, disagreements, mutated
from .test_programs import run

X, Y = 2.0, 3.0
HESSIAN = np.array([[2 * Y, 2 * X], [2 * X, -math.sin(Y)]])


def test_every_row():
    rows = list(page.rows())
    assert not disagreements(rows)
    gradient, hessian, again, product, pearlmutter, third, activations = (row[2] for row in rows)
    np.testing.assert_allclose(gradient, [2 * X * Y, X**2 + math.cos(Y)], rtol=1e-14)
    for found in (hessian, again):
        np.testing.assert_allclose(found, HESSIAN, rtol=1e-14)
    for found in (product, pearlmutter):
        np.testing.assert_allclose(found, HESSIAN[:, 0] - HESSIAN[:, 1], rtol=1e-14)
    assert third == pytest.approx(-math.cos(Y))
    t = math.tanh(1)
    np.testing.assert_allclose(activations, [0, -2 * t * (1 - t * t)], rtol=1e-13)


def test_a_wrong_hessian_is_noticed():
    for right, wrong in [("[2 * x, -np.sin(y)]", "[2 * y, -np.sin(y)]"), ("2 * x * y", "x * y")]:
        assert disagreements(mutated(page.rows, right, wrong)())


def test_two_backward_passes():
    assert page.twice() == (2 * Y, 2 * X)
    output, x, y = page.recorded()
    assert (output.name, x.grad.name, y.grad.name) == ("f", "∂f/∂x", "∂f/∂y")
    assert x.grad.requires_grad


def test_answers():
    passes, (straight, curved), left = answers(page)
    assert passes == 1 + 5
    assert straight == 0
    assert curved == pytest.approx(-2 * math.tanh(1) / math.cosh(1) ** 2)
    assert left < 1e-13


def test_the_page_runs(tmp_path):
    output = run("second_derivatives", "--out", tmp_path / "seen", "--answers", folder=tmp_path)
    assert [path.name for path in (tmp_path / "seen").iterdir()] == ["second_derivatives.svg"]
    assert "f_xx, f_xy = (6.0, 4.0)" in output
    assert len(output.splitlines()) < 75
