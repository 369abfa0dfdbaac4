"""Names as lectures write them, and graphs in the steps that somebody named."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_bp as bp
from tinygrad_bp import explain
from tinygrad_bp.explain.names import entries, factor
from tinygrad_bp.explain.notation import typeset
from tinygrad_bp.functional import sigmoid


def leaf(value, name):
    return bp.Tensor(value, requires_grad=True, name=name)


def named(name, tensor):
    tensor.name = name
    return tensor


def unit():
    """A sigmoid unit and its squared error, of which z, y and E have names."""
    w1, w2 = leaf(0.1, "w1"), leaf(0.2, "w2")
    z = named("z1", w1 * bp.Tensor(0.5, name="x1") + w2 * 2.0)
    y = named("y1", sigmoid(z))
    return named("E", 0.5 * (y - bp.Tensor(1.0, name="d1")) ** 2), w1, w2


@pytest.mark.parametrize(
    ("written", "set_"),
    [
        ("W^[1]", "W⸢¹⸣"),
        ("x^(2)", "x⁽²⁾"),
        ("w_ij^(l)", "wᵢⱼ⁽ˡ⁾"),
        ("h^{k+1}", "hᵏ⁺¹"),
        ("f_0", "f₀"),
        ("d_hat", "d̂"),
        ("y_hat_2", "ŷ₂"),
        (r"\hat{y}", "ŷ"),
        (r"\delta^2", "δ²"),
        ("delta_1", "δ₁"),
        ("v_q", "v_q"),
        ("mse_loss", "mse_loss"),
        ("x_train", "x_train"),
        ("x ^ y", "x ^ y"),
        ("layers.0.weight", "layers.0.weight"),
    ],
)
def test_names_are_set_as_they_are_printed(written, set_):
    assert typeset(written) == set_


@pytest.mark.parametrize(
    ("notation", "name", "adjoint"),
    [
        ("grad", "z^[2]", "z^[2].grad"),
        ("delta", "z^[2]", "δ^[2]"),
        ("delta", "W^[2]", "∂J/∂W^[2]"),
        ("sensitivity", "s^(1)", "δ^(1)"),
        ("P", "f_1", "P_1"),
        ("P", "h_1", "δ_1"),
        ("gamma", "s2", "γ2"),
        ({"z": "ζ", "b": "β"}, "z_1", "ζ_1"),
        ({"z": "ζ", "b": "β"}, "b", "β"),
    ],
)
def test_an_adjoint_has_the_name_of_the_lecture(notation, name, adjoint):
    x = leaf(2.0, name)
    node = explain.view(named("J", x * x), notation=notation)[x]
    assert node.adjoint_name == adjoint


def test_an_unknown_notation_is_refused():
    with pytest.raises(ValueError, match="unknown notation 'delt': did you mean 'delta'"):
        bp.trace(unit()[0], notation="delt")


def test_powers_are_simplified_and_raised():
    x = leaf(3.0, "x")
    assert [explain.view(x**n).edges[1].formula for n in (2, 3, 0.5)] == [
        "2 x",
        "3 x²",
        "0.5 x^(-0.5)",
    ]
    squared = explain.view(leaf(3.0, "x^(2)") ** 2).nodes[0]
    assert squared.expression == "(x^(2))²"


def test_named_steps_are_one_arrow_each():
    E, w1, w2 = unit()
    whole, fused = explain.view(E), explain.view(E, fuse=True)
    assert [node.name for node in fused.visited()] == ["E", "y1", "z1", "w2", "w1"]
    assert fused["E"].made == "E = 0.5 × (y1 − d1)²"
    formulas = {edge.receiver.name: edge.formula for edge in fused.edges if edge.consumer}
    assert formulas == {"y1": "(y1 − d1)", "z1": "y1 (1 - y1)", "w2": "2", "w1": "x1"}
    for x in (E, w1, w2):
        assert fused[x].adjoint == whole[x].adjoint
    for edge in fused.edges:
        assert edge.remaining == 0
        np.testing.assert_allclose(edge.pay(np.float64(2.0)), 2.0 * edge.pay(np.float64(1.0)))
        if edge.consumer:
            np.testing.assert_allclose(edge.term, edge.pay(edge.consumer.adjoint))


def test_what_leads_to_two_named_steps_stays():
    x = leaf(0.5, "x")
    shared = np.sin(x)
    a, b = named("a", shared * 2.0), named("b", shared * shared)
    graph = explain.view(named("c", a + b), fuse=True)
    assert [node.name for node in graph.visited()] == ["c", "b", "a", "v1", "x"]
    assert graph[x].adjoint == explain.view(a + b)[x].adjoint


def test_steps_of_many_routes_are_not_written_out():
    y = x = leaf(1.0, "x")
    for _ in range(60):
        y = y + y
    graph = explain.view(named("z", y * 1.0), fuse=True)
    (_, edge) = graph.edges
    assert edge.formula == "∂z/∂x"
    assert edge.term == edge.local == 2.0**60
    assert graph["z"].made.startswith("z = (add(...) + ")
    assert graph[x] is edge.receiver


def test_steps_of_arrays_say_what_they_map():
    W, X = leaf(np.arange(4.0).reshape(2, 2), "W"), bp.Tensor(np.ones((2, 2)), name="X")
    z = named("z", X @ W.T)
    graph = explain.view(named("J", np.sum(z * z)), fuse=True, notation="delta")
    edge = graph.edges[graph[W].terms[0]]
    assert edge.product == "(Xᵀ @ δ)ᵀ"
    np.testing.assert_array_equal(graph[W].adjoint, explain.view(np.sum(z * z))[W].adjoint)


def test_a_trace_writes_small_arrays_out():
    W = leaf(np.array([[1.0, -2.0], [0.0, 4.0]]), "W")
    lines = str(bp.trace(named("J", np.sum(W * W)))).splitlines()
    start = next(i for i, line in enumerate(lines) if line.lstrip().startswith("W "))
    assert lines[start].split()[1:5] == ["[1.0000", "-2.0000]", "[2.0000", "-4.0000]"]
    assert lines[start + 1].split()[:5] == ["[", "0", "4.0000]", "[", "0"]
    assert entries(np.ones((5, 2))) == "|3.16|"


def test_counts_are_in_the_singular_and_in_the_plural():
    x = leaf(2.0, "x")
    assert "2 nodes, 1 local derivative evaluated once" in str(bp.trace(np.sin(x)))
    assert "each of 2 local derivatives evaluated once" in str(bp.trace(x * x))
    assert "1 evaluation of a rule" in str(explain.naive_backward(np.sin(x)))


def test_a_factor_is_bracketed_only_where_it_is_a_sum():
    assert [factor(x) for x in ("y (1 - y)", "1 - y²", "-x", "x")] == [
        "y (1 - y)",
        "(1 - y²)",
        "(-x)",
        "x",
    ]


def test_overwriting_keeps_the_last_term_alone():
    x, y = leaf(2.0, "x"), leaf(3.0, "y")
    z = x * y + np.sin(x)
    attempt = explain.overwriting_backward(z)
    assert attempt.gradients["x"] == y.data
    assert attempt.gradients["y"] == attempt.true["y"]
    assert attempt.visits["x"] == 2
    assert attempt.evaluations == attempt.true_evaluations == 5
    table = str(attempt)
    assert "wrong" in next(line for line in table.splitlines() if line.startswith("x "))
    assert "wrong" not in next(line for line in table.splitlines() if line.startswith("y "))
    assert (x.grad, y.grad) == (None, None)
