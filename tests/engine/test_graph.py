"""The graph and the pass over it: every edge counted, every adjoint final before it is used."""

import subprocess
import sys
import time
from dataclasses import dataclass, field

import numpy as np
import pytest

import tinygrad_bp as bp
from tinygrad_bp.engine.backprop import topological_order
from tinygrad_bp.engine.registry import RULES, Rule


def leaf(value, **options):
    return bp.Tensor(value, requires_grad=True, **options)


@dataclass
class Counter:
    """How often each function's derivatives were called, and through which positions."""

    calls: list = field(default_factory=list)

    def wrap(self, name, derivative, position):
        def counted(*arguments, **parameters):
            self.calls.append((name, position))
            return derivative(*arguments, **parameters)

        return counted


@pytest.fixture
def counter(monkeypatch):
    """Count the calls of the derivatives of the four operations of arithmetic."""
    counter = Counter()
    for function in (np.add, np.subtract, np.multiply, np.divide):
        rule = RULES[function]
        derivatives = [counter.wrap(rule.name, d, i) for i, d in enumerate(rule.derivatives)]
        counted = Rule(function, rule.function, rule.derivatives, rule.formulas)
        counted.derivatives = derivatives
        monkeypatch.setitem(RULES, function, counted)
    return counter


def edges_of(output):
    return sum(len(node.edges) for node in topological_order(output))


def test_a_node_added_to_itself():
    a = leaf(3.0)
    (a + a).backward()
    assert a.grad == 2.0


def test_a_product_with_itself_keeps_both_edges():
    x = leaf(3.0)
    y = x * x
    assert y.inputs == (x, x)
    assert y.edges == (0, 1)
    y.backward()
    assert x.grad == 6.0


def test_a_diamond():
    x = leaf(2.0)
    left, right = x * 3.0, x * x
    (left * right).backward()
    assert x.grad == 3 * 3 * 2.0**2


def test_an_interior_node_reused_after_being_reused():
    """Pushing b's adjoint on before its last consumer has paid in would give another number."""
    a = leaf(1.5)
    b = a + a
    c = b + b
    d = c * b + c
    d.backward()  # d = 8 a² + 4 a
    assert a.grad == 16 * 1.5 + 4


@pytest.mark.parametrize(
    "order", [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]
)
def test_consumers_may_be_created_and_joined_in_any_order(order):
    x = leaf(0.5)
    deep = x * x
    consumers = [deep * 3.0, (deep * deep) * deep, deep + x]
    first, second, third = (consumers[i] for i in order)
    (first + (second + third)).backward()  # 4 x² + x⁶ + x
    assert x.grad == 8 * 0.5 + 6 * 0.5**5 + 1


@pytest.mark.parametrize("uses", range(1, 41))
def test_any_number_of_uses(uses, counter):
    x = leaf(2.0)
    y = x * 1.0
    total = sum([y * float(k) for k in range(1, uses + 1)], start=0.0)
    total.backward()
    assert x.grad == uses * (uses + 1) / 2
    assert len(counter.calls) == edges_of(total)


def test_a_thousand_uses_of_one_node(counter):
    x = leaf(np.ones(3))
    y = x + 0.0
    z = y
    for _ in range(1000):
        z = z + y
    z.sum().backward()
    assert np.array_equal(x.grad, [1001.0] * 3)
    assert len(counter.calls) == 2 * 1000 + 1


def test_sixty_doublings_take_no_longer_than_their_edges(counter):
    """2⁶⁰ paths, 120 edges, 120 calls: this is what makes the pass dynamic programming."""
    start = time.perf_counter()
    x = leaf(1.0)
    y = x
    for _ in range(60):
        y = y + y
    y.backward()
    assert time.perf_counter() - start < 1.0
    assert y.item() == x.grad == 2.0**60
    assert len(counter.calls) == edges_of(y) == 120
    assert sorted(set(counter.calls)) == [("add", 0), ("add", 1)]


def test_constant_inputs_are_no_edges(counter):
    x = leaf(3.0)
    constant = bp.Tensor(2.0)
    y = constant * x / 4.0 - np.float64(1.0)
    y.backward()
    assert len(counter.calls) == edges_of(y) == 3
    assert x.grad == 0.5
    assert constant.grad is None


def test_the_order_puts_every_node_after_all_its_consumers():
    rng = np.random.default_rng(0)
    nodes = [leaf(1.0) for _ in range(3)]
    for _ in range(200):
        i, j = rng.integers(len(nodes), size=2)
        nodes.append(nodes[i] + nodes[j])
    output = sum(nodes)
    order = topological_order(output)
    assert len(order) == len(set(order))
    place = {node: k for k, node in enumerate(order)}
    assert all(place[x] > place[n] for n in order for x in n.inputs if isinstance(x, bp.Tensor))
    assert all(node in place for node in nodes)


