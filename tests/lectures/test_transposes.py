"""Sums, Jacobians and batches of the page against the same numbers, worked out on paper."""

import numpy as np
import pytest
import transposes as page

from .comparison import answers, disagreements, mutated
from .test_programs import run

# z = (0.5 - 1, 1.5 + 0.5, 0 - 1), y = (-1.5, 0, 0)
DELTA = [1.0, 2.0, -1.0]
BY_A = [0.5 * 1 + 1.5 * 2 + 0, 1.0 * 1 - 0.5 * 2 - 1.0 * 1]
BY_W = [[1.0, -1.0], [2.0, -2.0], [-1.0, 1.0]]
# the second sample (2, 0.5): z = (1.5, 2.75, 0.5), y = (1, 2, 1)
DELTA_2 = [0.5, 0.75, -0.5]
BY_A_2 = [0.25 + 1.125, 0.5 - 0.375 - 0.5]
BY_W_2 = [[1.0, 0.25], [1.5, 0.375], [-1.0, -0.25]]


def by_formula(rows):
    return {formula.split(" = ")[0]: (hand, engine) for formula, hand, engine in rows}


def test_one_sample():
    rows = list(page.rows_of_one_sample())
    assert not disagreements(rows)
    found = by_formula(rows)
    assert [found[f"z_{s}"][1] for s in (1, 2, 3)] == [-0.5, 2.0, -1.0]
    assert found["δ"][1].tolist() == DELTA
    assert [found[f"∂J/∂a_{i}"][1] for i in (1, 2)] == BY_A
    assert found["∂J/∂a"][1].tolist() == BY_A
    assert found["∂J/∂W"][1].tolist() == BY_W


def test_jacobians():
    rows = list(page.rows_of_jacobians())
    assert not disagreements(rows)
    h = np.array([0.5 * 0.6 - 0.4, 1.5 * 0.6 + 0.2, -0.4])
    slope = 1 / np.cosh(h) ** 2
    expected = slope[:, np.newaxis] * [[0.5, 1.0], [1.5, -0.5], [0.0, 1.0]]
    np.testing.assert_allclose(rows[2][2], expected, rtol=1e-14)
    np.testing.assert_allclose(rows[3][2], expected.T @ [1.0, 2.0, -1.0], rtol=1e-14)


def test_the_batch():
    rows = list(page.rows_of_the_batch())
    assert not disagreements(rows)
    delta, by_A, by_W, by_b = page.batch()
    np.testing.assert_array_equal(delta, [DELTA, DELTA_2])
    np.testing.assert_array_equal(by_A, [BY_A, BY_A_2])
    np.testing.assert_array_equal(by_W, np.add(BY_W, BY_W_2))
    np.testing.assert_array_equal(by_b, np.add(DELTA, DELTA_2))


@pytest.mark.parametrize(
    ("rows", "right", "wrong"),
    [
        (page.rows_of_one_sample, "W[s, i] * delta[s]", "W[s, 1 - i] * delta[s]"),
        (page.rows_of_one_sample, "delta[s] * a[i]", "delta[s] * a[i - 1]"),
        (page.rows_of_jacobians, "slope[s] * W[s, i]", "slope[i] * W[s, i]"),
        (page.rows_of_jacobians, "W.T @ np.diag(slope) @ P", "W.T @ P"),
        (page.rows_of_the_batch, "delta[0] + delta[1]", "delta[1]"),
        (page.rows_of_the_batch, "delta.T @ A, by_W", "delta.T @ A[::-1], by_W"),
    ],
)
def test_a_wrong_index_is_noticed(rows, right, wrong):
    assert disagreements(mutated(rows, right, wrong)())


def test_answers():
    pulled, bias, ranks = answers(page)
    assert pulled.tolist() == BY_A
    assert bias == sum(DELTA) + sum(DELTA_2)
    assert ranks == (1, 2)


def test_the_page_runs(tmp_path):
    pytest.importorskip("matplotlib")
    output = run("transposes", "--out", tmp_path / "seen", "--answers", folder=tmp_path)
    assert [path.name for path in (tmp_path / "seen").iterdir()] == ["transposes.png"]
    assert "0.5·1 + 1.5·2 + 0·(-1)" in output
    assert "2.75, the sum of all six entries" in output
    assert len(output.splitlines()) < 75
