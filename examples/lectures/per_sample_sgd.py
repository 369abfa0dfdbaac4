"""Stochastic gradient descent, one random sample at a time, on one hidden layer of sigmoids.

There are N samples of m features x_k with Q targets d_q, and P hidden units; no biases.

    s_n = Σ_k w_nk x_k     h_n = σ(s_n)
    u_q = Σ_n v_qn h_n     d̂_q = σ(u_q)     f = ½ Σ_q (d̂_q - d_q)²

The slope of a sigmoid is known from its output:

    σ′(z) = exp(-z) / (1 + exp(-z))² = 1 / (1 + exp(-z)) · (1 - 1 / (1 + exp(-z))) = σ (1 - σ)

Two errors are all that a step needs, each found once:

    δ_q = (d̂_q - d_q) d̂_q (1 - d̂_q)        the adjoint of u_q;   ∂f/∂v_qn = δ_q h_n
    γ_n = (Σ_q δ_q v_qn) h_n (1 - h_n)     the adjoint of s_n;   ∂f/∂w_nk = γ_n x_k

Step t picks a sample i_t at random, computes both gradients there, and moves against them:

    v_qn ← v_qn - α_t δ_q h_n              w_nk ← w_nk - α_t γ_n x_k

The steps α_t get smaller with t: each knows one sample only, and what it does wrong to the others
must average out. `descent.py` shows the conditions on α_t at work; `variations.py` trains with
other activations, depths, batches and features, and `many_minima.py` from other starts.

A trap: γ goes back through the v that made the output, v^t. To update v first, and then to send δ
through the new v^{t+1}, is easily written, and it is not the gradient. The page shows by how much.

In the picture of the backward pass, the orange arrow into u carries δ, and that into s carries γ.
The arrow between them, from u to h, goes through v: that is the v^t of the trap.

    python examples/lectures/per_sample_sgd.py [--out pictures] [--answers]

After Barry Van Veen, "The Backpropagation Algorithm for Training Neural Networks", 2019.
"""

from itertools import pairwise
from typing import NamedTuple

import handout
import numpy as np
from adjoints import compare
from functions import ACTIVATIONS, LOSSES
from handout import Exercise
from side_by_side import difference, side_by_side

import tinygrad_bp as bp
from tinygrad_bp.functional import sigmoid


class Problem(NamedTuple):
    """A network and a sample. The weights are w and v; a deeper network has more in between."""

    x: np.ndarray
    d: np.ndarray
    weights: list
    g: str = "sigmoid"  # of the hidden units
    loss: str = "half squares"


def random_weights(widths, random):
    return [random.normal(size=(m, n)) * np.sqrt(2 / n) for n, m in pairwise(widths)]


def random_problem(widths, g="sigmoid", loss="half squares", seed=0):
    """Layers of these widths: m, P, Q in the notes' own case."""
    random = np.random.default_rng(seed)
    x, d = random.normal(size=widths[0]), random.uniform(size=widths[-1])
    return Problem(x, d, random_weights(widths, random), g, loss)


def names(weights):
    """The names of a layer's weights, sums and outputs: numbered where there are more layers."""
    hidden = range(1, len(weights))
    numbers = [""] if len(hidden) == 1 else [f"_{layer}" for layer in hidden]
    return [*((f"w{n}", f"s{n}", f"h{n}") for n in numbers), ("v", "u", "d_hat")]


def network(problem):
    """The cost f as a graph whose nodes have the names of the notes."""
    x, d, weights, g, loss = problem
    h = bp.Tensor(x, name="x")
    for W, (name_W, name_s, name_h) in zip(weights, names(weights), strict=True):
        s = bp.Tensor(W, requires_grad=True, name=name_W) @ h
        h = sigmoid(s) if W is weights[-1] else ACTIVATIONS[g][0](s)
        s.name, h.name = name_s, name_h
    f = LOSSES[loss][0](h, bp.Tensor(d, name="d"))
    f.name = "f"
    return f


# By hand, as the notes have it: index by index, one hidden layer


def forward(x, w, v):
    """The outputs of both layers, h and d̂."""
    (P, m), Q = w.shape, len(v)
    h, d_hat = np.zeros(P), np.zeros(Q)
    for n in range(P):
        h[n] = 1 / (1 + np.exp(-sum(w[n, k] * x[k] for k in range(m))))
    for q in range(Q):
        d_hat[q] = 1 / (1 + np.exp(-sum(v[q, n] * h[n] for n in range(P))))
    return h, d_hat


def output_error(d_hat, d):
    """δ_q, the adjoint of u_q."""
    return np.array([(d_hat[q] - d[q]) * d_hat[q] * (1 - d_hat[q]) for q in range(len(d))])


