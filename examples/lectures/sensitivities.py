"""Sensitivities, with the bias as row 0 of the weights.

Layer l has one matrix W^(l) of shape (d^(l-1) + 1, d^(l)): row 0 holds the biases. To match it, the
outputs of a layer are stored as a column x^(l) with x_0 = 1 in front. Then s^(l) = W^(l)ᵀ x^(l-1),
x^(l) = θ(s^(l)), and the error is e = loss(x^(L), y).

A weight w_ij^(l) acts on e through one number, s_j^(l). So two factors are enough: how e changes
with s_j^(l), which is the sensitivity δ_j^(l), and how s_j^(l) changes with the weight, which is
x_i^(l-1). All weights that end in unit j share its δ_j: it is found once and used d^(l-1) + 1
times. Row 0 is no special case, as its x_0 is 1: the gradient of a bias is δ_j itself.

In short, e(Ω) = e(s^(l), W^(l+1), ..., W^(L)): once s^(l) is known, the layers before it no longer
matter. That is what makes the recurrence a dynamic programme: δ^(l) is the answer to the question
"how does e change with s^(l)?", it needs δ^(l+1) alone, and all weights of layer l reuse it.

On the way back, W^(l) δ^(l) is the adjoint of x^(l-1). Its row 0 belongs to the constant 1, which
depends on nothing, so that row ends there: Ŵ is W without it.

In the picture of the backward pass, exactly one orange arrow enters each W^(l), through its
transpose. It starts at s^(l), and the number that it carries there is δ^(l).

    python examples/lectures/sensitivities.py [--out pictures] [--answers]

After the part on backward propagation of lecture notes that have no title and name no author.
"""

from itertools import pairwise, product
from typing import NamedTuple

import handout
import numpy as np
from adjoints import adjoints, compare
from functions import ACTIVATIONS, LOSSES
from handout import Exercise
from side_by_side import difference, side_by_side

import tinygrad_bp as bp
from tinygrad_bp.engine.backprop import topological_order


class Problem(NamedTuple):
    """A network and one sample. W[0] is None: layers are counted from 1, as in the notes."""

    x: np.ndarray  # a column, without the 1 in front
    y: np.ndarray  # a column
    W: list
    theta: str = "tanh"
    loss: str = "squares"


def random_problem(widths, theta="tanh", loss="squares", seed=0):
    """Layers of these widths; every W has a row more than its layer has inputs."""
    random = np.random.default_rng(seed)
    return Problem(
        x=random.normal(size=(widths[0], 1)),
        y=random.normal(size=(widths[-1], 1)),
        W=[None, *(random.normal(size=(n + 1, m)) / np.sqrt(n + 1) for n, m in pairwise(widths))],
        theta=theta,
        loss=loss,
    )


def with_one_in_front(column):
    return np.concatenate([np.ones((1, 1)), column])


def network(problem, by_data=True):
    """The error e as a graph with the names of the notes; with an adjoint of the data, or not."""
    x, y, W, theta, loss = problem
    L = len(W) - 1
    x = bp.Tensor(with_one_in_front(x), requires_grad=by_data, name="x^(0)")
    for layer in range(1, L + 1):
        W_layer = bp.Tensor(W[layer], requires_grad=True, name=f"W^({layer})")
        s = W_layer.T @ x
        s.name = f"s^({layer})"
        x = ACTIVATIONS[theta][0](s)
        if layer < L:
            x = with_one_in_front(x)
        x.name = f"x^({layer})"
    e = LOSSES[loss][0](x, bp.Tensor(y, name="y"))
    e.name = "e"
    return e


def forward(problem):
    """All s and x by hand; x[layer] has the 1 in front, but for the last layer."""
    x, _, W, theta, _ = problem
    L = len(W) - 1
    s, x = [None], [with_one_in_front(x)]
    for layer in range(1, L + 1):
        s.append(W[layer].T @ x[layer - 1])
        x.append(ACTIVATIONS[theta][0](s[layer]))
        if layer < L:
            x[layer] = with_one_in_front(x[layer])
    return s, x


def by_matrices(problem):
    """The recurrence for δ: rows of (formula, the node whose adjoint it is, value)."""
    _, y, W, theta, loss = problem
    theta_prime = ACTIVATIONS[theta][1]
    L = len(W) - 1
    s, x = forward(problem)

    delta = [None] * (L + 1)
    delta[L] = LOSSES[loss][1](x[L], y) * theta_prime(s[L])
    yield f"δ^({L}) = ∂loss/∂x^({L}) ⊙ θ′(s^({L}))", f"s^({L})", delta[L]
    for layer in range(L, 0, -1):
        below = layer - 1
        gradient = x[below] @ delta[layer].T
        by_x = W[layer] @ delta[layer]
        yield f"∂e/∂W^({layer}) = x^({below}) δ^({layer})ᵀ", f"W^({layer})", gradient
        yield f"∂e/∂x^({below}) = W^({layer}) δ^({layer})", f"x^({below})", by_x
        if below > 0:
            delta[below] = (W[layer][1:] @ delta[layer]) * theta_prime(s[below])
            formula = f"δ^({below}) = [Ŵ^({layer}) δ^({layer})] ⊙ θ′(s^({below}))"
            yield formula, f"s^({below})", delta[below]


