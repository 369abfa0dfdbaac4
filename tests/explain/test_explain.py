"""The tables of the backward pass against `backward` itself, and against walks over all paths."""

import math
import subprocess
import sys
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_bp as bp
from tinygrad_bp import explain
from tinygrad_bp.engine.registry import RULES, Each
from tinygrad_bp.explain.names import formula
from tinygrad_bp.explain.notation import levels


def scalar(value, name=None):
    return bp.Tensor(value, requires_grad=True, name=name)


def example():
    """The graph of the README and of the pictures: x, y, p, s, z."""
    x, y = scalar(2.0, "x"), scalar(3.0, "y")
    p, s = x * y, np.sin(x)
    z = p + s
    p.name, s.name, z.name = "p", "s", "z"
    return x, y, p, s, z


# An expression graph is drawn as a list of operations, each on any two of the nodes before.
OPERATIONS = {
    "add": lambda a, b: a + b,
    "multiply": lambda a, b: a * b,
    "subtract": lambda a, b: a - b,
    "sin": lambda a, b: np.sin(a),
    "tanh": lambda a, b: np.tanh(a),
    "scale": lambda a, b: a * -1.5,
    "shift": lambda a, b: 0.25 + a,
}
LOCALS = {  # written out again, to check what the edges say
    "add": lambda out, x, y: (1.0, 1.0),
    "multiply": lambda out, x, y: (y, x),
    "subtract": lambda out, x, y: (1.0, -1.0),
    "sin": lambda out, x: (math.cos(x),),
    "tanh": lambda out, x: (1 - out * out,),
}
steps = st.tuples(st.sampled_from(sorted(OPERATIONS)), st.integers(0, 50), st.integers(0, 50))
recipes = st.lists(steps, min_size=1, max_size=11)


def grown(recipe):
    """The leaves and the last node of an expression graph."""
    leaves = [scalar(0.7), scalar(-1.3)]
    nodes = list(leaves)
    for name, i, j in recipe:
        nodes.append(OPERATIONS[name](nodes[-1 - i % len(nodes)], nodes[-1 - j % len(nodes)]))
    return leaves, nodes[-1]


def every_path(node, end):
    """Every path from a node down to another, as its local derivatives: plain recursion."""
    if node is end:
        return [[]]
    found = []
    for position in node.edges:
        local = LOCALS[node.rule.name](*map(float, node.arguments))[position]
        found += [[local, *rest] for rest in every_path(node.inputs[position], end)]
    return found


def nodes_of(output):
    found = [output]
    for node in found:
        new = [node.inputs[position] for position in node.edges]
        found += [x for i, x in enumerate(new) if all(x is not y for y in [*found, *new[:i]])]
    return found


