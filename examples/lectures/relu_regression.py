"""Six steps that train a network of r layers: ReLU inside, a linear output, half the squared error.

For one sample (x, y) and layers k = 1 ... r, with W^[k] of shape (outputs, inputs):

1. Input: a^[0] = x.
2. Forward: z^[k] = W^[k] a^[k-1] + b^[k], then a^[k] = ReLU(z^[k]); the last layer has no ReLU.
   Both lists, Z of the z^[k] and A of the a^[k], are kept, as the way back needs them.
3. Output: J = ½‖z^[r] - y‖², so δ^[r] = ∂J/∂z^[r] = z^[r] - y.
4. Backward: δ^[k] = (W^[k+1]ᵀ δ^[k+1]) ⊙ 1{z^[k] > 0}. A unit that was off lets nothing through.
5. Gradients: ∂J/∂W^[k] = δ^[k] a^[k-1]ᵀ and ∂J/∂b^[k] = δ^[k].
6. A gradient step on every W^[k] and b^[k]; then on to the next sample, until converged.

Step 4 is the dynamic programming: each δ^[k] is made from the one after it, once, and step 5 only
multiplies what steps 2 and 4 have left. The engine does the same without being told: what it
records is Z and A, and the adjoint that it finds for the node z^[k] is δ^[k].

In the picture of the backward pass, the orange arrows from J through o and a to z are steps 3
and 4. Those that leave this chain, to a W or a b, are step 5.

    python examples/lectures/relu_regression.py [--out pictures] [--answers]

After Jianhui Huang, "AMA 564 Lecture 10: Appendix of algorithm summary", Hong Kong Polytechnic
University, 2022.
"""

import sys
from itertools import pairwise
from typing import NamedTuple

import handout
import numpy as np
from adjoints import compare
from functions import ACTIVATIONS, LOSSES
from side_by_side import difference, side_by_side

import tinygrad_bp as bp
from tinygrad_bp.engine.backprop import topological_order

try:
    from sklearn.datasets import load_diabetes
except ImportError:
    sys.exit('this page needs scikit-learn: pip install "tinygrad_bp[examples]"')

HELD_OUT = 89  # a fifth of the patients
WIDTHS = [10, 8, 8, 1]


class Problem(NamedTuple):
    """A network and one sample. W[0] and b[0] are None: layers are counted from 1."""

    x: np.ndarray
    y: np.ndarray
    W: list
    b: list
    g: str = "relu"
    loss: str = "half squares"


def he(widths, random):
    """Weights that keep the size of what ReLU lets through, by He et al. (2015); biases of 0."""
    sizes = pairwise(widths)
    W = [None, *(random.normal(size=(m, n)) * np.sqrt(2 / n) for n, m in sizes)]
    return W, [None, *map(np.zeros, widths[1:])]


def random_problem(widths, g="relu", loss="half squares", seed=0):
    """Layers of these widths, and a sample of them."""
    random = np.random.default_rng(seed)
    W, _ = he(widths, random)
    b = [None, *(random.normal(size=width) for width in widths[1:])]
    return Problem(random.normal(size=widths[0]), random.normal(size=widths[-1]), W, b, g, loss)


def network(problem):
    """J as a graph whose nodes have the names of the notes."""
    x, y, W, b, g, loss = problem
    r = len(W) - 1
    a = bp.Tensor(x, requires_grad=True, name="a^[0]")
    for k in range(1, r + 1):
        W_k = bp.Tensor(W[k], requires_grad=True, name=f"W^[{k}]")
        b_k = bp.Tensor(b[k], requires_grad=True, name=f"b^[{k}]")
        z = W_k @ a + b_k
        z.name = f"z^[{k}]"
        if k < r:
            a = ACTIVATIONS[g][0](z)
            a.name = f"a^[{k}]"
    J = LOSSES[loss][0](z, bp.Tensor(y, name="y"))
    J.name = "J"
    return J


def forward(x, W, b, g="relu"):
    """Steps 1 and 2: the lists Z and A. Z[0] is None; A ends with a^[r] = z^[r]."""
    r = len(W) - 1
    a, z = [x], [None]
    for k in range(1, r + 1):
        z.append(W[k] @ a[k - 1] + b[k])
        a.append(ACTIVATIONS[g][0](z[k]) if k < r else z[k])
    return z, a


def backward(z, y, W, g="relu", loss="half squares"):
    """Steps 3 and 4: every δ, from the last to the first. For other g and losses, g′ and loss′."""
    r = len(W) - 1
    delta = [None] * r + [LOSSES[loss][1](z[r], y)]
    for k in range(r - 1, 0, -1):
        delta[k] = (W[k + 1].T @ delta[k + 1]) * ACTIVATIONS[g][1](z[k])
    return delta


def gradients(delta, a):
    """Step 5: the gradients of every W and every b."""
    r = len(delta) - 1
    by_W = [None, *(np.outer(delta[k], a[k - 1]) for k in range(1, r + 1))]
    return by_W, delta


