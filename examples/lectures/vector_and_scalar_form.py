"""Backpropagation through T layers, in vector form and in scalar form.

The network is f_0 = x, then h_{t+1} = W_t f_t + b_t and f_{t+1} = g(h_{t+1}) for t = 0 ... T-1. The
objective is Φ = Loss(f_T, y). Two ways to write its gradient:

* Vector form. P_k is the derivative of Φ by f_k. One chain P_T, P_{T-1}, ..., P_0 is computed, each
  from the one before, and the gradients of a layer's W and b hang off one link of that chain. No
  link is computed twice: that is the dynamic programming.
* Scalar form. δ_i^k is the derivative of Φ by h_i^k. The same numbers, one index at a time.

One g′ lies between them: δ^k = g′(h_k) ⊙ P_k. The engine knows neither form. It finds the adjoint
of every node, so P_k must be the adjoint of the node f_k and δ^k that of the node h_k. This page
puts them beside each other.

∇_{f_k} f_{k+1} has a row for each entry of f_k, and a column for each of f_{k+1}: the transposed
Jacobian, so that a product of such matrices reads from the weights to Φ.

In the picture of the backward pass, start at Φ and follow the orange arrows through f_2, h_2, f_1,
h_1: they are the chain. Each arrow that leaves it ends at a W or a b. The plot shows the same for
T = 4, as P_4 → P_3 → ... → P_0, with what hangs off each link.

    python examples/lectures/vector_and_scalar_form.py [--out pictures] [--answers]

After the lecture notes "NN BP Algorithm", which name no author.
"""

from itertools import product
from typing import NamedTuple

import handout
import numpy as np
from adjoints import adjoints, compare
from functions import ACTIVATIONS, LOSSES
from handout import COLORS, Exercise
from side_by_side import difference, side_by_side

import tinygrad_bp as bp
from tinygrad_bp.engine.backprop import topological_order


class Problem(NamedTuple):
    """A network and one sample, all in arrays, with g and the loss by name."""

    x: np.ndarray
    y: np.ndarray
    W: list
    b: list
    g: str = "tanh"
    loss: str = "half squares"


def random_problem(widths, g="tanh", loss="half squares", shared_bias=False, seed=0):
    """Layers of these widths. A shared bias is one number for a layer, in place of a vector."""
    random = np.random.default_rng(seed)
    sizes = list(zip(widths[1:], widths[:-1], strict=True))
    return Problem(
        x=random.normal(size=widths[0]),
        y=random.normal(size=widths[-1]),
        W=[random.normal(size=size) / np.sqrt(size[1]) for size in sizes],
        b=[random.normal(size=() if shared_bias else size[0]) for size in sizes],
        g=g,
        loss=loss,
    )


def network(problem, by_data=True):
    """Φ as a graph whose nodes have the names of the notes; with an adjoint of the data, or not."""
    x, y, W, b, g, loss = problem
    f = bp.Tensor(x, requires_grad=by_data, name="f_0")
    for t in range(len(W)):
        W_t = bp.Tensor(W[t], requires_grad=True, name=f"W_{t}")
        b_t = bp.Tensor(b[t], requires_grad=True, name=f"b_{t}")
        h = W_t @ f + b_t
        h.name = f"h_{t + 1}"
        f = ACTIVATIONS[g][0](h)
        f.name = f"f_{t + 1}"
    phi = LOSSES[loss][0](f, bp.Tensor(y, name="y"))
    phi.name = "Φ"
    return phi


def forward_values(problem):
    """All h and f by hand, as lists by layer; h[0] is None."""
    x, _, W, b, g, _ = problem
    h, f = [None], [x]
    for t in range(len(W)):
        h.append(W[t] @ f[t] + b[t])
        f.append(ACTIVATIONS[g][0](h[t + 1]))
    return h, f


def forward_by_index(problem):
    """The same, one index at a time."""
    x, _, w, b, g, _ = problem
    h, f = [None], [x]
    for k in range(len(w)):
        h.append(np.zeros(len(w[k])))
        for i in range(len(w[k])):
            bias = b[k][i] if b[k].ndim else b[k]
            h[k + 1][i] = sum(w[k][i, j] * f[k][j] for j in range(len(f[k]))) + bias
        f.append(ACTIVATIONS[g][0](h[k + 1]))
    return h, f


def rows_forward(problem):
    """The model itself: rows of (formula, by hand, engine)."""
    h, f = forward_values(problem)
    _, by_index = forward_by_index(problem)
    engine = {node.name: node.data for node in topological_order(network(problem))}
    for t in range(len(problem.W)):
        yield f"h_{t + 1} = W_{t} f_{t} + b_{t}", h[t + 1], engine[f"h_{t + 1}"]
        yield f"f_{t + 1} = g(h_{t + 1})", f[t + 1], engine[f"f_{t + 1}"]
        formula = f"f_i^{t + 1} = g(Σ_j w_ij^{t} f_j^{t} + b^{t})"
        yield formula, by_index[t + 1], engine[f"f_{t + 1}"]


