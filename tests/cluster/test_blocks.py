"""Training over Dask arrays is the training over NumPy's, whoever computes the blocks."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest

import tinygrad_bp as bp
from tinygrad_bp import nn, optim, train
from tinygrad_bp.functional import cross_entropy, l1_penalty, mse_loss
from tinygrad_bp.optim.schedules import PerEpoch, step

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")
distributed = pytest.importorskip("distributed")

from tinygrad_bp.train.block_rows import dask_array, pair_blocks  # noqa: E402
from tinygrad_bp.train.routing import has_blocks  # noqa: E402

rng = np.random.default_rng(3)
X = rng.normal(size=(60, 3))
y = (np.sum(X * X, axis=1) > 2.4).astype(int) + (X[:, 0] > 1)
ROWS = 10


def lazy(array, rows=ROWS):
    return da.from_array(array, chunks=(rows, *array.shape[1:]))


def mlp(**options):
    return nn.MLP([3, 8, 3], activation="tanh", seed=0, **options)


def adam(model, lr=0.05):
    return optim.Adam(model.parameters(), lr)


def trained(X, y, model=None, **options):
    """A model trained over blocks, and its history."""
    model = model or mlp()
    given = {"loss": cross_entropy, "optimizer": adam(model), "epochs": 3, "progress": False}
    return model, train.fit(model, X, y, **{**given, "seed": 5, **options})


def trained_on_numpy(batch_size, model=None):
    model = model or mlp()
    history = train.fit(
        model,
        X,
        y,
        loss="cross_entropy",
        optimizer=adam(model),
        epochs=3,
        batch_size=batch_size,
        shuffle=False,
        progress=False,
    )
    return model, history


def values(model):
    return np.concatenate([p.data.ravel() for p in model.parameters()])


@pytest.fixture(autouse=True)
def where(request):
    """In this process, unless the test asks for the cluster: where one dies on purpose."""
    scheduler = "distributed" if "client" in request.fixturenames else "synchronous"
    with dask.config.set(scheduler=scheduler):
        yield


@pytest.fixture(scope="module")
def client():
    """A cluster of two processes."""
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


# The same numbers as NumPy's


@pytest.mark.parametrize("batch_size", [None, 60, 20, 10, 5, 4])
def test_training_equals_that_on_numpy_arrays(batch_size):
    model, history = trained(lazy(X), lazy(y), batch_size=batch_size, shuffle=False)
    expected, told = trained_on_numpy(batch_size)
    np.testing.assert_allclose(values(model), values(expected), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(history.loss, told.loss, rtol=1e-10)
    np.testing.assert_allclose(history["gradient norm"], told["gradient norm"], rtol=1e-10)
    assert not model.training


def test_blocks_of_unequal_sizes_count_by_their_rows():
    uneven = da.from_array(X, chunks=((7, 20, 1, 32), 3))
    model, _ = trained(uneven, y, batch_size=None)
    expected, _ = trained_on_numpy(None)
    np.testing.assert_allclose(values(model), values(expected), rtol=1e-10, atol=1e-12)


def test_columns_in_blocks_and_unknown_numbers_of_rows_are_taken_too():
    cut = da.from_array(X, chunks=(15, 2))
    unknown = lazy(y)[lazy(y) >= 0]
    assert np.isnan(unknown.shape[0])
    model, _ = trained(cut, unknown)
    expected, _ = trained_on_numpy(None)
    np.testing.assert_allclose(values(model), values(expected), rtol=1e-10, atol=1e-12)


def table(array):
    """A table of Dask's, whose numbers of rows are not known."""
    pandas, frames = pytest.importorskip("pandas"), pytest.importorskip("dask.dataframe")
    return frames.from_pandas(pandas.DataFrame(array), npartitions=4)


def test_a_collection_with_an_array_in_it_is_taken_for_that():
    class Table:
        def __init__(self, array):
            self.array = array

        def __dask_graph__(self):
            return self.array.__dask_graph__()

        def to_dask_array(self, lengths):
            return self.array

    for kind in (Table, bp.Tensor, list):
        np.testing.assert_array_equal(dask_array(kind(lazy(y)), "y").compute(), y)


def in_xarray(array):
    return pytest.importorskip("xarray").DataArray(lazy(array))