def rows_forward(problem):
    """Steps 1 and 2 as rows of (formula, node, value)."""
    z, a = forward(problem.x, problem.W, problem.b, problem.g)
    r = len(problem.W) - 1
    yield "a^[0] = x", "a^[0]", a[0]
    for k in range(1, r + 1):
        yield f"z^[{k}] = W^[{k}] a^[{k - 1}] + b^[{k}]", f"z^[{k}]", z[k]
        if k < r:
            yield f"a^[{k}] = {problem.g}(z^[{k}])", f"a^[{k}]", a[k]


def rows_backward(problem):
    """Steps 3 to 5 as rows of (formula, the node whose adjoint it is, value)."""
    x, y, W, b, g, loss = problem
    z, a = forward(x, W, b, g)
    delta = backward(z, y, W, g, loss)
    by_W, by_b = gradients(delta, a)
    r = len(W) - 1
    yield f"δ^[{r}] = ∂J/∂z^[{r}]", f"z^[{r}]", delta[r]
    for k in range(r - 1, 0, -1):
        yield f"δ^[{k}] = (W^[{k + 1}]ᵀ δ^[{k + 1}]) ⊙ {g}′(z^[{k}])", f"z^[{k}]", delta[k]
    for k in range(r, 0, -1):
        yield f"∂J/∂W^[{k}] = δ^[{k}] a^[{k - 1}]ᵀ", f"W^[{k}]", by_W[k]
        yield f"∂J/∂b^[{k}] = δ^[{k}]", f"b^[{k}]", by_b[k]


def compare_values(output, by_hand):
    """Rows of (formula, by hand, engine) for what the nodes hold, read off by their names."""
    engine = {node.name: node.data for node in topological_order(output)}
    return [(formula, value, engine[name]) for formula, name, value in by_hand]


def compare_all(problem):
    """All six-step rows of (formula, by hand, engine)."""
    J = network(problem)
    return compare_values(J, rows_forward(problem)) + compare(J, rows_backward(problem))


def two_layers(problem):
    """The special case r = 2, with the names that it has there: x -> z -> a -> o."""
    x, y, (_, W1, W2), (_, b1, b2), *_ = problem
    leaves = {"x": x, "W^[1]": W1, "b^[1]": b1, "W^[2]": W2, "b^[2]": b2}
    x, W1, b1, W2, b2 = (bp.Tensor(v, requires_grad=True, name=n) for n, v in leaves.items())
    z = W1 @ x + b1
    a = bp.functional.relu(z)
    o = W2 @ a + b2
    J = 0.5 * np.sum((o - bp.Tensor(y, name="y")) ** 2)
    z.name, a.name, o.name, J.name = "z", "a", "o", "J"
    return J


def two_layers_forward(problem):
    """The special case forward: rows as in `rows_forward`."""
    x, _, (_, W1, W2), (_, b1, b2), *_ = problem
    z = W1 @ x + b1
    a = np.maximum(z, 0)
    yield "z = W^[1] x + b^[1]", "z", z
    yield "a = ReLU(z)", "a", a
    yield "o = W^[2] a + b^[2]", "o", W2 @ a + b2


def two_layers_backward(problem):
    """The special case backward: rows as in `rows_backward`."""
    x, y, (_, _, W2), *_ = problem
    z, a, o = (value for _, _, value in two_layers_forward(problem))
    delta2 = o - y
    delta1 = (W2.T @ delta2) * (z > 0)
    yield "δ^[2] = o - y", "o", delta2
    yield "δ^[1] = (W^[2]ᵀ δ^[2]) ⊙ 1{z > 0}", "z", delta1
    yield "∂J/∂W^[2] = δ^[2] aᵀ", "W^[2]", np.outer(delta2, a)
    yield "∂J/∂b^[2] = δ^[2]", "b^[2]", delta2
    yield "∂J/∂W^[1] = δ^[1] xᵀ", "W^[1]", np.outer(delta1, x)
    yield "∂J/∂b^[1] = δ^[1]", "b^[1]", delta1


def compare_two_layers(problem):
    """Rows of (formula, by hand, engine) for the special case."""
    J = two_layers(problem)
    by_value = compare_values(J, two_layers_forward(problem))
    return by_value + compare(J, two_layers_backward(problem))


def six_steps(x, y, W, b):
    """Steps 1 to 5 for one sample: the gradients of every W and every b."""
    z, a = forward(x, W, b)
    return gradients(backward(z, y, W), a)


def engine_steps(x, y, W, b):
    """The same gradients, found by the engine."""
    J = network(Problem(x, y, W, b))
    J.backward()
    found = {node.name: node.grad for node in topological_order(J)}
    layers = range(1, len(W))
    by_W, by_b = ([None, *(found[f"{name}^[{k}]"] for k in layers)] for name in "Wb")
    return by_W, by_b


