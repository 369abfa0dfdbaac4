"""Softmax with cross-entropy: from a full Jacobian to p - y.

The last layer gives one number z_i for each class, and the softmax makes probabilities of them:

    p_i = exp(z_i) / Σ_j exp(z_j)        L = -Σ_i y_i log p_i, with a 1 in y for the true class

Every p_i depends on every z_j, so the softmax has a full Jacobian:

    ∂p_i/∂z_j = p_i ([i = j] - p_j)        as a matrix: diag(p) - p pᵀ
    ∂L/∂p_i   = -y_i / p_i
    ∂L/∂z_j   = Σ_i (-y_i / p_i) p_i ([i = j] - p_j) = -y_j + p_j Σ_i y_i = p_j - y_j

The division by p_i and the factor p_i cancel, and Σ y_i is 1. What is left is the error itself: no
σ′ slows it down, which is why this loss goes with this output, as the logistic loss with a sigmoid.

Computed as it stands, exp(z) overflows from z = 710 on, and the log of a p that underflowed is
minus infinity. Both are avoided by subtracting the largest z first, which changes no p, and by
never forming p at all: log p_i = z_i - m - log Σ_j exp(z_j - m). That is what `cross_entropy` does.

    python examples/lectures/softmax_cross_entropy.py [--out pictures] [--answers]

Goodfellow, Bengio, Courville, "Deep learning" (2016), sections 4.1 and 6.2.2.3.
"""

import handout
import numpy as np
from adjoints import adjoints
from handout import COLORS, GRID, Exercise
from side_by_side import side_by_side

import tinygrad_bp as bp
from tinygrad_bp.functional import cross_entropy, sigmoid, softmax

Z = np.array([2.0, 1.0, -1.0])
CLASS = 1  # the true one, counted from 0
EXTREME = [(1, 0, 0), (700, 0, 0), (710, 0, 0), (1000, 0, 0), (0, -800, 0)]


def naive_softmax(z):
    """As the formula stands."""
    e = np.exp(z)
    return e / np.sum(e)


def naive_loss(z, y):
    """The two formulas one after the other."""
    return -np.sum(y * np.log(naive_softmax(z)))


def one_hot(number, classes=3):
    return np.eye(classes)[number]


def network():
    """L as a graph with the names of the formulas, and the stable loss of the same z."""
    z = bp.Tensor(Z, requires_grad=True, name="z")
    y = bp.Tensor(one_hot(CLASS), name="y")
    p = softmax(z)
    L = -np.sum(y * np.log(p))
    p.name, L.name = "p", "L"
    return L


def jacobian_by_hand(z):
    """∂p_i/∂z_j, entry by entry."""
    p = naive_softmax(z)
    return np.array([[p[i] * ((i == j) - p[j]) for j in range(len(p))] for i in range(len(p))])


def rows():
    """Rows of (formula, by hand, engine)."""
    y, p = one_hot(CLASS), naive_softmax(Z)
    found = adjoints(network())
    J = jacobian_by_hand(Z)
    by_p = np.array([-y[i] / p[i] for i in range(3)])
    yield "p_i = exp z_i / Σ_j exp z_j", p, softmax(Z)
    yield "L = -Σ_i y_i log p_i", -np.log(p[CLASS]), cross_entropy(Z[np.newaxis], [CLASS])
    yield "∂p_i/∂z_j = p_i ([i = j] - p_j)", J, bp.jacobian(softmax)(Z)
    yield "∂L/∂p_i = -y_i / p_i", by_p, found["p"]
    yield "∂L/∂z_j = Σ_i ∂L/∂p_i ∂p_i/∂z_j", J.T @ by_p, found["z"]
    yield "∂L/∂z = p - y", p - y, bp.grad(cross_entropy)(Z[np.newaxis], [CLASS])[0]


def batch_rows():
    """Rows for a batch: each sample has a part in the mean."""
    z, classes = np.array([Z, [0.0, 0.5, 3.0]]), [CLASS, 2]
    p = np.array([naive_softmax(row) for row in z])
    y = np.array([one_hot(c) for c in classes])
    engine = bp.grad(cross_entropy)(z, classes)
    yield "∂mean L/∂Z = (P - Y) / N", (p - y) / 2, engine


def sigmoid_rows():
    """Two classes: the same with a sigmoid; and the half square, which keeps its σ′."""
    z, d = -4.0, 1.0
    y = 1 / (1 + np.exp(-z))
    logistic = bp.grad(lambda z: -np.log(sigmoid(z)))(z)
    square = bp.grad(lambda z: 0.5 * np.square(sigmoid(z) - d))(z)
    yield "logistic loss:  ∂L/∂z = y - d", y - d, logistic
    yield "half a square:  ∂L/∂z = (y - d) y (1 - y)", (y - d) * y * (1 - y), square