@pytest.mark.parametrize(
    "kind",
    [
        lambda array: array,
        lambda array: lazy(array, 7),
        lambda array: lazy(array, 9).persist(),
        lambda array: (
            lazy(array)[lazy(array) > -100].reshape(-1) if array.ndim == 1 else table(array)
        ),
        lambda array: da.concatenate(
            [lazy(array[:0]), lazy(array[:30]), lazy(array[:0]), lazy(array[30:])]
        ),
        lambda array: bp.Tensor(lazy(array)),
        in_xarray,
    ],
    ids=["numpy", "ragged", "persisted", "unknown", "empty", "Tensor", "xarray"],
)
@pytest.mark.parametrize("threads", [False, True])
def test_data_of_every_kind_gives_the_same_training(kind, threads):
    with dask.config.set(scheduler="threads" if threads else "synchronous"):
        model, _ = trained(kind(X), lazy(y, 13), batch_size=20, shuffle=False)
        other, _ = trained(lazy(X), kind(y), batch_size=20, shuffle=False)
    expected, _ = trained_on_numpy(20)
    for found in (model, other):
        np.testing.assert_allclose(values(found), values(expected), rtol=1e-10, atol=1e-12)


def test_the_callers_array_is_left_as_it_was():
    unknown = lazy(X)[lazy(X)[:, 0] > 0]
    trained(unknown, lazy(y)[lazy(X)[:, 0] > 0])
    assert np.isnan(unknown.shape[0])


def test_what_the_loss_does_not_reach_stays():
    ends = []
    for wrap in (np.asarray, lazy):
        model, spare = mlp(), bp.Tensor(np.ones(3), requires_grad=True)
        optimizer = optim.AdamW([*model.parameters(), spare], 0.05, weight_decay=0.1)
        options = {"batch_size": 20, "shuffle": False, "progress": False}
        train.fit(
            model, wrap(X), wrap(y), loss="cross_entropy", optimizer=optimizer, epochs=2, **options
        )
        ends.append(values(model))
        np.testing.assert_array_equal(spare.data, 1.0)
    np.testing.assert_allclose(ends[1], ends[0], rtol=1e-10)


def test_a_training_that_is_resumed_is_as_if_it_had_never_ended():
    ends = []
    for parts in ((4,), (1, 3)):
        model = mlp()
        optimizer = adam(model)
        for epochs in parts:
            trained(lazy(X), lazy(y), model, optimizer=optimizer, epochs=epochs, batch_size=ROWS)
        ends.append(values(model))
    np.testing.assert_array_equal(ends[1], ends[0])


@pytest.mark.parametrize(
    ("weights", "classes"),
    [
        (np.arange(60) % 4, None),
        (None, "balanced"),
        (None, {1: 5.0, 2: 0.5}),
        (lambda: lazy(np.arange(60) % 4, 7), "balanced"),
    ],
)
def test_rows_are_weighed_as_by_fit(weights, classes):
    ends = []
    for wrap in (np.asarray, lazy):
        given = weights() if callable(weights) else weights
        given = np.asarray(given) if wrap is np.asarray and given is not None else given
        model = mlp()
        history = train.fit(
            model,
            wrap(X),
            wrap(y),
            loss="cross_entropy",
            optimizer=adam(model),
            epochs=3,
            batch_size=20,
            shuffle=False,
            sample_weight=given,
            class_weight=classes,
            progress=False,
            metrics=["accuracy"],
        )
        ends.append((model, history))
    (expected, told), (found, history) = ends
    np.testing.assert_allclose(values(found), values(expected), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(history.loss, told.loss, rtol=1e-10)
    assert (values(found) != values(trained_on_numpy(20)[0])).any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sample_weight": np.arange(60) - 25}, "rows 0 to 9: sample_weight must be finite, 0 or"),
        ({"sample_weight": np.zeros(60)}, "all rows that are learned from have weight 0"),
        ({"sample_weight": np.ones(59)}, r"for each of 60 rows, not float64 of shape \(59,\)"),
        ({"class_weight": {7: 1.0}}, "class_weight has 7, and no row is of that class"),
        ({"class_weight": "equal"}, "must be 'balanced' or a dictionary"),
    ],
)
def test_weights_that_do_not_fit_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        trained(lazy(X), lazy(y), **options)


def test_classes_are_whole_numbers():
    with pytest.raises(ValueError, match="class_weight is for targets that are class numbers"):
        trained(lazy(X), lazy(X), loss=mse_loss, class_weight="balanced")


def test_a_schedule_of_epochs_knows_how_many_steps_they_have():
    ends = []
    for wrap in (np.asarray, lazy):
        model = mlp()
        schedule = PerEpoch(step(0.5, every=1, factor=0.5))
        optimizer = optim.SGD(model.parameters(), schedule)
        options = {"batch_size": 20, "shuffle": False, "progress": False}
        train.fit(
            model, wrap(X), wrap(y), loss="cross_entropy", optimizer=optimizer, epochs=3, **options
        )
        ends.append(values(model))
    np.testing.assert_allclose(ends[1], ends[0], rtol=1e-10, atol=1e-12)


