"""Four backward passes over one network: two are wrong, one is slow, and one is backpropagation.

Each way to go wrong is one decision in the loop that an engine is:

* Overwriting writes ``=`` where ``+=`` belongs. A node that two others use keeps the last payment.
* Eager does not wait. A node pays on as soon as the first payment comes, and only once; what comes
  later is added to its own adjoint, and never gets further.
* Naive pays on every payment by itself. That is right, and it goes over all that lies below a node
  once for each path to it: twice as often with every layer.
* The real pass adds up, waits until all have paid, and then pays on once.

The network is the 2-2-2 of `weight_by_weight.py`. In it h1 and h2 are used twice, by z1 and by z2.
So everything above them, w5 to w8 too, comes out right in all four; all that lies below does not.

In the picture, each arrow carries the gradient of its weight as that pass has it, and the right one
below it where it is wrong.

    python examples/lectures/wrong_engines.py [--out pictures] [--answers]
"""

from itertools import product

import handout
import numpy as np
from handout import COLORS, GRID, Exercise
from small_networks import (
    TWO_LAYER_PATHS,
    WEIGHTS,
    D,
    X,
    error,
    name,
    tensors,
    two_layer_derivatives,
    two_layers,
)
from weight_by_weight import gradients_by_hand

import tinygrad_bp as bp
from tinygrad_bp import explain
from tinygrad_bp.functional import sigmoid

IN_SHORT = {
    "overwriting": "= in place of +=",
    "eager": "pays on before all have paid",
    "naive": "pays on each payment by itself",
    "real": "adds up, waits for all, pays on once",
}
ENGINES = {
    "overwriting": explain.overwriting_backward,
    "eager": explain.eager_backward,
    "naive": explain.naive_backward,
}
SHOWN = ("h1", "q1", *(f"w{n}" for n in range(1, 9)))
WHY = {
    "overwriting": "z2 pays h1 {0:.4f}, then z1 writes {1:.4f} over it: a part of the sum is lost.",
    "eager": "h1 pays on {1:.4f} as soon as z1 has paid. What z2 pays comes too late for q1.",
    "naive": "right, but h1 pays {1:.4f} and {0:.4f} on, each by itself, and so does all below it.",
    "real": "h1 waits for z2 and for z1, and pays their sum on once: {0:.4f} + ({1:.4f}).",
}


def by_hand():
    """What each pass makes of h1, q1 and the weights: {engine: {node: value}}."""
    local = two_layer_derivatives(X, D, WEIGHTS)
    d = {step: value for step, (_, value) in local.items()}
    paid = {
        (i, j): d[f"ε{j}", f"y{j}"] * d[f"y{j}", f"z{j}"] * d[f"z{j}", f"h{i}"]
        for i in (1, 2)
        for j in (1, 2)
    }  # what z_j pays h_i
    last = {1: paid[1, 1], 2: paid[2, 1]}
    both = {i: paid[i, 1] + paid[i, 2] for i in (1, 2)}
    weights = dict(zip(TWO_LAYER_PATHS, gradients_by_hand(TWO_LAYER_PATHS, local), strict=True))

    def below(own, passed_on):
        slope = {i: passed_on[i] * d[f"h{i}", f"q{i}"] for i in (1, 2)}
        first = {f"w{n}": slope[1 + (n > 2)] * X[(n - 1) % 2] for n in range(1, 5)}
        return {"h1": own[1], "q1": slope[1], **weights, **first}

    right = below(both, both)
    return {
        "overwriting": below(last, last),
        "eager": below(both, last),
        "naive": right,
        "real": right,
    }


def engines():
    """What each pass computes, and how many rules it evaluates: {engine: ({node: value}, n)}."""
    output, _ = two_layers(X, D, WEIGHTS)
    found = {}
    for engine, backward in ENGINES.items():
        attempt = backward(output)
        found[engine] = ({n: float(attempt.gradients[n]) for n in SHOWN}, attempt.evaluations)
    graph = explain.view(output)
    evaluations = sum(edge.consumer is not None for edge in graph.edges)
    found["real"] = ({n: float(graph[n].adjoint) for n in SHOWN}, evaluations)
    return found


# Deeper: the same two units, layer after layer


def deep(layers):
    """The error of a 2-2-...-2 network of so many layers, of the same four weights each."""
    units = tensors("x", X)
    for layer in range(1, layers + 1):
        w1, w2, w3, w4 = tensors(f"w{layer}", WEIGHTS[:4], requires_grad=True)
        a, b = units
        z = name(f"z{layer}", a * w1 + b * w2, a * w3 + b * w4)
        units = name(f"h{layer}", *map(sigmoid, z))
    return error(units, tensors("d", D))


def counts(layers):
    """Evaluations of a rule: (naive, real)."""
    attempt = explain.naive_backward(deep(layers))
    return attempt.evaluations, attempt.true_evaluations


# The page


def print_engines():
    found = engines()
    right = found["real"][0]
    print("node" + "".join(f"{engine:>15}" for engine in found) + "        by hand")
    hand = by_hand()["real"]
    for node in SHOWN:
        cells = []
        for values, _ in found.values():
            wrong = abs(values[node] - right[node]) > 1e-12
            cells.append(f"{values[node]:9.4f} {'wrong' if wrong else '     '}")
        print(f"{node:4}" + "".join(cells) + f"{hand[node]:15.4f}")
    print("rules" + "".join(f"{n:8}       " for _, n in found.values()) + "   evaluations")
    graph = explain.view(two_layers(X, D, WEIGHTS)[0])
    payments = [float(graph.edges[step].term) for step in graph["h1"].terms]
    for engine, why in WHY.items():
        print(f"  {engine:12} {why.format(*payments)}")


