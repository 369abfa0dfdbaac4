"""Backpropagation through T layers, in vector form and in scalar form.

The network is f_0 = x, then h_{t+1} = W_t f_t + b_t and f_{t+1} = g(h_{t+1}) for t = 0 ... T-1. The
objective is Φ = Loss(f_T, y). Two ways to write its gradient:

* Vector form. P_k is the derivative of Φ by f_k. One chain P_T, P_{T-1}, ..., P_0 is computed, each
  from the one before, and the gradients of a layer's W and b hang off one link of that chain. No
  link is computed twice: that is the dynamic programming.
* Scalar form. δ_i^k is the derivative of Φ by h_i^k. The same numbers, one index at a time.

The engine knows neither form. It finds the adjoint of every node, so P_k must be the adjoint of the
node f_k and δ^k that of the node h_k. This page puts them beside each other.

In the picture of the backward pass, start at Φ and follow the orange arrows through f_2, h_2, f_1,
h_1: they are the chain. Each arrow that leaves it ends at a W or a b.

    python examples/lectures/vector_and_scalar_form.py [--out pictures] [--answers]

After the lecture notes "NN BP Algorithm", which name no author.
"""

from itertools import product
from typing import NamedTuple

import handout
import numpy as np
from adjoints import compare
from functions import ACTIVATIONS, LOSSES
from side_by_side import difference, side_by_side

import tinygrad_bp as bp


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


def network(problem):
    """Φ as a graph whose nodes have the names of the notes."""
    x, y, W, b, g, loss = problem
    f = bp.Tensor(x, requires_grad=True, name="f_0")
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


def vector_form(problem):
    """The recurrence for P: rows of (formula, the node whose adjoint it is, value)."""
    x, y, W, b, g, loss = problem
    g, g_prime = ACTIVATIONS[g]
    T = len(W)
    h, f = [None], [x]
    for t in range(T):
        h.append(W[t] @ f[t] + b[t])
        f.append(g(h[t + 1]))

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
    g, g_prime = ACTIVATIONS[g]
    T, d = len(w), [len(x), *map(len, w)]
    h, f = [None], [x]
    for k in range(T):
        h.append(np.zeros(d[k + 1]))
        for i in range(d[k + 1]):
            bias = b[k][i] if b[k].ndim else b[k]
            h[k + 1][i] = sum(w[k][i, j] * f[k][j] for j in range(d[k])) + bias
        f.append(g(h[k + 1]))

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
    return compare(network(problem), both) + compare_forms(problem)


def sweep():
    """How many networks agree, and the largest difference."""
    choices = list(product(range(1, 7), ACTIVATIONS, LOSSES, (False, True)))
    largest = 0.0
    for seed, (T, g, loss, shared_bias) in enumerate(choices):
        widths = [2 + (seed + 3 * layer) % 4 for layer in range(T + 1)]
        problem = random_problem(widths, g, loss, shared_bias, seed)
        largest = max(largest, *(difference(a, b) for _, a, b in all_rows(problem)))
    return len(choices), largest


def main():
    page = handout.begin(__doc__)
    problem = random_problem([2, 3, 2])
    print("T = 2 layers, widths 2-3-2, g = tanh, half the squared error.")
    print("\nVector form: P_k is the adjoint of the node f_k, and each gradient hangs off one P.")
    side_by_side(compare(network(problem), vector_form(problem)))
    print("\nScalar form: δ^k is the adjoint of the node h_k, found index by index.")
    side_by_side(compare(network(problem), scalar_form(problem)))
    print("\nOne bias for a whole layer: its gradient is the sum, as it was used in every unit.")
    shared = random_problem([2, 3, 2], shared_bias=True)
    side_by_side(compare(network(shared), (row for row in vector_form(shared) if row[1][0] == "b")))
    problems, largest = sweep()
    print(f"\n{problems} more networks, with T = 1 ... 6 and both shapes of the bias:")
    print(f"g:    {', '.join(ACTIVATIONS)}\nLoss: {', '.join(LOSSES)}")
    print("Vector form, scalar form and engine give the same: the largest difference, relative to")
    print(f"the largest element, is {largest:.0e}.")
    print("\nThe chain and what hangs off it:")
    phi = network(problem)
    phi.backward(keep_grads=True)
    page.draw(phi, "vector_and_scalar_form", notation="P")


if __name__ == "__main__":
    main()
