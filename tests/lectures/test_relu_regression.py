"""The regression that the six steps train."""

import numpy as np
import pytest

import tinygrad_bp as bp

from .comparison import answers
from .test_programs import run

pytest.importorskip("sklearn")
import relu_regression as page  # which needs it


def test_a_pass_by_hand_and_by_the_engine_ends_in_the_same_weights():
    X, Y, *_ = page.patients()
    start = page.he([10, 5, 1], np.random.default_rng(3))
    (W, b), (engine_W, engine_b) = (
        page.one_pass(X[:50], Y[:50], *start, steps, 0.01, range(50))
        for steps in (page.six_steps, page.engine_steps)
    )
    for ours, theirs in zip(W[1:] + b[1:], engine_W[1:] + engine_b[1:], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-13)
    assert not np.allclose(W[1], start[0][1])


def test_the_slope_is_that_of_the_mean_cost():
    X, Y, *_ = page.patients()
    X, Y = X[:40], Y[:40]
    W, b = page.he([10, 4, 1], np.random.default_rng(0))
    leaves = [bp.Tensor(v, requires_grad=True) for v in (W[1], b[1], W[2], b[2])]
    W1, b1, W2, b2 = leaves
    hidden = bp.functional.relu(X @ W1.T + b1)
    gradient = bp.gradients(0.5 * np.mean((hidden @ W2.T + b2 - Y) ** 2), leaves)
    engine = np.linalg.norm(np.concatenate([g.ravel() for g in gradient]))
    np.testing.assert_allclose(page.slope(X, Y, W, b), engine, rtol=1e-12)


def test_training_converges():
    X, Y, X_test, Y_test = page.patients()
    assert (len(X), len(X_test)) == (353, 89)
    history = list(page.train(X, Y, *page.he(page.WIDTHS, np.random.default_rng(0))))
    slopes = [slope for _, _, slope, *_ in history]
    assert len(history) < 200
    assert slopes[-1] <= 0.01 * slopes[0] < min(slopes[:-1])
    _, J, _, W, b = history[-1]
    line = np.linalg.lstsq(X, Y)[0]
    linear = 0.5 * np.mean((X @ line - Y) ** 2)
    assert linear > J
    assert page.r_squared(page.predicted(X_test, W, b), Y_test) > 0.45


def test_answers():
    cost, parameters, shift = answers(page)
    assert cost == pytest.approx(0.5, rel=1e-12)
    assert parameters == 10 * 8 + 8 + 8 * 8 + 8 + 8 + 1
    assert shift == np.max(np.abs(np.mean(page.patients()[2], axis=0)))
    assert 0.05 < shift < 0.3


def test_the_page_runs(tmp_path):
    pytest.importorskip("matplotlib")
    output = run("relu_regression", "--out", tmp_path / "seen", "--answers", folder=tmp_path)
    names = [path.name for path in (tmp_path / "seen").iterdir()]
    assert names == ["relu_regression_convergence.png"]
    assert len(output.splitlines()) < 75
