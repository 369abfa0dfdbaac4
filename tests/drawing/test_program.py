"""What a page recomputes is what the engine computes, for every function of numbers."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from py_mini_racer import MiniRacer

import tinygrad_bp as bp
from tinygrad_bp.drawing.program import SCRIPT, program_of
from tinygrad_bp.engine.registry import RULES
from tinygrad_bp.explain import view
from tinygrad_bp.explain.names import decimal
from tinygrad_bp.functional import (
    gelu,
    huber_loss,
    leaky_relu,
    mae_loss,
    mse_loss,
    relu,
    sigmoid,
    softplus,
)

from .test_draw import expression, leaf, named
from .test_presenting import two_two_two


@pytest.fixture(scope="module")
def page():
    """A place that runs the page's script."""
    browser = MiniRacer()
    browser.eval(SCRIPT)
    return browser


def recomputed(page, graph, values):
    """What the page says of every number, where the leaves have these values."""
    program = program_of(graph)
    changed = {program["v"][graph[x].number]: value for x, value in values.items()}
    call = f"recompute({json.dumps(program)}, {json.dumps(changed)})"
    told = json.loads(page.eval(f"JSON.stringify({call}, (key, x) => x === x ? x : null)"))
    return {key: [math.nan if x is None else x for x in told[key]] for key in "valt"}


def agree(page, build, before, after, fuse=False):
    """A graph of some values, recomputed for others, is the graph of those others."""
    old, new = (build(*(leaf(x, f"x{n}") for n, x in enumerate(at))) for at in (before, after))
    old, new = (view(output, fuse=fuse) for output in (old, new))
    found = recomputed(page, old, {f"x{n}": x for n, x in enumerate(after)})
    expected = {
        "v": [node.value for node in new.nodes],
        "a": [0.0 if node.adjoint is None else node.adjoint for node in new.nodes],
        "l": [1.0 if edge.local is None else edge.local for edge in new.edges],
        "t": [edge.term for edge in new.edges],
    }
    for key, numbers in expected.items():
        np.testing.assert_allclose(found[key], numbers, rtol=1e-9, atol=1e-12, err_msg=key)


ABOVE_ONE = (np.arccosh,)
UFUNCS = [
    function
    for function in RULES
    if isinstance(function, np.ufunc)
    and getattr(np, function.__name__, None) is function
    # of numbers, none of which is an integer
    and function.signature is None
    and function is not np.ldexp
    and function.nin <= 2
]


@pytest.mark.parametrize("function", UFUNCS, ids=lambda function: function.__name__)
def test_every_function_of_numbers_is_recomputed(page, function):
    shift = 1.0 if function in ABOVE_ONE else 0.0
    before = np.array([0.3, 0.7])[: function.nin] + shift
    for other in ([0.45, 0.2], [0.6, 0.6]):
        agree(page, lambda *x: 1.5 * function(*x), before, np.array(other)[: function.nin] + shift)


ONE, TWO = (0.3,), (0.3, 0.7)
OTHERS = {  # of the table, with the numbers that each is called with
    "angle": ONE,
    "dot": TWO,
    "flip": ONE,
    "imag": ONE,
    "inner": TWO,
    "nan_to_num": ONE,
    "nanmax": ONE,
    "nanmin": ONE,
    "prod": ONE,
    "real": ONE,
    "real_if_close": ONE,
    "round": ONE,
    "sinc": ONE,
    "squeeze": ONE,
    "std": ONE,
    "vdot": TWO,
}


@pytest.mark.parametrize("name", OTHERS)
def test_every_other_function_of_numbers_is_recomputed(page, name):
    function, before = getattr(np, name), OTHERS[name]
    for after in ([-0.45, 0.2], [0.6, -0.6]):
        agree(page, lambda *x: 1.5 * function(*x) + x[0], before, after[: len(before)])


def test_no_function_of_numbers_is_forgotten():
    """Each function of the table that makes a number of one or two is recomputed, or is listed."""
    unknown = set()
    # SciPy's, which a page does not know, are in the table once one was used
    scipys = {f for f in RULES if isinstance(f, np.ufunc) and vars(np).get(f.__name__) is not f}
    scipys |= {f for f in RULES if getattr(f, "__module__", "").endswith(".rules.special")}
    for function in set(RULES) - set(ABOVE_ONE) - scipys:
        for numbers in (ONE, TWO):
            try:
                output = function(*(leaf(x, f"x{n}") for n, x in enumerate(numbers)))
                graph = view(output)
            except (TypeError, ValueError, AttributeError, RuntimeError, IndexError):
                continue  # which takes no numbers
            options = any(isinstance(x, bp.Tensor) for x in output.keywords.values())
            if not options and not any(node.value.shape for node in graph.nodes):
                try:
                    program_of(graph)
                except TypeError:
                    unknown.add(function.__name__)
    assert unknown == {"bessel", "i0"}  # whose series is too long a program for a page


