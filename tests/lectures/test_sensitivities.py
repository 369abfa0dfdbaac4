"""δ and the outer products with the bias as row 0, against the adjoints of the graph."""

import numpy as np
import pytest
import sensitivities as page
from adjoints import adjoints, compare
from functions import ACTIVATIONS, LOSSES
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_bp as bp

from .comparison import answers, disagreements, drawn, mutated

problems = st.builds(
    page.random_problem,
    widths=st.lists(st.integers(1, 6), min_size=2, max_size=7),
    theta=st.sampled_from(sorted(ACTIVATIONS)),
    loss=st.sampled_from(sorted(LOSSES)),
    seed=st.integers(0, 10_000),
)


@drawn
@given(problems)
def test_both_recurrences_are_what_the_engine_finds(problem):
    assert not disagreements(page.all_rows(problem))


@drawn
@given(problems)
def test_row_0_holds_the_sensitivities(problem):
    found = adjoints(page.network(problem))
    for layer in range(1, len(problem.W)):
        gradient, delta = found[f"W^({layer})"], found[f"s^({layer})"]
        assert gradient.shape == problem.W[layer].shape == (len(gradient), len(delta))
        np.testing.assert_allclose(gradient[0], delta[:, 0], rtol=1e-12)


@pytest.mark.parametrize("L", range(1, 7))
def test_every_named_node_is_compared(L):
    problem = page.random_problem([2] * (L + 1))
    layers = range(1, L + 1)
    matrices = {node for _, node, _ in page.by_matrices(problem)}
    indices = {node for _, node, _ in page.by_indices(problem)}
    assert indices == {f"{letter}^({layer})" for letter in "sW" for layer in layers}
    assert matrices == indices | {f"x^({layer - 1})" for layer in layers}
    assert len(list(page.compare_biases(problem))) == L


def test_the_error_depends_on_a_weight_through_s_alone():
    problem = page.random_problem([2, 3, 2, 1])
    e = page.network(problem)
    graph = bp.explain.view(e)
    for layer in (1, 2, 3):
        weight, s = graph[f"W^({layer})"], graph[f"s^({layer})"]
        assert len(weight.terms) == 1
        assert bp.count_paths(e, weight.tensor) == bp.count_paths(e, s.tensor)


WRONG = [
    (page.forward, "W[layer].T @ x[layer - 1]", "W[layer].T @ x[0]"),
    (page.by_matrices, "theta_prime(s[L])", "theta_prime(s[L - 1])"),
    (page.by_matrices, "x[below] @ delta[layer].T", "x[below - 1] @ delta[layer].T"),
    (page.by_matrices, "x[below] @ delta[layer].T", "x[below] @ delta[L].T"),
    (page.by_matrices, "by_x = W[layer] @", "by_x = W[L - below] @"),
    (page.by_matrices, "W[layer][1:] @", "W[layer][:-1] @"),
    (page.by_matrices, "W[layer][1:] @", "W[layer][1:].T @"),
    (page.by_matrices, "W[layer][1:] @", "W[below][1:] @"),
    (page.by_matrices, "theta_prime(s[below])", "theta_prime(s[layer])"),
    (page.by_indices, "by_output[j] *", "by_output[j - 1] *"),
    (page.by_indices, "delta[layer + 1][j] *", "delta[layer + 1][i] *"),
    (page.by_indices, "W[layer + 1][1 + i, j]", "W[layer + 1][i, j]"),
    (page.by_indices, "W[layer + 1][1 + i, j]", "W[layer + 1][1 + j, i]"),
    (page.by_indices, "W[layer + 1][1 + i, j]", "W[layer][1 + i, j]"),
    (page.by_indices, "theta_prime(s[layer][i])", "theta_prime(s[layer + 1][i])"),
    (page.by_indices, "x[layer - 1][i, 0] *", "x[layer - 1][j, 0] *"),
    (page.by_indices, "x[layer - 1][i, 0] *", "x[layer - 1][i - 1, 0] *"),
    (page.by_indices, "* delta[layer][j, 0]", "* delta[layer - 1][j, 0]"),
]


