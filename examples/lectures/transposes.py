"""Where the transpose comes from, and the outer product; and why a batch of rows shows neither.

Forward, output s of a layer collects along row s of W: z_s = Σ_i w_si a_i. Backward, input i
collects from every output that it went into, and these weights are column i of W:

    ∂J/∂a_i = Σ_s δ_s w_si        all i together: Wᵀ δ

So nothing is transposed on purpose. The sum runs over the other index, and Wᵀ is how a sum down a
column is written as a product with a matrix. A weight w_si joins one input to one output, so its
gradient is the product of two numbers, δ_s a_i; all of them are the column δ times the row aᵀ.

The Jacobian of a layer, ∂z_s/∂a_i in row s and column i, is W itself. The pass multiplies it from
the left by the row δᵀ; written in columns, the transpose stands to the left of δ. Notes that write
∇_{f_k} f_{k+1} P_{k+1} with a column P mean that transpose.

A batch keeps a sample in each row, so the forward pass has the transpose, Z = A Wᵀ + b, and the
backward pass has none for A: row n of Δ W is Wᵀ δ_n, lying down. The gradient of W is Δᵀ A, the
outer products of all samples added up. The bias was used in every row, so its gradient is the sum
over the rows: what was broadcast is summed.

    python examples/lectures/transposes.py [--out pictures] [--answers]
"""

import handout
import numpy as np
from handout import COLORS, Exercise
from side_by_side import side_by_side

import tinygrad_bp as bp

W = np.array([[0.5, 1.0], [1.5, -0.5], [0.0, 1.0]])
a = np.array([1.0, -1.0])
y = np.array([-1.5, 0.0, 0.0])
A = np.array([[1.0, -1.0], [2.0, 0.5]])
Y = np.array([[-1.5, 0.0, 0.0], [1.0, 2.0, 1.0]])
b = np.zeros(3)
f = np.array([0.6, -0.4])


def error(z, target):
    """J = ½ Σ (z - y)², so that δ = z - y."""
    return 0.5 * np.sum(np.square(z - target))


def one_sample():
    """J for the sample a: its value and what the pass found for z, a and W."""
    leaves = W_t, a_t = [bp.Tensor(v, requires_grad=True) for v in (W, a)]
    z = W_t @ a_t
    return z.data, *bp.gradients(error(z, y), [z, *leaves[::-1]])


def batch():
    """The same for the rows of A: what the pass found for Z, A, W and b."""
    W_t, A_t, b_t = (bp.Tensor(v, requires_grad=True) for v in (W, A, b))
    Z = A_t @ W_t.T + b_t
    return bp.gradients(error(Z, Y), [Z, A_t, W_t, b_t])


def rows_of_one_sample():
    """Rows of (formula, by hand, engine): every sum written out."""
    z, delta, by_a, by_W = one_sample()
    for s in range(3):
        terms = [W[s, i] * a[i] for i in range(2)]
        yield _sum(f"z_{s + 1} = Σ_i w_{s + 1}i a_i", W[s], a), sum(terms), z[s]
    yield "δ = z - y", np.array([z[s] - y[s] for s in range(3)]), delta
    for i in range(2):
        formula = f"∂J/∂a_{i + 1} = Σ_s w_s{i + 1} δ_s"
        yield _sum(formula, W[:, i], delta), sum(W[s, i] * delta[s] for s in range(3)), by_a[i]
    yield "∂J/∂a = Wᵀ δ, both columns at once", W.T @ delta, by_a
    yield (
        "∂J/∂W = δ aᵀ, column times row: δ_s a_i",
        np.array([[delta[s] * a[i] for i in range(2)] for s in range(3)]),
        by_W,
    )


def rows_of_jacobians():
    """Rows for the Jacobians of a linear layer, and of one with tanh."""
    z = W @ f
    slope = 1 - np.tanh(z) ** 2
    _, delta, by_a, _ = one_sample()
    yield "∂z_s/∂a_i = w_si: the Jacobian is W", W, bp.jacobian(lambda a: W @ a)(a)
    yield "∂J/∂a as a row: δᵀ W", delta @ W, by_a
    by_entries = np.array([[slope[s] * W[s, i] for i in range(2)] for s in range(3)])
    engine = bp.jacobian(lambda f: np.tanh(W @ f))(f)
    yield "∂f_s^{k+1}/∂f_i^k = g′(h_s) w_si", by_entries, engine
    P = np.array([1.0, 2.0, -1.0])
    _, pull = bp.vjp(lambda f: np.tanh(W @ f), f)
    yield (
        "P_k = ∇_{f_k} f_{k+1} P_{k+1} = Wᵀ diag(g′) P_{k+1}",
        W.T @ np.diag(slope) @ P,
        pull(P)[0],
    )


def rows_of_the_batch():
    """Rows for two samples at once, each beside what single samples would give."""
    delta, by_A, by_W, by_b = batch()
    Z = A @ W.T + b
    yield "Δ = A Wᵀ + b - Y", Z - Y, delta
    yield "∂J/∂A, row by row: (Wᵀ δ_n)ᵀ", np.array([W.T @ delta[n] for n in range(2)]), by_A
    yield "∂J/∂A = Δ W: no transpose", delta @ W, by_A
    yield "∂J/∂W = Σ_n δ_n a_nᵀ", sum(np.outer(delta[n], A[n]) for n in range(2)), by_W
    yield "∂J/∂W = Δᵀ A", delta.T @ A, by_W
    yield "∂J/∂b = Σ_n δ_n, as b was used in each row", delta[0] + delta[1], by_b


