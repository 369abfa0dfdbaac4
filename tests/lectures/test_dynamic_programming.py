"""The four ways against each other, the counts against formulas, the semirings against walks."""

import math

import dynamic_programming as page
import numpy as np
import pytest
from adjoints import compare
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_bp as bp

from .comparison import answers, disagreements, drawn, mutated
from .test_programs import run

# A graph of numbers, each step on two of those before; and its local derivatives written out.
STEPS = {
    "add": (lambda a, b: a + b, lambda out, a, b: (1.0, 1.0)),
    "multiply": (lambda a, b: a * b, lambda out, a, b: (b, a)),
    "subtract": (lambda a, b: a - b, lambda out, a, b: (1.0, -1.0)),
    "sin": (lambda a, b: np.sin(a), lambda out, a: (math.cos(a),)),
    "tanh": (lambda a, b: np.tanh(a), lambda out, a: (1 - out * out,)),
}
step = st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 20), st.integers(0, 20))


@st.composite
def graphs(draw):
    start = bp.Tensor(draw(st.floats(-2, 2)), requires_grad=True)
    nodes = [start]
    for name, i, j in draw(st.lists(step, min_size=1, max_size=10)):
        nodes.append(STEPS[name][0](nodes[-1 - i % len(nodes)], nodes[-1 - j % len(nodes)]))
    if nodes[-1].is_leaf or not leads_to(nodes[-1], start):
        nodes.append(start * 1.5)
    return start, nodes[-1]


def leads_to(node, start):
    return node is start or any(leads_to(node.inputs[i], start) for i in node.edges)


def walks(node, start):
    """Every path down to the start, as its local derivatives: plain recursion."""
    if node is start:
        return [[]]
    local = STEPS[node.rule.name][1](*map(float, node.arguments))
    return [
        [local[position], *rest]
        for position in node.edges
        for rest in walks(node.inputs[position], start)
    ]


@drawn
@given(graphs())
def test_three_ways_agree_and_are_right(graph):
    start, output = graph
    products = [math.prod(walk) for walk in walks(output, start)]
    found = page.four_ways(start, output)
    scale = sum(map(abs, products))
    for way in ("every path", "recursion that forgets", "the real pass"):
        assert abs(found[way][0] - math.fsum(products)) <= 1e-12 * scale
    assert found["the real pass"][1] == found["no waiting"][1]
    assert found["the real pass"][1] <= found["recursion that forgets"][1]


@drawn
@given(graphs())
def test_semirings_are_what_all_walks_say(graph):
    start, output = graph
    every = walks(output, start)
    found = {name: values[start] for name, values in page.other_semirings(output).items()}
    assert found["paths"] == len(every)
    assert found["longest"] == max(map(len, every))
    assert found["shortest"] == min(map(len, every))
    strengths = [abs(math.prod(walk)) for walk in every]
    assert math.isclose(found["strongest path"].strength, max(strengths), rel_tol=1e-12)
    assert abs(found["gradient"] - math.fsum(map(math.prod, every))) <= 1e-12 * sum(strengths)


@pytest.mark.parametrize("depth", range(1, 11))
def test_counts_on_the_doublings(depth):
    start, output = page.doublings(depth)
    found = page.four_ways(start, output)
    assert bp.count_paths(output, start) == 2**depth
    assert [count for _, count in found.values()] == [
        depth * 2**depth,
        2 ** (depth + 1) - 2,
        2 * depth,
        2 * depth,
    ]
    gradients = [gradient for gradient, _ in found.values()]
    assert gradients == [2**depth, 2**depth, 2, 2**depth]


def test_the_real_pass_calls_each_rule_once(monkeypatch):
    """The counts of the page against calls that are really made."""
    start, output = page.ladder(5)
    rules = {node.rule for node in nodes_of(output) if node.rule}
    calls = []

    def counted(derivative):
        def call(*arguments, **parameters):
            calls.append(derivative)
            return derivative(*arguments, **parameters)

        return call

    for rule in rules:
        monkeypatch.setattr(rule, "derivatives", [counted(d) for d in rule.derivatives])
    bp.gradients(output, [start])
    assert len(calls) == page.evaluations(output) == 15


def nodes_of(output):
    return [node.tensor for node in bp.explain.view(output).visited()]


def test_no_waiting_is_wrong_on_two_doublings():
    start, output = page.doublings(2)
    found = page.four_ways(start, output)
    assert found["no waiting"][0] == 2
    assert found["the real pass"][0] == 4


@drawn
@given(st.integers(1, 12), st.floats(0.1, 3))
def test_the_pass_by_hand_is_what_the_engine_finds(depth, at):
    _, output = page.ladder(depth, at)
    rows = list(page.by_hand(depth, at))
    assert len({node for _, node, _ in rows}) == len(rows) == 2 * depth + 1
    for _, by_hand, engine in compare(output, rows):
        assert math.isclose(by_hand, engine, rel_tol=1e-11, abs_tol=1e-12)


WRONG = [
    ("by_x[k] * x[k - 1]", "by_x[k] * x[k]"),
    ("by_x[k] * x[k - 1]", "by_x[k - 1] * x[k - 1]"),
    ("by_x[k] * s[k]", "by_x[k] * s[k - 1 or 1]"),
    ("by_s[k] * math.cos(x[k - 1])", "by_s[k] * math.cos(x[k])"),
    ("by_s[k] * math.cos(x[k - 1])", "by_s[k - 1] * math.cos(x[k - 1])"),
    ("= by_x[k] * s[k] + by_s", "= by_s"),  # does not wait for both
    ("s.append(math.sin(x[k - 1]))", "s.append(math.sin(x[0]))"),
]


@pytest.mark.parametrize(("right", "wrong"), WRONG)
def test_a_pass_with_one_wrong_index_is_noticed(right, wrong):
    _, output = page.ladder(3)
    assert not disagreements(compare(output, page.by_hand(3)))
    assert disagreements(compare(output, mutated(page.by_hand, right, wrong)(3)))


def test_the_page_runs(tmp_path):
    pytest.importorskip("matplotlib")
    output = run("dynamic_programming", "--out", tmp_path / "seen", "--answers", folder=tmp_path)
    assert sorted(path.name for path in (tmp_path / "seen").iterdir()) == [
        "dynamic_programming.svg",
        "dynamic_programming_backward.svg",
        "dynamic_programming_counts.png",
    ]
    lines = output.splitlines()
    assert len(lines) < 85
    assert f"{2**60:,} paths" in output
    assert "120 evaluations" in output


def test_what_the_picture_shows():
    start, output = page.ladder(4)
    assert bp.count_paths(output, start) == 16
    assert page.evaluations(output) == 12
    graph = bp.explain.view(output)
    assert [len(graph[f"x{k}"].terms) for k in range(4)] == [2, 2, 2, 2]
    assert len(graph["x3"].pays) == 2


def test_answers():
    (paths, edges), (naive, real), longest = answers(page)
    assert (paths, edges) == (2**10, 3 * 10)
    assert naive == real == 8 + 2 * 7 + 1
    assert longest == 2 * 4


def test_without_matplotlib_the_page_says_what_to_install(tmp_path):
    output = run("dynamic_programming", folder=tmp_path, blocked="matplotlib matplotlib.pyplot")
    assert 'pip install "tinygrad_bp[examples]"' in output