def jacobian_chains(problem):
    """The gradients of the last two W as products of whole Jacobians: rows as in `rows_forward`.

    A matrix of weights counts as a long vector here, row after row.
    """
    T, W, (h, f) = len(problem.W), problem.W, forward_values(problem)
    g, g_prime = ACTIVATIONS[problem.g]
    found = adjoints(network(problem))

    def layer(W, f, b):
        return g(W @ f + b)

    def by_weights(t):  # a row for each w_ij: g′(h_i) f_j in column i, else 0
        return np.kron(np.diag(g_prime(h[t + 1])), f[t][:, np.newaxis])

    def by_inputs(t):  # W_tᵀ, each column times its g′
        return W[t].T * g_prime(h[t + 1])

    P_T = LOSSES[problem.loss][1](f[T], problem.y)
    for t in (T - 1, T - 2)[:T]:
        jacobian = bp.jacobian(layer)(W[t], f[t], problem.b[t])
        engine = np.reshape(jacobian, (len(W[t]), -1)).T
        yield f"∇_W{t} f_{t + 1}: g′(h_i) f_j for its output i", by_weights(t), engine
    last, before = f"∇_W{T - 1} f_{T}", f"∇_W{T - 2} f_{T - 1}"
    yield f"∇_W{T - 1} Φ = {last} ∇_f{T} Φ", by_weights(T - 1) @ P_T, found[f"W_{T - 1}"].ravel()
    if T > 1:
        jacobian = bp.jacobian(layer, 1)(W[T - 1], f[T - 1], problem.b[T - 1])
        between = f"∇_f{T - 1} f_{T}"
        yield f"{between} = W_{T - 1}ᵀ diag g′(h_{T})", by_inputs(T - 1), jacobian.T
        yield f"P_{T - 1} = {between} P_{T}", by_inputs(T - 1) @ P_T, found[f"f_{T - 1}"]
        chain = by_weights(T - 2) @ by_inputs(T - 1) @ P_T
        formula = f"∇_W{T - 2} Φ = {before} {between} ∇_f{T} Φ"
        yield formula, chain, found[f"W_{T - 2}"].ravel()


def links(problem):
    """What joins the two forms: rows as in `rows_forward`, the sums over s written out."""
    T, W, (h, _) = len(problem.W), problem.W, forward_values(problem)
    g_prime, found = ACTIVATIONS[problem.g][1], adjoints(network(problem))
    P = {node: value for _, node, value in vector_form(problem)}
    delta = {node: value for _, node, value in scalar_form(problem)}
    for k in range(T, 0, -1):
        yield f"δ^{k} = g′(h_{k}) ⊙ P_{k}", g_prime(h[k]) * P[f"f_{k}"], found[f"h_{k}"]
    for k in range(T - 1, 0, -1):
        sums = [
            sum(delta[f"h_{k + 1}"][s] * W[k][s, i] for s in range(len(W[k])))
            for i in range(len(h[k]))
        ]
        yield f"∂Φ/∂f_i^{k} = Σ_s δ_s^{k + 1} w_si^{k}", np.array(sums), found[f"f_{k}"]
        jacobian = bp.jacobian(lambda f, k=k: W[k] @ f + problem.b[k])(np.zeros(len(h[k])))
        yield f"∂h_s^{k + 1}/∂f_i^{k} = w_si^{k}", W[k], jacobian


def written_out(problem):
    """The gradients of the last two W, index by index from end to end: rows as above."""
    T, W, (h, f) = len(problem.W), problem.W, forward_values(problem)
    g_prime, found = ACTIVATIONS[problem.g][1], adjoints(network(problem))
    by_f = LOSSES[problem.loss][1](f[T], problem.y)
    last = np.zeros(W[T - 1].shape)
    for i, j in np.ndindex(last.shape):
        last[i, j] = by_f[i] * g_prime(h[T])[i] * f[T - 1][j]
    formula = f"∂Φ/∂w_ij^{T - 1} = ∂Φ/∂f_i^{T} ∂f_i^{T}/∂h_i^{T} ∂h_i^{T}/∂w_ij^{T - 1}"
    yield formula, last, found[f"W_{T - 1}"]
    if T > 1:
        delta, slopes = by_f * g_prime(h[T]), g_prime(h[T - 1])
        before = np.zeros(W[T - 2].shape)
        for i, j in np.ndindex(before.shape):
            paid = sum(delta[s] * W[T - 1][s, i] for s in range(len(delta)))
            before[i, j] = paid * slopes[i] * f[T - 2][j]
        sums = f"Σ_s ∂Φ/∂h_s^{T} ∂h_s^{T}/∂f_i^{T - 1}"
        formula = f"∂Φ/∂w_ij^{T - 2} = ({sums}) g′(h_i^{T - 1}) f_j^{T - 2}"
        yield formula, before, found[f"W_{T - 2}"]


