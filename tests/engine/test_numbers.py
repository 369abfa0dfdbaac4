"""Numbers at the corners: no NaN, no warning, no change of precision where none is due."""

import operator

import numpy as np
import pytest

import tinygrad_bp as bp


def leaf(value, **options):
    return bp.Tensor(value, requires_grad=True, **options)


def gradient(f, *values, dtype=None):
    """The gradients of the sum of f(*values)."""
    tensors = [leaf(v, dtype=dtype) for v in values]
    return bp.gradients(np.sum(f(*tensors)), tensors)


# Powers


@pytest.mark.parametrize(
    ("base", "exponent", "slope"),
    [
        (0.0, 2, 0.0),
        (0.0, 1, 1.0),
        (0.0, 0, 0.0),
        (-2.0, 0, 0.0),
        (-2.0, 1, 1.0),
        (-2.0, 2, -4.0),
        (-2.0, 3, 12.0),
        (-2.0, -1, -0.25),
        (-2.0, -2, 0.25),
        (4.0, 0.5, 0.25),
        (0.0, 1.5, 0.0),
    ],
)
@pytest.mark.parametrize("kind", [float, lambda n: n, np.float64, lambda n: np.array([n, n])])
def test_a_power_with_a_constant_exponent(base, exponent, slope, kind):
    with np.errstate(all="raise"):
        (found,) = gradient(lambda x: x ** kind(exponent), np.full(2, base))
    assert np.array_equal(found, [slope, slope])


@pytest.mark.parametrize("exponent", [0, 1, 2, 3])
def test_a_power_of_zero_and_below_to_the_second_order(exponent):
    for base in (0.0, -2.0):
        x = leaf(base)
        with np.errstate(all="raise"):
            (first,) = bp.gradients(x**exponent, [x], create_graph=True)
            (second,) = bp.gradients(first, [x])
        n = exponent
        assert first.item() == (n * base ** (n - 1) if n else 0.0)
        assert second == (n * (n - 1) * base ** (n - 2) if n > 1 else 0.0)


def test_a_power_with_a_constant_base():
    with np.errstate(all="raise"):
        (found,) = gradient(lambda x: 2**x, [-1.0, 0.0, 3.0])
    assert np.allclose(found, np.log(2) * np.array([0.5, 1.0, 8.0]), rtol=1e-15)


def test_a_constant_base_of_zero():
    with np.errstate(all="raise"):
        x = leaf([0.0, 1.0, 2.5])
        y = 0.0**x
        y.sum().backward()
    assert np.array_equal(y.data, [1.0, 0.0, 0.0])
    assert np.isfinite(x.grad).all()


def test_a_power_of_two_tensors():
    by_x, by_y = gradient(lambda x, y: x**y, [2.0, 3.0], [3.0, 0.5])
    assert np.allclose(by_x, [12.0, 0.5 / np.sqrt(3.0)], rtol=1e-15)
    assert np.allclose(by_y, [8 * np.log(2), np.sqrt(3.0) * np.log(3.0)], rtol=1e-15)


# Ties and kinks


@pytest.mark.parametrize("f", [np.maximum, np.minimum])
def test_two_that_tie_share_evenly(f):
    by_x, by_y = gradient(f, [1.0, 2.0, 3.0], [1.0, 1.0, 5.0])
    larger = f is np.maximum
    assert np.array_equal(by_x, [0.5, float(larger), float(not larger)])
    assert np.array_equal(by_y, [0.5, float(not larger), float(larger)])


@pytest.mark.parametrize("f", [np.max, np.min])
def test_all_that_tie_share_evenly(f):
    (found,) = gradient(f, [2.0, 2.0, 2.0, 2.0])
    assert np.array_equal(found, [0.25] * 4)
    sign = 1.0 if f is np.max else -1.0
    (found,) = gradient(lambda x: f(sign * x, axis=1), [[1.0, 3.0, 3.0], [5.0, 1.0, 2.0]])
    assert np.array_equal(found, sign * np.array([[0.0, 0.5, 0.5], [1.0, 0.0, 0.0]]))


def test_a_tensor_that_ties_with_itself_gets_all_of_it():
    (found,) = gradient(lambda x: np.maximum(x, x), [1.0, 2.0])
    assert np.array_equal(found, [1.0, 1.0])


def test_the_absolute_value_is_flat_at_zero():
    (found,) = gradient(abs, [-2.0, 0.0, 3.0])
    assert np.array_equal(found, [-1.0, 0.0, 1.0])


