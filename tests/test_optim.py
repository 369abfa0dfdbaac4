"""Stochastic gradient descent: its steps, what it leaves alone, and what it refuses."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import tinygrad_bp as bp
from tinygrad_bp.optim import SGD


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


@pytest.mark.parametrize(
    ("momentum", "weight_decay"), [*itertools.product((0.0, 0.9), (0.0, 0.01))]
)
def test_fifty_steps_as_torch_takes_them(momentum, weight_decay):
    torch = pytest.importorskip("torch")
    X = np.random.default_rng(0).normal(size=(20, 3))
    y = np.sin(X.sum(axis=1, keepdims=True))
    model = bp.nn.MLP([3, 8, 1], "tanh", seed=0)
    theirs = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
    theirs = theirs.double()
    theirs.load_state_dict({k: torch.from_numpy(v) for k, v in model.state_dict().items()})
    options = {"lr": 0.1, "momentum": momentum, "weight_decay": weight_decay}
    optimizer = SGD(model.parameters(), **options)
    their_optimizer = torch.optim.SGD(theirs.parameters(), **options)
    for _ in range(50):
        optimizer.zero_grad()
        bp.functional.mse_loss(model(X), y).backward()
        optimizer.step()
        their_optimizer.zero_grad()
        torch.nn.functional.mse_loss(theirs(torch.from_numpy(X)), torch.from_numpy(y)).backward()
        their_optimizer.step()
    for p, q in zip(model.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(p.data, q.detach().numpy(), rtol=1e-12, atol=1e-12)


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
    assert (
        repr(SGD([leaf(1.0)], 0.1)) == "SGD(1 parameters, lr=0.1, momentum=0.0, weight_decay=0.0)"
    )


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
        (([p], np.nan), ValueError, "lr must be positive, not nan"),
        (([p], np.inf), ValueError, "lr must be positive, not inf"),
        (([p], "fast"), TypeError, "lr must be a number, not 'fast'"),
        (([p], None), TypeError, "lr must be a number, not None"),
        (([p], 0.1, -0.5), ValueError, "momentum must not be negative, but is -0.5"),
        (([p], 0.1, 0.0, np.nan), ValueError, "weight_decay must not be negative, but is nan"),
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


@pytest.mark.parametrize("grad", [np.ones((1, 1)), np.ones(1, np.float32), np.ones(2)])
def test_a_gradient_that_does_not_fit_is_refused(grad):
    w = leaf([1.0], name="w")
    w.grad = grad
    with pytest.raises(ValueError, match="the gradient of Tensor 'w'"):
        SGD([w], 0.1).step()
    assert w.item() == 1
