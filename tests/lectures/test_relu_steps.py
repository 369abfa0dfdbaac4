"""𝒵, 𝒜, δ and the step of the six steps against the graph."""

import numpy as np
import pytest
import relu_steps as page
from functions import ACTIVATIONS, LOSSES
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_bp as bp

from .comparison import answers, disagreements, drawn, mutated
from .test_programs import run

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
    assert {node for _, node, _ in page.rows_forward(problem)} == inside | z | {"J"}
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


def test_sequences():
    found = page.sequences(page.random_problem([2, 3, 3, 1]))
    assert found["𝒵"] == [("z^[1]", (3,)), ("z^[2]", (3,)), ("z^[3]", (1,))]
    assert found["𝒜"] == [("a^[0]", (2,)), ("a^[1]", (3,)), ("a^[2]", (3,)), ("a^[3]", (1,))]
    assert found["𝒲"] == [("W^[1]", (3, 2)), ("W^[2]", (3, 3)), ("W^[3]", (1, 3))]
    assert found["ℬ"] == [("b^[1]", (3,)), ("b^[2]", (3,)), ("b^[3]", (1,))]


@pytest.mark.parametrize("alpha", [0.01, 0.5])
def test_step_6_is_gradient_descent(alpha):
    problem = page.random_problem([3, 2, 2], seed=2)
    rows = list(page.rows_of_a_step(problem, alpha))
    assert not disagreements(rows)
    gradient = {name: value for _, name, value in page.rows_backward(problem)}
    for formula, by_hand, _ in rows:
        name = formula.split(" ")[0]
        before = (problem.W if name[0] == "W" else problem.b)[int(name[3])]
        np.testing.assert_allclose(by_hand, before - alpha * gradient[name], rtol=1e-14)


def test_a_wrong_step_6_is_noticed(monkeypatch):
    changed = mutated(page.one_pass, "W[k] - rate", "W[k] + rate")
    monkeypatch.setattr(page, "one_pass", changed)
    assert disagreements(page.rows_of_a_step(page.random_problem([3, 3, 3])))


def test_answers():
    (relu, absolute), dead, kept = answers(page)
    assert (relu, absolute) == (0, 0)
    assert dead == 0
    assert kept == 2 + 3 + 3


def test_the_page_runs(tmp_path):
    output = run("relu_steps", "--out", tmp_path / "seen", "--answers", folder=tmp_path)
    names = sorted(path.name for path in (tmp_path / "seen").iterdir())
    assert names == [
        "relu_steps.svg",
        "relu_steps_backward.svg",
        "relu_steps_two_layers.svg",
        "relu_steps_two_layers_backward.svg",
    ]
    assert "θ = {𝒲, ℬ}: 25 numbers" in output
    assert len(output.splitlines()) < 75