def vector_form(problem):
    """The recurrence for P: rows of (formula, the node whose adjoint it is, value)."""
    _, y, W, b, g, loss = problem
    g_prime, T = ACTIVATIONS[g][1], len(W)
    h, f = forward_values(problem)
    P = [None] * T + [LOSSES[loss][1](f[T], y)]
    yield f"P_{T} = ∇Loss(f_{T})", f"f_{T}", P[T]
    for k in reversed(range(T)):
        through_g = g_prime(h[k + 1]) * P[k + 1]
        by_bias = through_g if b[k].ndim else np.sum(through_g)
        P[k] = W[k].T @ through_g
        link = f"g′(h_{k + 1}) ⊙ P_{k + 1}"
        yield f"∇W_{k} = ({link}) f_{k}ᵀ", f"W_{k}", np.outer(through_g, f[k])
        yield f"∇b_{k} = {link}" if b[k].ndim else f"∇b_{k} = Σ {link}", f"b_{k}", by_bias
        yield f"P_{k} = W_{k}ᵀ ({link})", f"f_{k}", P[k]


def scalar_form(problem):
    """The recurrence for δ, index by index: rows as in `vector_form`."""
    x, y, w, b, g, loss = problem
    g_prime = ACTIVATIONS[g][1]
    T, d = len(w), [len(x), *map(len, w)]
    h, f = forward_by_index(problem)

    delta = [np.zeros(width) for width in d]
    by_output = LOSSES[loss][1](f[T], y)
    for j in range(d[T]):
        delta[T][j] = by_output[j] * g_prime(h[T][j])
    yield f"δ_j^{T} = ∂Φ/∂f_j^{T} g′(h_j^{T})", f"h_{T}", delta[T]
    for k in reversed(range(1, T)):
        for i in range(d[k]):
            paid = sum(delta[k + 1][s] * w[k][s, i] for s in range(d[k + 1]))
            delta[k][i] = paid * g_prime(h[k][i])
        yield f"δ_i^{k} = (Σ_s δ_s^{k + 1} w_si^{k}) g′(h_i^{k})", f"h_{k}", delta[k]
    for k in range(T):
        by_weight = np.zeros((d[k + 1], d[k]))
        for i in range(d[k + 1]):
            for j in range(d[k]):
                by_weight[i, j] = delta[k + 1][i] * f[k][j]
        yield f"∂Φ/∂w_ij^{k} = δ_i^{k + 1} f_j^{k}", f"W_{k}", by_weight
        by_bias = delta[k + 1] if b[k].ndim else sum(delta[k + 1])
        yield f"∂Φ/∂b^{k} = {'δ' if b[k].ndim else 'Σ_i δ_i'}^{k + 1}", f"b_{k}", by_bias


def compare_forms(problem):
    """Rows of (formula, vector form, scalar form) for the gradients that both compute."""
    vector = {node: (formula, value) for formula, node, value in vector_form(problem)}
    scalar = {node: value for _, node, value in scalar_form(problem)}
    return [(*vector[node], scalar[node]) for node in scalar if node in vector]


def all_rows(problem):
    """Every comparison of this page: each form with the engine, and the two forms."""
    both = [*vector_form(problem), *scalar_form(problem)]
    direct = [*rows_forward(problem), *jacobian_chains(problem), *links(problem)]
    direct += [*written_out(problem), *compare_forms(problem)]
    return direct + compare(network(problem), both)


def sweep():
    """How many networks agree, and the largest difference."""
    choices = list(product(range(1, 7), ACTIVATIONS, LOSSES, (False, True)))
    largest = 0.0
    for seed, (T, g, loss, shared_bias) in enumerate(choices):
        widths = [2 + (seed + 3 * layer) % 4 for layer in range(T + 1)]
        problem = random_problem(widths, g, loss, shared_bias, seed)
        largest = max(largest, *(difference(a, b) for _, a, b in all_rows(problem)))
    return len(choices), largest


