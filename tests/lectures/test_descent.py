"""Paths against descents written out in NumPy, minima against equations, and what is claimed."""

import descent as page
import numpy as np
import pytest

from .comparison import answers


def by_hand(way, steps, walkers, seed):
    """The same descent, its gradient (w·x - d) x and its momentum written out."""
    X, d = page.samples(way.normalised)
    w = np.tile(page.START, (walkers, 1))
    velocity, found = np.zeros(w.shape), [w]
    for t, chosen in enumerate(page.picks(way, steps, walkers, seed)):
        gradient = np.zeros(w.shape)
        for walker, rows in enumerate(chosen):
            for i in rows:
                error = w[walker] @ X[i] - d[i]
                gradient[walker] += error * X[i] / len(rows)
        velocity = way.momentum * velocity + gradient + way.penalty * w
        w = w - way.alpha(t) * velocity
        found.append(w)
    return np.array(found)


@pytest.mark.parametrize("name", page.WAYS)
def test_every_path(name):
    way = page.WAYS[name]
    for walkers, seed in ((1, 0), (3, 5)):
        expected = by_hand(way, 20, walkers, seed)
        np.testing.assert_allclose(page.path(way, 20, walkers, seed), expected, rtol=1e-9)


def test_walkers_do_not_disturb_each_other():
    way = page.WAYS["constant α"]
    together = page.path(way, 10, 4, 2)
    alone = by_hand(way, 10, 4, 2)[:, 2]
    np.testing.assert_allclose(together[:, 2], alone, rtol=1e-9)


@pytest.mark.parametrize("name", page.WAYS)
def test_the_minimum_has_no_slope(name):
    way = page.WAYS[name]
    X, d = page.samples(way.normalised)
    w = page.minimum(way)
    slope = X.T @ (X @ w - d) / page.N + way.penalty * w
    np.testing.assert_allclose(slope, 0, atol=1e-14)


def test_each_way_changes_what_it_says():
    constant, decreasing, whole, momentum, penalty, normalised = page.WAYS.values()
    assert [decreasing.alpha(t) for t in (0, 50)] == [0.15, 0.075]
    assert (whole.batch, constant.batch) == (page.N, 1)
    assert whole._replace(momentum=0.8) == momentum
    assert whole._replace(penalty=0.3) == penalty
    assert whole._replace(normalised=True) == normalised


def test_what_the_table_of_ways_shows():
    apart = {
        name: page.distance(way, page.path(way, walkers=40, seed=1)[-1])
        for name, way in page.WAYS.items()
    }
    assert apart["decreasing α_t"] < 0.5 * apart["constant α"]
    assert apart["momentum 0.8"] < 0.1 * apart["all samples in each step"]
    assert apart["normalised features"] < 0.1 * apart["all samples in each step"]
    shrunk = page.minimum(page.WAYS["L2 penalty"])
    assert np.linalg.norm(shrunk) < np.linalg.norm(page.minimum(page.WAYS["constant α"]))


def test_the_sums_of_the_step_sizes():
    found = {name: page.sums(alpha, 1000) for name, (alpha, _) in page.SCHEDULES.items()}
    times = np.arange(1000)
    expected = [0.15 / (1 + times / 50), np.full(1000, 0.15), 0.15 * 0.8**times]
    for (total, squares), alphas in zip(found.values(), expected, strict=True):
        assert total == pytest.approx(sum(alphas))
        assert squares == pytest.approx(sum(alphas**2))
    assert found["α 0.8^t"][0] == pytest.approx(0.15 / (1 - 0.8))


def test_the_conditions_are_needed():
    kept, constant, geometric = (page.distances(name) for name in page.SCHEDULES)
    assert kept[1000] < 0.25 * kept[100]
    assert constant[500:].min() > 0.3
    assert geometric[1000] == pytest.approx(geometric[100], rel=1e-6)
    assert geometric[1000] > 1.5


def test_the_ends_are_minima_and_differ():
    ends = page.ends()
    np.testing.assert_array_equal(ends[0], page.STARTS)
    found = [page.judged(end) for end in ends[-1]]
    assert all(slope < 1e-5 and curvature > 0.03 for _, slope, curvature in found)
    costs = np.array([cost for cost, *_ in found])
    assert sum(costs < 1e-12) == 4
    assert sorted(set(np.round(costs[costs > 1e-12], 3))) == [0.207, 0.215]
    v, w = ends[-1][0]
    assert (v, w) == (pytest.approx(1), pytest.approx(2))


def test_the_bumpy_loss_and_its_slope():
    v, w, x = 0.7, 3.0, page.POINTS
    error = v * np.sin(w * x) - np.sin(2 * x)
    assert float(page.bumpy(v, w)) == pytest.approx(0.5 * np.mean(error**2))
    first = page.ends(steps=1, alpha=1.0)
    v, w = page.STARTS[0]
    error = v * np.sin(w * x) - np.sin(2 * x)
    slope = [np.mean(error * np.sin(w * x)), np.mean(error * v * x * np.cos(w * x))]
    np.testing.assert_allclose(first[1, 0], np.array([v, w]) - slope, rtol=1e-12)


def test_answers():
    largest, left, (before, after) = answers(page)
    X, _ = page.samples()
    least, most = np.linalg.eigvalsh(X.T @ X / page.N)
    assert largest == pytest.approx(2 / most)
    assert left == pytest.approx(np.prod(1 - 0.15 * 0.8 ** np.arange(200) * least))
    assert before == pytest.approx(most / least)
    assert 1 <= after < 1.5
    just_above = page.Way(lambda t: 1.02 * largest, batch=page.N)
    just_below = page.Way(lambda t: 0.98 * largest, batch=page.N)
    apart = [page.distance(w, page.path(w, 100)[-1]) for w in (just_above, just_below)]
    assert apart[0] > 10
    assert apart[1] < 1


def test_the_page_runs(monkeypatch, capsys, tmp_path):
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(page, "STEPS", 20)  # fewer frames; the ways keep their 150 steps
    monkeypatch.setattr("sys.argv", ["page", "--out", str(tmp_path), "--answers"])
    page.main()
    output = capsys.readouterr().out
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "descent.gif",
        "descent.png",
        "descent_conditions.png",
        "descent_minima.png",
    ]
    assert (tmp_path / "descent.gif").read_bytes().startswith(b"GIF89a")
    assert (
        f"{2 / np.linalg.eigvalsh(page.samples()[0].T @ page.samples()[0] / 60)[1]:.3f}" in output
    )
    assert len(output.splitlines()) < 75