def one_pass(X, Y, W, b, steps, rate, order):
    """Go over the samples once, with a gradient step (step 6) after each."""
    W, b = list(W), list(b)
    for i in order:
        by_W, by_b = steps(X[i], Y[i], W, b)
        for k in range(1, len(W)):
            W[k] = W[k] - rate * by_W[k]
            b[k] = b[k] - rate * by_b[k]
    return W, b


def slope(X, Y, W, b):
    """The length of the gradient of the mean J, by steps 1 to 5 for every sample."""
    found = [
        np.concatenate([*by_W[1:], *by_b[1:]], axis=None)
        for by_W, by_b in (six_steps(x, y, W, b) for x, y in zip(X, Y, strict=True))
    ]
    return np.linalg.norm(np.mean(found, axis=0))


def predicted(X, W, b):
    return np.array([forward(x, W, b)[1][-1] for x in X])


def mean_J(X, Y, W, b):
    return 0.5 * np.mean((predicted(X, W, b) - Y) ** 2)


def train(X, Y, W, b, rate=0.01, tolerance=0.01, limit=200, seed=0):
    """Loop over steps 2 to 6 until the slope is ``tolerance`` of what it was at the start.

    The step is smaller in every pass, or one sample would undo what the others have done.
    Yields (passes, mean J, slope, W, b) before the first pass and after each.
    """
    random = np.random.default_rng(seed)
    first = slope(X, Y, W, b)
    steepness = first
    for number in range(limit + 1):
        yield number, mean_J(X, Y, W, b), steepness, W, b
        if steepness <= tolerance * first:
            return
        order = random.permutation(len(X))
        W, b = one_pass(X, Y, W, b, six_steps, rate / (1 + number / 2), order)
        steepness = slope(X, Y, W, b)


def patients(seed=0):
    """The diabetes data, standardised by the training patients: X, Y to train, X, Y held out."""
    X, y = load_diabetes(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(X))
    test, training = order[:HELD_OUT], order[HELD_OUT:]
    X = (X - X[training].mean(axis=0)) / X[training].std(axis=0)
    Y = ((y - y[training].mean()) / y[training].std())[:, np.newaxis]
    return X[training], Y[training], X[test], Y[test]


def r_squared(prediction, Y):
    """The part of the variance that is predicted."""
    return 1 - np.mean((Y - prediction) ** 2) / np.mean((Y - Y.mean()) ** 2)


def print_one_pass(X, Y, W, b):
    print(f"\nReal data: diabetes in {len(X)} patients, widths {'-'.join(map(str, WIDTHS))}.")
    by_hand, engine = (
        one_pass(X, Y, W, b, steps, 0.01, range(len(X))) for steps in (six_steps, engine_steps)
    )
    apart = max(
        difference(*pair)
        for lists in zip(by_hand, engine, strict=True)
        for pair in list(zip(*lists, strict=True))[1:]
    )
    print(f"After one pass, {len(X)} gradient steps by hand and by the engine, the weights differ")
    print(f"by {apart:.0e}.")


def print_training(X, Y, W, b):
    print("\nThe six steps until the slope ‖∇ mean J‖ is 1 % of what it was:")
    print("  passes  mean J   slope")
    *history, end = train(X, Y, W, b)
    for number, J, steepness, *_ in [*(history[n] for n in (0, 1, 2, 5, 10, 20)), end]:
        print(f"  {number:6}  {J:6.4f}  {steepness:6.4f}")
    return end[-2:]


def print_fit(X, Y, X_test, Y_test, W, b):
    line = np.linalg.lstsq(X, Y)[0]
    fits = {"network": lambda X: predicted(X, W, b), "straight line": lambda X: X @ line}
    print("\n  R²              training  held out")
    for name, fit in fits.items():
        print(f"  {name:14} {r_squared(fit(X), Y):9.3f} {r_squared(fit(X_test), Y_test):9.3f}")
    print("So few patients, so noisy a target: what the network gains in training it loses again.")


def main():
    page = handout.begin(__doc__)
    print("r = 3 layers, widths 2-3-3-1. Z and A are what the nodes hold, δ their adjoints.")
    side_by_side(compare_all(random_problem([2, 3, 3, 1])))
    print("\nThe special case of two layers, x → z → a → o:")
    small = random_problem([2, 3, 1], seed=1)
    side_by_side(compare_two_layers(small))

    X, Y, X_test, Y_test = patients()
    start = he(WIDTHS, np.random.default_rng(0))
    print_one_pass(X, Y, *start)
    W, b = print_training(X, Y, *start)
    print_fit(X, Y, X_test, Y_test, W, b)

    print("\nSteps 3 and 4 are the chain from J to z:")
    J = two_layers(small)
    J.backward(keep_grads=True)
    page.draw(J, "relu_regression", notation="delta")


if __name__ == "__main__":
    main()
