"""What derivatives cost: multiplications, memory, and which mode is cheaper when.

Every multiplication here was counted while the engine made it, by arrays that count (`counted.py`).

* Backward costs about twice forward: a layer takes one product with its matrix on the way forward,
  and two on the way back, Wᵀ δ and δ aᵀ. The first saves one, as nobody asks for ∂J/∂x.
* All that the forward pass computed is kept, as the rules need it: memory grows with depth times
  batch. Recomputing keeps every k-th activation alone, and runs a segment forward again when the
  pass comes to it: about 2 √(2 L) activations in place of 2 L, for one more forward pass.
* Reverse mode prices a row of the Jacobian, forward mode a column. For n inputs and m outputs that
  is m passes against n, so a loss (m = 1) is for reverse mode, and one input with many outputs for
  forward mode. This engine makes a forward product (jvp) of two reverse ones: about 3 times the
  function, where dual numbers would take 2.
* A Hessian times a vector costs about two gradients, whatever n. The whole Hessian takes n of them.

    python examples/lectures/costs.py [--out pictures] [--answers]

Griewank, Walther, "Evaluating derivatives" (2008), chapters 3, 4 and 12. Recomputing: Chen, Xu,
Zhang, Guestrin, "Training deep nets with sublinear memory cost", arXiv:1604.06174.
"""

import tracemalloc

import handout
import numpy as np
from counted import Counted, multiplications
from handout import Exercise

import tinygrad_bp as bp
from tinygrad_bp import explain
from tinygrad_bp.functional import relu

# A network of L layers a = ReLU(W a), all of width n; its output is summed


def weights(L, n, array=np.asarray):
    """The matrices of L layers, as arrays of some kind."""
    random = np.random.default_rng(0)
    return [array(random.normal(size=(n, n)) * np.sqrt(2 / n)) for _ in range(L)]


def through(layers, a):
    """What a batch of columns comes to."""
    for W in layers:
        a = relu(W @ a)
    return a


def of_a_network(L, n, batch=1):
    """Multiplications of the forward pass, and of the backward pass after it."""
    leaves = [bp.Tensor(W, requires_grad=True) for W in weights(L, n, Counted)]
    a = np.random.default_rng(1).normal(size=(n, batch))
    outputs = []
    forward = multiplications(lambda: outputs.append(np.sum(through(leaves, a))))
    return forward, multiplications(lambda: bp.gradients(outputs[0], leaves))


def of_the_naive_pass(L, n):
    """Multiplications of the pass that goes on from each payment by itself, number by number.

    The network is made of single numbers here, as the naive pass walks each path between them.
    """
    units = np.random.default_rng(1).normal(size=n).tolist()
    for W in weights(L, n):
        rows = [[bp.Tensor(w, requires_grad=True) for w in row] for row in W]
        sums = (sum(w * a for w, a in zip(row, units, strict=True)) for row in rows)
        units = [relu(z) for z in sums]
    attempt = explain.naive_backward(sum(units))
    visits = {node.tensor: count for node, count in attempt.arrivals.items()}
    return sum(
        count * len(attempt.graph[node].pays)
        for node, count in visits.items()
        if attempt.graph[node].operation in ("multiply", "relu", "maximum")
    )


def naive_by_formula(L, n):
    """Each unit of layer l is come to n^(L - l) times, and pays its weights and inputs again."""
    return sum(n * n ** (L - layer) * (n + n * (layer > 1) + 1) for layer in range(1, L + 1))


# Memory


def whole(layers, a):
    """The gradients with everything kept."""
    leaves = [bp.Tensor(W, requires_grad=True) for W in layers]
    return bp.gradients(np.sum(through(leaves, a)), leaves)


