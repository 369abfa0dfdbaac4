"""Arguments that are no numbers, flags or arrays are refused in one line that names them."""

import numpy as np
import pytest

import tinygrad_bp as bp
from tests.train.training import X, Y, fitted
from tinygrad_bp import data, metrics, nn, optim, train


@pytest.mark.parametrize("text", ["0.1", b"0.1", True, np.True_, [0.1, 0.2]])
@pytest.mark.parametrize(
    "entry",
    [
        lambda value: optim.SGD([bp.Tensor([1.0], requires_grad=True)], value),
        nn.Dropout,
        lambda value: data.moons(noise=value),
        lambda value: fitted(X, Y, tolerance=value),
        lambda value: data.train_test_split(X, Y, value),
    ],
)
def test_text_and_truth_are_no_numbers(entry, text):
    with pytest.raises(TypeError, match=r"^\w+ must be a number, not "):
        entry(text)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: optim.SGD(nn.Linear(1, 1).parameters(), 10**400),
            ValueError,
            "lr must be finite, not inf",
        ),
        (lambda: data.moons(True), TypeError, "n must be an integer, not True"),
        (lambda: data.moons(np.array([3, 4])), TypeError, r"n must be an integer, not array"),
        (lambda: data.spirals(turns=np.nan), ValueError, "turns must be finite, not nan"),
        (lambda: data.train_test_split(X, Y, 1.0), ValueError, "test_size=1.0 of 20 rows"),
        (lambda: data.Standardize([[1e308], [-1e308]]), ValueError, "X is too large for float64"),
        (lambda: data.Standardize(X)(X * np.nan), ValueError, r"X must be finite, and X\[0, 0\]"),
        (lambda: data.Standardize(X)([["a", "b"]]), TypeError, "X must hold real numbers, not <U1"),
        (lambda: train.predict(nn.Linear(2, 1), X * np.nan), ValueError, "X must be finite"),
        (lambda: train.predict(nn.Linear(2, 1), X + 0j), TypeError, "X must hold real numbers"),
        (lambda: fitted([[1], [1, 2]], Y[:2]), ValueError, "X must have rows of one length"),
        (lambda: fitted(X, np.full(20, "a")), TypeError, r"y must .*: number labels by np.unique"),
    ],
)
def test_numbers_that_are_none(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("flag", ["no", 0, None, np.zeros(3)])
@pytest.mark.parametrize(
    "entry",
    [
        lambda flag: fitted(X, Y, shuffle=flag),
        lambda flag: fitted(X, Y, progress=flag),
        lambda flag: nn.Linear(2, 1, bias=flag),
        lambda flag: nn.MLP([2, 1], bias=flag),
        lambda flag: nn.Linear(2, 1).train(flag),
        lambda flag: data.batches(X, Y, 2, shuffle=flag),
        lambda flag: optim.SGD(nn.Linear(2, 1).parameters(), 0.1, 0.9, nesterov=flag),
    ],
)
def test_a_flag_is_true_or_false(entry, flag):
    with pytest.raises(TypeError, match=r"^\w+ must be True or False, not "):
        entry(flag)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: nn.Sequential(nn.Linear), TypeError, "layer 0 is not a function but the class"),
        (
            lambda: nn.Linear(2, 2, init=lambda g, n, m: np.full((m, n), np.nan)),
            ValueError,
            "init gave weights that are not finite",
        ),
        (lambda: nn.Linear(2, 3, dtype=object), TypeError, "a Tensor holds numbers, not object"),
        (lambda: nn.he(np.random.default_rng(0), 0, 2), ValueError, "inputs must be at least 1"),
        (lambda: nn.orthogonal(0, 3, 2), TypeError, "generator must be a Generator, not 0"),
        (
            lambda: nn.xavier(np.random.default_rng(0), 3, 2, gain=np.nan),
            ValueError,
            "gain must be finite, not nan",
        ),
        (lambda: metrics.accuracy(np.array(["a"]), [0]), ValueError, "compares real numbers"),
        (lambda: metrics.mae([], []), ValueError, "compares real numbers"),
        (lambda: bp.functional.l1_penalty(None), TypeError, "parameters must be a list"),
        (lambda: data.one_hot([[1], [1, 2]]), ValueError, "labels must have rows of one length"),
        (
            lambda: bp.functional.linear(X, np.ones((2, 2)), [1.0, 2.0, 3.0]),
            ValueError,
            "needs a bias of shape",
        ),
    ],
)
def test_arguments_that_are_none(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