def _sum(formula, left, right):
    """A formula, and its sum with the numbers in it."""
    terms = (f"{x:g}·{_signed(v)}" for x, v in zip(left, right, strict=True))
    return f"{formula} = {' + '.join(terms)}"


def _signed(value):
    return f"({value:g})" if value < 0 else f"{value:g}"


# The page


def show(axes, matrix, at, title, strong):
    """A matrix as a grid of numbers, its lower left corner at ``at``."""
    x0, y0 = at
    rows, columns = matrix.shape
    for s in range(rows):
        for i in range(columns):
            x, y = x0 + i, y0 + rows - 1 - s
            color = COLORS["gradient"] if (s, i) in strong else COLORS["quiet"]
            paper = COLORS["chip"] if (s, i) in strong else "white"
            axes.fill(
                [x, x + 1, x + 1, x],
                [y, y, y + 1, y + 1],
                facecolor=paper,
                edgecolor=color,
                zorder=1 + ((s, i) in strong),
            )
            axes.text(
                x + 0.5,
                y + 0.5,
                f"{matrix[s, i]:g}",
                ha="center",
                va="center",
                fontsize=11,
                color=COLORS["ink"],
                zorder=3,
            )
    axes.text(x0 + columns / 2, y0 + rows + 0.15, title, ha="center", fontsize=11)


def plot(file):
    """A row of W forward, a column of it backward, and the column times the row."""
    import matplotlib.pyplot as plt

    z, delta, by_a, by_W = (np.asarray(v) for v in one_sample())
    figure, (forward, backward, outer) = plt.subplots(1, 3, figsize=(14, 3.4))
    figure.subplots_adjust(0.01, 0.02, 0.99, 0.88, 0.03)
    row, column = {(1, 0), (1, 1)}, {(0, 0), (1, 0), (2, 0)}
    show(forward, W, (0, 0), "W", row)
    show(forward, a[:, np.newaxis], (3, 0.5), "a", {(0, 0), (1, 0)})
    show(forward, z[:, np.newaxis], (5, 0), "z", {(1, 0)})
    forward.set_title("forward: z₂ collects along row 2 of W")
    show(backward, W, (0, 0), "W, as Wᵀ", column)
    show(backward, delta[:, np.newaxis], (3, 0), "δ", column)
    show(backward, by_a[:, np.newaxis], (5, 0.5), "∂J/∂a = Wᵀδ", {(0, 0)})
    backward.set_title("backward: a₁ collects down column 1 of W")
    show(outer, delta[:, np.newaxis], (0, 0), "δ", {(1, 0)})
    show(outer, a[np.newaxis], (2, 1), "aᵀ", {(0, 0)})
    show(outer, by_W, (5, 0), "∂J/∂W = δaᵀ", {(1, 0)})
    outer.set_title("a weight: what its output pays times its input")
    signs = [(forward, (2.5, 4.5)), (backward, (2.5, 4.5)), (outer, (1.5, 4.5))]
    for axes, places in signs:
        for x, sign in zip(places, "·=", strict=True):
            axes.text(x, 1.5, sign, ha="center", va="center", fontsize=15)
        axes.set(xlim=(-0.3, 7.4), ylim=(-0.2, 3.6), aspect="equal")
        axes.axis("off")
    figure.savefig(file, dpi=110)
    plt.close(figure)


EXERCISES = (
    Exercise(
        "W has shape (3, 2). Which of W δ and Wᵀ δ exists, and what is it here?",
        lambda: one_sample()[2],
        "Only Wᵀ δ = ({0[0]:g}, {0[1]:g}): δ has one entry for each of the 3 outputs, and the "
        "result one for each of the 2 inputs.",
    ),
    Exercise(
        "One number serves as bias of all three outputs and both samples of the batch. What is "
        "its gradient?",
        lambda: bp.grad(lambda c: error(A @ W.T + c, Y))(0.0),
        "{:g}, the sum of all six entries of Δ: it was used six times.",
    ),
    Exercise(
        "Which rank has the gradient of W for one sample, and for two?",
        lambda: tuple(int(np.linalg.matrix_rank(g)) for g in (one_sample()[3], batch()[2])),
        "{0[0]} and {0[1]}: each sample adds one outer product, and a column times a row has "
        "rank 1.",
    ),
)


@handout.quiet_end()
def main():
    page = handout.begin(__doc__)
    print("A layer z = W a of 2 inputs and 3 outputs, J = ½ Σ (z - y)²; every sum in numbers:")
    side_by_side(rows_of_one_sample())
    print(
        "\nThe Jacobian of a layer; at f_k = (0.6, -0.4), with g = tanh and P_{k+1} = (1, 2, -1):"
    )
    side_by_side(rows_of_jacobians())
    print("\nTwo samples, one in each row of A:")
    side_by_side(rows_of_the_batch())
    print()
    page.plot(plot, "transposes.png")
    page.ask(EXERCISES)


if __name__ == "__main__":
    main()