def recomputing(layers, a, every):
    """The same gradients, with every so many layers one activation kept."""
    starts = range(0, len(layers), every)
    kept = [a]
    for start in starts[:-1]:
        kept.append(through(layers[start : start + every], kept[-1]))
    adjoint, found = np.ones(a.shape), []
    for start in reversed(starts):
        adjoint, *by_W = segment(layers[start : start + every], kept.pop(), adjoint, start > 0)
        found = by_W + found
    return found


def segment(layers, a, adjoint, below):
    """Run some layers again, and go back through them: the adjoint for those below, and by_W."""
    entry = bp.Tensor(a, requires_grad=below)
    leaves = [bp.Tensor(W, requires_grad=True) for W in layers]
    found = bp.gradients(through(leaves, entry), [entry, *leaves][not below :], adjoint)
    return found if below else [None, *found]


def peak(compute):
    """The most memory that is in use at once, in units of a byte; the result is dropped."""
    tracemalloc.start()
    try:
        compute()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def memory(L, n, batch, every=None):
    """The peak for a network, in activations of one layer; everything is kept without ``every``."""
    layers, a = weights(L, n), np.ones((n, batch))
    compute = whole if every is None else recomputing
    arguments = (layers, a) if every is None else (layers, a, every)
    return peak(lambda: compute(*arguments)) / a.nbytes


# Modes: the function of n inputs and m outputs is B sin(A x), with h numbers in between

HIDDEN = 8


def function(n, m, h=HIDDEN):
    """The function, the sum of its squares, and a point with a direction."""
    random = np.random.default_rng(0)
    A, B = (Counted(random.normal(size=size)) for size in ((h, n), (m, h)))
    x, v = (Counted(random.normal(size=n)) for _ in range(2))

    def f(x):
        return B @ np.sin(A @ x)

    return f, lambda x: np.sum(np.square(f(x))), x, v


def of_the_modes(n, m):
    """Multiplications of everything that can be asked of a function: {what: how many}."""
    f, s, x, v = function(n, m)
    u = np.ones(m)
    return {
        "f": multiplications(lambda: f(x)),
        "vjp": multiplications(lambda: bp.vjp(f, x)[1](u)),
        "jvp": multiplications(lambda: bp.jvp(f, (x,), (v,))),
        "rows": multiplications(lambda: bp.jacobian(f)(x)),
        "columns": n * multiplications(lambda: bp.jvp(f, (x,), (v,))),
        "gradient": multiplications(lambda: bp.grad(s)(x)),
        "hvp": multiplications(lambda: bp.hvp(s, (x,), (v,))),
        "hessian": multiplications(lambda: bp.hessian(s)(x)),
    }


# The page


def print_network():
    print("L layers of width n, one sample. Multiplications, counted:")
    print("   L    n   forward = L n²   backward = (2L - 1) n² + L n   one path at a time")
    for L, n in ((1, 3), (2, 3), (4, 3), (6, 3), (8, 2), (10, 2)):
        forward, backward = of_a_network(L, n)
        print(f"  {L:2} {n:4} {forward:16} {backward:30} {of_the_naive_pass(L, n):20}")
    forward, backward = of_a_network(10, 100)
    print(f"  10  100 {forward:16} {backward:30} {float(naive_by_formula(10, 100)):20.0e}")
    print("The last is what the formula says: nobody could wait for it.")


def print_memory():
    print("\nThe most memory in use at once, n = 64, in activations of one layer (64 × batch):")
    print("   L  batch  all kept   every k-th kept")
    for L, batch, every in ((4, 512, 2), (16, 512, 4), (64, 512, 8), (16, 2048, 4)):
        kept, recomputed = memory(L, 64, batch), memory(L, 64, batch, every)
        mebibytes = kept * 64 * batch * 8 / 2**20
        print(
            f"  {L:2} {batch:6} {kept:9.0f} {recomputed:11.0f} (k = {every})"
            f"   all kept are {mebibytes:5.1f} MiB"
        )
    layers, a = weights(16, 8, Counted), np.ones((8, 1))
    all_kept = of_a_network(16, 8)
    again = multiplications(lambda: recomputing(layers, a, 4))
    print(f"  What it costs, L = 16, n = 8: {again} multiplications in place of {sum(all_kept)}.")