class TestTrace:
    @given(recipes)
    @settings(max_examples=60, deadline=None)
    def test_adjoints_are_the_gradients(self, recipe):
        _, output = grown(recipe)
        graph = bp.trace(output).graph
        assert all(node.tensor._grad is None for node in graph.visited())
        output.backward(keep_grads=True)
        assert len(list(graph.visited())) == len(nodes_of(output))
        for node in graph.visited():
            assert node.adjoint == node.tensor.grad
            assert node.value == node.tensor.item()

    @given(recipes)
    @settings(max_examples=60, deadline=None)
    def test_terms_sum_to_the_adjoint(self, recipe):
        _, output = grown(recipe)
        graph = bp.trace(output).graph
        for node in graph.visited():
            terms = [graph.edges[step].term for step in node.terms]
            assert math.isclose(math.fsum(terms), node.adjoint, rel_tol=1e-9, abs_tol=1e-12)
        for edge in graph.edges[1:]:
            node, position = edge.consumer.tensor, edge.position
            local = LOCALS[node.rule.name](*map(float, node.arguments))[position]
            assert math.isclose(edge.local, local, rel_tol=1e-12)
            assert math.isclose(edge.term, edge.consumer.adjoint * local, rel_tol=1e-12)

    @given(recipes)
    @settings(max_examples=60, deadline=None)
    def test_steps_are_those_of_the_real_pass(self, recipe):
        _, output = grown(recipe)
        graph = explain.view(output)
        assert [edge.step for edge in graph.edges] == list(range(len(graph.edges)))
        taken = []
        for node in graph.visited():
            if not node.tensor.is_leaf:
                node.tensor.rule = spy(node.tensor, taken)
        output.backward()
        assert taken == [(edge.consumer.tensor, edge.position) for edge in graph.edges[1:]]
        assert [node.number for node in graph.nodes] == list(range(len(graph.nodes)))

    @given(recipes)
    @settings(max_examples=60, deadline=None)
    def test_a_node_pays_exactly_when_nobody_has_still_to_pay_it(self, recipe):
        _, output = grown(recipe)
        rows = bp.trace(output).rows
        payments = [row for row in rows if row.step is not None]
        for i, row in enumerate(payments):
            later = sum(other.to == row.to for other in payments[i + 1 :])
            assert row.remaining == later
            first = next((k for k, other in enumerate(payments) if other.node == row.to), None)
            assert first is None or i < first
        assert [row.remaining for row in rows[len(payments) :]] == [0] * (len(rows) - len(payments))

    def test_golden(self):
        *_, z = example()
        assert str(bp.trace(z)) == GOLDEN

    def test_it_grows_step_by_step(self):
        *_, z = example()
        whole = bp.trace(z)
        tables = list(whole.steps())
        assert len(tables) == 6
        assert str(tables[-1]) == str(whole)
        for k, table in enumerate(tables):
            assert [row.step for row in table.rows if row.step is not None] == list(range(k + 1))
        waiting = {row.node: row for row in tables[3].rows if row.step is None}
        assert waiting["x"].adjoint == math.cos(2.0)
        assert waiting["x"].remaining == 1
        assert waiting["p"].adjoint == 1
        assert set(waiting) == {"p", "x"}

    def test_values_are_those_that_were_used(self):
        x, _, _, _, z = example()
        x.data = 100.0
        graph = bp.trace(z).graph
        assert graph["x"].value == 2.0
        assert graph["y"].adjoint == 2.0

    def test_arrays_are_shown_by_shape_norm_and_formula(self):
        W, b = scalar(np.full((2, 6), 0.5), "W"), scalar(np.zeros(6), "b")
        X = np.arange(8.0).reshape(4, 2)
        h = np.tanh(X @ W + b)
        h.name = "h"
        loss = (h * h + h).sum()
        text, graph = str(bp.trace(loss)), bp.trace(loss).graph
        assert "c1ᵀ @ v1.grad" in text
        assert "h.grad × (1 - h²)" in text
        assert "(2, 6) |1.73|" in text
        assert f"|{np.linalg.norm(graph['W'].adjoint):#.3g}|" in text
        loss.backward()
        np.testing.assert_array_equal(graph["W"].adjoint, W.grad)
        np.testing.assert_array_equal(graph["b"].adjoint, b.grad)
        np.testing.assert_allclose(
            graph["h"].adjoint, sum(graph.edges[k].term for k in graph["h"].terms)
        )
        assert [node.name for node in graph.nodes if node.kind == "constant"] == ["c1"]
        assert all(edge.local is None for edge in graph.edges)

    def test_a_seed(self):
        x = scalar([1.0, 2.0], "x")
        graph = bp.trace(x * x, seed=[1.0, 10.0]).graph
        np.testing.assert_array_equal(graph["x"].adjoint, [2.0, 40.0])

    def test_many_terms_and_many_rows_are_abridged(self):
        x = scalar(1.0, "x")
        total = x
        for _ in range(99):
            total = total + x
        text = str(bp.trace(total))
        assert len(text.splitlines()) == 3 + 60 + 1 + 2
        assert "step 2 + step 4 + step 6 + 97 more" in text
        assert f"... {199 + 1 - 60:,} rows in between are not shown" in text
        assert len(bp.trace(total).rows) == 200

    @pytest.mark.parametrize(
        ("output", "error", "message"),
        [
            (2.0, TypeError, "belongs to a Tensor, not to float"),
            (bp.Tensor(2.0, name="k"), RuntimeError, "'k'.* does not depend on a Tensor that req"),
            (scalar([1.0, 2.0], "v") * 2, ValueError, "2 elements"),
        ],
    )
    def test_errors(self, output, error, message):
        with pytest.raises(error, match=message):
            bp.trace(output)


