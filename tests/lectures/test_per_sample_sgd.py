"""δ and γ against the graph, the trap of v^{t+1}, and descent one random sample at a time."""

import numpy as np
import per_sample_sgd as page
import pytest
from adjoints import adjoints, compare
from functions import ACTIVATIONS, LOSSES
from hypothesis import given
from hypothesis import strategies as st
from side_by_side import difference

from .comparison import answers, disagreements, drawn, mutated
from .test_programs import run

width, seeds = st.integers(1, 6), st.integers(0, 10_000)
one_layer = st.builds(page.random_problem, st.tuples(width, width, width), seed=seeds)
any_depth = st.builds(
    page.random_problem,
    st.lists(width, min_size=2, max_size=7),
    g=st.sampled_from(sorted(ACTIVATIONS)),
    loss=st.sampled_from(sorted(LOSSES)),
    seed=seeds,
)


def all_rows(problem):
    f = page.network(problem)
    return [*compare(f, page.by_indices(problem)), *compare_layers(problem)]


def compare_layers(problem):
    return compare(page.network(problem), page.by_layers(problem))


@drawn
@given(one_layer)
def test_the_notes_recurrence_is_what_the_engine_finds(problem):
    assert not disagreements(all_rows(problem))


@drawn
@given(any_depth)
def test_variations_follow_the_same_pattern(problem):
    assert not disagreements(compare_layers(problem))
    nodes = {node for _, node, _ in page.by_layers(problem)}
    named = {name for names in page.names(problem.weights) for name in names[:2]}
    assert nodes == named
    assert named < adjoints(page.network(problem)).keys()


@drawn
@given(one_layer, st.integers(1, 5))
def test_a_batch_has_the_mean_of_the_gradients(problem, samples):
    random = np.random.default_rng(samples)
    x = random.normal(size=(len(problem.x), samples))
    d = random.uniform(size=(len(problem.d), samples))
    apart = [page.gradients_by_hand(*pair, problem.weights) for pair in zip(x.T, d.T, strict=True)]
    together = page.gradients_by_engine(x, d, problem.weights)
    for mean, found in zip(
        (sum(g) / samples for g in zip(*apart, strict=True)), together, strict=True
    ):
        np.testing.assert_allclose(mean, found, rtol=1e-10, atol=1e-15)


def test_the_penalty_adds_the_weights_themselves():
    x, d, weights, *_ = page.random_problem([2, 3, 1])
    bare, with_penalty = (
        page.gradients_by_engine(x, d, weights, penalty=penalty) for penalty in (0.0, 0.1)
    )
    for W, G, penalised in zip(weights, bare, with_penalty, strict=True):
        np.testing.assert_allclose(penalised, G + 0.1 * W, rtol=1e-12)


WRONG = [
    (page.forward, "w[n, k] * x[k]", "w[n, k] * x[k - 1]"),
    (page.forward, "v[q, n] * h[n]", "v[n, q] * h[n]"),
    (page.output_error, "(1 - d_hat[q])", "(1 - d_hat[q - 1])"),
    (page.output_error, "(d_hat[q] - d[q])", "(d_hat[q] - d[q - 1])"),
    (page.hidden_error, "delta[q] * v[q, n]", "delta[q] * v[n, q]"),
    (page.hidden_error, "delta[q] * v[q, n]", "delta[n] * v[q, n]"),
    (page.hidden_error, "* h[n] *", "* h[n - 1] *"),
    (page.times_input, "error[n] * inputs[k]", "error[k] * inputs[n]"),
    (page.times_input, "error[n] * inputs[k]", "error[n] * inputs[k - 1]"),
    (page.by_indices, "times_input(delta, h)", "times_input(delta, x)"),
    (page.by_indices, "times_input(gamma, x)", "times_input(gamma, h)"),
    (page.by_indices, "hidden_error(delta, v, h)", "hidden_error(delta, w, h)"),
    (
        page.by_indices,
        "hidden_error(delta, v, h)",
        "hidden_error(delta, v - 1e-6 * times_input(delta, h), h)",  # v^{t+1}
    ),
    (page.by_layers, "weights[layer].T @", "weights[layer] @"),
    (page.by_layers, "weights[layer].T @", "weights[layer - 1].T @"),
    (page.by_layers, "g_prime(s[layer - 1])", "g_prime(s[layer])"),
    (page.by_layers, "np.outer(error, h[layer])", "np.outer(error, h[layer + 1])"),
    (page.by_layers, "sigma_prime(s[-1])", "sigma_prime(s[-2])"),
]


@pytest.mark.parametrize(("function", "right", "wrong"), WRONG)
def test_a_recurrence_with_one_wrong_index_is_noticed(function, right, wrong, monkeypatch):
    """On equal widths, where no shape gives it away."""
    problem = page.random_problem([3, 3, 3])
    assert not disagreements(all_rows(problem))
    monkeypatch.setattr(page, function.__name__, mutated(function, right, wrong))
    assert disagreements(all_rows(problem))


@drawn
@given(one_layer)
def test_only_the_old_v_gives_the_gradient(problem):
    moved = page.finite_differences(problem)
    np.testing.assert_allclose(page.with_v(problem), moved, rtol=1e-6, atol=1e-9)
    engine = page.gradients_by_engine(*problem[:3])[0]
    assert difference(page.with_v(problem), engine) <= 1e-12
    assert difference(page.with_v(problem, alpha=1.0), engine) > 1e-6


def test_the_trap_is_wrong_in_proportion_to_the_step():
    problem = page.random_problem([2, 2, 2], seed=3)
    exact = page.with_v(problem)
    wrong = [page.with_v(problem, alpha) - exact for alpha in (1.0, 0.1)]
    np.testing.assert_allclose(wrong[0], 10 * wrong[1], rtol=1e-9)
    assert abs(wrong[0]).max() > 1e5 * abs(page.finite_differences(problem) - exact).max()


