"""`fit` compiles its steps, and everything that it promises holds as without."""

import numpy as np
import pytest

import tinygrad_bp as bp
from tinygrad_bp import data, functional, nn, optim, train
from tinygrad_bp.optim import schedules

X, Y = data.moons(90, noise=0.2, seed=0)


@pytest.fixture(autouse=True)
def _every_step(monkeypatch):
    """Programs are made of every step that comes three times."""
    monkeypatch.setattr("tinygrad_bp.train.fitting._WORTH_COMPILING", 3)


def trained(compile, model=None, optimizer=None, **options):
    model = model or nn.MLP([2, 8, 2], seed=0)
    optimizer = optimizer or optim.Adam(model.parameters(), 0.02)
    how = {"loss": "cross_entropy", "epochs": 14, "batch_size": 20, "seed": 1, "progress": False}
    history = train.fit(model, X, Y, optimizer=optimizer, compile=compile, **(how | options))
    rows = [{k: v for k, v in row.items() if k != "seconds"} for row in history.rows]
    state = {**model.state_dict(), **optimizer.state_dict()}
    return rows, {k: v.tobytes() for k, v in state.items()}, history


def models():
    for options in ({}, {"dropout": 0.3}, {"normalization": "batch"}, {"dtype": np.float32}):
        yield lambda o=options: nn.MLP([2, 8, 2], seed=0, **o)


@pytest.mark.parametrize("make", list(models()), ids=["plain", "dropout", "batch", "float32"])
@pytest.mark.parametrize(
    "options",
    [
        {"metrics": ["accuracy"], "validation": 0.2, "patience": 3},
        {"class_weight": {0: 1.0, 1: 3.0}, "observe": "deltas"},
        {"batch_size": None, "epochs": 40},
        {"shuffle": False, "batch_size": 30},
    ],
    ids=["validation", "weights", "whole", "in order"],
)
def test_it_is_bit_for_bit_the_training_without(make, options):
    rows, state, history = trained(True, make(), **options)
    assert (rows, state) == trained(False, make(), **options)[:2]
    assert not history.why_eager


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda p: optim.SGD(p, schedules.cosine(0.2, 60), momentum=0.9, max_norm=1.0),
        lambda p: optim.AdamW(p, 0.02, weight_decay=0.1),
    ],
)
def test_every_optimizer(optimizer):
    both = []
    for compile in (True, False):
        model = nn.MLP([2, 8, 2], seed=0)
        both.append(trained(compile, model, optimizer(model.parameters()))[:2])
    assert both[0] == both[1]


def test_a_training_goes_on_as_if_it_had_not_ended():
    model = nn.MLP([2, 8, 2], seed=0)
    optimizer = optim.Adam(model.parameters(), 0.02)
    trained(True, model, optimizer, epochs=6)
    _, state, _ = trained(True, model, optimizer, epochs=8)
    assert state == trained(False)[1]


def diverging(compile):
    model = nn.MLP([2, 8, 1], seed=0)
    optimizer = optim.SGD(model.parameters(), 3.0)
    with pytest.raises(train.DivergenceError) as caught:
        train.fit(
            *(model, X, Y[:, np.newaxis] * 1.0),
            **{"loss": "mse", "optimizer": optimizer, "epochs": 500, "progress": False},
            compile=compile,
        )
    return str(caught.value), {k: v.tobytes() for k, v in model.state_dict().items()}


def test_a_divergence_is_undone_and_named_as_without():
    assert diverging(True) == diverging(False)


def test_a_number_that_a_callback_changes_is_noticed():
    def run(compile):
        strength = [0.0]

        def loss(out, y):
            return functional.cross_entropy(out, y) + strength[0] * np.mean(out * out)

        def stronger(model, history):
            strength[0] = 0.1 * (len(history) // 5)

        return trained(compile, loss=loss, callbacks=[stronger])

    rows, state, history = run(True)
    assert (rows, state) == run(False)[:2]
    assert not history.why_eager


def test_a_number_that_changes_all_the_time_ends_the_compiling():
    def run(compile):
        strength = [0.0]

        def loss(out, y):
            return functional.cross_entropy(out, y) + strength[0] * np.mean(out * out)

        def stronger(model, history):
            strength[0] += 0.01

        return trained(compile, loss=loss, callbacks=[stronger], epochs=30)

    rows, state, history = run(True)
    assert (rows, state) == run(False)[:2]
    assert "changes" in history.why_eager or "differently" in history.why_eager


def test_noise_trains_without_and_says_so_once(capsys):
    class Noisy(nn.Module):
        def __init__(self):
            self.inner, self.generator = nn.MLP([2, 8, 2], seed=0), np.random.default_rng(0)

        def forward(self, x):
            return self.inner(x + self.generator.normal(size=x.shape) * 0.1 * self.training)

    rows, state, history = trained(True, Noisy(), progress=True)
    assert "computed differently" in history.why_eager
    assert capsys.readouterr().err.count("steps are not compiled") == 1
    without = trained(False, Noisy())
    assert (rows, state) == without[:2]  # no number was drawn in vain
    assert without[2].why_eager == ""


def test_a_model_that_takes_values_out_trains_as_without():
    class Scaled(nn.Module):
        def __init__(self):
            self.inner = nn.MLP([2, 8, 2], seed=0)

        def forward(self, x):
            out = self.inner(x)
            return out / (1 + abs(float(np.max(out.data))))

    both = [trained(compile, Scaled()) for compile in (True, False)]
    assert both[0][:2] == both[1][:2]
    assert "taken out of the computation" in both[0][2].why_eager


def test_a_branch_trains_compiled():
    class Gated(nn.Module):
        def __init__(self):
            self.inner = nn.MLP([2, 8, 2], seed=0)

        def forward(self, x):
            out = self.inner(x)
            return out * 2 if np.mean(out) > 0 else out

    both = [trained(compile, Gated()) for compile in (True, False)]
    assert both[0][:2] == both[1][:2]
    assert not both[0][2].why_eager


def test_a_held_prediction_stays(monkeypatch):
    kept = []

    def keep(model, history):
        kept.append((model[0].weight.data, model[0].weight.numpy()))

    trained(True, callbacks=[keep])
    for now, then in kept:
        np.testing.assert_array_equal(now, then)
    assert len({then.tobytes() for _, then in kept}) == 14


def test_programs_are_used(monkeypatch):
    for least, few, many in (3, 40, 80), (64, 0, 0), (56, 40, 60):
        monkeypatch.setattr("tinygrad_bp.train.fitting._WORTH_COMPILING", least)
        assert few <= _runs_of_programs() <= many


def _runs_of_programs():
    calls = []
    real = bp.compiling.steps.StepProgram.compute
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            bp.compiling.steps.StepProgram,
            "compute",
            lambda self, batch: calls.append(0) or real(self, batch),
        )
        trained(True)
    return len(calls)