GOLDEN = """\
Backward pass from z: 5 nodes, each of 5 local derivatives evaluated once

step  node        value  adjoint  upstream × local    local     term  adds to  waits for
   0                              seed                        1.0000  z                0
   1  z = p + s  6.9093   1.0000  z.grad × 1         1.0000   1.0000  p                0
   2                              z.grad × 1         1.0000   1.0000  s                0
   3  s = sin x  0.9093   1.0000  s.grad × cos x    -0.4161  -0.4161  x                1
   4  p = x × y  6.0000   1.0000  p.grad × y         3.0000   3.0000  x                0
   5                              p.grad × x         2.0000   2.0000  y                0
      y          3.0000   2.0000  step 5                                               0
      x          2.0000   2.5839  step 3 + step 4                                      0

A node pays only when it waits for 0 more terms: its adjoint is then final."""


def spy(node, taken):
    """The rule of a node, noting each call of a derivative."""

    def noting(position, derivative):
        def noted(*arguments, **parameters):
            taken.append((node, position))
            return derivative(*arguments, **parameters)

        return noted

    return SimpleNamespace(
        arity=node.rule.arity, derivatives=[noting(*x) for x in enumerate(node.rule.derivatives)]
    )


class TestNames:
    def test_each_node_has_its_own(self):
        x = scalar(2.0, "h")
        a = x * x
        a.name = "h"
        b = np.exp(-a) + 2.5
        b.name = "v1"
        c = b * bp.Tensor(0.5, name="k") * bp.Tensor(4.0)
        names = [node.made for node in explain.view(c).nodes]
        assert names == [
            "v5 = v4 × 4",
            "v4 = v1 × k",
            "v1 = v3 + 2.5",
            "v3 = exp v2",
            "v2 = −h#2",
            "h#2 = h × h",
            "h",
            "2.5",
            "k",
            "4",
        ]

    def test_names_fit_one_line(self):
        x = scalar(1.0, "two\nlines\x00 ")
        assert explain.view(x * x)["two lines"].adjoint == 2.0
        assert explain.view(scalar(1.0, " ") * 2).nodes[1].name == "v1"

    def test_expressions(self):
        x, i = scalar(np.ones((2, 3)), "x"), np.array([0, 1])
        made = [
            (x @ x.T, "v2 = x @ v1"),
            (x / -2.0, "v1 = x / (-2)"),
            (x**2, "v1 = x²"),
            (-x, "v1 = −x"),
            (x[0, :2], "v1 = x[0, :2]"),
            (x[i], "v1 = x[c1]"),
            (x[..., None], "v1 = x[..., None]"),
            (x.sum(), "v1 = sum x"),
            (x.sum(axis=0, keepdims=True), "v1 = sum(x, axis=0, keepdims=True)"),
            (np.maximum(x, 0), "v1 = maximum(x, 0)"),
            (np.where(x.data > 0, x, 0.5), "v1 = where(c1, x, 0.5)"),
        ]
        for output, text in made:
            assert explain.view(output, backward=False).nodes[0].made == text

    def test_products(self):
        x, y = scalar(2.0, "x"), scalar(3.0, "y")
        edges = explain.view((x - y) * -2.0).edges
        products = ["seed", "v2.grad × (-2)", "v1.grad × 1", "v1.grad × (-1)"]
        assert [edge.product for edge in edges] == products

    def test_the_graph_says_what_pictures_need(self):
        *_, z = example()
        graph = explain.view(z * 2)
        assert [(node.name, node.kind, node.sign) for node in graph.nodes] == [
            ("v1", "output", "×"),
            ("z", "intermediate", "+"),
            ("s", "intermediate", "sin"),
            ("p", "intermediate", "×"),
            ("y", "leaf", None),
            ("x", "leaf", None),
            ("2", "constant", None),
        ]
        assert graph["p"].operation == "multiply"
        assert [node.name for node in graph["v1"].inputs] == ["z", "2"]
        assert graph["p"].pays == [5, 6]
        assert graph.edges[4].formula == "cos x"

    def test_an_array_is_one_constant_and_a_number_is_one_for_each_use(self):
        X, x = np.ones(3), scalar(np.ones(3), "x")
        graph = explain.view(((x * X + X) * 2.0 + 2.0).sum())
        assert [node.name for node in graph.nodes if node.kind == "constant"] == ["c1", "2", "2"]

    def test_several_outputs(self):
        x, y, p, s, _ = example()
        graph = explain.view(p, s * p)
        assert [edge.product for edge in graph.edges[:2]] == ["seed", "seed"]
        p.backward()
        (s * p).backward()
        assert math.isclose(graph["x"].adjoint, x.grad)
        assert math.isclose(graph["y"].adjoint, y.grad)
        assert graph["p"].kind == "output"
        seeded = explain.view(p, s, seed=[2.0, 0.0])
        assert seeded["x"].adjoint == 2 * 3.0
        with pytest.raises(ValueError, match="2 outputs need as many seeds, not 3"):
            explain.view(p, s, seed=[1.0, 1.0, 1.0])

    def test_forward_alone_evaluates_nothing(self):
        x = scalar([1.0, 2.0], "x")
        graph = explain.view(x * x, backward=False)
        assert graph["x"].adjoint is None
        assert graph.edges[0].term is None
        np.testing.assert_array_equal(graph["x"].value, [1.0, 2.0])
        assert explain.view(bp.Tensor(1.0), backward=False).nodes[0].value == 1.0

    def test_every_formula_of_the_table_can_be_read(self):
        """No x, y, g or out of the table is left: each has become the name of a node."""
        for rule in RULES.values():
            operands = [f"A{k}" for k in range(rule.arity or 9)]
            for position in range(len(operands)):
                if isinstance(rule.derivatives, Each) or rule.derivatives[position]:
                    _, product = formula(rule, position, "OUT", operands, "OUT.grad")
                    words = "".join(c if c.isascii() and c.isalnum() else " " for c in product)
                    assert not {"x", "y", "g", "out"} & set(words.split()), (rule.name, product)
                    assert "OUT" in product, (rule.name, product)

    def test_the_same_in_every_process(self):
        program = (
            "import numpy as np, tinygrad_bp as bp\n"
            "x = bp.Tensor(2.0, requires_grad=True)\n"
            "for _ in range(9): x = np.sin(x) * x + 0.5 * np.ones(3)[0]\n"
            "print(bp.trace(x)._repr_html_(), bp.propagate(x, bp.explain.STRONGEST))"
        )
        printed = {
            subprocess.run(
                [sys.executable, "-c", program],
                env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
                capture_output=True,
                check=True,
            ).stdout
            for seed in ("1", "2")
        }
        assert len(printed) == 1


