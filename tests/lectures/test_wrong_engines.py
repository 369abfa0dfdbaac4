"""Every number of the four passes against the formulas of the 2-2-2 network, written out."""

import importlib.util
import math
from pathlib import Path

import numpy as np
import pytest
import wrong_engines as page

from .comparison import answers, mutated
from .test_programs import run

X1, X2, D1, D2 = 0.6, -0.4, 0.9, 0.2
W1, W2, W3, W4, W5, W6, W7, W8 = 0.5, -0.3, 0.8, 0.4, 1.2, -0.7, 0.6, 0.9


def sigma(z):
    return 1 / (1 + math.exp(-z))


H1, H2 = sigma(X1 * W1 + X2 * W2), sigma(X1 * W3 + X2 * W4)
Y1, Y2 = sigma(H1 * W5 + H2 * W6), sigma(H1 * W7 + H2 * W8)
DELTA1, DELTA2 = (Y1 - D1) * Y1 * (1 - Y1), (Y2 - D2) * Y2 * (1 - Y2)
ABOVE = {"w5": DELTA1 * H1, "w6": DELTA1 * H2, "w7": DELTA2 * H1, "w8": DELTA2 * H2}


def below(at_h1, at_h2):
    """What q1 and the first four weights get, when h1 and h2 pay this on."""
    q1, q2 = at_h1 * H1 * (1 - H1), at_h2 * H2 * (1 - H2)
    return {"q1": q1, "w1": q1 * X1, "w2": q1 * X2, "w3": q2 * X1, "w4": q2 * X2, **ABOVE}


SUM = DELTA1 * W5 + DELTA2 * W7
RIGHT = {"h1": SUM, **below(SUM, DELTA1 * W6 + DELTA2 * W8)}
HALF = below(DELTA1 * W5, DELTA1 * W6)
EXPECTED = {
    "overwriting": {"h1": DELTA1 * W5, **HALF},
    "eager": {"h1": SUM, **HALF},
    "naive": RIGHT,
    "real": RIGHT,
}


@pytest.mark.parametrize("engine", EXPECTED)
def test_what_each_pass_computes(engine):
    found, evaluations = page.engines()[engine]
    assert found == pytest.approx(EXPECTED[engine], rel=1e-12)
    assert page.by_hand()[engine] == pytest.approx(EXPECTED[engine], rel=1e-12)
    assert evaluations == (42 if engine == "naive" else 32)


def test_the_numbers_that_a_lecture_would_quote():
    assert round(HALF["w1"], 4) == -0.0135
    assert round(RIGHT["w1"], 4) == -0.0044


@pytest.mark.parametrize("layers", range(1, 9))
def test_how_both_grow(layers):
    assert page.counts(layers) == (12 * 2**layers - 6, 14 * layers + 4)


def test_a_wrong_formula_is_noticed():
    changed = mutated(page.by_hand, "paid[i, 1] + paid[i, 2]", "paid[i, 2]")
    assert changed()["real"]["w1"] != pytest.approx(RIGHT["w1"])


def test_answers():
    (overwritten, eager), (naive, real), alike = answers(page)
    assert overwritten == pytest.approx(DELTA1 * W5)
    assert eager == pytest.approx(SUM)
    assert (naive, real) == (12 * 2**20 - 6, 14 * 20 + 4)
    assert alike == 3


def test_the_page_runs(tmp_path):
    pytest.importorskip("matplotlib")
    output = run("wrong_engines", "--out", tmp_path / "seen", "--answers", folder=tmp_path)
    assert [path.name for path in (tmp_path / "seen").iterdir()] == ["wrong_engines.png"]
    assert f"{DELTA2 * W7:.4f} + ({DELTA1 * W5:.4f})" in output
    rows = {line.split()[0]: line.split() for line in output.splitlines() if line.strip()}
    for node, right in RIGHT.items():
        numbers = [float(cell) for cell in rows[node][1:] if cell != "wrong"]
        shown = [EXPECTED[engine][node] for engine in EXPECTED]
        np.testing.assert_allclose(numbers, [*shown, right], atol=5.1e-5)
        assert rows[node].count("wrong") == sum(abs(x - right) > 1e-9 for x in shown)


def test_what_the_readme_says_of_its_picture():
    """z = x p + sin p with p = x y at (2, 3): p is used twice, and lies below two paths."""
    root = Path(page.__file__).parents[2]
    spec = importlib.util.spec_from_file_location("shown", root / "examples" / "see_backprop.py")
    shown = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(shown)
    x, _, z = shown.expression()
    naive, eager, overwriting = (
        page.ENGINES[name](z) for name in ("naive", "eager", "overwriting")
    )
    assert (naive.evaluations, naive.true_evaluations) == (9, 7)
    right = 6 + (2 + math.cos(6)) * 3
    assert naive.gradients[x] == pytest.approx(right) == naive.true[x]
    assert eager.gradients[x] == 6 + 2 * 3
    assert overwriting.gradients[x] == 2 * 3
    told = " ".join((root / "README.md").read_text(encoding="utf-8").split())
    assert "9 local derivatives in place of 7" in told
    assert f"`x.grad` 12 in place of {right:.4f}" in told
    assert "would make it 6." in told
