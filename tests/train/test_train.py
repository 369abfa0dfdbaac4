"""Training: the steps it takes, what it measures, why it stops, and what it refuses."""

from __future__ import annotations

import itertools
import signal
import threading

import numpy as np
import pytest

import tinygrad_bp as bp
from tinygrad_bp import data, functional, nn, optim, schedules, train
from tinygrad_bp.train.history import History

X, y = data.moons(60, seed=0)
X_other, y_other = data.moons(40, seed=1)
X_line, y_line = data.sine(60, seed=0)


def network(**options):
    return nn.MLP([2, 8, 2], "tanh", seed=0, **options)


def regressor():
    return nn.MLP([1, 8, 1], "tanh", seed=0)


def sgd(model, lr=0.1, **options):
    return optim.SGD(model.parameters(), lr, **options)


def run(model, *arrays, **options):
    given = {"loss": "cross_entropy", "epochs": 3, "seed": 0, "progress": False}
    given |= {"optimizer": options["optimizer"] if "optimizer" in options else sgd(model)}
    return train.fit(model, *(arrays or (X, y)), **(given | options))


def same(first, second):
    for p, q in zip(first.parameters(), second.parameters(), strict=True):
        assert p.dtype == q.dtype
        assert p.data.tobytes() == q.data.tobytes()


def of_epoch(optimizer):
    """What draws the order of an epoch, for the seed 0."""
    return np.random.default_rng(np.random.SeedSequence(0, spawn_key=(optimizer.steps,)))


def by_hand(model, optimizer, parts):
    """The same steps, written out; their losses."""
    losses = []
    for X_part, y_part in parts:
        optimizer.zero_grad()
        loss = functional.cross_entropy(model(X_part), y_part)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


# Its steps


def test_full_batches():
    model, expected = network(), network()
    history = run(model, epochs=5)
    losses = by_hand(expected, sgd(expected), [(X, y)] * 5)
    same(model, expected)
    assert history.loss.tolist() == losses


def test_mini_batches():
    model, expected = network(), network()
    history = run(model, batch_size=25, epochs=4)
    optimizer = sgd(expected)
    for epoch in range(4):
        parts = data.batches(X, y, 25, seed=of_epoch(optimizer))
        losses = by_hand(expected, optimizer, parts)
        assert history.loss[epoch] == pytest.approx(np.dot(losses, [25, 25, 10]) / 60, rel=1e-14)
    same(model, expected)


def test_mini_batches_as_they_stand():
    model, expected = network(), network()
    run(model, batch_size=25, shuffle=False, epochs=2)
    by_hand(expected, sgd(expected), [*data.batches(X, y, 25, shuffle=False)] * 2)
    same(model, expected)


def test_one_row_to_a_step_drawn_from_all_whatever_was_drawn_before():
    model, expected = network(), network()
    run(model, batch_size=1, epochs=2)
    optimizer = sgd(expected)
    for _ in range(2):
        drawn = of_epoch(optimizer).integers(60, size=60)
        assert len(set(drawn)) < 60
        by_hand(expected, optimizer, ((X[[i]], y[[i]]) for i in drawn))
    same(model, expected)


def test_the_seed_decides():
    first, again, other = network(), network(), network()
    for model, seed in ((first, 1), (again, 1), (other, 2)):
        run(model, batch_size=10, seed=seed)
    same(first, again)
    with pytest.raises(AssertionError):
        same(first, other)


def test_a_batch_larger_than_the_data_is_all_of_it():
    model, expected = network(), network()
    run(model, batch_size=1000)
    run(expected)
    same(model, expected)