def overflow():
    """Rows of (z, naive loss, its gradient by z_1, stable loss, its gradient by z_1)."""
    for extreme in EXTREME:
        z = np.array(extreme, dtype=float)
        with np.errstate(all="ignore"):
            naive = bp.value_and_grad(lambda z: naive_loss(z, one_hot(1)))(z)
        stable = bp.value_and_grad(lambda z: cross_entropy(z[np.newaxis], [1]))(z)
        yield extreme, float(naive[0]), float(naive[1][0]), float(stable[0]), float(stable[1][0])


# The page


def print_overflow():
    print("\nThe true class is the second. As the formulas stand, and as it is computed:")
    print("  z              naive L   naive ∂L/∂z_1   stable L   stable ∂L/∂z_1")
    for z, loss, slope, stable, stable_slope in overflow():
        print(f"  {z!s:13} {loss:8.4g} {slope:15.4f} {stable:10.4g} {stable_slope:16.4f}")
    print("exp 710 is infinite, and infinity over infinity no number; exp(-800) is 0, and log 0")
    print(
        "infinite. Neither is a slope that a descent could use. Stable is to subtract the largest"
    )
    print("z, m, first, which changes no p: log p_i = z_i - m - log Σ_j exp(z_j - m).")


def plot(file):
    """The gradient by the true class's z: p - y, and what half a square leaves of it."""
    import matplotlib.pyplot as plt

    z = np.linspace(-8, 8, 161)
    logistic = bp.elementwise_grad(lambda z: -np.log(sigmoid(z)))(z)
    square = bp.elementwise_grad(lambda z: 0.5 * np.square(sigmoid(z) - 1))(z)
    figure, axes = plt.subplots(figsize=(7.2, 4.2), layout="constrained")
    axes.plot(z, logistic, color=COLORS["value"], label="cross-entropy: y − 1")
    axes.plot(z, square, "--", color=COLORS["gradient"], label="half a square: (y − 1) y (1 − y)")
    axes.annotate(
        "quite wrong, yet no slope",
        (-7, -0.004),
        (-7.6, -0.42),
        arrowprops={"arrowstyle": "->", "color": COLORS["gradient"]},
        color=COLORS["gradient"],
    )
    axes.set(xlabel="z of the true class", ylabel="∂L/∂z", title="What the output layer pays back")
    axes.grid(**GRID)
    axes.legend(loc="lower right")
    figure.savefig(file, dpi=120)
    plt.close(figure)


EXERCISES = (
    Exercise(
        "What is the sum of the gradient's entries, and why?",
        lambda: abs(float(np.sum(bp.grad(cross_entropy)(Z[np.newaxis], [CLASS])))),
        "{:.4f}: p and y both add up to 1. The same number added to every z "
        "changes no p, so the loss has no slope in that direction.",
    ),
    Exercise(
        "Without any training all z are 0. What is the loss with 10 classes?",
        lambda: float(cross_entropy(np.zeros((1, 10)), [3])),
        "log 10 = {:.4f}. A first loss far above that points to weights that are too large.",
    ),
    Exercise(
        "What is the second derivative of L by z, and what does it say about its shape?",
        lambda: np.round(np.linalg.eigvalsh(curvature()), 12) + 0.0,
        "It is the Jacobian diag(p) - p pᵀ, as y is constant. Its eigenvalues are {0[0]:.4f}, "
        "{0[1]:.4f} and {0[2]:.4f}, none below 0: L is convex in z.",
    ),
)


def curvature():
    """The second derivative of L by z."""
    return bp.hessian(lambda z: cross_entropy(z[np.newaxis], [CLASS]))(Z)


@handout.quiet_end()
def main():
    page = handout.begin(__doc__)
    print("z = (2, 1, -1), and the second class is the true one:")
    side_by_side(rows())
    print("\nA batch of two, with the mean of their losses:")
    side_by_side(batch_rows())
    print(
        "\nOne output with a sigmoid, z = -4 and d = 1: wrong, and the half square hardly learns."
    )
    side_by_side(sigmoid_rows())
    print_overflow()
    print()
    page.draw(network(), "softmax_cross_entropy", notation={})
    page.plot(plot, "softmax_cross_entropy_slopes.png")
    page.ask(EXERCISES)


if __name__ == "__main__":
    main()
