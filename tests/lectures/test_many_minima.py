"""Different starts end in different minima, and they are minima."""

import math

import many_minima as page
import numpy as np
import pytest

from .comparison import answers


@pytest.fixture(scope="module")
def ends():
    return page.many_starts()


def test_different_starts_end_in_different_minima(ends):
    w, v, history = ends
    found = page.minima(w, v)
    assert len(found) >= 3
    assert max(found) > 1.5 * min(found)
    assert sum(count for count, *_ in found.values()) == len(w) == history.shape[1] == 12
    for _, slope, curvature, outputs in found.values():
        assert slope < 1e-6
        assert curvature > 1e-5
        assert outputs.shape == (4,)
    best = found[min(found)]
    assert ((best[3] > 0.5) == [False, True, True, False]).all()


def test_the_cost_includes_the_penalty():
    w, v = np.ones((2, 3)), 2 * np.ones((1, 2))
    bare = page.cost(page.XOR.T, page.XOR_D.T, [w, v])
    assert page.xor_cost(w, v) - bare == pytest.approx(0.5 * 3e-4 * (6 + 8), rel=1e-9)


def test_answers():
    undecided, (change, orders), (slope, least, most) = answers(page)
    assert undecided == 0.5 * 0.25
    assert change < 1e-15
    assert orders == math.factorial(8)
    assert (slope, least, most) == (0, pytest.approx(-1), pytest.approx(1))


def test_the_page_runs(ends, monkeypatch, capsys, tmp_path):
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(page, "many_starts", lambda: ends)
    monkeypatch.setattr("sys.argv", ["page", "--out", str(tmp_path), "--answers"])
    page.main()
    output = capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["many_minima.png"]
    assert "the penalty ½ λ Σ w², with λ = 0.0003" in output
    rows = [line.split() for line in output.splitlines()]
    counts = [int(row[0]) for row in rows if len(row) == 8 and row[0].isdigit()]
    assert sum(counts) == 12
    assert len(counts) >= 3
