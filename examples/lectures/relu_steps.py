"""Six steps that train a network of r layers: ReLU inside, a linear output, half the squared error.

For one sample (x, y) and layers k = 1 ... r, with W^[k] of shape (outputs, inputs):

1. Input: a^[0] = x.
2. Forward: z^[k] = W^[k] a^[k-1] + b^[k], then a^[k] = ReLU(z^[k]); the last layer has no ReLU.
   Both lists, 𝒵 of the z^[k] and 𝒜 of the a^[k], are kept, as the way back needs them.
3. Output: J = ½‖z^[r] - y‖², so δ^[r] = ∂J/∂z^[r] = z^[r] - y.
4. Backward: δ^[k] = (W^[k+1]ᵀ δ^[k+1]) ⊙ 1{z^[k] > 0}. A unit that was off lets nothing through.
5. Gradients: ∂J/∂W^[k] = δ^[k] a^[k-1]ᵀ and ∂J/∂b^[k] = δ^[k].
6. Step: W^[k] ← W^[k] - α ∂J/∂W^[k] and b^[k] ← b^[k] - α ∂J/∂b^[k]; then the next sample, until
   converged: `relu_regression.py` does that on real data.

The sequences are called 𝒵, 𝒜, 𝒲 and ℬ, and all parameters together θ = {𝒲, ℬ}. Where z is 0, ReLU
has a corner; the derivative there is taken as 0, the subgradient of least norm.

Step 4 is the dynamic programming: each δ^[k] is made from the one after it, once, and step 5 only
multiplies what steps 2 and 4 have left. The engine does the same without being told: what it
records is 𝒵 and 𝒜, and the adjoint that it finds for the node z^[k] is δ^[k].

In the picture of the backward pass, the orange arrows from J through o and a to z are steps 3
and 4. Those that leave this chain, to a W or a b, are step 5.

    python examples/lectures/relu_steps.py [--out pictures] [--answers]

After Jianhui Huang, "AMA 564 Lecture 10: Appendix of algorithm summary", Hong Kong Polytechnic
University, 2022.
"""

from itertools import pairwise
from typing import NamedTuple

import handout
import numpy as np
from adjoints import compare
from functions import ACTIVATIONS, LOSSES
from handout import Exercise
from side_by_side import side_by_side

import tinygrad_bp as bp
from tinygrad_bp.engine.backprop import topological_order


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
    a = bp.Tensor(x, name="a^[0]")
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
        else:
            yield f"a^[{r}] = z^[{r}]: no {problem.g} here", f"z^[{r}]", a[r]
    if problem.loss == "half squares":
        yield f"J = ½ ‖a^[{r}] - y‖²", "J", 0.5 * np.sum((a[r] - problem.y) ** 2)


def rows_backward(problem):
    """Steps 3 to 5 as rows of (formula, the node whose adjoint it is, value)."""
    x, y, W, b, g, loss = problem
    z, a = forward(x, W, b, g)
    delta = backward(z, y, W, g, loss)
    by_W, by_b = gradients(delta, a)
    r = len(W) - 1
    short = f" = z^[{r}] - y" * (loss == "half squares")
    yield f"δ^[{r}] = ∂J/∂z^[{r}]{short}", f"z^[{r}]", delta[r]
    for k in range(r - 1, 0, -1):
        yield f"δ^[{k}] = (W^[{k + 1}]ᵀ δ^[{k + 1}]) ⊙ {g}′(z^[{k}])", f"z^[{k}]", delta[k]
    for k in range(r, 0, -1):
        yield f"∂J/∂W^[{k}] = δ^[{k}] a^[{k - 1}]ᵀ", f"W^[{k}]", by_W[k]
        yield f"∂J/∂b^[{k}] = δ^[{k}]", f"b^[{k}]", by_b[k]


def compare_values(output, by_hand):
    """Rows of (formula, by hand, engine) for what the nodes hold, read off by their names."""
    engine = {node.name: node.value for node in bp.explain.view(output).nodes}
    return [(formula, value, engine[name]) for formula, name, value in by_hand]


def compare_all(problem):
    """Steps 1 to 5: rows of (formula, by hand, engine)."""
    J = network(problem)
    return compare_values(J, rows_forward(problem)) + compare(J, rows_backward(problem))


def sequences(problem):
    """What is kept and what is learned, by name: {name: [(symbol, shape), ...]}."""
    z, a = forward(problem.x, problem.W, problem.b, problem.g)
    lists = {"𝒵": ("z", z), "𝒜": ("a", a), "𝒲": ("W", problem.W), "ℬ": ("b", problem.b)}
    return {
        name: [(f"{letter}^[{k}]", v.shape) for k, v in enumerate(values) if v is not None]
        for name, (letter, values) in lists.items()
    }


