"""Workers that keep programs of their passes give what the engine gives, to the last bit."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest

from tinygrad_bp import nn, optim, train
from tinygrad_bp.functional import cross_entropy, l1_penalty
from tinygrad_bp.train import replicas

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")

rng = np.random.default_rng(3)
ROWS, EPOCHS = 10, 8
X = da.from_array(rng.normal(size=(6 * ROWS, 3)), chunks=(ROWS, 3))
Y = np.arange(6 * ROWS) % 3


@pytest.fixture(autouse=True)
def where(monkeypatch):
    monkeypatch.setattr(replicas, "_KEPT", {})
    with dask.config.set(scheduler="synchronous"):
        yield


def network(*more):
    first, last = nn.Linear(3, 8, seed=0), nn.Linear(8, 3, seed=1)
    return nn.Sequential(first, *more, np.tanh, last)


def trained(model, loss="cross_entropy", **options):
    optimizer = optim.Adam(model.parameters(), 0.05)
    given = {"epochs": EPOCHS, "batch_size": 2 * ROWS, "seed": 0, "progress": False, **options}
    return model, train.fit(model, X, Y, loss=loss, optimizer=optimizer, **given)


def programs():
    """How many programs the copies hold."""
    held = [r for known in replicas._KEPT.values() for r in known._idle]
    return sum(program.programs for r in held for _, program in r._programs.values())


def assert_same(one, other):
    for name, array in one.state_dict().items():
        np.testing.assert_array_equal(other.state_dict()[name], array, err_msg=name)


def penalised(model):
    return lambda z, y: cross_entropy(z, y) + 0.01 * l1_penalty(model.parameters())


@pytest.mark.parametrize(
    ("make", "options"),
    [
        (network, {}),
        (lambda: network(nn.Dropout(0.3, seed=0)), {}),
        (lambda: network(nn.BatchNorm(8), nn.Dropout(0.3, seed=0)), {"batch_size": ROWS}),
        (lambda: network(nn.LayerNorm(8)), {"sample_weight": 1.0 + Y}),
        (network, {"observe": "deltas", "validation": (X, Y)}),
        (network, {"loss": penalised}),
        (network, {"batch_size": 15, "shuffle": False}),
    ],
    ids=["plain", "Dropout", "BatchNorm", "weights", "deltas", "loss of one's own", "ragged"],
)
@pytest.mark.parametrize("scheduler", ["synchronous", "threads"])
def test_programs_give_the_engines_bits(make, options, scheduler):
    models = []
    with dask.config.set(scheduler=scheduler, num_workers=3):
        for compiled in (False, True):
            model = make()
            own = {"loss": options["loss"](model)} if "loss" in options else {}
            _, history = trained(model, compile=compiled, **{**options, **own})
            models.append(model)
            assert bool(programs()) is compiled
            assert history.why_eager == ""
    assert_same(*models)


class Counting:
    """A loss that grows with each call of it."""

    def __init__(self):
        self.calls = 0

    def __call__(self, outputs, targets):
        self.calls += 1
        return cross_entropy(outputs, targets) * self.calls


def test_a_loss_that_changes_is_made_anew_for_each_block():
    (one, _), (other, history) = (trained(network(), Counting(), compile=c) for c in (False, True))
    assert_same(one, other)
    assert "changes something at each call" in history.why_eager


def test_what_cannot_be_compiled_trains_without():
    def loss(outputs, targets):
        return cross_entropy(outputs, targets) * float(np.max(outputs.data) > -99)

    (one, _), (other, history) = (trained(network(), loss, compile=c) for c in (False, True))
    assert_same(one, other)
    assert history.why_eager
    assert not programs()


def test_values_are_looked_at_in_the_first_epoch_whatever_a_worker_knows():
    model, (wrong, shares) = network(), (rng.uniform(size=(60, 3)) for _ in range(2))
    wrong[25, 1] = 2.0
    loss = "binary_cross_entropy"
    given = {"epochs": EPOCHS, "batch_size": ROWS, "progress": False, "loss": loss}
    optimizer = optim.SGD(model.parameters(), 0.1)
    train.fit(model, X, shares, optimizer=optimizer, **given)
    assert programs()
    before = model.state_dict()
    with pytest.raises(ValueError, match=r"rows 20 to 29: .*probabilities.*\(5, 1\) holds 2"):
        train.fit(model, X, wrong, optimizer=optimizer, **{**given, "batch_size": None})
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def test_no_more_than_a_few_models_are_kept():
    for i in range(replicas.MOST + 3):
        trained(nn.MLP([3, *[3] * i, 3], seed=0), epochs=1)
    assert len(replicas._KEPT) == replicas.MOST


def test_no_more_than_a_few_shapes_have_programs():
    counts = tuple(range(3, 3 + replicas.MOST_KINDS + 3))
    rows = da.from_array(rng.normal(size=(sum(counts), 3)), chunks=(counts, 3))
    model = network()
    train.fit(
        model,
        rows,
        np.arange(len(rows)) % 3,
        loss="cross_entropy",
        optimizer=optim.SGD(model.parameters(), 0.1),
        epochs=replicas.WORTH_IT + 4,
        progress=False,
    )
    assert programs() == replicas.MOST_KINDS


# Chance on workers


class Noise(nn.Module):
    def __init__(self):
        self.generator = np.random.default_rng(0)

    def forward(self, x):
        return x + self.generator.normal(size=x.shape) if self.training else x


def test_a_generator_is_refused_before_any_step():
    model = network(Noise())
    before = model.state_dict()
    with pytest.raises(TypeError, match=r"holds a Generator, of which every block.*nn\.Dropout"):
        trained(model)
    generator = np.random.RandomState(0)
    with pytest.raises(TypeError, match="holds a RandomState"):
        trained(network(), lambda z, y: cross_entropy(z + generator.normal(size=z.shape), y))
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])
    assert train.predict(model, X).compute().shape == (60, 3)  # which draws nothing


class Seen(nn.Module):
    masks: ClassVar[list] = []

    def forward(self, x):
        self.masks.append(np.asarray(getattr(x, "data", x)) != 0)
        return x


def test_each_block_of_a_batch_and_each_step_drops_other_elements():
    Seen.masks.clear()
    model = nn.Sequential(nn.Dropout(0.5, seed=0), Seen(), nn.Linear(3, 3, seed=0))
    trained(model, batch_size=None, epochs=2, validation=(X[:5], Y[:5]))
    of_steps = [mask.tobytes() for mask in Seen.masks if len(mask) == ROWS]
    assert len(of_steps) == len(set(of_steps)) == 12
    assert model[0].draws.data[1] == 2


def test_frozen_layers_are_no_memory():
    models = []
    for wrap in (np.asarray, lambda x: x):
        model = network()
        model[0].weight.requires_grad = False
        optimizer = optim.SGD([p for p in model.parameters() if p.requires_grad], 0.5)
        x, given = wrap(X), {"loss": "cross_entropy", "epochs": 3, "progress": False}
        train.fit(model, x, Y, optimizer=optimizer, **given)
        models.append(model)
    for name, array in models[0].state_dict().items():
        np.testing.assert_allclose(models[1].state_dict()[name], array, rtol=1e-10, atol=1e-12)
    assert (models[1][0].weight.data == network()[0].weight.data).all()
