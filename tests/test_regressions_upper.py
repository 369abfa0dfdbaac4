"""Each of these was once wrong: drawing, explaining, training, files and data."""

import os
import re
import signal
import zipfile

import numpy as np
import pytest

import tinygrad_bp as bp
from tinygrad_bp import data, metrics, nn, optim, train


class Table:
    """An array whose indexing goes by labels, as that of a pandas Series does."""

    def __init__(self, values):
        self.values = np.asarray(values)
        self.dtype, self.shape, self.ndim = self.values.dtype, self.values.shape, self.values.ndim

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype)

    def __len__(self):
        return len(self.values)

    def __getitem__(self, rows):
        return self.values[::-1][rows]  # labelled from the end


def fitted(X, y, lr=0.1, epochs=2, model=None, **options):
    model = model or nn.MLP([2, 4, 1], seed=0)
    optimizer = optim.SGD(model.parameters(), lr)
    options = {"loss": "mse", "progress": False, "seed": 0} | options
    return train.fit(model, X, y, optimizer=optimizer, epochs=epochs, **options)


X, Y = data.linear(20, features=2, seed=0)


def test_training_takes_rows_by_their_numbers_whatever_their_labels():
    expected = fitted(X, Y, batch_size=5).loss
    assert (fitted(Table(X), Table(Y), batch_size=5).loss == expected).all()


@pytest.mark.parametrize(
    "function",
    [
        lambda X, y: [data.train_test_split(X, y, seed=0)],
        lambda X, y: data.batches(X, y, 2, seed=0),
    ],
)
def test_splits_and_batches_take_rows_by_their_numbers_too(function):
    parts = [np.concatenate([np.ravel(a) for a in part]) for part in function(Table(X), Table(Y))]
    expected = [np.concatenate([np.ravel(a) for a in part]) for part in function(X, Y)]
    np.testing.assert_array_equal(np.concatenate(parts), np.concatenate(expected))


@pytest.mark.parametrize(
    ("X_held_out", "y_held_out", "message"),
    [
        (np.full((3, 2), np.nan), np.zeros((3, 1)), r"^validation data: X must be finite"),
        (np.zeros((3, 2)), np.zeros((4, 1)), r"^validation data: X has 3 rows and y 4"),
        (np.zeros((3, 5)), np.zeros((3, 1)), r"^validation data: linear of"),
    ],
)
def test_an_error_in_the_validation_data_says_so(X_held_out, y_held_out, message):
    with pytest.raises(ValueError, match=message):
        fitted(X, Y, validation=(X_held_out, y_held_out))


@pytest.mark.parametrize("batch_size", [None, 7])
def test_a_last_step_to_infinity_is_taken_back(batch_size):
    model = nn.MLP([2, 4, 1], seed=0)
    steps = 3 if batch_size else 1

    def leap(t):
        return 1e308 if t == steps - 1 else 0.01

    before = []
    optimizer = optim.SGD(
        model.parameters(), lambda t: before.append(model.state_dict()) or leap(t)
    )
    with pytest.raises(train.DivergenceError, match=f"epoch 1, batch {steps}: .* infinite"):
        train.fit(
            model,
            X,
            Y * 1e3,
            loss="mse",
            optimizer=optimizer,
            epochs=1,
            batch_size=batch_size,
            progress=False,
        )
    after = model.state_dict()
    assert all((before[-1][name] == after[name]).all() for name in after)


@pytest.mark.parametrize("name", ["loss", "seconds"])
def test_a_metric_under_a_name_of_the_historys_own_is_refused(name):
    def metric(outputs, targets):
        return 7.0

    metric.__name__ = name
    with pytest.raises(ValueError, match=f"a metric cannot be called '{name}'"):
        fitted(X, Y, metrics=[metric])


def test_predicting_leaves_a_frozen_layer_frozen():
    model = nn.MLP([2, 4, 1], normalization="batch", seed=0)
    model.layers[1].eval()
    train.predict(model, X)
    assert model.training
    assert not model.layers[1].training


def test_predicting_refuses_no_rows_and_no_model():
    with pytest.raises(ValueError, match=r"X must have rows, and it has shape \(0, 2\)"):
        train.predict(nn.MLP([2, 1]), np.zeros((0, 2)))
    with pytest.raises(ValueError, match=r"X must have rows, and it has shape \(\)"):
        train.predict(nn.MLP([2, 1]), 3.0)
    with pytest.raises(TypeError, match="the model must be a Module"):
        train.predict(np.tanh, X)


