"""Stochastic gradient descent, one random sample at a time, on one hidden layer of sigmoids.

There are N samples of m features x_k with Q targets d_q, and P hidden units; no biases.

    s_n = Σ_k w_nk x_k     h_n = σ(s_n)
    u_q = Σ_n v_qn h_n     d_hat_q = σ(u_q)     f = ½ Σ_q (d_hat_q - d_q)²

As σ′ = σ (1 - σ), the slope of a sigmoid is known from its output. Two errors are all that a step
needs, each found once:

    δ_q = (d_hat_q - d_q) d_hat_q (1 - d_hat_q)             the adjoint of u_q;   ∂f/∂v_qn = δ_q h_n
    γ_n = (Σ_q δ_q v_qn) h_n (1 - h_n)           the adjoint of s_n;   ∂f/∂w_nk = γ_n x_k

Step t picks a sample i_t at random, computes both gradients there, and moves v and w against them
by the step size α_t. The steps get smaller with t: each knows one sample only, and what it does
wrong to the others must average out.

A trap: γ goes back through the v that made the output, v^t. To update v first, and then to send δ
through the new v^{t+1}, is easily written, and it is not the gradient. The page shows by how much.

In the picture of the backward pass, the orange arrow into u carries δ, and that into s carries γ.
The arrow between them, from u to h, goes through v: that is the v^t of the trap.

    python examples/lectures/per_sample_sgd.py [--out pictures] [--answers]

After Barry Van Veen, "The Backpropagation Algorithm for Training Neural Networks", 2019. The
conditions on α_t are those of Robbins and Monro, Annals of Mathematical Statistics 22 (1951) 400.
"""

from functools import partial
from itertools import pairwise
from typing import NamedTuple

import handout
import numpy as np
from adjoints import compare
from functions import ACTIVATIONS, LOSSES
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
    h = bp.Tensor(x, requires_grad=True, name="x")
    for W, (name_W, name_s, name_h) in zip(weights, names(weights), strict=True):
        s = bp.Tensor(W, requires_grad=True, name=name_W) @ h
        h = sigmoid(s) if W is weights[-1] else ACTIVATIONS[g][0](s)
        s.name, h.name = name_s, name_h
    f = LOSSES[loss][0](h, bp.Tensor(d, name="d"))
    f.name = "f"
    return f


# By hand, as the notes have it: index by index, one hidden layer


def forward(x, w, v):
    """The outputs of both layers, h and d_hat."""
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
    yield "δ_q = (d_hat_q - d_q) d_hat_q (1 - d_hat_q)", "u", delta
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


# The variations


class Variation(NamedTuple):
    """One way to do it; what the notes do is the default."""

    widths: tuple = (3, 8, 1)
    g: str = "sigmoid"
    batch: int = 1
    normalised: bool = False
    penalty: float = 0.0


VARIATIONS = {
    "as in the notes": Variation(),
    "tanh inside": Variation(g="tanh"),
    "ReLU inside": Variation(g="relu"),
    "two hidden layers": Variation(widths=(3, 8, 8, 1)),
    "batches of 10": Variation(batch=10),
    "normalised features": Variation(normalised=True),
    "regularised": Variation(penalty=1e-3),
}


def moons(normalised=False):
    """Two moons, far from the origin: X, D to train and X, D held out. x_0 = 1 is the bias."""
    X, y = bp.data.moons(300, noise=0.15, seed=1)
    X += [2.0, 1.0]
    if normalised:
        X = (X - X[:60].mean(axis=0)) / X[:60].std(axis=0)
    X, D = np.insert(X, 0, 1.0, axis=1), y[:, np.newaxis].astype(float)
    return X[:60], D[:60], X[60:], D[60:]


class Result(NamedTuple):
    """What came of a variation."""

    costs: list
    accuracy: float
    length: float  # of all weights together


def train(variation):
    """Train it, and judge it on the points that were held out."""
    widths, g, batch, normalised, penalty = variation
    X, D, X_test, D_test = moons(normalised)
    weights, costs = sgd(
        X,
        D,
        random_weights(widths, np.random.default_rng(0)),
        partial(gradients_by_engine, g=g, penalty=penalty),
        batch=batch,
        g=g,
    )
    wrong = abs(outputs(X_test.T, weights, g) - D_test.T) > 0.5
    return Result(costs, 1 - wrong.mean(), np.linalg.norm(np.concatenate(weights, axis=None)))


# Many starts, many ends

PENALTY = 3e-4
XOR, XOR_D = bp.data.xor(4, noise=0)
XOR, XOR_D = np.insert((XOR + 1) / 2, 0, 1.0, axis=1), XOR_D[:, np.newaxis].astype(float)


