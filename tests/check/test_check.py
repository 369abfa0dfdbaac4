"""The users' checks: `gradcheck` against wrong derivatives, `detect_nan` against NaN."""

import threading
import warnings

import numpy as np
import pytest

from tinygrad_bp import Tensor, functional, grad, no_grad
from tinygrad_bp.check import GradientError, detect_nan, gradcheck
from tinygrad_bp.engine.registry import RULES, primitive, rule

a = np.array([0.3, -1.2, 2.0])


@primitive
def slipped(x):
    """A cube whose derivative is wrong in one entry."""
    return x**3


@primitive
def unsteady(x):
    """A cube whose derivative is right, and its second derivative wrong."""
    return x**3


@pytest.fixture(autouse=True)
def _wrong_rules():
    rule(slipped, lambda g, out, x: g * 3 * x**2 * np.array([1, 1.001, 1]))
    rule(unsteady, lambda g, out, x: g * 3 * x * getattr(x, "data", x))
    yield
    del RULES[slipped], RULES[unsteady]


# gradcheck


@pytest.mark.parametrize("order", [1, 2, 3])
def test_right_derivatives_pass(order):
    assert gradcheck(lambda x, y: np.sum(np.tanh(x) * y**2), a, 1.5, order=order) is True


def test_many_inputs_outputs_and_kinds_of_them():
    W = np.random.default_rng(0).normal(size=(2, 3))
    assert gradcheck(lambda W, x: np.exp(W @ x), W, Tensor(a), order=2)
    assert gradcheck(np.multiply, 2, [1.0, 2.0])
    assert gradcheck(lambda x: np.ones(3), 2.0)
    assert gradcheck(lambda x: x, 2.0)
    assert gradcheck(lambda t: t.relu().sum(), a)


def test_parameters_closed_over_are_constants():
    w = Tensor(a, requires_grad=True)
    assert gradcheck(lambda x: np.sum(w * x**2), a, order=2)
    assert w.grad is None


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e6, 1e12])
def test_functions_of_any_size(scale):
    assert gradcheck(lambda x: scale * np.sin(x), a, order=2)
    with pytest.raises(GradientError):
        gradcheck(lambda x: scale * slipped(x), a)


@pytest.mark.parametrize("x", [1e-3, 1e3, 1e6])
def test_inputs_of_any_size(x):
    assert gradcheck(np.log, x, order=2)


def test_the_worst_entry_is_shown():
    with pytest.raises(GradientError) as raised:
        gradcheck(lambda y, x: y * slipped(x), 2.0, a)
    assert str(raised.value) == (
        "d output[1] / d input 1[1]: 8.64864 by the rules, 8.64 by central differences, "
        "relative difference 0.000999; the worst of 1 that disagree among 12 entries"
    )


def test_a_wrong_second_derivative_is_found_by_order_2_alone():
    assert gradcheck(unsteady, a)
    with pytest.raises(GradientError, match=r"d \(d output / d input 0\)\[0, 0\] / d input 0\[0\]"):
        gradcheck(unsteady, a, order=2)


def test_a_derivative_that_is_nan():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(GradientError, match="nan by the rules"):
            gradcheck(lambda x: np.where(x > 0, np.sqrt(x * 0), x), -1.0)


@pytest.mark.parametrize(
    ("f", "x", "slopes"),
    [
        (np.abs, 0.0, "-1 on the left and 1 on"),
        (lambda x: x.relu(), np.array([1.0, 0.0]), "0 on the left and 1 on"),
        (np.max, np.array([2.0, 5.0, 5.0]), "0 on the left and 1 on"),
        (lambda x: np.maximum(x, x * 2), 0.0, "1 on the left and 2 on"),
    ],
)
def test_a_kink_is_named(f, x, slopes):
    with pytest.raises(GradientError, match=rf"has a kink at input 0.* its slope is {slopes}"):
        gradcheck(f, x)


@pytest.mark.parametrize("x", [0.0, 1e-7])
def test_a_stationary_point_is_no_kink(x):
    assert gradcheck(lambda x: x**2, x)
    assert gradcheck(lambda x: 1 - np.cos(x), x)
    assert gradcheck(lambda x: x**3, x)


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int64, bool, complex])
def test_only_float64_is_checked(dtype):
    with pytest.raises(TypeError, match=r"input 1 is .*sixteen digits"):
        gradcheck(np.multiply, 1.0, np.ones(2, dtype))