def test_targets_too_large_for_a_loss_diverge_without_a_warning():
    with pytest.raises(train.DivergenceError, match="epoch 1, batch 1"):
        fitted(X, Y * 1e200)


def test_a_history_without_rows_says_that_it_has_no_columns():
    with pytest.raises(ValueError, match="there is no 'loss' yet: no epoch was completed"):
        train.History().loss  # noqa: B018


def test_negative_labels_are_told_the_range():
    with pytest.raises(ValueError, match="labels must be 0 to 0, and position 0 holds -1"):
        data.one_hot([-1])


def test_a_small_file_that_unpacks_to_much_is_refused_unread(tmp_path):
    np.savez_compressed(tmp_path / "bomb.npz", weight=np.zeros(10**6))
    with pytest.raises(ValueError, match=r"cannot load .*bomb\.npz'.* bytes would unpack to 8000"):
        nn.read_state(tmp_path / "bomb.npz")
    np.savez_compressed(tmp_path / "model.npz", **nn.MLP([2, 1], seed=0).state_dict())
    assert nn.read_state(tmp_path / "model.npz").keys() == {"0.weight", "0.bias"}


@pytest.mark.parametrize("name", ["a\0b", "a\ud800"])
@pytest.mark.parametrize("suffix", ["npz", "safetensors"])
def test_a_name_that_a_file_would_change_is_refused(tmp_path, name, suffix):
    pytest.importorskip("safetensors")
    with pytest.raises(ValueError, match="is no printable text"):
        nn.save({name: 1.0}, tmp_path / f"x.{suffix}")
    assert not list(tmp_path.iterdir())


def test_a_file_may_have_the_longest_name_there_is(tmp_path):
    path = tmp_path / ("a" * 251 + ".npz")
    nn.save({"x": 1.0}, path)
    assert nn.read_state(path)["x"] == 1


def test_two_threads_may_write_the_same_file(tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    path = tmp_path / "x.npz"
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda i: nn.save({"x": np.full(1000, i)}, path), range(40)))
    assert [file.name for file in tmp_path.iterdir()] == ["x.npz"]
    assert len(set(nn.read_state(path)["x"].tolist())) == 1


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"steps": np.array(-1)}, "'steps' below 0"),
        ({"0.steps": np.array(-1)}, r"'0\.steps' below 0"),
        ({"0.square": np.array([-1.0, 1.0])}, r"'0\.square' below 0"),
        ({"0.mean": np.array([np.nan, 1.0])}, r"'0\.mean' with nan or infinity in it"),
    ],
)
def test_an_optimisers_state_that_no_training_gives_is_refused(changed, message):
    x = bp.Tensor([1.0, 2.0], requires_grad=True)
    optimizer = optim.Adam([x], 0.1)
    x.grad = np.ones(2)
    optimizer.step()
    state = optimizer.state_dict()
    with pytest.raises(ValueError, match=message):
        optimizer.load_state_dict(state | changed)
    assert all((state[name] == value).all() for name, value in optimizer.state_dict().items())


@pytest.mark.parametrize("state", [None, 5, [("steps", 1)]])
def test_an_optimisers_state_is_a_dictionary(state):
    optimizer = optim.SGD([bp.Tensor(1.0, requires_grad=True)], 0.1)
    with pytest.raises(TypeError, match="a state is a dictionary of arrays, not a"):
        optimizer.load_state_dict(state)


def test_nudging_within_no_grad_still_finds_the_gradient():
    with bp.no_grad():
        assert bp.nudge(lambda x: x**3, 2.0).gradient == 12


@pytest.mark.parametrize("x", [None, "a", 1j])
def test_nudging_needs_a_number(x):
    with pytest.raises(TypeError, match="Cannot cast"):
        bp.nudge(lambda x: x**3, x)


@pytest.mark.parametrize("h", ["a", None, np.inf])
def test_nudging_needs_a_finite_step(h):
    with pytest.raises((TypeError, ValueError), match="h must be"):
        bp.nudge(lambda x: x**3, 2.0, h)


def test_nudging_needs_a_number_back():
    with pytest.raises(TypeError, match=r"f\(x\) must be a number, not None"):
        bp.nudge(lambda x: None, 2.0)


