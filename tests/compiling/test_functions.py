"""`bp.compile`: a function of one number, its value and its gradient, as a program."""

import numpy as np
import pytest

import tinygrad_bp as bp
from tinygrad_bp import functional, nn, optim
from tinygrad_bp.compiling import CannotCompileError
from tinygrad_bp.compiling.passes import dead_dropped

X, Y = np.random.default_rng(0).normal(size=(6, 2)), np.ones((6, 1))


def test_it_fills_the_grads_that_the_function_fills():
    model = nn.MLP([2, 4, 1], "tanh", seed=0)

    def loss(x, y):
        return functional.mse_loss(model(x), y)

    program = bp.compile(loss)
    for _ in range(5):
        x = bp.Tensor(X, requires_grad=True, name="x")
        grads = []
        for f in (loss, program):
            model.zero_grad()
            x.zero_grad()
            value = f(x, Y)
            value.backward()
            grads.append([value.item(), *(t.grad.tobytes() for t in (x, *model.parameters()))])
        assert grads[0] == grads[1]
    assert program.programs == 1
    assert program.__name__ == "loss"


def test_a_step_between_two_calls_and_new_data_are_seen():
    model = nn.MLP([2, 4, 1], seed=0)
    program = bp.compile(lambda x: np.sum(model(x) ** 2))
    optimizer = optim.Adam(model.parameters(), 0.1)
    for _ in range(6):
        optimizer.zero_grad()
        value = program(X)
        assert value.item() == np.sum(model(X) ** 2).item()
        value.backward()
        optimizer.step()
    model[0].weight.data = model[0].weight.data * 3
    assert program(X).item() == np.sum(model(X) ** 2).item()


def test_new_shapes_and_types_are_other_programs():
    w = bp.Tensor(2.0, requires_grad=True)
    program = bp.compile(lambda x: np.sum(np.exp(w * x)))
    for count, x in enumerate((np.ones(3), np.ones(4), np.ones(4, np.float32)), 1):
        for _ in range(4):
            assert program(x).item() == np.sum(np.exp(w * x)).item()
        assert program.programs == count


def test_containers_numbers_and_keywords():
    def loss(model, x, scale=1.0, power=2):
        return np.sum((model["W"] @ x + model["b"][0]) ** power) * scale

    program = bp.compile(loss)
    model = {"W": np.array([1.0, 2.0]), "b": [0.5]}
    x = np.array([3.0, 4.0])
    for scale in (1.0, 1.0, 1.0, 3.0):
        value, gradient = program.value_and_grad(model, x)
        right, expected = bp.value_and_grad(loss)(model, x)
        assert value == right
        np.testing.assert_array_equal(gradient["W"], expected["W"])
        t = bp.Tensor(model["W"], requires_grad=True)
        found = program({"W": t, "b": [0.5]}, x, scale=scale)
        assert found.item() == loss({"W": t, "b": [0.5]}, x, scale).item()
    assert (
        loss({"W": t, "b": [0.5]}, x, power=3).item()
        == program({"W": t, "b": [0.5]}, x, power=3).item()
    )


def test_a_guard_chooses_the_program():
    w = bp.Tensor([1.0, 2.0], requires_grad=True)

    def loss(x):
        return np.sum(w * x) if x[0] > 0 else np.sum(w * w * x)

    program = bp.compile(loss)
    for sign in (1, -1, 1, 1, -1, -1, 1, -1, 1):
        x = np.array([sign, 3.0])
        grads = []
        for f in (loss, program):
            w.zero_grad()
            f(x).backward()
            grads.append(w.grad.tolist())
        assert grads[0] == grads[1]
    assert program.programs == 2


def test_it_is_differentiated_once():
    w = bp.Tensor([1.0, 2.0], requires_grad=True)
    program = bp.compile(lambda x: np.sum((w * x) ** 3))
    for _ in range(3):
        with pytest.raises(RuntimeError, match=r"call the function itself, program\.function"):
            program(np.ones(2)).backward(create_graph=True)
    with pytest.raises(RuntimeError, match="cannot be differentiated again"):
        bp.hessian(bp.compile(lambda x: np.sum(x**3)))(np.ones(2))


def test_two_results_do_not_share_their_gradients():
    w = bp.Tensor([1.0, 2.0], requires_grad=True)
    program = bp.compile(lambda x: np.sum((w * x) ** 2))
    for _ in range(3):
        program(np.ones(2))
    first, second = program(np.array([1.0, 1.0])), program(np.array([5.0, 5.0]))
    second.backward()
    assert w.grad.tolist() == [50.0, 100.0]
    first.backward(10.0)
    assert w.grad.tolist() == [70.0, 140.0]
    assert (first * 2 + second).item() == 2 * 5 + 125


def test_without_recording_it_is_the_function():
    w = bp.Tensor([1.0, 2.0], requires_grad=True)
    program = bp.compile(lambda x: np.sum(w * x))
    with bp.no_grad():
        assert not program(np.ones(2)).requires_grad
    assert program.programs == 0


@pytest.mark.parametrize(
    ("f", "error", "why"),
    [
        (lambda w: w * 2, ValueError, r"a Tensor of shape \(2,\): reduce it"),
        (lambda w: 3.0, ValueError, "must give a Tensor with one number"),
        (lambda w: np.sum(w) * w[0].item(), CannotCompileError, "cannot be compiled"),
    ],
)
def test_what_cannot_be_compiled_says_why(f, error, why):
    w = bp.Tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(error, match=why):
        bp.compile(f)(w)
    with pytest.raises(TypeError, match="compile takes a function, not an int"):
        bp.compile(3)


def test_noise_is_an_error():
    generator = np.random.default_rng(0)
    w = bp.Tensor([1.0, 2.0], requires_grad=True)
    program = bp.compile(lambda x: np.sum(w * x * generator.normal()))
    program(np.ones(2))  # which finds w
    program(np.ones(2))
    with pytest.raises(CannotCompileError, match=r"computed differently \(test_functions.py"):
        program(np.ones(2))


def test_the_page_of_a_small_network_reads_as_the_formulas():
    model = nn.MLP([2, 2, 2], seed=0)

    def loss(x, y):
        return functional.mse_loss(model(x), y)

    program = bp.compile(loss, passes=(dead_dropped,), buffers=False)
    x, y = np.array([[0.5, -1.0]]), np.array([[0.0, 1.0]])
    for _ in range(2):
        program(x, y)
    text = program.source
    assert "def program(x, y, W1, b1, W2, b2):" in text
    for line in (
        "h1 = np.maximum(z1, 0)",
        "d_h1 = d_z2 @ W2  # d loss / d h1, from: h1 = np.maximum(z1, 0)",
        "# d loss / d W1, from: ",
    ):
        assert line in text
    backward = text.partition("d_loss = ")[2].partition("return")[0].splitlines()
    assert all("from: " in line for line in backward if line.strip())
    module = {}
    exec(text, module)
    found = module["program"](x, y, *(p.data for p in model.parameters()))
    loss(x, y).backward()
    assert found[0] == loss(x, y).item()
    for gradient, p in zip(found[1:], model.parameters(), strict=True):
        np.testing.assert_array_equal(gradient, p.grad)