def hidden_error(delta, v, h):
    """γ_n, the adjoint of s_n."""
    Q, P = v.shape
    gamma = np.zeros(P)
    for n in range(P):
        gamma[n] = sum(delta[q] * v[q, n] for q in range(Q)) * h[n] * (1 - h[n])
    return gamma


def times_input(error, inputs):
    """The gradient of a layer's weights: the error of each unit times each of its inputs."""
    gradient = np.zeros((len(error), len(inputs)))
    for n in range(len(error)):
        for k in range(len(inputs)):
            gradient[n, k] = error[n] * inputs[k]
    return gradient


def by_indices(problem):
    """The recurrence of the notes: rows of (formula, the node whose adjoint it is, value)."""
    x, d, (w, v), *_ = problem
    h, d_hat = forward(x, w, v)
    delta = output_error(d_hat, d)
    gamma = hidden_error(delta, v, h)
    yield "δ_q = (d̂_q - d_q) d̂_q (1 - d̂_q)", "u", delta
    yield "∂f/∂v_qn = δ_q h_n", "v", times_input(delta, h)
    yield "γ_n = (Σ_q δ_q v_qn) h_n (1 - h_n)", "s", gamma
    yield "∂f/∂w_nk = γ_n x_k", "w", times_input(gamma, x)


def gradients_by_hand(x, d, weights):
    """The gradients of w and v."""
    found = {name: value for _, name, value in by_indices(Problem(x, d, weights))}
    return [found["w"], found["v"]]


# By hand for what the notes leave open: any depth, activation and loss


def by_layers(problem):
    """The same pattern, layer by layer: rows as in `by_indices`."""
    x, d, weights, g, loss = problem
    g, g_prime = ACTIVATIONS[g]
    sigma, sigma_prime = ACTIVATIONS["sigmoid"]
    s, h = [], [x]
    for W in weights:
        s.append(W @ h[-1])
        h.append(sigma(s[-1]) if W is weights[-1] else g(s[-1]))
    called = names(weights)
    error = LOSSES[loss][1](h[-1], d) * sigma_prime(s[-1])
    for layer in range(len(weights) - 1, -1, -1):
        name_W, name_s, _ = called[layer]
        yield f"error of {name_s}", name_s, error
        yield f"error of {name_s} times input", name_W, np.outer(error, h[layer])
        if layer > 0:
            error = (weights[layer].T @ error) * g_prime(s[layer - 1])


# The factors of the chain rule, and a step


def rows_forward(problem):
    """What a sample gives: rows of (formula, by hand, engine)."""
    x, d, weights, *_ = problem
    h, d_hat = forward(x, *weights)
    graph = bp.explain.view(network(problem))
    yield "h_n = σ(Σ_k w_nk x_k)", h, graph["h"].value
    yield "d̂_q = σ(Σ_n v_qn h_n)", d_hat, graph["d_hat"].value
    yield "f = ½ Σ_q (d̂_q - d_q)²", 0.5 * sum((d_hat - d) ** 2), graph["f"].value


def rows_of_factors(problem):
    """σ′, and what is multiplied for ∂f/∂w_nk: rows of (formula, by hand, engine)."""
    x, d, (w, v), *_ = problem
    h, d_hat = forward(x, w, v)
    z = 0.7
    y = 1 / (1 + np.exp(-z))
    yield "σ′(0.7) = exp(-z) / (1 + exp(-z))²", np.exp(-z) / (1 + np.exp(-z)) ** 2, y * (1 - y)
    yield "σ′(0.7) = σ (1 - σ)", y * (1 - y), bp.grad(sigmoid)(z)
    by_d_hat = np.array([d_hat[q] - d[q] for q in range(len(d))])
    engine = bp.grad(lambda d_hat: 0.5 * np.sum(np.square(d_hat - d)))(d_hat)
    yield "∂f/∂d̂_q = d̂_q - d_q", by_d_hat, engine
    slopes = [d_hat[q] * (1 - d_hat[q]) for q in range(len(d))]
    to_u = [by_d_hat[q] * slopes[q] for q in range(len(d))]
    by_v = np.array([[to_u[q] * h[n] for n in range(len(h))] for q in range(len(d))])
    formula = "∂f/∂v_qn = ∂f/∂d̂_q σ′(u_q) ∂u_q/∂v_qn"
    yield formula, by_v, gradients_by_engine(x, d, [w, v])[1]
    by_h = np.array([[slopes[q] * v[q, n] for n in range(len(h))] for q in range(len(d))])
    yield "∂d̂_q/∂h_n = d̂_q (1 - d̂_q) v_qn", by_h, bp.jacobian(lambda h: sigmoid(v @ h))(h)
    by_w = np.array([[h[n] * (1 - h[n]) * x[k] for k in range(len(x))] for n in range(len(h))])
    jacobian = bp.jacobian(lambda w: sigmoid(w @ x))(w)
    engine = np.array([jacobian[n, n] for n in range(len(h))])
    yield "∂h_n/∂w_nk = h_n (1 - h_n) x_k", by_w, engine
    product = np.zeros(w.shape)
    for n, k in np.ndindex(w.shape):
        product[n, k] = sum(by_d_hat[q] * by_h[q, n] * by_w[n, k] for q in range(len(d)))
    formula = "∂f/∂w_nk = Σ_q ∂f/∂d̂_q ∂d̂_q/∂h_n ∂h_n/∂w_nk"
    yield formula, product, gradients_by_engine(x, d, [w, v])[0]