def test_layers_that_remember_train_on_one_block_to_a_batch():
    def normalised():
        layers = nn.Linear(3, 4, seed=1), nn.BatchNorm(4), nn.Dropout(0.2, seed=2)
        return nn.Sequential(*layers, nn.Linear(4, 3, seed=3))

    model, _ = trained(lazy(X), lazy(y), normalised(), batch_size=ROWS, shuffle=False)
    expected, _ = trained_on_numpy(ROWS, normalised())
    for name, array in expected.state_dict().items():
        np.testing.assert_allclose(model.state_dict()[name], array, rtol=1e-10, err_msg=name)
    with pytest.raises(ValueError, match="a batch of 6 blocks"):
        trained(lazy(X), lazy(y), normalised())


def test_a_loss_of_ones_own_sees_the_models_parameters():
    def penalised(model):
        return lambda outputs, y: cross_entropy(outputs, y) + 0.01 * l1_penalty(model.parameters())

    model, expected = mlp(), mlp()
    trained(lazy(X), lazy(y), model, loss=penalised(model))
    optimizer = adam(expected)
    for _ in range(3):
        optimizer.zero_grad()
        penalised(expected)(expected(X), y).backward()
        optimizer.step()
    np.testing.assert_allclose(values(model), values(expected), rtol=1e-10)


def test_single_precision_stays():
    model, _ = trained(lazy(X.astype("f4")), lazy(y), mlp(dtype=np.float32))
    assert {p.dtype for p in model.parameters()} == {np.dtype(np.float32)}


def test_chance_orders_the_blocks_by_the_seed():
    ends = [values(trained(lazy(X), lazy(y), batch_size=ROWS, seed=s)[0]) for s in (1, 1, 2)]
    np.testing.assert_array_equal(ends[0], ends[1])
    assert (ends[0] != ends[2]).any()


def test_data_that_would_fill_no_memory_is_made_block_by_block():
    made = []

    def make(i):
        made.append(i)
        return np.full((ROWS, 3), float(i))

    parts = [da.from_delayed(dask.delayed(make)(i), (ROWS, 3), float) for i in range(4)]
    data = da.concatenate(parts)
    trained(data[:, :3], data[:, :1], mlp(), loss=lambda z, y: mse_loss(z[:, :1], y), epochs=2)
    # X and y share what they are cut from. After the last step the loss is looked at once more.
    assert sorted(made) == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]


def test_what_a_step_sends_does_not_grow_with_the_data():
    sizes = []
    for blocks in (20, 1000):
        parts = [da.from_delayed(dask.delayed(np.ones)((2, 4)), (2, 4), float)] * blocks
        data = da.concatenate(parts)
        features, targets = pair_blocks(data[:, :3], data[:, 3:], 4)
        batches = features[[7, 8]], targets[[7, 8]]
        sizes.append([len(part.__dask_graph__()) for b in batches for part, _, _ in b.parts])
        assert [first for _, first, _ in batches[0].parts] == [14, 16]
    assert sizes[0] == sizes[1]
    assert max(sizes[0]) <= 8


# Prediction and measuring


def test_prediction_is_lazy_and_in_blocks():
    model = mlp()
    outputs = train.predict(model, lazy(X))
    expected = train.predict(model, X)
    for p in model.parameters():
        p.data = np.zeros(p.shape)  # which the outputs do not see
    assert has_blocks(outputs)
    assert outputs.chunks == ((ROWS,) * 6, (3,))
    np.testing.assert_allclose(outputs.compute(), expected, rtol=1e-13)


@pytest.mark.parametrize(
    "options",
    [
        {"validation": (X[:20], y[:20]), "metrics": ["accuracy"]},
        {"patience": 2, "optimizer": lambda p: optim.SGD(p, 5.0), "epochs": 20},
        {"tolerance": 0.05, "epochs": 20},
        {"optimizer": lambda p: optim.SGD(p, 1.0, momentum=0.9, max_norm=0.1)},
        {"callbacks": [lambda model, history: len(history) == 2]},
        {"loss": lambda outputs, targets: cross_entropy(outputs, targets) * 2},
    ],
    ids=lambda options: next(iter(options)),
)
def test_the_history_is_that_of_fit_whatever_is_asked(options):
    histories = []
    for wrap in (np.asarray, lazy):
        model = mlp()
        optimizer = options.get("optimizer", lambda p: optim.Adam(p, 0.05))(model.parameters())
        given = {"loss": "cross_entropy", "epochs": 4, **options, "optimizer": optimizer}
        shared = {"batch_size": 20, "shuffle": False, "progress": False}
        history = train.fit(model, wrap(X), wrap(y), **given, **shared)
        histories.append(history)
    expected, found = histories
    assert (found.names, found.stopped) == (expected.names, expected.stopped)
    for name in set(found.names) - {"seconds"}:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-9, err_msg=name)


