"""Errors: one clear line that names what was wrong, and nothing done by halves."""

import numpy as np
import pytest

import tinygrad_bp as bp

X = np.zeros((4, 3))


def leaf(value, **options):
    return bp.Tensor(value, requires_grad=True, **options)


def W():
    return leaf(np.ones((2, 3)), name="W")


def b():
    return leaf(np.ones(4), name="b")


def scores():
    return leaf(np.zeros((4, 3)), name="scores")


def sgd(**options):
    return bp.optim.SGD([leaf(1.0)], **{"lr": 0.1, **options})


def step_without(grad):
    p = leaf([1.0, 2.0], name="w")
    p.grad = grad
    bp.optim.SGD([p], lr=0.1).step()


cross_entropy = bp.functional.cross_entropy
mse_loss = bp.functional.mse_loss
bce = bp.functional.binary_cross_entropy_with_logits

SHAPES = {
    "add": (lambda: W() + b(), ValueError, ["add", "W (2, 3)", "b (4,)"]),
    "radd": (lambda: np.ones(2) + b(), ValueError, ["add", "ndarray (2,)", "b (4,)"]),
    "multiply": (lambda: leaf(np.ones(2)) * b(), ValueError, ["multiply", "Tensor (2,)", "b (4,)"]),
    "matmul": (lambda: W() @ b(), ValueError, ["matmul", "W (2, 3)", "b (4,)"]),
    "maximum": (lambda: np.maximum(W(), b()), ValueError, ["maximum", "W (2, 3)", "b (4,)"]),
    "where": (lambda: np.where(True, W(), b()), ValueError, ["where", "W (2, 3)", "b (4,)"]),
    "reshape": (lambda: W().reshape(4), ValueError, ["reshape", "W (2, 3)", "(4,)"]),
    "transpose": (lambda: W().transpose(0, 0), ValueError, ["transpose", "W (2, 3)"]),
    "sum": (lambda: W().sum(axis=2), np.exceptions.AxisError, ["sum", "W (2, 3)", "axis 2"]),
    "max": (lambda: leaf([], name="e").max(), ValueError, ["max", "e (0,)"]),
    "concatenate": (
        lambda: np.concatenate([W(), b()]),
        ValueError,
        ["concatenate", "W (2, 3)", "b (4,)"],
    ),
    "stack": (lambda: np.stack([W(), b()]), ValueError, ["stack", "W (2, 3)", "b (4,)"]),
    "index": (lambda: W()[5], IndexError, ["W (2, 3)", "index 5"]),
    "indices": (lambda: W()[0, 0, 0], IndexError, ["W (2, 3)", "too many indices"]),
    "mask": (lambda: b()[np.ones(3, bool)], IndexError, ["b (4,)", "3"]),
    "linear": (lambda: bp.nn.Linear(5, 2, seed=0)(X), ValueError, ["(4, 3)", "(2, 5)"]),
    "MLP": (lambda: bp.nn.MLP([5, 2], seed=0)(X), ValueError, ["(4, 3)", "(2, 5)"]),
}
BACKWARD = {
    "no seed": (lambda: W().backward(), ValueError, ["'W'", "(2, 3)", "6 elements", "grad="]),
    "no seed, nameless": (lambda: leaf(X).backward(), ValueError, ["(4, 3)", "12 elements"]),
    "seed": (lambda: W().backward(np.ones(3)), ValueError, ["'W'", "(2, 3)", "(3,)"]),
    "a broadcast seed": (lambda: W().backward(1.0), ValueError, ["(2, 3)", "()"]),
    "text": (lambda: b().backward("ones"), ValueError, ["ones"]),
    "constant": (lambda: bp.Tensor(1.0).backward(), RuntimeError, ["requires grad"]),
    "detached": (lambda: (b() * 2).detach().sum().backward(), RuntimeError, ["requires grad"]),
    "gradients": (lambda: bp.gradients(b() * 2, [b()]), ValueError, ["(4,)", "4 elements"]),
    "not a list": (lambda: bp.gradients(b().sum(), b()), TypeError, ["list", "[x]"]),
}
TENSORS = {
    "text": (lambda: bp.Tensor("three"), TypeError, ["numbers", "three"]),
    "None": (lambda: bp.Tensor(None), TypeError, ["numbers", "None"]),
    "a word among numbers": (lambda: bp.Tensor([1, "two"]), TypeError, ["numbers", "two"]),
    "ragged": (lambda: bp.Tensor([[1], [1, 2]]), ValueError, ["rows of one length", "[1, 2]]"]),
    "integers": (lambda: leaf(np.arange(3)), TypeError, ["int64", "dtype=float"]),
    "booleans": (lambda: leaf(np.ones(3, bool)), TypeError, ["bool", "dtype=float"]),
    "complex": (lambda: leaf(1j), TypeError, ["complex128"]),
    "complex result": (lambda: b() * 1j, TypeError, ["multiply", "complex128"]),
    "text as operand": (lambda: b() + "one", TypeError, ["add", "b (4,)"]),
    "None as operand": (lambda: b() + None, TypeError, ["add", "b (4,)", "NoneType"]),
    "item": (lambda: b().item(), ValueError, ["size 1"]),
    "item written": (lambda: b().__setitem__(0, 1.0), TypeError, ["'b'", "in place", "np.where"]),
    "data": (lambda: setattr(b(), "data", [1.0]), ValueError, ["'b'", "(4,)", "(1,)"]),
    "no rule": (lambda: np.fft.fft(b()), TypeError, ["np.fft.fft", "no derivative rule", "t.data"]),
    "to array": (lambda: np.asarray(b()), TypeError, ["'b'", "requires grad", "t.data"]),
}
LOSSES = {
    "float labels": (
        lambda: cross_entropy(scores(), np.zeros(4)),
        TypeError,
        ["labels", "integers", "float64"],
    ),
    "boolean labels": (
        lambda: cross_entropy(scores(), np.zeros(4, bool)),
        TypeError,
        ["labels", "integers", "bool"],
    ),
    "a label too large": (
        lambda: cross_entropy(scores(), np.array([0, 1, 3, 2])),
        ValueError,
        ["labels", "0 to 2", "position 2", "3"],
    ),
    "a negative label": (
        lambda: cross_entropy(scores(), np.array([0, -1, 1, 2])),
        ValueError,
        ["labels", "0 to 2", "position 1", "-1"],
    ),
    "labels of a column": (
        lambda: cross_entropy(scores(), np.zeros((4, 1), int)),
        ValueError,
        ["(4, 3)", "(4, 1)"],
    ),
    "one-hot labels": (
        lambda: cross_entropy(scores(), np.eye(4, 3, dtype=int)),
        ValueError,
        ["(4, 3)", "labels"],
    ),
    "too few labels": (
        lambda: cross_entropy(scores(), np.zeros(3, int)),
        ValueError,
        ["(4, 3)", "(3,)"],
    ),
    "an empty batch, cross-entropy": (
        lambda: cross_entropy(scores()[:0], np.zeros(0, int)),
        ValueError,
        ["empty"],
    ),
    "an empty batch, squares": (
        lambda: mse_loss(b()[:0], np.zeros(0)),
        ValueError,
        ["empty"],
    ),
    "an empty batch, binary": (lambda: bce(b()[:0], np.zeros(0)), ValueError, ["empty"]),
    "a NaN target, squares": (
        lambda: mse_loss(b(), np.array([1.0, np.nan, 0.0, 0.0])),
        ValueError,
        ["targets", "finite", "position 1", "nan"],
    ),
    "a NaN target, binary": (
        lambda: bce(b(), np.array([1.0, 0.0, 0.0, np.nan])),
        ValueError,
        ["targets", "position 3", "nan"],
    ),
    "an infinite target": (
        lambda: mse_loss(b(), np.array([1.0, np.inf, 0.0, 0.0])),
        ValueError,
        ["targets", "finite", "position 1", "inf"],
    ),
    "a target that is no probability": (
        lambda: bce(b(), np.array([1.0, 2.0, 0.0, 0.0])),
        ValueError,
        ["targets", "0 to 1", "position 1", "2.0"],
    ),
    "a row against a column, squares": (
        lambda: mse_loss(b(), np.zeros((4, 1))),
        ValueError,
        ["(4,)", "(4, 1)"],
    ),
    "a row against a column, binary": (
        lambda: bce(b(), np.zeros((4, 1))),
        ValueError,
        ["(4,)", "(4, 1)"],
    ),
    "an unknown reduction": (
        lambda: mse_loss(b(), np.zeros(4), reduction="average"),
        ValueError,
        ["reduction", "mean", "average"],
    ),
}
TRAINING = {
    "lr of zero": (lambda: sgd(lr=0), ValueError, ["lr", "positive", "0"]),
    "lr below zero": (lambda: sgd(lr=-0.1), ValueError, ["lr", "positive", "-0.1"]),
    "lr NaN": (lambda: sgd(lr=float("nan")), ValueError, ["lr", "nan"]),
    "lr of text": (lambda: sgd(lr="fast"), (TypeError, ValueError), ["lr", "fast"]),
    "momentum below zero": (lambda: sgd(momentum=-1), ValueError, ["momentum", "-1"]),
    "weight decay below zero": (lambda: sgd(weight_decay=-1), ValueError, ["weight_decay", "-1"]),
    "no parameters": (lambda: bp.optim.SGD([], lr=0.1), ValueError, ["no parameters"]),
    "not parameters": (lambda: bp.optim.SGD([1.0], lr=0.1), TypeError, ["parameter 0", "float"]),
    "constants": (
        lambda: bp.optim.SGD([bp.Tensor(1.0)], lr=0.1),
        ValueError,
        ["parameter 0", "requires grad"],
    ),
    "a gradient of another shape": (
        lambda: step_without(np.ones(3)),
        ValueError,
        ["'w'", "(2,)", "(3,)"],
    ),
    "an unknown activation": (
        lambda: bp.nn.MLP([2, 3, 1], activation="rellu"),
        ValueError,
        ["activation", "'rellu'", "'relu'"],
    ),
    "one size": (lambda: bp.nn.MLP([3]), ValueError, ["sizes", "[3]"]),
    "a size of zero": (lambda: bp.nn.MLP([3, 0, 1]), ValueError, ["at least 1", "0"]),
    "half a size": (lambda: bp.nn.MLP([3, 2.5, 1]), TypeError, ["integer", "2.5"]),
}
CASES = {
    f"{theme}: {name}": case
    for theme, cases in [
        ("shapes", SHAPES),
        ("backward", BACKWARD),
        ("tensors", TENSORS),
        ("losses", LOSSES),
        ("training", TRAINING),
    ]
    for name, case in cases.items()
}