CHAIN = """
import gc, sys
import tinygrad_bp as bp
if sys.argv[1] == "off":
    gc.disable()
x = bp.Tensor(1.0, requires_grad=True)
y = x
for _ in range(1_000_000):
    y = y + 1.0
y.backward()
assert x.grad == 1.0, x.grad
assert y.item() == 1_000_001.0
del y
print("gone")
"""


@pytest.mark.parametrize("collector", ["on", "off"])
def test_a_chain_of_a_million_nodes_is_built_differentiated_and_deleted(collector):
    run = subprocess.run(
        [sys.executable, "-c", CHAIN, collector], capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout.strip()) == (0, "gone"), run.stderr[-2000:]


def test_a_wide_graph_needs_no_recursion_either():
    x = leaf(1.0)
    total = np.stack([x] * 1500).sum()
    total.backward()
    assert x.grad == 1500.0


def test_a_second_backward_adds_exactly_the_same_again():
    rng = np.random.default_rng(1)
    W, v = leaf(rng.normal(size=(4, 3))), leaf(rng.normal(size=3))
    loss = (np.tanh(W @ v) * np.exp(W).sum(axis=1)).sum()
    loss.backward()
    first = W.grad.copy(), v.grad.copy()
    loss.backward()
    assert np.array_equal(W.grad, first[0] + first[0])
    assert np.array_equal(v.grad, first[1] + first[1])
    loss.backward()
    assert np.array_equal(v.grad, first[1] + first[1] + first[1])


def test_zero_grad_forgets():
    x = leaf(3.0)
    (x * x).backward()
    x.zero_grad()
    assert x.grad is None
    (x * 5.0).backward()
    assert x.grad == 5.0


def test_an_unreached_leaf_has_no_gradient():
    x, unused = leaf(1.0), leaf(1.0)
    (x * 2.0).backward()
    assert unused.grad is None


def test_a_leaf_reached_through_a_zero_has_a_gradient_of_zero():
    x = leaf([1.0, 2.0])
    (x * 0.0).sum().backward()
    assert np.array_equal(x.grad, [0.0, 0.0])


def test_only_the_graph_of_the_output_is_visited():
    x = leaf(2.0)
    shared = x * x
    wanted, other = shared * 3.0, shared * 100.0
    wanted.backward(keep_grads=True)
    assert (x.grad, shared.grad, other._grad) == (12.0, 3.0, None)


def test_a_leaf_is_its_own_derivative():
    x = leaf(4.0)
    x.backward()
    assert x.grad == 1.0


# Interior adjoints


def test_interior_adjoints_are_kept_on_request_alone():
    x = leaf(3.0)
    y = x * x
    z = y * 2.0
    z.backward()
    with pytest.warns(RuntimeWarning, match="was computed, and has no grad: leaves have"):
        assert (z.grad, y.grad) == (None, None)
    z.backward(keep_grads=True)
    assert (z.grad, y.grad) == (1.0, 2.0)
    assert x.grad == 24.0  # two passes


def test_interior_adjoints_are_fresh_on_every_pass():
    x = leaf(3.0)
    y = x * x
    z = y * 2.0
    z.backward(keep_grads=True)
    z.backward(keep_grads=True)
    assert (z.grad, y.grad) == (1.0, 2.0)
    z.backward()
    assert y._grad is None, "a gradient left over from an earlier pass"
    (y * 7.0).backward(keep_grads=True)
    assert y.grad == 7.0
    assert z._grad is None


# Derivatives of derivatives


def test_create_graph_gives_gradients_with_a_history():
    x = leaf(2.0)
    (x**3).backward(create_graph=True)
    assert isinstance(x.grad, bp.Tensor)
    assert x.grad.requires_grad
    assert x.grad.item() == 12.0
    first = x.grad
    x.zero_grad()
    first.backward()
    assert isinstance(x.grad, np.ndarray)
    assert x.grad == 12.0


def test_create_graph_to_the_third_order_by_backward():
    x = leaf([0.3, -0.7])
    t = np.tanh([0.3, -0.7])
    y = np.tanh(x).sum()
    expected = [1 - t**2, -2 * t * (1 - t**2), (6 * t**2 - 2) * (1 - t**2)]
    for value in expected:
        x.zero_grad()
        y.backward(create_graph=True)
        assert np.allclose(x.grad.data, value, rtol=1e-13, atol=0)
        y = x.grad.sum()


def test_gradients_to_the_fourth_order():
    x = leaf(1.5)
    y = x**5
    for expected in (5 * 1.5**4, 20 * 1.5**3, 60 * 1.5**2, 120 * 1.5):
        (y,) = bp.gradients(y, [x], create_graph=True)
        assert y.item() == pytest.approx(expected, rel=1e-14)
    assert x.grad is None, "gradients() touches no .grad"


