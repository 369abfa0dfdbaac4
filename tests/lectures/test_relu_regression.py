"""Z, A and δ of the six steps against the graph, and the training that they do."""

import numpy as np
import pytest
from functions import ACTIVATIONS, LOSSES
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_bp as bp

from .comparison import disagreements, drawn, mutated
from .test_programs import run

pytest.importorskip("sklearn")
import relu_regression as page  # which needs it

widths = st.lists(st.integers(1, 6), min_size=2, max_size=7)
seeds = st.integers(0, 10_000)
problems = st.builds(
    page.random_problem,
    widths=widths,
    g=st.sampled_from(sorted(ACTIVATIONS)),
    loss=st.sampled_from(sorted(LOSSES)),
    seed=seeds,
)


@drawn
@given(problems)
def test_values_and_adjoints_are_what_the_engine_finds(problem):
    assert not disagreements(page.compare_all(problem))


@drawn
@given(st.builds(page.random_problem, widths=widths, seed=seeds))
def test_the_notes_own_case(problem):
    """ReLU inside, half the squared error: δ^[r] and the mask written out."""
    J = page.network(problem)
    J.backward(keep_grads=True)
    graph = bp.explain.view(J)
    r = len(problem.W) - 1
    np.testing.assert_array_equal(
        graph[f"z^[{r}]"].tensor.grad, graph[f"z^[{r}]"].value - problem.y
    )
    for k in range(1, r):
        off = graph[f"z^[{k}]"].value <= 0
        assert not graph[f"z^[{k}]"].tensor.grad[off].any()


@drawn
@given(
    st.builds(
        page.random_problem, widths=st.lists(st.integers(1, 6), min_size=3, max_size=3), seed=seeds
    )
)
def test_two_layers_are_the_special_case(problem):
    rows = page.compare_two_layers(problem)
    assert not disagreements(rows)
    special = {
        name: value for forms in (page.two_layers_forward, page.two_layers_backward)
        for _, name, value in forms(problem)
    }  # fmt: skip
    general = {name: value for _, name, value in page.rows_backward(problem)}
    for name, other in [("o", "z^[2]"), ("z", "z^[1]"), ("W^[1]",) * 2, ("b^[2]",) * 2]:
        np.testing.assert_allclose(special[name], general[other], rtol=1e-12)


@pytest.mark.parametrize("r", range(1, 7))
def test_every_named_node_is_compared(r):
    problem = page.random_problem([2] * (r + 1))
    inside = {f"a^[{k}]" for k in range(r)}
    z = {f"z^[{k}]" for k in range(1, r + 1)}
    assert {node for _, node, _ in page.rows_forward(problem)} == inside | z
    leaves = {f"{letter}^[{k}]" for letter in "Wb" for k in range(1, r + 1)}
    assert {node for _, node, _ in page.rows_backward(problem)} == leaves | z


WRONG = [
    (page.forward, "W[k] @ a[k - 1]", "W[k] @ a[0]"),
    (page.forward, "W[k] @ a[k - 1]", "W[k].T @ a[k - 1]"),
    (page.forward, "+ b[k]", "+ b[r]"),
    (page.forward, "[0](z[k])", "[0](z[1])"),
    (page.backward, "[1](z[r], y)", "[1](y, z[r])"),
    (page.backward, "W[k + 1].T @", "W[k].T @"),
    (page.backward, "W[k + 1].T @", "W[k + 1] @"),
    (page.backward, "@ delta[k + 1]", "@ delta[r]"),
    (page.backward, "[1](z[k])", "[1](z[k + 1])"),
    (page.gradients, "np.outer(delta[k], a[k - 1])", "np.outer(delta[k], a[k])"),
    (page.gradients, "np.outer(delta[k], a[k - 1])", "np.outer(delta[r], a[k - 1])"),
    (page.gradients, "np.outer(delta[k], a[k - 1])", "np.outer(a[k - 1], delta[k])"),
    (page.rows_backward, 'f"b^[{k}]", by_b[k]', 'f"b^[{k}]", by_b[k - 1]'),
]
WRONG_TWO_LAYERS = [
    (page.two_layers_forward, "np.maximum(z, 0)", "np.maximum(x, 0)"),
    (page.two_layers_backward, "W2.T @ delta2", "W2 @ delta2"),
    (page.two_layers_backward, "(z > 0)", "(o > 0)"),
    (page.two_layers_backward, "np.outer(delta2, a)", "np.outer(delta2, z)"),
    (page.two_layers_backward, "np.outer(delta1, x)", "np.outer(delta1, a)"),
    (page.two_layers_backward, '"b^[1]", delta1', '"b^[1]", delta2'),
]


def noticed(compare, widths):
    """Some units are off in one problem and on in another: it takes a few to be sure."""
    return any(disagreements(compare(page.random_problem(widths, seed=s))) for s in range(5))


@pytest.mark.parametrize(("function", "right", "wrong"), WRONG)
def test_a_step_with_one_wrong_index_is_noticed(function, right, wrong, monkeypatch):
    assert not noticed(page.compare_all, [3, 3, 3, 3])
    monkeypatch.setattr(page, function.__name__, mutated(function, right, wrong))
    assert noticed(page.compare_all, [3, 3, 3, 3])


@pytest.mark.parametrize(("function", "right", "wrong"), WRONG_TWO_LAYERS)
def test_a_wrong_step_of_two_layers_is_noticed(function, right, wrong, monkeypatch):
    assert not noticed(page.compare_two_layers, [3, 3, 3])
    monkeypatch.setattr(page, function.__name__, mutated(function, right, wrong))
    assert noticed(page.compare_two_layers, [3, 3, 3])


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


def test_the_page_runs(tmp_path):
    output = run("relu_regression", "--out", tmp_path / "seen", folder=tmp_path)
    names = sorted(path.name for path in (tmp_path / "seen").iterdir())
    assert names == ["relu_regression.svg", "relu_regression_backward.svg"]
    assert len(output.splitlines()) < 75
