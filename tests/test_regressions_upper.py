"""Each of these was once wrong: drawing, explaining, training, files and data."""

import numpy as np
import pytest

import tinygrad_bp as bp
from tinygrad_bp import data, nn, optim, train


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


@pytest.mark.parametrize("function", [data.train_test_split, lambda X, y: data.batches(X, y, 2)])
def test_splits_and_batches_refuse_what_is_indexed_by_labels(function):
    with pytest.raises(TypeError, match=r"y must be an array with rows, not a Table.*np\.asarray"):
        function(X, Table(Y))


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
    with pytest.raises(ValueError, match="unknown column 'loss': known are none"):
        train.History().loss  # noqa: B018


def test_negative_labels_are_told_the_range():
    with pytest.raises(ValueError, match="labels must be from 0 to 0, and one is -1"):
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
    z = (bp.Tensor([1.0, 1.0], requires_grad=True) * np.array([3e200, 4e200])).sum()
    assert "|5.00e+200|" in str(bp.trace(z))
    assert "5.00e+200" in bp.draw(z, backward=True).source


def test_a_loss_without_gradient_leaves_the_running_statistics():
    model = nn.MLP([2, 4, 1], normalization="batch", seed=0)
    before = model.state_dict()
    with pytest.raises(RuntimeError, match="does not depend on a Tensor that requires grad"):
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