def test_propagating_needs_a_semiring():
    x = bp.Tensor(2.0, requires_grad=True)
    with pytest.raises(TypeError, match=r"a Semiring such as explain\.GRADIENT, not 'max'"):
        bp.propagate(x * x, "max")


def test_a_name_cannot_open_a_comment_or_a_tag_in_the_pages_script(tmp_path):
    x = bp.Tensor(2.0, requires_grad=True, name="<!--<script>")
    bp.animate(x * x, tmp_path / "x.html")
    script = (tmp_path / "x.html").read_text(encoding="utf-8").rpartition("<script>")[2]
    assert "const steps" in script
    assert "<!--" not in script


@pytest.mark.parametrize(
    ("made", "expression"),
    [
        (lambda x: np.einsum("ij,kj->ik", x, x), "einsum(ij,kj->ik, x, x)"),
        (lambda x: x.astype(np.float32), "astype(x, float32)"),
        (lambda x: x.astype(np.dtype("f4")), "astype(x, float32)"),
        (lambda x: np.sum(x, axis=0, dtype=np.float64), "sum(x, axis=0, dtype=float64)"),
    ],
)
def test_inputs_that_are_no_numbers_are_told_and_drawn_as_words(made, expression):
    y = made(bp.Tensor(np.ones((2, 3)), requires_grad=True, name="x"))
    z = y.sum()
    assert f"v1 = {expression}" in str(bp.trace(z))
    for backward in (False, True):
        assert expression in bp.draw(z, backward=backward).description


def test_a_norm_of_numbers_too_large_to_square():
    large = np.zeros(30)
    large[:2] = 3e200, 4e200
    z = (bp.Tensor(np.ones(30), requires_grad=True) * large).sum()
    assert "|5.00e+200|" in str(bp.trace(z))
    assert "5.00e+200" in bp.draw(z, backward=True).source


def test_a_loss_without_gradient_leaves_the_running_statistics():
    model = nn.MLP([2, 4, 1], normalization="batch", seed=0)
    before = model.state_dict()
    with pytest.raises(ValueError, match="the loss must be computed from the outputs"):
        fitted(X, Y, model=model, loss=lambda outputs, targets: bp.Tensor(1.0))
    assert all((before[name] == array).all() for name, array in model.state_dict().items())


@pytest.mark.parametrize("X", [np.zeros((0, 2)), np.full((3, 2), np.nan)])
def test_statistics_of_layers_need_numbers(X):
    with pytest.raises(ValueError, match="X must hold finite numbers"):
        bp.plot.layer_statistics(nn.MLP([2, 4, 1], seed=0), X)


def test_drawing_a_model_leaves_it_as_it_was_and_draws_the_same_again():
    model = nn.MLP([2, 4, 1], normalization="batch", dropout=0.5, seed=0)
    state = model.state_dict()
    assert bp.draw(model, X).source == bp.draw(model, X).source
    assert all((state[name] == array).all() for name, array in model.state_dict().items())
    assert model.training


# Training


def test_a_training_does_not_end_with_a_loss_that_overflows():
    model = nn.MLP([2, 4, 1], seed=0)
    before = model.state_dict()
    with pytest.raises(train.DivergenceError, match="epoch 1, batch 1: after it, mse_loss"):
        fitted(X, Y, model=model, lr=1e120, epochs=1)
    assert all((model.state_dict()[name] == array).all() for name, array in before.items())


def test_a_callback_that_looks_at_the_model_in_use_does_not_end_its_training():
    modes = []
    model = nn.Sequential(nn.Linear(2, 1, seed=0), nn.Dropout(0.5, seed=0))

    def loss(outputs, targets):
        modes.append(model.training)
        return bp.functional.mse_loss(outputs, targets)

    look = [lambda model, history: model.eval()]
    fitted(X, Y, model=model, loss=loss, epochs=3, callbacks=look)
    assert modes == [False, True, True, True, False]


@pytest.mark.parametrize(("told", "epochs"), [(np.True_, 1), (True, 1), (1, 4), (None, 4)])
def test_a_callback_ends_a_training_with_true_of_either_kind(told, epochs):
    assert len(fitted(X, Y, epochs=4, callbacks=[lambda *_: told])) == epochs


