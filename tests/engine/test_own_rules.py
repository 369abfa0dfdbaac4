"""A rule of one's own, through the public door, and SciPy's functions, whose rules come late."""

import math
import subprocess
import sys

import numpy as np
import pytest

import tinygrad_bp as bp
from tinygrad_bp.engine.registry import RULES
from tinygrad_bp.engine.signatures import full_name
from tinygrad_bp.support.meanings import SCIPY

x = np.array([0.3, -1.2, 2.0])


@bp.primitive
def swish(x):
    return x / (1 + np.exp(-x))


@bp.primitive
def dry(x, *, slope=0.1):
    """Written into, which a Tensor would refuse: a rule sees the outside alone."""
    out = np.array(x)
    out[out < 0] *= slope
    return out


@bp.primitive
def root(a):
    """A Python number, as libraries of roots give it."""
    return math.sqrt(a)


@bp.primitive
def ruleless(x):
    return x + 1


@bp.primitive
def two(x):
    return x, x


@pytest.fixture(autouse=True)
def _rules():
    def slope(g, out, x):
        s = 1 / (1 + np.exp(-x))
        return g * (s + x * s * (1 - s))

    bp.rule(swish, slope, formula=["s + x s (1 - s)"])
    bp.rule(dry, lambda g, out, x, slope=0.1: np.where(x < 0, g * slope, g))
    bp.rule(root, lambda g, out, a: g / (2 * out))
    bp.rule(two, lambda g, out, x: g)
    yield
    for function in (swish, dry, root, two):
        del RULES[function]


def test_a_rule_is_used_and_checked_to_second_order():
    assert bp.gradcheck(swish, x, order=2)
    t = bp.Tensor(x, requires_grad=True, name="x")
    y = swish(t)
    assert y.rule.name == "swish"
    assert y.inputs == (t,)
    assert "s + x s (1 - s)" in str(bp.trace(y.sum()))
    assert type(swish(x)) is np.ndarray


def test_keyword_arguments_and_writes_within():
    assert np.array_equal(bp.grad(lambda x: np.sum(dry(x, slope=0.5)))(x), [1, 0.5, 1])
    assert np.array_equal(bp.grad(lambda x: np.sum(dry(x)))(x), [1, 0.1, 1])
    with pytest.raises(TypeError, match="dry has no gain="):
        dry(bp.Tensor(x), gain=2)


def test_a_python_number_is_a_result():
    assert bp.grad(root)(4.0) == 0.25
    assert bp.grad(bp.grad(root))(4.0) == -1 / 32
    assert root(bp.Tensor(4.0)).item() == 2.0


def test_a_result_that_is_no_array():
    with pytest.raises(TypeError, match=r"^two gave a tuple: a function with a rule gives one arr"):
        two(bp.Tensor(x, requires_grad=True))


def test_a_wrong_rule_is_found():
    bp.rule(swish, lambda g, out, x: g * out)
    with pytest.raises(bp.GradientError):
        bp.gradcheck(swish, x)


def test_a_function_without_a_rule_says_how_to_give_it_one():
    with pytest.raises(TypeError) as raised:
        ruleless(bp.Tensor(x, requires_grad=True))
    assert str(raised.value) == (
        "ruleless cannot be applied to a Tensor: it has no derivative rule; give it one, "
        "bp.rule(ruleless, lambda g, out, x: ...), or use t.data to leave the graph"
    )


def plain(x):
    return x * 2


@pytest.mark.parametrize(
    ("function", "derivatives", "complaint"),
    [
        (plain, [lambda g, out, x: g], "plain would not notice a Tensor: write @bp.primitive"),
        (3, [lambda g, out, x: g], "int would not notice a Tensor"),
        (swish, [], "the rule of swish needs a derivative for each input"),
        (swish, [None], "the rule of swish needs a derivative for each input"),
        (swish, [np.cos], "a derivative of swish must be a Python function, not <ufunc 'cos'>"),
        (swish, [2.0], "a derivative of swish must be a Python function, not 2.0"),
        (swish, [lambda g, x: g], r"takes \(g, x\), and is called with g, out and the input: 3"),
        (swish, [lambda g, out, x: g] * 2, r"takes \(g, out, x\), and .* the inputs: 4"),
    ],
)
def test_a_rule_that_could_not_be_used_is_refused(function, derivatives, complaint):
    with pytest.raises(TypeError, match=complaint):
        bp.rule(function, *derivatives)