def rows_of_a_step(problem, alpha=0.01):
    """Step 6: rows of (formula, by hand, what the engine's gradient descent makes of it)."""
    W, b = one_pass([problem.x], [problem.y], problem.W, problem.b, six_steps, alpha, [0])
    J = network(problem)
    named = {node.name: node for node in topological_order(J) if node.is_leaf}
    leaves = [named[f"{letter}^[{k}]"] for k in range(1, len(W)) for letter in "Wb"]
    J.backward()
    bp.optim.SGD(leaves, lr=alpha).step()
    for letter, moved in (("W", W), ("b", b)):
        for k in range(1, len(W)):
            symbol = f"{letter}^[{k}]"
            yield f"{symbol} ← {symbol} - {alpha:g} ∂J/∂{symbol}", moved[k], named[symbol].data


def two_layers(problem):
    """The special case r = 2, with the names that it has there: x -> z -> a -> o."""
    x, y, (_, W1, W2), (_, b1, b2), *_ = problem
    leaves = {"W^[1]": W1, "b^[1]": b1, "W^[2]": W2, "b^[2]": b2}
    W1, b1, W2, b2 = (bp.Tensor(v, requires_grad=True, name=n) for n, v in leaves.items())
    z = W1 @ bp.Tensor(x, name="x") + b1
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
    found = {node.name: node.grad for node in topological_order(J) if node.is_leaf}
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


def print_sequences(problem):
    for name, entries in sequences(problem).items():
        print(f"  {name}: " + ", ".join(f"{symbol} {shape}" for symbol, shape in entries))
    weights = [np.prod(shape, dtype=int) for part in "𝒲ℬ" for _, shape in sequences(problem)[part]]
    print(f"  θ = {{𝒲, ℬ}}: {sum(weights)} numbers")


def slope_at_zero():
    """The engine's derivatives of ReLU at 0 and of |x| at 0."""
    return float(bp.grad(bp.functional.relu)(0.0)), float(bp.grad(np.abs)(0.0))


def dead_unit():
    """How many gradients of a unit's weights are not 0, when its z is below 0 for the sample."""
    x, y, W, b, *_ = random_problem([2, 3, 1])
    b = [None, np.array([-9.0, *b[1][1:]]), b[2]]
    by_W, _ = engine_steps(x, y, W, b)
    return int(np.count_nonzero(by_W[1][0]))


EXERCISES = (
    Exercise(
        "What is the derivative of ReLU at 0, and what could it be as well?",
        slope_at_zero,
        "Here it is {0[0]:g}, as that of |x| is {0[1]:g}. Any number from 0 to 1 is a subgradient "
        "of ReLU there; the one of least norm is taken.",
    ),
    Exercise(
        "The bias of a unit is -9, so that z < 0 for each sample. How many of the gradients of "
        "its weights are not 0, and what follows?",
        dead_unit,
        "{}: its mask 1{{z > 0}} is 0, so δ is 0 and no step moves it. The unit is dead until the "
        "layers below change.",
    ),
    Exercise(
        "What must be kept of the forward pass for step 5, and how many numbers is that for "
        "widths 2-3-3-1?",
        lambda: sum(shape[0] for _, shape in sequences(random_problem([2, 3, 3, 1]))["𝒜"][:-1]),
        "a^[0] to a^[r-1], here {} numbers for each sample; and the signs of z for step 4. The "
        "memory grows with depth and batch.",
    ),
)


@handout.quiet_end()
def main():
    page = handout.begin(__doc__)
    print("r = 3 layers, widths 2-3-3-1. 𝒵 and 𝒜 are what the nodes hold, δ their adjoints.")
    problem = random_problem([2, 3, 3, 1])
    print_sequences(problem)
    side_by_side([*compare_all(problem), *rows_of_a_step(problem)])
    print("\nThe special case of two layers, x → z → a → o:")
    small = random_problem([2, 3, 1], seed=1)
    side_by_side(compare_two_layers(small))
    print("\nSteps 3 and 4 are the chain from J to z, with r = 3 and with two layers:")
    page.draw(network(problem), "relu_steps", notation="delta")
    page.draw(two_layers(small), "relu_steps_two_layers", notation={"o": "δ^[2]", "z": "δ^[1]"})
    page.ask(EXERCISES)


if __name__ == "__main__":
    main()