def test_what_diverges_takes_the_optimiser_back_too():
    model = nn.Linear(2, 1, seed=0)
    optimizer = optim.SGD(model.parameters(), 0.1, momentum=0.9)
    options = {"loss": "mse", "optimizer": optimizer, "epochs": 1, "progress": False}
    train.fit(model, X, Y, **options)
    before = optimizer.state_dict()
    optimizer.lr = 1.7e308
    with pytest.raises(train.DivergenceError):
        train.fit(model, 100 * X, Y, **options)
    assert {name: array.tolist() for name, array in optimizer.state_dict().items()} == {
        name: array.tolist() for name, array in before.items()
    }


def test_patience_goes_back_to_the_best_epoch_when_the_training_diverges():
    model = nn.MLP([2, 8, 1], "tanh", seed=0)
    optimizer = optim.Adam(model.parameters(), lambda t: 0.01 if t < 50 else 1e200)
    states = []
    with pytest.raises(train.DivergenceError) as caught:
        train.fit(
            model,
            X,
            Y,
            loss="mse",
            optimizer=optimizer,
            epochs=100,
            batch_size=5,
            patience=50,
            seed=0,
            callbacks=[lambda model, _: states.append(model.state_dict())],
            progress=False,
        )
    history = caught.value.history
    best = int(np.argmin(history.loss))
    assert history.stopped.endswith(f"; the model is as after epoch {best + 1}")
    assert optimizer.steps == 4 * (best + 1)
    assert all((model.state_dict()[name] == a).all() for name, a in states[best].items())


def test_an_interrupt_in_a_callback_comes_after_the_epoch_was_judged():
    def interrupt(model, history):
        if len(history) == 3:
            raise KeyboardInterrupt

    history = fitted(X, Y, lr=0.01, epochs=9, patience=2, callbacks=[interrupt])
    assert history.stopped == "interrupted in epoch 4; the model is as after epoch 3"


def test_a_training_whose_loss_grew_says_so():
    history = fitted(X, Y, lr=5.0, epochs=3)
    assert history.loss[-1] > history.loss[0]
    assert history.stopped == "all 3 epochs done, but the loss grew: try a smaller step size"


def test_every_kind_of_seed_has_orders_of_its_own():
    def ends(seed):
        model = nn.MLP([2, 4, 1], seed=0)
        fitted(X, Y, model=model, batch_size=5, seed=seed)
        return model.parameters()[0].data.tolist()

    children = np.random.SeedSequence(0).spawn(2)
    seeds = [0, 1, *children, np.random.RandomState(0), np.random.default_rng(0)]
    found = [ends(seed) for seed in seeds]
    assert all(a != b for i, a in enumerate(found) for b in found[:i])
    assert ends(np.random.RandomState(0)) == found[4]


def test_parameters_that_are_not_trained_do_not_pile_up_gradients():
    model = nn.MLP([2, 4, 1], seed=0)
    optimizer = optim.SGD(model.parameters()[2:], 1e-9)
    train.fit(model, X, Y, loss="mse", optimizer=optimizer, epochs=5, progress=False)
    bp.functional.mse_loss(model(X), Y).backward()
    twice = model.parameters()[0].grad
    model.zero_grad()
    bp.functional.mse_loss(model(X), Y).backward()
    np.testing.assert_allclose(twice, 2 * model.parameters()[0].grad, rtol=1e-5)


@pytest.mark.parametrize("name", ["epoch", "loss", "seconds", "validation loss", "delta 0"])
def test_a_metric_takes_no_name_of_the_historys(name):
    def metric(outputs, targets):
        return 0.0

    metric.__name__ = name
    with pytest.raises(ValueError, match=f"a metric cannot be called '{name}'"):
        fitted(X, Y, metrics=[metric])


def test_layers_in_a_dictionary_are_found():
    class Two(nn.Module):
        def __init__(self):
            self.layers = {"a": nn.Linear(2, 3, seed=0), "b": [nn.Linear(3, 1, seed=1)]}

    expected = ["layers.a.weight", "layers.a.bias", "layers.b.0.weight", "layers.b.0.bias"]
    model = Two()
    assert [name for name, _ in model.named_parameters()] == expected
    assert model.layers["a"].weight.name == "layers.a.weight"
    assert "layers.a: Linear(2, 3)" in repr(model)


def test_a_sequence_of_layers_is_one():
    model = nn.MLP([2, 3, 1], seed=0)
    assert len(model) == 3
    assert list(model) == list(model.layers)
    assert model[-1] is model.layers[2]