@bp.primitive
def product(*inputs, scale=1.0):
    """Of as many inputs as there are."""
    return scale * math.prod(inputs[1:], start=inputs[0])


def product_of_the_others(position, g, out, inputs, scale=1.0):
    return g * scale * math.prod(inputs[:position] + inputs[position + 1 :], start=1.0)


def test_one_derivative_serves_any_number_of_inputs():
    bp.rule(product, each=product_of_the_others, formula=["the product of the others"])
    try:
        for inputs in ([x], [x, x + 1], [x, 2.0, x - 1]):
            assert bp.gradcheck(product, *inputs, order=2)
            assert bp.gradcheck(lambda *inputs: product(*inputs, scale=3.0), *inputs)
    finally:
        del RULES[product]


@pytest.mark.parametrize(
    "each",
    [lambda g, out, inputs: g, lambda g, out, inputs, *, scale=1.0: g],
    ids=["no position", "a keyword is no input"],
)
def test_a_derivative_of_any_number_of_inputs_is_told_its_position(each):
    complaint = r"takes \(g, out, inputs\), and is called with its position, g, out .*: 4 arguments"
    with pytest.raises(TypeError, match=complaint):
        bp.rule(product, each=each)
    assert product not in RULES


# SciPy

special = pytest.importorskip("scipy.special")

LATE = """
import sys, numpy as np, tinygrad_bp as bp
t = bp.Tensor([0.5, 2.0], requires_grad=True)
np.tanh(t).sum().backward()
assert "scipy" not in sys.modules
assert "tinygrad_bp.engine.rules.special" not in sys.modules
from scipy import special
assert "tinygrad_bp.engine.rules.special" not in sys.modules
t.zero_grad()
special.expit(t).sum().backward()
expit = special.expit(t.data)
print(np.allclose(t.grad, expit * (1 - expit), rtol=1e-14, atol=0))
"""


def test_scipy_is_imported_by_its_user_alone_and_its_rules_when_they_are_needed():
    run = subprocess.run([sys.executable, "-c", LATE], capture_output=True, text=True, check=True)
    assert run.stdout == "True\n"


def test_a_scipy_function_without_a_rule():
    with pytest.raises(TypeError, match=r"erfcx cannot be .* bp.rule\(erfcx, lambda g, out, x"):
        special.erfcx(bp.Tensor(x))


def test_what_both_numpy_and_scipy_have_is_not_called_numpys():
    x = bp.Tensor(0.5, requires_grad=True)
    assert special.log1p(x).rule.function is special.log1p
    assert np.log1p(x).rule.function is np.log1p
    assert np.i0(x).requires_grad
    assert special.i0(x).requires_grad
    assert {full_name(np.log1p), full_name(special.log1p)} == {"np.log1p", "log1p"}


@pytest.mark.parametrize("name", SCIPY)
def test_what_converts_at_once_names_what_does_not(name):
    t = bp.Tensor([0.5, 1.5], requires_grad=True)
    inputs = (1, t) if name == "polygamma" else (t,)
    with pytest.raises(TypeError) as raised:
        getattr(special, name)(*inputs)
    assert str(raised.value).endswith(f"use {SCIPY[name]} in place of scipy.special.{name}")
    if name != "polygamma":
        ours = getattr(bp.functional, name)
        assert np.allclose(ours(t, axis=None).data, getattr(special, name)(t.data))
    else:
        assert np.allclose(
            bp.elementwise_grad(special.digamma)(t.data), special.polygamma(1, t.data)
        )


def test_zeros_among_entropies():
    p = np.array([0.0, 0.5])
    found = bp.grad(lambda q: np.sum(special.rel_entr(p, q)))(np.array([0.0, 0.5]))
    assert np.array_equal(found, [0.0, -1.0])
    found = bp.grad(lambda q: np.sum(special.xlogy(p, q)))(np.array([0.0, 0.5]))
    assert np.array_equal(found, [0.0, 1.0])


def test_far_in_the_tails():
    assert bp.grad(special.log_ndtr)(-30.0) == pytest.approx(30 + 1 / 30, rel=1e-4)
    assert bp.grad(special.log_expit)(-800.0) == 1.0