@pytest.mark.parametrize("suffix", ["npz", "safetensors"])
@pytest.mark.parametrize("batch_size", [None, 25, 1])
def test_a_resumed_run_equals_an_unbroken_one_bit_for_bit(batch_size, suffix, tmp_path):
    """Of a model and an optimiser in files, with dropout, batches in random order, a schedule."""

    def made(seed):
        normalization = None if batch_size == 1 else "batch"
        sizes = [2, 8, 8, 2]
        model = nn.MLP(sizes, dropout=0.2, normalization=normalization, seed=seed)
        lr = schedules.cosine(0.05, 500)
        return model, optim.Adam(model.parameters(), lr, weight_decay=0.01, max_norm=1.0)

    def trained(model, optimizer, epochs):
        return run(model, optimizer=optimizer, epochs=epochs, batch_size=batch_size).loss.tolist()

    unbroken, optimizer = made(0)
    losses = trained(unbroken, optimizer, 5)

    model, optimizer = made(0)
    first = trained(model, optimizer, 2)
    nn.save(model, tmp_path / f"model.{suffix}")
    nn.save(optimizer, tmp_path / f"optimizer.{suffix}")

    resumed, optimizer = made(1)  # of which nothing may be left
    nn.load(resumed, tmp_path / f"model.{suffix}")
    nn.load(optimizer, tmp_path / f"optimizer.{suffix}")
    assert first + trained(resumed, optimizer, 3) == losses
    assert list(resumed.state_dict()) == list(unbroken.state_dict())
    for path, array in unbroken.state_dict().items():
        assert array.tobytes() == resumed.state_dict()[path].tobytes()


def test_a_generator_goes_on_where_it_is():
    unbroken, parts = network(), network()
    run(unbroken, batch_size=25, epochs=5, seed=np.random.default_rng(3))
    generator, optimizer = np.random.default_rng(3), sgd(parts)
    for epochs in (2, 3):
        run(parts, batch_size=25, epochs=epochs, seed=generator, optimizer=optimizer)
    same(parts, unbroken)


def test_float32_stays_float32():
    model = network(dtype=np.float32)
    run(model, X.astype(np.float32), y, batch_size=20, optimizer=optim.AdamW(model.parameters()))
    assert {p.dtype for p in model.parameters()} == {np.dtype(np.float32)}


def test_lists_and_tensors_are_data_too():
    model, expected = network(), network()
    run(model, X.tolist(), y.tolist(), validation=(bp.Tensor(X), bp.Tensor(y)))
    run(expected)
    same(model, expected)


def test_a_loss_of_ones_own():
    model = regressor()

    def lasso(outputs, targets):
        return functional.mse_loss(outputs, targets) + 0.1 * functional.l1_penalty(
            [model.layers[0].weight]
        )

    run(model, X_line, y_line, loss=lasso, epochs=300)
    other = regressor()
    run(other, X_line, y_line, loss="mse", epochs=300)
    assert (
        np.abs(model.layers[0].weight.data).sum() < 0.5 * np.abs(other.layers[0].weight.data).sum()
    )


def test_it_learns():
    model = network()
    optimizer = optim.Adam(model.parameters(), 0.05)
    history = run(model, optimizer=optimizer, epochs=60, batch_size=16, metrics=["accuracy"])
    assert history["accuracy"][-1] > 0.97
    assert history.loss[-1] < 0.2 * history.loss[0]
    assert history.stopped == "all 60 epochs done"


# What it measures


def test_metrics_are_measured_after_the_epoch_in_use():
    model = network(dropout=0.5)
    seen = []

    def look(model, history):
        outputs = [train.predict(model, rows) for rows in (X, X_other)]
        assert model.training
        seen.append(outputs)

    def share_of_ones(outputs, targets):
        assert type(outputs) is np.ndarray
        return np.mean(outputs.argmax(axis=1))

    history = run(
        model,
        epochs=4,
        batch_size=20,
        metrics=["accuracy", share_of_ones],
        validation=(X_other, y_other),
        callbacks=[look],
    )
    for row, (outputs, outputs_other) in zip(history.rows, seen, strict=True):
        assert row["accuracy"] == np.mean(outputs.argmax(axis=1) == y)
        assert row["share_of_ones"] == np.mean(outputs.argmax(axis=1))
        assert row["validation accuracy"] == np.mean(outputs_other.argmax(axis=1) == y_other)
        assert row["validation loss"] == functional.cross_entropy(outputs_other, y_other)
    assert history.metrics == [
        "accuracy",
        "share_of_ones",
        "validation accuracy",
        "validation share_of_ones",
    ]