class TestPaths:
    @given(recipes)
    @settings(max_examples=60, deadline=None)
    def test_the_total_is_the_gradient(self, recipe):
        leaves, output = grown(recipe)
        for leaf in leaves:
            brute = every_path(output, leaf)
            assert bp.count_paths(output, leaf) == len(brute)
            if len(brute) > 1000:
                continue
            found = bp.paths(output, leaf)
            assert [len(path.edges) for path in found] == list(map(len, brute))
            for path, locals_ in zip(found, brute, strict=True):
                np.testing.assert_allclose(path.factors, locals_, rtol=1e-12)
            products = [math.prod(path) for path in brute]
            np.testing.assert_allclose([path.product for path in found], products, rtol=1e-9)
            (gradient,) = bp.gradients(output, [leaf])
            np.testing.assert_allclose(found.total, gradient, rtol=1e-9, atol=1e-12)

    def test_it_shows_each_path(self):
        x, _, p, _, z = example()
        found = bp.paths(z, x)
        assert [path.nodes for path in found] == [["z", "p", "x"], ["z", "s", "x"]]
        assert [path.formulas for path in found] == [["1", "y"], ["1", "cos x"]]
        assert "z ← s ← x  1 · cos x          1.0000 × -0.4161  -0.4161" in str(found)
        assert "sum is 2.5839" in str(found)
        assert [path.nodes for path in bp.paths(z, p)] == [["z", "p"]]
        assert bp.paths(z, z).total == 1

    def test_parallel_edges_are_paths_of_their_own(self):
        x = scalar(3.0, "x")
        assert [path.product for path in bp.paths(x * x, x)] == [3.0, 3.0]

    def test_arrays(self):
        W = scalar(np.arange(6.0).reshape(2, 3) / 7, "W")
        h = np.tanh(np.ones((4, 2)) @ W)
        loss = (h * h + h[:, :1]).sum()
        found = bp.paths(loss, W)
        assert len(found) == 3
        np.testing.assert_allclose(found.total, bp.gradients(loss, [W])[0])
        assert "1 - v2²" in str(found)

    def test_no_path(self):
        *_, z = example()
        other = scalar(np.ones(3), "other")
        assert bp.count_paths(z, other) == 0
        assert len(bp.paths(z, other)) == 0
        np.testing.assert_array_equal(bp.paths(z, other).total, np.zeros(3))
        assert "0 paths from other to z" in str(bp.paths(z, other))

    def test_only_what_leads_to_the_input_is_walked(self):
        x = scalar(2.0, "x")
        _, many = doublings(60)
        assert bp.paths(many + x * 3, x).total == 3.0

    def test_through_a_recorded_backward_pass(self):
        x = scalar(0.5, "x")
        np.sin(x).backward(create_graph=True)
        assert math.isclose(bp.trace(x.grad).graph["x"].adjoint, -math.sin(0.5))
        assert math.isclose(bp.paths(x.grad, x).total, -math.sin(0.5))

    def test_too_many_are_refused_with_their_number(self):
        x = y = scalar(1.0)
        for _ in range(60):
            y = y + y
        assert bp.count_paths(y, x) == 2**60
        with pytest.raises(ValueError, match=f"{2**60} paths .* limit=1000"):
            bp.paths(y, x)
        z = x + x
        with pytest.raises(ValueError, match="2 paths"):
            bp.paths(z, x, limit=1)
        assert len(bp.paths(z, x, limit=2)) == 2