def rows_of_a_step(problem, alpha=0.5):
    """The update rules: rows of (formula, by hand, what the engine's gradient descent does)."""
    x, d, weights, *_ = problem
    h, d_hat = forward(x, *weights)
    delta = output_error(d_hat, d)
    gamma = hidden_error(delta, weights[1], h)
    tensors = [bp.Tensor(W, requires_grad=True) for W in weights]
    cost(x, d, tensors).backward()
    bp.optim.SGD(tensors, lr=alpha).step()
    by_hand = [W - alpha * times_input(*pair) for W, pair in
               zip(weights, ((gamma, x), (delta, h)), strict=True)]  # fmt: skip
    yield f"v_qn ← v_qn - {alpha:g} δ_q h_n", by_hand[1], tensors[1].data
    yield f"w_nk ← w_nk - {alpha:g} γ_n x_k", by_hand[0], tensors[0].data


# The trap


def finite_differences(problem, step=1e-5):
    """∂f/∂w by moving one w_nk at a time, there and back."""
    x, d, (w, v), *_ = problem
    gradient = np.zeros(w.shape)
    for place in np.ndindex(w.shape):
        move = np.zeros(w.shape)
        move[place] = step
        there, back = (cost(x, d, [w + sign * move, v]) for sign in (1, -1))
        gradient[place] = (there - back) / (2 * step)
    return gradient


def with_v(problem, alpha=None):
    """∂f/∂w by the recurrence with v^t; or, given a step size, with v^{t+1}: the trap."""
    x, d, (w, v), *_ = problem
    h, d_hat = forward(x, w, v)
    delta = output_error(d_hat, d)
    v_used = v if alpha is None else v - alpha * times_input(delta, h)
    return times_input(hidden_error(delta, v_used, h), x)


# Training


def outputs(x, weights, g="sigmoid"):
    """The outputs for one sample, or for the columns of x."""
    for W in weights[:-1]:
        x = ACTIVATIONS[g][0](W @ x)
    return sigmoid(weights[-1] @ x)


def cost(x, d, weights, g="sigmoid", penalty=0.0):
    """The mean f over the columns of x and d, or f itself for one sample.

    The penalty, half of it times the sum of all squared weights, is the regularisation.
    """
    samples = x.shape[1] if x.ndim > 1 else 1
    f = 0.5 * np.sum((outputs(x, weights, g) - d) ** 2) / samples
    return f + 0.5 * penalty * sum(np.sum(W**2) for W in weights) if penalty else f


def gradients_by_engine(x, d, weights, g="sigmoid", penalty=0.0):
    """The gradients of all weights. No variation needs a derivation of its own."""
    tensors = [bp.Tensor(W, requires_grad=True) for W in weights]
    return bp.gradients(cost(x, d, tensors, g, penalty), tensors)


def sgd(X, D, weights, gradients, *, batch=1, g="sigmoid", limit=200, seed=0):
    """Descend along random samples until converged.

    Gives the weights, and the mean cost over all samples at the start and after every N steps.
    For ``batch`` samples at a time, the gradient is that of their mean cost.
    """
    random, N = np.random.default_rng(seed), len(X)
    alpha = bp.schedules.inverse_time(2.0, decay=1 / (20 * N))
    costs = [cost(X.T, D.T, weights, g)]
    for t in range(limit * N):
        i_t = random.integers(N, size=batch) if batch > 1 else random.integers(N)
        found = gradients(X[i_t].T, D[i_t].T, weights)
        weights = [W - alpha(t) * G for W, G in zip(weights, found, strict=True)]
        if (t + 1) % N == 0:
            costs.append(cost(X.T, D.T, weights, g))
            if converged(costs):
                break
    return weights, costs