def test_a_parameter_outside_the_model_is_trained_and_taken_back():
    model, scale = nn.Linear(2, 1, seed=0), bp.Tensor(1.0, requires_grad=True)
    optimizer = optim.SGD([*model.parameters(), scale], 0.1)

    def loss(outputs, targets):
        return bp.functional.mse_loss(outputs * scale, targets)

    options = {"loss": loss, "optimizer": optimizer, "epochs": 1, "progress": False}
    train.fit(model, X, Y, **options)
    before = scale.item()
    assert before != 1.0
    optimizer.lr = 1e300
    with pytest.raises(train.DivergenceError):
        train.fit(model, X, Y, **options)
    assert scale.item() == before


def test_predictions_are_not_recorded():
    class Watched(nn.Linear):
        def forward(self, x):
            recorded.append(super().forward(x).requires_grad)
            return super().forward(x)

    recorded = []
    train.predict(Watched(2, 1, seed=0), X)
    assert recorded == [False]


# Numbers


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


def test_one_hot_takes_no_more_room_than_it_needs():
    rows = data.one_hot([0, 10**6], dtype=np.int8)
    assert rows.shape == (2, 10**6 + 1)
    assert rows.sum(axis=1).tolist() == [1, 1]
    assert rows[1, -1] == 1


@pytest.mark.parametrize(("steps", "rise"), [(1, 0.3), (2, 0.3), (3, 0.9), (7, 0.99), (100, 0.0)])
def test_one_cycle_ends_where_it_should(steps, rise):
    alpha = bp.schedules.one_cycle(1.0, steps, rise=rise)
    assert alpha(steps) == pytest.approx(4e-6)
    assert alpha(steps - 1) == pytest.approx(4e-6 if steps > 1 else 1.0)


@pytest.mark.parametrize(
    ("dtype", "size"),
    [
        *((np.float16, size) for size in (1e-5, 1e-4, 1.0, 1e4)),
        *((np.float32, size) for size in (1e-30, 1e-5, 1.0, 1e30)),
        *((np.float64, size) for size in (1e-200, 1e-30, 1.0, 1e30, 1e200)),
    ],
)
def test_the_norm_of_gradients_of_every_size(dtype, size):
    p = bp.Tensor(np.zeros(2, dtype), requires_grad=True)
    p.grad = np.array([3 * size, 4 * size], dtype)
    length = np.hypot(*p.grad.astype(np.longdouble))
    assert optim.SGD([p], 0.1).gradient_norm() == pytest.approx(float(length), rel=1e-6)


def test_a_row_of_scores_with_nan_in_it_is_wrong():
    scores = np.array([[np.nan, 0.0], [1.0, 0.0]])
    assert metrics.accuracy(scores, np.array([0, 0])) == 0.5
    assert metrics.accuracy([[1.0, 2.0]], [1]) == 1.0
    with pytest.raises(ValueError, match="accuracy counts classes"):
        metrics.accuracy(np.array([0.5]), np.array([0.5]))


@pytest.mark.parametrize("dtype", [">i2", "<i2", ">u2", ">i8"])
def test_labels_in_either_order_of_bytes(dtype):
    logits, labels = np.zeros((2, 2)), np.array([1, 0]).astype(dtype)
    assert bp.functional.cross_entropy(logits, labels) == pytest.approx(np.log(2))
    with pytest.raises(ValueError, match="position 0 holds 256"):
        bp.functional.cross_entropy(logits, 256 * labels)


def test_one_logit_is_not_for_two_classes():
    with pytest.raises(ValueError, match="one logit is for binary_cross_entropy_with_logits"):
        bp.functional.cross_entropy(np.zeros((2, 1)), np.array([0, 1]))


@pytest.mark.parametrize(
    ("shape", "inputs", "hint"),
    [((5,), 1, r"use x\[:, np.newaxis\]"), ((5, 2, 3), 6, r"use x.reshape\(len\(x\), -1\)")],
)
def test_rows_of_another_shape_are_told_how_to_get_it(shape, inputs, hint):
    with pytest.raises(ValueError, match=hint):
        nn.Linear(inputs, 2)(np.zeros(shape))


def test_tables_are_arrays_to_layers_and_losses():
    pandas = pytest.importorskip("pandas")
    model, labels = nn.Linear(2, 2, seed=0), np.arange(20) % 2
    loss = bp.functional.cross_entropy(model(pandas.DataFrame(X)), pandas.Series(labels))
    assert loss.item() == bp.functional.cross_entropy(model(X), labels).item()