def print_modes():
    print("\nf(x) = B sin(A x), n inputs, 8 inside, m outputs; s = Σ f². Multiplications, counted:")
    print("   n   m      f   vjp   jvp   Jacobian by rows  by columns   ∇s  Hessian·v  Hessian")
    for n, m in ((1, 64), (4, 32), (8, 8), (32, 4), (64, 1)):
        f, vjp, jvp, rows, columns, *second = of_the_modes(n, m).values()
        gradient, hvp, hessian = second
        print(
            f"  {n:2}  {m:2} {f:6} {vjp:5} {jvp:5} {rows:18} {columns:11} {gradient:4} {hvp:10}"
            f" {hessian:8}"
        )
    print("Rows win with few outputs, columns with few inputs. For any n, a gradient costs about")
    print(
        "twice the function, Hessian·v about twice the gradient, and the Hessian n such products."
    )


SIZES = (1, 2, 4, 8, 16, 32, 64)


def plot(file):
    """Which way to the Jacobian is cheaper, and by how much, for n inputs and m outputs."""
    import matplotlib.pyplot as plt

    found = [[of_the_modes(n, m) for n in SIZES] for m in SIZES]
    ratio = np.array([[cell["columns"] / cell["rows"] for cell in row] for row in found])
    figure, axes = plt.subplots(figsize=(7.6, 6.2), layout="constrained")
    picture = axes.imshow(np.log2(ratio), cmap="PuOr_r", vmin=-7, vmax=7, origin="lower")
    for (m, n), value in np.ndenumerate(ratio):
        text = f"{value:.1f}" if value >= 1 else f"1/{1 / value:.1f}"
        color = "white" if abs(np.log2(value)) > 4 else "black"
        axes.text(n, m, text, ha="center", va="center", color=color)
    axes.set_xticks(range(len(SIZES)), SIZES)
    axes.set_yticks(range(len(SIZES)), SIZES)
    axes.set(xlabel="inputs n", ylabel="outputs m")
    axes.set_title("Jacobian: cost by columns (forward mode) over cost by rows (reverse mode)")
    bar = figure.colorbar(picture, ticks=[-6, -3, 0, 3, 6])
    bar.ax.set_yticklabels(["1/64", "1/8", "1", "8", "64"])
    bar.set_label("above 1: reverse mode is cheaper")
    figure.savefig(file, dpi=110)
    plt.close(figure)


EXERCISES = (
    Exercise(
        "A network is made twice as wide. By how much does the forward pass grow, and by how much "
        "does the memory of activations?",
        lambda: of_a_network(4, 32)[0] / of_a_network(4, 16)[0],
        "Multiplications grow by a factor of {:g}, as each matrix has that many more entries; the "
        "activations by 2, as there are twice as many units.",
    ),
    Exercise(
        "A function has 4 inputs and 32 outputs. Which way to its Jacobian is cheaper here?",
        lambda: [of_the_modes(4, 32)[way] for way in ("columns", "rows")],
        "By columns: {0[0]} multiplications in place of {0[1]}. 4 forward products beat 32 "
        "backward passes.",
    ),
    Exercise(
        "Of L = 128 layers every k-th activation is kept; a segment has k layers of 2 arrays each. "
        "Which k needs the least memory?",
        lambda: min(range(1, 129), key=lambda k: 128 / k + 2 * k),
        "L/k + 2k is least at k = √(L/2) = {}: 32 arrays in place of 256.",
    ),
)


@handout.quiet_end()
def main():
    page = handout.begin(__doc__)
    print_network()
    print_memory()
    print_modes()
    print()
    page.plot(plot, "costs.png")
    page.ask(EXERCISES)


if __name__ == "__main__":
    main()
