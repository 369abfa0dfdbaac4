"""What is learned from: shares held out, weights of rows and classes, and what patience watches."""

from __future__ import annotations

import functools

import numpy as np
import pytest

import tinygrad_bp as bp
from tests.train.test_train import (
    X,
    X_line,
    network,
    of_epoch,
    regressor,
    run,
    same,
    sgd,
    y,
    y_line,
)
from tinygrad_bp import functional, schedules
from tinygrad_bp.train.batching import Chance

# A share of the rows, held out


def test_a_share_is_held_out_by_the_seed_and_before_the_first_epoch():
    model, seen = network(), []

    def rows(outputs, targets):
        seen.append((len(outputs), targets.sum()))
        return 0.0

    run(model, validation=0.2, metrics={"rows": rows}, epochs=2)
    counts = [n for n, _ in seen]
    assert counts == [60, 48, 12, 48, 12]  # the trial goes through all of them
    assert seen[1:3] == seen[3:]
    assert seen[1][1] + seen[2][1] == y.sum()
    again, other = network(), network()
    run(again, validation=0.2, epochs=2)
    same(model, again)
    run(other, validation=0.2, epochs=2, seed=1)
    with pytest.raises(AssertionError):
        same(model, other)


def test_the_same_share_is_held_out_when_a_training_goes_on():
    """Else it would be judged by rows that it has learned from."""
    unbroken, parts = network(), network()
    run(unbroken, validation=0.25, batch_size=20, epochs=5)
    optimizer = sgd(parts)
    for epochs in (2, 3):
        run(parts, validation=0.25, batch_size=20, epochs=epochs, optimizer=optimizer)
    same(parts, unbroken)


def test_the_order_of_the_batches_is_another_chance_than_the_share():
    def order(generator):
        return generator.permutation(60).tolist()

    optimizers = [type("Steps", (), {"steps": n}) for n in range(3)]
    held_out = [order(Chance(optimizer, 0).of_held_out()) for optimizer in optimizers]
    assert held_out == [held_out[0]] * 3  # however many steps were taken
    assert held_out[0] not in [order(of_epoch(optimizer)) for optimizer in optimizers]


@pytest.mark.parametrize(
    ("share", "error", "message"),
    [
        (0.0, ValueError, "validation=0.0 of 60 rows must leave rows on both sides"),
        (60, ValueError, "validation=60 of 60 rows"),
        (-0.2, ValueError, "validation=-0.2 of 60 rows"),
        (True, TypeError, r"validation must be a pair of arrays \(X, y\), or a share, not True"),
        ("0.2", TypeError, r"validation must be a pair of arrays \(X, y\), or a share, not '0.2'"),
    ],
)
def test_a_share_that_cannot_be(share, error, message):
    with pytest.raises(error, match=message):
        run(network(), validation=share)


# Weights


def test_a_row_of_weight_2_is_as_two_rows():
    model, expected = network(), network()
    weights = np.ones(60)
    weights[:20] = 2
    run(model, sample_weight=weights, epochs=5)
    run(expected, np.concatenate([X, X[:20]]), np.concatenate([y, y[:20]]), epochs=5)
    for p, q in zip(model.parameters(), expected.parameters(), strict=True):
        np.testing.assert_allclose(p.data, q.data, rtol=1e-10)


@pytest.mark.parametrize("loss", ["mse", "mae", "huber"])
def test_a_row_of_weight_0_is_none(loss):
    weights = np.r_[np.zeros(20), np.full(40, 7.0)]
    model, expected = regressor(), regressor()
    run(model, X_line, y_line, loss=loss, sample_weight=weights, epochs=5)
    run(expected, X_line[20:], y_line[20:], loss=loss, epochs=5)
    for p, q in zip(model.parameters(), expected.parameters(), strict=True):
        np.testing.assert_allclose(p.data, q.data, rtol=1e-10)


def test_weights_go_with_their_rows_into_batches_and_out_of_a_share():
    """Rows of weight 0 have wrong labels: what is learned does not depend on them."""
    weights = (np.arange(60) % 3 > 0).astype(np.float32)
    models = [network(), network()]
    for model, labels in zip(models, (y, np.where(weights, y, 1 - y)), strict=True):
        run(model, X, labels, sample_weight=weights, batch_size=7, validation=0.3)
    same(*models)


def test_balanced_classes_weigh_the_same_however_rare():
    few = np.r_[np.flatnonzero(y == 0), np.flatnonzero(y == 1)[:6]]
    balanced, by_hand, expected = network(), network(), network()
    run(balanced, X[few], y[few], class_weight="balanced", epochs=5)
    run(by_hand, X[few], y[few], class_weight={0: 1.0, 1: 5.0}, epochs=5)
    same(balanced, by_hand)
    loss = functools.partial(functional.cross_entropy, weight=[1.0, 5.0])
    run(expected, X[few], y[few], loss=loss, epochs=5)
    for p, q in zip(balanced.parameters(), expected.parameters(), strict=True):
        np.testing.assert_allclose(p.data, q.data, rtol=1e-10)


def test_classes_of_a_column_of_log_odds_are_weighed_too():
    model = bp.nn.MLP([2, 8, 1], "tanh", seed=0)
    both = bp.nn.MLP([2, 8, 1], "tanh", seed=0)
    column = y[:, np.newaxis]
    run(model, X, column, loss="bce", class_weight={1: 3.0}, epochs=3)
    loss = functools.partial(functional.binary_cross_entropy_with_logits, weight=[1.0, 3.0])
    run(both, X, column, loss=loss, epochs=3)
    for p, q in zip(model.parameters(), both.parameters(), strict=True):
        np.testing.assert_allclose(p.data, q.data, rtol=1e-10)