class TestSemirings:
    @given(recipes)
    @settings(max_examples=60, deadline=None)
    def test_against_a_walk_over_all_paths(self, recipe):
        leaves, output = grown(recipe)
        reached = nodes_of(output)
        shortest = explain.Semiring(min, lambda a, b: a + b, math.inf, 0, edge=lambda edge: 1)
        gradient, count, longest, strongest, fewest = (
            bp.propagate(output, semiring)
            for semiring in (
                explain.GRADIENT,
                explain.COUNTING,
                explain.LONGEST_PATH,
                explain.STRONGEST,
                shortest,
            )
        )
        for leaf in leaves:
            walked = every_path(output, leaf)
            products = [math.prod(path) for path in walked]
            assert (leaf in count) == any(leaf is node for node in reached)
            assert count[leaf] == len(walked)
            assert math.isclose(gradient[leaf], math.fsum(products), rel_tol=1e-9, abs_tol=1e-12)
            assert longest[leaf] == max(map(len, walked), default=-math.inf)
            assert fewest[leaf] == min(map(len, walked), default=math.inf)
            best = max(map(abs, products), default=0.0)
            assert math.isclose(strongest[leaf].strength, best, rel_tol=1e-9)
            if best:
                names = strongest[leaf].path
                along = [
                    path for path in bp.paths(output, leaf, limit=10**6) if path.nodes == names
                ]
                assert any(math.isclose(abs(path.product), best, rel_tol=1e-9) for path in along)

    def test_by_name_and_by_node(self):
        x, _, p, _, z = example()
        count = bp.propagate(z, explain.COUNTING)
        assert count["x"] == count[x] == 2
        assert next(iter(count)) is z
        assert len(count) == 5
        assert "p" in count
        assert "q" not in count
        assert count[scalar(1.0)] == 0
        assert dict(count)[p] == 1
        with pytest.raises(KeyError, match="no node is called 'q'; there are z, p, s, x, y"):
            count["q"]
        assert str(count).splitlines()[-1].split() == ["x", "2"]
        assert "3.0000  z ← p ← x" in str(bp.propagate(z, explain.STRONGEST))

    def test_counting_needs_no_numbers(self):
        h = np.tanh(scalar(np.ones(3), "x") * 2)
        loss = (h * h).sum()
        assert bp.propagate(loss, explain.COUNTING)["x"] == 2
        assert bp.propagate(loss, explain.LONGEST_PATH)["x"] == 4
        with pytest.raises(ValueError, match=r"v4 = sum v3 by v3 is no number .* \(3,\) to \(\)"):
            bp.propagate(loss, explain.GRADIENT)


