"""Optimisers: their steps, what they leave alone, what they remember and what they refuse."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import tinygrad_bp as bp
from tinygrad_bp.optim import SGD, Adam, AdamW
from tinygrad_bp.optim.schedules import cosine, exponential, step, step_size


def leaf(values, **options):
    return bp.Tensor(values, requires_grad=True, **options)


@pytest.mark.parametrize(
    ("momentum", "weight_decay"), [*itertools.product((0.0, 0.5, 0.9), (0.0, 0.1))]
)
def test_fifty_steps_by_the_formula(momentum, weight_decay):
    p, lr = leaf([1.5, -1.0]), 0.02
    optimizer = SGD([p], lr, momentum, weight_decay)
    x, v = p.numpy(), 0.0
    for _ in range(50):
        optimizer.zero_grad()
        (p**4).sum().backward()
        optimizer.step()
        g = 4 * x**3 + weight_decay * x
        v = momentum * v + g
        x = x - lr * v
    np.testing.assert_allclose(p.data, x, rtol=1e-12)


@pytest.mark.parametrize("kind", [lambda p: SGD(p, 0.1, 0.9, nesterov=True), Adam, AdamW])
def test_the_moves_of_all_parameters_may_be_made_at_once(kind):
    """As a compiled step makes them, where an optimiser says that each element moves by itself."""
    parts, whole = [leaf([1.0, 2.0]), leaf([3.0])], leaf([1.0, 2.0, 3.0])
    apart, together = kind(parts), kind([whole])
    assert type(apart).elementwise
    for _ in range(3):
        parts[0].grad, parts[1].grad = np.array([0.1, -0.2]), np.array([5.0])
        whole.grad = np.array([0.1, -0.2, 5.0])
        apart.step()
        together.step()
    assert [*parts[0].tolist(), *parts[1].tolist()] == whole.tolist()


def test_the_step_size_can_change_between_steps():
    p = leaf(1.0)
    optimizer = SGD([p], lr=0.1)
    p.grad = np.array(1.0)
    optimizer.step()
    optimizer.lr = 0.5
    optimizer.step()
    assert p.item() == 1 - 0.1 - 0.5


def test_a_parameter_without_gradient_is_left_alone():
    p, q = leaf([1.0]), leaf([1.0])
    optimizer = SGD([p, q], lr=0.1, momentum=0.9, weight_decay=0.5)
    (p * 2).sum().backward()
    optimizer.step()
    assert q.item() == 1
    assert q.grad is None
    assert p.item() != 1


def test_parameters_in_containers():
    p = {"layers": [(leaf(1.0), leaf([2.0])), None], "scale": leaf(3.0)}
    optimizer = SGD(p, lr=0.5)
    assert [t.item() for t in optimizer.parameters] == [1.0, 2.0, 3.0]
    with pytest.raises(TypeError, match="parameter 1 is not a Tensor but a ndarray"):
        SGD({"W": leaf(1.0), "b": np.ones(2)}, lr=0.5)


def test_a_parameter_given_twice_is_updated_once():
    p = leaf(1.0)
    p.grad = np.array(1.0)
    SGD([p, p], lr=0.25).step()
    assert p.item() == 0.75


def test_a_step_leaves_older_graphs_and_the_gradient_as_they_were():
    w, x = leaf([2.0]), leaf([3.0])
    out = (w * x).sum()
    before = w.data
    w.grad = gradient = np.array([1.0])
    optimizer = SGD([w], lr=1.0, momentum=0.9)
    optimizer.step()
    optimizer.step()
    assert gradient == [1.0]
    assert before == [2.0]
    out.backward()
    assert x.grad == [2.0]  # w as it was when the graph was made
    assert w.item() == 2 - 1 - 1.9


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_scalars_and_recorded_gradients_take_steps(momentum):
    p = leaf(3.0)
    optimizer = SGD([p], lr=0.1, momentum=momentum)
    expected, v = 3.0, 0.0
    for _ in range(3):
        optimizer.zero_grad()
        (p * p).backward(create_graph=True)
        optimizer.step()
        v = momentum * v + 2 * expected
        expected -= 0.1 * v
    np.testing.assert_allclose(p.item(), expected, rtol=1e-14)
    assert p.is_leaf


def test_repr():
    assert repr(SGD([leaf(1.0)], 0.1)) == (
        "SGD(1 parameters, lr=0.1, momentum=0.0, weight_decay=0.0, nesterov=False, max_norm=None)"
    )
    assert repr(AdamW([leaf(1.0)], cosine(0.5, 10))) == (
        "AdamW(1 parameters, lr=0.5, betas=(0.9, 0.999), epsilon=1e-08, weight_decay=0.01, "
        "max_norm=None)"
    )


def test_nesterov_by_the_formula():
    p, lr, momentum = leaf([1.5, -1.0]), 0.02, 0.9
    optimizer = SGD([p], lr, momentum, nesterov=True)
    x, v = p.numpy(), 0.0
    for _ in range(50):
        optimizer.zero_grad()
        (p**4).sum().backward()
        optimizer.step()
        g = 4 * x**3
        v = momentum * v + g
        x = x - lr * (g + momentum * v)
    np.testing.assert_allclose(p.data, x, rtol=1e-12)


@pytest.mark.parametrize(("kind", "decay"), [(Adam, 0.0), (Adam, 0.1), (AdamW, 0.1)])
def test_adam_by_the_formula(kind, decay):
    p, lr, (b1, b2), epsilon = leaf([1.5, -1.0]), 0.02, (0.8, 0.95), 1e-6
    optimizer = kind([p], lr, betas=(b1, b2), epsilon=epsilon, weight_decay=decay)
    x, m, v = p.numpy(), 0.0, 0.0
    for t in range(1, 51):
        optimizer.zero_grad()
        (p**4).sum().backward()
        optimizer.step()
        g = 4 * x**3
        if kind is Adam:
            g = g + decay * x
        else:
            x = x - lr * decay * x
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
        x = x - lr * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + epsilon)
    np.testing.assert_allclose(p.data, x, rtol=1e-12)


def test_gradients_are_shortened_together_and_the_users_are_not_touched():
    p, q = leaf([0.0]), leaf(0.0)
    p.grad, q.grad = np.array([3.0]), np.array(4.0)
    optimizer = SGD([p, q], lr=1.0, max_norm=1.0)
    assert optimizer.gradient_norm() == 5
    optimizer.step()
    np.testing.assert_allclose([p.item(), q.item()], [-0.6, -0.8], rtol=1e-6)
    assert (p.grad.item(), q.grad.item()) == (3.0, 4.0)
    p.grad, q.grad = np.array([0.3]), None
    optimizer.step()
    np.testing.assert_allclose(p.item(), -0.9, rtol=1e-6)  # short enough as it was


def test_a_schedule_is_asked_for_each_step():
    p = leaf(0.0)
    asked = []
    optimizer = SGD([p], lr=lambda t: asked.append(t) or 10.0**-t)
    for _ in range(3):
        p.grad = np.array(-1.0)
        optimizer.step()
    assert asked == [0, 1, 2]
    assert p.item() == 1.11
    assert optimizer.step_size == 10.0**-3


@pytest.mark.parametrize("wrong", [-1.0, np.nan, np.inf])
def test_a_schedule_that_gives_no_step_size_moves_nothing(wrong):
    p = leaf(1.0)
    p.grad = np.array(1.0)
    optimizer = SGD([p], lr=lambda t: wrong)
    with pytest.raises(ValueError, match=f"the schedule gave the step size {wrong:g} at step 0"):
        optimizer.step()
    assert (p.item(), optimizer.steps) == (1.0, 0)


def test_a_schedule_that_overflows_is_one_too():
    for schedule in (exponential(0.1, factor=2.0), step(0.1, 1, factor=2.0)):
        with pytest.raises(ValueError, match="gave the step size inf at step 100000"):
            step_size(schedule, 100_000)


def test_a_step_size_set_later_is_checked_too():
    optimizer = SGD([leaf(1.0)], lr=0.1)
    with pytest.raises(ValueError, match="lr must be positive, not 0"):
        optimizer.lr = 0
    assert optimizer.lr == 0.1


KINDS = {
    "SGD": lambda p: SGD(p, cosine(0.1, 20)),
    "momentum": lambda p: SGD(p, 0.05, 0.9, 0.01),
    "Nesterov": lambda p: SGD(p, 0.05, 0.9, nesterov=True, max_norm=0.5),
    "Adam": lambda p: Adam(p, 0.05, weight_decay=0.1),
    "AdamW": lambda p: AdamW(p, cosine(0.1, 20)),
}


def advance(model, optimizer, steps):
    dtype = model.parameters()[0].dtype
    X = np.random.default_rng(0).normal(size=(20, 3)).astype(dtype)
    y = np.sin(X.sum(axis=1, keepdims=True))
    for _ in range(steps):
        optimizer.zero_grad()
        bp.functional.mse_loss(model(X), y).backward()
        optimizer.step()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("kind", KINDS)
def test_a_run_resumed_from_files_equals_an_unbroken_one_bit_for_bit(kind, dtype, tmp_path):
    def made():
        model = bp.nn.MLP([3, 8, 1], "tanh", seed=0, dtype=dtype)
        return model, KINDS[kind](model.parameters())

    unbroken, optimizer = made()
    advance(unbroken, optimizer, 20)

    model, optimizer = made()
    advance(model, optimizer, 7)
    np.savez(tmp_path / "model.npz", **model.state_dict())
    np.savez(tmp_path / "optimizer.npz", **optimizer.state_dict())
    resumed, optimizer = made()
    resumed.load_state_dict(np.load(tmp_path / "model.npz"))
    optimizer.load_state_dict(np.load(tmp_path / "optimizer.npz"))
    advance(resumed, optimizer, 13)
    for p, q, at_first in zip(
        unbroken.parameters(), resumed.parameters(), made()[0].parameters(), strict=True
    ):
        assert p.dtype == q.dtype == dtype
        assert p.data.tobytes() == q.data.tobytes()
        assert p.data.tobytes() != at_first.data.tobytes()


def test_the_state_is_a_copy_in_both_directions():
    p = leaf([1.0])
    p.grad = np.array([1.0])
    optimizer = SGD([p], 0.1, 0.9)
    optimizer.step()
    state = optimizer.state_dict()
    optimizer.step()
    assert state["0.velocity"] == [1.0]
    optimizer.load_state_dict(state)
    optimizer.step()
    assert state["0.velocity"] == [1.0]
    assert optimizer.steps == 2


def test_the_state_of_a_scalar_and_of_a_parameter_never_reached():
    p, q = leaf(1.0), leaf([1.0])
    p.grad = np.array(1.0)
    first = Adam([p, q], 0.1)
    first.step()
    second = Adam([p, q], 0.1)
    second.load_state_dict(first.state_dict())
    assert set(second.state_dict()) == {"steps", "0.mean", "0.square", "0.steps"}
    first.step()
    after = p.item()
    p.data = 1.0 - (1.0 - after) / 2
    second.step()
    np.testing.assert_allclose(p.item(), after, rtol=1e-7)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": None}, "it has no 'steps'"),
        ({"0.mean": np.ones(2)}, "unknown '0.mean'"),
        ({"7.velocity": np.ones(2)}, "unknown '7.velocity'"),
        ({"0.velocity": np.ones(3)}, r"'0.velocity' of shape \(3,\), not \(2,\)"),
        ({"0.velocity": np.ones(2, complex)}, "'0.velocity' of complex128"),
        ({"steps": np.array(1.5)}, "'steps' of float64"),
    ],
)
def test_a_state_that_does_not_fit_is_refused_whole(change, message):
    p = leaf([1.0, 2.0])
    p.grad = np.ones(2)
    optimizer = SGD([p], 0.1, 0.9)
    optimizer.step()
    before = optimizer.state_dict()
    state = {**before, "steps": np.array(99), **change}
    state = {name: value for name, value in state.items() if value is not None}
    with pytest.raises(ValueError, match=message):
        optimizer.load_state_dict(state)
    after = optimizer.state_dict()
    assert after.keys() == before.keys()
    assert all((after[name] == before[name]).all() for name in before)


def test_half_a_memory_is_refused():
    p = leaf([1.0])
    p.grad = np.ones(1)
    optimizer = Adam([p], 0.1)
    optimizer.step()
    state = optimizer.state_dict()
    del state["0.square"]
    with pytest.raises(ValueError, match=r"this Adam: it has no '0\.square'"):
        optimizer.load_state_dict(state)


def test_l1_is_a_term_of_the_loss():
    p = leaf([1.0, -2.0, 0.0])
    q = leaf([[3.0]])
    penalty = bp.functional.l1_penalty([p, q])
    assert penalty.item() == 6
    penalty.backward()
    np.testing.assert_array_equal(p.grad, [1.0, -1.0, 0.0])
    with pytest.raises(ValueError, match="no parameters"):
        bp.functional.l1_penalty([])


def used_up():
    parameters = (p for p in [leaf(1.0)])
    SGD(parameters, 0.1)
    return parameters


p = leaf([1.0], name="w")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([p], 0), ValueError, "lr must be positive, not 0"),
        (([p], -0.1), ValueError, "lr must be positive, not -0.1"),
        (([p], np.nan), ValueError, "lr must be finite, not nan"),
        (([p], np.inf), ValueError, "lr must be finite, not inf"),
        (([p], "fast"), TypeError, "lr must be a number, not 'fast'"),
        (([p], None), TypeError, "lr must be a number, not None"),
        (([p], 0.1, -0.5), ValueError, "momentum must not be negative, but is -0.5"),
        (([p], 0.1, 0.0, np.nan), ValueError, "weight_decay must be finite, not nan"),
        (([], 0.1), ValueError, "no parameters"),
        ((used_up(), 0.1), ValueError, "was a generator used up before?"),
        (([p, np.ones(2)], 0.1), TypeError, "parameter 1 is not a Tensor but a ndarray"),
        ((p, 0.1), TypeError, r"model.parameters\(\), not a Tensor"),
        ((bp.nn.Linear(1, 1), 0.1), TypeError, r"model.parameters\(\), not a Linear"),
        (([bp.Tensor([1.0])], 0.1), ValueError, "parameter 0, .*is not a leaf that requires grad"),
        (([p * 2], 0.1), ValueError, "is not a leaf that requires grad"),
    ],
)
def test_errors_are_one_clear_line(arguments, error, message):
    with pytest.raises(error, match=message) as caught:
        SGD(*arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: SGD([p], 0.1, max_norm=0), ValueError, "max_norm must be positive, not 0"),
        (lambda: SGD([p], 0.1, nesterov=True), ValueError, "nesterov=True needs a momentum"),
        (
            lambda: Adam([p], betas=(0.9, 1)),
            ValueError,
            r"betas\[1\] must be from 0 to less than 1",
        ),
        (lambda: Adam([p], betas=0.9), ValueError, "betas must be a pair of numbers, not 0.9"),
        (lambda: Adam([p], betas=("a", 0)), TypeError, r"betas\[0\] must be a number, not 'a'"),
        (lambda: Adam([p], epsilon=0), ValueError, "epsilon must be positive, not 0"),
        (lambda: AdamW([p], weight_decay=-1), ValueError, "weight_decay must not be negative"),
        (lambda: AdamW([p], lr=0), ValueError, "lr must be positive, not 0"),
    ],
)
def test_errors_of_the_options(make, error, message):
    with pytest.raises(error, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("grad", [np.ones((1, 1)), np.ones(1, np.float32), np.ones(2)])
def test_a_gradient_that_does_not_fit_is_refused(grad):
    w = leaf([1.0], name="w")
    w.grad = grad
    with pytest.raises(ValueError, match="the gradient of Tensor 'w'"):
        SGD([w], 0.1).step()
    assert w.item() == 1


@pytest.mark.parametrize(("dtype", "size"), [(np.float32, 1e25), (np.float64, 1e200)])
def test_clipping_of_gradients_whose_squares_overflow(dtype, size):
    p = bp.Tensor(np.zeros(2, dtype), requires_grad=True)
    p.grad = np.array([3 * size, 4 * size], dtype)
    optimizer = SGD([p], lr=1.0, max_norm=5.0)
    assert optimizer.gradient_norm() == pytest.approx(5 * size, rel=1e-6)
    optimizer.step()
    assert p.data == pytest.approx([-3.0, -4.0], rel=1e-6)


@pytest.mark.parametrize("kind", ["error in move", "interruption while replacing"])
def test_a_step_moves_all_parameters_or_none(kind, monkeypatch):
    parameters = [bp.Tensor([float(i)], requires_grad=True) for i in range(4)]
    optimizer = bp.optim.SGD(parameters, lr=0.1, momentum=0.9)
    sum((p * p).sum() for p in parameters).backward()
    optimizer.step()
    before, state = [p.numpy() for p in parameters], optimizer.state_dict()
    owner, name = (optimizer, "move") if kind == "error in move" else (bp.Tensor, "_replace")
    original, calls = getattr(owner, name), []

    def interrupted(*inputs):
        calls.append(inputs)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return original(*inputs)

    monkeypatch.setattr(owner, name, interrupted)
    with pytest.raises(KeyboardInterrupt):
        optimizer.step()
    monkeypatch.undo()
    assert [p.numpy() for p in parameters] == before
    after = optimizer.state_dict()
    assert after.keys() == state.keys()
    assert all(np.array_equal(after[key], state[key]) for key in state)