def test_gradients_step_sizes_and_time():
    model, expected = network(), network()
    optimizer = sgd(model, schedules.exponential(0.1, 0.5))
    history = run(model, optimizer=optimizer, batch_size=30, shuffle=False, epochs=2)
    optimizer = sgd(expected, schedules.exponential(0.1, 0.5))
    for epoch in range(2):
        lengths = []
        for X_part, y_part in data.batches(X, y, 30, shuffle=False):
            by_hand(expected, optimizer, [(X_part, y_part)])
            squares = [np.sum(p.grad**2) for p in expected.parameters()]
            lengths.append(np.sqrt(sum(squares)))
        assert history.gradient_norm[epoch] == pytest.approx(np.mean(lengths), rel=1e-12)
    assert history.learning_rate.tolist() == [0.05, 0.0125]
    assert (history.seconds > 0).all()


class Formula(nn.Module):
    """Layers as the lectures write them: X W + b, and W transposed."""

    def __init__(self):
        random = np.random.default_rng(0)
        self.W1 = bp.Tensor(random.normal(size=(2, 5)), requires_grad=True)
        self.b1 = bp.Tensor(np.zeros(5), requires_grad=True)
        self.W2 = bp.Tensor(random.normal(size=(2, 5)), requires_grad=True)

    def forward(self, x):
        self.z1 = x @ self.W1 + self.b1
        self.z2 = np.tanh(self.z1) @ self.W2.T
        return self.z2


def test_the_mean_delta_of_each_layer():
    model = Formula()
    history = run(model, batch_size=35, shuffle=False, epochs=1, observe="deltas")
    expected = Formula()
    optimizer = sgd(expected)
    by_hand(expected, optimizer, [(X[:35], y[:35])])
    functional.cross_entropy(expected(X[35:]), y[35:]).backward(keep_grads=True)
    assert list(history.deltas) == ["W1", "W2"]
    for name, z in (("W1", expected.z1), ("W2", expected.z2)):
        assert history.deltas[name] == pytest.approx(np.mean(np.abs(z.grad)), rel=1e-12)
    penalised = run(
        Formula(),
        loss=lambda out, t: functional.cross_entropy(out, t) + functional.l1_penalty([out]),
        observe="deltas",
    )
    assert list(penalised.deltas) == ["W1", "W2"]


@pytest.mark.parametrize(
    "product",
    [
        lambda x, W: x @ W.T,
        lambda x, W: np.dot(x, W.T),
        np.inner,
        lambda x, W: np.tensordot(x, W, axes=(1, 1)),
        lambda x, W: np.einsum("ni,mi->nm", x, W),
        lambda x, W: functional.linear(x, W, np.zeros(4)),
    ],
)
def test_the_mean_delta_of_a_layer_of_ones_own(product):
    class Own(nn.Module):
        def __init__(self):
            self.W = bp.Tensor(np.full((4, 2), 0.1), requires_grad=True)
            self.last = nn.Linear(4, 2, seed=0)

        def forward(self, x):
            return self.last(np.tanh(product(x, self.W)))

    model = Own()
    z = bp.Tensor(X @ model.W.data.T, requires_grad=True)
    functional.cross_entropy(model.last(np.tanh(z)), y).backward()
    deltas = run(model, epochs=1, observe="deltas").deltas
    assert list(deltas) == ["W", "last"]
    assert deltas["W"] == pytest.approx(np.mean(np.abs(z.grad)), rel=1e-12)


def test_sigmoids_make_the_gradient_vanish():
    model = nn.MLP([2, *[8] * 8, 2], "sigmoid", seed=0)
    deltas = [values[-1] for values in run(model, observe="deltas").deltas.values()]
    assert len(deltas) == 9
    assert all(first < 0.5 * second for first, second in itertools.pairwise(deltas))