def test_mixed_second_derivatives_agree():
    x, y = leaf(0.8), leaf(1.3)
    f = np.sin(x * y) * x
    f_x, f_y = bp.gradients(f, [x, y], create_graph=True)
    (f_xy,) = bp.gradients(f_x, [y])
    (f_yx,) = bp.gradients(f_y, [x])
    p = 0.8 * 1.3
    exact = 2 * 0.8 * np.cos(p) - 0.8 * p * np.sin(p)
    assert f_xy == pytest.approx(exact, rel=1e-14)
    assert f_yx == pytest.approx(exact, rel=1e-14)


def test_without_create_graph_a_gradient_is_a_plain_array():
    x = leaf([1.0, 2.0])
    (x * x).sum().backward()
    assert type(x.grad) is np.ndarray
    (gradient,) = bp.gradients((x * x).sum(), [x])
    assert type(gradient) is np.ndarray


def test_a_gradient_penalty():
    """The derivative of the squared gradient of a network's output, against a closed form."""
    w = leaf([0.5, -0.4])
    x = leaf([1.0, 2.0])
    out = np.tanh(w @ x)
    (by_x,) = bp.gradients(out, [x], create_graph=True)
    (by_x @ by_x).backward()
    a = np.array([0.5, -0.4])
    t = np.tanh(a @ [1.0, 2.0])
    slope = 1 - t**2
    exact = 2 * a * slope**2 + (a @ a) * 2 * slope * (-2 * t * slope) * np.array([1.0, 2.0])
    assert np.allclose(w.grad, exact, rtol=1e-13)


# gradients()


def test_gradients_by_leaves_and_interior_nodes():
    x = leaf(2.0)
    y = x * 3.0
    z = y * y
    assert bp.gradients(z, [y, x, z]) == [12.0, 36.0, 1.0]
    assert bp.gradients(z, [x, x]) == [36.0, 36.0]


def test_gradients_by_what_the_output_does_not_depend_on_are_zeros():
    x, other = leaf([1.0, 2.0]), leaf(np.ones((2, 2)), dtype=np.float32)
    by_x, by_other = bp.gradients(x.sum(), [x, other])
    assert np.array_equal(by_x, [1.0, 1.0])
    assert np.array_equal(by_other, np.zeros((2, 2)))
    assert by_other.dtype == np.float32


def test_gradients_by_one_input_calls_no_derivative_of_the_others(counter):
    x, y = leaf(2.0), leaf(3.0)
    z = x * y + y * y
    assert bp.gradients(z, [x]) == [3.0]
    assert len(counter.calls) == 2  # through the sum to x * y, and to x


# Seeds


def test_a_seed_weighs_the_elements():
    x = leaf([1.0, 2.0, 3.0])
    (x * x).backward([1.0, 10.0, 100.0])
    assert np.array_equal(x.grad, [2.0, 40.0, 600.0])


@pytest.mark.parametrize(
    "seed",
    [
        [1, 2],
        (1, 2),
        np.array([1, 2]),
        np.array([1, 2], np.float32),
        np.array([1, 2], bool) + np.array([0, 1]),
        bp.Tensor([1, 2]),
        bp.Tensor([1.0, 2.0]),
        bp.Tensor(np.float32([1, 2])),
    ],
    ids=lambda seed: f"{type(seed).__name__}-{getattr(seed, 'dtype', '')}",
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_seed_of_another_kind_is_taken_as_the_outputs_dtype(seed, dtype):
    x = leaf([3.0, 5.0], dtype=dtype)
    (x * x).backward(seed)
    assert type(x.grad) is np.ndarray
    assert x.grad.dtype == dtype
    assert np.array_equal(x.grad, [6.0, 20.0])
    y = x * x
    y.backward(seed, keep_grads=True)
    assert y.grad.dtype == dtype
    assert not np.shares_memory(y.grad, seed.data if isinstance(seed, bp.Tensor) else seed)
    (gradient,) = bp.gradients(x * x, [x], seed)
    assert type(gradient) is np.ndarray
    assert gradient.dtype == dtype
    assert np.array_equal(gradient, [6.0, 20.0])


def test_a_seed_that_requires_grad_is_differentiated_too():
    """A vjp is linear in its seed, so the derivative by the seed is the Jacobian: forward mode."""
    x, seed = leaf([3.0, 5.0]), leaf([1.0, 1.0])
    (vjp,) = bp.gradients(x * x, [x], seed, create_graph=True)
    (by_seed,) = bp.gradients(vjp, [seed], [1.0, 10.0])
    assert np.array_equal(by_seed, [6.0, 100.0])


def test_a_single_element_of_any_shape_needs_no_seed():
    x = leaf([[2.0]])
    (x * x).backward()
    assert np.array_equal(x.grad, [[4.0]])
