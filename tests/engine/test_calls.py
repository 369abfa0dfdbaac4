"""How a call is read: axes, places, tuples, and what is too many or too few."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_bp as bp
from tinygrad_bp import Tensor, grad
from tinygrad_bp.functional import relu


@pytest.mark.parametrize(("x", "axis"), [([1.0, 2.0], 1), ([1.0, 2.0], -2), (1.0, -1)])
def test_diff_refuses_an_axis_that_is_not_there(x, axis):
    with pytest.raises(np.exceptions.AxisError):
        np.diff(Tensor(x), axis=axis)


def test_gradient_refuses_too_few_places():
    with pytest.raises(ValueError, match="2 places for the 3 points"):
        np.gradient(Tensor([1.0, 2.0, 4.0]), [0.0, 1.0])


def test_too_many_arguments_are_refused():
    x = Tensor([1.0, 2.0], requires_grad=True)
    for call in (lambda: x.exp(5), lambda: relu(x, 0.1), lambda: x.sum(0, None, None, 0, 0, 0, 9)):
        with pytest.raises(TypeError, match="too many"):
            call()


def test_where_needs_something_to_choose_from():
    with pytest.raises(TypeError, match=r"np\.nonzero"):
        np.where(Tensor([1.0, 0.0], requires_grad=True))


def test_a_truth_value_is_not_differentiated():
    with pytest.raises(TypeError, match="the function gave bool"):
        grad(lambda x: np.allclose(x, 2 * x))(1.0)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.dot(x, (1.0, 2.0, 3.0)),
        lambda x: np.convolve(x, (1.0, 2.0)).sum(),
        lambda x: np.tensordot(x, (1.0, 2.0, 3.0), axes=1),
        lambda x: np.linalg.solve(np.outer(x, x) + np.eye(3), (1.0, 2.0, 3.0)).sum(),
        lambda x: bp.functional.linear((1.0, 2.0, 3.0), np.outer(x, x)).sum(),
    ],
)
def test_tuples_of_numbers_are_arrays(f):
    assert bp.gradcheck(f, np.array([1.0, -2.0, 0.5]))


def test_gradients_that_can_be_differentiated_are_tensors():
    x, unrelated = (bp.Tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
    found = bp.gradients(x.sum(), [x, unrelated], create_graph=True)
    assert [type(g) for g in found] == [bp.Tensor, bp.Tensor]
