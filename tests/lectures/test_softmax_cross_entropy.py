"""The softmax's Jacobian, p - y and the overflow, against formulas written with `math`."""

import math

import numpy as np
import pytest
import softmax_cross_entropy as page
from adjoints import adjoints
from hypothesis import given
from hypothesis import strategies as st

from .comparison import answers, disagreements, drawn, mutated
from .test_programs import run

E = [math.exp(2), math.exp(1), math.exp(-1)]
P = [e / sum(E) for e in E]
P_MINUS_Y = [P[0], P[1] - 1, P[2]]


def test_every_row():
    rows = [*page.rows(), *page.batch_rows(), *page.sigmoid_rows()]
    assert not disagreements(rows)
    p, loss, jacobian, by_p, chained, short = (row[2] for row in page.rows())
    np.testing.assert_allclose(p, P, rtol=1e-14)
    assert float(loss) == pytest.approx(-math.log(P[1]), rel=1e-14)
    expected = [[P[i] * ((i == j) - P[j]) for j in range(3)] for i in range(3)]
    np.testing.assert_allclose(jacobian, expected, rtol=1e-13)
    np.testing.assert_allclose(by_p, [0, -1 / P[1], 0], rtol=1e-14)
    np.testing.assert_allclose(chained, P_MINUS_Y, rtol=1e-13)
    np.testing.assert_allclose(short, P_MINUS_Y, rtol=1e-13)


def test_the_sigmoid_keeps_its_slope_only_with_the_square():
    (_, logistic, _), (_, square, _) = page.sigmoid_rows()
    y = 1 / (1 + math.exp(4))
    assert logistic == pytest.approx(y - 1)
    assert square == pytest.approx((y - 1) * y * (1 - y))


@drawn
@given(st.lists(st.floats(-5, 5), min_size=2, max_size=6))
def test_the_jacobian_for_any_z(z):
    z = np.array(z)
    p = np.exp(z) / np.sum(np.exp(z))
    np.testing.assert_allclose(
        page.jacobian_by_hand(z), np.diag(p) - np.outer(p, p), rtol=1e-12, atol=1e-15
    )


def test_the_graph_has_the_adjoints_of_the_formulas():
    found = adjoints(page.network())
    assert {"z", "p", "L"} <= found.keys()
    np.testing.assert_allclose(found["z"], P_MINUS_Y, rtol=1e-13)


def test_where_the_naive_version_ends():
    rows = {z: numbers for z, *numbers in page.overflow()}
    for largest in (1, 700):
        naive, slope, stable, stable_slope = rows[largest, 0, 0]
        assert naive == pytest.approx(stable, rel=1e-12)
        assert slope == pytest.approx(stable_slope, rel=1e-12)
    assert rows[1, 0, 0][2] == pytest.approx(math.log(math.e + 2))
    for largest in (710, 1000):
        naive, slope, stable, stable_slope = rows[largest, 0, 0]
        assert math.isnan(naive)
        assert math.isnan(slope)
        assert (stable, stable_slope) == (largest, 1.0)
    naive, slope, stable, stable_slope = rows[0, -800, 0]
    assert naive == math.inf
    assert math.isnan(slope)
    assert (stable, stable_slope) == (pytest.approx(800 + math.log(2)), 0.5)


def test_a_wrong_jacobian_is_noticed(monkeypatch):
    for right, wrong in [("(i == j) - p[j]", "1 - p[j]"), ("p[i] *", "p[j - 1] *")]:
        monkeypatch.setattr(page, "jacobian_by_hand", mutated(page.jacobian_by_hand, right, wrong))
        assert disagreements(page.rows())
        monkeypatch.undo()


def test_answers():
    total, first, curvatures = answers(page)
    assert total < 1e-15
    assert first == pytest.approx(math.log(10))
    expected = np.linalg.eigvalsh(np.diag(P) - np.outer(P, P))
    np.testing.assert_allclose(curvatures, expected, atol=1e-11)
    assert curvatures[0] == 0


def test_the_page_runs(tmp_path):
    pytest.importorskip("matplotlib")
    output = run("softmax_cross_entropy", "--out", tmp_path / "seen", "--answers", folder=tmp_path)
    assert sorted(path.name for path in (tmp_path / "seen").iterdir()) == [
        "softmax_cross_entropy.svg",
        "softmax_cross_entropy_backward.svg",
        "softmax_cross_entropy_slopes.png",
    ]
    assert "2.3026" in output
    assert "-0.0000" not in output
    assert len(output.splitlines()) < 75