# Why it stops


def test_convergence():
    history = run(network(), epochs=1000, tolerance=1e-3)
    changes = np.abs(np.diff(history.loss)) / history.loss[:-1]
    assert changes[-1] <= 1e-3 < changes[:-1].min()
    assert history.stopped == "converged: the loss changed by at most 0.001 of itself"


def test_patience_goes_back_to_the_best():
    model, states = network(), []
    history = run(
        model,
        optimizer=sgd(model, lambda t: 0.3 if t < 4 else 60.0),  # too far, from step 4 on
        epochs=50,
        patience=3,
        callbacks=[lambda model, history: states.append(model.state_dict())],
    )
    best = int(np.argmin(history.loss))
    assert len(history) == best + 1 + 3
    assert history.stopped == f"no lower loss in 3 epochs; the model is as after epoch {best + 1}"
    for path, array in model.state_dict().items():
        np.testing.assert_array_equal(array, states[best][path])


def test_patience_watches_the_validation_data():
    model = network()
    history = run(model, epochs=50, patience=3, validation=(X_other, 1 - y_other))
    assert history["validation loss"].argmin() == 0
    assert (np.diff(history.loss) < 0).all()
    assert history.stopped == (
        "no lower validation loss in 3 epochs; the model is as after epoch 1"
    )
    expected = network()
    run(expected, epochs=1)
    same(model, expected)


def test_patience_takes_buffers_back_too():
    model = nn.Sequential(nn.BatchNorm(2), nn.Linear(2, 2, seed=0))
    means = []
    history = run(
        model,
        validation=(X_other, 1 - y_other),
        patience=2,
        epochs=20,
        batch_size=20,
        callbacks=[lambda model, history: means.append(model.layers[0].running_mean.numpy())],
    )
    best = int(np.argmin(history["validation loss"]))
    assert best + 3 == len(history)
    np.testing.assert_array_equal(model.layers[0].running_mean.data, means[best])


def test_a_callback_ends_it():
    model, seen = network(), []
    history = run(
        model,
        epochs=50,
        callbacks=[
            lambda model, history: seen.append(len(history)),
            lambda model, history: len(history) == 4,
        ],
    )
    assert seen == [1, 2, 3, 4]
    assert history.stopped == "ended by a callback"


def test_the_model_is_left_in_use():
    model, modes = network(dropout=0.5), []
    for _ in range(2):  # and trained again by the next call
        run(model, callbacks=[lambda model, history: modes.append(model.layers[2].training)])
        assert not any(part.training for _, part in model.named_modules())
    assert modes == [True] * 6


# Ctrl-C


def press(times=1):
    for _ in range(times):
        signal.raise_signal(signal.SIGINT)


def test_ctrl_c_waits_for_the_step_and_loses_nothing():
    handler = signal.getsignal(signal.SIGINT)
    model, expected = network(), network()
    calls = []

    def loss(outputs, targets):
        calls.append(None)
        if len(calls) == 1 + 3 + 2:  # a look at the data, an epoch, and a step
            press()
        return functional.cross_entropy(outputs, targets)

    history = run(model, loss=loss, batch_size=25, epochs=10)
    assert history.stopped == "interrupted in epoch 2"
    assert len(history) == 1
    optimizer = sgd(expected)
    for steps in (3, 2):
        parts = [*data.batches(X, y, 25, seed=of_epoch(optimizer))]
        by_hand(expected, optimizer, parts[:steps])
    same(model, expected)
    assert signal.getsignal(signal.SIGINT) is handler


def test_ctrl_c_twice_does_not_wait():
    model = network()
    calls = []

    def loss(outputs, targets):
        calls.append(None)
        if len(calls) == 1 + 3 + 2:
            press(2)
        return functional.cross_entropy(outputs, targets)

    history = run(model, loss=loss, batch_size=25, epochs=10)
    assert history.stopped == "interrupted in epoch 2"
    assert len(calls) == 6