def many_starts(count=12, steps=3000, seed=0):
    """Descend on XOR from ``count`` starts: the weights at the end, and all costs on the way.

    The networks lie side by side along a first axis, so one graph holds them all. Without the
    penalty the lowest points would lie at infinity, where no descent arrives.
    """
    random = np.random.default_rng(seed)
    w = bp.Tensor(2 * random.normal(size=(count, 2, 3)), requires_grad=True)
    v = bp.Tensor(2 * random.normal(size=(count, 1, 2)), requires_grad=True)
    optimizer = bp.optim.SGD([w, v], lr=0.3, momentum=0.97)
    history = []
    for t in range(steps):
        optimizer.zero_grad()
        cost(XOR.T, XOR_D.T, [w, v], penalty=PENALTY).backward()
        optimizer.step()
        if t % 20 == 0:
            history.append([xor_cost(*pair) for pair in zip(w.data, v.data, strict=True)])
    return w.data, v.data, np.array(history)


def xor_cost(w, v):
    return cost(XOR.T, XOR_D.T, [w, v], penalty=PENALTY)


def slope_and_curvature(w, v):
    """The length of the gradient, and the least curvature: at a minimum 0, and positive."""

    def f(theta):
        return xor_cost(np.reshape(theta[: w.size], w.shape), np.reshape(theta[w.size :], v.shape))

    theta = np.concatenate([w, v], axis=None)
    return np.linalg.norm(bp.grad(f)(theta)), np.linalg.eigvalsh(bp.hessian(f)(theta))[0]


def minima(w, v):
    """The different ends: {cost: [how many starts, steepest slope, least curvature, outputs]}."""
    found = {}
    for pair in zip(w, v, strict=True):
        slope, curvature = slope_and_curvature(*pair)
        end = found.setdefault(round(float(xor_cost(*pair)), 5), [0, slope, curvature, []])
        end[:3] = end[0] + 1, max(end[1], slope), min(end[2], curvature)
        end[3] = outputs(XOR.T, pair)[0]
    return dict(sorted(found.items()))


# The page


def plot(results, history, file):
    """The cost of each variation, and the cost from each start."""
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.4), layout="constrained")
    colors = ["#1F2933", "#0072B2", "#56B4E9", "#CC79A7", "#E69F00", "#009E73", "#D55E00"]
    styles = ["-", "--", "--", ":", "-", "-", "-."]
    for (name, result), color, style in zip(results.items(), colors, styles, strict=True):
        left.loglog(result.costs, style, color=color, linewidth=1.4, label=name)
    left.set(xlabel="steps / N", ylabel="mean f", xlim=(1, None))
    left.set_title("Two moons: one variation at a time")
    left.legend(fontsize=8.5)
    solved = history[-1] < 0.055
    for costs, good in zip(history.T, solved, strict=True):
        color, style = ("#0072B2", "-") if good else ("#D55E00", "--")
        right.plot(20 * np.arange(1, len(costs) + 1), costs, style, color=color, linewidth=1.1)
    right.plot([], "-", color="#0072B2", label="solves XOR")
    right.plot([], "--", color="#D55E00", label="stuck in a worse minimum")
    right.set(xlabel="steps of gradient descent", ylabel="mean f + penalty", xscale="log")
    right.set_title(f"XOR: {len(solved)} starts of the same network")
    right.legend()
    for axes in (left, right):
        axes.grid(color="#D5DCE3", linewidth=0.6)
    figure.savefig(file, dpi=120)
    plt.close(figure)


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
    wrong = (difference(with_v(problem, alpha), engine) for alpha in (10.0, 1.0, 0.1, 0.01))
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


def print_variations(results):
    print("\nUntil converged: ten N steps changed mean f by less than 0.001. One change at a time:")
    print("  variation            steps/N  to f < 0.045  mean f  held out  |weights|")
    for name, (costs, accuracy, length) in results.items():
        soon = next((n for n, f in enumerate(costs) if f < 0.045), "-")
        print(
            f"  {name:20} {len(costs) - 1:7}  {soon:12}  {np.mean(costs[-10:]):6.4f}"
            f"  {accuracy:8.3f}  {length:9.2f}"
        )
    print("Six of them stop on a plateau; with normalised features the descent gets beyond it.")


def print_minima(w, v):
    print(f"\nf is not convex: {len(w)} starts on XOR, 2 hidden units, end in different minima.")
    print("  starts   cost      slope   least curvature   outputs, for targets 0 1 1 0")
    for level, (count, slope, curvature, reached) in minima(w, v).items():
        shown = "  ".join(f"{value:.2f}" for value in reached)
        print(f"  {count:6}   {level:.5f}   {slope:.0e}   {curvature:15.1e}   {shown}")
    print("All are minima: no slope is left, and the cost curves up in every direction.")


def main():
    page = handout.begin(__doc__)
    problem = random_problem([2, 2, 2])
    print("m = 2 features, P = 2 hidden units, Q = 2 outputs, one sample:")
    side_by_side(compare(network(problem), by_indices(problem)))
    print_trap()
    print_descent()
    results = {name: train(variation) for name, variation in VARIATIONS.items()}
    print_variations(results)
    w, v, history = many_starts()
    print_minima(w, v)

    print("\nδ enters at u, γ at s; then the costs:")
    f = network(problem)
    f.backward(keep_grads=True)
    page.draw(f, "per_sample_sgd", notation="gamma")
    page.plot(plot, "per_sample_sgd_costs.png", results, history)


if __name__ == "__main__":
    main()