# Files


def test_a_link_leads_to_what_was_written_and_modes_stay(tmp_path):
    model, (target, link) = nn.Linear(1, 1, seed=0), (tmp_path / "a.npz", tmp_path / "b.npz")
    nn.save(model, target)
    target.chmod(0o600)
    link.symlink_to(target)
    nn.save(nn.Linear(1, 1, seed=1), link)
    assert link.is_symlink()
    assert target.stat().st_mode & 0o777 == 0o600
    assert nn.load(model, target).weight.item() == nn.Linear(1, 1, seed=1).weight.item()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.npz")
    with pytest.raises(OSError, match="it is no file"):
        nn.load(nn.Linear(1, 1), tmp_path / "pipe.npz")


def test_a_name_that_stands_twice_in_a_file_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "two.npz", "w") as archive:
        for name in ("weight", "weight.npy", "bias.npy"):
            with archive.open(name, "w") as file:
                np.lib.format.write_array(file, np.ones((1, 1)))
    with pytest.raises(ValueError, match="it holds 'weight' twice"):
        nn.load(nn.Linear(1, 1), tmp_path / "two.npz")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: nn.save(nn.MLP, "model.npz"), TypeError, "needs a model or a dictionary first"),
        (lambda: nn.load(nn.MLP, "model.npz"), TypeError, "needs a model first"),
        (lambda: nn.save(nn.Linear(1, 1), "a\0b.npz"), ValueError, "cannot hold a zero"),
        (
            lambda: nn.Linear(2, 1).load_state_dict({"weight": [[1, 2], [3]], "bias": [0.0]}),
            ValueError,
            "'weight' of shape",
        ),
        (
            lambda: nn.MLP([1] * 9).load_state_dict({}),
            ValueError,
            r"no '0.weight'; .*; and 10 more$",
        ),
    ],
)
def test_states_that_are_none(call, error, message):
    with pytest.raises(error, match=message):
        call()


# What was taken, and should not have been


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


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_adam_does_not_take_the_state_of_another_kind(momentum):
    p, q = (bp.Tensor([1.0], requires_grad=True) for _ in range(2))
    sgd, adam = optim.SGD([p], 0.1, momentum), optim.Adam([q], 0.1)
    for x, optimizer in ((p, sgd), (q, adam)):
        x.grad = np.ones(1)
        optimizer.step()
    before = adam.state_dict()
    with pytest.raises(ValueError, match=r"does not fit this Adam: it has no '0.mean'"):
        adam.load_state_dict(sgd.state_dict())
    assert adam.state_dict() == before
    with pytest.raises(TypeError, match="a state is a dictionary of arrays"):
        adam.load_state_dict(None)


def test_without_a_gradient_no_step_is_taken_and_counted():
    optimizer = optim.Adam([bp.Tensor([1.0], requires_grad=True)], 0.1)
    with pytest.warns(UserWarning, match="found no gradient"):
        optimizer.step()
    assert optimizer.steps == 0
    optimizer.load_state_dict(optimizer.state_dict())


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda f: f.mse_loss(np.int8([-100]), np.int8([100])), 40000.0),
        (lambda f: f.cross_entropy(np.uint8([[0, 5]]), np.array([0])), 5.006715348489118),
        (lambda f: f.softmax(np.uint8([0, 5]))[1], 0.9933071490757153),
        (lambda f: f.log_softmax(np.uint8([0, 5]))[0], -5.006715348489118),
        (lambda f: f.logsumexp(np.int8([-100, 100])), 100.0),
        (lambda f: f.sigmoid(np.int8([-128]))[0], np.exp(-128.0)),
        (lambda f: f.softplus(np.uint8([200]))[0], 200.0),
        (lambda f: f.binary_cross_entropy_with_logits(np.uint8([5]), [1]), np.log1p(np.exp(-5.0))),
        (lambda f: metrics.mae(np.uint8([255]), np.uint8([0])), 255.0),
        (lambda f: metrics.r2(np.uint8([1, 2]), np.uint8([0, 2])), 0.5),
        (lambda f: data.Standardize(np.int8([[-128], [-128]]))([[-128.0]])[0, 0], 0.0),
    ],
)
def test_narrow_integers_do_not_wrap(call, expected):
    assert call(bp.functional) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("x", [np.ones((2, 2)) * 1j, np.full((2, 2), "a"), [[None, None]] * 2])
