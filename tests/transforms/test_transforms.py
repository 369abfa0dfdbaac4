"""Transformations: what they give, how they nest, and when they give plain arrays."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygrad_bp import Tensor, grad, hessian, hvp, jacobian, jvp, no_grad, value_and_grad, vjp
from tinygrad_bp.engine.recording import is_recording

a = np.array([0.3, -1.2, 2.0])
W = np.random.default_rng(0).normal(size=(4, 3))


def rosenbrock(x):
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


def plain(x):
    return isinstance(x, np.ndarray | np.generic)


# Values


def test_grad_of_a_scalar_function():
    assert grad(lambda x: x * x * x)(2.0) == 12.0
    assert np.array_equal(grad(lambda x: np.sum(x**2))(a), 2 * a)


def test_value_and_grad():
    value, gradient = value_and_grad(lambda x: np.sum(np.exp(x)))(a)
    assert value == np.sum(np.exp(a))
    assert np.allclose(gradient, np.exp(a))


@pytest.mark.parametrize("argnums", [0, 1, 2, -1, (0,), (1, 0), (0, -1)])
def test_argnums(argnums):
    def f(x, y, z):
        return x * y**2 * z**3

    partials = (9.0 * 8, 2 * 2 * 3 * 8.0, 2 * 9 * 3 * 4.0)
    found = grad(f, argnums)(2.0, 3.0, 2.0)
    if isinstance(argnums, tuple):
        assert found == tuple(partials[i] for i in argnums)
    else:
        assert found == partials[argnums]


def test_other_arguments_pass_through():
    def f(x, kind, *, power):
        assert kind == "sum"
        return np.sum(x**power)

    assert np.allclose(grad(f)(a, "sum", power=3), 3 * a**2)


def test_one_tensor_as_two_arguments():
    x = Tensor(3.0, requires_grad=True)
    first, second = grad(lambda x, y: x * y * y, (0, 1))(x, x)
    assert (first.item(), second.item()) == (9.0, 18.0)


def test_vjp():
    out, pullback = vjp(lambda W, x: np.tanh(W @ x), W, a)
    g = np.array([1.0, -2.0, 0.5, 3.0])
    slope = g * (1 - np.tanh(W @ a) ** 2)
    by_weights, by_input = pullback(g)
    assert np.allclose(out, np.tanh(W @ a))
    assert np.allclose(by_weights, np.outer(slope, a))
    assert np.allclose(by_input, W.T @ slope)
    assert np.allclose(pullback(2 * g)[1], 2 * by_input)  # as often as wanted


def test_elementwise_derivatives_by_a_vjp_with_ones():
    out, pullback = vjp(np.sin, a)
    assert np.allclose(pullback(np.ones(out.shape))[0], np.cos(a))


def test_jvp():
    V, v = np.cos(W), np.sin(a)
    out, tangent = jvp(lambda W, x: np.tanh(W @ x), (W, a), (V, v))
    assert np.allclose(out, np.tanh(W @ a))
    assert np.allclose(tangent, (1 - out**2) * (V @ a + W @ v))


def test_jacobian_has_the_output_shape_and_then_the_input_shape():
    X = np.arange(6.0).reshape(2, 3)
    found = jacobian(lambda X: X @ W.T)(X)
    assert found.shape == (2, 4, 2, 3)
    assert np.allclose(found, np.einsum("ab,cd->acbd", np.eye(2), W))
    by_first, by_second = jacobian(np.multiply, (0, 1))(a, 2 * a)
    assert np.allclose(by_first, np.diag(2 * a))
    assert np.allclose(by_second, np.diag(a))
    assert jacobian(lambda x: x[:0])(a).shape == (0, 3)
    assert type(jacobian(np.sin)(0.0)) is np.float64


def test_hessian():
    found = hessian(rosenbrock)(np.array([-1.0, 2.0]))
    assert np.allclose(found, [[1200 - 800 + 2, 400], [400, 200]])
    rows = hessian(lambda x, y: x**2 * np.sum(y**3), (0, 1))(2.0, a)
    assert rows[0][0] == pytest.approx(2 * np.sum(a**3))
    assert np.allclose(rows[0][1], 12 * a**2)
    assert np.allclose(rows[1][0], 12 * a**2)
    assert np.allclose(rows[1][1], np.diag(24 * a))


def test_hvp_has_the_structure_of_the_primals():
    x, v = np.array([-1.0, 2.0]), np.array([0.5, 3.0])
    assert np.allclose(hvp(rosenbrock, x, v), hessian(rosenbrock)(x) @ v)

    def f(x, y):
        return np.sum(x**2) * y**3

    H = hessian(f, (0, 1))(a, 2.0)
    by_x, by_y = hvp(f, (a, 2.0), (2 * a, 0.5))
    assert np.allclose(by_x, H[0][0] @ (2 * a) + H[0][1] * 0.5)
    assert np.allclose(by_y, H[1][0] @ (2 * a) + H[1][1] * 0.5)


def test_newton_step():
    x = np.array([0.9, 0.8])
    for _ in range(6):
        x = x - np.linalg.solve(hessian(rosenbrock)(x), grad(rosenbrock)(x))
    assert np.allclose(x, [1.0, 1.0], atol=1e-12)


# Nesting


def test_derivatives_of_tanh_up_to_the_fifth():
    t = np.tanh(0.7)
    s = 1 - t * t
    expected = [t, s, -2 * t * s, s * (6 * t * t - 2), 8 * t * s * (2 - 3 * t * t)]
    expected.append(s * (16 - 120 * t**2 + 120 * t**4))
    f = np.tanh
    for value in expected:
        assert f(0.7) == pytest.approx(value, rel=1e-12)
        f = grad(f)


def test_each_grad_knows_its_own_variable():
    assert grad(lambda x: x * grad(lambda y: x + y)(2.0))(1.0) == 1.0
    assert grad(lambda x: x * grad(lambda y: x * y)(2.0))(3.0) == 6.0
    assert grad(lambda x: grad(lambda y: x * y * y)(x))(3.0) == 12.0 - 6.0 + 6.0
    assert grad(lambda x: grad(lambda x: x**3)(x) * x)(2.0) == 3 * 3 * 4.0
    assert grad(lambda x: jvp(lambda y: x * y**2, (x,), (1.0,))[1])(3.0) == 12.0
    assert jvp(lambda x: x * jvp(lambda y: x + y, (2.0,), (1.0,))[1], (1.0,), (1.0,))[1] == 1.0


MODES = {
    "grad": grad,
    "vjp": lambda f: lambda x: vjp(f, x)[1](1.0)[0],
    "jvp": lambda f: lambda x: jvp(f, (x,), (1.0,))[1],
    "jacobian": jacobian,
}


@pytest.mark.parametrize("modes", [*itertools.product(MODES, repeat=3)], ids="-".join)
def test_every_order_of_three_modes(modes):
    def f(x):
        return np.sin(2 * x) * np.exp(x)

    for mode in modes:
        f = MODES[mode](f)
    x = 0.4
    third = -11 * np.sin(2 * x) - 2 * np.cos(2 * x)  # Im((1 + 2i)³ exp((1 + 2i) x)) / exp x
    assert plain(f(x))
    assert f(x) == pytest.approx(third * np.exp(x), rel=1e-12)


@settings(max_examples=30, deadline=None, derandomize=True, database=None)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 2**31))
def test_jvp_and_vjp_are_the_columns_and_rows_of_the_jacobian(m, n, seed):
    random = np.random.default_rng(seed)
    A, x, v, w = (random.normal(size=shape) for shape in ((m, n), n, n, m))

    def f(x):
        return np.tanh(A @ x) * np.sum(x**2)

    J = jacobian(f)(x)
    assert np.allclose(J @ v, jvp(f, (x,), (v,))[1])
    assert np.allclose(w @ J, vjp(f, x)[1](w)[0])

    def loss(x):
        return np.sum(np.exp(f(x)))

    assert np.allclose(hessian(loss)(x) @ v, hvp(loss, x, v))
    assert np.allclose(hessian(loss)(x), hessian(loss)(x).T)
    third = jacobian(hessian(loss))(x)
    assert np.allclose(third @ v, jacobian(lambda x: hvp(loss, x, v))(x))


# Plain arrays, unless something outside is recording


def test_alone_they_give_plain_arrays_that_can_be_written():
    out, pullback = vjp(lambda x: x + 0, a)
    results = [
        *value_and_grad(np.sum)(a), out, *pullback(np.ones(3)), *jvp(np.sin, (a,), (a,)),
        jacobian(np.sin)(a), hessian(lambda x: np.sum(x**3))(a),
        hvp(lambda x: np.sum(x**3), a, a), *grad(lambda x, y: np.sum(x + y), (0, 1))(a, a),
    ]  # fmt: skip
    for result in results:
        assert type(result) in {np.ndarray, np.float64}
        if result.ndim:
            before = [np.array(other) for other in results if other is not result]
            result[...] = -1.0  # it is the caller's, and nobody else's
            others = (other for other in results if other is not result)
            assert all(map(np.array_equal, before, others))
    assert np.array_equal(a, [0.3, -1.2, 2.0])


def test_nested_they_give_plain_arrays_outside():
    def gives_tensor(x):
        inner = grad(lambda y: np.sum(x * y**2))(2.0)
        assert isinstance(inner, Tensor)
        return inner

    assert plain(grad(gives_tensor)(3.0))
    assert plain(vjp(gives_tensor, 3.0)[0])


def test_a_parameter_closed_over_is_recorded():
    w = Tensor(3.0, requires_grad=True, name="w")
    slope = grad(lambda x: w * x * x)(2.0)
    assert isinstance(slope, Tensor)
    assert w.grad is None  # nobody's grad is touched
    slope.backward()
    assert w.grad == 4.0


def test_a_tensor_that_requires_grad_is_followed():
    x = Tensor(2.0, requires_grad=True)
    slope = grad(lambda y: y**3)(x)
    assert slope.item() == 12.0
    slope.backward()
    assert x.grad == 12.0


def test_a_tensor_that_does_not_require_grad_gives_plain_arrays():
    assert plain(grad(lambda y: y**3)(Tensor(2.0)))


def test_a_cotangent_that_requires_grad_is_followed():
    _, pullback = vjp(np.sin, a)
    g = Tensor(np.ones(3), requires_grad=True)
    (pulled,) = pullback(g)
    pulled.sum().backward()
    assert np.allclose(g.grad, np.cos(a))
    assert plain(pullback(Tensor(np.ones(3)))[0])


def test_what_the_variable_reached_outside_is_a_constant_there():
    seen = []
    grad(lambda x: (seen.append(x), x * x)[1])(3.0)
    assert not seen[0].requires_grad


def test_gradient_penalty_by_grad_of_grad():
    random = np.random.default_rng(1)
    W1, W2 = (Tensor(random.normal(size=s), requires_grad=True) for s in ((5, 3), (1, 5)))

    def penalty(W1, W2):
        return np.sum(grad(lambda x: np.sum(W2 @ np.tanh(W1 @ x)))(a) ** 2)

    penalty(W1, W2).backward()
    assert plain(penalty(W1.data, W2.data))
    for i, W in enumerate((W1, W2)):
        V = random.normal(size=W.shape)
        moved = [
            [w.data + t * V if j == i else w.data for j, w in enumerate((W1, W2))]
            for t in (1e-5, -1e-5)
        ]
        ahead, behind = (penalty(*weights) for weights in moved)
        assert np.vdot(W.grad, V) == pytest.approx((ahead - behind) / 2e-5, rel=1e-7)


def test_no_grad_outside_gives_plain_arrays_and_inside_constants():
    x = Tensor(2.0, requires_grad=True)
    with no_grad():
        assert plain(grad(lambda y: x * y**3)(x))
        assert grad(grad(lambda y: y**3))(2.0) == 12.0
        assert jvp(np.sin, (0.0,), (1.0,))[1] == 1.0

    @no_grad()
    def frozen(y):
        return y * y

    assert grad(lambda y: y * frozen(y))(3.0) == 9.0
    with no_grad():
        _, pullback = vjp(lambda y: x * y, 1.0)
    assert pullback(1.0)[0].requires_grad


def test_recording_is_restored_when_the_function_raises():
    with no_grad():
        with pytest.raises(ZeroDivisionError):
            grad(lambda x: 1 / 0)(1.0)
        assert not is_recording()


# Constants, dtypes and errors


def test_a_constant_function_has_zero_derivatives():
    for constant in (3.0, 3, np.float64(3.0), Tensor(3.0)):
        gradient = grad(lambda x, c=constant: c)(a)
        assert np.array_equal(gradient, np.zeros(3))
        assert plain(gradient)
    assert np.array_equal(grad(grad(lambda x: 3.0 * x))(1.0), 0.0)
    assert np.array_equal(hessian(np.sum)(a), np.zeros((3, 3)))
    assert np.array_equal(jvp(lambda x: np.ones(2), (a,), (a,))[1], np.zeros(2))
    assert np.array_equal(jacobian(lambda x: W[0])(a), np.zeros((3, 3)))
    assert np.array_equal(grad(lambda x, y: x, 1)(1.0, a), np.zeros(3))


def test_the_identity():
    assert grad(lambda x: x)(2.0) == 1.0
    assert np.array_equal(jacobian(lambda x: x)(a), np.eye(3))


def test_detached_values_are_constants():
    assert grad(lambda x: x * x.detach())(3.0) == 3.0
    assert grad(grad(lambda x: x**2 * x.detach()))(3.0) == 6.0
    assert grad(lambda x: np.sum(x * x.data))(3.0) == 3.0


def test_float32_stays_float32():
    x = a.astype(np.float32)
    found = [
        grad(np.sum)(x), *jvp(np.sin, (x,), (x,)), jacobian(np.sin)(x),
        hessian(lambda x: np.sum(x**3))(x), hvp(lambda x: np.sum(x**3), x, x),
    ]  # fmt: skip
    assert {y.dtype for y in found} == {np.dtype(np.float32)}


def test_python_numbers_and_lists_become_float64():
    assert grad(lambda x: x * x)(3) == 6.0
    assert np.array_equal(grad(np.sum)([1, 2]), [1.0, 1.0])


@pytest.mark.parametrize("x", [np.array([1, 2]), True, np.bool_(True), np.int64(3), 1j, "text"])
def test_an_argument_that_is_not_real_and_floating(x):
    with pytest.raises(TypeError, match="cannot differentiate by an argument of"):
        grad(np.sum)(x)


def test_a_function_that_gives_more_than_a_scalar():
    with pytest.raises(ValueError, match=r"scalar.*shape \(3,\).*jacobian or vjp"):
        grad(np.sin)(a)


def test_a_function_that_gives_no_array():
    for out, kind in ((None, "NoneType"), ((), "tuple"), (a > 0, "bool"), (1j, "complex")):
        with pytest.raises(TypeError, match=f"the function gave {kind}"):
            vjp(lambda x, out=out: out, 1.0)


@pytest.mark.parametrize("argnums", [1, -2, (0, 1), (0, 0), (0, -1), ()])
def test_argnums_out_of_range(argnums):
    with pytest.raises(ValueError, match=r"argnums=.* the 1 positional"):
        grad(np.sum, argnums)(a)


@pytest.mark.parametrize("argnums", ["x", 0.5, [0], None, True, (0, "x"), np.sin])
def test_argnums_that_number_nothing(argnums):
    with pytest.raises(TypeError, match=r"argnums=.* which arguments to differentiate by"):
        grad(np.sum, argnums)
    assert grad(np.sum, np.int64(0))(3.0) == 1.0


def test_tangents_that_do_not_fit():
    with pytest.raises(ValueError, match=r"shapes \[\(2,\)\] do not fit .* \[\(3,\)\]"):
        jvp(np.sin, (a,), (np.ones(2),))
    with pytest.raises(ValueError, match="the tangents must have the form of a tuple of 2, not"):
        hvp(np.sum, (a, a), (a,))


def test_a_cotangent_that_does_not_fit():
    _, pullback = vjp(np.sin, a)
    with pytest.raises(ValueError, match=r"not \(2,\)"):
        pullback(np.ones(2))