def plot_chain(file):
    """P_4 → ... → P_0 from left to right, and below each link what hangs off it."""
    import matplotlib.pyplot as plt

    T = 4
    found = adjoints(network(random_problem([2] * (T + 1))))
    figure, axes = plt.subplots(figsize=(13, 3.6), layout="constrained")
    arrow = {"arrowstyle": "->", "color": COLORS["gradient"], "linewidth": 1.8}
    low = [chr(ord("₀") + k) for k in range(T + 1)]  # lowered digits
    for k in range(T, -1, -1):
        x = T - k
        _box(axes, (x, 1), f"P{low[k]}", found[f"f_{k}"], COLORS["gradient"])
        if k > 0:
            axes.annotate("", (x + 0.73, 1), (x + 0.27, 1), arrowprops=arrow)
            axes.text(x + 0.5, 1.06, rf"$\nabla_{{f_{k - 1}}} f_{k}$", ha="center", fontsize=11)
            axes.annotate("", (x, 0.3), (x, 0.86), arrowprops=arrow)
            axes.text(x + 0.04, 0.56, rf"$\nabla_{{W_{k - 1}}} f_{k}$", fontsize=11)
            gradient = rf"$\nabla_{{W_{k - 1}}} \Phi$"
            _box(axes, (x, 0.1), gradient, found[f"W_{k - 1}"], COLORS["value"])
    axes.set(xlim=(-0.35, T + 0.35), ylim=(-0.15, 1.3))
    axes.axis("off")
    axes.set_title(f"T = {T}: the chain is computed once, and each gradient hangs off one link")
    figure.savefig(file, dpi=110)
    plt.close(figure)


def _box(axes, at, name, value, color):
    numbers = "\n".join(" ".join(f"{x:.4f}" for x in row) for row in np.atleast_2d(value))
    frame = {"boxstyle": "round", "facecolor": "white", "edgecolor": color}
    told = f"{name}\n{numbers}"
    axes.text(*at, told, ha="center", va="center", fontsize=10, color=COLORS["ink"], bbox=frame)


def links_to(T):
    """How many f lie between Φ and each W, for T layers."""
    phi = network(random_problem([2] * (T + 1)))
    graph = bp.explain.view(phi)
    return [
        sum(name.startswith("f_") for name in bp.paths(phi, graph[f"W_{k}"].tensor)[0].nodes) - 1
        for k in range(T)
    ]


EXERCISES = (
    Exercise(
        "T = 10 layers. To compute each ∇W_k Φ by itself takes as many products with a Jacobian "
        "∇_f f as lie between it and Φ. How many is that in all, and how many for the chain?",
        lambda: (sum(links_to(10)), max(links_to(10))),
        "{0[0]} against {0[1]}: T (T - 1) / 2 against T - 1. Each link is found once and reused.",
    ),
    Exercise(
        "The chain ends with P_0, the derivative by the data. Which gradient of a parameter needs "
        "it, and how long is it here?",
        lambda: float(np.linalg.norm(adjoints(network(random_problem([2, 3, 2])))["f_0"])),
        "None, so training can leave it out. Its length is {:.4f}: a small step of the data along "
        "it changes Φ by that times the step.",
    ),
    Exercise(
        "With one bias for a whole layer, what is its gradient, if δ^1 is (0.2, -0.5, 0.4)?",
        lambda: float(bp.grad(lambda b: np.sum([0.2, -0.5, 0.4] * (b + np.zeros(3))))(0.0)),
        "The sum, {:.1f}: what was broadcast forward is summed on the way back.",
    ),
)


@handout.quiet_end()
def main():
    page = handout.begin(__doc__)
    problem = random_problem([2, 3, 2])
    print("T = 2 layers, widths 2-3-2, g = tanh, half the squared error.")
    print("\nForward:")
    side_by_side(rows_forward(problem))
    print("\nJacobian chains for widths 1-2-1, a matrix of weights as one long vector:")
    side_by_side(jacobian_chains(random_problem([1, 2, 1])))
    print("\nThe same two gradients with all indices, from end to end:")
    side_by_side(written_out(random_problem([1, 2, 1])))
    print("\nVector form: P_k is the adjoint of the node f_k, and each gradient hangs off one P.")
    side_by_side(compare(network(problem), vector_form(problem)))
    print("\nScalar form: δ^k is the adjoint of the node h_k, found index by index.")
    side_by_side(compare(network(problem), scalar_form(problem)))
    print("\nWhat joins them:")
    side_by_side(links(problem))
    print("\nOne bias for a whole layer: its gradient is the sum, as it was used in every unit.")
    shared = random_problem([2, 3, 2], shared_bias=True)
    side_by_side(compare(network(shared), (row for row in vector_form(shared) if row[1][0] == "b")))
    problems, largest = sweep()
    print(f"\n{problems} more networks, with T = 1 ... 6 and both shapes of the bias:")
    print(f"g:    {', '.join(ACTIVATIONS)}\nLoss: {', '.join(LOSSES)}")
    print("Vector form, scalar form and engine give the same: the largest difference, relative to")
    print(f"the largest element, is {largest:.0e}.")
    print("\nThe chain and what hangs off it:")
    phi = network(problem, by_data=False)
    phi.backward(keep_grads=True)
    page.draw(phi, "vector_and_scalar_form", notation="P")
    page.plot(plot_chain, "vector_and_scalar_form_chain.png")
    page.ask(EXERCISES)


if __name__ == "__main__":
    main()
