"""δ and Δw by depth against the recurrence in plain NumPy."""

import numpy as np
import pytest
import vanishing_gradient as page

from .comparison import answers
from .test_programs import run


def deltas_by_hand(depth, recipe, seed, width=64, samples=64):
    """The recurrence for δ in plain NumPy, on the network that the page draws at random."""
    random = np.random.default_rng(seed)
    a, target = random.normal(size=(2, samples, width))
    weights, slopes = [], []
    for _ in range(depth):
        spread = np.sqrt(2) if recipe.startswith("ReLU") else 1
        weights.append(random.normal(size=(width, width)) * spread / np.sqrt(width))
        z = a @ weights[-1].T
        a = np.maximum(z, 0) if recipe.startswith("ReLU") else 1 / (1 + np.exp(-z))
        slopes.append((z > 0) * 1.0 if recipe.startswith("ReLU") else a * (1 - a))
    deltas = [(a - target) / samples * slopes[-1]]
    for W, slope in zip(weights[:0:-1], slopes[-2::-1], strict=True):
        deltas.insert(0, deltas[0] @ W * slope)
    return np.array([np.mean(np.abs(delta)) for delta in deltas])


@pytest.mark.parametrize("recipe", page.RECIPES)
@pytest.mark.parametrize("depth", [2, 3, 7, 20])
def test_mean_delta_is_that_of_the_recurrence(depth, recipe):
    found = page.mean_deltas(depth, recipe, seed=depth)
    np.testing.assert_allclose(found, deltas_by_hand(depth, recipe, depth), rtol=1e-12)


@pytest.mark.parametrize("depth", page.DEPTHS)
def test_with_sigmoid_the_gradient_vanishes_geometrically(depth):
    deltas = page.mean_deltas(depth, "sigmoid")
    assert len(deltas) == depth
    ratios = deltas[:-1] / deltas[1:]
    assert np.all((ratios > 0.17) & (ratios < 0.3))
    layers = np.arange(depth)
    line = np.polynomial.Polynomial.fit(layers, np.log(deltas), 1)(layers)
    assert np.max(np.abs(np.log(deltas) - line)) < 0.2  # over many factors of e


@pytest.mark.parametrize("depth", page.DEPTHS)
def test_with_relu_and_he_initialisation_it_does_not(depth):
    deltas = page.mean_deltas(depth, "ReLU, He")
    assert deltas.max() / deltas.min() < 8
    assert 0.8 < page.factor_per_layer(deltas) < 1.3


def test_he_initialisation_is_part_of_the_cure(monkeypatch):
    """ReLU with the spread of sigmoid's weights loses a factor of about √2 a layer."""
    monkeypatch.setitem(page.RECIPES, "ReLU", (page.relu, 1.0))
    assert 0.6 < page.factor_per_layer(page.mean_deltas(20, "ReLU")) < 0.8


@pytest.mark.parametrize("recipe", page.RECIPES)
def test_the_step_of_a_weight_is_its_delta_times_its_input(recipe):
    """For one sample: mean |Δw| of a layer is η times mean |δ| times mean |a| of its inputs."""
    deltas, changes = page.measured(1, recipe, samples=1)
    inputs = np.random.default_rng(0).normal(size=(2, 1, 64))[0]
    assert changes[0] == pytest.approx(page.RATE * deltas[0] * np.mean(np.abs(inputs)), rel=1e-12)


@pytest.mark.parametrize("depth", [5, 10, 20])
def test_the_steps_shrink_with_delta(depth):
    deltas, changes = page.measured(depth, "sigmoid")
    assert page.factor_per_layer(changes) == pytest.approx(page.factor_per_layer(deltas), abs=0.05)
    _, kept = page.measured(depth, "ReLU, He")
    assert 0.8 < page.factor_per_layer(kept) < 1.3


def test_answers():
    steepest, kept, steps = answers(page)
    assert steepest == 0.25
    assert kept == pytest.approx(np.sqrt(0.5), abs=0.05)
    _, changes = page.measured(20, "sigmoid")
    assert steps == changes[-1] / changes[0]
    assert 1e12 < steps < 1e13
    assert set(page.RECIPES) == {"sigmoid", "ReLU, He"}


def test_the_page_runs(tmp_path):
    pytest.importorskip("matplotlib")
    output = run("vanishing_gradient", "--out", tmp_path / "seen", "--answers", folder=tmp_path)
    assert [path.name for path in (tmp_path / "seen").iterdir()] == ["vanishing_gradient.png"]
    rows = {line.split()[0]: line.split() for line in output.splitlines() if line.strip()}
    deltas, changes = page.measured(10, "sigmoid")
    assert rows["10"][1:4] == [f"{deltas[0]:.1e}", f"{changes[0]:.1e}", "0.227"]