def test_relu_is_flat_at_zero():
    (found,) = gradient(lambda x: x.relu(), [-1.0, -0.0, 0.0, 1e-300, 2.0])
    assert np.array_equal(found, [0.0, 0.0, 0.0, 1.0, 1.0])


def test_where_with_a_branch_written_safely_lets_nothing_through():
    x = np.array([0.0, 4.0])
    with np.errstate(all="raise"):
        (found,) = gradient(lambda t: np.where(x > 0, np.sqrt(np.where(x > 0, t, 1.0)), 0.0), x)
    assert np.array_equal(found, [0.0, 0.25])


# Large numbers


def test_cross_entropy_of_far_logits():
    logits = leaf([[1000.0, 0.0]])
    with np.errstate(all="raise"):
        loss = bp.functional.cross_entropy(logits, np.array([1]))
        loss.backward()
    assert loss.item() == 1000.0
    assert np.array_equal(logits.grad, [[1.0, -1.0]])


@pytest.mark.parametrize("far", [1000.0, 1e30, 1e300])
def test_the_softmax_family_of_far_logits(far):
    with np.errstate(all="raise"):
        for logits in ([[far, 0.0, -far]], [[-far, -far, -far]], [[far, far, far]]):
            for label in range(3):
                x = leaf(logits)
                bp.functional.cross_entropy(x, np.array([label])).backward()
                assert np.isfinite(x.grad).all()
                assert abs(x.grad.sum()) < 1e-12
            x = leaf(logits)
            (bp.functional.softmax(x) * [[1.0, 2.0, 3.0]]).sum().backward()
            assert np.isfinite(x.grad).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sigmoid_far_from_zero(dtype):
    x = leaf([-1000.0, 0.0, 1000.0], dtype=dtype)
    with np.errstate(all="raise"):
        y = x.sigmoid()
        y.sum().backward()
    assert y.dtype == x.grad.dtype == dtype
    assert np.allclose(y.data, [0.0, 0.5, 1.0], rtol=0, atol=1e-30)
    assert np.allclose(x.grad, [0.0, 0.25, 0.0], rtol=0, atol=1e-30)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_binary_cross_entropy_far_from_zero(dtype):
    x = leaf([-1000.0, 1000.0, -1000.0, 1000.0], dtype=dtype)
    target = np.array([0.0, 0.0, 1.0, 1.0], dtype)
    with np.errstate(all="raise"):
        loss = bp.functional.binary_cross_entropy_with_logits(x, target)
        loss.backward()
    assert loss.dtype == x.grad.dtype == dtype
    assert loss.item() == 500.0
    assert np.allclose(x.grad, [0.0, 0.25, -0.25, 0.0], rtol=0, atol=1e-30)


def test_tanh_and_exp_far_from_zero():
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        (found,) = gradient(np.tanh, [-1000.0, 0.0, 1000.0])
        assert found == pytest.approx([0.0, 1.0, 0.0], abs=1e-300)
        (found,) = gradient(np.exp, [-1000.0])
        assert np.array_equal(found, [0.0])


# Precision

UNARY = {
    "neg": operator.neg,
    "pos": operator.pos,
    "abs": abs,
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "tanh": np.tanh,
    "sin": np.sin,
    "square": np.square,
    "sum": np.sum,
    "mean": np.mean,
    "max": np.max,
    "relu": bp.Tensor.relu,
    "sigmoid": bp.Tensor.sigmoid,
    "index": lambda x: x[..., None],
    "reshape": lambda x: x.reshape(-1),
}
BINARY = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "truediv": operator.truediv,
    "floordiv": operator.floordiv,
    "mod": operator.mod,
    "pow": operator.pow,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "where": lambda x, y: np.where(True, x, y),
}
DTYPES = [np.float16, np.float32, np.float64, np.longdouble]