def print_growth():
    print("\nThe same in deeper networks of two units a layer. Evaluations of a rule:")
    print("  layers L   naive = 12 · 2^L - 6   real = 14 L + 4")
    for layers in (1, 2, 4, 6, 8, 10, 12):
        naive, real = counts(layers)
        print(f"  {layers:8} {naive:22} {real:17}")
    print("The naive pass doubles with each layer, the real one adds 14: it is linear because it")
    print("adds before it pays on, and right because it waits for the last payment.")


PLACES = {f"{c}{i}": (x, 3 - 2 * i) for x, c in enumerate("xhy") for i in (1, 2)}
ARROWS = [(a, b) for a, b in product(PLACES, PLACES) if PLACES[b][0] - PLACES[a][0] == 1]
ARROWS.sort(key=lambda arrow: (PLACES[arrow[1]][0], arrow[1], arrow[0]))


def draw_engine(axes, title, values, right):
    """The network, with the gradient that one pass found on every weight's arrow."""
    for number, (a, b) in enumerate(ARROWS, start=1):
        weight = f"w{number}"
        wrong = abs(values[weight] - right[weight]) > 1e-12
        color = COLORS["gradient" if wrong else "value"]
        (x, y), (u, v) = PLACES[a], PLACES[b]
        axes.plot([x, u], [y, v], "--" if wrong else "-", color=color, linewidth=1.6, zorder=1)
        along = 0.5 if y == v else 0.27
        text = f"{weight}: {values[weight]:.4f}" + f"\nnot {right[weight]:.4f}" * wrong
        at = (x + along * (u - x), y + along * (v - y))
        paper = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
        axes.text(*at, text, color=color, fontsize=9, ha="center", va="center", bbox=paper)
    for unit, (x, y) in PLACES.items():
        axes.plot(x, y, "o", markersize=26, markerfacecolor="white", markeredgecolor=COLORS["ink"])
        axes.text(x, y, unit, ha="center", va="center", fontsize=10, color=COLORS["ink"])
    axes.set_title(title, fontsize=11)
    axes.set(xlim=(-0.25, 2.25), ylim=(-1.5, 1.5))
    axes.axis("off")


def plot(file):
    """The four passes, and how the slow one and the real one grow with the depth."""
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(14, 7), layout="constrained")
    grid = figure.add_gridspec(2, 3, width_ratios=(1, 1, 0.8))
    found = engines()
    for number, (engine, (values, evaluations)) in enumerate(found.items()):
        title = f"{engine}: {IN_SHORT[engine]}\n{evaluations} evaluations of a rule"
        axes = figure.add_subplot(grid[number // 2, number % 2])
        draw_engine(axes, title, values, found["real"][0])
    key = [
        figure.axes[0].plot([], [], way, color=COLORS[color], linewidth=1.6, label=words)[0]
        for way, color, words in (
            ("-", "value", "a right gradient"),
            ("--", "gradient", "a wrong one"),
        )
    ]
    figure.legend(handles=key, loc="outside lower left", ncols=2)
    axes = figure.add_subplot(grid[:, 2])
    depths = range(1, 11)
    naive, real = zip(*map(counts, depths), strict=True)
    axes.semilogy(depths, naive, "o--", color=COLORS["gradient"], label="naive: 12 · 2ᴸ − 6")
    axes.semilogy(depths, real, "s-", color=COLORS["value"], label="real: 14 L + 4")
    axes.set(xlabel="layers L", ylabel="evaluations of a rule", title="Deeper networks")
    axes.grid(**GRID)
    axes.legend()
    figure.savefig(file, dpi=110)
    plt.close(figure)


EXERCISES = (
    Exercise(
        "The overwriting and the eager pass agree on w1 to w4. On which node below ε do they "
        "differ, and what has each there?",
        lambda: [engines()[engine][0]["h1"] for engine in ("overwriting", "eager")],
        "On h1 (and h2): overwriting has {0[0]:.4f} there, the last payment; eager has "
        "{0[1]:.4f}, the right sum, but it paid q1 before the sum was complete.",
    ),
    Exercise(
        "How many evaluations does the naive pass take with 20 layers, and how many the real one?",
        lambda: (12 * 2**20 - 6, explain.view(deep(20)).edges[-1].step),
        "{0[0]:,} against {0[1]}.",
    ),
    Exercise(
        "Which of the four are right for a network with one unit in each layer, and why?",
        lambda: sum(
            abs(backward(one_unit()).gradients["w"] - bp.trace(one_unit()).graph["w"].adjoint)
            < 1e-15
            for backward in ENGINES.values()
        ),
        "All: the {0} others agree with the real pass, as nothing is used twice. With one path "
        "there is nothing to add, to wait for, or to repeat.",
    ),
)


def one_unit():
    """A chain: the error of two layers of one unit."""
    w = bp.Tensor(0.5, requires_grad=True, name="w")
    return 0.5 * np.square(sigmoid(sigmoid(w * 0.6) * 1.2) - 0.9)


@handout.quiet_end()
def main():
    page = handout.begin(__doc__)
    print_engines()
    print_growth()
    print()
    page.plot(plot, "wrong_engines.png")
    page.ask(EXERCISES)


if __name__ == "__main__":
    main()
