"""The adjoint of a move is a move, and not a sum over gathered elements; what else was ignored."""

from __future__ import annotations

import numpy as np
import pytest

from tinygrad_bp import Tensor, gradients

A = np.arange(12.0).reshape(3, 4)


def nodes(tensor):
    """The nodes that lead to a Tensor."""
    found = [tensor]
    for node in found:
        found += [x for x in node.inputs if isinstance(x, Tensor)]
    return found


@pytest.mark.parametrize(
    "move",
    [
        lambda x: np.pad(x, ((1, 0), (2, 3))),
        lambda x: np.roll(x, (1, -2), axis=(0, 1)),
        lambda x: np.roll(x, 5),
        np.flip,
        lambda x: np.repeat(x, 3, axis=0),
        lambda x: np.diff(x, axis=1),
        lambda x: x[1:, ::-2],
    ],
)
def test_no_move_gathers_element_by_element(move):
    x = Tensor(A, requires_grad=True)
    y = move(x)
    seed = np.random.default_rng(0).uniform(size=y.shape)
    (gradient,) = gradients(y, [x], seed, create_graph=True)
    for node in (*nodes(y), *nodes(gradient)):
        for part in node.inputs[1:2] if node.rule else ():  # an index, where there is one
            parts = part if isinstance(part, tuple) else (part,)
            assert not any(isinstance(i, np.ndarray) and i.ndim for i in parts)
    shifted = A + 1e-6 * np.ones_like(A)
    slope = np.sum(seed * (move(shifted) - move(A))) / 1e-6
    assert np.sum(gradient.data) == pytest.approx(slope, rel=1e-5, abs=1e-8)


def test_a_roll_of_truth_values():
    mask = Tensor(np.array([True, False, False]))
    assert np.roll(mask, 1).data.tolist() == [False, True, False]
    assert np.copy(mask).data.tolist() == [True, False, False]
    assert np.diff(mask).data.tolist() == [True, False]


def test_nothing_to_the_power_of_zero_is_the_identity():
    x = Tensor(np.full((2, 2), np.nan), requires_grad=True)
    assert np.linalg.matrix_power(x, 0).data.tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize("p", [None, 2, -2, 1, np.inf, "fro"])
def test_a_singular_matrix_has_an_infinite_condition_number(p):
    for matrix in (np.zeros((2, 2)), np.array([np.eye(2), np.zeros((2, 2))])):
        with np.errstate(all="ignore"):
            expected = np.linalg.cond(matrix, p)
            found = np.linalg.cond(Tensor(matrix, requires_grad=True), p)
        assert np.array_equal(found.data, expected)


def test_a_ratio_from_zero_is_refused():
    with pytest.raises(ValueError, match="cannot go from 0"):
        np.geomspace(Tensor(0.0, requires_grad=True), 1.0, 3)


@pytest.mark.parametrize("function", [np.linspace, np.geomspace])
def test_grids_have_the_digits_of_their_type(function):
    start, stop = np.longdouble(1), np.longdouble(3)
    found = function(Tensor(start, requires_grad=True), stop, 4).data
    assert np.max(np.abs(found - function(start, stop, 4))) < 8 * np.finfo(np.longdouble).eps


def test_a_period_that_is_zero_is_refused():
    x = Tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(ValueError, match="period that is not 0"):
        np.interp(x, [0, 1], [0, 1], period=0)


@pytest.mark.parametrize("x", [0.0, 1e-8, 0.5, -3.0, 40.0, 700.0])
def test_the_bessel_function_of_order_zero_and_its_slope(x):
    t = Tensor(x, requires_grad=True)
    (slope,) = gradients(np.i0(t), [t], create_graph=True)
    curvature = gradients(slope, [t])[0]
    assert np.i0(t).item() == pytest.approx(np.i0(x), rel=1e-14)
    if abs(x) < 1e-3:
        assert slope.item() == pytest.approx(x / 2, rel=1e-14)
        assert curvature == pytest.approx(0.5, rel=1e-14)
    else:  # x² y'' + x y' = x² y
        found = x * x * curvature + x * slope.item()
        assert found == pytest.approx(x * x * np.i0(x), rel=1e-13)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_bessel_functions_against_scipy(order):
    special = pytest.importorskip("scipy.special")
    from tinygrad_bp.engine.rules.bessel import bessel

    x = np.array([-600.0, -2.0, 1e-3, 0.4, 7.0, 150.0])
    assert bessel(x, order) == pytest.approx(special.iv(order, x), rel=1e-11, abs=1e-16)