@pytest.mark.parametrize("name", CASES)
def test_an_error_is_one_line_that_names_what_was_wrong(name):
    wrong, kind, words = CASES[name]
    with pytest.raises(kind) as caught:
        wrong()
    message = str(caught.value)
    missing = [word for word in words if word not in message]
    assert not missing, f"{missing} not in: {message}"
    assert "\n" not in message
    assert message == message.strip()
    assert len(message) < 300
    assert "tinygrad_bp" not in message
    assert "_array" not in message, "an inner name"


def test_an_error_hides_the_engines_own_chain():
    """What NumPy raised is told in the message; a second traceback would only confuse."""
    with pytest.raises(ValueError, match="matmul") as caught:
        W() @ b()
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_failing_backward_leaves_gradients_as_they_were():
    x = leaf([1.0, 2.0])
    y = x * x
    y.backward([1.0, 1.0])
    before = x.grad.copy()
    with pytest.raises(ValueError, match="shape"):
        y.backward([1.0, 1.0, 1.0])
    assert np.array_equal(x.grad, before)


def test_a_failing_assignment_leaves_the_data_as_it_was():
    x = leaf([1.0, 2.0])
    for wrong in ([1.0], "text", [[1.0, 2.0]]):
        with pytest.raises((ValueError, TypeError)):
            x.data = wrong
    assert np.array_equal(x.data, [1.0, 2.0])


def test_a_failing_step_moves_no_parameter():
    first, second = leaf([1.0], name="first"), leaf([1.0], name="second")
    first.grad, second.grad = np.ones(1), np.ones(2)
    with pytest.raises(ValueError, match="second"):
        bp.optim.SGD([first, second], lr=0.1).step()
    assert np.array_equal(second.data, [1.0])
    assert np.array_equal(first.data, [1.0])


def test_sgd_skips_what_has_no_gradient():
    used, unused = leaf([1.0]), leaf([1.0])
    optimizer = bp.optim.SGD([used, unused], lr=0.1, momentum=0.9, weight_decay=0.5)
    (used * 2.0).sum().backward()
    assert unused.grad is None
    optimizer.step()
    assert np.array_equal(unused.data, [1.0])
    assert not np.array_equal(used.data, [1.0])