def test_an_interrupt_from_elsewhere_is_one_too():
    def interrupt(model, history):
        if len(history) == 2:
            raise KeyboardInterrupt

    history = run(network(), epochs=10, callbacks=[interrupt])
    assert (len(history), history.stopped) == (2, "interrupted in epoch 3")


def test_it_trains_in_another_thread():
    model, expected = network(), network()
    thread = threading.Thread(target=run, args=(model,))
    thread.start()
    thread.join()
    run(expected)
    same(model, expected)


# Divergence


class Root(nn.Module):
    """Its derivative at 0 is infinite, while its value is not."""

    def __init__(self):
        self.scale = bp.Tensor([1.0], requires_grad=True)

    def forward(self, x):
        return np.sqrt(x * self.scale)


def test_a_loss_that_overflows():
    model = regressor()
    states = []
    optimizer = sgd(model, 50.0)
    with pytest.raises(train.DivergenceError) as caught:
        run(
            model,
            X_line,
            y_line,
            loss="mse",
            optimizer=optimizer,
            epochs=500,
            callbacks=[lambda model, history: states.append(model.state_dict())],
        )
    message, history = str(caught.value), caught.value.history
    assert message.startswith(f"diverged in epoch {len(history) + 1}, batch 1: mse_loss of Tensor")
    assert "gave inf" in message
    assert "a smaller step size may help" in message
    assert "\n" not in message
    assert history.stopped == f"diverged in epoch {len(history) + 1}, batch 1"
    assert np.isfinite(history.loss).all()
    for path, array in model.state_dict().items():
        np.testing.assert_array_equal(array, states[-1][path])
    assert optimizer.steps == len(states)
    assert not model.training


def test_a_gradient_that_is_not_finite():
    model = Root()
    rows = np.array([[4.0], [9.0], [0.0], [1.0]])
    with pytest.raises(train.DivergenceError, match="epoch 1, batch 2: the derivative of sqrt of"):
        run(model, rows, rows, loss="mse", batch_size=2, shuffle=False)
    expected = Root()
    optimizer = sgd(expected)
    functional.mse_loss(expected(rows[:2]), rows[:2]).backward()
    optimizer.step()
    same(model, expected)


def test_a_step_that_overflows_is_taken_back():
    model, before = regressor(), regressor()
    with pytest.raises(train.DivergenceError, match="made parameters infinite"):
        run(model, X_line, 1e6 * y_line, loss="mse", optimizer=sgd(model, 1e307))
    same(model, before)


@pytest.mark.parametrize("options", [{"metrics": ["mae"]}, {"validation": (X_line, y_line)}])
@pytest.mark.parametrize(("lr", "operation"), [(1e300, "mse_loss"), (3e302, "linear")])
def test_a_loss_that_overflows_after_the_last_step_of_an_epoch(lr, operation, options):
    model, before = regressor(), regressor()
    optimizer = sgd(model, lr)
    expected = rf"epoch 1, batch 1: after it, {operation} of .* gave -?inf"
    with pytest.raises(train.DivergenceError, match=expected):
        run(model, X_line, 1e6 * y_line, loss="mse", optimizer=optimizer, epochs=1, **options)
    same(model, before)


def test_a_batch_that_dropout_made_diverge_is_explained():
    """The same elements are dropped when it is done again."""
    big = np.full((1, 1), 1e200)  # kept, its square is infinite
    for seed in range(20):
        model = nn.Sequential(nn.Dropout(0.5, seed=seed), nn.Linear(1, 1, seed=0))
        with pytest.raises(train.DivergenceError, match=r"mse_loss of .* gave inf"):
            run(model, big, 0 * big, loss="mse", epochs=50, optimizer=sgd(model, 1e-9))