def doublings(k):
    x = y = scalar(1.0, "x")
    for _ in range(k):
        y = y + y
    return x, y


class TestWrongPasses:
    @pytest.mark.parametrize("k", [1, 2, 5, 10])
    def test_naive_is_exponential(self, k):
        x, y = doublings(k)
        attempt = explain.naive_backward(y)
        assert attempt.visits[x] == 2**k
        assert attempt.evaluations == sum(2**i for i in range(1, k + 1))
        assert attempt.true_evaluations == 2 * k
        assert attempt.gradients[x] == attempt.true[x] == 2**k

    @given(recipes)
    @settings(max_examples=60, deadline=None)
    def test_naive_is_right(self, recipe):
        _, output = grown(recipe)
        attempt = explain.naive_backward(output)
        output.backward(keep_grads=True)
        for node in nodes_of(output):
            np.testing.assert_allclose(attempt.gradients[node], node.grad, rtol=1e-9, atol=1e-12)
            assert attempt.visits[node] == bp.count_paths(output, node)

    def test_naive_refuses_and_says_how_many(self):
        _, y = doublings(60)
        with pytest.raises(ValueError, match=f"{2**61 - 2} rules.*the real one evaluates 120"):
            explain.naive_backward(y)

    def test_eager_is_wrong_where_a_node_is_reused(self):
        a = scalar(1.0, "a")
        b = a + a
        b.name = "b"
        c = b + b
        c.name = "c"
        attempt = explain.eager_backward(c)
        assert (attempt.gradients["a"], attempt.true["a"]) == (2.0, 4.0)
        assert attempt.gradients["b"] == attempt.true["b"] == 2.0
        assert attempt.evaluations == attempt.true_evaluations == 4
        assert str(attempt).splitlines()[-1].split() == ["a", "2.0000", "4.0000", "wrong", "2"]
        assert "wrong" not in str(explain.naive_backward(c))

    @given(st.lists(st.sampled_from(sorted(OPERATIONS)), min_size=1, max_size=12))
    @settings(max_examples=30, deadline=None)
    def test_eager_is_right_on_trees(self, names):
        output = scalar(0.4)
        for i, name in enumerate(names):
            output = OPERATIONS[name](output, scalar(0.1 * i))
        attempt = explain.eager_backward(output)
        assert attempt.evaluations == attempt.true_evaluations
        for node in attempt.true:
            assert attempt.gradients[node] == attempt.true[node]