@pytest.mark.parametrize(("function", "right", "wrong"), WRONG)
def test_a_recurrence_with_one_wrong_index_is_noticed(function, right, wrong, monkeypatch):
    """On equal widths, where no shape gives it away."""
    problem = page.random_problem([3, 3, 3, 3])
    assert not disagreements(page.all_rows(problem))
    monkeypatch.setattr(page, function.__name__, mutated(function, right, wrong))
    both = [*page.by_matrices(problem), *page.by_indices(problem)]
    assert disagreements(compare(page.network(problem), both))


def test_what_the_page_says_beside_the_recurrence():
    problem = page.random_problem([2, 2, 1])
    formulas = [formula for formula, *_ in page.rows_of_dependence(problem)]
    assert len(formulas) == 6
    rows = {formula.split(" = ")[0]: hand for formula, hand, _ in page.rows_of_dependence(problem)}
    (s1, s2), x = page.forward(problem)[0][1:], page.forward(problem)[1]
    delta = 2 * (np.tanh(s2) - problem.y) / np.cosh(s2) ** 2
    np.testing.assert_allclose(rows["δ^(2)"], delta, rtol=1e-12)
    np.testing.assert_allclose(rows["∂e/∂x_i^(1)"], (problem.W[2] @ delta)[1:, 0], rtol=1e-12)
    np.testing.assert_allclose(rows["∂s_j^(1)/∂w_ij^(1)"], [1.0, *problem.x[:, 0]])
    assert x[1][0] == 1
    assert rows["e(Ω)"] == np.sum((np.tanh(problem.W[2].T @ [[1], *np.tanh(s1)]) - problem.y) ** 2)
    assert len(set(rows["e_n(Ω)"])) == 3
    other = page.rows_of_dependence(problem._replace(loss="log cosh"))
    assert len(list(other)) == 5  # the special case is that of the square


@pytest.mark.parametrize(("s", "t"), [(2.0, 3.0), (-1.5, 0.25)])
def test_the_chain_rule_of_two_variables(s, t):
    """z = s t (s + t) = s² t + s t²."""
    (_, *by_s), (_, *by_t) = page.two_variables(s, t)
    np.testing.assert_allclose(by_s, 2 * s * t + t**2, rtol=1e-14)
    np.testing.assert_allclose(by_t, s**2 + 2 * s * t, rtol=1e-14)


@pytest.mark.parametrize(
    ("rows", "right", "wrong"),
    [
        (page.rows_forward, "w[0, j] + sum", "w[1, j] + sum"),
        (page.rows_forward, "w[1:, j] * below", "w[:-1, j] * below"),
        (page.rows_of_dependence, "W[layer].T @ with_one", "W[L].T @ with_one"),
        (page.rows_of_dependence, "W[layer + 1][i])", "W[layer + 1][i - 1])"),
        (page.rows_of_dependence, "2 * (x[L] - y)", "(x[L] - y)"),
        (page.rows_of_dependence, "by_x * slopes", "by_x"),
    ],
)
def test_a_wrong_row_is_noticed(rows, right, wrong, monkeypatch):
    problem = page.random_problem([3, 3, 3, 3])
    monkeypatch.setattr(page, rows.__name__, mutated(rows, right, wrong))
    assert disagreements(page.all_rows(problem))


def test_answers():
    used, constant, (near, far) = answers(page)
    assert used == (2 + 1) * 2
    problem = page.random_problem([2, 2, 1])
    delta = {node: value for _, node, value in page.by_indices(problem)}["s^(2)"]
    assert constant == pytest.approx((problem.W[2][0] @ delta).item(), rel=1e-12)
    slope = 1 - np.tanh(3.0) ** 2
    assert near == pytest.approx(2 * 0.01 * slope)
    assert far == pytest.approx(2 * slope)
