"""Where a derivative jumps, or its formula divides zero by zero: the conventions, one by one."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tinygrad_bp import Tensor, gradients


def gradient(f, *values):
    """Differentiate the sum of f by every value, without computing it: it may be infinite."""
    xs = [Tensor(x, requires_grad=True) for x in values]
    y = f(*xs)
    found = gradients(y, xs, np.ones(y.shape))
    return found if len(xs) > 1 else found[0]


def derivatives(f, x, orders):
    """Differentiate f at x once, twice, ..., as numbers."""
    x = Tensor(float(x), requires_grad=True)
    y, found = f(x), []
    for _ in range(orders):
        (y,) = gradients(y, [x], create_graph=True)
        found.append(float(getattr(y, "data", y)))
        if not getattr(y, "requires_grad", False):
            return found + [0.0] * (orders - len(found))
    return found


def mixed(f, x, y):
    """Differentiate f by x, then by y, and the other way round."""
    x, y = Tensor(float(x), requires_grad=True), Tensor(float(y), requires_grad=True)
    by_x, by_y = gradients(f(x, y), [x, y], create_graph=True)
    return float(gradients(by_x, [y])[0]), float(gradients(by_y, [x])[0])


# Powers


@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 0.0, 2.0, 3.0])
@pytest.mark.parametrize("x", [-2.0, 0.0, 1.5])
def test_a_whole_power_is_differentiated_at_and_below_zero(x, n):
    expected = [math.perm(int(n), k) * x ** max(n - k, 0) for k in (1, 2, 3)]
    assert derivatives(lambda t: t**n, x, 3) == expected


def test_exponents_in_an_array_meet_zero():
    base, exponent = np.array([0.0, 0.0, 0.0, -2.0]), np.array([0.0, 1.0, 2.0, 3.0])
    assert gradient(lambda x: x**exponent, base).tolist() == [0, 1, 0, 12]
    assert gradient(lambda y: np.array([0.0, 0.0]) ** y, np.array([0.0, 2.0])).tolist() == [0, 0]


def test_a_number_to_a_power():
    assert derivatives(lambda y: 2**y, 3, 2) == pytest.approx(
        [8 * math.log(2), 8 * math.log(2) ** 2], rel=1e-15
    )
    assert derivatives(lambda y: 0**y, 3, 2) == [0, 0]


@pytest.mark.parametrize("y", [0, 1, 2, 0.5, -1])
def test_mixed_partials_of_a_power(y):
    x = 1.7
    expected = x ** (y - 1) * (1 + y * math.log(x))
    assert mixed(np.power, x, y) == pytest.approx((expected, expected), rel=1e-14)


# Ties and kinks


@pytest.mark.parametrize("f", [np.maximum, np.minimum, np.fmax, np.fmin])
def test_the_larger_or_smaller_of_two_shares_evenly_where_they_tie(f):
    x, y = gradient(f, np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 2.0]))
    first = [0, 0.5, 1] if f in (np.maximum, np.fmax) else [1, 0.5, 0]
    assert x.tolist() == first
    assert y.tolist() == first[::-1]


@pytest.mark.parametrize("f", [np.fmax, np.fmin])
def test_a_number_wins_over_nan(f):
    x, y = gradient(f, np.array([np.nan, 1.0]), np.array([2.0, np.nan]))
    assert x.tolist() == [0, 1]
    assert y.tolist() == [1, 0]


@pytest.mark.parametrize("f", [np.max, np.amax, np.nanmax, lambda x, **k: -np.min(-x, **k)])
def test_an_extreme_shares_evenly_among_ties(f):
    x = np.array([[[1.0, 3.0], [3.0, 2.0]], [[5.0, 5.0], [5.0, 5.0]]])
    whole = [[[0, 0], [0, 0]], [[0.25, 0.25], [0.25, 0.25]]]
    assert gradient(f, x).tolist() == whole
    shared = [[[0, 0.5], [0.5, 0]], [[0.25, 0.25], [0.25, 0.25]]]
    for axes in ((1, 2), (-1, 1)):
        assert gradient(lambda x, axes=axes: f(x, axis=axes), x).tolist() == shared
    rows = [[[0, 1], [1, 0]], [[0.5, 0.5], [0.5, 0.5]]]
    assert gradient(lambda x: f(x, axis=-1, keepdims=True), x).tolist() == rows


def test_an_initial_value_above_all_takes_the_gradient():
    assert gradient(lambda x: np.max(x, initial=9.0), np.array([1.0, 2.0])).tolist() == [0, 0]


def test_ptp_of_equal_elements_is_flat():
    assert gradient(np.ptp, np.array([2.0, 2.0])).tolist() == [0, 0]


def test_absolute_value_is_flat_at_zero():
    for f in (np.absolute, np.fabs, lambda x: np.copysign(x, -1.0)):
        assert abs(gradient(f, np.array([-3.0, 0.0, 3.0]))).tolist() == [1, 0, 1]


def test_clip_has_slope_one_within_and_at_its_bounds():
    x = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    assert gradient(lambda x: np.clip(x, -1, 1), x).tolist() == [0, 1, 1, 1, 0]
    found = gradient(np.clip, x, np.array(-1.0), np.array(1.0))
    assert [g.tolist() for g in found] == [[0, 1, 1, 1, 0], 1, 1]
    crossed = gradient(np.clip, np.array(0.0), np.array(1.0), np.array(-1.0))
    assert [float(g) for g in crossed] == [0, 0, 1]  # NumPy: the upper bound wins


@pytest.mark.parametrize("step", [np.sign, np.floor, np.ceil, np.trunc, np.rint, np.fix, np.round])
def test_steps_have_zeros_and_not_a_missing_gradient(step):
    x = Tensor([-1.5, 0.0, 2.0], requires_grad=True)
    step(x).sum().backward()
    assert x.grad.tolist() == [0, 0, 0]


def test_where_written_safely_keeps_infinity_out():
    def safe(x):
        return np.where(x > 0, np.log(np.where(x > 0, x, 1)), 0)

    assert gradient(safe, np.array([-1.0, 0.0, 4.0])).tolist() == [0, 0, 0.25]
    assert derivatives(safe, 0, 2) == [0, 0]


# Zero over zero


def test_sqrt_at_zero_is_what_division_gives():
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        assert gradient(np.sqrt, np.array([0.0, 4.0])).tolist() == [np.inf, 0.25]


@pytest.mark.parametrize("f", [np.hypot, np.arctan2])
def test_the_origin_has_no_direction(f):
    """Where a subgradient exists it is that of least norm; the angle has none."""
    if f is np.hypot:
        assert gradient(f, np.array(0.0), np.array(0.0)) == [0, 0]
        return
    with pytest.warns(RuntimeWarning, match="invalid value"):
        assert np.isnan(gradient(f, np.array(0.0), np.array(0.0))).all()


def test_hypot_and_arctan2_of_large_numbers_do_not_overflow():
    assert gradient(np.hypot, np.array(3e200), np.array(4e200)) == pytest.approx([0.6, 0.8])
    found = gradient(np.arctan2, np.array(3e200), np.array(4e200))
    assert found == pytest.approx([0.16e-200, -0.12e-200], rel=1e-15, abs=0)


def sinc_by_terms(x, order):
    """The derivative of sinc, by its series: Σ (-1)^k π^2k x^(2k - order) perm / (2k + 1)!."""
    return sum(
        (-1) ** k
        * math.pi ** (2 * k)
        * math.perm(2 * k, order)
        * x ** (2 * k - order)
        / math.factorial(2 * k + 1)
        for k in range((order + 1) // 2, 30)
    )


@pytest.mark.parametrize("x", [0.0, 1e-200, 1e-9, -1e-4, 0.3, 0.4999999, 0.5, -0.7, 1.0])
def test_sinc_to_fourth_order(x):
    expected = [sinc_by_terms(x, k) for k in (1, 2, 3, 4)]
    assert derivatives(np.sinc, x, 4) == pytest.approx(expected, rel=1e-10, abs=1e-11)
    if x == 0:
        assert expected[1] == pytest.approx(-(math.pi**2) / 3)


@pytest.mark.parametrize("f", [np.logaddexp, np.logaddexp2])
def test_logaddexp_far_out(f):
    x = np.array([np.inf, -np.inf, 1000.0, -1000.0, 1000.0, np.inf, -np.inf, 5.0])
    y = np.array([np.inf, -np.inf, 1000.0, -1000.0, -1000.0, 5.0, 5.0, -np.inf])
    by_x, by_y = gradient(f, x, y)
    assert by_x == pytest.approx([0.5, 0.5, 0.5, 0.5, 1, 1, 0, 1], abs=1e-200)
    assert by_y == pytest.approx([0.5, 0.5, 0.5, 0.5, 0, 0, 1, 0], abs=1e-200)


def test_logaddexp_of_ties_to_second_order():
    assert mixed(np.logaddexp, 2, 2) == (-0.25, -0.25)
    assert mixed(np.logaddexp, 1000, 1000) == (-0.25, -0.25)


# Cancellation


def test_small_slopes_keep_their_digits():
    assert gradient(np.expm1, np.array(-40.0)) == np.exp(-40.0)
    assert gradient(np.log1p, np.array(1e-20)) == 1
    assert gradient(np.tanh, np.array(1e-10)) == 1
    near = 1 - 2.0**-40
    expected = 1 / math.sqrt(2.0**-40 * (2 - 2.0**-40))
    assert gradient(np.arcsin, np.array(near)) == pytest.approx(expected, rel=1e-15)
    assert gradient(np.arcsinh, np.array(1e200)) == pytest.approx(1e-200, rel=1e-15, abs=0)


def test_fmod_counts_as_fmod_does():
    assert gradient(np.fmod, np.array(1.0), np.array(0.1)) == [1, -9]  # 1 / 0.1 rounds up to 10
    assert gradient(np.fmod, np.array(-1.0), np.array(0.1)) == [1, 9]
    assert gradient(np.remainder, np.array(-1.0), np.array(0.3)) == [1, 4]


# Reductions


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        ([2.0, 3.0, 4.0], [12, 8, 6]),
        ([2.0, 0.0, 4.0], [0, 8, 0]),
        ([0.0, 3.0, 0.0], [0, 0, 0]),
        ([5.0], [1]),
    ],
)
def test_prod_divides_by_nothing(x, expected):
    assert gradient(np.prod, np.array(x)).tolist() == expected


def test_prod_of_two_zeros_to_second_order():
    x = Tensor([0.0, 3.0, 0.0], requires_grad=True)
    (slope,) = gradients(np.prod(x), [x], create_graph=True)
    hessian = [gradients(slope[i], [x])[0].tolist() for i in range(3)]
    assert hessian == [[0, 0, 3], [0, 0, 0], [3, 0, 0]]


@pytest.mark.parametrize("f", [np.prod, np.sum, np.cumprod, np.cumsum])
def test_an_empty_array_has_an_empty_gradient(f):
    assert gradient(f, np.zeros((0,))).shape == (0,)
    assert gradient(lambda x: f(x, axis=0), np.zeros((0, 3))).shape == (0, 3)


@pytest.mark.parametrize("f", [np.prod, np.cumprod])
def test_products_of_a_scalar(f):
    assert gradient(f, np.array(3.0)) == 1


def test_var_of_one_element():
    assert gradient(np.var, np.array([3.0])).tolist() == [0]
    with pytest.warns(RuntimeWarning):
        assert np.isnan(gradient(lambda x: np.var(x, ddof=1), np.array([3.0]))).all()


def test_std_of_equal_elements_is_flat():
    assert gradient(np.std, np.array([3.0, 3.0])).tolist() == [0, 0]


def test_quantiles_of_infinite_data():
    x = np.array([np.inf, 1.0, 3.0, -np.inf, 2.0])
    assert np.median(Tensor(x, requires_grad=True)).item() == 2
    assert gradient(np.median, x).tolist() == [0, 0, 0, 0, 1]
    assert np.isnan(np.median(Tensor([1.0, np.nan, 2.0], requires_grad=True)).item())


def test_quantiles_say_what_they_do_not_do():
    x = Tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(TypeError, match="method='nearest'"):
        np.quantile(x, 0.5, method="nearest")
    with pytest.raises(ValueError, match=r"range \[0, 1\]"):
        np.quantile(x, [0.5, 1.5])
    with pytest.raises(TypeError, match=r"needs axis= for shape \(2, 3\) and weights of \(3,\)"):
        np.average(Tensor(np.ones((2, 3)), requires_grad=True), weights=np.ones(3))
    with pytest.raises(ValueError, match="needs axis="):
        np.cumulative_sum(Tensor(np.ones((2, 3)), requires_grad=True))


# Methods of ufuncs


def test_methods_of_ufuncs_without_a_derivative_say_what_to_use():
    x = Tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(TypeError, match=r"np\.add\.at .* it writes in place; use"):
        np.add.at(np.zeros(2), [0, 1], x)
    with pytest.raises(TypeError, match=r"np\.add\.reduceat .* slices one by one"):
        np.add.reduceat(x, [0])
    for f in (np.frexp, np.spacing, lambda x: np.nextafter(x, 1)):
        with pytest.raises(TypeError, match="use"):
            f(x)


def test_comparisons_give_plain_arrays():
    x = Tensor([1.0, np.nan], requires_grad=True)
    for plain in (np.isfinite(x), np.logical_not(x), np.isreal(x), x < 2):
        assert type(plain) is np.ndarray
        assert plain.dtype == bool


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_scalars_in_a_formula_do_not_change_the_dtype(dtype):
    x = Tensor([0.3, 0.4], requires_grad=True, dtype=dtype)
    y = np.sinc(x) + np.exp2(x) + x**2 + 2**x + np.clip(x, 0, 1) + np.log10(x) + np.deg2rad(x)
    y = np.quantile(y, 0.3) + np.var(y) + np.average(y) + np.maximum(x, 0.1) + np.arcsinh(x)
    assert y.dtype == dtype
    (g,) = gradients(y.sum(), [x])
    assert g.dtype == dtype