def test_metrics_and_validation_are_measured_as_by_fit():
    model, history = trained(
        lazy(X), lazy(y), metrics=["accuracy"], validation=(lazy(X[:20]), y[:20])
    )
    outputs = train.predict(model, X)
    assert history["accuracy"][-1] == train.metrics.accuracy(outputs, y)
    assert history["validation accuracy"][-1] == train.metrics.accuracy(outputs[:20], y[:20])
    expected = cross_entropy(outputs[:20], y[:20])
    np.testing.assert_allclose(history["validation loss"][-1], expected, rtol=1e-12)


@pytest.mark.parametrize("metric", train.metrics.METRICS.values(), ids=lambda f: f.__name__)
def test_metrics_take_lazy_arrays(metric):
    outputs, targets = X[:, :1], y[:, np.newaxis]
    found = metric(lazy(outputs), lazy(targets))
    np.testing.assert_allclose(found, metric(outputs, targets), rtol=1e-12)


def test_a_callback_ends_the_training():
    _, history = trained(lazy(X), lazy(y), callbacks=[lambda model, history: len(history) == 2])
    assert len(history) == 2
    assert history.stopped == "ended by a callback"


# What goes wrong says where, and leaves the model as it was


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("y", 3, r"rows 20 to 29: .*labels of 3 classes must be 0 to 2, and position 5 holds 3"),
        ("X", np.nan, r"rows 20 to 29: X must be finite, and X\[5, 0\] is nan"),
    ],
)
def test_a_fault_in_the_data_names_the_rows(place, value, message):
    arrays = {"X": X.copy(), "y": y.copy()}
    arrays[place][25] = value
    model = mlp()
    with pytest.raises(ValueError, match=message):
        trained(lazy(arrays["X"]), lazy(arrays["y"]), model)
    np.testing.assert_array_equal(values(model), values(mlp()))


def test_divergence_names_the_operation_and_keeps_the_model():
    model = mlp()

    def loss(outputs, targets):
        return np.mean(np.log(outputs - 100))

    with pytest.raises(bp.train.DivergenceError, match=r"batch 1: rows 0 to 9: log of") as caught:
        trained(lazy(X), lazy(y), model, loss=loss)
    assert caught.value.history.stopped == "diverged in epoch 1, batch 1"
    np.testing.assert_array_equal(values(model), values(mlp()))
    assert all(p.grad is None for p in model.parameters())


def test_a_step_to_infinity_is_undone():
    model = mlp()
    optimizer = optim.SGD(model.parameters(), lr=1e308)
    with pytest.raises(bp.train.DivergenceError, match="parameters infinite"):
        trained(lazy(X), lazy(y), model, loss=lambda z, y: np.sum(z) * 1e3, optimizer=optimizer)
    np.testing.assert_array_equal(values(model), values(mlp()))
    assert optimizer.steps == 0


def block_that(fails):
    """X in blocks, of which that of rows 30 to 39 is what ``fails`` makes of it."""
    parts = [dask.delayed(X[i : i + ROWS]) for i in range(0, 60, ROWS)]
    parts[3] = dask.delayed(fails)(parts[3])
    return da.concatenate([da.from_delayed(part, (ROWS, 3), float) for part in parts])


def gone(block):
    raise KeyError("gone")


def unlucky(outputs, targets):
    if targets.sum() > 4:
        raise KeyError("unlucky")
    return cross_entropy(outputs, targets)


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: (lazy(X), lazy(y[:50])), ValueError, "X has 60 rows and y 50"),
        (lambda: (lazy(X)[lazy(y) > 9], lazy(y)[lazy(y) > 9]), ValueError, "X is empty"),
        (lambda: (da.asarray(3.0), lazy(y)), TypeError, "X must be an array with rows"),
        (lambda: (dask.delayed(X), lazy(y)), TypeError, "not a Delayed.*from_delayed makes one"),
        (lambda: (lazy(X[:, :2]), lazy(y)), ValueError, "rows 0 to 9: linear of .*takes rows of 3"),
        (lambda: (lazy(X), lazy(y > 0)), TypeError, "rows 0 to 9: .*must be integers, not bool"),
        (
            lambda: (block_that(lambda block: block[1:]), lazy(y)),
            ValueError,
            r"rows 30 to 39: the block was to have 10 rows, and has shape \(9, 3\)",
        ),
    ],
)
def test_data_that_do_not_fit_are_refused_and_named(make, kind, message):
    model = mlp()
    with pytest.raises(kind, match=message):
        trained(*make(), model)
    np.testing.assert_array_equal(values(model), values(mlp()))