def test_buffers_are_taken_back_too():
    model = nn.Sequential(nn.BatchNorm(1), nn.Linear(1, 1, seed=0))
    calls = []

    def loss(outputs, targets):
        calls.append(None)
        return functional.mse_loss(outputs * (1e200 if len(calls) > 2 else 1.0), targets)

    seen = []
    with pytest.raises(train.DivergenceError, match=r"epoch 2, batch 1: .* gave inf"):
        run(
            model,
            X_line,
            y_line,
            loss=loss,
            callbacks=[lambda model, history: seen.append(model.state_dict())],
        )
    for path, array in model.state_dict().items():
        np.testing.assert_array_equal(array, seen[0][path])


# What it refuses


def nan_model():
    model = network()
    model.layers[0].weight.data = np.full((8, 2), np.nan)
    return model


def bad(values, place, value):
    values = values.copy()
    values[place] = value
    return values


BAD = {
    "model": ({"model": np.tanh}, TypeError, "the model must be a Module"),
    "nan model": (
        {"model": nan_model()},
        ValueError,
        "'0.weight' holds numbers that are not finite",
    ),
    "unknown loss": (
        {"loss": "cross_entrpy"},
        ValueError,
        "unknown loss 'cross_entrpy': did you mean 'cross_entropy'?",
    ),
    "no loss": ({"loss": None}, TypeError, "a loss must be a function or a name, not None"),
    "plain loss": ({"loss": lambda out, t: 1.0}, ValueError, "the loss must be a Tensor"),
    "loss of rows": (
        {"loss": lambda out, t: out[:, 0]},
        ValueError,
        "the loss must be a Tensor with one number",
    ),
    "unknown metric": (
        {"metrics": ["acuracy"]},
        ValueError,
        "unknown metric 'acuracy': did you mean 'accuracy'?",
    ),
    "metrics by a name": ({"metrics": "accuracy"}, TypeError, "metrics must be a list"),
    "metrics of one name": (
        {"metrics": ["accuracy", "accuracy"]},
        ValueError,
        "metrics must have different names",
    ),
    "metric of many": ({"metrics": [lambda out, t: out]}, TypeError, "the metric <lambda> must be"),
    "metric for other data": ({"metrics": ["r2"]}, ValueError, "r2 compares rows one by one"),
    "optimizer by name": ({"optimizer": "sgd"}, TypeError, "the optimizer must be one of optim's"),
    "optimizer of another": (
        {"optimizer": sgd(network())},
        ValueError,
        "the optimizer has none of the model's parameters",
    ),
    "no epochs": ({"epochs": 0}, ValueError, "epochs must be at least 1, not 0"),
    "part of an epoch": ({"epochs": 1.5}, TypeError, "epochs must be an integer, not 1.5"),
    "no rows to a batch": ({"batch_size": 0}, ValueError, "batch_size must be at least 1, not 0"),
    "tolerance": ({"tolerance": -1}, ValueError, "tolerance must not be negative, but is -1"),
    "patience": ({"patience": 0}, ValueError, "patience must be at least 1, not 0"),
    "callback": ({"callbacks": [3]}, TypeError, "a callback must be a function, not 3"),
    "seed": ({"seed": -1}, ValueError, "seed must be an integer from 0 on, a Generator or None"),
    "one callback": ({"callbacks": print}, TypeError, "callbacks must be a list"),
    "validation": ({"validation": X}, TypeError, "validation must be a pair of arrays (X, y)"),
    "validation labels": (
        {"validation": (X_other, y_other + 1)},
        ValueError,
        "labels of 2 classes must be 0 to 1",
    ),
    "columns": (
        {"X": np.ones((60, 3))},
        ValueError,
        "linear of ndarray (60, 3) and 0.weight (8, 2)",
    ),
    "rows": ({"X": X[:50]}, ValueError, "X has 50 rows and y 60"),
    "empty": ({"X": X[:0], "y": y[:0]}, ValueError, "X must have rows, and it has shape (0, 2)"),
    "nan": ({"X": bad(X, (50, 1), np.nan)}, ValueError, "X must be finite, and X[50, 1] is nan"),
    "inf target": (
        {"y": bad(y.astype(float), 3, np.inf)},
        ValueError,
        "y must be finite, and y[3] is inf",
    ),
    "text": ({"X": np.full((60, 2), "a")}, TypeError, "X must hold real numbers, not <U1"),
    "late label": (
        {"y": bad(y, 59, 2)},
        ValueError,
        "labels of 2 classes must be 0 to 1, and position 59 holds 2",
    ),
    "negative label": ({"y": bad(y, 59, -1)}, ValueError, "position 59 holds -1"),
    "label type": ({"y": y.astype(float)}, TypeError, "must be integers, not float64"),
    "label shape": ({"y": y[:, np.newaxis]}, ValueError, "need labels of shape (n,)"),
    "target shape": (
        {"loss": "mse"},
        ValueError,
        "predictions have shape (60, 2) and targets (60,)",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_clear_line_before_any_work(case):
    change, error, message = BAD[case]
    model = network(dropout=0.5)
    before = model.state_dict()
    optimizer = sgd(model, momentum=0.9)
    options = {"loss": "cross_entropy", "optimizer": optimizer, "epochs": 3, "progress": False}
    given = {"model": model, "X": X, "y": y, "batch_size": 20, **options, **change}
    if change.get("model") is not None and isinstance(change["model"], nn.Module):
        given["optimizer"] = sgd(change["model"])
    with pytest.raises(error) as caught:
        train.fit(given.pop("model"), given.pop("X"), given.pop("y"), **given)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    for path, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[path])
    assert optimizer.state_dict() == {"steps": np.array(0)}
    assert all(part.training for _, part in model.named_modules())
    assert all(p.grad is None for p in model.parameters())


@pytest.mark.parametrize("where", ["training", "validation"])
def test_a_late_row_that_only_the_model_can_judge_is_refused_before_any_step(where):
    numbers, targets = np.arange(10000) % 10, np.zeros(10000, int)
    wrong = bad(numbers, 9999, 10)
    model = nn.Sequential(nn.Embedding(10, 2, seed=0))
    before = model.state_dict()
    arrays = {"training": (wrong, targets), "validation": (numbers, targets)}[where]
    options = {"validation": (wrong, targets)} if where == "validation" else {}
    optimizer = sgd(model, momentum=0.9)
    with pytest.raises(
        ValueError, match=r"rows 8192 to 9999: .* must be 0 to 9, and position 1807"
    ):
        run(model, *arrays, optimizer=optimizer, batch_size=100, **options)
    np.testing.assert_array_equal(model.layers[0].weight.data, before["0.weight"])
    assert optimizer.state_dict() == {"steps": np.array(0)}


def test_what_goes_wrong_in_training_alone_leaves_the_model_as_before_that_batch():
    model, expected = network(), network()
    calls = []

    def loss(outputs, targets):
        if model.training:
            calls.append(None)
        if len(calls) == 3:
            raise RuntimeError("no third step")
        return functional.cross_entropy(outputs, targets)

    with pytest.raises(RuntimeError, match="no third step"):
        run(model, loss=loss, batch_size=20, shuffle=False)
    by_hand(expected, sgd(expected), [(X[:20], y[:20]), (X[20:40], y[20:40])])
    same(model, expected)


def test_one_row_left_alone_is_too_few_for_batch_norm():
    model = nn.Sequential(nn.BatchNorm(2), nn.Linear(2, 2, seed=0))
    with pytest.raises(ValueError, match="batch_size=59 leaves one of 60 rows alone in a batch"):
        run(model, batch_size=59)
    run(model, batch_size=58)


def test_predict():
    model = network(dropout=0.5)
    big = np.random.default_rng(0).normal(size=(10000, 2))
    outputs = train.predict(model, big)
    assert model.training
    assert type(outputs) is np.ndarray
    np.testing.assert_allclose(outputs, model.eval()(big).data, rtol=1e-12)


def test_the_history_is_one():
    assert isinstance(run(network()), History)
