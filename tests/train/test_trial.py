"""Traps of a training that would go on in silence: each is told once, with its cure."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from tinygrad_bp import functional, nn, optim, train

random = np.random.default_rng(0)
X = random.normal(size=(12, 3))
labels = np.arange(12) % 3
targets = X[:, 0].copy()


class Ending(nn.Module):
    """A network, and a function of its outputs."""

    def __init__(self, outputs, ending, **options):
        self.network = nn.MLP([3, 4, outputs], "tanh", seed=0, **options)
        self.ending = ending

    def forward(self, x):
        return self.ending(self.network(x))


def warned(model, y, loss, inputs=X):
    """What a training says, twice as long as it has to be."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        optimizer = optim.SGD(model.parameters(), lr=0.01)
        train.fit(model, inputs, y, loss=loss, optimizer=optimizer, epochs=2, progress=False)
    assert all(warning.filename == __file__ for warning in caught)
    return [str(warning.message) for warning in caught]


def by_hand(x):
    e = np.exp(x)
    return e / e.sum(axis=1, keepdims=True)


def powers(x):
    return np.exp(x - functional.logsumexp(x, axis=1, keepdims=True))


@pytest.mark.parametrize(
    "ending",
    [
        functional.softmax,
        functional.sigmoid,
        by_hand,
        powers,
        lambda x: functional.softmax(x).T.reshape(3, -1).T[:, :],
        lambda x: 1 / (1 + np.exp(-x)),
    ],
)
def test_probabilities_where_cross_entropy_takes_logits(ending):
    (message,) = warned(Ending(3, ending), labels, "cross_entropy")
    assert message.startswith("cross_entropy takes logits, scores of any size, and is given ")
    assert "leave the softmax out, which the loss computes itself" in message
    identity = Ending(3, lambda x: x)
    (message,) = warned(identity, labels, lambda o, t: functional.cross_entropy(ending(o), t))
    assert "leave the softmax out" in message


@pytest.mark.parametrize(
    "ending",
    [
        functional.sigmoid,
        lambda x: x.sigmoid().reshape(-1, 1),
        lambda x: np.reciprocal(1 + np.exp(-x)),
    ],
)
def test_probabilities_where_the_binary_loss_takes_logits(ending):
    (message,) = warned(Ending(1, ending), labels[:, None] > 0, "binary_cross_entropy")
    assert "functional.binary_cross_entropy" in message


@pytest.mark.parametrize(
    ("model", "y", "loss"),
    [
        (Ending(3, lambda x: x), labels, "cross_entropy"),
        (Ending(3, functional.log_softmax), labels, "cross_entropy"),
        (Ending(3, lambda x: x / 3), labels, "cross_entropy"),
        (Ending(3, lambda x: np.tanh(x) ** 2), labels, "cross_entropy"),
        (Ending(1, functional.sigmoid), labels[:, None] > 0, functional.binary_cross_entropy),
        (Ending(1, lambda x: abs(x) / 9), labels[:, None] > 0, "binary_cross_entropy"),
        (Ending(3, functional.softmax), np.eye(3)[labels], "mse"),
    ],
)
def test_what_is_meant_is_not_warned_of(model, y, loss):
    assert warned(model, y, loss) == []


@pytest.mark.parametrize("turned", [False, True])
def test_a_loss_that_compares_each_output_with_every_target(turned):
    def loss(outputs, y):
        return np.mean((y - outputs if turned else outputs - y) ** 2)

    (message,) = warned(Ending(1, lambda x: x), targets, loss)
    assert "the loss broadcasts (12, 1) and (12,) to (12, 12)" in message or turned
    assert "each output with every target: give the targets the outputs' shape" in message
    assert warned(Ending(1, lambda x: x), targets[:, None], loss) == []
    (message,) = warned(Ending(1, lambda x: x[:, 0]), targets[:, None], loss)
    assert "each output with every target" in message


def test_a_loss_over_all_pairs_of_outputs_is_meant():
    def spread(outputs, y):
        o = outputs[:, 0]
        return np.mean((o[:, None] - o) ** 2) + np.mean((outputs - outputs.T) ** 2)

    assert warned(Ending(1, lambda x: x), targets, spread) == []
    assert (
        warned(Ending(1, lambda x: x), targets[:1], lambda o, t: np.mean((o - t) ** 2), X[:1]) == []
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_a_model_trains_in_its_own_type(dtype):
    seen = set()

    def loss(outputs, y):
        seen.update([outputs.dtype, y.dtype])
        return functional.mse_loss(outputs, y)

    model = Ending(1, lambda x: x, dtype=dtype)
    assert warned(model, targets[:, None], loss) == []
    assert seen == {np.dtype(dtype)}
    assert train.predict(model, X).dtype == dtype
    assert X.dtype == targets.dtype == np.float64
    with pytest.raises(ValueError, match=r"X must be finite, and X\[0, 0\] is inf"):
        warned(model, targets[:, None], loss, X * 1e300)


def test_where_the_own_type_cannot_be_kept_it_is_said():
    model = Ending(1, lambda x: x, dtype=np.float32)
    (message,) = warned(model, targets[:, None], "mse", np.arange(36).reshape(12, 3))
    assert "pass X.astype(np.float32)" in message
    told = r"Linear\(in_features=3, out_features=4\) holds float32.*x.astype\(np.float32\)"
    with pytest.warns(UserWarning, match=told):
        model(X)
    assert model(X.astype(np.float32)).dtype == np.float32
    assert model(X.astype(np.float16)).dtype == np.float32
