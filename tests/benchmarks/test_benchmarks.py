"""The pieces of the benchmarks run, and refuse what is not the same; no time is judged."""

from __future__ import annotations

import json

import numpy as np
import pytest

from . import measuring, peers, report
from .compare import compare
from .moves import MOVES, of_a_move, of_scalars
from .tasks import NETWORKS, Task, scaled

TINY = [Task((3, 4, 3), 6, "float32", "cross-entropy"), Task((3, 4, 1), 6, "float64", "mse")]
QUICK = [name for name in peers.PEERS if name not in ("torch.compile", "JAX, jit", "ours, numba")]


@pytest.mark.parametrize("task", TINY, ids=str)
def test_all_peers_begin_alike_and_are_timed(task, capsys, tmp_path):
    makers = peers.chosen(QUICK)
    rows = compare(task, makers, seconds=0)
    assert list(rows) == list(makers)
    assert {peers.HAND, "ours, eager"} <= set(rows)
    assert rows[peers.HAND]["ratio"] == 1
    assert all(row["seconds"] > 0 for row in rows.values())
    assert all(name in report.table("title", rows) for name in rows)
    report.bars({str(task): rows}, tmp_path / "bars.svg")
    report.lines({"batch": {1: rows, 2: rows}}, tmp_path / "lines.svg")
    assert (tmp_path / "bars.svg").read_text().count("<svg") == 1
    json.dumps(report.environment())
    left_out = capsys.readouterr().out
    assert all(name in left_out for name in QUICK if name not in rows)


def test_a_peer_that_does_something_else_is_not_timed():
    class Faster(peers.ByHand):
        def step(self):
            return 0.9 * super().step()

    with pytest.raises(AssertionError, match="faster: first loss"):
        compare(TINY[0], {"by hand": peers.ByHand, "faster": Faster}, seconds=0)

    class Lazy(peers.ByHand):
        def step(self):
            self.weights, self.biases = TINY[0].weights()
            return super().step()

    with pytest.raises(AssertionError, match="lazy: first losses"):
        compare(TINY[0], {"by hand": peers.ByHand, "lazy": Lazy}, seconds=0, losses=30)


def test_an_unknown_peer_is_named():
    with pytest.raises(SystemExit, match="jaxx"):
        peers.chosen(["jaxx"])


def test_the_tasks_are_those_that_are_told():
    assert [task.sizes for task in NETWORKS[1:3]] == [(64, 32, 10), (784, 256, 128, 10)]
    ranges = {what: (min(tasks), max(tasks)) for what, tasks in scaled().items()}
    assert ranges == {"batch": (1, 4096), "depth": (1, 64), "width": (4, 2048)}


def test_a_process_of_its_own_tells_its_memory_and_not_that_of_this_one():
    here = np.ones(30_000_000)  # 240 MB
    found = measuring.memory(peers.HAND, 0)
    assert 5 < found["peak_mb"] < here.nbytes / 2**20
    assert 0 < found["beyond_import_mb"] < found["peak_mb"]


@pytest.mark.parametrize("name", MOVES)
def test_moves_have_autograd_s_gradients(name):
    pytest.importorskip("autograd")
    function, shape = MOVES[name]
    pair = of_a_move(function, shape)
    np.testing.assert_allclose(pair["ours"](), pair["autograd"](), rtol=1e-12)


def test_scalars_have_micrograd_s_gradients():
    pair = of_scalars(length=50)
    np.testing.assert_allclose(pair["ours"](), pair["micrograd"](), rtol=1e-9)