def test_the_first_rows_that_fail_are_named_and_where():
    model = mlp()
    with pytest.raises(RuntimeError, match="rows 0 to 9: KeyError: 'unlucky'") as caught:
        trained(lazy(X), lazy(y), model, loss=unlucky)
    assert "in unlucky" in caught.value.__notes__[0]
    with pytest.raises(KeyError, match="gone") as caught:
        trained(block_that(gone), lazy(y), model, batch_size=20, shuffle=False)
    assert caught.value.__notes__ == ["while the blocks of rows 20 to 29; 30 to 39 were computed"]
    after_one, _ = trained_on_numpy(20)  # whose first batch is the one that was learned
    assert (values(model) != values(after_one)).all()
    assert model.training is False


def test_an_interrupt_in_the_middle_of_an_epoch_leaves_whole_steps():
    model, came = mlp(), []

    def twice(block):
        came.append(len(block))
        if len(came) == 3:
            raise KeyboardInterrupt
        return block

    options = {"batch_size": 20, "shuffle": False}
    _, history = trained(block_that(twice), lazy(y), model, epochs=9, **options)
    assert history.stopped == "interrupted in epoch 3"
    assert len(history) == 2
    steps = adam(expected := mlp())
    for rows in [slice(i, i + 20) for i in (0, 20, 40)] * 2 + [slice(0, 20)]:
        steps.zero_grad()
        cross_entropy(expected(X[rows]), y[rows]).backward()
        steps.step()
    np.testing.assert_allclose(values(model), values(expected), rtol=1e-10, atol=1e-12)
    assert not model.training


def test_unknown_keywords_are_answered_as_by_fit():
    with pytest.raises(TypeError, match=r"^fit has no los=: did you mean loss=\?"):
        train.fit(mlp(), lazy(X), lazy(y), los="mse")


def test_types_that_hold_no_numbers_are_refused_before_any_block_is_made():
    with pytest.raises(TypeError, match="X must hold real numbers, not object"):
        train.predict(mlp(), da.from_delayed(dask.delayed(gone)(0), (60, 3), object))


# On processes, one of which dies


def dies_once(rows, flag):
    """The rows, unless no worker has died yet."""
    distributed.get_worker()  # an error where this is no worker
    if not os.path.exists(flag):
        open(flag, "x").close()
        os.kill(os.getpid(), signal.SIGKILL)
    return rows


def test_processes_give_the_same_bits_as_one_even_if_one_is_killed(client, tmp_path):
    options = {"batch_size": 20, "epochs": 7}  # in the last programs run, on each that has met 24
    with dask.config.set(scheduler="synchronous"):
        expected, _ = trained(lazy(X), lazy(y), **options, compile=False)
    undisturbed, _ = trained(lazy(X), lazy(y), **options)
    flag = str(tmp_path / "killed")
    parts = [dask.delayed(X[i : i + ROWS]) for i in range(0, 60, ROWS)]
    parts[3] = dask.delayed(dies_once)(X[30:40], flag)
    fatal = da.concatenate([da.from_delayed(part, (ROWS, 3), float) for part in parts])
    killed, _ = trained(fatal, lazy(y), **options)
    assert os.path.exists(flag)
    np.testing.assert_array_equal(values(undisturbed), values(expected))
    np.testing.assert_array_equal(values(killed), values(expected))


def test_a_client_that_is_closed_in_the_middle_leaves_whole_steps(client):
    own = distributed.Client(client.cluster)
    model = mlp()

    def close(model, history):
        own.close()

    options = {"batch_size": 20, "shuffle": False, "callbacks": [close]}
    with own.as_current():
        here, targets = lazy(X).persist(), lazy(y).persist()
        with pytest.raises(Exception, match=r".") as caught:  # whatever Dask says of lost blocks
            trained(here, targets, model, **options)
    assert caught.value.__notes__[-1].startswith("while the blocks of rows 0 to 9; 10 to 19")
    expected, _ = trained(lazy(X), lazy(y), batch_size=20, shuffle=False, epochs=1)
    np.testing.assert_array_equal(values(model), values(expected))


def test_an_error_on_a_worker_names_the_rows(client):
    wrong = y.copy()
    wrong[25] = 3
    with pytest.raises(ValueError, match=r"rows 20 to 29: .*position 5 holds 3"):
        trained(lazy(X), lazy(wrong))
