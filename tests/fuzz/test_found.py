"""What random programs found to be wrong, in its shortest form, with the right values."""

from __future__ import annotations

import numpy as np
import pytest

from tinygrad_bp import grad, value_and_grad


@pytest.mark.parametrize("axis", [0, -1])
def test_the_running_product_of_one_number_has_an_axis(axis):
    assert value_and_grad(lambda x: np.cumprod(x, axis=axis).sum())(2.5) == (2.5, 1.0)


@pytest.mark.parametrize("number", [2, 2.0])
def test_convolution_takes_a_number(number):
    value, g = value_and_grad(lambda x: np.convolve(x, number).sum())(np.ones(3))
    assert value == 6
    assert g.tolist() == [2, 2, 2]


@pytest.mark.parametrize("function", [np.std, np.nanstd, np.linalg.norm])
def test_a_spread_that_is_zero_for_any_input_has_the_derivative_zero(function):
    x = np.array([[1.5, -2.0], [0.5, 3.0]])
    assert not grad(lambda x: function(x - x))(x).any()
    assert not grad(lambda x: np.sum(function(0 * x, axis=0)))(x).any()


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "f2", "f4", "?"])
def test_a_base_of_a_narrow_type_does_not_narrow_its_logarithm(dtype):
    base = np.array([2, 7, 1], dtype)
    x = np.array([1.5, 0.3, -2.0])
    wide = base.astype(float)
    right = wide**x * np.log(wide)
    np.testing.assert_allclose(grad(lambda x: np.sum(base**x))(x), right, 1e-14)


def test_a_constant_that_is_written_after_its_use_stays_as_it_was():
    b = np.array([1, -2, 3], np.int8)
    x = np.array([0.5, 1.5, -1.0])
    expected = 1 / (1 + np.exp(b - x))

    def f(x):
        y = np.logaddexp(x, b)
        b[...] = 2
        return np.sum(y)

    np.testing.assert_allclose(grad(f)(x), expected, 1e-14)