def test_weights_keep_float32():
    model = network(dtype=np.float32)
    run(model, X.astype(np.float32), y, sample_weight=np.ones(60), batch_size=20)
    assert {p.dtype for p in model.parameters()} == {np.dtype(np.float32)}


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"sample_weight": np.ones(3)}, ValueError, "one number for each of 60 rows, not float64"),
        ({"sample_weight": -np.ones(60)}, ValueError, "and position 0 holds -1.0"),
        ({"sample_weight": np.zeros(60)}, ValueError, "all rows that are learned from have weight"),
        ({"class_weight": "equal"}, ValueError, "class_weight must be 'balanced' or a dictionary"),
        ({"class_weight": {2: 1.0}}, ValueError, "class_weight has 2, and no row is of that class"),
        ({"class_weight": {1: -1.0}}, ValueError, "must be finite, 0 or more"),
        (
            {"sample_weight": np.ones(60), "loss": lambda outputs, targets: np.mean(outputs)},
            TypeError,
            "weights need the loss of each row: a loss by its name, or a function that takes red",
        ),
    ],
)
def test_weights_that_cannot_be(options, error, message):
    with pytest.raises(error, match=message):
        run(network(), **options)


def test_numbers_are_no_classes():
    with pytest.raises(ValueError, match="class_weight is for targets that are class numbers"):
        run(regressor(), X_line, y_line, loss="mse", class_weight="balanced")


# Metrics, names, and what patience watches


def test_metrics_have_the_names_that_they_were_given():
    metrics = {"share of ones": lambda out, t: np.mean(out.argmax(axis=1)), "right": "acc"}
    history = run(network(), metrics=metrics, validation=0.2)
    assert history.metrics == [
        "share of ones",
        "right",
        "validation share of ones",
        "validation right",
    ]
    assert run(network(), metrics=["acc"]).metrics == ["acc"]
    with pytest.raises(ValueError, match="a metric cannot be called 'loss'"):
        run(network(), metrics={"loss": "acc"})


@pytest.mark.parametrize(
    ("name", "same_as"),
    [
        ("MSELoss", "mse"),
        ("mean_squared_error", "mse"),
        ("MeanSquaredError", "mse"),
        ("L1Loss", "mae"),
        ("smooth_l1_loss", "huber"),
        ("squared_error", "mse"),
    ],
)
def test_a_loss_by_the_name_that_another_library_has_for_it(name, same_as):
    model, expected = regressor(), regressor()
    run(model, X_line, y_line, loss=name)
    run(expected, X_line, y_line, loss=same_as)
    same(model, expected)


def test_patience_watches_what_it_is_told_to():
    values = iter([0.1, 0.5, 0.3, 0.9, 0.8, 0.7, 0.6])
    history = run(
        network(),
        metrics={"score": lambda out, t: next(values)},
        epochs=50,
        patience=2,
        monitor="score",
    )
    assert history["score"].tolist() == [0.5, 0.3, 0.9, 0.8, 0.7]  # the trial took the first
    assert history.stopped == "no higher score in 2 epochs; the model is as after epoch 3"


@pytest.mark.parametrize("monitor", ["validation mae", "val_mae"])
def test_an_error_is_to_be_small(monitor):
    model = regressor()
    history = run(
        model,
        X_line,
        y_line,
        loss="mse",
        optimizer=sgd(model, lambda t: 0.1 if t < 4 else 5.0),
        metrics=["mae"],
        validation=0.3,
        epochs=20,
        patience=2,
        monitor=monitor,
    )
    best = history["validation mae"].argmin() + 1
    assert history.stopped.startswith("no lower validation mae in 2 epochs; the model is as after")
    assert history.stopped.endswith(f"epoch {best}")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"monitor": "loss"}, "monitor='loss' is what patience watches: give patience= too"),
        ({"monitor": "acc", "patience": 2}, "unknown monitor 'acc': known are loss"),
        (
            {"monitor": "validation acuracy", "patience": 2, "validation": 0.2, "metrics": ["acc"]},
            "unknown monitor 'validation acuracy': did you mean 'validation acc'",
        ),
        ({"monitor": "val_loss", "patience": 2}, "monitor='val_loss' is not measured: give valid"),
        ({"observe": "delta"}, "unknown observe 'delta': did you mean 'deltas'"),
    ],
)
def test_what_cannot_be_watched(options, message):
    with pytest.raises(ValueError, match=message):
        run(network(), **options)


def test_error_signals_are_recorded_when_asked_for():
    assert run(network()).deltas == {}
    history = run(network(), observe="deltas")
    assert list(history.deltas) == ["0", "2"]
    assert "error signal of layer 0" in history.names


def test_a_schedule_may_count_epochs():
    model = network()
    optimizer = sgd(model, schedules.PerEpoch(schedules.exponential(0.1, 0.5)))
    with pytest.raises(ValueError, match="how many steps has an epoch"):
        _ = optimizer.step_size
    history = run(model, optimizer=optimizer, batch_size=25, epochs=3)
    assert history.learning_rate.tolist() == [0.1, 0.05, 0.025]
    run(model, optimizer=optimizer, epochs=1)  # an epoch of one step
    assert optimizer.step_size == 0.1 * 0.5**10
    own = schedules.PerEpoch(schedules.exponential(0.1, 0.5), steps=5)
    assert run(model, optimizer=sgd(model, own), epochs=6).learning_rate[-1] == 0.05
    with pytest.raises(TypeError, match=r"a schedule is a function of time, not 0\.1"):
        schedules.PerEpoch(0.1)