@pytest.mark.parametrize("name", ["cross_entropy", "mse_loss", "softmax", "log_softmax", "sigmoid"])
def test_functions_of_real_numbers_take_no_others(name, x):
    function = getattr(bp.functional, name)
    targets = {"cross_entropy": [np.array([0, 1])], "mse_loss": [np.ones((2, 2))]}.get(name, [])
    with pytest.raises(TypeError, match="must be real numbers, not "):
        function(x, *targets)


def test_layers_that_refuse_stay_as_they_were():
    norm, dropout = nn.BatchNorm(2), nn.Dropout(seed=0)
    before = [layer.state_dict() for layer in (norm, dropout)]
    with pytest.raises(TypeError):
        norm(np.ones((3, 2)) * np.array([1j, "a"], object))
    with pytest.raises(TypeError):
        dropout("ab")
    assert np.isnan(norm(np.full((3, 2), np.nan)).data).all()
    for layer, state in zip((norm, dropout), before, strict=True):
        for name, array in layer.state_dict().items():
            np.testing.assert_array_equal(array, state[name])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: nn.Sequential(nn.Linear), TypeError, "layer 0 is not a function but <class"),
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


def test_the_bar_has_room_on_a_narrow_line(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    y = (X[:, 0] > 0).astype(int)
    model = nn.MLP([2, 4, 2], seed=0)
    fitted(X, y, model=model, loss="cross_entropy", metrics=["accuracy"], progress=True)
    last = capsys.readouterr().err.split("\r")[-1]
    assert "accuracy" in last
    assert re.search(r"gradient norm \d\S*$", last.strip())


@pytest.mark.parametrize("zeros_first", [True, False])
def test_the_norm_of_gradients_is_nan_where_one_is(zeros_first):
    p, q = (bp.Tensor([0.0], requires_grad=True) for _ in range(2))
    p.grad, q.grad = np.zeros(1), np.array([np.nan])
    assert np.isnan(optim.SGD([p, q] if zeros_first else [q, p], 0.1).gradient_norm())


def test_what_a_subclass_of_sequential_has_besides_is_found():
    class Scaled(nn.Sequential):
        def __init__(self):
            super().__init__(nn.Linear(2, 1, seed=0))
            self.scale = bp.Tensor(2.0, requires_grad=True)

        def forward(self, x):
            return super().forward(x) * self.scale

    model = Scaled()
    assert [name for name, _ in model.named_parameters()] == ["0.weight", "0.bias", "scale"]
    fitted(X, Y, model=model)
    assert model.scale.item() != 2.0


def test_two_tensors_of_one_path_are_refused():
    model = nn.Module()
    with pytest.raises(ValueError, match=r"two Tensors have the path 'd\.1'"):
        model.d = {1: bp.Tensor(1.0), "1": bp.Tensor(2.0)}


def test_a_dictionary_within_itself():
    model, settings = nn.Module(), {"weight": bp.Tensor(1.0, requires_grad=True)}
    settings["itself"] = settings
    model.settings = settings
    assert [name for name, _ in model.named_parameters()] == ["settings.weight"]


@pytest.mark.parametrize("handler", [signal.SIG_DFL, signal.SIG_IGN, signal.default_int_handler])
def test_a_training_gives_the_handler_of_ctrl_c_back(handler):
    before = signal.signal(signal.SIGINT, handler)
    try:
        fitted(X, Y)
        assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_training_that_was_told_to_take_no_signal_takes_none():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        history = fitted(X, Y, callbacks=[lambda *_: signal.raise_signal(signal.SIGINT)])
    finally:
        signal.signal(signal.SIGINT, before)
    assert history.stopped == "all 2 epochs done"


def test_ctrl_c_at_the_very_end_loses_nothing():
    class Pressed(nn.MLP):
        def eval(self):
            signal.raise_signal(signal.SIGINT)
            return super().eval()

    model = Pressed([2, 4, 1], seed=0)
    history = fitted(X, Y, model=model, patience=5)
    assert len(history) == 2
    assert not model.training
    assert history.stopped.endswith("the model is as after epoch 2")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_pipe_is_not_replaced_by_a_file(tmp_path):
    os.mkfifo(tmp_path / "pipe.npz")
    with pytest.raises(OSError, match="something else than a file is there"):
        nn.save(nn.Linear(1, 1), tmp_path / "pipe.npz")
