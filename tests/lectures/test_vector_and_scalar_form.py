"""P and δ of T layers, in vector and in scalar form, against the adjoints of the graph."""

import numpy as np
import pytest
import vector_and_scalar_form as page
from adjoints import adjoints, compare
from functions import ACTIVATIONS, LOSSES
from hypothesis import given
from hypothesis import strategies as st

from .comparison import answers, disagreements, drawn, mutated

problems = st.builds(
    page.random_problem,
    widths=st.lists(st.integers(1, 6), min_size=2, max_size=7),
    g=st.sampled_from(sorted(ACTIVATIONS)),
    loss=st.sampled_from(sorted(LOSSES)),
    shared_bias=st.booleans(),
    seed=st.integers(0, 10_000),
)


@drawn
@given(problems)
def test_both_forms_are_what_the_engine_finds(problem):
    assert not disagreements(page.all_rows(problem))


@pytest.mark.parametrize("shared_bias", [False, True])
@pytest.mark.parametrize("T", range(1, 7))
def test_every_named_node_is_compared(T, shared_bias):
    problem = page.random_problem([2] * (T + 1), shared_bias=shared_bias)
    layers = range(T)
    vector = {node for _, node, _ in page.vector_form(problem)}
    scalar = {node for _, node, _ in page.scalar_form(problem)}
    parameters = {f"{letter}_{k}" for letter in "Wb" for k in layers}
    assert vector == parameters | {f"f_{k}" for k in range(T + 1)}
    assert scalar == parameters | {f"h_{k + 1}" for k in layers}
    assert len(page.compare_forms(problem)) == 2 * T
    assert vector | scalar <= adjoints(page.network(problem)).keys()


def test_the_forms_agree_on_h_through_g():
    """δ^k = P_k ⊙ g′(h_k): what joins the two recurrences."""
    problem = page.random_problem([3, 4, 2, 5])
    found = adjoints(page.network(problem))
    for k in (1, 2, 3):
        through = found[f"h_{k}"] / found[f"f_{k}"]
        assert np.all((through > 0) & (through <= 1))  # tanh′


WRONG = [
    (page.vector_form, "g_prime(h[k + 1])", "g_prime(h[T])"),
    (page.vector_form, "* P[k + 1]", "* P[T]"),
    (page.vector_form, "W[k].T @", "W[k] @"),
    (page.vector_form, "W[k].T @", "W[k - 1].T @"),
    (page.vector_form, "np.outer(through_g, f[k])", "np.outer(through_g, f[k + 1])"),
    (page.vector_form, "np.outer(through_g, f[k])", "np.outer(f[k], through_g)"),
    (page.scalar_form, "g_prime(h[T][j])", "g_prime(h[T - 1][j])"),
    (page.scalar_form, "w[k][s, i]", "w[k][i, s]"),
    (page.scalar_form, "w[k][s, i]", "w[k - 1][s, i]"),
    (page.scalar_form, "delta[k + 1][s] *", "delta[k + 1][i] *"),
    (page.scalar_form, "delta[k + 1][s] *", "delta[k][s] *"),
    (page.scalar_form, "g_prime(h[k][i])", "g_prime(h[k + 1][i])"),
    (page.scalar_form, "delta[k + 1][i] * f[k][j]", "delta[k + 1][j] * f[k][i]"),
    (page.scalar_form, "delta[k + 1][i] * f[k][j]", "delta[k][i] * f[k][j]"),
    (page.scalar_form, "delta[k + 1][i] * f[k][j]", "delta[k + 1][i] * f[k + 1][j]"),
    (page.scalar_form, "by_bias = delta[k + 1]", "by_bias = delta[k]"),
]


@pytest.mark.parametrize(("recurrence", "right", "wrong"), WRONG)
def test_a_recurrence_with_one_wrong_index_is_noticed(recurrence, right, wrong):
    """On equal widths, where no shape gives it away."""
    problem = page.random_problem([3, 3, 3, 3])
    assert not disagreements(compare(page.network(problem), recurrence(problem)))
    changed = mutated(recurrence, right, wrong)
    assert disagreements(compare(page.network(problem), changed(problem)))


def test_jacobians_are_differences():
    """∇_W f and ∇_f f by moving each entry, and the chain of all of them."""
    problem = page.random_problem([2, 3, 2], seed=4)
    _, f = page.forward_values(problem)
    rows = {formula.split(":")[0].split(" = ")[0]: hand for formula, hand, _ in
            page.jacobian_chains(problem)}  # fmt: skip
    step = 1e-6
    moved = []
    for place in np.ndindex(problem.W[1].shape):
        W = problem.W[1].copy()
        W[place] += step
        moved.append((np.tanh(W @ f[1] + problem.b[1]) - f[2]) / step)
    np.testing.assert_allclose(rows["∇_W1 f_2"], moved, atol=1e-5)
    moved = [
        (np.tanh(problem.W[1] @ (f[1] + step * e) + problem.b[1]) - f[2]) / step for e in np.eye(3)
    ]
    np.testing.assert_allclose(rows["∇_f1 f_2"], moved, atol=1e-5)
    assert {"∇_W1 Φ", "∇_W0 Φ", "∇_W0 f_1"} <= rows.keys()


@pytest.mark.parametrize(
    ("rows", "right", "wrong"),
    [
        (page.forward_values, "W[t] @ f[t]", "W[t] @ f[0]"),
        (page.forward_values, "+ b[t]", "+ b[t - 1]"),
        (page.jacobian_chains, "g_prime(h[t + 1]))", "g_prime(h[T]))"),
        (page.jacobian_chains, "np.kron(np.diag(", "np.kron(np.fliplr(np.diag("),
        (page.jacobian_chains, "W[t].T * g_prime", "W[t] * g_prime"),
        (page.written_out, "* f[T - 1][j]", "* f[T - 1][i]"),
        (page.written_out, "slopes[i] * f[T - 2][j]", "slopes[i] * f[T - 1][j]"),
        (page.forward_by_index, "w[k][i, j] * f[k][j]", "w[k][j, i] * f[k][j]"),
        (page.forward_by_index, "b[k][i]", "b[k][i - 1]"),
        (page.links, "g_prime(h[k]) *", "g_prime(h[T]) *"),
        (page.links, "[s] * W[k][s, i]", "[s] * W[k][i, s]"),
        (page.links, 'w_si^{k}", W[k], jacobian', 'w_si^{k}", W[k].T, jacobian'),
    ],
)
def test_a_wrong_row_is_noticed(rows, right, wrong, monkeypatch):
    problem = page.random_problem([3, 3, 3, 3])
    if "fliplr" in wrong:
        right, wrong = right + "g_prime(h[t + 1]))", wrong + "g_prime(h[t + 1])))"
    assert not disagreements(page.all_rows(problem))
    monkeypatch.setattr(page, rows.__name__, mutated(rows, right, wrong))
    assert disagreements(page.all_rows(problem))


def test_answers():
    (alone, chained), length, total = answers(page)
    assert (alone, chained) == (10 * 9 // 2, 9)
    P_0 = {node: value for _, node, value in page.vector_form(page.random_problem([2, 3, 2]))}[
        "f_0"
    ]
    assert length == pytest.approx(np.hypot(*P_0), rel=1e-12)
    assert total == pytest.approx(0.2 - 0.5 + 0.4)
