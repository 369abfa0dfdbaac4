"""Each variation changes one thing, trains, and does what the page says of it."""

from functools import partial

import numpy as np
import pytest
import variations as page

from .comparison import answers
from .test_programs import run


@pytest.mark.parametrize("name", page.VARIATIONS)
def test_every_variation_trains(name, monkeypatch):
    monkeypatch.setattr(page, "sgd", partial(page.sgd, limit=12))
    variation = page.VARIATIONS[name]
    changed = [a != b for a, b in zip(variation, page.Variation(), strict=True)]
    assert sum(changed) == (name != "as in the notes")
    costs, accuracy, length = page.train(variation)
    assert costs[-1] < 0.6 * costs[0]
    assert accuracy > 0.75
    assert length < 12


def test_answers():
    added, quieter, apart = answers(page)
    assert added == pytest.approx(1e-3 * 2.0)
    assert quieter == pytest.approx(np.sqrt(10), rel=0.05)
    assert apart == pytest.approx(100)


def test_the_page_runs(tmp_path):
    pytest.importorskip("matplotlib")
    output = run("variations", "--out", tmp_path / "seen", "--answers", folder=tmp_path)
    assert [path.name for path in (tmp_path / "seen").iterdir()] == ["variations.png"]
    assert len(output.splitlines()) < 75
    table = {name: table_row(name, output) for name in page.VARIATIONS}
    assert all(steps < 200 for steps, *_ in table.values())  # converged, not given up
    notes, normalised, regularised = (
        table[name] for name in ("as in the notes", "normalised features", "regularised")
    )
    assert normalised[1] < notes[1]  # sooner
    assert regularised[-1] < notes[-1] - 2  # smaller
    others = [row[2] for name, row in table.items() if name != "normalised features"]
    assert 2 * normalised[2] < min(others)  # which stop on a plateau


def table_row(name, output):
    line = next(line for line in output.splitlines() if line.startswith(f"  {name}"))
    return [float(cell) for cell in line[len(name) + 2 :].split()]
