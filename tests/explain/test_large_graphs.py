"""Graphs of very many nodes: in seconds, or with a bar, and Ctrl-C ends it."""

from __future__ import annotations

import random
import time

import numpy as np
import pytest

import tinygrad_bp as bp
from tinygrad_bp import explain
from tinygrad_bp.support import waiting


def chain(length):
    x = y = bp.Tensor(0.5, requires_grad=True, name="x")
    for _ in range(length):
        y = y * 1.0000001
    return x, y


def test_the_paths_of_a_graph_of_very_many_nodes_are_counted_in_seconds():
    x, y = chain(200_000)
    began = time.process_time()
    assert bp.count_paths(y, x) == 1
    assert time.process_time() - began < 10


@pytest.mark.parametrize("seed", range(5))
def test_counts_are_those_of_the_pass_over_the_semiring(seed):
    chosen = random.Random(seed)
    x = bp.Tensor(0.5, requires_grad=True)
    nodes = [x, bp.Tensor(1.5, requires_grad=True)]
    for _ in range(60):
        nodes.append(chosen.choice(nodes[-9:]) * chosen.choice(nodes))
    counts = explain.propagate(nodes[-1], explain.COUNTING)
    assert max(counts[node] for node in nodes) > 100
    for node in nodes:
        assert bp.count_paths(nodes[-1], node) == counts[node]


def test_what_is_no_tensor_has_no_paths():
    with pytest.raises(TypeError, match="a graph belongs to a Tensor, not to float"):
        bp.count_paths(1.0, bp.Tensor(1.0))


@pytest.mark.parametrize("use", [bp.trace, bp.draw, lambda y: bp.count_paths(y, y.inputs[0])])
def test_long_work_shows_a_bar(use, monkeypatch, capsys):
    _, y = chain(300)
    use(y)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(waiting, "LONG", 200)
    monkeypatch.setattr(waiting, "SECONDS", 0.0)
    use(y)
    assert "%" in capsys.readouterr().err


def test_work_that_is_ended_leaves_everything_as_it_was(monkeypatch):
    x, y = chain(300)
    expected = explain.trace(y).rows[-1].adjoint

    def interrupted(things, what):
        yield from things[: len(things) // 2]
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(explain.elements, "follow", interrupted)
        with pytest.raises(KeyboardInterrupt):
            bp.trace(y)
    assert bp.trace(y).rows[-1].adjoint == expected
    assert x.grad is None
    np.testing.assert_allclose(bp.gradients(y, [x])[0], expected, rtol=1e-12)