def test_descent_by_hand_and_by_the_engine_is_the_same():
    X, D, *_ = page.moons()
    start = page.random_weights((3, 4, 1), np.random.default_rng(0))
    (by_hand, costs), (engine, engine_costs) = (
        page.sgd(X[:30], D[:30], start, gradients, limit=8, seed=5)
        for gradients in (page.gradients_by_hand, page.gradients_by_engine)
    )
    for ours, theirs in zip(by_hand, engine, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9)
    np.testing.assert_allclose(costs, engine_costs, rtol=1e-9)
    assert len(costs) == 9


def test_samples_are_random_and_steps_shrink():
    """Gradients that only tell what was asked of them show the order and the step sizes."""
    X, D = np.arange(20.0)[:, np.newaxis], np.zeros((20, 1))
    seen = []

    def spy(x, d, weights):
        seen.append((x[0], weights[0][0, 0]))
        return [np.ones((1, 1)), np.zeros((1, 1))]

    with np.errstate(over="ignore"):
        page.sgd(X, D, [np.zeros((1, 1)), np.ones((1, 1))], spy, limit=5, seed=1)
    picked, positions = np.array(seen).T
    assert set(picked) <= set(X[:, 0])
    assert len(set(picked)) > 15
    assert list(picked[:20]) != sorted(picked[:20])
    np.testing.assert_allclose(-np.diff(positions), 2 / (1 + np.arange(len(seen) - 1) / 400))


def test_the_stopping_rule():
    assert not page.converged([1.0])
    assert not page.converged([1.0] * 10)
    assert not page.converged([2.0] * 10 + [1.0] * 10)
    assert page.converged([9.0, *[0.1, 0.2] * 5, *[0.2, 0.1] * 5])
    assert not page.converged([0.2] * 10 + [0.198] * 10)


def test_every_factor_and_step():
    problem = page.random_problem([2, 3, 2], seed=1)
    rows = [*page.rows_of_factors(problem), *page.rows_of_a_step(problem)]
    assert len(rows) == 9
    assert not disagreements([*rows, *page.rows_forward(problem)])
    found = {formula.split(" = ")[0]: hand for formula, hand, _ in page.rows_of_factors(problem)}
    x, d, (w, v), *_ = problem
    h = 1 / (1 + np.exp(-(w @ x)))
    d_hat = 1 / (1 + np.exp(-(v @ h)))
    slope = d_hat * (1 - d_hat)
    np.testing.assert_allclose(found["∂f/∂d̂_q"], d_hat - d, rtol=1e-12)
    np.testing.assert_allclose(found["∂d̂_q/∂h_n"], slope[:, np.newaxis] * v, rtol=1e-12)
    np.testing.assert_allclose(found["∂h_n/∂w_nk"], np.outer(h * (1 - h), x), rtol=1e-12)
    delta = (d_hat - d) * slope
    gamma = (v.T @ delta) * h * (1 - h)
    np.testing.assert_allclose(found["∂f/∂v_qn"], np.outer(delta, h), rtol=1e-12)
    np.testing.assert_allclose(found["∂f/∂w_nk"], np.outer(gamma, x), rtol=1e-12)
    (_, new_v, _), (_, new_w, _) = page.rows_of_a_step(problem, alpha=0.3)
    np.testing.assert_allclose(new_v, v - 0.3 * np.outer(delta, h), rtol=1e-12)
    np.testing.assert_allclose(new_w, w - 0.3 * np.outer(gamma, x), rtol=1e-12)


def test_the_slope_of_a_sigmoid_two_ways():
    first, second = list(page.rows_of_factors(page.random_problem([2, 2, 2])))[:2]
    expected = np.exp(-0.7) / (1 + np.exp(-0.7)) ** 2
    np.testing.assert_allclose([first[1], first[2], second[1], second[2]], expected, rtol=1e-14)


@pytest.mark.parametrize(
    ("rows", "right", "wrong"),
    [
        (page.rows_of_factors, "slopes[q] * v[q, n]", "slopes[q] * v[n, q]"),
        (page.rows_of_factors, "to_u[q] * h[n]", "to_u[n] * h[n]"),
        (page.rows_forward, "0.5 * sum", "sum"),
        (page.rows_of_factors, "(1 - h[n]) * x[k]", "(1 - h[n]) * x[k - 1]"),
        (page.rows_of_factors, "by_h[q, n] * by_w[n, k]", "by_h[n, q] * by_w[n, k]"),
        (page.rows_of_a_step, "W - alpha *", "W + alpha *"),
        (page.rows_of_a_step, "(gamma, x), (delta, h)", "(gamma, x), (delta, x)"),
    ],
)
def test_a_wrong_factor_is_noticed(rows, right, wrong):
    problem = page.random_problem([3, 3, 3])
    assert disagreements(mutated(rows, right, wrong)(problem))


def test_answers():
    errors, (large, small), step = answers(page)
    assert errors == 8 + 1
    assert large == pytest.approx(100 * small, rel=1e-6)
    assert step == pytest.approx(0.999 * 0.999 * 0.001)


def test_the_page_runs(tmp_path):
    output = run("per_sample_sgd", "--out", tmp_path / "seen", "--answers", folder=tmp_path)
    assert sorted(path.name for path in (tmp_path / "seen").iterdir()) == [
        "per_sample_sgd.svg",
        "per_sample_sgd_backward.svg",
    ]
    assert len(output.splitlines()) < 75
    assert "d_hat" not in output