def by_indices(problem):
    """The same, one index at a time: i counts inputs from 0, the bias; j counts units from 1."""
    _, y, W, theta, loss = problem
    theta_prime = ACTIVATIONS[theta][1]
    L = len(W) - 1
    s, x = forward(problem)
    d = [len(problem.x), *(W[layer].shape[1] for layer in range(1, L + 1))]

    delta = [np.zeros((width, 1)) for width in d]
    by_output = LOSSES[loss][1](x[L], y)
    for j in range(d[L]):
        delta[L][j] = by_output[j] * theta_prime(s[L][j])
    yield f"δ_j^({L}) = ∂loss/∂x_j^({L}) θ′(s_j^({L}))", f"s^({L})", delta[L]
    for layer in range(L - 1, 0, -1):
        for i in range(d[layer]):
            paid = sum(delta[layer + 1][j] * W[layer + 1][1 + i, j] for j in range(d[layer + 1]))
            delta[layer][i] = paid * theta_prime(s[layer][i])
        formula = f"δ_i^({layer}) = (Σ_j δ_j^({layer + 1}) w_ij^({layer + 1})) θ′(s_i^({layer}))"
        yield formula, f"s^({layer})", delta[layer]
    for layer in range(1, L + 1):
        gradient = np.zeros(W[layer].shape)
        for i in range(d[layer - 1] + 1):
            for j in range(d[layer]):
                gradient[i, j] = x[layer - 1][i, 0] * delta[layer][j, 0]
        yield f"∂e/∂w_ij^({layer}) = x_i^({layer - 1}) δ_j^({layer})", f"W^({layer})", gradient


def rows_forward(problem):
    """The network itself: rows of (formula, by hand, engine), each s_j as a sum."""
    W, (_, xs) = problem.W, forward(problem)
    engine = {node.name: node.data for node in topological_order(network(problem))}
    for layer in range(1, len(W)):
        below, w = xs[layer - 1][1:, 0], W[layer]
        sums = [w[0, j] + sum(w[1:, j] * below) for j in range(w.shape[1])]
        sums = np.array(sums)[:, np.newaxis]
        formula = f"s_j^({layer}) = w_0j^({layer}) + Σ_i w_ij^({layer}) x_i^({layer - 1})"
        yield formula, sums, engine[f"s^({layer})"]
        one = ", with x_0 = 1" * (layer < len(W) - 1)
        yield f"x^({layer}) = θ(s^({layer})){one}", xs[layer], engine[f"x^({layer})"]


def samples(problem, count=3):
    """The same Ω on several samples."""
    random = np.random.default_rng(1)
    for _ in range(count):
        yield problem._replace(x=random.normal(size=problem.x.shape))


def rows_of_dependence(problem):
    """What depends on what: rows of (formula, by hand, engine)."""
    _, y, W, theta, loss = problem
    s, x = forward(problem)
    g, L, engine = ACTIVATIONS[theta][0], len(W) - 1, network(problem)
    each = [LOSSES[loss][0](forward(p)[1][L], y) for p in samples(problem)]
    yield (
        "e_n(Ω) = loss(x^(L), y_n), n = 1, 2, 3",
        each,
        [network(p).data for p in samples(problem)],
    )
    later = s[1]
    for layer in range(2, L + 1):
        later = W[layer].T @ with_one_in_front(g(later))
    yield "e(Ω) = e(s^(1), W^(2), ..., W^(L))", LOSSES[loss][0](g(later), y), engine.data
    inputs = x[0][:, 0]
    jacobian = bp.jacobian(lambda w: w @ inputs)(W[1][:, 0])
    yield "∂s_j^(1)/∂w_ij^(1) = x_i^(0)", inputs, jacobian
    delta = {node: value for _, node, value in by_indices(problem)}
    for layer in range(L - 1, 0, -1):
        above = delta[f"s^({layer + 1})"]
        by_x = [sum(above[:, 0] * W[layer + 1][i]) for i in range(1, len(x[layer]))]
        formula = f"∂e/∂x_i^({layer}) = Σ_j δ_j^({layer + 1}) w_ij^({layer + 1}), i ≥ 1"
        by_x = np.array(by_x)
        yield formula, by_x, adjoints(engine)[f"x^({layer})"][1:, 0]
        formula = f"δ_i^({layer}) = ∂e/∂x_i^({layer}) θ′(s_i^({layer}))"
        slopes = ACTIVATIONS[theta][1](s[layer])[:, 0]
        yield formula, by_x * slopes, adjoints(engine)[f"s^({layer})"][:, 0]
    if loss == "squares":
        last = 2 * (x[L] - y) * ACTIVATIONS[theta][1](s[L])
        yield f"δ^({L}) = 2 (x^({L}) - y) θ′(s^({L}))", last, adjoints(engine)[f"s^({L})"]