@pytest.mark.parametrize(
    "build",
    [
        lambda x, y: np.where(x.data > 0, x * y, -y),
        lambda x, y: huber_loss(x, y) + np.nansum(x * y),
        lambda x, y: mse_loss(x, y) * mae_loss(y, x),
    ],
)
def test_a_condition_is_held(page, build):
    """The branches that were taken are those of the values before, and agree where they are."""
    agree(page, build, [1.2, 0.3], [0.4, 0.8])


def test_the_page_says_which_conditions_are_held():
    x = leaf(0.5, "x")
    assert program_of(view(x * x))["held"] == []
    assert "stays as it was" not in bp.animate(x * x).page
    assert program_of(view(np.clip(x, 0, 1)))["held"] == []
    chosen = np.where(x.data > 0, x, 1.0)
    assert program_of(view(chosen))["held"] == ["where"]
    assert "The condition of where stays as it was found." in bp.animate(chosen).page


@pytest.mark.parametrize(
    "build",
    [
        lambda x, y: np.clip(x, 0.0, 1.0) * y + np.clip(y, x, None) + np.clip(x * y, None, 0.2),
        lambda x, y: leaky_relu(x, 0.3) + leaky_relu(x - y) + huber_loss(x, y, delta=0.5),
        lambda x, y: relu(x - y) + softplus(x) * sigmoid(y),
        lambda x, y: gelu(x) * np.sinc(y),
        lambda x, y: x**3 + (y * y) ** -1.5,
        lambda x, y: np.abs(x) ** y + x * x + np.hypot(x, y) + (2 - y) / x,
        lambda x, y: np.maximum(x, y) * np.minimum(x, 0.5) + np.round(x, 1) + np.mean(y * y),
    ],
)
def test_branches_are_taken_anew(page, build):
    for after in ([-0.4, 0.9], [2.0, -1.0], [0.5, 0.5]):
        agree(page, build, [1.2, 0.3], after)
        agree(page, build, [1.2, 0.3], after, fuse=True)


def test_a_network_is_recomputed(page):
    w = {f"w{k}": 0.3 * k - 1 for k in range(1, 9)}
    for fuse in (False, True):
        graph = view(two_two_two(), fuse=fuse)
        found = recomputed(page, graph, w | {"x1": -0.2, "d1": 0.4})
        new = two_two_two()
        for node in view(new).nodes:
            if node.name in w:
                node.tensor.data = w[node.name]
        assert found["v"] != [float(node.value) for node in graph.nodes]
        e = graph["e"]
        step = 1e-6
        for name in ("w1", "w8"):
            ends = [
                recomputed(page, graph, w | {"x1": -0.2, "d1": 0.4, name: w[name] + side})
                for side in (-step, step)
            ]
            low, high = (end["v"][e.number] for end in ends)
            slope = found["a"][graph[name].number]
            assert slope == pytest.approx((high - low) / (2 * step), rel=1e-6)


def test_what_a_page_cannot_know_is_said():
    x = leaf(2.0, "x")

    @bp.primitive
    def asking(x):
        return x if x > 0 else -x

    bp.rule(asking, lambda g, out, x: g * np.sign(x))
    with pytest.raises(TypeError, match="asks for a value"):
        program_of(view(asking(x)))
    del RULES[asking]  # of which the catalogue knows no sample
    with pytest.raises(TypeError, match="this pass has arrays"):
        program_of(view(np.sum(leaf([1.0, 2.0], "v"))))


def test_a_name_used_twice_is_two_leaves(page):
    x, y = leaf(2.0, "x"), leaf(2.0, "x")
    graph = view(named(x * y, "z"))
    found = recomputed(page, graph, {"x#2": 5.0})
    assert found["v"][graph["z"].number] == 10.0


NUMBERS = [0.0, 2.5, -0.03125, 0.09375, 1e-7, -123456.789, 9999.99995, 1e300, 0.001, 3.14159265]


@pytest.mark.parametrize("x", [*NUMBERS, math.inf, -math.inf, math.nan])
def test_numbers_are_written_as_the_tables_write_them(page, x):
    text = {math.inf: "Infinity", -math.inf: "-Infinity"}.get(x, repr(x)).replace("nan", "NaN")
    assert page.eval(f"decimal({text})") == decimal(x)
    assert page.eval(f"short({text})") == f"{x:.4g}"


def test_the_expression_of_the_readme_says_the_same_in_both(page):
    _, _, z = expression()
    graph = view(z)
    same = recomputed(page, graph, {})
    assert same["a"][graph["x"].number] == graph["x"].adjoint == 3.25