class TestNudge:
    def test_the_differences_go_to_the_gradient(self):
        result = bp.nudge(lambda x: np.sin(x) * x, 1.2, [1e-2, 1e-3])
        true = math.sin(1.2) + 1.2 * math.cos(1.2)
        assert math.isclose(result.gradient, true, rel_tol=1e-12)
        coarse, fine = result.rows
        assert math.isclose((coarse.forward - true) / (fine.forward - true), 10, rel_tol=0.05)
        assert math.isclose((coarse.central - true) / (fine.central - true), 100, rel_tol=0.05)
        by_hand = (math.sin(1.21) * 1.21 - math.sin(1.2) * 1.2) / 0.01
        assert math.isclose(coarse.forward, by_hand, rel_tol=1e-9)

    def test_one_step_and_arrays(self):
        result = bp.nudge(lambda x: (x * x).sum(), [1, 2, 3], 1e-3)
        np.testing.assert_array_equal(result.gradient, [2.0, 4.0, 6.0])
        assert [row.index for row in result.rows] == [(0,), (1,), (2,)]
        np.testing.assert_allclose([row.central for row in result.rows], [2, 4, 6], rtol=1e-9)
        assert "[2]      0.001" in str(result)

    def test_a_constant_function(self):
        assert bp.nudge(lambda x: 4.0, 1.0).gradient == 0.0

    @pytest.mark.parametrize("h", [0, -1e-3, [0.1, float("nan")]])
    def test_h_must_be_positive(self, h):
        with pytest.raises(ValueError, match=r"h must be (positive|finite)"):
            bp.nudge(np.sin, 1.0, h)

    def test_f_must_be_scalar(self):
        with pytest.raises(ValueError, match=r"scalar, not an array of shape \(2,\)"):
            bp.nudge(np.sin, [1.0, 2.0])


class TestHtml:
    def shown(self):
        a = scalar(0.5, 'a<b>&"c" \U0001f642')
        b = a * a + np.tanh(a)
        yield bp.trace(b)
        yield bp.paths(b, a)
        yield bp.propagate(b, explain.STRONGEST)
        yield explain.naive_backward(b)
        yield explain.eager_backward(b)
        yield bp.nudge(np.sin, 1.0)

    def test_it_is_well_formed_and_escaped(self):
        for shown in self.shown():
            page = shown._repr_html_()
            root = ElementTree.fromstring(page)
            assert root.find(".//caption").text == str(shown).splitlines()[0]
            heads = root.findall(".//th")
            assert all(len(row) == len(heads) for row in root.findall(".//tbody/tr"))
            assert "a<b>" not in page
            assert "prefers-color-scheme: dark" in page
        table = ElementTree.fromstring(next(self.shown())._repr_html_())
        cells = [cell.text for cell in table.iter("td")]
        assert 'v1 = a<b>&"c" \U0001f642 × a<b>&"c" \U0001f642' in cells

    def test_html_and_text_say_the_same(self):
        for shown in self.shown():
            root = ElementTree.fromstring(shown._repr_html_())
            rows = [["".join(c.itertext()) for c in row] for row in root.findall(".//tbody/tr")]
            lines = [line.split() for line in str(shown).splitlines()[3 : 3 + len(rows)]]
            plain = [["".join(run for run, _ in levels(word)) for word in line] for line in lines]
            assert [" ".join(row).split() for row in rows] == plain


class TestLongChains:
    """Nothing recurses: not in walking, showing or freeing a chain of 100,000 nodes."""

    @pytest.fixture(scope="class")
    @staticmethod
    def chain():
        x = y = scalar(0.5, "x")
        for _ in range(100_000):
            y = -y
        return x, y

    def test_trace(self, chain):
        trace = bp.trace(chain[1])
        assert "99,942 rows in between are not shown" in str(trace)
        assert trace.graph["x"].adjoint == 1.0
        assert len(next(trace.steps()).rows) == 2
        ElementTree.fromstring(trace._repr_html_())

    def test_paths(self, chain):
        (path,) = found = bp.paths(chain[1], chain[0])
        assert len(path.nodes) == 100_001
        assert "..." in str(found)

    def test_propagate(self, chain):
        x, y = chain
        assert bp.count_paths(y, x) == 1
        strongest = bp.propagate(y, explain.STRONGEST)
        assert len(strongest[x].path) == 100_001
        assert "..." in str(strongest)

    def test_wrong_passes(self, chain):
        assert explain.naive_backward(chain[1]).gradients["x"] == 1.0
        assert explain.eager_backward(chain[1]).gradients["x"] == 1.0