def converged(costs):
    """Whether the last ten costs are on average within 0.001 of the ten before them.

    An average, as a single one goes up and down with the samples that happened to come last.
    """
    before, last = np.mean(costs[-20:-10] or np.inf), np.mean(costs[-10:])
    return abs(before - last) < 1e-3


def moons(normalised=False):
    """Two moons, far from the origin: X, D to train and X, D held out. x_0 = 1 is the bias."""
    X, y = bp.data.moons(300, noise=0.15, seed=1)
    X += [2.0, 1.0]
    if normalised:
        X = (X - X[:60].mean(axis=0)) / X[:60].std(axis=0)
    X, D = np.insert(X, 0, 1.0, axis=1), y[:, np.newaxis].astype(float)
    return X[:60], D[:60], X[60:], D[60:]


# The page


def print_trap():
    print("\nThe trap: ∂f/∂w through v^t, and through the v^{t+1} of a step with α = 1.")
    problem = random_problem([2, 2, 2], seed=3)
    engine = gradients_by_engine(*problem[:3])[0]
    rows = {
        "moving each w": finite_differences(problem),
        "through v^t": with_v(problem),
        "through v^{t+1}": with_v(problem, alpha=1.0),
    }
    side_by_side((name, value, engine) for name, value in rows.items())
    print("  with α =        " + "".join(f"{alpha:10}" for alpha in (10.0, 1.0, 0.1, 0.01)))
    wrong = map(trap_for, (10.0, 1.0, 0.1, 0.01))
    print("  wrong by        " + "".join(f"{apart:10.5f}" for apart in wrong))
    print(
        "The mistake shrinks with α, so with small steps the cost falls all the same, and hides it."
    )


def print_descent():
    X, D, *_ = moons()
    start = random_weights((3, 8, 1), np.random.default_rng(0))
    (hand, hand_costs), (engine, engine_costs) = (
        sgd(X, D, start, gradients, limit=10)
        for gradients in (gradients_by_hand, gradients_by_engine)
    )
    print(f"\nTwo moons, N = {len(X)}, P = 8, α_t = 2 / (1 + t / 20N). After 10 N steps:")
    rows = (
        ("v_11 v_12 v_13", hand[1][0, :3], engine[1][0, :3]),
        ("mean f", hand_costs[-1], engine_costs[-1]),
    )
    side_by_side(rows)
    apart = max(map(difference, hand, engine))
    print(f"  In all of w and v the largest difference is {apart:.0e}.")


EXERCISES = (
    Exercise(
        "Which errors does a step need, and how many numbers are they for P = 8 and Q = 1?",
        lambda: sum(len(v) for _, node, v in by_indices(random_problem([3, 8, 1])) if node in "us"),
        "δ_q and γ_n, {} in all: each weight's gradient is one of them times an input.",
    ),
    Exercise(
        "By how much is ∂f/∂w wrong through v^{t+1}, with α = 0.01 in place of 1?",
        lambda: [trap_for(alpha) for alpha in (1.0, 0.01)],
        "By {0[1]:.5f} in place of {0[0]:.5f}, a hundredth: the mistake is proportional to α.",
    ),
    Exercise(
        "How large is a step of v when d̂ is 0.999 and d is 0, with h = 1 and α = 1?",
        lambda: float(output_error(np.array([0.999]), np.array([0.0]))[0]),
        "{:.6f}, though the output could not be more wrong: d̂ (1 - d̂) is next to 0. "
        "Cross-entropy does not have that factor.",
    ),
)


def trap_for(alpha):
    """By how much, relative to the gradient, v^{t+1} goes wrong."""
    problem = random_problem([2, 2, 2], seed=3)
    return float(difference(with_v(problem, alpha), gradients_by_engine(*problem[:3])[0]))


@handout.quiet_end()
def main():
    page = handout.begin(__doc__)
    problem = random_problem([2, 2, 2])
    print(
        "m = 2 features, P = 2 hidden units, Q = 2 outputs, one sample. Forward, and the factors:"
    )
    side_by_side([*rows_forward(problem), *rows_of_factors(problem)])
    print("\nThe two errors, and the gradients that they give:")
    side_by_side(compare(network(problem), by_indices(problem)))
    print("\nA step, with α = 0.5:")
    side_by_side(rows_of_a_step(problem))
    print_trap()
    print_descent()
    print("\nδ enters at u, γ at s:")
    page.draw(network(problem), "per_sample_sgd", notation="gamma")
    page.ask(EXERCISES)


if __name__ == "__main__":
    main()