@pytest.mark.parametrize("value", [0.75, [0.75, 1.5]], ids=["scalar", "vector"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", UNARY)
def test_a_function_of_one_argument_keeps_the_precision(name, dtype, value):
    x = leaf(value, dtype=dtype)
    y = UNARY[name](x)
    assert y.dtype == dtype
    y.backward(np.ones(y.shape), keep_grads=True)
    assert x.grad.dtype == y.grad.dtype == dtype


@pytest.mark.parametrize("value", [0.75, [0.75, 1.5]], ids=["scalar", "vector"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("other", [2, 2.5, True], ids=repr)
@pytest.mark.parametrize("name", BINARY)
def test_python_numbers_leave_the_precision_as_it_is(name, other, dtype, value):
    for swapped in (False, True):
        x = leaf(value, dtype=dtype)
        y = BINARY[name](other, x) if swapped else BINARY[name](x, other)
        assert y.dtype == dtype
        y.backward(np.ones(y.shape), keep_grads=True)
        assert x.grad.dtype == y.grad.dtype == dtype


@pytest.mark.parametrize("dtype", DTYPES)
def test_derivatives_of_derivatives_keep_the_precision(dtype):
    for f in (*UNARY.values(), lambda x: x**3, lambda x: 2 / x, lambda x: 2.5**x):
        x = leaf([0.75, 1.5], dtype=dtype)
        y = f(x) * x.sum()
        (first,) = bp.gradients(y, [x], np.ones(y.shape), create_graph=True)
        (second,) = bp.gradients(first, [x], np.ones(2))
        assert first.dtype == second.dtype == dtype


def test_mixed_precisions_promote_as_numpy_does_and_come_back():
    narrow, wide = leaf(np.float32([1, 2])), leaf(np.float64([3, 4]))
    y = narrow * wide
    assert y.dtype == np.float64
    y.sum().backward()
    assert narrow.grad.dtype == np.float32
    assert wide.grad.dtype == np.float64
    assert np.array_equal(narrow.grad, [3, 4])
    assert np.array_equal(wide.grad, [1, 2])


def test_a_numpy_scalar_promotes_as_numpy_does():
    x = leaf(np.float32([1, 2]))
    assert (x * np.float32(2)).dtype == (np.float32(2) * x).dtype == np.float32
    assert (x * np.float64(2)).dtype == (np.float64(2) * x).dtype == np.float64
    assert (x * np.int8(2)).dtype == np.float32
    (np.float64(2) * x).sum().backward()
    assert x.grad.dtype == np.float32


def test_a_second_backward_keeps_the_precision():
    x = leaf(np.float32([1, 2]))
    for _ in range(3):
        (x * 2.0).sum().backward()
    assert x.grad.dtype == np.float32


def test_float32_stays_float32_through_a_training_step():
    model = bp.nn.MLP([4, 8, 3], activation="tanh", seed=0, dtype=np.float32)
    optimizer = bp.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=0.01)
    rng = np.random.default_rng(0)
    X, labels = rng.normal(size=(16, 4)).astype(np.float32), rng.integers(3, size=16)
    for _ in range(2):
        optimizer.zero_grad()
        scores = model(X)
        loss = bp.functional.cross_entropy(scores, labels)
        loss.backward(keep_grads=True)
        optimizer.step()
        assert scores.dtype == scores.grad.dtype == loss.dtype == np.float32
        for parameter in model.parameters():
            assert parameter.dtype == parameter.grad.dtype == np.float32


# Kinds of numbers


def test_python_numbers_and_lists_of_them_become_float64_when_they_require_grad():
    for value in (2, 2.0, [1, 2], [[1], [2]], (1, 2)):
        assert leaf(value).dtype == np.float64
    assert bp.Tensor([1, 2]).dtype == np.array([1, 2]).dtype
    assert leaf([1, 2], dtype=np.float32).dtype == np.float32
    with pytest.raises(TypeError, match="int64"):
        leaf([1, 2], dtype=int)


@pytest.mark.parametrize(
    "value", [np.array([1, 2]), np.array([True]), 1j, np.array([1j]), np.int64(3)], ids=repr
)
def test_only_real_floating_arrays_can_require_grad(value):
    with pytest.raises(TypeError, match=f"{np.asarray(value).dtype}.*dtype=float"):
        leaf(value)


@pytest.mark.parametrize("values", [[1, 2, 3], [True, False, True]], ids=["int", "bool"])
def test_integer_and_boolean_tensors_take_part_without_gradients(values):
    constant, x = bp.Tensor(values), leaf([1.0, 2.0, 3.0])
    assert np.array_equal((constant + constant).data, np.array(values) + np.array(values))
    assert not (constant * 2).requires_grad
    (constant * x).sum().backward()
    assert np.array_equal(x.grad, np.array(values, float))
    assert constant.grad is None


def test_a_boolean_tensor_is_a_condition_and_a_mask():
    mask, x = bp.Tensor([True, False, True]), leaf([1.0, 2.0, 3.0])
    (np.where(mask, x, 10.0 * x).sum() + x[mask].sum()).backward()
    assert np.array_equal(x.grad, [2.0, 10.0, 2.0])


def test_complex_results_are_refused():
    x = leaf([1.0])
    for f in (lambda: x * 1j, lambda: 1j * x, lambda: x + bp.Tensor([1j])):
        with pytest.raises(TypeError, match=r"complex128.*only real"):
            f()