def test_order_0():
    with pytest.raises(ValueError, match="order=0"):
        gradcheck(np.sin, 1.0, order=0)


# detect_nan


def test_a_forward_operation_is_named_with_its_line():
    x = Tensor([1.0, -2.0], requires_grad=True, name="x")
    with detect_nan():
        y = x * 2
        with pytest.raises(FloatingPointError) as raised:
            np.log(y)  # this line
    message = str(raised.value)
    assert message.startswith("log of Tensor (2,) gave nan at [1]; called at ")
    assert "test_check.py:" in message
    assert message.endswith(": np.log(y)  # this line")


def test_operands_are_named():
    x, y = Tensor(1.0, requires_grad=True, name="x"), Tensor(np.zeros(2), name="y")
    says = r"^divide of x \(\) and y \(2,\) gave inf at"
    with detect_nan(), pytest.raises(FloatingPointError, match=says):
        x / y


def test_a_derivative_is_named_with_the_line_of_the_forward_pass():
    x = Tensor([4.0, 0.0], requires_grad=True, name="x")
    with detect_nan():
        y = np.sqrt(x).sum()  # forward
        with pytest.raises(FloatingPointError) as raised:
            y.backward()
    message = str(raised.value)
    assert message.startswith("the derivative of sqrt of x (2,) is inf at [1]; called at ")
    assert message.endswith(": y = np.sqrt(x).sum()  # forward")
    assert x.grad is None


def test_a_derivative_that_is_itself_recorded():
    x = Tensor(0.0, requires_grad=True, name="x")
    with detect_nan():
        y = np.sqrt(x)  # forward
        with pytest.raises(FloatingPointError) as raised:
            y.backward(create_graph=True)
    message = str(raised.value)
    assert "gave inf; called at" in message
    assert "y.backward(create_graph=True); in the derivative of sqrt of x (), called" in message
    assert message.endswith("y = np.sqrt(x)  # forward")


def test_a_second_derivative():
    with detect_nan(), pytest.raises(FloatingPointError, match="power"):
        grad(grad(lambda x: np.power(x, 1.5)))(0.0)


def test_the_line_is_the_users_below_functions_of_the_package():
    logits = Tensor([[np.float64(1e308), -1e308]], requires_grad=True)
    says = r"test_check.py:\d+: functional.mse_loss"
    with detect_nan(), pytest.raises(FloatingPointError, match=says):
        functional.mse_loss(logits, np.zeros((1, 2)))


def test_what_was_not_finite_before_is_let_through():
    with detect_nan():
        y = Tensor([np.inf, 1.0], requires_grad=True) * 2
        (y - y).sum().backward()
        with no_grad():
            assert np.isnan((y - y).data[0])


def test_healthy_training_is_left_alone():
    x = Tensor(a, requires_grad=True)
    with detect_nan():
        np.sum(np.tanh(x) ** 2 / (1 + x**2)).backward()
    inside, x.grad = x.grad, None
    np.sum(np.tanh(x) ** 2 / (1 + x**2)).backward()
    assert np.array_equal(inside, x.grad)


def test_operations_that_are_not_recorded_are_watched_too():
    with detect_nan(), no_grad(), pytest.raises(FloatingPointError, match="exp"):
        np.exp(Tensor(1e3))


def test_it_ends_with_its_block_and_stays_in_its_thread():
    zero = Tensor(0.0, requires_grad=True)
    found = []
    with np.errstate(all="ignore"):
        with detect_nan():
            thread = threading.Thread(target=lambda: found.append(_ignoring(lambda: 1 / zero)))
            thread.start()
            thread.join()
        assert np.isinf(found[0].data)
        assert np.isinf((1 / zero).data)
        with pytest.raises(FloatingPointError), detect_nan():
            1 / zero
        assert np.isinf((1 / zero).data)


def _ignoring(f):
    with np.errstate(all="ignore"):
        return f()


def test_it_is_a_decorator():
    @detect_nan()
    def step(x):
        return 1 / x

    with pytest.raises(FloatingPointError, match="return 1 / x"):
        step(Tensor(0.0))