def two_variables(s=2.0, t=3.0):
    """The chain rule recalled, on z = x y with x = s t and y = s + t: rows as above."""
    x, y = s * t, s + t
    s_, t_ = (bp.Tensor(v, requires_grad=True) for v in (s, t))
    by_s, by_t = bp.gradients((s_ * t_) * (s_ + t_), [s_, t_])
    yield f"∂z/∂s = ∂z/∂x ∂x/∂s + ∂z/∂y ∂y/∂s = {y:g}·{t:g} + {x:g}·1", y * t + x * 1, by_s
    yield f"∂z/∂t = ∂z/∂x ∂x/∂t + ∂z/∂y ∂y/∂t = {y:g}·{s:g} + {x:g}·1", y * s + x * 1, by_t


def compare_biases(problem):
    """Rows of (formula, δ by hand, row 0 of the engine's gradient)."""
    found = adjoints(network(problem))
    for _, node, delta in by_matrices(problem):
        if node.startswith("s"):
            layer = node.removeprefix("s^")
            yield f"∂e/∂w_0j^{layer} = δ_j^{layer}", delta[:, 0], found[f"W^{layer}"][0]


def all_rows(problem):
    """Every comparison of this page."""
    both = [*by_matrices(problem), *by_indices(problem)]
    direct = [*rows_forward(problem), *rows_of_dependence(problem)]
    return [*direct, *compare(network(problem), both), *compare_biases(problem)]


def sweep():
    """How many networks agree, and the largest difference."""
    choices = list(product(range(1, 7), ACTIVATIONS, LOSSES))
    largest = 0.0
    for seed, (L, theta, loss) in enumerate(choices):
        widths = [2 + (seed + 3 * layer) % 4 for layer in range(L + 1)]
        problem = random_problem(widths, theta, loss, seed)
        largest = max(largest, *(difference(a, b) for _, a, b in all_rows(problem)))
    return len(choices), largest


EXERCISES = (
    Exercise(
        "δ^(1) of a layer of 2 inputs and 2 units is found once. In how many gradients of weights "
        "is it used?",
        lambda: adjoints(network(random_problem([2, 2, 1])))["W^(1)"].size,
        "In {} of them, the biases among them: each w_ij takes δ_j times x_i.",
    ),
    Exercise(
        "What does the pass find for the constant x_0 = 1 of layer 1, and who uses it?",
        lambda: float(adjoints(network(random_problem([2, 2, 1])))["x^(1)"][0, 0]),
        "{:.4f}, which is Σ_j w_0j δ_j. Nobody does: a constant depends on nothing, so Ŵ leaves "
        "that row out.",
    ),
    Exercise(
        "The output is right to 0.01, and θ is tanh with s^(L) = 3. How large is δ^(L) for the "
        "square, and what does that mean when it is wrong by 1?",
        lambda: [float(2 * off / np.cosh(3.0) ** 2) for off in (0.01, 1.0)],
        "{0[0]:.5f}, and {0[1]:.4f} for an error of 1: θ′(3) is so small that a unit that is far "
        "out learns slowly, however wrong it is.",
    ),
)


@handout.quiet_end()
def main():
    page = handout.begin(__doc__)
    problem = random_problem([2, 2, 1])
    print("L = 2 layers, widths 2-2-1, θ = tanh, e = (x^(2) - y)². Row 0 of each W is the bias.")
    shapes = ", ".join(f"W^({k}) {W.shape}" for k, W in enumerate(problem.W) if k)
    print(f"Ω = {{{shapes}}}")
    side_by_side(rows_forward(problem))
    print("\nWhat depends on what:")
    side_by_side(rows_of_dependence(problem))
    print("\nThe chain rule recalled, for z = x y with x = s t and y = s + t, at s = 2 and t = 3:")
    side_by_side(two_variables())
    print("\nColumns and outer products: δ^(l) is the adjoint of the node s^(l).")
    side_by_side(compare(network(problem), by_matrices(problem)))
    print("\nThe same, one index at a time:")
    side_by_side(compare(network(problem), by_indices(problem)))
    print("\nRow 0 alone: x_0 = 1, so the gradient of a bias is the sensitivity itself.")
    side_by_side(compare_biases(problem))
    problems, largest = sweep()
    print(f"\n{problems} more networks, with L = 1 ... 6:")
    print(f"θ:    {', '.join(ACTIVATIONS)}\nloss: {', '.join(LOSSES)}")
    print("By matrices, by indices and by the engine the results are the same: the largest")
    print(f"difference, relative to the largest element, is {largest:.0e}.")
    print("\nOne orange arrow enters each W:")
    e = network(problem, by_data=False)
    e.backward(keep_grads=True)
    page.draw(e, "sensitivities", notation="sensitivity")
    page.ask(EXERCISES)


if __name__ == "__main__":
    main()
